"""The lanes of a text and the views of a lane, computed plainly over the whole text: what docs/design.md says under
Fold and Disguises, to be checked against it by eye.

It shares the generated tables of `guardrail.text.tables` with the engine and nothing else: no folding code.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import groupby

import regex

from guardrail.text.rules import Folds
from guardrail.text.tables import ALPHABETS, HAN_NUMERALS, LOOKALIKES, NUMERALS, SIMPLIFIED

MAX_JOINERS = 30
"""Joiners after the first character of a segment; the next one starts a new segment."""
MAX_IGNORABLES = 256
"""Ignorables in a row that are dropped; the next one folds to BREAK."""
MAX_GAP = 64
"""Characters between two letters that noise may fill."""
BREAK = "\uffff"

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Lane:
    """Folded text, and for each of its characters the raw span that it stands for."""

    text: str
    spans: list[Span]

    def raw(self, start: int, end: int) -> Span:
        return self.spans[start][0], self.spans[end - 1][1]


@dataclass(frozen=True, slots=True)
class View:
    """Another reading of a lane's text, and for each of its characters what it stands for in the lane."""

    text: str
    spans: list[Span]

    def within(self, start: int, end: int) -> Span:
        return self.spans[start][0], self.spans[end - 1][1]


# Segments


@cache
def ignorable(char: str) -> bool:
    return regex.match(r"\p{Default_Ignorable_Code_Point}", char) is not None


@cache
def _second_characters() -> frozenset[str]:
    """Every b of a pair a+b that canonical composition turns into one character."""
    seconds = set()
    for char in map(chr, range(0x110000)):
        pair = unicodedata.decomposition(char).split()
        if len(pair) == 2 and not pair[0].startswith("<"):
            first, second = (chr(int(code, 16)) for code in pair)
            if unicodedata.normalize("NFC", first + second) == char:
                seconds.add(second)
    return frozenset(seconds)


@cache
def joiner(char: str) -> bool:
    """Whether the character may change, under NFKC, what stands before it."""
    first = unicodedata.normalize("NFKD", char)[0]
    return (
        unicodedata.combining(first) != 0
        or unicodedata.category(first) == "Me"
        or first in _second_characters()
        or "\u1161" <= first <= "\u1175"
        or "\u11a8" <= first <= "\u11c2"
    )


def surrogate_pair(text: str, at: int) -> bool:
    return "\ud800" <= text[at : at + 1] <= "\udbff" and "\udc00" <= text[at + 1 : at + 2] <= "\udfff"


def join_surrogates(pair: str) -> str:
    """The character that two lone halves stand for."""
    return pair.encode("utf-16", "surrogatepass").decode("utf-16")


@lru_cache(maxsize=64)
def segments(text: str) -> list[tuple[str, Span]]:
    """What is folded piece by piece: the characters of each piece without ignorables, and its raw span."""
    out: list[tuple[str, Span]] = []
    can_join = False
    ignorables = 0
    at = 0
    while at < len(text):
        char, width = text[at], 1
        if ignorable(char):
            ignorables += 1
            if ignorables > MAX_IGNORABLES:
                out.append((BREAK, (at, at + 1)))
                can_join = False
                ignorables = 0
            at += 1
            continue
        ignorables = 0
        if surrogate_pair(text, at):
            char, width = join_surrogates(text[at : at + 2]), 2
        if width == 1 and joiner(char) and can_join and len(out[-1][0]) <= MAX_JOINERS:
            before, (start, _) = out[-1]
            out[-1] = (before + char, (start, at + 1))
        else:
            out.append((char, (at, at + width)))
        can_join = True
        at += width
    return out


# Lanes: what one segment folds to


def cased(segment: str) -> str:
    hyphened = re.sub("[\u2010-\u2015\u2212]", "-", unicodedata.normalize("NFKC", segment))
    straight = re.sub("[\u2018\u2019\u201b]", "'", hyphened)
    return "".join(NUMERALS.get(char, char) for char in straight)


def folded(segment: str) -> str:
    return caseless(cased(segment))


def caseless(piece: str) -> str:
    # An iota subscript is no letter here, though its case fold is one.
    bare = unicodedata.normalize("NFC", unicodedata.normalize("NFD", piece).replace("\u0345", ""))
    return re.sub("[\t\n\r]", " ", unicodedata.normalize("NFKC", bare.casefold()))


def look(segment: str, folds: Folds) -> str:
    piece = cased(segment)
    return disguised(unmarked(piece) if folds.marks else piece, folds)


@cache
def mark(char: str) -> bool:
    return unicodedata.category(char) in ("Mn", "Me")


@cache
def of_script(char: str, *scripts: str) -> bool:
    return any(regex.match(rf"\p{{Script={script}}}", char) for script in scripts)


def unmarked(piece: str) -> str:
    """Step 1, `marks`."""
    first = piece[0]
    if unicodedata.category(first).startswith("M"):
        return piece
    if first.isascii() or of_script(first, "Latin", "Greek", "Han"):
        apart = unicodedata.normalize("NFD", piece)
    elif of_script(first, "Cyrillic"):
        apart = unicodedata.normalize("NFC", piece)
    else:
        return piece
    return unicodedata.normalize("NFC", "".join(char for char in apart if not mark(char)))


def disguised(piece: str, folds: Folds) -> str:
    """Steps 2 to 4: `lookalikes`, the case, `simplified` and `numbers`."""
    if folds.lookalikes:
        piece = "".join(LOOKALIKES.get(char, char) for char in piece)
    piece = caseless(piece)
    if folds.simplified:
        piece = "".join(SIMPLIFIED.get(char, char) for char in piece)
    if folds.numbers:
        piece = "".join(HAN_NUMERALS.get(char, char) for char in piece)
    return piece


def _lane(pieces: list[tuple[str, Span]]) -> Lane:
    return Lane("".join(piece for piece, _ in pieces), [span for piece, span in pieces for _ in piece])


@lru_cache(maxsize=64)
def raw_lane(text: str) -> Lane:
    return Lane(text, [(at, at + 1) for at in range(len(text))])


@lru_cache(maxsize=64)
def cased_lane(text: str) -> Lane:
    return _lane([(cased(segment), span) for segment, span in segments(text)])


@lru_cache(maxsize=64)
def folded_lane(text: str) -> Lane:
    return _lane([(folded(segment), span) for segment, span in segments(text)])


@lru_cache(maxsize=64)
def look_lane(text: str, folds: Folds) -> Lane:
    return _lane([(look(segment, folds), span) for segment, span in segments(text)])


# Letters

UNSPACED_SCRIPTS = (
    *("Han", "Hiragana", "Katakana", "Bopomofo", "Hangul"),
    *("Thai", "Lao", "Khmer", "Myanmar"),
)
"""Scripts written without spaces, or with particles attached to words: their words have no visible edges."""


@cache
def letter(char: str) -> bool:
    return char.isalnum() or unicodedata.category(char).startswith("M")


@cache
def unspaced(char: str) -> bool:
    return letter(char) and of_script(char, *UNSPACED_SCRIPTS)


@cache
def needs_edge(char: str) -> bool:
    """A letter of a script that sets its words apart, or what joins two consonants in any script."""
    if regex.match(r"\p{InCB=Linker}", char):
        return True
    return letter(char) and not unspaced(char)


def one_alphabet(raw: str) -> bool:
    """Whether there are alphabetic characters, and one of the living alphabets has them all."""
    letters = [char for char in raw.casefold() if char.isalpha()]
    return letters != [] and any(alphabet.issuperset(letters) for alphabet in ALPHABETS)


# Views

LEET = dict(zip("034567892@$!|+", "oeasgtbgzasilt", strict=True))
NOISY_LEET = {char: LEET[char] for char in "034567892@$"}
"""Of the signs only these two are read between noise; the others are noise."""
MARKUP = re.compile(
    r"</?[a-z][a-z0-9]{0,9}( [^<>]{0,40})?/?>|&(#[0-9]{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,7});", re.DOTALL
)
STOPS = frozenset(".,;:!?'\"()[]{}<>&。、")
"""Signs that are noise between lone letters only."""


def itself(text: str) -> View:
    return View(text, [(at, at + 1) for at in range(len(text))])


def leet(text: str, signs: dict[str, str]) -> tuple[str, str]:
    """Both readings of a lane: 1 as i and as l."""

    def read(one: str) -> str:
        return "".join(one if char == "1" else signs.get(char, char) for char in text)

    return read("i"), read("l")


@lru_cache(maxsize=64)
def noise(text: str) -> View:
    view, spans = "", []
    before = None
    for at in _letters(text):
        if before is not None:
            left = _left_of_gap(text, before, at)
            if left:
                view += left
                spans.append((before + 1, at))
        view += text[at]
        spans.append((at, at + 1))
        before = at
    return View(view, spans)


def _letters(text: str) -> list[int]:
    """Where the letters stand that are not inside a tag or an entity."""
    inside = {at for found in MARKUP.finditer(text) for at in range(*found.span())}
    return [at for at, char in enumerate(text) if letter(char) and at not in inside]


def _left_of_gap(text: str, before: int, after: int) -> str:
    """What the view has for what stands between the letters at `before` and `after`: nothing, a blank or a BREAK."""
    gap = text[before + 1 : after]
    remains = "".join(char for char in MARKUP.sub("", gap) if char.isspace() or char in STOPS)
    lone = _lone(text, before) and _lone(text, after)
    if len(gap) > MAX_GAP or BREAK in gap:
        return BREAK
    if remains == "":
        return ""
    if remains.isspace():
        return "" if lone and (len(remains) == 1 or remains != gap) else " "
    return "" if lone and not unspaced(text[before]) and not unspaced(text[after]) else BREAK


def _lone(text: str, at: int) -> bool:
    beside = text[max(at - 1, 0) : at] + text[at + 1 : at + 2]
    return unspaced(text[at]) or not any(letter(char) and not unspaced(char) for char in beside)


@lru_cache(maxsize=64)
def repeats(text: str) -> View:
    view, spans = "", []
    at = 0
    for char, run in groupby(text):
        length = len(list(run))
        steps = [length] if char.isalpha() else [1] * length
        for step in steps:
            view += char
            spans.append((at, at + step))
            at += step
    return View(view, spans)
