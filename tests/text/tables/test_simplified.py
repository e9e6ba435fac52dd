"""Traditional to simplified: whole words, and what every entry must be."""

from __future__ import annotations

import unicodedata

import pytest

from guardrail.text.tables import SIMPLIFIED


@pytest.mark.parametrize(
    ("written", "simplified"),
    [
        ("炸彈", "炸弹"),
        ("殺人", "杀人"),
        ("槍枝彈藥", "枪枝弹药"),
        ("爲為", "为为"),
        ("裏裡", "里里"),
        ("麵麪", "面面"),
        ("線綫", "线线"),
        ("羣峯衆", "群峰众"),
        ("弾薬売", "弹药卖"),
        ("販賣毒品", "贩卖毒品"),
        ("强奸炸弹", "强奸炸弹"),
        ("芸弁予", "芸弁予"),
        ("カタカナ bomb", "カタカナ bomb"),
    ],
)
def test_words_are_read_as_simplified_ones(written: str, simplified: str) -> None:
    assert "".join(SIMPLIFIED.get(char, char) for char in written) == simplified


def test_every_entry_is_one_character_for_another_that_stays() -> None:
    assert all(len(key) == len(value) == 1 and key != value for key, value in SIMPLIFIED.items())
    assert not SIMPLIFIED.keys() & set(SIMPLIFIED.values())


def test_what_nfkc_folds_is_left_to_it() -> None:
    assert [char for pair in SIMPLIFIED.items() for char in pair if unicodedata.normalize("NFKC", char) != char] == []


def test_characters_of_simplified_chinese_are_left_alone() -> None:
    """GB 2312's first level, 3,755 characters in daily use: 乾 is 干 in most words."""
    level = bytes(byte for row in range(0xB0, 0xD8) for cell in range(0xA1, 0xFF) for byte in (row, cell))
    daily = level.decode("gb2312", errors="ignore")
    assert {char for char in daily if char in SIMPLIFIED} == {"乾"}
