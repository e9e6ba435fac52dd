"""Readings of a lane that see through disguises: letters written as digits, pulled apart, or repeated.

Each is a pure function of a lane's window: the end of the lane, which begins with one character of context. A
reading has, for each of its characters, the stretch of the window that it stands for. What each reading is exactly
stands in docs/design.md; what is here besides is how much of it may still change while the text goes on, and in
what ways it may go on, since that is what holding back depends on.
"""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from guardrail.text.fold import BREAK
from guardrail.text.scripts import is_unspaced
from guardrail.text.tables import ALPHABETS

MAX_GAP = 64
"""Characters of noise between two letters: beyond, they are not one word to any reader, and a stream must be held."""
MAX_RUN = 32
"""Characters of one repeated letter, for the same reason."""

_LEET = "034578962@$!|+"
_LEET_AS = "oeastbggzasilt"
LEET_I = str.maketrans(_LEET + "1", _LEET_AS + "i")
LEET_L = str.maketrans(_LEET + "1", _LEET_AS + "l")
# Between letters the other signs are noise.
_NOISE_LEET = "034578962@$"
NOISE_LEET_I = str.maketrans(_NOISE_LEET + "1", _LEET_AS[: len(_NOISE_LEET)] + "i")
NOISE_LEET_L = str.maketrans(_NOISE_LEET + "1", _LEET_AS[: len(_NOISE_LEET)] + "l")

LEET_SIGN = re.compile(r"[0-9@$!|+]")
"""Searches for what a leet reading would change."""

_SENTENCE_SIGNS = frozenset(".,;:!?'\"()[]{}<>&。、" + BREAK)


def _ranges(codes: Sequence[int]) -> str:
    """A regular expression's class members for sorted code points."""
    out: list[str] = []
    for code in codes:
        if out and int(out[-1].split("-")[-1], 16) == code - 1:
            out[-1] = f"{out[-1].split('-')[0]}-{code:x}"
        else:
            out.append(f"{code:x}-{code:x}")
    return "".join(f"\\U{int(a, 16):08x}-\\U{int(b, 16):08x}" for a, b in (pair.split("-") for pair in out))


_MARKS = _ranges([c for c in range(0x300, 0x110000) if unicodedata.category(chr(c))[0] == "M"])
_LETTERS = re.compile(rf"(?:[^\W_]|[{_MARKS}])+")
# Letters and the words behind them, with single blanks between, that are of more than one letter and need spaces:
# such blanks always stay.
_STRETCH = re.compile(rf"(?:[^\W_]|[{_MARKS}])+(?: [a-z0-9]{{2}}(?:[^\W_]|[{_MARKS}])*)*")
_TAG = r"</?[a-z][a-z0-9]{0,9}(?: [^<>]{0,40})?/?>"
_ENTITY = r"&(?:#[0-9]{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,7});"
_MARKUP = re.compile(f"{_TAG}|{_ENTITY}")
_OPEN = re.compile(
    r"(?:</?(?:[a-z][a-z0-9]{0,9}(?: [^<>]{0,40})?/?)?|&(?:#[0-9]{0,7}|#x[0-9a-f]{0,6}|[a-z][a-z0-9]{0,7})?)\Z"
)
# A letter before a sign that may be noise, perhaps with a blank between, or before several blanks; a letter alone; one
# without need of spaces before a blank: without any of these the view has every gap as the window has it, or a
# break. What may become mark-up must be seen from its first sign on.
_SUSPECT = re.compile(
    r"(?:[^\W_]|[@$])(?:\s?(?:[^\w\s.,;:!?'\"()\[\]{}>。、]|_)|\s\s)|(?<![a-z0-9])[a-z0-9](?=[^a-z0-9])"
    r"|[@$\u0080-\u2e7f](?=[\W_])|[^\x00-\x7f]\s|[<&]"
)
_RUN = re.compile(r"([^\W\d_])\1+")


def is_noisy(window: str) -> bool:
    """Whether the noise view of the window may differ from the window in a way that matters; a cheap no."""
    return _SUSPECT.search(window, 1) is not None


def is_repetitive(window: str) -> bool:
    """Whether the repeats view of the window differs from the window."""
    return _RUN.search(window) is not None


@lru_cache(maxsize=65536)
def is_letter(char: str) -> bool:
    return _LETTERS.match(char) is not None


def _is_spaced(char: str) -> bool:
    return is_letter(char) and not is_unspaced(char)


def is_one_alphabet(raw: str) -> bool:
    """Whether the letters of a raw text, one at least, all belong to one alphabet that has Latin look-alikes."""
    if raw.isascii():
        return False
    letters = {char for char in raw.casefold() if char.isalpha()}
    return bool(letters) and any(letters <= alphabet for alphabet in ALPHABETS)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a window says when it is read in one way."""

    text: str
    starts: Sequence[int]
    """Per character: the window index at which what it stands for begins."""
    ends: Sequence[int]
    """Per character: the window index behind it."""
    soft: int
    """From this window index on, what follows may change the reading: a hit that ends behind it is not decided."""
    endings: tuple[str, ...]
    """How the reading may go on: what ends the text followed by one of these may be a prefix that lives."""
    spots: Sequence[int]
    """Indices of characters one of which each hit has, or begins right before, that no simpler reading shows."""
    hits: bool = True
    """False: another reading has the same hits, this one is for what lives."""


def plain(window: str, reading: str, soft: int) -> Reading:
    """A reading character by character."""
    size = len(window)
    spots = [sign.start() for sign in LEET_SIGN.finditer(window)]
    return Reading(reading, range(size), range(1, size + 1), soft, ("",), spots)


def repeats(window: str, *, final: bool) -> Reading:
    """The repeats view. A run that began in the context is left out: no match can start in it."""
    at, size = 1, len(window)
    while at < size and window[at] == window[0] and window[0].isalpha():
        at += 1
    text = [BREAK]
    starts, ends, spots = [0], [1], []
    for run in _RUN.finditer(window, at):
        first, end = run.span()
        if run[1].isalpha():
            text.append(window[at : first + 1])
            starts += range(at, first + 1)
            ends += range(at + 1, first + 1)
            ends.append(end)
            spots.append(len(starts) - 1)
            at = end
    text.append(window[at:])
    starts += range(at, size)
    ends += range(at + 1, size + 1)
    soft = size - 1 if not final and window[-1].isalpha() else size
    return Reading("".join(text), starts, ends, soft, ("",), spots)


@dataclass(frozen=True, slots=True)
class Noise:
    """The noise view of a window: its readings, and where mark-up stands that must not be cut in two."""

    readings: tuple[Reading, ...]
    markup: tuple[tuple[int, int], ...]
    """Window stretches of the tags and entities, and of those that may still become one, which reach beyond the end."""


def noise(window: str, *, final: bool) -> Noise:
    """The noise view, in each way that what follows may decide."""
    markup = tuple(match.span() for match in _MARKUP.finditer(window, 1))
    begun = [] if final else _begun(window)
    view = _View(window, markup, final=final)
    soft = begun[0] if begun else len(window)
    readings = [view.read(soft, lone=True)]
    if view.uncertain:
        readings.append(view.read(soft, lone=False))
    for at in begun:
        # Mark-up may come of it, of which no letter stays.
        cut = _View(window[:at], tuple(span for span in markup if span[1] <= at), final=False, beside=True)
        readings.append(dataclasses.replace(cut.read(at, lone=True), hits=False))
    return Noise(tuple(readings), (*markup, *((at, len(window) + 1) for at in begun)))


def _begun(window: str) -> list[int]:
    """Where mark-up stands that is not complete."""
    found = []
    at = 1
    while (match := _OPEN.search(window, at)) is not None:
        found.append(match.start())
        at = match.start() + 1
    return found


class _View:
    """A window on its way to a reading. `beside`: whether it is known that no letter follows."""

    def __init__(self, window: str, markup: Sequence[tuple[int, int]], *, final: bool, beside: bool = False) -> None:
        self._window = window
        self._markup = markup
        self._final = final
        self._beside = beside
        self.uncertain = False
        """Set by `read`: whether it matters if the last character will turn out to be a lone letter."""

    def read(self, soft: int, *, lone: bool) -> Reading:
        """`soft`: where what follows may change the reading at the latest. `lone`: whether the last character, when
        nothing is known of what follows, counts as a lone letter."""
        window = self._window
        text: list[str] = [BREAK]
        starts, ends, spots = [0], [1], []
        last = -1
        for start, end in self._letters():
            if last >= 0:
                filling = self._filling(last, start, lone)
                if not filling or (filling == " " and start - last > 2):
                    spots.append(len(starts))
                if filling:
                    text.append(filling)
                    starts.append(last + 1)
                    ends.append(start)
                if self._open_ended(start) and filling != self._filling(last, start, not lone):
                    self.uncertain = True
                    soft = min(soft, start)
            text.append(window[start:end])
            starts += range(start, end)
            ends += range(start + 1, end + 1)
            last = end - 1
        return Reading("".join(text), starts, ends, soft, self._endings(last), spots)

    def _letters(self) -> list[tuple[int, int]]:
        """Runs of letters, and of plain words, outside of mark-up, from the first character after the context on."""
        runs = []
        at = 1
        for start, end in (*self._markup, (len(self._window), 0)):
            runs += [match.span() for match in _STRETCH.finditer(self._window, at, start)]
            at = end
        return runs

    def _open_ended(self, at: int) -> bool:
        """Whether nothing is known of what follows the character."""
        return at == len(self._window) - 1 and not self._final and not self._beside

    def _lone(self, at: int, lone: bool) -> bool:
        window = self._window
        if is_unspaced(window[at]):
            return True
        if _is_spaced(window[at - 1]):
            return False
        if at + 1 < len(window):
            return not _is_spaced(window[at + 1])
        return lone if self._open_ended(at) else True

    def _rest(self, start: int, end: int) -> str:
        """A gap without mark-up and tight signs."""
        out: list[str] = []
        at = start
        for begin, stop in self._markup:
            if begin >= start and stop <= end:
                out.append(self._window[at:begin])
                at = stop
        out.append(self._window[at:end])
        return "".join(char for char in "".join(out) if char.isspace() or char in _SENTENCE_SIGNS)

    def _filling(self, last: int, start: int, lone: bool) -> str:
        """What the view has for the gap between two letters."""
        if start - last - 1 > MAX_GAP or BREAK in self._window[last + 1 : start]:
            return BREAK
        rest = self._rest(last + 1, start)
        if not rest:
            return ""
        both = self._lone(last, lone) and self._lone(start, lone)
        if rest.isspace():
            # Around a tight sign blanks are one, by themselves several set words apart.
            return "" if both and (len(rest) == 1 or len(rest) < start - last - 1) else " "
        spaced = not is_unspaced(self._window[last]) and not is_unspaced(self._window[start])
        return "" if both and spaced else BREAK

    def _endings(self, last: int) -> tuple[str, ...]:
        """How the text may go on behind its last letter."""
        size = len(self._window)
        if last < 0:
            return ()
        if last == size - 1:
            return ("",)
        if size - last - 1 > MAX_GAP or BREAK in self._window[last + 1 :]:
            return ()
        rest = self._rest(last + 1, size)
        if not rest:
            return ("",)
        lone = self._lone(last, lone=True)
        spaced = not is_unspaced(self._window[last])
        if rest.isspace():
            # Between lone letters a sign behind the blanks would make all of it vanish.
            return ("", " ") if lone else (" ",)
        return ("",) if lone and spaced else ()


def noise_form(term: str) -> str | None:
    """A term as the noise view has it; None when it cannot be found there."""
    if not term or not is_letter(term[0]) or not is_letter(term[-1]):
        return None
    form = noise("\n" + term, final=True).readings[0].text[1:]
    return form if len(form) > 1 and BREAK not in form else None


def repeats_form(term: str) -> tuple[str, tuple[int, ...]]:
    """A term as the repeats view has it, and how long each of its runs is."""
    view = repeats("\n" + term, final=True)
    return view.text[1:], tuple(end - start for start, end in zip(view.starts[1:], view.ends[1:], strict=True))
