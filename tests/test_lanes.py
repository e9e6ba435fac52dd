"""Lanes and views of small texts, worked out on paper. In what is expected of a view, % stands for a BREAK."""

from __future__ import annotations

import pytest

from guardrail.text.rules import Folds
from tests.lanes import (
    BREAK,
    LEET,
    NOISY_LEET,
    Lane,
    cased_lane,
    folded_lane,
    leet,
    look_lane,
    noise,
    one_alphabet,
    raw_lane,
    repeats,
)

SWITCHES = ("marks", "lookalikes", "simplified", "numbers")


def seeing(*switches: str) -> Folds:
    return Folds(**{switch: switch in switches for switch in SWITCHES})


CASED = [
    ("Ａb\u2013c\u2019d", "Ab-c'd"),
    ("\u0664\u0665 \uff11 ² ٪", "45 1 2 ٪"),  # digits of Arabic, of full width, raised; a per-cent sign is none
    ("➀❷⓿", "120"),
    ("三", "三"),
    ("a\tb\n", "a\tb\n"),
    ("e\u0301", "é"),
]


@pytest.mark.parametrize(("text", "expected"), CASED)
def test_cased_lane(text: str, expected: str) -> None:
    assert cased_lane(text).text == expected


FOLDED = [
    ("Straße\t\r\nA", "strasse   a"),
    ("\u0399\u0345", "ι"),  # a capital iota stays, an iota below is dropped
    ("\u0664", "4"),
]


@pytest.mark.parametrize(("text", "expected"), FOLDED)
def test_folded_lane(text: str, expected: str) -> None:
    assert folded_lane(text).text == expected


LOOKS = [
    (SWITCHES, "Café", "cafe"),
    (("marks",), "b\u0336o\u0336mb", "bomb"),
    (("marks",), "\u1f84", "α"),  # all three marks of a Greek letter, the one below too
    (("marks",), "中\u0336国", "中国"),
    (("marks",), "1\u0336.\u0301", "1."),
    (("marks",), "й\u0336 ё и\u0306", "й ё й"),  # Cyrillic keeps what NFC composes
    (("marks",), "а\u0301", "а"),  # a Cyrillic letter with a stress mark, which NFC leaves
    (("marks",), "ガ", "ガ"),
    (("marks",), "कि", "कि"),
    (("marks",), "\u0301a", "\u0301a"),  # no letter before it
    (("marks",), "a\u00ad\u0301", "a"),
    ((), "Café", "café"),
    (("lookalikes",), "café", "café"),
    (("lookalikes",), "асе", "ace"),
    (("lookalikes",), "🅰\U0001f171", "ab"),
    (("marks",), "асе", "асе"),
    (("simplified",), "炸彈", "炸弹"),
    ((), "炸彈", "炸彈"),
    (("numbers",), "二〇三", "203"),
    (("simplified",), "二〇三", "二〇三"),
    (("simplified",), "Ａ\t", "a "),
    (SWITCHES, "\u0410\u0301", "a"),  # a mark goes before the letter is looked at
]


@pytest.mark.parametrize(("switches", "text", "expected"), LOOKS)
def test_look_lane(switches: tuple[str, ...], text: str, expected: str) -> None:
    assert look_lane(text, seeing(*switches)).text == expected


def test_without_switches_the_look_lane_is_the_folded_lane() -> None:
    text = "Ａb\u2013 Straße\t\u1fb3 \u0664 e\u0301 ﬁ 二彈"
    assert look_lane(text, seeing()) == folded_lane(text)


def test_each_character_has_the_span_of_its_segment() -> None:
    assert look_lane("xa\u00ad\u0336ﬁ\u200b", seeing("marks")) == Lane("xafi", [(0, 1), (1, 4), (4, 5), (4, 5)])


def test_the_raw_lane_is_the_text_itself() -> None:
    text = "Ａ\u200be\u0301\ud83d\ude00"
    assert raw_lane(text) == Lane(text, [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 6)])


NOISE = [
    # nothing between, and signs
    ("bomb", "bomb"),
    ("bo**mb", "bomb"),
    ("bo-_=mb", "bomb"),
    ("bo\\mb", "bomb"),
    ("bo👍mb", "bomb"),
    ("**bo**", "bo"),
    ("...", ""),
    ("", ""),
    # blanks
    ("bo mb", "bo mb"),
    ("bo   mb", "bo mb"),
    ("bo - mb", "bo mb"),
    ("b o m b", "bomb"),
    ("b -o", "bo"),
    ("b - o", "bo"),
    ("做b.o的", "做bo的"),
    ("b  o", "b o"),
    ("b\u2028o", "bo"),
    ("bb\u2028o", "bb o"),
    ("bo m b", "bo mb"),
    ("a bc d", "a bc d"),
    # stops, quotes, brackets
    ("b.o.m.b", "bomb"),
    ("b . o", "bo"),
    ("b...o", "bo"),
    ("bo.mb", "bo%mb"),
    ("b.om", "b%om"),
    ("b. om", "b%om"),
    ("(b)(o)", "bo"),
    ("1.2", "12"),
    ("12.5", "12%5"),
    # letters of scripts without edges are always lone, but stop at stops
    ("炸-弹", "炸弹"),
    ("炸 弹", "炸弹"),
    ("炸  弹", "炸 弹"),
    ("炸。弹", "炸%弹"),
    ("炸.弹", "炸%弹"),
    ("a.弹", "a%弹"),
    ("a 弹", "a弹"),
    ("ab 弹", "ab 弹"),
    ("x弹 a", "x弹a"),
    # marks are letters
    ("a\u0336 b", "a\u0336 b"),
    # tags and entities
    ("bo<b>mb", "bomb"),
    ("bo</b>mb", "bomb"),
    ("bo<br/>mb", "bomb"),
    ("bo<br />mb", "bomb"),
    ('bo<a href="x.y">mb', "bomb"),
    ("bo<b", "bo%b"),
    ("bo<b><i>mb", "bomb"),
    ("bo<b> mb", "bo mb"),
    ("bo<1>mb", "bo%1%mb"),
    ("bo<abcdefghij>mb", "bomb"),
    ("bo<abcdefghijk>mb", "bo%abcdefghijk%mb"),
    ("bo<a " + "x" * 40 + ">mb", "bomb"),
    ("bo<a " + "x" * 41 + ">mb", "bo%a " + "x" * 41 + "%mb"),
    ("bo&amp;mb", "bomb"),
    ("bo&#45;mb", "bomb"),
    ("bo&#x2d;mb", "bomb"),
    ("bo&nbspmb", "bo%nbspmb"),
    ("bo&#12345678;mb", "bo%12345678%mb"),
    ("b<i &amp;>o", "bo"),
    ("bo<ii <i>mm", "bo%ii mm"),
    # how much
    ("b" + "*" * 64 + "o", "bo"),
    ("b" + "*" * 65 + "o", "b%o"),
    ("b" + " " * 64 + "o", "b o"),
    ("b" + "<b>" * 21 + "*o", "bo"),
    ("b" + "<b>" * 22 + "o", "b%o"),
    # a BREAK
    ("b" + BREAK + "o", "b%o"),
    ("b." + BREAK + ".o", "b%o"),
    ("bo<b " + BREAK + ">mb", "bo%mb"),
]


@pytest.mark.parametrize(("text", "expected"), NOISE)
def test_noise_view(text: str, expected: str) -> None:
    assert noise(text).text == expected.replace("%", BREAK)


def test_noise_view_keeps_where_its_characters_stand() -> None:
    assert noise("-a  b.").spans == [(1, 2), (2, 4), (4, 5)]


REPEATS = [
    ("boooomb", "bomb"),
    ("aabbcc", "abc"),
    ("1000", "1000"),
    ("a..b", "a..b"),
    ("a  b", "a  b"),
    ("哈哈", "哈"),
    ("ab\u0336\u0336", "ab\u0336\u0336"),
    ("", ""),
]


@pytest.mark.parametrize(("text", "expected"), REPEATS)
def test_repeats_view(text: str, expected: str) -> None:
    assert repeats(text).text == expected


def test_repeats_view_keeps_the_runs() -> None:
    assert repeats("boo11").spans == [(0, 1), (1, 3), (3, 4), (4, 5)]


def test_leet_readings() -> None:
    assert leet("0134567892@$!|+ab", LEET) == ("oieasgtbgzasiltab", "oleasgtbgzasiltab")
    assert leet("0134567892@$!|+ab", NOISY_LEET) == ("oieasgtbgzas!|+ab", "oleasgtbgzas!|+ab")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Мир", True), ("ми-р 1", True), ("mир", False), ("1", False), ("", False), ("ΛΌΓΟΣ", True), ("λмир", False)],
)
def test_one_alphabet(text: str, expected: bool) -> None:
    assert one_alphabet(text) == expected
