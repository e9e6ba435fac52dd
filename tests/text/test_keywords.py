"""Keyword rules: occurrences, word edges, allow-phrases, and what is held, over windows of one lane."""

from __future__ import annotations

import unicodedata
from itertools import permutations, product
from typing import Any

import pytest

from guardrail.errors import RuleError
from guardrail.text.clusters import Reach
from guardrail.text.fold import fold_whole
from guardrail.text.keywords import Alive, KeywordMatcher
from guardrail.text.rules import Folds, WordEdges
from guardrail.text.ruleset import compile_rules
from guardrail.text.scripts import is_word
from guardrail.text.terms import MAX_TERM
from tests.text.script import word

INVISIBLE = "\u200b" * 257
INVISIBLE_MESSAGE = "a term has more than 256 invisible characters in a row, or U+FFFF"
ACUTE, DIAERESIS, DOT_BELOW = "\u0301", "\u0308", "\u0323"


def matcher(*terms: str, edges: WordEdges = "auto", allow: tuple[str, ...] = (), cased: bool = False) -> KeywordMatcher:
    folds = Folds(marks=False, lookalikes=False, simplified=False, numbers=False, leet=False)
    rule = word(*terms, edges=edges, allow=allow, case_sensitive=cased, folds=folds)
    matchers = compile_rules([rule]).removing
    assert matchers is not None
    built = matchers.cased if cased else matchers.folded
    assert built is not None
    return built


def held(built: KeywordMatcher, text: str) -> tuple[str, str]:
    """What of a text is held, and what waits: the text as it came, nothing examined before, its last segment open."""
    window = "\n" + text
    alive = built.examine(window, (1, 1), len(window) - 1, False).alive
    return window[alive.hold :], window[alive.wait :]


def hits(built: KeywordMatcher, text: str) -> list[str]:
    """What is hit in a whole text; allow-phrases in brackets."""
    window = "\n" + text
    seen = built.examine(window, (1, 1), len(window), True)
    assert (seen.alive.hold, seen.alive.wait) == (len(window), len(window))
    return [f"({found})" if hit.allow else found for hit in seen.hits for found in [window[hit.start : hit.end]]]


@pytest.mark.parametrize(
    ("chars", "expected"),
    [
        ("aZ9éßжαאع", True),
        (" -_.!\n", False),
        ("\u0301\u0903", True),
        ("今カひ한ไລខမㄅ", False),
        ("😀™", False),
        ("\uffff\U0010f800", False),
        ("٣²", True),
    ],
)
def test_word_characters(chars: str, expected: bool) -> None:
    assert {char: is_word(char) for char in chars} == dict.fromkeys(chars, expected)


HITS: list[tuple[str, tuple[str, ...], dict[str, Any], str, list[str]]] = [
    ("a word", ("bomb",), {}, "a bomb!", ["bomb"]),
    ("no word of its own", ("bomb",), {}, "bombs abomb", []),
    ("at both ends of the text", ("bomb",), {}, "bomb", ["bomb"]),
    ("underscore is no word character", ("bomb",), {}, "_bomb_", ["bomb"]),
    ("a letter of a script without spaces is none either", ("bomb",), {}, "炸bomb弹", ["bomb"]),
    ("a digit is one", ("bomb",), {}, "bomb2", []),
    ("a mark is one", ("bomb",), {}, "bomb" + DOT_BELOW, []),
    ("CJK needs no edge", ("炸弹",), {}, "造炸弹吗", ["炸弹"]),
    ("each end for itself", ("炸a",), {}, "x炸a x炸ab", ["炸a"]),
    ("an end that is no word character", ("c++",), {}, "c++11", ["c++"]),
    ("edges always", ("炸弹",), {"edges": "always"}, "x炸弹 造炸弹", ["炸弹"]),
    ("edges always, at signs", ("++",), {"edges": "always"}, "a++ ++", ["++"]),
    ("edges never", ("bomb",), {"edges": "never"}, "abombs", ["bomb"]),
    ("terms that overlap", ("ab", "bc", "abc"), {"edges": "never"}, "abc", ["ab", "abc", "bc"]),
    ("a term that overlaps itself", ("aa",), {"edges": "never"}, "aaaa", ["aa", "aa", "aa"]),
    ("several words", ("big bomb",), {}, "big bomb big  bomb", ["big bomb"]),
    ("allow-phrase", ("大麻",), {"allow": ("大麻烦",)}, "大麻烦大麻", ["大麻", "(大麻烦)", "大麻"]),
    ("an allow-phrase needs its edges", ("炸弹",), {"allow": ("炸弹x",)}, "炸弹xy", ["炸弹"]),
    ("a term listed twice is one", ("a", "A"), {}, "a", ["a"]),
]


@pytest.mark.parametrize(("name", "terms", "options", "text", "expected"), HITS, ids=[case[0] for case in HITS])
def test_hits(name: str, terms: tuple[str, ...], options: dict[str, Any], text: str, expected: list[str]) -> None:
    assert hits(matcher(*terms, **options), text) == expected


@pytest.mark.parametrize("terms", [("ab",), ("a", "ab", "ba"), ("aab", "ab", "b"), ("aba", "bab")])
@pytest.mark.parametrize("edges", ["always", "never"])
def test_hits_are_all_occurrences(terms: tuple[str, ...], edges: WordEdges) -> None:
    built = matcher(*terms, edges=edges)
    for chars in product("ab ", repeat=5):
        text = "".join(chars)
        expected = [
            text[start:end]
            for end in range(1, 6)
            for start in range(end)
            if text[start:end] in terms
            and (edges == "never" or (text[:start][-1:] in ("", " ") and text[end:][:1] in ("", " ")))
        ]
        assert sorted(hits(built, text)) == sorted(expected), text


HELD: list[tuple[str, tuple[str, ...], dict[str, Any], str, str, str]] = [
    # name, terms, options, text so far; what is held, what waits
    ("nothing", ("bomb",), {}, "a cat", "", ""),
    ("a start", ("bomb",), {}, "a bo", "bo", "bo"),
    ("a start with no edge before it", ("bomb",), {}, "abo", "", ""),
    ("the longest start", ("aab", "ab"), {"edges": "never"}, "xaa", "aa", "aa"),
    ("a whole word, until its edge is known", ("bomb",), {}, "a bomb", "bomb", "bomb"),
    ("a whole word with an edge", ("bomb",), {}, "a bomb.", "", ""),
    ("a whole word that needs no edge, but its last letter is open", ("炸弹",), {}, "炸弹", "炸弹", "炸弹"),
    ("a word that is over", ("bomb",), {}, "a bombs", "", ""),
    ("the start of an allow-phrase delays and holds nothing", ("麻",), {"allow": ("大麻烦",)}, "x大", "", "大"),
    ("a term inside an allow-phrase", ("麻",), {"allow": ("大麻烦",)}, "x大麻", "麻", "大麻"),
    ("an allow-phrase is complete, a term inside it decided", ("麻",), {"allow": ("大麻烦",)}, "x大麻烦 ", "", ""),
    (
        "the start of a term that an allow-phrase would cover",
        ("bad day",),
        {"allow": ("a bad day",)},
        "a bad d",
        "",
        "a bad d",
    ),
    ("the same with another term", ("bad day", "bad dog"), {"allow": ("a bad day",)}, "a bad d", "bad d", "a bad d"),
    ("the same without the phrase's edge", ("bad day",), {"allow": ("a bad day",)}, "xa bad d", "bad d", "bad d"),
    ("the same when the phrase needs more than the term", ("bad",), {"allow": ("a bad day",)}, "a ba", "ba", "a ba"),
    ("a letter that may still become the term's", ("é",), {}, "x e", "e", "e"),
    ("a letter with another mark that may too", ("ế",), {}, "x ê", "ê", "ê"),
    ("a letter with a mark that keeps it from it", ("é",), {}, "x ẹ", "", ""),
    ("two marks to come in either order", ("ṩ", "中ṩ"), {"edges": "never"}, "中ṡ", "中ṡ", "中ṡ"),
    ("an allow-phrase that an open letter may complete", ("é",), {"allow": ("é",), "edges": "never"}, "e", "", "e"),
]


@pytest.mark.parametrize(("name", "terms", "options", "text", "hold", "wait"), HELD, ids=[case[0] for case in HELD])
def test_what_is_held(
    name: str, terms: tuple[str, ...], options: dict[str, Any], text: str, hold: str, wait: str
) -> None:
    assert held(matcher(*terms, **options), text) == (hold, wait)


@pytest.mark.parametrize("terms", [("ab",), ("aab", "ba"), ("abab", "b b", "ba")])
@pytest.mark.parametrize("edges", ["always", "never"])
def test_what_is_held_is_what_may_become_a_term(terms: tuple[str, ...], edges: WordEdges) -> None:
    """Letters here take no mark that any term has, so starts and open ends are all that there is to hold."""
    built = matcher(*terms, edges=edges)
    for chars in product("ab ", repeat=5):
        text = "".join(chars)
        alive = [
            start
            for start in range(5)
            if any(term.startswith(text[start:]) for term in terms)
            and (edges == "never" or text[:start][-1:] in ("", " "))
        ]
        expected = text[min(alive, default=5) :]
        assert held(built, text) == (expected, expected), text


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a word", "\na bomb", None),
        ("a start", "\na bo", 3),
        ("nothing", "\na cat", 6),
        ("a start with no edge before it", "\nabo", 4),
    ],
)
def test_glance(name: str, text: str, expected: int | None) -> None:
    alive = matcher("bomb").glance(text)
    assert (alive and min(alive.hold, len(text))) == expected


def test_what_was_decided_is_not_reported_again() -> None:
    built = matcher("ab", "b")
    window = "\nab ab b"
    assert len(built.examine(window, (1, 1), len(window), True).hits) == 3
    assert [hit.start for hit in built.examine(window, (4, 3), len(window), True).hits] == [4, 7]
    assert [hit.start for hit in built.examine(window, (3, 2), len(window), True).hits] == [1, 4, 7]


def test_nothing_starts_in_the_context() -> None:
    built = matcher("ab", edges="never")
    assert built.examine("ab", (1, 1), 2, True).hits == []
    assert built.glance("a") == Alive(1, 1, 1)


@pytest.mark.parametrize("term", ["ế", "x" + "q" + DOT_BELOW + DIAERESIS, "각", "ṩa"])
def test_every_way_that_marks_may_come_is_held(term: str) -> None:
    """Marks of one letter may come in any order that leads to the same text."""
    parts = unicodedata.normalize("NFD", term)
    built = matcher(term)
    for order in set(permutations(parts)):
        text = "".join(order)
        if fold_whole(text)[1] == term:
            for end in range(1, len(text)):
                lane = fold_whole(text[:end])[1]
                assert held(built, lane)[0] == lane, (ascii(text), end)


@pytest.mark.parametrize(
    ("name", "cased", "terms", "expected"),
    [("folded", False, ("ＢＯＭＢ", "Maß"), ["bomb", "mass"]), ("cased", True, ("ＢＯＭＢ", "Maß"), ["BOMB", "Maß"])],
)
def test_terms_are_folded_as_their_lane_is(name: str, cased: bool, terms: tuple[str, ...], expected: list[str]) -> None:
    assert hits(matcher(*terms, cased=cased), "bomb BOMB mass Maß") == expected


@pytest.mark.parametrize(
    ("terms", "expected"),
    [(("bomb",), Reach.NONE), (("👩", "한"), Reach.PICTOGRAPH | Reach.HANGUL), (("x👩",), Reach.NONE)],
)
def test_reach(terms: tuple[str, ...], expected: Reach) -> None:
    assert matcher(*terms).reach == expected


def test_allow_phrases_have_no_reach() -> None:
    assert matcher("bomb", allow=("👩bomb",)).reach == Reach.NONE


def test_nothing_to_look_for() -> None:
    assert not KeywordMatcher().compile()


@pytest.mark.parametrize(
    ("name", "term", "message"),
    [
        ("nothing", "", "found '', which has nothing to match; expected a term"),
        ("spaces", "  ", "found '  ', which has nothing to match; expected a term"),
        ("ignorables", "\u200b", r"found '\u200b', which has nothing to match; expected a term"),
        ("a mark first", ACUTE + "a", f"the term {ACUTE + 'a'!r} begins with a character that joins the one before it"),
        ("a vowel sign first", "\u0903a", "the term 'ःa' begins with a character that joins the one before it"),
        ("a jamo first", "\u1161", "the term '\u1161' begins with a character that joins the one before it"),
        ("ignorables without end", f"a{INVISIBLE}b", INVISIBLE_MESSAGE),
        ("a noncharacter", "a\uffff", INVISIBLE_MESSAGE),
        ("too long", "é" * 257, f"a term is 257 characters long; expected at most 256: '{'é' * 40}'…"),
        ("too long once folded", "ß" * 129, f"a term is 258 characters long; expected at most 256: '{'s' * 40}'…"),
        (
            "marks without end",
            "a" + DOT_BELOW * 5,
            f"the term {'a' + DOT_BELOW * 5!r} has more than 4 marks on one letter",
        ),
    ],
)
def test_terms_that_cannot_be_used(name: str, term: str, message: str) -> None:
    for terms, allow in (((term,), ()), (("bomb",), (term,))):
        with pytest.raises(RuleError) as raised:
            compile_rules([word(*terms, id="mine", allow=allow)])
        assert (raised.value.rule, raised.value.message) == ("mine", message)


def test_the_longest_term() -> None:
    text = "é" * MAX_TERM
    assert hits(matcher(text), text) == [text]
    assert held(matcher(text), text[:-1])[0] == text[:-1]
