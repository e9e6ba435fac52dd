"""Explanations: each candidate with its reason, and the same story as a stream tells."""

from __future__ import annotations

import pytest

from guardrail.text.explain import explain
from guardrail.text.rules import Action, Folds, NearRule, Rule
from tests.text.script import pattern, play, word

NOISY = Folds(noise=True, repeats=True)

CASES: list[tuple[str, Rule, str, list[tuple[str, str, str]]]] = [
    ("in the middle of a word", word("ass"), "class", [("ass", "hit", "no word edge before it")]),
    ("at its start", word("ass"), "assess", [("ass", "hit", "no word edge behind it")]),
    ("another alphabet", word("cop"), "сор", [("cop", "hit", "a word of another alphabet")]),
    ("a name", word("ass"), "A55", [("a55", "hit", "too few letters are read as they are")]),
    (
        "a repeat",
        word("asses", folds=NOISY),
        "aases",
        [("aases", "hit", "a repeat is too short, or too long to be one")],
    ),
    (
        "an allow-phrase",
        word("ab", allow=("ab c",)),
        "ab c",
        [("ab", "hit", "inside the allow-phrase 'ab c'"), ("ab c", "allow-phrase", "")],
    ),
    ("kept", word("bomb"), "bоmb", [("bomb", "hit", "")]),
    ("an edge of a pattern", pattern("ab", right="digit"), "ab1", [("ab", "hit", "'1' stands right behind it")]),
    (
        "a check",
        pattern("ab", accept=lambda text: False),
        "ab",
        [("ab", "hit", "its check fails (a checksum, a range, a placeholder, an allowed host)")],
    ),
    (
        "no context",
        pattern("1{3}", contextual=True, context=("no",), within=9),
        "111",
        [("111", "hit", "no context word in the 9 characters before it")],
    ),
    (
        "context",
        pattern("1{3}", contextual=True, context=("no",)),
        "no 111",
        [("no", "context word", ""), ("111", "hit", "")],
    ),
    ("raw", pattern("\x1b", lane="raw"), "a\x1b", [("\x1b", "hit", "")]),
    (
        "near words",
        NearRule(id="n", category="test", first=("a",), second=("b",)),
        "a b",
        [("a", "first word", ""), ("b", "second word", "")],
    ),
]


@pytest.mark.parametrize(("name", "rule", "text", "expected"), CASES, ids=[case[0] for case in CASES])
def test_reasons(name: str, rule: Rule, text: str, expected: list[tuple[str, str, str]]) -> None:
    assert [(c.text, c.kind, c.fault) for c in explain([rule], text).candidates] == expected


def test_hold_back_after_each_character() -> None:
    assert explain([word("bomb")], "a bob.").held == (0, 0, 1, 2, 0, 0)


def test_what_is_kept_is_what_a_stream_finds() -> None:
    rules = [word("bomb", "k y s", folds=NOISY, allow=("bomb shelter",)), pattern(r"\d{4}", id="year", right="digit")]
    text = "a b0mb, b.o.m.b, bomb shelter, 2024 20245 k y s boooomb"
    kept = [(c.rule, c.start, c.end) for c in explain(rules, text).candidates if c.kind == "hit" and not c.fault]
    assert kept == play(rules, *text).findings


def test_a_rule_that_is_switched_off_says_nothing() -> None:
    found = explain([word("bomb", action=Action.ALLOW)], "bomb")
    assert (found.candidates, found.findings, found.lanes) == ((), (), {})


def test_lanes_that_say_the_same_are_told_once() -> None:
    assert explain([word("bomb")], "a bomb").lanes == {"cased": "a bomb"}
    assert explain([word("bomb")], "A bоmb").lanes == {"cased": "A bоmb", "folded": "a bоmb", "look": "a bomb"}
