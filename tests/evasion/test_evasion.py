"""Every disguise is found: whole, character by character and in random pieces, from its first letter to its last."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache

import pytest

from guardrail.text.editor import Editor
from guardrail.text.rules import Folds, KeywordRule, Label
from guardrail.text.scanner import RuleSet, compile_rules
from tests.evasion import cases_chinese, cases_english, cases_entities, cases_languages
from tests.evasion.techniques import Case

WORDS = (*cases_english.CASES, *cases_chinese.CASES, *cases_languages.CASES)


def cuts(text: str) -> Iterator[list[str]]:
    yield [text]
    yield list(text)
    chance = random.Random(text)
    for longest in (3, 9):
        pieces, at = [], 0
        while at < len(text):
            end = at + chance.randint(1, longest)
            pieces.append(text[at:end])
            at = end
        yield pieces


@cache
def keyword(term: str, folds: Folds) -> RuleSet:
    return compile_rules([KeywordRule(id="term", category="test", terms=(term,), folds=folds, mask=Label("\0"))])


def found(rules: RuleSet, case: Case) -> None:
    """Also that nothing outside of it is taken away."""
    expected = case.text[: case.start] + "\0" + case.text[case.end :]
    for pieces in cuts(case.text):
        editor = Editor(rules)
        output = "".join(map(editor.feed, pieces)) + editor.finish()
        spans = [(finding.start, finding.end) for finding in editor.findings()]
        assert (case.start, case.end) in spans, (case.text, pieces)
        # 炸炸弹弹 holds 炸弹 as well.
        assert all(case.start <= start and end <= case.end for start, end in spans), (case.text, pieces)
        assert output == expected, (case.text, pieces)


@pytest.mark.parametrize("case", WORDS, ids=str)
def test_a_disguised_term_is_found(case: Case) -> None:
    found(keyword(case.term, case.folds), case)


@pytest.mark.parametrize("case", cases_entities.CASES, ids=str)
def test_a_disguised_entity_is_found(case: Case) -> None:
    found(cases_entities.rules(case.term), case)


def test_the_suite_has_hundreds_of_cases() -> None:
    assert len({(case.term, case.text) for case in (*WORDS, *cases_entities.CASES)}) > 1900
