"""What the models see of a text: one normal form, and hashed n-grams of it for the first stage.

Pure: the same text gives the same features on every machine and in training. Nothing here knows of labels or models.

The normal form drops what disguises a word and keeps what it says: NFKC, no default-ignorable characters, traditional
Chinese as simplified, look-alike letters as Latin ones inside words that have Latin letters too. Case stays: the
tokenizer of a model decides about it.

The n-grams are those of fastText (Joulin et al. 2016, https://arxiv.org/abs/1607.01759): characters, words and pairs of
words, hashed into a table, because a table needs no vocabulary and costs the same for every language.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import cast
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from guardrail.text.tables import LOOKALIKES, SIMPLIFIED

Features = NDArray[np.int32]
"""Rows of a hash table, shape [n]."""

CHARACTER_NGRAMS = (1, 2, 3, 4, 5)
"""Lengths in code points. Of one character only those beyond ASCII: a Latin letter alone says nothing."""
LONGEST_WORD = 32
"""Code points; what is longer is no word (Chinese is written without blanks) and is left to the character n-grams."""

_HIDDEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""The default-ignorable code points of Unicode 16."""
_SIMPLIFIED = str.maketrans(SIMPLIFIED)
_MIXED_WORD = re.compile(r"[^\W\d_]*[A-Za-z][^\W\d_]*")
_LETTERS = str.maketrans({k: v for k, v in LOOKALIKES.items() if unicodedata.category(k)[0] == "L" and ord(k) < 0x2E80})
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
_DIGITS = str.maketrans("123456789", "000000000")

_STEP = np.uint32(0x01000193)
"""The prime of the 32-bit FNV hash."""
_MIX = np.uint32(0x85EBCA6B)
"""A multiplier of MurmurHash3's finaliser: the high bits of the product depend on every bit of the hash."""
_SHIFT = np.uint32(15)


def normalise(text: str) -> str:
    """The form that every model is given. Total and cheap: ASCII comes back as it is."""
    if text.isascii():
        return text
    text = _LONE_SURROGATE.sub("\ufffd", _HIDDEN.sub("", unicodedata.normalize("NFKC", text))).translate(_SIMPLIFIED)
    return _MIXED_WORD.sub(lambda word: word[0].translate(_LETTERS), text)


def is_chinese(text: str) -> bool:
    """Whether a text is Chinese for the most part: at least a third of it is Chinese characters, each of
    which says about as much as three Latin letters."""
    return not text.isascii() and 3 * len(_HAN.findall(text)) >= len(text)


@dataclass(frozen=True, slots=True)
class Bags:
    """The features of a window: those of the unit that is scored, and those of the text before it."""

    unit: Features
    context: Features


def hashed(context: str, unit: str, bits: int) -> Bags:
    """The hashed n-grams of a window, as rows of a table with `2 ** bits` rows.

    An n-gram belongs to where it starts. No bag is empty: one without any n-gram has the row 0 alone."""
    before = _plain(context)
    text = f"{before} {_plain(unit)} "
    codes = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    border = len(before)
    in_unit: list[NDArray[np.uint32]] = []
    in_context: list[NDArray[np.uint32]] = []
    hashes = codes
    for length in CHARACTER_NGRAMS:
        if length > 1:
            if len(codes) < length:
                break
            hashes = hashes[:-1] * _STEP + codes[length - 1 :]
            in_context.append(hashes[:border] + np.uint32(length))
            in_unit.append(hashes[border:] + np.uint32(length))
        else:
            in_context.append(hashes[:border][codes[:border] > 127] + np.uint32(1))
            in_unit.append(hashes[border:][codes[border:] > 127] + np.uint32(1))
    words = [crc32(word.encode()) for word in text[border:].split() if len(word) <= LONGEST_WORD]
    if words:
        single = np.array(words, np.uint32)
        in_unit += [single, single[:-1] * _STEP + single[1:]]
    return Bags(_rows(in_unit, bits), _rows(in_context, bits))


def _plain(text: str) -> str:
    return " ".join(normalise(text).casefold().translate(_DIGITS).split())


def _rows(hashes: list[NDArray[np.uint32]], bits: int) -> Features:
    joined = np.concatenate(hashes) if hashes else np.zeros(0, np.uint32)
    if not len(joined):
        return np.zeros(1, np.int32)
    joined = (joined ^ (joined >> _SHIFT)) * _MIX
    return cast(Features, (joined >> np.uint32(32 - bits)).astype(np.int32))
