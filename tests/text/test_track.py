"""Tracks: hits, what is held and what waits after each piece; both ways through agree; what is kept is bounded."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from guardrail.text.rules import Rule
from guardrail.text.ruleset import compile_rules
from guardrail.text.track import Track
from tests.text.script import pattern, word

ACUTE = "\u0301"


def track(*rules: Rule) -> Track:
    removing = compile_rules(rules).removing
    assert removing is not None
    return Track(removing)


def found(one: Track) -> list[tuple[int, int]]:
    """The new hits, which this takes away."""
    spans = [(hit.start, hit.end) for hit in one.hits]
    one.hits.clear()
    return spans


Step = tuple[str, int, int, list[tuple[int, int]]]
"""A piece; then the offsets from which text is held and hits wait, and the new hits."""

SCRIPTS: list[tuple[str, list[Rule], list[Step]]] = [
    (
        "a word over three pieces",
        [word("bomb")],
        [("a bo", 2, 2, []), ("mb", 2, 2, []), ("!", 7, 7, [(2, 6)])],
    ),
    ("a word that does not come", [word("bomb")], [("a bo", 2, 2, []), ("at", 6, 6, [])]),
    (
        "an allow-phrase delays what it may cover",
        [word("麻", allow=("大麻烦",))],
        [("大", 1, 0, []), ("麻", 1, 0, []), ("x", 3, 3, [(1, 2)])],
    ),
    (
        "a pattern with an edge",
        [pattern(r"\d{4}", right="digit")],
        [("no 1234", 3, 3, []), (" ", 8, 8, [(3, 7)])],
    ),
    (
        "a pattern found twice",
        [pattern("aa")],
        [("aax", 3, 3, [(0, 2)]), ("a", 3, 3, []), ("a", 3, 3, []), ("b", 6, 6, [(3, 5)])],
    ),
    (
        "a mark that comes late",
        [word("café")],
        [("cafe", 0, 0, []), (ACUTE, 0, 0, []), (" ", 6, 6, [(0, 5)])],
    ),
    (
        "a mark that undoes a hit",
        [pattern("cafe")],
        [("cafe", 0, 0, []), (ACUTE, 5, 5, [])],
    ),
    (
        "full-width letters, a soft hyphen, a ligature",
        [word("off")],
        [("Ｏ", 0, 0, []), ("\u00ad", 0, 0, []), ("\ufb00", 0, 0, []), (" ", 4, 4, [(0, 3)])],
    ),
    (
        "two halves in two pieces",
        [word("😀")],
        [("a\ud83d", 1, 1, []), ("\ude00", 1, 1, []), (" ", 4, 4, [(1, 3)])],
    ),
    (
        "a high half that stays alone",
        [word("x")],
        [("\ud83d", 0, 0, []), ("a", 2, 2, [])],
    ),
    (
        "a cluster is held whole where a match may start inside it",
        [word("👧")],
        [("x👩", 1, 1, []), ("\u200d", 1, 1, []), ("👧", 1, 1, []), ("!", 5, 5, [(3, 4)])],
    ),
    (
        "a prepended sign is held with what it is prepended to",
        [word("bomb")],
        [("\u0600", 0, 0, []), ("bo", 0, 0, []), ("x", 4, 4, [])],
    ),
    (
        "257 ignorables inside a word",
        [word("bomb")],
        [("bo", 0, 0, []), ("\u200b" * 256, 0, 0, []), ("\u200b", 259, 259, []), ("mb", 261, 261, [])],
    ),
]


@pytest.mark.parametrize(("name", "rules", "steps"), SCRIPTS, ids=[case[0] for case in SCRIPTS])
def test_scripts(name: str, rules: list[Rule], steps: list[Step]) -> None:
    one = track(*rules)
    for piece, hold, wait, hits in steps:
        one.feed(piece)
        assert (one.hold, one.wait, found(one)) == (hold, wait, hits), ascii(piece)


@pytest.mark.parametrize(
    ("name", "rules", "text", "hits"),
    [
        ("a word at the end", [word("bomb")], "a bomb", [(2, 6)]),
        ("a start of a word", [word("bomb")], "a bom", []),
        ("a pattern at the end", [pattern(r"\d{2,4}", right="digit")], "a 123", [(2, 5)]),
        ("a term that an allow-phrase did not come to cover", [word("麻", allow=("大麻烦",))], "大麻", [(1, 2)]),
        ("an open letter", [word("炸弹")], "炸弹", [(0, 2)]),
        ("a high half", [pattern("[^a]")], "a\ud83d", [(1, 2)]),
        ("nothing", [word("bomb")], "", []),
    ],
)
def test_the_end_decides(name: str, rules: list[Rule], text: str, hits: list[tuple[int, int]]) -> None:
    one = track(*rules)
    one.feed(text)
    assert found(one) == []
    one.finish()
    assert found(one) == hits
    assert one.hold == one.wait == one.received == len(text)


def test_allow_phrases_are_told_beside_the_hits() -> None:
    one = track(word("麻", allow=("大麻烦",)))
    one.feed("x大麻烦!")
    assert found(one) == [(2, 3)]
    assert [(span.start, span.end) for span in one.allowed] == [(1, 4)]


def test_raw_text_is_kept_until_it_is_forgotten() -> None:
    one = track(word("bomb"))
    one.feed("no bo")
    assert (one.raw, one.raw_at) == ("no bo", 0)
    one.forget(one.hold)
    assert (one.raw, one.raw_at) == ("bo", 3)
    one.feed("mb")
    assert (one.raw, one.raw_at, one.hold) == ("bomb", 3, 3)


RULES = (
    word("bomb", "炸弹", "the cat", "a b", allow=("the cat sat", "bomb shelter")),
    word("Rome", id="cased", case_sensitive=True, edges="never"),
    pattern(r"\d{3,5}", "[a-z]{1,3}@[a-z]{2}", left="digit", right="digit"),
)
TEXTS = (
    "the cat sat on a bomb shelter, a bomb, the cat",
    "from Rome or rome with 1234 and 123456 me@ab abcd@xyz",
    "造炸弹吗 a b a b12 Romeo炸 弹 12345",
)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("size", [1, 2, 5, 100])
@pytest.mark.parametrize("odd", ["\ufb01. ", "e\u0301. ", "\u200b. ", "\ud83d\ude00. "], ids=ascii)
def test_after_an_odd_character_everything_is_as_without_it(text: str, size: int, odd: str) -> None:
    plain, after = track(*RULES), track(*RULES)
    after.feed(odd[:-2])
    after.forget(after.hold)
    plain.feed(". ")
    after.feed(". ")
    shift = len(odd) - 2
    for at in range(0, len(text), size):
        plain.feed(text[at : at + size])
        after.feed(text[at : at + size])
        assert found(after) == [(start + shift, end + shift) for start, end in found(plain)]
        assert (after.hold, after.wait) == (plain.hold + shift, plain.wait + shift)
    plain.finish()
    after.finish()
    assert found(after) == [(start + shift, end + shift) for start, end in found(plain)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("English", "It was the best of times, it was the worst of times. "),
        ("Chinese", "今天天气很好，我们一起去公园散步吧。"),
        ("code", "def main(argv: list[str]) -> int:\r\n\treturn len(argv) and 0x1F\r\n"),
        ("emoji", "nice 😀 day 👍!"),
        ("Russian", "Привет, как дела? "),
    ],
)
def test_ordinary_text_takes_the_short_way(name: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    studied: list[str] = []
    study = Track._study

    def spy(self: Track, piece: str, *args: str, simple: bool, final: bool) -> None:
        studied.append(piece)
        study(self, piece, *args, simple=simple, final=final)

    monkeypatch.setattr(Track, "_study", spy)
    one = track(*RULES)
    for at in range(0, len(text) * 20, 4):
        one.feed((text * 20)[at : at + 4])
        one.forget(one.hold)
    assert studied == []


BOMB, DIGITS = word("bomb"), pattern(r"\d{4}", left="digit", right="digit")

LONG: list[tuple[str, Sequence[Rule], str, int]] = [
    # name, rules, text to repeat up to 1,000,000 characters, most characters kept
    ("English", RULES, "It was the best of times, it was the worst of times. ", 40),
    ("Chinese", RULES, "今天天气很好，我们一起去公园散步吧。", 40),
    ("letters with marks", RULES, "e\u0301a\u0323 o\u0308 ", 60),
    ("marks", (BOMB, DIGITS), "\u0316", 100),
    ("ignorables", (BOMB, DIGITS), "\u200b", 300),
    ("ignorables inside a word", (BOMB,), "bo" + "\u200b" * 300, 400),
    ("the start of a long word", (word("a" * 256, edges="never"),), "a" * 255 + "b", 320),
    ("the start of a long pattern", (pattern("[ab]{300}c"),), "ab", 340),
    ("prepended signs", (BOMB, DIGITS), "\u0600", 100),
    ("emoji without end", (word("👧"),), "👩\u200d", 150),
    ("flags", (word("🇩"),), "🇩🇪", 150),
    ("high halves", (BOMB,), "\ud83d", 40),
    ("carriage returns", (BOMB, pattern("\n{3}")), "\r\n", 40),
    ("digits", (DIGITS,), "1234567890", 40),
]


@pytest.mark.parametrize(("name", "rules", "unit", "most"), LONG, ids=[case[0] for case in LONG])
def test_what_is_kept_does_not_grow_with_the_text(name: str, rules: Sequence[Rule], unit: str, most: int) -> None:
    size = 20
    text = unit * (1_000_000 // len(unit) if rules is RULES and unit.isascii() else 40_000 // len(unit))
    one = track(*rules)
    kept = 0
    for at in range(0, len(text), size):
        one.feed(text[at : at + size])
        one.hits.clear()
        one.forget(min(one.hold, one.wait))
        kept = max(kept, len(one.raw), *(len(lane.text) for lane in one._lanes))
    assert kept <= most
    assert all(len(patterned._resume) <= 1 for patterned in one._patterns)
