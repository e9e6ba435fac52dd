"""Units: where they end, what is looked at with them, and that the way the text comes changes nothing."""

from __future__ import annotations

import random

import pytest

from guardrail.text.units import (
    CONTEXT,
    MAX_UNIT,
    MIN_UNIT,
    PROMPT,
    Cut,
    Unit,
    UnitCutter,
    Window,
    cut_text,
    tail,
    weigh,
)

LONG = "This sentence is long enough"
LANG = "这是一个足够长的句子"


def texts(text: str) -> list[str]:
    return [text[cut.unit.start : cut.unit.end] for cut in cut_text(text)]


CASES = [
    ("nothing", "", []),
    ("a short text is one unit", "Hi.", ["Hi."]),
    ("a full stop with a blank", f"{LONG}. And", [f"{LONG}.", " And"]),
    ("a full stop alone", f"{LONG}.And", [f"{LONG}.And"]),
    ("the last full stop", f"{LONG}.", [f"{LONG}."]),
    ("question and exclamation", f"{LONG}?! {LONG}! x", [f"{LONG}?!", f" {LONG}!", " x"]),
    ("closing quotes and brackets", f'({LONG}."). And', [f'({LONG}.").', " And"]),
    ("a closing bracket ends nothing", f"({LONG}) and", [f"({LONG}) and"]),
    ("short sentences go together", "Yes. No. Yes. No. Yes. No. Yes.", ["Yes. No. Yes. No. Yes. No.", " Yes."]),
    ("a decimal", f"{LONG}, 3.14 of it", [f"{LONG}, 3.14 of it"]),
    ("a line feed", f"{LONG}\n{LONG}.\nx", [f"{LONG}\n", f"{LONG}.\n", "x"]),
    ("a wide stop", f"{LANG}。好", [f"{LANG}。", "好"]),
    ("a wide stop with closing quotes", f"“{LANG}。”好", [f"“{LANG}。”", "好"]),
    ("an ellipsis, twice", f"{LANG}……好", [f"{LANG}……", "好"]),
    ("a wide semicolon", f"{LANG}；好", [f"{LANG}；", "好"]),
    ("a wide comma ends nothing", f"{LANG}，好", [f"{LANG}，好"]),
    ("a wide stop and a line feed", f"{LANG}。\n好", [f"{LANG}。\n", "好"]),
    ("a blank in the second half", "a" * 150 + " " + "b" * 90, ["a" * 150, " " + "b" * 90]),
    ("a blank in the first half only", "a" * 90 + " " + "b" * 150, ["a" * 90 + " " + "b" * 109, "b" * 41]),
    ("no blank", "a" * 450, ["a" * 200, "a" * 200, "a" * 50]),
    ("wide characters weigh more", "好" * 100, ["好" * 66, "好" * 34]),
    ("not in front of a mark", "a" * 200 + "\u0301" + "b", ["a" * 199, "a\u0301b"]),
    ("not inside a surrogate pair", "a" * 199 + "\ud83d\ude00", ["a" * 199, "\ud83d\ude00"]),
    ("not between the parts of a line end", "a" * 199 + "\r\n" + "b", ["a" * 199, "\r\nb"]),
    ("a stop with a mark on it ends nothing", f"{LANG}。\u0301好", [f"{LANG}。\u0301好"]),
    ("marks without end", "a" + "\u0301" * 400, ["a" + "\u0301" * 199, "\u0301" * 200, "\u0301"]),
]


@pytest.mark.parametrize(("text", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_where_units_end(text: str, expected: list[str]) -> None:
    assert texts(text) == expected


def test_blanks_alone_need_no_score() -> None:
    assert cut_text(f"{LONG}.\n" + " " * 30 + "\n") == [
        Cut(Unit(0, 30), Window("", f"{LONG}.\n")),
        Cut(Unit(30, 61), None),
    ]


def test_the_context_is_what_stands_before() -> None:
    windows = [cut.window for cut in cut_text(f"{LONG}. {LANG}。{LONG}. end")]
    assert [window and window.context for window in windows] == [
        "",
        f"{LONG}.",
        f"{LONG}. {LANG}。",
        f"{LONG}. {LANG}。{LONG}.",
    ]


def test_the_context_is_bounded_and_begins_with_a_word() -> None:
    windows = [cut.window for cut in cut_text(f"And it is so: {LONG}. " * 9)]
    assert windows[-2] is not None
    assert windows[-2].context == f"{LONG}. And it is so: {LONG}. And it is so: {LONG}."
    assert weigh(windows[-2].context) <= CONTEXT


def test_the_prompt_stands_in_every_window() -> None:
    prompt = "word " * 100 + "question?"
    said = {cut.window.prompt for cut in cut_text(f"{LONG}. {LONG}.", prompt) if cut.window}
    assert said == {tail(prompt, PROMPT)}
    assert len(tail(prompt, PROMPT)) == 299


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("short", 10, "short"),
        ("one two three", 9, "two three"),
        ("one two three", 8, "three"),
        ("one two three", 10, "two three"),
        ("a 一二三四五六", 10, "四五六"),
        ("onetwothree four", 10, "three four"),
        ("", 10, ""),
    ],
)
def test_tail(text: str, limit: int, expected: str) -> None:
    assert tail(text, limit) == expected


def test_a_unit_ends_as_soon_as_nothing_can_move_its_end() -> None:
    cutter = UnitCutter()
    assert not cutter.feed(f"{LONG}.")
    assert cutter.open_start == 0
    assert [cut.unit for cut in cutter.feed(" ")] == [Unit(0, 29)]
    assert cutter.open_start == 29
    assert [cut.unit for cut in cutter.feed("Another long line of text\n")] == [Unit(29, 56)]
    assert cutter.finish() == ()


ALPHABETS = [
    "aaaaaaab .!?\"')\n",
    "好的天气很。！？…；”」，a \n",
    "a\u0301\u200d\U0001f600\U0001f3fb\U0001f1e6\u1100\u1161\u11a8 ",
    "\ud83d\ude00好a",
]


@pytest.mark.parametrize("seed", range(60))
def test_the_units_of_a_text_are_the_same_however_it_comes(seed: int) -> None:
    dice = random.Random(seed)
    text = "".join(dice.choices(ALPHABETS[seed % len(ALPHABETS)], k=dice.randint(0, 900)))
    if seed % 3 == 0:
        text = text.replace(" ", "").replace("\n", "")
    cuts = cut_text(text)
    assert "".join(text[cut.unit.start : cut.unit.end] for cut in cuts) == text
    for most in (1, 3, 40, 900):
        cutter = UnitCutter()
        found: list[Cut] = []
        at = 0
        while at < len(text):
            size = dice.randint(1, most)
            found += cutter.feed(text[at : at + size])
            at += size
            assert cutter.open_start == (found[-1].unit.end if found else 0)
        assert [*found, *cutter.finish()] == cuts
    for cut in cuts:
        said = text[cut.unit.start : cut.unit.end]
        assert weigh(said) <= MAX_UNIT
        assert cut is cuts[-1] or weigh(said) >= MIN_UNIT
        if cut.window is not None:
            assert cut.window.text == said
            assert text[: cut.unit.start].endswith(cut.window.context)
            assert weigh(cut.window.context) <= CONTEXT
