"""Grapheme clusters: where they start, and when the last one may still take in a match."""

from __future__ import annotations

from itertools import product

import pytest

from guardrail.text.clusters import MAX_CLUSTER, Reach, cluster_starts, is_prepend, is_sequence_pictograph, open_cluster
from tests.reference import cluster_boundaries

ACUTE, ZWJ, VS16 = "\u0301", "\u200d", "\ufe0f"
HIGH, LOW = "\ud83d", "\udc69"
VIRAMA, KA, SSA = "\u094d", "\u0915", "\u0937"
NONE = Reach.NONE

STARTS: list[tuple[str, str, list[int]]] = [
    ("nothing", "", [0]),
    ("letters", "ab", [0, 1, 2]),
    ("carriage return, line feed", "a\r\nb", [0, 1, 3, 4]),
    ("line feed, carriage return", "\n\r", [0, 1, 2]),
    ("mark", "e" + ACUTE + "x", [0, 2, 3]),
    ("mark after a line feed", "\n" + ACUTE, [0, 1, 2]),
    ("zero-width joiner belongs to what it follows", f"a{ZWJ}b", [0, 2, 3]),
    ("soft hyphen stands alone", "a\u00adb", [0, 1, 2, 3]),
    ("emoji with a skin tone", "👍🏽!", [0, 2, 3]),
    ("emoji sequence", f"👩{ZWJ}👩{ZWJ}👧x", [0, 5, 6]),
    ("emoji sequence with a presentation selector", f"❤{VS16}{ZWJ}🔥", [0, 4]),
    ("joiner after a letter begins no sequence", f"a{ZWJ}👩", [0, 2, 3]),
    ("a sign that NFKC spells out is a letter", f"™{ZWJ}👩", [0, 2, 3]),
    ("flags", "🇩🇪🇫🇷🇮", [0, 2, 4, 5]),
    ("Hangul jamo", "\u1112\u1161\u11ab\u1100", [0, 3, 4]),
    ("Hangul syllable with a final consonant", "가\u11a8나", [0, 2, 3]),
    ("conjunct", KA + VIRAMA + SSA, [0, 3]),
    ("conjunct with a joiner", KA + VIRAMA + ZWJ + SSA, [0, 4]),
    ("linker with no consonant before it", f"a{VIRAMA}{KA}", [0, 2, 3]),
    ("linker that is a letter", f"👩\u1cf5{KA}", [0, 1, 2, 3]),
    ("linker after a mark on a consonant", f"{KA}\u093c{VIRAMA}{SSA}", [0, 4]),
    ("linker after a vowel sign", f"{KA}\u093e{VIRAMA}{SSA}", [0, 3, 4]),
    ("prepended sign", "\u0600" + "1", [0, 2]),
    ("prepended sign before a line feed", "\u0600\n", [0, 1, 2]),
    ("two halves", "\ud83d\ude00x", [0, 2, 3]),
    ("two halves in a sequence", f"👩{ZWJ}\ud83d\udc67", [0, 4]),
    ("two halves begin a sequence", f"\ud83d\udc69{ZWJ}👧", [0, 4]),
    ("two halves that are a letter, with a mark", "\ud835\udc1a" + ACUTE, [0, 3]),
    ("halves the wrong way round", "\ude00\ud83d", [0, 1, 2]),
    ("64 code points", "a" + ACUTE * 63 + "b", [0, 64, 65]),
    ("the 65th starts anew", "a" + ACUTE * 100, [0, 64, 101]),
    ("the limit never parts two halves", "👩" + ACUTE * 61 + ZWJ + "\ud83d\udc67", [0, 63, 65]),
]


@pytest.mark.parametrize(("name", "text", "expected"), STARTS, ids=[case[0] for case in STARTS])
def test_cluster_starts(name: str, text: str, expected: list[int]) -> None:
    assert cluster_starts(text) == expected


KINDS = ("a", "\r", "\n", ACUTE, ZWJ, VS16, "👩", "™", "🇩", "\u1100", "\u1161", "가", "\u11a8", KA, VIRAMA, "\u0600")
"""One character of each kind that the boundary rules tell apart."""


@pytest.mark.parametrize("first", [*KINDS, "\u0903", HIGH + LOW, HIGH, LOW], ids=ascii)
def test_clusters_are_those_of_the_plain_reference(first: str) -> None:
    for rest in product([*KINDS, HIGH, LOW], repeat=3):
        text = first + "".join(rest)
        assert set(cluster_starts(text)) == cluster_boundaries(text), ascii(text)


OPEN: list[tuple[str, str, Reach, int]] = [
    ("nothing", "", Reach.ANY, 0),
    ("rules for letters only", "ab", NONE, 2),
    ("rules for letters only, an accent before", "ae" + ACUTE, NONE, 3),
    ("a mark may come", "ab", Reach.MARK, 1),
    ("a mark may come to a mark", "ae" + ACUTE, Reach.MARK, 1),
    ("no mark joins a line feed", "a\n", Reach.MARK, 2),
    ("a line feed joins a carriage return", "a\r", Reach.LINE_FEED, 1),
    ("nothing else does", "a\r", Reach.MARK, 2),
    ("a line feed joins no letter", "ab", Reach.LINE_FEED, 2),
    ("a sequence may go on", "a👩", Reach.PICTOGRAPH, 1),
    ("a sequence goes on after a joiner", f"a👩{ZWJ}", Reach.PICTOGRAPH, 1),
    ("a letter begins no sequence", f"a{ZWJ}", Reach.PICTOGRAPH, 2),
    ("second half of a flag", "a🇩", Reach.REGIONAL, 1),
    ("a flag is complete", "a🇩🇪", Reach.REGIONAL, 3),
    ("leading jamo", "a\u1100", Reach.HANGUL, 1),
    ("no syllable joins a syllable", "a가", Reach.HANGUL, 2),
    ("syllable before a vowel or tail jamo", "a가", Reach.HANGUL_TAIL, 1),
    ("Hangul joins no letter", "a", Reach.HANGUL, 1),
    ("consonant before a linker", "a" + KA, Reach.CONSONANT, 1),
    ("consonant and linker", "a" + KA + VIRAMA, Reach.CONSONANT, 1),
    ("linker with no consonant before it", "a" + VIRAMA, Reach.CONSONANT, 2),
    ("a prepended sign takes whatever comes", "a\u0600", NONE, 1),
    ("a full cluster takes nothing", "b" + "a" + ACUTE * 63, Reach.ANY, 65),
]


@pytest.mark.parametrize(("name", "text", "reach", "expected"), OPEN, ids=[case[0] for case in OPEN])
def test_open_cluster(name: str, text: str, reach: Reach, expected: int) -> None:
    assert open_cluster(text, reach) == expected


CONTINUATIONS: dict[Reach, tuple[str, ...]] = {
    Reach.PICTOGRAPH: ("⌚", f"{ZWJ}⌚", f"{VS16}{ZWJ}⌚"),
    Reach.REGIONAL: ("🇦",),
    Reach.HANGUL: ("\u1100", "가", "각"),
    Reach.HANGUL_TAIL: ("\u1161", "\u11a8"),
    Reach.CONSONANT: (KA, VIRAMA + KA),
    Reach.MARK: (ACUTE, "\u0903"),
    Reach.LINE_FEED: ("\n",),
}


@pytest.mark.parametrize("reach", CONTINUATIONS, ids=str)
def test_a_cluster_is_open_exactly_if_a_character_of_the_reach_can_join_it(reach: Reach) -> None:
    for chars in product(KINDS, repeat=3):
        text = "".join(chars)
        last = cluster_starts(text)[-2]
        joins = text[-1] == "\u0600" or any(cluster_starts(text + more)[-2] == last for more in CONTINUATIONS[reach])
        assert open_cluster(text, reach) == (last if joins else len(text)), ascii(text)


def test_the_limit_of_a_cluster_is_the_one_that_is_documented() -> None:
    assert MAX_CLUSTER == 64


@pytest.mark.parametrize(
    ("char", "expected"),
    [("👩", True), ("⌚", True), ("❤", True), ("™", False), ("㊗", False), ("a", False), ("🇩", False)],
)
def test_pictographs_of_sequences(char: str, expected: bool) -> None:
    assert is_sequence_pictograph(char) is expected


@pytest.mark.parametrize(("char", "expected"), [("\u0600", True), ("\U000110bd", True), ("1", False), ("م", False)])
def test_prepended_signs(char: str, expected: bool) -> None:
    assert is_prepend(char) is expected
