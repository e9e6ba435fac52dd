"""Scanners: what is held after each character, what is decided when, halts, and how much work a text costs."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import chain

import pytest

from guardrail.text import edits as edits_module
from guardrail.text import track as track_module
from guardrail.text.clusters import cluster_starts
from guardrail.text.keywords import KeywordMatcher
from guardrail.text.rules import Action, Folds, Rule
from guardrail.text.scanner import _SLICE, Scanner, compile_rules
from guardrail.text.search import Search
from tests.text.script import edits, held, pattern, play, word

HALT, LOG, REPLACE = Action.HALT, Action.LOG, Action.REPLACE
ACUTE, DOT_BELOW = "\u0301", "\u0323"
BOMB = word("bomb")

HELD: list[tuple[str, list[Rule], str, str]] = [
    # name, rules, text; how many characters are held after each (as digits)
    ("a word", [BOMB], "the bomb x", "0000123400"),
    ("a longer word", [BOMB], "bombs bom", "123400123"),
    ("a word inside another", [BOMB], "abomb", "00000"),
    ("a word that does not come", [BOMB], "a bored bo", "0012000012"),
    ("no edges", [word("bomb", edges="never")], "abomber", "0123400"),
    (
        "a shorter word inside a longer one",
        [word("bomb", edges="never"), word("om", id="om", edges="never")],
        "bome",
        "1230",
    ),
    ("Hindi, where no word begins inside a conjunct", [word("क")], "कक क", "1001"),
    ("Chinese", [word("炸弹")], "造炸弹吗", "0120"),
    ("Chinese, the same character again", [word("炸弹")], "炸炸弹", "112"),
    ("Chinese inside a longer ordinary word", [word("大麻", allow=("大麻烦",))], "大麻烦了大麻叶", "1230120"),
    ("an allow-phrase that began before", [word("麻", allow=("大麻烦",))], "大麻烦大麻叶", "012010"),
    (
        "an allow-phrase that will cover whatever comes",
        [word("bad day", allow=("a bad day",))],
        "a bad day.",
        "0000000000",
    ),
    ("the same term elsewhere", [word("bad day", allow=("a bad day",))], "the bad day.", "000012345670"),
    ("two words with one start", [word("a bad day"), word("bad", id="bad")], "a bad d x", "123456700"),
    ("a phrase", [word("kill switch")], "a kill s kill switch.", "001234560123456789ab0"),
    ("letters that no term has", [BOMB], "The quick", "000000000"),
    ("case", [BOMB], "A BOMB!", "0012340"),
    ("case kept", [word("Rome", case_sensitive=True)], "rome Rom", "00000123"),
    ("pattern", [pattern(r"\d{4}")], "a 1234x", "0012340"),
    ("pattern with an edge", [pattern(r"\d{4}", right="digit")], "1234 12345", "1234012344"),
    (
        "pattern with edges on both sides",
        [pattern(r"\d{4}", left="digit", right="digit")],
        "1234 12345x",
        "12340123400",
    ),
    ("pattern with a letter edge", [pattern("ab", left="word")], "ab xab", "120000"),
    ("pattern, a repeat that ends", [pattern(r"\d{2,4}@")], "12345@", "123445"),
    ("pattern beyond ASCII", [pattern("[一-龥]{2}!")], "abc中文!x", "0001230"),
    ("a mark that may still come", [word("café")], "a cafe b", "00123400"),
    ("a mark that came", [word("café")], f"cafe{ACUTE} ", "123450"),
    ("a mark that spoils", [word("cafe", folds=Folds(marks=False))], f"cafe{ACUTE} ", "123400"),
    ("a mark before the one that counts", [word("ế")], f"xe{ACUTE} ", "0000"),
    ("half of a character", [BOMB], "a\ud83d\ude00", "010"),
    ("half of a character, alone", [BOMB], "\ud83dx", "10"),
    ("an ignorable inside a word", [BOMB], "bo\u200bmb.", "123450"),
    ("an ignorable after a word", [BOMB], "bomb\u200b.", "123450"),
    ("an ignorable after an ordinary word", [BOMB], "cat\u200b.", "00000"),
    ("an emoji that may become part of a sequence", [word("👧")], "👩\u200d👦.👧!", "123010"),
    ("an emoji where no rule has any", [BOMB], "👩\u200d👧", "000"),
    ("a flag", [word("🇪")], "🇩🇪🇫x", "1210"),
    ("carriage return", [pattern("\n")], "a\r\nb\rc", "012010"),
    ("a prepended sign", [BOMB], "\u06001", "10"),
    ("rules that log", [word("bomb", action=LOG), pattern(r"\d{4}", action=LOG)], "the bomb 1234", "0" * 13),
    ("rules that are switched off", [word("bomb", action=Action.ALLOW)], "the bomb", "0" * 8),
]


@pytest.mark.parametrize(("name", "rules", "text", "expected"), HELD, ids=[case[0] for case in HELD])
def test_what_is_held_after_each_character(name: str, rules: list[Rule], text: str, expected: str) -> None:
    assert held(rules, text) == [int(count, 16) for count in expected]


@pytest.mark.parametrize(
    ("name", "rules", "pieces", "expected"),
    [
        ("a word in two pieces", [BOMB], ["a bo", "mb!"], [[], [(2, 6, "#")], []]),
        ("at the end", [BOMB], ["a bomb"], [[], [(2, 6, "#")]]),
        (
            "a hit that ends where another begins",
            [word("ab", id="x", mask="[x]", edges="never"), word("cd", id="y", mask="[y]", edges="never")],
            ["abc", "d", "!"],
            [[(0, 2, "[x]")], [], [(2, 4, "[y]")], []],
        ),
        ("a pattern over and over", [pattern("aa")], list("aaaaa"), [[], [], [(0, 2, "#")], [], [(2, 4, "#")], []]),
        (
            "Chinese inside a longer ordinary word",
            [word("大麻", allow=("大麻烦",))],
            ["大", "麻", "烦", "了大麻", "叶"],
            [[], [], [], [], [(4, 6, "#")], []],
        ),
        ("a mark that comes late", [word("café")], ["cafe", ACUTE, " "], [[], [], [(0, 5, "#")], []]),
        ("a mark that spoils", [pattern("cafe")], ["cafe", ACUTE, " "], [[], [], [], []]),
        ("another mark that comes late", [pattern("é")], ["e", ACUTE, DOT_BELOW, " "], [[], [], [], [], []]),
        ("the end is not a mark", [pattern("cafe")], ["cafe"], [[], [(0, 4, "#")]]),
        ("halves in two pieces", [word("😀")], ["\ud83d", "\ude00", " "], [[], [], [(0, 2, "#")], []]),
        ("a half at the very end", [pattern("[^a]")], ["a\ud83d"], [[], [(1, 2, "#")]]),
        (
            "a shorter hit that a longer one covers",
            [word("bad", id="x", mask="[x]"), word("bad day", id="y", mask="[y]")],
            ["bad", " d", "ay."],
            [[], [], [(0, 7, "[y]")], []],
        ),
        (
            "a shorter hit after all",
            [word("bad", id="x", mask="[x]"), word("bad day", id="y", mask="[y]")],
            ["bad", " d", "og."],
            [[], [], [(0, 3, "[x]")], []],
        ),
        ("a halt waits for nothing after its word", [word("bomb", action=HALT)], ["a bomb", ".", "x"], [[]] * 4),
    ],
)
def test_what_is_decided_when(
    name: str, rules: list[Rule], pieces: list[str], expected: list[list[tuple[int, int, str]]]
) -> None:
    assert edits(rules, *pieces) == expected


def test_the_fate_of_what_is_settled_is_known() -> None:
    rules = [
        BOMB,
        word("大麻", id="cjk", allow=("大麻烦",)),
        pattern(r"\d{3,6}", right="digit"),
        pattern("aa", id="aa"),
    ]
    text = "a bomb 1234567 aaaaa 大麻烦大麻 bo12 bomb12 123bomb 123456大麻"
    for seed in range(30):
        scanner = Scanner(compile_rules(rules))
        pieces = random.Random(seed)
        at = end = 0
        while at < len(text):
            size = pieces.randint(1, 6)
            before = scanner.settled
            for edit in scanner.feed(text[at : at + size]):
                assert max(end, before) <= edit.start < edit.end <= scanner.settled
                end = edit.end
            at += size
            assert before <= scanner.settled <= scanner.received == min(at, len(text))
        scanner.finish()
        assert scanner.settled == len(text)


def test_a_halt_ends_the_channel() -> None:
    scanner = Scanner(compile_rules([word("bomb", action=HALT), word("a")]), channel="reasoning")
    assert [(edit.start, edit.end) for edit in scanner.feed("a bomb. a")] == [(0, 1)]
    assert scanner.halt is not None
    assert (scanner.halt.cut, scanner.settled, scanner.received) == (2, 2, 9)
    assert (scanner.halt.finding.rule, scanner.halt.finding.channel) == ("word", "reasoning")
    before = scanner.findings()
    assert scanner.feed(" a bomb.") == ()
    assert scanner.finish() == ()
    assert (scanner.settled, scanner.received) == (2, 9)
    assert scanner.findings() == before


def test_a_halt_at_the_end_of_the_text() -> None:
    scanner = Scanner(compile_rules([word("bomb", action=HALT)]))
    scanner.feed("a bomb")
    assert scanner.halt is None
    scanner.finish()
    assert scanner.halt is not None
    assert scanner.settled == 2


def test_finish_is_idempotent_and_final() -> None:
    scanner = Scanner(compile_rules([BOMB, word("cat", id="log", action=LOG)]))
    scanner.feed("a cat, a bomb")
    assert len(scanner.finish()) == 1
    before = scanner.findings()
    assert scanner.finish() == ()
    assert scanner.feed(" bomb ") == ()
    assert (scanner.received, scanner.settled) == (13, 13)
    assert scanner.findings() == before


def test_no_text_at_all() -> None:
    scanner = Scanner(compile_rules([BOMB]))
    assert scanner.feed("") == ()
    assert scanner.finish() == ()
    assert (scanner.received, scanner.settled, scanner.findings()) == (0, 0, [])


def found(rules: Sequence[Rule], *pieces: str) -> list[tuple[str, int, int]]:
    scanner = Scanner(compile_rules(rules))
    for piece in pieces:
        scanner.feed(piece)
    scanner.finish()
    return [(hit.rule, hit.start, hit.end) for hit in scanner.findings()]


CAT = word("cat", id="log", action=LOG)

LOGGED: list[tuple[str, list[Rule], str, list[tuple[str, int, int]]]] = [
    ("only a rule that logs", [CAT], "a cat", [("log", 2, 5)]),
    ("beside a removal", [CAT, BOMB], "a cat, a bomb, a cat", [("log", 2, 5), ("word", 9, 13), ("log", 17, 20)]),
    ("inside a removal", [CAT, word("a cat")], "a cat.", [("word", 0, 5), ("log", 2, 5)]),
    ("before a halt", [CAT, word("bomb", action=HALT)], "a cat bomb. cat", [("log", 2, 5), ("word", 6, 10)]),
    ("not what a halt cuts", [CAT, word("t", edges="never", action=HALT)], "a cat.", [("word", 4, 5)]),
    (
        "the text up to a halt's end says whether it is a word",
        [CAT, word("cats", action=HALT)],
        "cats.",
        [("word", 0, 4)],
    ),
    ("a halt as its right edge", [CAT, word("!", action=HALT)], "cat!", [("log", 0, 3), ("word", 3, 4)]),
    (
        "a rule that logs has its own allow-phrases",
        [word("cat", id="log", action=LOG, allow=("cat food",)), BOMB],
        "cat food cat bomb",
        [("log", 9, 12), ("word", 13, 17)],
    ),
    ("two rules at one place", [CAT, word("cat", id="b", action=LOG)], "cat", [("b", 0, 3), ("log", 0, 3)]),
    ("one rule twice at one place", [pattern("ab", "[a]b", action=LOG)], "ab", [("pattern", 0, 2)]),
]


@pytest.mark.parametrize(("name", "rules", "text", "expected"), LOGGED, ids=[case[0] for case in LOGGED])
def test_findings(name: str, rules: list[Rule], text: str, expected: list[tuple[str, int, int]]) -> None:
    assert found(rules, text) == found(rules, *text) == expected


@pytest.mark.parametrize("filler", ["x ", "十", "e" + ACUTE, "\u200b", "\ud83d\ude00", "👩\u200d", "\r\n"], ids=ascii)
def test_a_long_piece_is_as_many_short_ones(filler: str) -> None:
    rules = [word("bomb", edges="never"), pattern(r"\d{4}", action=LOG), word("👧", id="girl")]
    before = filler * ((_SLICE - 12) // len(filler))
    for shift in range(14):
        text = "." * shift + before + "bomb 1234" + before + "👧1234bomb"
        assert found(rules, text) == found(rules, *text)
        assert list(chain(*edits(rules, text))) == list(chain(*edits(rules, *text)))


def test_a_halt_in_a_long_piece_is_all_there_is() -> None:
    scanner = Scanner(compile_rules([word("bomb", action=HALT)]))
    scanner.feed("x " * 3000 + "bomb " * 3000)
    assert scanner.halt is not None
    assert scanner.halt.cut == 6000
    assert len(scanner.findings()) == 1


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("removing", [BOMB, pattern(r"\d{4}", right="digit")]),
        ("logging", [word("bomb", action=LOG), pattern(r"\d{4}", action=LOG)]),
        ("both", [BOMB, word("大麻", id="cjk", action=LOG, allow=("大麻烦",)), pattern("[a-z]{9}!", action=LOG)]),
    ],
)
def test_what_is_kept_does_not_grow_with_the_text(name: str, rules: list[Rule]) -> None:
    """A million characters of text that no rule removes."""
    scanner = Scanner(compile_rules(rules))
    text = "It was the best of bo times 123, 大麻烦 naïve cafe\u0301. " * 10
    text += " " * (-len(text) % 10)
    tracks = [] if scanner._track is None else [scanner._track]
    if scanner._log is not None:
        tracks.append(scanner._log._track)
    kept = 0
    while scanner.received < 1_000_000:
        for at in range(0, len(text), 10):
            scanner.feed(text[at : at + 10])
        for track in tracks:
            kept = max(kept, len(track.raw), *(len(lane.text) for lane in track._lanes), len(track.allowed))
        kept = max(kept, len(scanner._sweep.pending.hits), len(scanner.findings()))
    assert kept <= 40


WORK: list[tuple[str, list[Rule], str]] = [
    ("ordinary text", [BOMB, pattern(r"\d{4}")], "It was the best of times, in 1775. "),
    ("hits and nothing else", [BOMB, pattern(r"\d{4}", id="p")], "bomb 1234 "),
    ("hits without a space", [word("aa", edges="never")], "a"),
    ("starts of a word", [word("a" * 40, edges="never")], "a" * 39 + "b"),
    ("starts of a pattern", [pattern("[ab]{50}c")], "ab"),
    ("starts of a wide pattern", [pattern(r"[ab]{2,400}\d")], "ab"),
    ("rejected by an edge", [pattern(r"\d{3,9}", left="digit", right="digit")], "1"),
    ("rejected by a check", [pattern(r"\d{3,9}", accept=lambda matched: False)], "1"),
    ("allow-phrases", [word("麻", allow=("大麻烦", "麻烦大麻"))], "大麻烦"),
    ("letters with marks", [word("é"), pattern("[^x]y")], "e" + DOT_BELOW),
    ("marks", [word("é"), pattern("[^x]y")], ACUTE),
    ("ignorables", [BOMB], "bo\u200b"),
    ("sequences of emoji", [word("👧")], "👩\u200d"),
    ("prepended signs", [BOMB], "\u0600"),
    ("rules that log", [word("aa", edges="never", action=LOG)], "a"),
]


@pytest.mark.parametrize("size", [1, 7, 3000])
@pytest.mark.parametrize(("name", "rules", "unit"), WORK, ids=[case[0] for case in WORK])
def test_work_grows_with_the_text_and_no_faster(
    name: str, rules: list[Rule], unit: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at = 0
    search, find = KeywordMatcher.search, Search.__call__

    def searching(self: KeywordMatcher, window: str) -> list[tuple[int, int, int]]:
        nonlocal looked_at
        looked_at += len(window)
        return search(self, window)

    def finding(self: Search, window: str, at: int = 0) -> tuple[int, int] | None:
        nonlocal looked_at
        looked_at += len(window) - at
        return find(self, window, at)

    def clustering(text: str) -> list[int]:
        nonlocal looked_at
        looked_at += len(text)
        return cluster_starts(text)

    monkeypatch.setattr(KeywordMatcher, "search", searching)
    monkeypatch.setattr(Search, "__call__", finding)
    monkeypatch.setattr(edits_module, "cluster_starts", clustering)
    monkeypatch.setattr(track_module, "cluster_starts", clustering)

    def work(length: int) -> int:
        nonlocal looked_at
        looked_at = 0
        text = (unit * length)[:length]
        scanner = Scanner(compile_rules(rules))
        for at in range(0, length, size):
            scanner.feed(text[at : at + size])
        scanner.finish()
        return looked_at

    assert 0 < work(12_000) <= 2.2 * work(6_000)


def test_nothing_is_released_behind_a_removal_that_a_halt_may_overlap() -> None:
    rules: list[Rule] = [
        word("xab", id="x", edges="never"),
        word("ab", id="y", edges="never", action=HALT, allow=("abcd",)),
    ]
    assert play(rules, "xab", "c", "e").output == "#"
    assert play(rules, "xab", "c", "d").output == "#cd"


def test_an_iota_subscript_is_no_letter_however_it_comes() -> None:
    assert play([word("ᾴ")], "ᾳ", ACUTE, " ").output == "# "
    iota = [word("ι", edges="never")]
    assert play(iota, "-", "\u0345", " ").output == play(iota, "-\u0345 ").output == "-\u0345 "
    assert play([word("bomb", allow=("ι x",))], "-", "\u0345", " x").output == "-\u0345 x"


def test_the_left_edge_of_a_number_is_no_decimal_point() -> None:
    rules: list[Rule] = [pattern("[0-9]{3}", "[0-9] [0-9]", left=("number", "digit"))]
    assert play(rules, "0.123 x.123 a123 1.2 3").output == "0.123 x.123 a# 1.#"


def test_a_phrase_is_found_across_a_line_end_and_with_any_apostrophe() -> None:
    assert play([word("rival cola")], "A Rival", "\n", "Cola, a rival\tcola").output == "A #, a #"
    assert play([word("don't tell")], "I don’t tell you").output == "I # you"
    assert play([pattern("a.b")], "a\nb").output == "a\nb"


def test_a_mark_twice_may_come_apart() -> None:
    assert play([word("中\u0338\u0338", edges="never")], "中\u0338", ACUTE, "\u0338", "x").output == "#x"
