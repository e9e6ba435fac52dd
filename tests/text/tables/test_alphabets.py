"""Alphabets: the words of living languages are of one, words that were made up of look-alikes are of none."""

from __future__ import annotations

import pytest

from guardrail.text.tables import ALPHABETS


@pytest.mark.parametrize(
    "word",
    [
        *("кокаин", "мама", "рука", "ёж", "объём", "Київ", "її", "ґанок", "ўсё", "џеп", "ќебап", "ғарыш", "ӯ"),
        *("μαμά", "ποτέ", "ναρκωτικός", "ΑΘΗΝΑ", "ἀνήρ", "հաց", "Երևան"),
    ],
)
def test_a_word_of_a_living_alphabet_is_of_one(word: str) -> None:
    letters = {char for char in word.casefold() if char.isalpha()}
    assert any(letters <= alphabet for alphabet in ALPHABETS), word


@pytest.mark.parametrize("word", ["ѕех", "һегоіп", "рοrn", "kокаин", "јіһад", "Ꭺꭺ", "ᗩᔕᔕ", "ԛ", "ҽ"])
def test_a_made_up_word_is_of_none(word: str) -> None:
    letters = {char for char in word.casefold() if char.isalpha()}
    assert not any(letters <= alphabet for alphabet in ALPHABETS), word


def test_alphabets_are_case_folded() -> None:
    assert all(char.casefold() == char for alphabet in ALPHABETS for char in alphabet)
