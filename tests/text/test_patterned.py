"""Patterns in a stream: context words, edges and checks of single expressions, the raw lane."""

from __future__ import annotations

import pytest

from guardrail.text.rules import PatternRule, Rule
from tests.text.script import pattern, play, word

PASSPORT = pattern(
    r"\d{6}", r"X\d{4}", contextual=(True, False), context=("passport", "护照"), left="digit", right="digit"
)

CONTEXT: list[tuple[str, Rule, str, str]] = [
    ("behind its word", PASSPORT, "passport 123456 ", "passport # "),
    ("without", PASSPORT, "number 123456 ", "number 123456 "),
    ("before it", PASSPORT, "123456 passport", "123456 passport"),
    ("without need of it", PASSPORT, "X1234 123456", "# 123456"),
    ("in another script, right beside it", PASSPORT, "护照123456", "护照#"),
    ("a longer word", PASSPORT, "passports 123456", "passports 123456"),
    ("as far as may be", PASSPORT, "passport" + " " * 48 + "123456", "passport" + " " * 48 + "#"),
    ("further", PASSPORT, "passport" + " " * 49 + "123456", "passport" + " " * 49 + "123456"),
    ("several", PASSPORT, "PASSPORT 123456, 234567", "PASSPORT #, #"),
    (
        "in the middle of what else may match",
        pattern("1{2,9}", contextual=True, context=("no",)),
        "1 no1 no 11",
        "1 no1 no #",
    ),
    ("an allow-phrase", pattern("1{2}", contextual=True, context=("no",), allow=("no 11",)), "no 11 11", "no 11 #"),
]


@pytest.mark.parametrize(("name", "rule", "text", "expected"), CONTEXT, ids=[case[0] for case in CONTEXT])
def test_context(name: str, rule: PatternRule, text: str, expected: str) -> None:
    assert play([rule], text).output == expected
    assert play([rule], *text).output == expected


def test_only_what_stands_behind_a_context_word_is_held() -> None:
    assert play([PASSPORT], "12", "3 passport", " 12", "x").released == ["12", "3 passport", " ", "12x", ""]


def test_conditions_of_single_expressions() -> None:
    rule = pattern(
        "1{2}", "2{2}", right=("digit", "none"), accept=(None, lambda text: text == "22"), left=("none", "word")
    )
    assert play([rule], "11 112 22 223 a22").output == "# 112 # #3 a22"


RAW: list[tuple[str, Rule, str, str]] = [
    ("control characters", pattern("\x1b\\[[0-9]{0,3}m", lane="raw", mask=""), "a\x1b[31mb\x1b[0mc", "abc"),
    ("not before a line feed", pattern("\r", right="newline", lane="raw", mask=""), "a\r\nb\rc\r", "a\r\nbc"),
    ("a mark behind stays", pattern("x", lane="raw", mask=""), "ax\u0301", "a\u0301"),
    ("nothing is folded", pattern("a", lane="raw"), "ａa\u00adA", "ａ#\u00adA"),
    (
        "invisible characters",
        pattern("[\U000e0000-\U000e007f]{1,9}", lane="raw", mask=""),
        "a\U000e0041\U000e0042b",
        "ab",
    ),
    ("half a character", pattern("a", lane="raw"), "\ud800a", "\ud800#"),
]


@pytest.mark.parametrize(("name", "rule", "text", "expected"), RAW, ids=[case[0] for case in RAW])
def test_the_raw_lane(name: str, rule: PatternRule, text: str, expected: str) -> None:
    assert play([rule], text).output == expected
    assert play([rule], *text).output == expected


def test_raw_and_folded_rules_together() -> None:
    rules = [pattern("\x1b", lane="raw", mask=""), word("bomb", id="bomb")]
    assert play(rules, *"a \x1bbomb\u0301 b\x1bomb").output == "a # bomb"
