"""Every disguise is found: whole, character by character and in random pieces, from its first letter to its last."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
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
    pieces, at = [], 0
    while at < len(text):
        end = at + chance.randint(1, 5)
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


def by_technique(cases: Iterable[Case]) -> dict[str, list[Case]]:
    groups: dict[str, list[Case]] = {}
    for case in cases:
        groups.setdefault(f"{case.technique}-{case.language}", []).append(case)
    return groups


TERMS = by_technique(WORDS)
ENTITIES = by_technique(cases_entities.CASES)


@pytest.mark.parametrize("cases", TERMS.values(), ids=TERMS)
def test_disguised_terms_are_found(cases: list[Case]) -> None:
    for case in cases:
        found(keyword(case.term, case.folds), case)


@pytest.mark.parametrize("cases", ENTITIES.values(), ids=ENTITIES)
def test_disguised_entities_are_found(cases: list[Case]) -> None:
    for case in cases:
        found(cases_entities.rules(case.term), case)


def test_the_suite_has_hundreds_of_cases() -> None:
    assert len({(case.term, case.text) for case in (*WORDS, *cases_entities.CASES)}) > 1900
