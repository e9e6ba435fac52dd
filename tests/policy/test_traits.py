"""What a list says about a term: words into traits, and two entries into one."""

from __future__ import annotations

import pytest

from guardrail.policy.traits import PLAIN, Traits, read_traits
from guardrail.text.rules import Action


@pytest.mark.parametrize(
    ("words", "traits"),
    [
        (("", "", "", "", ""), PLAIN),
        (("slur", "high", "halt", "", "zh en"), Traits("slur", "high", Action.HALT, languages=frozenset({"en", "zh"}))),
        (("", "", "", "case edges=always", ""), Traits(case=True, edges="always")),
        (("", "", "", "exact case", ""), Traits(case=True, exact=True)),
        (("", "", "", "repeats noise no-leet", ""),
         Traits(folds=(("leet", False), ("noise", True), ("repeats", True)))),
    ],
)  # fmt: skip
def test_words(words: tuple[str, ...], traits: Traits) -> None:
    assert read_traits(words) == (traits, [])


@pytest.mark.parametrize(
    ("words", "faults"),
    [
        (("Slur", "", "", "", ""), ["found 'Slur', expected a category of lower-case letters, digits and \"_\""]),
        (("", "", "allow", "", ""), ["found 'allow', expected one of log, redact, replace, halt"]),
        (("", "", "", "", "English"), ["found 'English', expected a language such as en or zh"]),
        (("", "", "", "nosie", ""), ["found the unknown option 'nosie', expected 'noise' (did you mean that?)"]),
        (("", "", "", "leet no-leet", ""), ["found 'leet' and 'no-leet', expected one of them"]),
        (("", "", "", "edges=auto edges=never", ""), ["found 'edges=auto' and 'edges=never', expected one of them"]),
        (("", "", "", "case noise", ""),
         ["found 'noise' beside 'case', expected one of them: case terms are not folded so"]),
        (("", "hihg", "hlat", "", ""),
         ["found 'hihg', expected 'high' (did you mean that?)", "found 'hlat', expected 'halt' (did you mean that?)"]),
    ],
)  # fmt: skip
def test_faults(words: tuple[str, ...], faults: list[str]) -> None:
    assert [message for _, message in read_traits(words)[1]] == faults


@pytest.mark.parametrize(
    ("one", "other", "merged"),
    [
        (PLAIN, Traits("a", "low"), Traits("a", "low")),
        (Traits("a"), Traits(action=Action.LOG, case=True), Traits("a", action=Action.LOG, case=True)),
        (Traits("a"), Traits("b"), None),
        (Traits(case=True), Traits(folds=(("noise", True),)), None),
        (Traits(languages=frozenset({"en"})), Traits(languages=frozenset({"de"})),
         Traits(languages=frozenset({"en", "de"}))),
        (Traits(languages=frozenset({"en"})), PLAIN, PLAIN),
    ],
)  # fmt: skip
def test_merging(one: Traits, other: Traits, merged: Traits | None) -> None:
    assert one.merged(other) == merged
    assert other.merged(one) == merged
