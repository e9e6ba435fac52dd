"""Units and shingles: case tables, any cut, and bounds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrail.text.shingles import MAX_DROPPED, MAX_WORD, Shape, Shingler, Unit, UnitReader, folding, shingles

LETTERS = [
    *("a", "B", "ß", "é", "e\u0301", "\u0430", "ﬁ", "½", "㍿", "中", "殺", "が", "ー", "ท", "ำ", "한", "ㅋ"),
    *("\u1112", "\u1161", "\u11ab", "1", "٣", "①", " ", ".", "\n", "_", "*", "\u0301", "\u200b", "😀", "\U00020000"),
    *("\ud840", "\udc00", "\ud835", "\u0301" * 130, "\u200b" * 130, "x" * 40, "ﷺ"),
]


def units(*pieces: str) -> list[Unit]:
    reader = UnitReader()
    found = [unit for piece in pieces if piece for unit in reader.push(piece)]
    return found + reader.finish()


CASES = {
    "words": ("The cat sat.", [("the ", 0, 3), ("cat ", 4, 7), ("sat ", 8, 11)]),
    "markup and line ends only separate": ("**a**\n> b_c", [("a ", 2, 3), ("b ", 8, 9), ("c ", 10, 11)]),
    "digits are letters": ("v2 is №5", [("v2 ", 0, 2), ("is ", 3, 5), ("no5 ", 6, 8)]),
    "composed and decomposed are one": ("é e\u0301", [("e ", 0, 1), ("e ", 2, 4)]),
    "case folds to more letters": ("Straße", [("strasse ", 0, 6)]),
    "look-alikes": ("с\u0430t", [("cat ", 0, 3)]),
    "full width": ("ＣＡＴ", [("cat ", 0, 3)]),
    "digits of any script": ("٣٤", [("34 ", 0, 2)]),
    "invisible characters are dropped": ("ca\u200bt", [("cat ", 0, 4)]),
    "each Chinese character": ("中文，字", [("中", 0, 1), ("文", 1, 2), ("字", 3, 4)]),
    "traditional as simplified": ("殺彈", [("杀", 0, 1), ("弹", 1, 2)]),
    "kana with its long vowel": ("コーが", [("コ", 0, 1), ("ー", 1, 2), ("か", 2, 3)]),
    "Thai without its marks": ("น้ำ", [("น", 0, 2), ("า", 2, 3)]),
    "what is dropped goes with the word before it": ("ca\u0301\u200b, \u0301a", [("ca ", 0, 4), ("a ", 7, 8)]),
    "but a Chinese character is whole at once": ("中\u0301文", [("中", 0, 1), ("文", 2, 3)]),
    "a syllable": ("한글", [("\u1112\u1161\u11ab", 0, 1), ("\u1100\u1173\u11af", 1, 2)]),
    "a syllable in jamo": ("\u1112\u1161\u11ab.", [("\u1112\u1161\u11ab", 0, 3)]),
    "a syllable completed by a jamo": ("하\u11ab", [("\u1112\u1161\u11ab", 0, 2)]),
    "scripts in one run": ("GPT模型v4", [("gpt ", 0, 3), ("模", 3, 4), ("型", 4, 5), ("v4 ", 5, 7)]),
    "several units of one character": ("3½㍿", [
        ("31 ", 0, 2), ("2 ", 1, 2), ("株", 2, 3), ("式", 2, 3), ("会", 2, 3), ("社", 2, 3),
    ]),
    "two halves are a character": ("\ud840\udc00", [("\U00020000", 0, 2)]),
    "one half is a sign": ("a\ud840b", [("a ", 0, 1), ("b ", 2, 3)]),
    "nothing": ("... \U0001f600 \u200b", []),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES.keys())
def test_units(text: str, expected: list[Unit]) -> None:
    assert units(text) == expected
    assert units(*text) == expected


@pytest.mark.parametrize("letter", ["a", "é", "\u1161"])
def test_a_long_run_is_cut(letter: str) -> None:
    sizes = [end - start for _, start, end in units(letter * 150)]
    assert sizes == [MAX_WORD, MAX_WORD, 150 - 2 * MAX_WORD]


@pytest.mark.parametrize("dropped", ["\u0301", "\u200b"])
def test_a_long_run_of_dropped_characters_ends_a_unit(dropped: str) -> None:
    assert len(units("a" + dropped * MAX_DROPPED + "b")) == 1
    assert len(units("a" + dropped * (MAX_DROPPED + 1) + "b")) == 2


@given(st.lists(st.sampled_from(LETTERS), max_size=14).map("".join), st.data())
def test_units_do_not_depend_on_how_the_text_was_cut(text: str, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(text)))
    second = data.draw(st.integers(first, len(text)))
    whole = units(text)
    assert units(text[:first], text[first:second], text[second:]) == whole
    assert units(*text) == whole


def added(shape: Shape, *texts: str) -> Shingler:
    shingler = Shingler(shape)
    for text in texts:
        shingler.add(text)
    return shingler


SHAPE = Shape(words=3, characters=5)


def test_a_shingle_is_the_shortest_run_that_weighs_enough() -> None:
    assert added(SHAPE, "a ", "b ").shingle() is None
    three = added(SHAPE, "a ", "b ", "c ").shingle()
    assert three is not None
    assert added(SHAPE, "x ", "a ", "b ", "c ").shingle() == three
    assert added(SHAPE, *"x一二三四五").shingle() == added(SHAPE, *"一二三四五").shingle()
    # Two words weigh 10 of 15, a character 3: two of them are needed beside the words.
    assert added(SHAPE, "a ", "b ", "一").shingle() is None
    assert added(SHAPE, "三", "a ", "b ", "一", "二").shingle() == added(SHAPE, "a ", "b ", "一", "二").shingle()


def test_the_order_of_units_and_where_words_end_count() -> None:
    hashes = [added(SHAPE, *run).shingle() for run in (["a ", "b ", "c "], ["b ", "a ", "c "], ["ab ", "c ", "d "])]
    assert len(set(hashes)) == 3


def test_an_opening_is_the_shingle_to_come_without_its_last_unit() -> None:
    two = added(SHAPE, "a ", "b ")
    assert two.opening(word=True) == added(SHAPE, "x ", "a ", "b ").opening(word=True)
    assert two.opening(word=True) != added(SHAPE, "x ", "a ", "c ").opening(word=True)
    assert two.opening(word=False) is None  # a character is not enough to make it whole
    assert added(SHAPE, "a ").opening(word=True) is None


def test_hashes_depend_on_the_key() -> None:
    assert dict(shingles("a b c", SHAPE)).keys() != dict(shingles("a b c", Shape(3, 5, b"key"))).keys()


def test_the_shingles_of_a_text() -> None:
    found = list(shingles("The cat sat. Down", SHAPE))
    assert found == list(shingles("the CAT -- sat down", SHAPE))
    assert [shingle for shingle, _ in found] == [
        added(SHAPE, "the ", "cat ", "sat ").shingle(),
        added(SHAPE, "cat ", "sat ", "down ").shingle(),
    ]
    assert [opening for _, opening in found] == [
        added(SHAPE, "the ", "cat ").opening(word=True),
        added(SHAPE, "cat ", "sat ").opening(word=True),
    ]
    assert list(shingles("two words", SHAPE)) == []
    assert list(shingles("", SHAPE)) == []


def test_only_what_a_stream_spells_out_has_an_opening() -> None:
    assert [opening is None for _, opening in shingles("一二三四五", SHAPE)] == [True]
    assert [opening is None for _, opening in shingles("한한한한한", SHAPE)] == [False]


def test_the_folding_has_a_name() -> None:
    assert len(folding()) == 16
