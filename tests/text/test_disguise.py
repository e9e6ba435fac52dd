"""Readings of a window: what each view says, and what of it may still change."""

from __future__ import annotations

import pytest

from guardrail.text import disguise
from guardrail.text.disguise import (
    LEET_I,
    LEET_L,
    is_letter,
    is_noisy,
    is_one_alphabet,
    is_repetitive,
    noise,
    noise_form,
    plain,
    repeats,
    repeats_form,
)
from guardrail.text.fold import BREAK

SHOWN = {BREAK: "|"}


def shown(text: str) -> str:
    """Without the context, with a bar for a break."""
    return text[1:].replace(BREAK, "|")


WHOLE: list[tuple[str, str, str]] = [
    ("letters", "bomb", "bomb"),
    ("signs between all letters", "b.o-m*b", "bomb"),
    ("blanks between all letters", "b o m b", "bomb"),
    ("a blank between words", "a bomb", "a bomb"),
    ("two blanks between single letters", "a  b", "a b"),
    ("many blanks are one", "kill \t  you", "kill you"),
    ("tight signs inside a word", "bo**m~b_s", "bombs"),
    ("sentence signs inside a word", "bo.mb he'll", "bo|mb he|ll"),
    ("sentence signs between single letters", "b.o.m.b", "bomb"),
    ("a tag", "bo<b>m</b>b", "bomb"),
    ("a tag with attributes", 'bo<a href="x">mb', "bomb"),
    ("no tag", "bo<3>mb <bomb", "bo|3|mb|bomb"),
    ("entities", "bo&shy;m&#8203;&#x200b;b", "bomb"),
    ("no entity", "bo&; m & b", "bo|mb"),
    ("an entity inside what is no tag", "<b&amp;o", "bo"),
    ("a blank between Chinese characters", "炸 弹", "炸弹"),
    ("two blanks between them", "炸  弹", "炸 弹"),
    ("a tight sign between them", "炸-弹", "炸弹"),
    ("a sentence sign between them", "很强,奸商。了", "很强|奸商|了"),
    ("a Chinese character and a single letter", "炸 b", "炸b"),
    ("a Chinese character and a word", "炸 bo", "炸 bo"),
    ("what stands around", "**bomb**!", "bomb"),
    ("a gap as long as may be", "b" + "-" * 64 + "o", "bo"),
    ("a longer one", "b" + "-" * 65 + "o", "b|o"),
    ("nothing", "", ""),
    ("only signs", "--", ""),
]


@pytest.mark.parametrize(("name", "text", "expected"), WHOLE, ids=[case[0] for case in WHOLE])
def test_the_noise_view_of_a_whole_text(name: str, text: str, expected: str) -> None:
    view = noise("\n" + text, final=True)
    assert [shown(reading.text) for reading in view.readings] == [expected]
    (reading,) = view.readings
    assert len(reading.text) == len(reading.starts) == len(reading.ends)
    for char, start, end in zip(reading.text[1:], reading.starts[1:], reading.ends[1:], strict=True):
        assert char in (" ", BREAK) or ("\n" + text)[start:end] == char


@pytest.mark.parametrize("text", [case[1] for case in WHOLE if shown("\n" + case[1]) != case[2]])
def test_a_view_that_differs_inside_is_never_taken_for_quiet(text: str) -> None:
    inside = "\n" + text.strip("*!- ")
    if shown(noise(inside, final=True).readings[0].text) != inside[1:] and "|" not in text:
        quiet = not is_noisy(inside)
        changed = shown(noise(inside, final=True).readings[0].text)
        assert not quiet or "|" in changed


OPEN: list[tuple[str, str, list[tuple[str, tuple[str, ...], int, bool]]]] = [
    # (view, how it may go on, from where on it may change, whether its hits count)
    ("a letter", "b", [("b", ("",), 2, True)]),
    ("a tight sign behind", "bo*", [("bo", ("",), 4, True)]),
    ("a blank behind a word", "bo ", [("bo", (" ",), 4, True)]),
    ("a blank behind a single letter", "b ", [("b", ("", " "), 3, True)]),
    ("two blanks", "b  ", [("b", ("", " "), 4, True)]),
    ("a full stop behind a word", "bo.", [("bo", (), 4, True)]),
    ("a full stop behind a single letter", "b.", [("b", ("",), 3, True)]),
    ("a comma behind a Chinese character", "炸,", [("炸", (), 3, True)]),
    ("a second letter that may be single or not", "b o", [("bo", ("",), 3, True), ("b o", ("",), 3, True)]),
    ("the same with full stops", "b.o", [("bo", ("",), 3, True), ("b|o", ("",), 3, True)]),
    ("a Chinese character is always single", "炸 弹", [("炸弹", ("",), 4, True)]),
    ("a tag begun", "b<i", [("bi", ("",), 2, True), ("b|i", ("",), 2, True), ("b", ("",), 2, False)]),
    ("an entity begun", "b&#", [("b", ("",), 2, True), ("b", ("",), 2, False)]),
    (
        "an entity begun in a tag begun",
        "b<i &a",
        [("bia", ("",), 2, True), ("bi|a", ("",), 2, True), ("b", ("",), 2, False), ("bi", ("", " "), 5, False)],
    ),
]


@pytest.mark.parametrize(("name", "text", "expected"), OPEN, ids=[case[0] for case in OPEN])
def test_what_a_noise_view_may_become(
    name: str, text: str, expected: list[tuple[str, tuple[str, ...], int, bool]]
) -> None:
    found = [(shown(r.text), r.endings, r.soft, r.hits) for r in noise("\n" + text, final=False).readings]
    assert found == expected


def test_markup_is_told() -> None:
    assert noise("\na<b>c&amp;d<e", final=False).markup == ((2, 5), (6, 11), (12, 15))


RUNS: list[tuple[str, str, str, list[int], int]] = [
    ("nothing repeated", "\nbomb", "bomb", [1, 1, 1, 1], 4),
    ("one letter", "\nboomb!", "bomb!", [1, 2, 1, 1, 1], 7),
    ("digits and signs stay", "\n11--", "11--", [1, 1, 1, 1], 5),
    ("a run that began in the context", "aaab", "b", [1], 3),
    ("Chinese", "\n哈哈哈 ", "哈 ", [3, 1], 5),
]


@pytest.mark.parametrize(("name", "window", "text", "runs", "soft"), RUNS, ids=[case[0] for case in RUNS])
def test_the_repeats_view(name: str, window: str, text: str, runs: list[int], soft: int) -> None:
    view = repeats(window, final=False)
    assert (shown(view.text), view.soft) == (text, soft)
    assert [end - start for start, end in zip(view.starts[1:], view.ends[1:], strict=True)] == runs
    assert repeats(window, final=True).soft == len(window)


def test_a_plain_reading_stands_for_each_character() -> None:
    reading = plain("\nb0mb", "\nb0mb".translate(LEET_I), 5)
    assert (reading.text, list(reading.starts), list(reading.ends)) == ("\nbomb", [0, 1, 2, 3, 4], [1, 2, 3, 4, 5])


def test_the_leet_alphabet() -> None:
    assert "0345789612@$!|+".translate(LEET_I) == "oeastbggizasilt"
    assert "1".translate(LEET_L) == "l"
    assert "1!|".translate(disguise.NOISE_LEET_L) == "l!|"


@pytest.mark.parametrize(
    ("term", "form"),
    [
        ("bomb", "bomb"),
        ("e-mail bomb", "email bomb"),
        ("f u", "fu"),
        ("c++", None),
        ("x", None),
        ("yes, sir", None),
        ("", None),
        ("炸弹", "炸弹"),
    ],
)
def test_the_noise_form_of_a_term(term: str, form: str | None) -> None:
    assert noise_form(term) == form


def test_the_repeats_form_of_a_term() -> None:
    assert repeats_form("asshole 11") == ("ashole 11", (1, 2, 1, 1, 1, 1, 1, 1, 1))


@pytest.mark.parametrize(
    ("raw", "expected"),
    [("сор", True), ("сорt", False), ("ѕех", False), ("νοα", True), ("νοс", False), ("cop", False), ("1 2", False)],
)
def test_words_of_another_alphabet(raw: str, expected: bool) -> None:
    assert is_one_alphabet(raw) is expected


@pytest.mark.parametrize(
    ("window", "noisy", "repetitive"),
    [
        ("\nthe cat", False, False),
        ("\na cat", True, False),
        ("\nb*", True, False),
        ("\nwell, yes", False, True),
        ("\n炸 ", True, False),
        ("\nb  c", True, False),
        ("\n11", False, False),
    ],
)
def test_quick_looks(window: str, noisy: bool, repetitive: bool) -> None:
    assert (is_noisy(window), is_repetitive(window)) == (noisy, repetitive)


def test_letters() -> None:
    assert [char for char in "a1炸\u0301_ -😀²" if is_letter(char)] == ["a", "1", "炸", "\u0301", "²"]
