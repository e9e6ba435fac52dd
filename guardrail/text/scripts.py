"""What a lane character is to a word: part of one that needs edges, part of one that needs none, or neither."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

import regex

_UNSPACED = regex.compile(
    r"[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}"
    r"\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Bopomofo}]"
)
_LINKER = regex.compile(r"\p{InCB=Linker}")  # joins two consonants in any script: no word ends with one


@lru_cache(maxsize=65536)
def is_word(char: str) -> bool:
    """Whether a lane character is a word character of a script that separates words."""
    if char.isascii():
        return char.isalnum()
    if not (char.isalnum() or unicodedata.category(char).startswith("M")):
        return False
    return _UNSPACED.match(char) is None or _LINKER.match(char) is not None


@lru_cache(maxsize=65536)
def is_unspaced(char: str) -> bool:
    """Whether it is a letter of a script whose words need no edges."""
    if char.isascii() or is_word(char):
        return False
    return char.isalnum() or unicodedata.category(char).startswith("M")
