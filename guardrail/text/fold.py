"""Folding: what the rules see of a text, with the raw span of every folded character.

A text is cut into *segments*: a character and the *joiners* that follow it (combining marks and whatever else
Unicode composition may merge into it). A segment is folded on its own, so that folding a stream needs to hold no
more than the segment that is still open. Lanes are made:

    cased     NFKC(segment), with every dash a hyphen, every apostrophe a straight one and every digit an ASCII one
    folded    NFKC(casefold(cased)), with tabs and line ends as spaces, so that a phrase is found across a line's end;
              without iota subscripts, whose case fold is a letter that would stand apart
    look      the same without combining marks, with look-alike letters as Latin ones, traditional Chinese as simplified
              and Chinese numerals as digits; each of the four can be left out (see `Look`)

Default-ignorable characters (zero-width, soft hyphen, variation selectors, tags, bidi controls) are dropped from
all. Every folded character has the raw span of its whole segment, in code points.

Limits, each with its reason: a segment takes at most 30 joiners (the Stream-Safe Text Format of UAX #15), and
256 ignorables in a row put a BREAK into the lanes that no rule can match across; together they bound what a
hostile text can make a stream hold.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import lru_cache

import regex

from guardrail.text.clusters import is_prepend
from guardrail.text.rules import Folds
from guardrail.text.tables import HAN_NUMERALS, LOOKALIKES, NUMERALS, SIMPLIFIED

MAX_JOINERS = 30
MAX_IGNORABLES = 256
BREAK = "\uffff"
"""Stands in the lanes for a forced break. A noncharacter: rules cannot name it."""

_IGNORABLE = regex.compile(r"\p{Default_Ignorable_Code_Point}")
# Models like to set numbers with non-breaking hyphens, and words with curly apostrophes; to a rule they are all the one
# on the keyboard.
_ON_THE_KEYBOARD = (
    dict.fromkeys([*range(0x2010, 0x2016), 0x2212], "-")
    | dict.fromkeys([0x2018, 0x2019, 0x201B], "'")
    | str.maketrans(NUMERALS)
)
BLANKS = dict.fromkeys(map(ord, "\t\n\r"), " ")
"""For `str.translate`: what the folded lane has for tabs and line ends."""
_IOTA_SUBSCRIPT = "\u0345"
# Lone surrogates cannot be encoded, so the lanes hold private-use stand-ins for them (U+10F800 to U+10FFFF, which a
# rule could name, and would then find in lone surrogates as well).
_SURROGATE_STAND_IN = 0x10F800 - 0xD800


def _composition_pairs() -> tuple[frozenset[str], frozenset[str]]:
    """First and second characters of the primary compositions. They all lie in these ranges."""
    firsts, seconds = set(), set()
    for block in (range(0x0000, 0x3100), range(0xA000, 0xAC00), range(0x11000, 0x17000)):
        for code in block:
            parts = unicodedata.decomposition(chr(code)).split()
            if len(parts) == 2 and not parts[0].startswith("<"):
                pair = chr(int(parts[0], 16)) + chr(int(parts[1], 16))
                if unicodedata.normalize("NFC", pair) == chr(code):
                    firsts.add(pair[0])
                    seconds.add(pair[1])
    return frozenset(firsts), frozenset(seconds)


COMPOSITION_FIRSTS, COMPOSITION_SECONDS = _composition_pairs()


def _is_hangul_vowel_or_tail(char: str) -> bool:
    return "\u1161" <= char <= "\u1175" or "\u11a8" <= char <= "\u11c2"


@lru_cache(maxsize=65536)
def is_ignorable(char: str) -> bool:
    """Whether the lanes drop this character."""
    return not char.isascii() and _IGNORABLE.match(char) is not None


@lru_cache(maxsize=65536)
def is_joiner(char: str) -> bool:
    """Whether this character attaches to the segment before it."""
    if char.isascii():
        return False
    first = unicodedata.normalize("NFKD", char)[0]
    return (
        unicodedata.combining(first) != 0
        or unicodedata.category(first) == "Me"
        or first in COMPOSITION_SECONDS
        or _is_hangul_vowel_or_tail(first)
    )


def decompose_last(lane: str, start: int) -> tuple[int, str]:
    """Where the last base character of a lane's open segment stands, and the NFD of what follows from there.

    More joiners can only change the lane from there on. `start`: where the segment begins.
    """
    at = len(lane) - 1
    while at > start and is_joiner(lane[at]):
        at -= 1
    return at, unicodedata.normalize("NFD", lane[at:])


def may_grow_into(parts: str, target: str) -> bool:
    """Whether more joiners can make a segment that begins with `target` of one whose NFD is `parts`."""
    wanted = unicodedata.normalize("NFD", target)
    missing = wanted[1:]
    for mark in parts[1:]:
        missing = missing.replace(mark, "", 1)
    return wanted[0] == parts[0] and unicodedata.normalize("NFC", parts + missing).startswith(target)


def is_high_surrogate(char: str) -> bool:
    return "\ud800" <= char <= "\udbff"


def is_low_surrogate(char: str) -> bool:
    return "\udc00" <= char <= "\udfff"


def join_surrogates(high: str, low: str) -> str:
    """The character that two lone halves stand for."""
    return chr(0x10000 + ((ord(high) - 0xD800) << 10) + (ord(low) - 0xDC00))


def stand_in(char: str) -> str:
    """What the lanes hold for a lone surrogate; any other character is itself."""
    return chr(ord(char) + _SURROGATE_STAND_IN) if "\ud800" <= char <= "\udfff" else char


def fold_cased(segment: str) -> str:
    """The cased lane of one segment without ignorables."""
    if "\ud800" <= segment[0] <= "\udfff":
        segment = stand_in(segment[0]) + segment[1:]
    cased = unicodedata.normalize("NFKC", segment)
    return cased if cased.isascii() else cased.translate(_ON_THE_KEYBOARD)


def fold_case(cased: str) -> str:
    """The folded lane of one segment, from its cased lane."""
    if not cased.isascii() and _IOTA_SUBSCRIPT in (parts := unicodedata.normalize("NFD", cased)):
        cased = unicodedata.normalize("NFC", parts.replace(_IOTA_SUBSCRIPT, ""))
    return unicodedata.normalize("NFKC", cased.casefold()).translate(BLANKS)


_STRIPPED = regex.compile(r"[\p{Script=Latin}\p{Script=Greek}\p{Script=Han}\p{ASCII}]")
_CYRILLIC = regex.compile(r"\p{Script=Cyrillic}")


def _is_mark(char: str) -> bool:
    return not char.isascii() and unicodedata.category(char) in ("Mn", "Me")


@lru_cache(maxsize=65536)
def strip_marks(cased: str) -> str:
    """A segment's cased lane without the combining marks that are no part of a letter in its script."""
    if (len(cased) == 1 and cased.isascii()) or _is_mark(cased[0]):
        return cased
    if _STRIPPED.match(cased):
        parts = unicodedata.normalize("NFD", cased)
    elif _CYRILLIC.match(cased):
        parts = unicodedata.normalize("NFC", cased)
    else:
        return unicodedata.normalize("NFC", cased)
    return unicodedata.normalize("NFC", "".join(char for char in parts if not _is_mark(char)))


class Look:
    """One combination of the four switches of `Folds` that make a look lane."""

    __slots__ = ("_bare", "_letters", "_signs", "marks", "simple", "switches")

    def __init__(self, *, marks: bool, lookalikes: bool, simplified: bool, numbers: bool) -> None:
        self.switches = (marks, lookalikes, simplified, numbers)
        self.marks = marks
        self._letters = str.maketrans(LOOKALIKES) if lookalikes else {}
        self._signs = str.maketrans((SIMPLIFIED if simplified else {}) | (HAN_NUMERALS if numbers else {}))
        self.simple = Simple(self.segment)
        """For `str.translate`, see `Simple`."""
        self._bare = Simple(strip_marks) if marks else {}

    def segment(self, cased: str) -> str:
        """The look lane of one segment, from its cased lane."""
        return self.letters(strip_marks(cased) if self.marks else cased)

    def letters(self, bare: str) -> str:
        """The same for text without marks to strip."""
        return fold_case(bare.translate(self._letters)).translate(self._signs)

    def term(self, term: str) -> str | None:
        """The look form of a term in its folded form; None when it has marks that this lane does not keep."""
        if term.isascii():
            return term
        if self.marks and (bare := term.translate(self._bare)) != term:
            if BREAK not in bare or any(strip_marks(cased) != cased for cased, _, _ in Segmenter("", 0).push(term, 0)):
                return None
        elif BREAK not in (form := term.translate(self.simple)):
            return form
        return self.letters(term)


@lru_cache(maxsize=64)
def look(folds: Folds) -> Look | None:
    """The look lane of a rule with these folds; None when it has none but the folded lane."""
    if not (folds.marks or folds.lookalikes or folds.simplified or folds.numbers):
        return None
    return _look(folds.marks, folds.lookalikes, folds.simplified, folds.numbers)


@lru_cache(maxsize=16)
def _look(marks: bool, lookalikes: bool, simplified: bool, numbers: bool) -> Look:
    return Look(marks=marks, lookalikes=lookalikes, simplified=simplified, numbers=numbers)


_SIMPLE_LIMIT = 65536
"""Characters remembered per table: more than any text in living scripts uses, few enough to bound the memory that
a text running through all of Unicode can take."""


class Simple(dict[int, str]):
    """A `str.translate` table made as characters are met.

    A character that starts a segment, folds to exactly one character in every lane, and does not pull the next one
    into its grapheme cluster maps to what it folds to; every other maps to BREAK, which tells the caller to take the
    slow way.
    """

    def __init__(self, fold: Callable[[str], str]) -> None:
        self._fold = fold
        """From a segment's cased lane to this one."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        value = BREAK
        if not (is_ignorable(char) or is_joiner(char) or is_prepend(char) or 0xD800 <= code <= 0xDFFF):
            cased = fold_cased(char)
            folded = self._fold(cased)
            if len(cased) == len(folded) == len(fold_case(cased)) == 1:
                value = folded
        if len(self) < _SIMPLE_LIMIT:
            self[code] = value
        return value


SIMPLE_CASED = Simple(str)
SIMPLE_FOLDED = Simple(fold_case)


class Segmenter:
    """The open segment at the end of a stream, for text that is not all simple characters.

    `push` takes raw text and gives the pieces that replace the open segment's lane characters: a list of
    (cased, raw start, raw end), the last of which is the segment that is now open (unless a BREAK closed it).
    """

    __slots__ = ("end", "ignorables", "joiners", "open", "start")

    def __init__(self, char: str, start: int) -> None:
        self.open = char
        """The open segment's characters, without ignorables; "" when a break or the text's start stands there."""
        self.start = start
        self.end = start + len(char)
        self.joiners = 0
        self.ignorables = 0

    def push(self, text: str, at: int) -> list[tuple[str, int, int]]:
        done: list[tuple[str, int, int]] = []
        high = ""
        for offset, char in enumerate(text, at):
            if high and is_low_surrogate(char):
                joined = join_surrogates(high, char)
                high = ""
                self.open = joined
                self.end = offset + 1
                # The joined character may itself be a joiner or ignorable of the astral planes; a pair is a plain
                # unit all the same, so that what is open never changes its kind.
                continue
            high = ""
            if is_ignorable(char):
                self.ignorables += 1
                if self.ignorables > MAX_IGNORABLES:
                    self.ignorables = 0
                    self._close(done)
                    done.append((BREAK, offset, offset + 1))
                    self.open = ""
                    self.joiners = 0
                continue
            self.ignorables = 0
            if self.open and is_joiner(char) and self.joiners < MAX_JOINERS:
                self.open += char
                self.joiners += 1
                self.end = offset + 1
                continue
            self._close(done)
            self.open = char
            self.start = offset
            self.end = offset + 1
            self.joiners = 0
            if is_high_surrogate(char):
                high = char
        self._close(done)
        return done

    def _close(self, done: list[tuple[str, int, int]]) -> None:
        if self.open:
            done.append((fold_cased(self.open), self.start, self.end))


def fold_whole(text: str) -> tuple[str, str]:
    """The cased and the folded lane of a whole text: how terms are folded."""
    cased = [piece for piece, _, _ in Segmenter("", 0).push(text, 0)]
    return "".join(cased), "".join(map(fold_case, cased))
