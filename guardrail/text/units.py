"""Which stretches of a channel the classifier scores, decided by the text alone.

A channel's text is cut into units that follow each other without a gap. A unit ends

- behind a line feed;
- behind a sentence end, with the closing quotes and brackets that follow it: full stop, exclamation and question mark
  when a blank comes next, their wide forms, the wide semicolon and the ellipsis whatever comes next;

once it weighs `MIN_UNIT`, so that very short sentences go together; and at the latest before it would weigh more than
`MAX_UNIT`: then in front of the last blank of its second half, else anywhere but inside a grapheme. What weighs three
is a wide character, which says about as much as three narrow ones; every other character weighs one.

Promises: the same units however the text comes (a cut is made as soon as no later text could move it); time in
proportion to the new text; memory for one unit and its context. Never looks at scores, time, or other channels.

Offsets count code points.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

MIN_UNIT = 24
"""Weight. About five words: less says too little to be scored on its own."""
MAX_UNIT = 200
"""Weight. About forty words: what one score stands for, and the most that strict delivery holds back for it."""
CONTEXT = 120
"""Weight of the text before a unit that is looked at together with it."""
PROMPT = 300
"""Weight of what is looked at of the user's message."""

_WIDE_RANGES = (
    "\u1100-\u115f\u2e80-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff01-\uff60\uffe0-\uffe6"
)
_WIDE = re.compile(
    f"[{_WIDE_RANGES}\U00016fe0-\U00018cff\U0001b000-\U0001b2ff\U0001f300-\U0001faff\U00020000-\U0003fffd]"
)
_LATIN_ENDS = ".!?"
_WIDE_ENDS = "\u3002\uff01\uff1f\uff1b\u2026\uff61"
_CLOSERS = "\"')]}\u2019\u201d\u00bb\u203a\u300d\u300f\u3011\u300b\u3009\u3015\uff09\uff3d\uff5d\uff63"
_BLANKS = " \t\u00a0\u3000"
_ENDS = re.compile(f"\n|[{re.escape(_LATIN_ENDS + _WIDE_ENDS + _CLOSERS)}]+")
"""A line feed, or a run of characters in which a sentence may end."""
_OPEN = frozenset(_LATIN_ENDS + _WIDE_ENDS + _CLOSERS)
_WIDE_END = re.compile(f"[{_WIDE_ENDS}]")
_LATIN_END = re.compile(f"[{re.escape(_LATIN_ENDS)}]")
_LAST_BLANK = re.compile(f".*[{_BLANKS}]", re.DOTALL)
_FIRST_BLANK = re.compile(f"[{_BLANKS}\n]")

_SLICE = 256
"""Code points taken in one go, so that cutting a long text costs no more than its length."""
_JOINED = 32
"""Code points that a hard cut goes back at most to find the start of a grapheme."""


@dataclass(frozen=True, slots=True)
class Unit:
    """Code points [start, end) of a channel."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Window:
    """What is scored for one unit: bounded text, and nothing else of the stream it comes from."""

    context: str
    """The channel's text directly before the unit, at most `CONTEXT` by weight."""
    text: str
    """The unit's own text, raw, at most `MAX_UNIT` by weight."""
    prompt: str = ""
    """The end of the newest user message, at most `PROMPT` by weight, when the policy asks for it."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A unit that is complete. `window` is None for one of blanks only, which needs no score."""

    unit: Unit
    window: Window | None


def weigh(text: str) -> int:
    """The weight of a text: its code points, wide ones counted three times."""
    return len(text) if text.isascii() else len(text) + 2 * len(_WIDE.findall(text))


def tail(text: str, limit: int) -> str:
    """The end of a text, at most `limit` by weight; begins behind a blank where its first half has one."""
    end = text[-limit:]
    if not end.isascii():
        at, left = len(end), limit
        while at and (left := left - (3 if _WIDE.match(end, at - 1) else 1)) >= 0:
            at -= 1
        end = end[at:]
    if len(end) < len(text) and text[-len(end) - 1] not in _BLANKS + "\n":
        blank = _FIRST_BLANK.search(end, 0, len(end) // 2)
        if blank is not None:
            end = end[blank.end() :]
    return end


class UnitCutter:
    """The units of one channel. `prompt`: what every window of it says of the user's message; it is cut to size.

    `open_start`: where the first unit begins that is not cut yet.
    """

    __slots__ = ("_before", "_open", "_prompt", "_undecided", "_weight", "open_start")

    def __init__(self, prompt: str = "") -> None:
        self.open_start = 0
        self._prompt = tail(prompt, PROMPT) if prompt else ""
        self._before = ""
        """Text before the open unit: enough for its context and to see whether that is all there was."""
        self._open = ""
        self._weight = 0
        self._undecided = False
        """The open unit ends in a run in which a sentence may end."""

    def feed(self, text: str) -> Sequence[Cut]:
        """Take the next text; the units that it completes, in order."""
        if not self._undecided:
            weight = self._weight + (len(text) if text.isascii() else weigh(text))
            if weight <= MAX_UNIT and _ENDS.search(text) is None:
                self._open += text
                self._weight = weight
                return ()
        cuts: list[Cut] = []
        for at in range(0, len(text), _SLICE):
            self._open += text[at : at + _SLICE]
            while end := _first_end(self._open):
                cuts.append(self._cut(end))
        self._weight = weigh(self._open)
        self._undecided = self._open[-1:] in _OPEN
        return cuts

    def finish(self) -> Sequence[Cut]:
        """The channel is complete: its last unit, if one is open."""
        if not self._open:
            return ()
        cut = self._cut(len(self._open))
        self._weight = 0
        self._undecided = False
        return (cut,)

    def _cut(self, end: int) -> Cut:
        text, self._open = self._open[:end], self._open[end:]
        unit = Unit(self.open_start, self.open_start + end)
        self.open_start = unit.end
        before, self._before = self._before, (self._before + text)[-CONTEXT - 1 :]
        if not text or text.isspace():
            return Cut(unit, None)
        return Cut(unit, Window(tail(before, CONTEXT), text, self._prompt))


def cut_text(text: str, prompt: str = "") -> list[Cut]:
    """The units of a complete text."""
    cutter = UnitCutter(prompt)
    return [*cutter.feed(text), *cutter.finish()]


def _first_end(text: str) -> int:
    """Where the unit ends that `text` begins with; 0 while more text may still decide it."""
    for match in _ENDS.finditer(text):
        end = match.end()
        run = match.group()
        if run != "\n":
            if end == len(text):
                break
            after = text[end]
            wide = after != "\n" and _WIDE_END.search(run)
            if not (wide or (after in _BLANKS and _LATIN_END.search(run))) or _joins(run[-1], after):
                continue
        weight = weigh(text[:end])
        if weight > MAX_UNIT:
            break
        if weight >= MIN_UNIT:
            return end
    return _latest_end(text) if weigh(text) > MAX_UNIT else 0


def _latest_end(text: str) -> int:
    """Where a unit ends that would become too heavy."""
    end = weight = half = 0
    while (weight := weight + (3 if _WIDE.match(text, end) else 1)) <= MAX_UNIT:
        if weight <= MAX_UNIT // 2:
            half = end + 1
        end += 1
    blank = _LAST_BLANK.match(text, half, end + 1)
    if blank is not None:
        return blank.end() - 1
    for start in range(end, max(end - _JOINED, 1), -1):
        if not _joins(text[start - 1], text[start]):
            return start
    return end


def _joins(left: str, right: str) -> bool:
    """Whether two characters side by side may be parts of one grapheme, or compose."""
    if right.isascii():
        return left + right == "\r\n"
    return (
        unicodedata.category(right)[0] == "M"
        or unicodedata.combining(right) != 0
        or "\u200c" <= right <= "\u200d"
        or left == "\u200d"
        or "\u1160" <= right <= "\u11ff"  # Hangul vowels and finals, which compose with what is before them
        or "\U0001f3fb" <= right <= "\U0001f3ff"  # skin tones
        or ("\U0001f1e6" <= left <= "\U0001f1ff" and "\U0001f1e6" <= right <= "\U0001f1ff")  # flags
        or ("\ud800" <= left <= "\udbff" and "\udc00" <= right <= "\udfff")
    )
