"""Where terms stand in small texts, worked out on paper, for every disguise that is seen through."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from guardrail.text.rules import Folds
from tests.occurrences import Manner, occurrences

LETTERS = ("marks", "lookalikes", "simplified", "numbers")


def seeing(*switches: str, **options: Any) -> Manner:
    names = (*LETTERS, "leet", "noise", "repeats", "exact")
    return Manner(folds=Folds(**{name: name in switches for name in names}), **options)


class Case(NamedTuple):
    name: str
    manner: Manner
    term: str
    text: str
    spans: list[tuple[int, int]]


USUAL = seeing(*LETTERS, "leet")
BARE = seeing()

CASES = [
    # The look lane
    Case("marks", seeing("marks"), "bomb", "b\u0336o\u0336m\u0336b\u0336", [(0, 8)]),
    Case("marks are not seen through", BARE, "bomb", "b\u0336omb", []),
    Case("a term with a mark is found with it", USUAL, "café", "café cafe cafe\u0301", [(0, 4), (10, 15)]),
    Case("and nowhere else", USUAL, "café", "café\u0336 c\u0430fé", []),
    Case("a term with a mark, marks off", seeing("lookalikes"), "café", "c\u0430fé", [(0, 4)]),
    Case("look-alikes", USUAL, "bad", "b\u0430d", [(0, 3)]),
    Case("look-alikes off", seeing("marks"), "bad", "b\u0430d", []),
    Case("a term of look-alikes is found as a Latin one", USUAL, "b\u0430d", "bad b\u0430d", [(0, 3), (4, 7)]),
    Case("a look-alike beside a hit is a letter", USUAL, "bad", "\u0430bad", []),
    Case("traditional", USUAL, "炸弹", "炸彈", [(0, 2)]),
    Case("a traditional term", USUAL, "炸彈", "炸弹 炸彈", [(0, 2), (3, 5)]),
    Case("traditional, off", BARE, "炸弹", "炸彈", []),
    Case("numerals", USUAL, "110", "一一〇 110", [(0, 3), (4, 7)]),
    Case("a term of numerals", USUAL, "三1", "31 三一", [(0, 2), (3, 5)]),
    Case("numerals off", BARE, "110", "一一〇 ١١٠", [(4, 7)]),
    # The end that needs an edge is that of the folded form; the neighbour is that of the lane in which the hit stands
    Case("a Han numeral needs no edge though its look is a digit", USUAL, "三a", "x3a x三a", [(1, 3), (5, 7)]),
    Case("a digit needs one", USUAL, "3a", "x三a 大三a", [(5, 7)]),
    Case("a Han numeral beside a hit of the folded lane is none", BARE, "3a", "三3a", [(1, 3)]),
    Case("beside one of the look lane it is a digit, but the folded lane finds it", USUAL, "3a", "三3a", [(1, 3)]),
    Case("beside a disguised one it is a digit", USUAL, "bad", "三b\u0430d", []),
    # Words of another alphabet
    Case("a Russian word", USUAL, "ace", "\u0430\u0441\u0435", []),
    Case("but one letter is Latin", USUAL, "ace", "\u0430c\u0435", [(0, 3)]),
    Case(
        "a Russian word is what the term says", USUAL, "\u0430\u0441\u0435", "\u0430\u0441\u0435 ace", [(0, 3), (4, 7)]
    ),
    Case("a sign is no letter", seeing("lookalikes", "noise"), "ace", "\u0430-\u0441-\u0435", []),
    Case("enclosed letters belong to no alphabet", USUAL, "ab", "\U0001f170\U0001f171", [(0, 2)]),
    Case("a digit is no letter either", seeing("lookalikes", "leet"), "aces", "\u0430\u0441\u04355", []),
    # Leet
    Case("digits", USUAL, "bomb", "b0mb 80mb b0m8", [(0, 4), (5, 9), (10, 14)]),
    Case("signs", USUAL, "list", "1i$t |ist l!5t lis+", [(0, 4), (5, 9), (10, 14), (15, 19)]),
    Case("one is i or l", USUAL, "lil", "1il l1l li1", [(0, 3), (4, 7), (8, 11)]),
    Case("but one only in one reading", USUAL, "lilac", "11lac", []),
    Case("leet off", seeing(*LETTERS), "bomb", "b0mb", []),
    Case("two letters as they are, at least", USUAL, "bob", "b08 808 b0b", [(8, 11)]),
    Case("a term with a digit has no reading", USUAL, "co2b", "c02b co2b", [(5, 9)]),
    Case("a term with a sign has none", USUAL, "b+ob", "b+0b", []),
    Case("edges, in the lane itself", USUAL, "bomb", "b0mb! b0mb1 xb0mb", [(0, 4)]),
    Case("edges always", seeing("leet", edges="always"), "bomb", "b0mb", [(0, 4)]),
    Case("edges never: no reading", seeing("leet", edges="never"), "bomb", "b0mb", []),
    Case("no edge at one end: no reading", seeing("leet"), "弹bob", "弹b0b", []),
    Case("with look-alikes", USUAL, "bacon", "b\u0430c0n b\u0336ac0n", [(0, 5), (6, 12)]),
    # Noise
    Case("signs between", seeing("noise"), "bomb", "b*o-m_b", [(0, 7)]),
    Case("noise off", USUAL, "bomb", "b*omb", []),
    Case("spaced letters", seeing("noise"), "bomb", "a b o m b.", [(2, 9)]),
    Case("mark-up", seeing("noise"), "bomb", "bo<b>mb</b> bo&shy;mb", [(0, 7), (12, 21)]),
    Case("a full stop stops a word", seeing("noise"), "bomb", "bo.mb", []),
    Case("but not single letters", seeing("noise"), "bomb", "b.o.m.b", [(0, 7)]),
    Case("two words", seeing("noise"), "big bomb", "b-ig   bo_mb b i g b o m b", [(0, 12), (13, 26)]),
    Case("two spaced words with two blanks", seeing("noise"), "big bomb", "b i g  b o m b", [(0, 14)]),
    Case("edges in the lane", seeing("noise"), "bomb", "xb-omb b-omb*x", [(7, 12)]),
    Case("a term that ends in a sign", seeing("noise"), "bom!", "b-om! bom!", [(6, 10)]),
    Case("a term of one letter", seeing("noise"), "b", "b", [(0, 1)]),
    Case("a term with a sign within", seeing("noise"), "bo-mb", "bomb b~omb", [(0, 4), (5, 10)]),
    Case("a term with a stop within", seeing("noise"), "bo, mb", "bo, mb b-o, mb", [(0, 6)]),
    Case("Han", seeing("noise"), "炸弹", "炸*弹 炸 弹 炸  弹 炸。弹", [(0, 3), (4, 7)]),
    Case("64 signs", seeing("noise"), "ab", "a" + "*" * 64 + "b", [(0, 66)]),
    Case("65 signs", seeing("noise"), "ab", "a" + "*" * 65 + "b", []),
    Case("invisible characters are no noise", seeing("noise"), "ab", "a" + "\u200b" * 70 + "b", [(0, 72)]),
    Case("a break", seeing("noise"), "ab", "a" + "\u200b" * 257 + "b", []),
    Case("noise and leet", seeing("noise", "leet"), "bomb", "b*0*m*b b-0_@-b", [(0, 7)]),
    Case("a sign is noise, not leet", seeing("noise", "leet"), "list", "li$*t l!-st l|i-st", [(0, 5), (12, 18)]),
    Case("an at sign is a letter in a reading", seeing("noise", "leet"), "bad", "b-@-d", [(0, 5)]),
    Case("and noise elsewhere", seeing("noise", "leet"), "bad", "b@-a-d", [(0, 6)]),
    # Repeats
    Case("longer runs", seeing("repeats"), "bomb", "boooombb", [(0, 8)]),
    Case("repeats off", USUAL, "bomb", "boomb", []),
    Case("not shorter ones", seeing("repeats"), "book", "bok book boook", [(4, 8), (9, 14)]),
    Case("32 at most", seeing("repeats"), "ab", "a" * 32 + "b " + "a" * 33 + "b", [(0, 33)]),
    Case("digits are not repeated", seeing("repeats"), "a10", "a100 aa10", [(5, 9)]),
    Case("the whole run is the hit", seeing("repeats", edges="never"), "ab", "aab", [(0, 3), (1, 3)]),
    Case("repeats of leet", seeing("repeats", "leet"), "bomb", "b00oomb bb000mb", [(0, 7), (8, 15)]),
    Case(
        "a run is one character read as it is",
        seeing("repeats", "leet"),
        "bob",
        "bb00b bb00bb8 b0008",
        [(0, 5), (6, 13)],
    ),
    Case("by its first", seeing("repeats", "leet"), "bo", "b0o bo0 bb0", [(4, 7)]),
    Case("repeats are no noise", seeing("repeats", "noise"), "bomb", "b-oomb", []),
    # Terms that tell case, exact ones
    Case(
        "case: only the cased lane",
        Manner(case_sensitive=True),
        "Bad",
        "Bad bad Ｂad B\u200bad B\u0430d",
        [(0, 3), (8, 11), (12, 16)],
    ),
    Case("exact: only the text itself", seeing("exact"), "Bad", "Bad bad Ｂad B\u200bad", [(0, 3)]),
    Case("exact has edges", seeing("exact"), "Bad", "xBad Bad_ Badé", [(5, 8)]),
    Case("exact, a mark beside", seeing("exact"), "Bad", "Bad\u0301 Bad\u200b", [(5, 8)]),
    Case("exact: what a fold would drop", seeing("exact", edges="never"), "a\u200b", "a\u200ba", [(0, 2)]),
    Case("exact and other switches", seeing("exact", "noise", *LETTERS), "ab", "a-b \u0430b ab", [(7, 9)]),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Case) -> None:
    assert sorted(occurrences(case.term, case.manner, case.text)) == case.spans


def test_names_are_unique() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
