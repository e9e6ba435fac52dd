"""Look-alikes that mean nothing are left alone, by the terms of the evasion suite and by all that is shipped."""

from __future__ import annotations

from functools import cache

import pytest

from guardrail.policy.compile import load_policy
from guardrail.text.editor import Editor
from guardrail.text.rules import Folds, KeywordRule
from guardrail.text.scanner import RuleSet, compile_rules
from tests.evasion import cases_chinese, cases_english, cases_innocent, cases_languages

KINDS = [pytest.param(texts, id=kind) for kind, texts in cases_innocent.CASES.items()]
SHIPPED = ("default", "lexicons", "family", "entities-all")

SHORT = ("ass", "sex", "cum", "tit", "anal", "rape", "dick", "cock", "hell", "wtf", "SM")
"""Too short for noise: as_s would be one of them."""
CHINESE = {
    "大麻": ("大麻烦",),
    "去死": ("去死海", "去死磕"),
    "操": ("操作", "操场", "做操"),
    "装逼": ("装逼真",),
    "自杀": ("自杀青",),
    "他妈的": ("他妈妈的",),
}
"""Terms with the innocent phrases that hold them."""


@cache
def suite() -> RuleSet:
    """All terms of the evasion suite, every disguise of them seen through."""
    terms = {
        case.term for case in (*cases_english.CASES, *cases_chinese.CASES, *cases_languages.CASES) if len(case.term) > 1
    }
    rules = [
        KeywordRule(
            id="terms",
            category="test",
            terms=tuple(sorted(terms)),
            allow=tuple(phrase for phrases in CHINESE.values() for phrase in phrases),
            folds=Folds(noise=True, repeats=True),
        ),
        KeywordRule(id="short", category="test", terms=SHORT, folds=Folds(repeats=True)),
    ]
    rules += [
        KeywordRule(id=term, category="test", terms=(term,), allow=phrases, folds=Folds(noise=True))
        for term, phrases in CHINESE.items()
    ]
    return compile_rules(rules)


@cache
def shipped(name: str) -> RuleSet:
    return load_policy(name).rules


def unmoved(rules: RuleSet, texts: tuple[str, ...]) -> None:
    for text in texts:
        for pieces in ([text], list(text)):
            editor = Editor(rules)
            output = "".join(map(editor.feed, pieces)) + editor.finish()
            assert editor.findings() == [], text
            assert output == text


@pytest.mark.parametrize("texts", KINDS)
def test_no_term_of_the_suite_is_found(texts: tuple[str, ...]) -> None:
    unmoved(suite(), texts)


@pytest.mark.parametrize("policy", SHIPPED)
@pytest.mark.parametrize("texts", KINDS)
def test_no_shipped_policy_minds(texts: tuple[str, ...], policy: str) -> None:
    unmoved(shipped(policy), texts)


def test_the_twin_has_hundreds_of_texts() -> None:
    assert len({text for texts in cases_innocent.CASES.values() for text in texts}) > 450
