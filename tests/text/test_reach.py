"""Reach: which first characters of a match can stand inside a cluster or segment."""

from __future__ import annotations

import unicodedata

import pytest

from guardrail.text.clusters import Reach, cluster_starts
from guardrail.text.fold import is_ignorable, is_joiner
from guardrail.text.reach import reach_of

CASES: list[tuple[str, str, Reach]] = [
    ("letter", "a", Reach.NONE),
    ("carriage return", "\r", Reach.NONE),
    ("line feed", "\n", Reach.LINE_FEED),
    ("accented letter", "é", Reach.NONE),
    ("CJK", "中", Reach.NONE),
    ("pictograph", "👩", Reach.PICTOGRAPH),
    ("pictograph that NFKC spells out", "™", Reach.NONE),
    ("half of a flag", "🇩", Reach.REGIONAL),
    ("Hangul syllable", "가", Reach.HANGUL),
    ("Hangul leading consonant", "\u1100", Reach.HANGUL),
    ("Hangul vowel", "\u1161", Reach.HANGUL_TAIL | Reach.JOINER),
    ("old Hangul vowel", "\ud7b0", Reach.HANGUL_TAIL),
    ("old Hangul leading consonant", "\ua960", Reach.HANGUL),
    ("consonant of a conjunct", "\u0915", Reach.CONSONANT),
    ("vowel of another script that joins like a Hangul one", "\U00016d63", Reach.HANGUL_TAIL),
    ("combining mark", "\u0301", Reach.MARK | Reach.JOINER),
    ("spacing vowel sign", "\u0903", Reach.MARK),
    ("conjunct linker", "\u094d", Reach.MARK | Reach.JOINER),
]


@pytest.mark.parametrize(("name", "char", "expected"), CASES, ids=[case[0] for case in CASES])
def test_reach(name: str, char: str, expected: Reach) -> None:
    assert reach_of(char) == expected


BEFORE = ("a", "\r", "👩", "👩\u200d", "🇩", "\u1100", "\u1161", "\u11a8", "가", "각", "\u0915", "\u0915\u094d")
"""An example of all that can take another character into its cluster or segment (but prepended signs)."""


BLOCKS = (*range(0x20, 0xD800), *range(0xF900, 0x20000))


def test_a_character_of_no_reach_joins_nothing() -> None:
    for char in map(chr, BLOCKS):
        stays = unicodedata.normalize("NFKC", char) == char and not is_ignorable(char)
        if stays and reach_of(char) is Reach.NONE:
            assert not is_joiner(char), hex(ord(char))
            for before in BEFORE:
                assert cluster_starts(before + char)[-2] == len(before), hex(ord(char))
