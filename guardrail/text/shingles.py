"""Shingles: the runs of words or characters by which a text is recognised, as hashes.

A text is cut into *units*. Folded character by character (NFKD, without combining marks and default-ignorables,
look-alikes as the letters they look like, case-folded, digits as ASCII, traditional Chinese as simplified), it is

    a word       a maximal run of letters and digits of scripts that separate words; a longer one than 64 characters is
                 cut after each 64th
    a character  one letter of a script that does not separate words (Han, kana, Thai, ...), or one Hangul syllable

and everything else only separates: line breaks, punctuation and Markdown change nothing. What is dropped belongs to
the unit before it, if that is one that a stream spells out: a word, a Hangul syllable, a letter of a script that sets
marks on its letters (Thai, Lao, Khmer, Myanmar). Han and kana are whole as soon as they are there.

A word weighs 1/words of a shingle, a character 1/characters. The shingle that ends at a unit is the shortest run of
units that ends there and weighs 1 or more: it depends on what stands before its end alone, so that a document and a
stream agree on it.

Promises: units do not depend on how the text came in pieces; memory is bounded by one shingle and one unit. Never
keeps a text: what leaves this module of a document are hashes.
"""

from __future__ import annotations

import hashlib
import math
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import regex

from guardrail.text.fold import is_high_surrogate, is_ignorable, is_low_surrogate, join_surrogates
from guardrail.text.tables import LOOKALIKES, NUMERALS, SIMPLIFIED

WORDS = 12
CHARACTERS = 20
"""Units of a shingle where nobody says otherwise: a line or two, more than people share by chance."""
MAX_WORD = 64
"""Folded characters of one unit. Longer runs are data, and a stream may have to be held for one unit."""
MAX_DROPPED = 256
"""Dropped characters (marks, invisible ones) in a row inside a unit; one more ends it. For the same reason."""

Unit = tuple[str, int, int]
"""The folded text of a unit (of a word: with a space behind it) and its raw span, in code points of the whole text."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How many units make a shingle, and the key of the hashes."""

    words: int = WORDS
    characters: int = CHARACTERS
    key: bytes | None = None
    """Of keyed BLAKE2b, at most 64 bytes. None: Python's own hash, much faster, but good within one process only."""


# What a character is to a unit.
_DROPPED, _SIGN, _LETTER, _CHARACTER, _SEVERAL, _SURROGATE = range(6)
# _LETTER: one of a word. _CHARACTER: a unit that is whole. _SEVERAL: several of these, or one that may go on.

# By script extensions, so that the marks that several scripts share (the long vowel of kana) are among them.
_WHOLE = regex.compile(r"[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Bopomofo}]")
_SPELLED = regex.compile(r"[\p{scx=Hangul}\p{scx=Thai}\p{scx=Lao}\p{scx=Khmer}\p{scx=Myanmar}]")
_LETTERS = str.maketrans(LOOKALIKES | NUMERALS)
_SIMPLIFIED = str.maketrans(SIMPLIFIED)


def _goes_on(char: str) -> bool:
    """Whether it is a Hangul vowel or final consonant, which belongs to the syllable before it."""
    return "\u1160" <= char <= "\u11ff" or "\ud7b0" <= char <= "\ud7ff"


def _bare(text: str) -> str:
    """The compatibility decomposition without marks and default-ignorables."""
    parts = unicodedata.normalize("NFKD", text)
    return "".join(c for c in parts if not (unicodedata.category(c).startswith("M") or is_ignorable(c)))


def _fold(char: str) -> str:
    """What a character is in a shingle: its letters and digits, a space for a sign, "" when it is dropped."""
    folded = _bare(_bare(char).translate(_LETTERS).casefold()).translate(_SIMPLIFIED)
    return "".join(c if c.isalnum() else " " for c in folded)


def _kind(folded: str) -> int:
    if not folded:
        return _DROPPED
    if len(folded) > 1:
        return _SEVERAL
    if folded == " ":
        return _SIGN
    if _WHOLE.match(folded):
        return _CHARACTER
    return _SEVERAL if _SPELLED.match(folded) else _LETTER


_SLICE = 1 << 15
"""Code points of a document that are read in one go: the units of a whole one would take many times its memory."""
_TABLE_LIMIT = 65536
"""Characters remembered: more than any text in living scripts uses, few enough to bound the memory."""


class _Folded(dict[str, tuple[int, str]]):
    """What each character is and folds to, made as characters are met."""

    def __missing__(self, char: str) -> tuple[int, str]:
        if "\ud800" <= char <= "\udfff":
            return _SURROGATE, " "
        folded = _fold(char)
        value = _kind(folded), folded
        if len(self) < _TABLE_LIMIT:
            self[char] = value
        return value


_FOLDED = _Folded()
_find_words = re.compile("[0-9a-z]+").finditer


@cache
def folding() -> str:
    """Names this folding (16 hex digits): hashes made under another one find nothing."""
    rules = f"1 {MAX_WORD} {MAX_DROPPED} {[sorted(table.items()) for table in (LOOKALIKES, NUMERALS, SIMPLIFIED)]}"
    return hashlib.sha256(rules.encode()).hexdigest()[:16]


class UnitReader:
    """The units of a text as it comes."""

    __slots__ = ("_dropped", "_end", "_half", "open", "open_at", "read", "syllable")

    def __init__(self) -> None:
        self.read = 0
        """Code points read; a high surrogate at the end of the text is no character yet, and does not count."""
        self.open = ""
        """The folded text of the unit that may still go on, "" for none; it starts at raw offset `open_at`."""
        self.open_at = 0
        self.syllable = False
        """Whether that is a syllable or letter; else it is a word."""
        self._end = 0
        self._dropped = 0
        self._half = ""

    @property
    def in_half(self) -> bool:
        """Whether a high surrogate waits for its other half."""
        return self._half != ""

    def push(self, text: str) -> list[Unit]:
        """The units that the next text (not empty) completes."""
        if self._half:
            text, self._half = self._half + text, ""
        if text.isascii() and not self.syllable:
            folded = text.lower()
            units = self._word(folded)
            if units is None:
                units = self._words(folded)
            if units is not None:
                return units
        elif is_high_surrogate(text[-1]):
            text, self._half = text[:-1], text[-1]
        return self._study(text)

    def finish(self) -> list[Unit]:
        """No more text comes: the unit that was open, if one was."""
        half, self._half = self._half, ""
        units = self._study(half)
        self._close(units)
        return units

    def _word(self, folded: str) -> list[Unit] | None:
        """What most tokens of English are, a word or the rest of one, with or without a space before it; None, with
        nothing changed, for anything else."""
        units: list[Unit] = []
        size = len(folded)
        if len(self.open) + size >= MAX_WORD:
            return None
        if folded.isalnum():
            if not self.open:
                self.open_at = self.read
            self.open += folded
        elif folded[0] == " " and folded[1:].isalnum():
            if self.open:
                units.append((self.open + " ", self.open_at, self._end))
            self.open = folded[1:]
            self.open_at = self.read + 1
        else:
            return None
        self._dropped = 0
        self._end = self.read = self.read + size
        return units

    def _words(self, folded: str) -> list[Unit] | None:
        """The usual case, ASCII text; None, with nothing changed, when a word is too long for it."""
        units: list[Unit] = []
        at, size = self.read, len(folded)
        word, start, end = self.open, self.open_at, self._end
        for found in _find_words(folded):
            first, last = found.span()
            if first and word:
                units.append((word + " ", start, end))
                word = ""
            if not word:
                start = at + first
            word += found[0]
            if len(word) >= MAX_WORD:
                return None
            end = at + last
            if last < size:
                units.append((word + " ", start, end))
                word = ""
        if word and end < at + size:
            units.append((word + " ", start, end))
            word = ""
        self._dropped = 0
        self.open, self.open_at, self._end = word, start, end
        self.read = at + size
        return units

    def _study(self, text: str) -> list[Unit]:
        """Any text, character by character."""
        units: list[Unit] = []
        start = self.read
        high = ""
        for end, char in enumerate(text, start + 1):
            kind, folded = _FOLDED[char]
            if kind == _SURROGATE:
                if high:
                    kind, folded = _FOLDED[join_surrogates(high, char)]
                    high = ""
                elif is_high_surrogate(char) and is_low_surrogate(text[end - self.read : end - self.read + 1]):
                    high = char
                    continue
            if kind == _DROPPED:
                self._dropped += 1
                if self._dropped > MAX_DROPPED:
                    self._close(units)
                self._end = end
                start = end
                continue
            self._dropped = 0
            if kind == _CHARACTER:
                if self.open:
                    self._close(units)
                units.append((folded, start, end))
            elif kind == _LETTER and self.open and not self.syllable:
                self.open += folded
                self._end = end
                if len(self.open) >= MAX_WORD:
                    self._close(units)
            elif kind in (_SIGN, _SURROGATE):
                if self.open:
                    self._close(units)
            else:
                for part in folded:
                    self._take(part, start, end, units)
            start = end
        self.read += len(text)
        return units

    def _take(self, char: str, start: int, end: int, units: list[Unit]) -> None:
        """One folded character of a raw one that spans [start, end)."""
        syllable = _SPELLED.match(char) is not None
        letter = syllable or (char != " " and not _WHOLE.match(char))
        goes_on = _goes_on(char) if syllable else letter
        if not (goes_on and self.open and syllable == self.syllable):
            self._close(units)
            if not letter:
                if char != " ":
                    units.append((char, start, end))
                return
            self.open_at = start
            self.syllable = syllable
        self.open += char
        self._end = end
        if len(self.open) >= MAX_WORD:
            self._close(units)

    def _close(self, units: list[Unit]) -> None:
        if self.open:
            units.append((self.open if self.syllable else self.open + " ", self.open_at, self._end))
            self.open = ""
            self.syllable = False


class Shingler:
    """The last units of a text, as many as a shingle takes."""

    __slots__ = ("_character", "_hash", "_units", "_weighs", "_weight", "_whole", "_word")

    def __init__(self, shape: Shape) -> None:
        self._whole = math.lcm(shape.words, shape.characters)
        self._word = self._whole // shape.words
        self._character = self._whole // shape.characters
        self._hash = None if shape.key is None else hashlib.blake2b(digest_size=8, key=shape.key)
        self._units: list[str] = []
        self._weighs: list[int] = []
        self._weight = 0

    def add(self, unit: str) -> None:
        """Take the folded text of the next unit."""
        weight = self._word if unit[-1] == " " else self._character
        self._units.append(unit)
        self._weighs.append(weight)
        self._weight += weight
        spare = self._weight - self._whole
        while (first := self._weighs[0]) <= spare:
            spare -= first
            self._weight -= first
            del self._weighs[0], self._units[0]

    def shingle(self) -> int | None:
        """The hash (64 bits) of the shingle that ends at the last unit; None while the text is too short for one."""
        return self._digest(self._units) if self._weight >= self._whole else None

    def opening(self, *, word: bool) -> int | None:
        """The hash (64 bits) of what stands before the last unit of the shingle that ends at the next unit, a word or
        a character; None while the text is too short for one."""
        spare = self._weight + (self._word if word else self._character) - self._whole
        if spare < 0:
            return None
        first = 0
        while first < len(self._weighs) and self._weighs[first] <= spare:
            spare -= self._weighs[first]
            first += 1
        return self._digest(self._units[first:])

    def _digest(self, units: list[str]) -> int:
        run = "".join(units)
        if self._hash is None:
            return hash(run)
        digest = self._hash.copy()
        digest.update(run.encode())
        return int.from_bytes(digest.digest(), "little")


def shingles(text: str, shape: Shape) -> Iterator[tuple[int, int | None]]:
    """The hash of every shingle of a text, with that of its opening (see `Shingler`) if its last unit is of those that
    a stream spells out."""
    shingler = Shingler(shape)
    for unit in _units(text):
        word = unit[-1] == " "
        opening = shingler.opening(word=word) if word or not _WHOLE.match(unit) else None
        shingler.add(unit)
        shingle = shingler.shingle()
        if shingle is not None:
            yield shingle, opening


def _units(text: str) -> Iterator[str]:
    reader = UnitReader()
    for at in range(0, len(text), _SLICE):
        for unit, _, _ in reader.push(text[at : at + _SLICE]):
            yield unit
    for unit, _, _ in reader.finish():
        yield unit
