"""Words that stand near each other: which pairs count, and what waits."""

from __future__ import annotations

import pytest

from guardrail.text.near import Near
from guardrail.text.rules import Label, NearRule
from guardrail.text.terms import Role
from tests.text.script import play


def near(within: int | None = 10, sentence: bool = False) -> NearRule:
    words = {"first": ("kill", "stab"), "second": ("him", "her")}
    return NearRule(id="near", category="test", mask=Label("#"), within=within, sentence=sentence, **words)


CASES: list[tuple[str, NearRule, str, str]] = [
    ("side by side", near(), "kill him.", "#."),
    ("the other way round", near(), "him, kill.", "#."),
    ("ten characters between", near(), "kill 12345678 him.", "#."),
    ("eleven", near(), "kill 123456789 him.", "kill 123456789 him."),
    ("the earliest of several", near(), "stab kill him", "#"),
    ("the earliest that is near", near(), "stab 12345 kill him", "stab 12345 #"),
    ("one word for several", near(), "kill him her", "#"),
    ("words of one list", near(), "kill stab kill", "kill stab kill"),
    ("any distance that is allowed at all", near(None), "kill" + " x" * 127 + " him", "#"),
    ("further", near(None), "kill" + " x" * 128 + " him", "kill" + " x" * 128 + " him"),
    ("a full stop without a sentence rule", near(), "kill. him", "#"),
    ("a sentence's end", near(None, True), "kill. him", "kill. him"),
    ("a full stop inside", near(None, True), "kill 3.5 him", "#"),
    ("a question", near(None, True), "kill?him", "kill?him"),
    ("a line's end", near(None, True), "kill\nhim", "kill\nhim"),
    ("a Chinese full stop", near(None, True), "kill。him", "kill。him"),
    ("within and sentence", near(3, True), "kill the old him", "kill the old him"),
    ("in disguise", near(), "k1ll hіm", "#"),
    ("part of a word", near(), "skill him", "skill him"),
]


@pytest.mark.parametrize(("name", "rule", "text", "expected"), CASES, ids=[case[0] for case in CASES])
def test_pairs(name: str, rule: NearRule, text: str, expected: str) -> None:
    assert play([rule], text).output == expected
    assert play([rule], *text).output == expected


def test_what_waits_for_a_partner() -> None:
    played = play([near(3)], "a kill", " ", "b", "c", "d")
    assert played.released == ["a ", "", "", "", "kill bcd", ""]


def test_a_sentence_that_ends_lets_go() -> None:
    assert play([near(None, True)], "kill.", " ", "x").released == ["", "kill. ", "x", ""]


def test_words_found_twice_count_once() -> None:
    words = Near([near()])
    for _ in range(2):
        words.add(0, Role.FIRST, 0, 4)
    words.add(0, Role.SECOND, 5, 8)
    assert words
    assert words.step("kill him", 0, 8, final=True) == [(0, 0, 8)]
    assert not words


def test_a_pair_is_told_when_nothing_before_it_is_undecided() -> None:
    words = Near([near()])
    words.add(0, Role.SECOND, 5, 8)
    assert (words.step("kill him ", 0, 0, final=False), words.hold) == ([], 5)
    words.add(0, Role.FIRST, 0, 4)
    assert (words.step("kill him ", 0, 9, final=False), words.hold) == ([(0, 0, 8)], 0)
