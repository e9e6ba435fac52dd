"""Which characters need word edges."""

from __future__ import annotations

import pytest

from guardrail.text.scripts import is_unspaced, is_word


@pytest.mark.parametrize(
    ("char", "word", "unspaced"),
    [
        *[(char, True, False) for char in "aZ9éжא\u0301न\u094d"],
        *[(char, False, True) for char in "炸カかㄅ한กກကក"],
        *[(char, False, False) for char in " _-.😀。\n"],
    ],
)
def test_scripts(char: str, word: bool, unspaced: bool) -> None:
    assert (is_word(char), is_unspaced(char)) == (word, unspaced)
