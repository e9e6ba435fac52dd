"""Folding: segments, their lanes and raw spans, however the text comes."""

from __future__ import annotations

import unicodedata
from itertools import product

import pytest

from guardrail.text.fold import (
    BREAK,
    COMPOSITION_FIRSTS,
    COMPOSITION_SECONDS,
    SIMPLE_CASED,
    SIMPLE_FOLDED,
    Segmenter,
    Simple,
    decompose_last,
    fold_case,
    fold_whole,
    is_ignorable,
    is_joiner,
    join_surrogates,
    may_grow_into,
    stand_in,
)

ACUTE, GRAVE, DOT_BELOW = "\u0301", "\u0300", "\u0323"
SOFT_HYPHEN, ZERO_WIDTH = "\u00ad", "\u200b"
HIGH, LOW = "\ud800", "\udc00"

Pieces = list[tuple[str, str, int, int]]
"""(cased, folded, raw start, raw end) of each segment."""


def _both(pieces: list[tuple[str, int, int]]) -> Pieces:
    return [(cased, fold_case(cased), start, end) for cased, start, end in pieces]


def test_composition_pairs_are_all_that_this_python_knows() -> None:
    firsts, seconds = set(), set()
    for char in map(chr, range(0x110000)):
        parts = unicodedata.decomposition(char).split()
        if len(parts) == 2 and not parts[0].startswith("<"):
            first, second = (chr(int(part, 16)) for part in parts)
            if unicodedata.normalize("NFC", first + second) == char:
                firsts.add(first)
                seconds.add(second)
    assert firsts == COMPOSITION_FIRSTS
    assert seconds == COMPOSITION_SECONDS


@pytest.mark.parametrize(
    ("name", "char", "expected"),
    [
        ("letter", "a", False),
        ("space", " ", False),
        ("CJK", "中", False),
        ("emoji", "👩", False),
        ("combining mark", ACUTE, False),
        ("soft hyphen", SOFT_HYPHEN, True),
        ("zero-width space", ZERO_WIDTH, True),
        ("zero-width joiner", "\u200d", True),
        ("variation selector", "\ufe0f", True),
        ("variation selector supplement", "\U000e0100", True),
        ("tag letter", "\U000e0061", True),
        ("right-to-left override", "\u202e", True),
        ("Hangul filler", "\u3164", True),
        ("lone surrogate", "\ud800", False),
    ],
)
def test_ignorables(name: str, char: str, expected: bool) -> None:
    assert is_ignorable(char) is expected


@pytest.mark.parametrize(
    ("name", "char", "expected"),
    [
        ("letter", "e", False),
        ("letter that is composed", "é", False),
        ("combining mark", ACUTE, True),
        ("mark that NFKC decomposes", "\u0344", True),
        ("half-width voiced mark", "\uff9e", True),
        ("kana voiced mark", "\u3099", True),
        ("vowel sign that composes", "\u09be", True),
        ("vowel sign that does not", "\u093e", False),
        ("Hangul leading consonant", "\u1100", False),
        ("Hangul vowel", "\u1161", True),
        ("Hangul final consonant", "\u11a8", True),
        ("Hangul syllable", "가", False),
        ("half-width Hangul vowel", "\uffc2", True),
        ("lone surrogate", "\udc00", False),
    ],
)
def test_joiners(name: str, char: str, expected: bool) -> None:
    assert is_joiner(char) is expected


SEGMENTS: list[tuple[str, str, Pieces]] = [
    ("nothing", "", []),
    ("letters", "aB", [("a", "a", 0, 1), ("B", "b", 1, 2)]),
    ("full-width letter", "Ａ", [("A", "a", 0, 1)]),
    ("ligature", "\ufb01x", [("fi", "fi", 0, 1), ("x", "x", 1, 2)]),
    ("sharp s", "ßx", [("ß", "ss", 0, 1), ("x", "x", 1, 2)]),
    ("Kelvin sign", "\u212a", [("K", "k", 0, 1)]),
    ("final sigma folds like any sigma", "ς", [("ς", "σ", 0, 1)]),
    ("dashes", "‐‑‒–—―−", [("-", "-", at, at + 1) for at in range(7)]),
    ("hyphen that stays", "־・", [("־", "־", 0, 1), ("・", "・", 1, 2)]),
    ("small em dash", "﹘", [("-", "-", 0, 1)]),
    ("mark", "e" + ACUTE + "x", [("é", "é", 0, 2), ("x", "x", 2, 3)]),
    ("mark on a capital", "E" + ACUTE, [("É", "é", 0, 2)]),
    ("marks in any order", "a" + ACUTE + DOT_BELOW, [("ạ" + ACUTE, "ạ" + ACUTE, 0, 3)]),
    ("mark with nothing before it", ACUTE + "a", [(ACUTE, ACUTE, 0, 1), ("a", "a", 1, 2)]),
    ("ignorable between letters", f"a{ZERO_WIDTH}b", [("a", "a", 0, 1), ("b", "b", 2, 3)]),
    ("ignorable inside a segment", f"e{SOFT_HYPHEN}{ACUTE}", [("é", "é", 0, 3)]),
    ("ignorable after a segment is not of it", f"e{ACUTE}{SOFT_HYPHEN}", [("é", "é", 0, 2)]),
    ("only ignorables", ZERO_WIDTH * 256, []),
    ("Hangul jamo", "\u1112\u1161\u11ab", [("한", "한", 0, 3)]),
    ("half-width kana with a voiced mark", "\uff76\uff9e", [("ガ", "ガ", 0, 2)]),
    ("30 joiners", "a" + "\u0316" * 30, [("a" + "\u0316" * 30, "a" + "\u0316" * 30, 0, 31)]),
    (
        "the 31st joiner starts anew",
        "a" + "\u0316" * 30 + ACUTE + GRAVE,
        [("a" + "\u0316" * 30, "a" + "\u0316" * 30, 0, 31), (ACUTE + GRAVE, ACUTE + GRAVE, 31, 33)],
    ),
    ("256 ignorables", f"a{ZERO_WIDTH * 256}b", [("a", "a", 0, 1), ("b", "b", 257, 258)]),
    (
        "the 257th ignorable breaks",
        f"a{ZERO_WIDTH * 257}b",
        [("a", "a", 0, 1), (BREAK, BREAK, 257, 258), ("b", "b", 258, 259)],
    ),
    (
        "every 257th ignorable breaks",
        ZERO_WIDTH * 600,
        [(BREAK, BREAK, 256, 257), (BREAK, BREAK, 513, 514)],
    ),
    (
        "a mark after a break stands alone",
        f"e{ZERO_WIDTH * 257}{ACUTE}",
        [("e", "e", 0, 1), (BREAK, BREAK, 257, 258), (ACUTE, ACUTE, 258, 259)],
    ),
    (
        "a mark interrupts a run of ignorables",
        f"e{ZERO_WIDTH * 200}{ACUTE}{ZERO_WIDTH * 200}",
        [("é", "é", 0, 202)],
    ),
    ("two surrogate halves", "\ud835\udc1a", [("a", "a", 0, 2)]),
    ("halves with a mark", "\ud835\udc1e" + ACUTE, [("é", "é", 0, 3)]),
    (
        "halves the wrong way round",
        "\udc1a\ud835",
        [("\U0010fc1a", "\U0010fc1a", 0, 1), ("\U0010f835", "\U0010f835", 1, 2)],
    ),
    (
        "halves with an ignorable between them",
        f"\ud835{ZERO_WIDTH}\udc1a",
        [("\U0010f835", "\U0010f835", 0, 1), ("\U0010fc1a", "\U0010fc1a", 2, 3)],
    ),
    (
        "a pair that would be a mark is a plain unit",
        "a\ud834\udd65",
        [("a", "a", 0, 1), ("\U0001d165", "\U0001d165", 1, 3)],
    ),
]


@pytest.mark.parametrize(("name", "text", "expected"), SEGMENTS, ids=[case[0] for case in SEGMENTS])
def test_segments(name: str, text: str, expected: Pieces) -> None:
    assert _both(Segmenter("", 0).push(text, 0)) == expected


@pytest.mark.parametrize(("name", "text", "expected"), SEGMENTS, ids=[case[0] for case in SEGMENTS])
def test_segments_are_the_same_however_the_text_comes(name: str, text: str, expected: Pieces) -> None:
    for cut in range(len(text) + 1):
        if not "\ud800" <= text[cut - 1 : cut] <= "\udbff":  # a half waits outside for the other
            assert _pushed([text[:cut], text[cut:]]) == expected, cut
    if not any("\ud800" <= char <= "\udbff" for char in text):
        assert _pushed(list(text)) == expected


def _pushed(parts: list[str]) -> Pieces:
    """What stands on the lanes after these pushes: each replaces the piece that the one before left open."""
    segmenter = Segmenter("", 0)
    closed: Pieces = []
    at = 0
    for part in parts:
        if segmenter.open:
            closed.pop()
        closed += _both(segmenter.push(part, at))
        at += len(part)
    return closed


def test_a_segmenter_goes_on_from_what_is_open() -> None:
    segmenter = Segmenter("e", 7)
    assert _both(segmenter.push(ACUTE, 8)) == [("é", "é", 7, 9)]
    assert (segmenter.open, segmenter.start, segmenter.end) == ("e" + ACUTE, 7, 9)
    assert _both(segmenter.push("x", 9)) == [("é", "é", 7, 9), ("x", "x", 9, 10)]


BLOCKS = (
    *range(0x0000, 0x3400),
    *range(0xA640, 0xA700),
    *range(0xAC00, 0xAD00),
    *range(0xD700, 0xE100),
    *range(0xF900, 0x10000),
    *range(0x11000, 0x11200),
    *range(0x1D100, 0x1D800),
    *range(0x1F000, 0x1FA00),
    *range(0xE0000, 0xE0200),
    *range(0x10F7F0, 0x10F810),
)


def test_simple_characters_are_what_the_segmenter_makes_of_them() -> None:
    for code in BLOCKS:
        char = chr(code)
        one, both = char.translate(SIMPLE_CASED), char.translate(SIMPLE_FOLDED)
        assert (one == BREAK) == (both == BREAK), hex(code)
        if one != BREAK:
            expected = [("x", "x", 0, 1), (one, both, 1, 2), ("y", "y", 2, 3)]
            assert _both(Segmenter("", 0).push(f"x{char}y", 0)) == expected, hex(code)


def test_ordinary_letters_are_simple() -> None:
    for text in (
        "The quick brown fox, 42 times!\r\n\0",
        "naïve façade",
        "Привет",
        "今天天气很好。",
        "ｶﾅ",
        "한국어",
        "😀",
    ):
        assert BREAK not in text.translate(SIMPLE_CASED), text


@pytest.mark.parametrize("char", ["ß", "\ufb01", ACUTE, SOFT_HYPHEN, "\u1161", HIGH, LOW, "\u0600", BREAK])
def test_what_is_not_simple_takes_the_slow_way(char: str) -> None:
    assert char.translate(SIMPLE_CASED) == char.translate(SIMPLE_FOLDED) == BREAK


def test_the_tables_stay_small_when_a_text_runs_through_all_of_unicode() -> None:
    table = Simple(str)
    "".join(map(chr, range(0x11000))).translate(table)
    assert len(table) == 65536
    assert "\U0001f600".translate(table) == "\U0001f600"


@pytest.mark.parametrize(
    ("name", "term", "cased", "folded"),
    [
        ("letters", "Bomb", "Bomb", "bomb"),
        ("full-width", "ＢｏＭｂ", "BoMb", "bomb"),
        ("sharp s", "Maß", "Maß", "mass"),
        ("zero-width inside", f"bo{ZERO_WIDTH}mb", "bomb", "bomb"),
        ("decomposed", "e" + ACUTE, "é", "é"),
        ("an iota subscript is dropped from the folded lane", "\u0345\u03b1", "\u0345α", "α"),
        ("only ignorables", ZERO_WIDTH, "", ""),
    ],
)
def test_terms_fold_like_texts(name: str, term: str, cased: str, folded: str) -> None:
    assert fold_whole(term) == (cased, folded)


def test_every_surrogate_has_a_stand_in_of_its_own_that_can_be_encoded() -> None:
    stand_ins = {stand_in(chr(code)) for code in range(0xD800, 0xE000)}
    assert len(stand_ins) == 0x800
    assert all(char.encode() for char in stand_ins)
    assert [stand_in(char) for char in ("a", "\ud7ff", "\ue000", "😀")] == ["a", "\ud7ff", "\ue000", "😀"]


@pytest.mark.parametrize("char", ["\U00010000", "😀", "\U0010ffff"])
def test_halves_join_to_the_character_that_they_encode(char: str) -> None:
    code = ord(char) - 0x10000
    high, low = chr(0xD800 + (code >> 10)), chr(0xDC00 + (code & 0x3FF))
    assert join_surrogates(high, low) == char


@pytest.mark.parametrize(
    ("name", "lane", "start", "expected"),
    [
        ("letter", "xa", 1, (1, "a")),
        ("composed letter", "xé", 1, (1, "e" + ACUTE)),
        ("letter with a mark that does not compose", "xb" + ACUTE, 1, (1, "b" + ACUTE)),
        ("last letter of a ligature", "xfi", 1, (2, "i")),
        ("mark alone", "x" + ACUTE, 1, (1, ACUTE)),
        ("syllable", "x각", 1, (1, "\u1100\u1161\u11a8")),
    ],
)
def test_what_of_an_open_segment_may_change(name: str, lane: str, start: int, expected: tuple[int, str]) -> None:
    assert decompose_last(lane, start) == expected


MARKS = (GRAVE, ACUTE, "\u0302", "\u0308", DOT_BELOW, "\u0327")


def test_a_segment_may_grow_into_what_more_marks_can_make_of_it() -> None:
    """Every way to add up to three of six marks, tried."""
    more = ["".join(marks) for count in range(4) for marks in product(MARKS, repeat=count)]
    targets = {unicodedata.normalize("NFC", base + marks)[0] for base in "aeo" for marks in more}
    begun = {unicodedata.normalize("NFD", base + marks) for base in "aeo" for marks in more if len(marks) <= 2}
    for parts in sorted(begun):
        possible = {unicodedata.normalize("NFC", parts + marks)[0] for marks in more}
        assert {target for target in targets if may_grow_into(parts, target)} == possible, ascii(parts)
