"""Grapheme clusters: a removal that would cut one in two is widened to hold it whole.

The clusters are the extended grapheme clusters of UAX #29 (as the `regex` package implements them), with four
exceptions that keep streaming bounded and exact:

- a pictograph that the lanes read as a letter (such as the trade mark sign, or an A in a box) counts as an ordinary
  character, so that a rule for plain letters can never reach back into an emoji sequence;
- two lone surrogate halves side by side are one character;
- a conjunct linker joins only after a consonant, as rule GB9c has it (the package lets it join after anything);
- a cluster ends after 64 code points.

Offsets count code points. Nothing here is on the hot path: it runs when something is removed, or when a rule could
start in the middle of a cluster (see `open_cluster`).
"""

from __future__ import annotations

import enum
import unicodedata
from functools import lru_cache

import regex

from guardrail.text.tables import LOOKALIKES

MAX_CLUSTER = 64

_CLUSTER = regex.compile(r"\X")
_UNUSUAL = regex.compile(r"[\p{Extended_Pictographic}\p{InCB=Linker}\uD800-\uDFFF]")
_LINKER = regex.compile(r"\p{InCB=Linker}")
_EXTEND = regex.compile(r"\p{GCB=Extend}")
_CONSONANT = regex.compile(r"\p{InCB=Consonant}")
_BETWEEN_CONSONANTS = regex.compile(r"[\p{InCB=Linker}\p{InCB=Extend}]")
_PAIR = regex.compile("[\ud800-\udbff][\udc00-\udfff]")
_PICTOGRAPH = regex.compile(r"\p{Extended_Pictographic}")
_PREPEND = regex.compile(r"\p{GCB=Prepend}")


@lru_cache(maxsize=4096)
def is_sequence_pictograph(char: str) -> bool:
    """Whether the character can stand in an emoji sequence here."""
    return (
        _PICTOGRAPH.match(char) is not None and unicodedata.normalize("NFKC", char) == char and char not in LOOKALIKES
    )


def _plain(text: str) -> str:
    """The text with the exceptions spelled so that \\X treats them as this module says; same length."""
    if text.isascii() or not _UNUSUAL.search(text):
        return text
    out = []
    skip = consonant = False
    for i, char in enumerate(text):
        if skip:
            skip = False
            continue
        consonant = _CONSONANT.match(char) is not None or (consonant and _BETWEEN_CONSONANTS.match(char) is not None)
        if _PAIR.match(text, i):
            joined = chr(0x10000 + ((ord(char) - 0xD800) << 10) + (ord(text[i + 1]) - 0xDC00))
            out.append(("\u231a" if is_sequence_pictograph(joined) else "a") + "\ufe0f")
            skip = True
        elif _PICTOGRAPH.match(char) and not is_sequence_pictograph(char):
            out.append("a")
        elif _LINKER.match(char) and not _EXTEND.match(char):
            consonant = False
            out.append("a")
        elif not consonant and _LINKER.match(char):
            out.append("\u0301")
        else:
            out.append(char)
    return "".join(out)


def cluster_starts(text: str) -> list[int]:
    """Where the clusters of a text that begins with a cluster start, plus its length."""
    starts = []
    at = 0
    plain = _plain(text)
    while at < len(plain):
        starts.append(at)
        match = _CLUSTER.match(plain, at, min(len(plain), at + MAX_CLUSTER))
        at = match.end() if match else at + 1
        if at < len(text) and _PAIR.match(text, at - 1):
            at -= 1  # the limit fell between two halves
    starts.append(len(text))
    return starts


class Reach(enum.Flag):
    """What the first character of some rule's match can be, of the kinds that may stand inside a cluster."""

    NONE = 0
    PICTOGRAPH = enum.auto()
    REGIONAL = enum.auto()
    HANGUL = enum.auto()
    """A leading jamo or a syllable, which follow a leading jamo."""
    HANGUL_TAIL = enum.auto()
    """A vowel or tail jamo."""
    CONSONANT = enum.auto()
    MARK = enum.auto()
    LINE_FEED = enum.auto()
    JOINER = enum.auto()
    """Joins the segment before it (see `fold`), whose raw span is the match's start then."""
    ANY = PICTOGRAPH | REGIONAL | HANGUL | HANGUL_TAIL | CONSONANT | MARK | LINE_FEED | JOINER
    ALWAYS = MARK | JOINER
    """Kinds that may follow any character at all."""


def is_prepend(char: str) -> bool:
    """Whether a cluster goes on after this character whatever follows (but a control)."""
    return not char.isascii() and _PREPEND.match(char) is not None


def open_cluster(text: str, reach: Reach) -> int:
    """Where the last cluster of `text` starts if a match of such rules could start inside its continuation;
    else `len(text)`. The text begins with a cluster."""
    if not text or (not reach and not is_prepend(text[-1])):
        return len(text)
    last = text[-1]
    if last.isascii():
        if last == "\r":
            return len(text) - 1 if Reach.LINE_FEED in reach else len(text)
        if Reach.MARK not in reach:
            return len(text)
    starts = cluster_starts(text)
    start = starts[-2]
    cluster = text[start:]
    if len(cluster) >= MAX_CLUSTER:
        return len(text)
    for probe, kind in _PROBES:
        if (kind is None or kind in reach) and any(
            _CLUSTER.fullmatch(_plain(cluster + middle + probe)) for middle in _BETWEEN[probe]
        ):
            return start
    return len(text)


# For each kind a character of it that would join, and what may stand between the cluster and it.
_PROBES: tuple[tuple[str, Reach | None], ...] = (
    ("b", None),
    ("\u231a", Reach.PICTOGRAPH),
    ("\U0001f1e6", Reach.REGIONAL),
    ("\u1100", Reach.HANGUL),
    ("\uac00", Reach.HANGUL),
    ("\u1161", Reach.HANGUL_TAIL),
    ("\u11a8", Reach.HANGUL_TAIL),
    ("\u0915", Reach.CONSONANT),
    ("\u0301", Reach.MARK),
)
_BETWEEN: dict[str, tuple[str, ...]] = {
    "b": ("",),
    "\u231a": ("", "\u200d", "\ufe0f\u200d"),
    "\U0001f1e6": ("",),
    "\u1100": ("",),
    "\uac00": ("",),
    "\u1161": ("",),
    "\u11a8": ("",),
    "\u0915": ("", "\u094d"),
    "\u0301": ("",),
}
