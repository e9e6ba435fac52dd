"""Ways of disguising a word, one function each, and the cases that come of putting terms through them.

A technique takes a term and gives what an evader would write. It changes the term between its first letter and its
last and adds nothing outside, so that what has to be found is all that it gives. `Folds` beside it are the switches
that a rule needs to see through it, the defaults where nothing is said.

No technique of this suite is one that the definition of folding excludes (docs/design.md). Those, with the reason:

- a word spelled with the letters of one other living alphabet alone: it may be a word of that language;
- more than 30 marks on a letter, 256 invisible characters in a row, 64 signs between two letters, 32 repeats: what a
  stream has to hold is bounded;
- full stops, commas, brackets or blanks inside a word whose pieces are longer than a letter (bo.mb, bo mb), or between
  Chinese characters (炸，弹): sentences do that too; several blanks, or blanks around a dash (b - o - m - b); single
  letters right beside a Chinese character (做b o m b的), since they do not stand alone;
- signs between letters that are repeated (b-oo-m-b): a text is read in one of the two ways at a time;
- a term with accents in anything but its own spelling: a list that wants cocaína without its accent has both;
- letters of two or more signs (|3, /\\), leet in terms that hold digits, and leet that leaves fewer than two letters;
- escapes that spell a letter (&#98;, \\u0062), comments in HTML, links in Markdown;
- what is another spelling and no disguise: ciphers, mirror writing, regional indicators (they are flags), other words
  for the same thing, pinyin and split characters (an expansion of the list of terms makes those).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from guardrail.text.rules import Folds

LATIN = "abcdefghijklmnopqrstuvwxyz"
PLAIN = Folds()
NOISE = Folds(noise=True)
REPEATS = Folds(repeats=True)
BOTH = Folds(noise=True, repeats=True)


@dataclass(frozen=True, slots=True)
class Case:
    """`text` holds the term once, at [start, end)."""

    technique: str
    language: str
    term: str
    text: str
    start: int
    end: int
    folds: Folds = PLAIN

    def __str__(self) -> str:
        return f"{self.technique}-{self.language}-{self.term}"


@dataclass(frozen=True, slots=True)
class Technique:
    name: str
    disguise: Callable[[str], str]
    folds: Folds = PLAIN


def marked(technique: str, language: str, term: str, text: str, folds: Folds = PLAIN) -> Case:
    """A hand-written case; what has to be found stands between ⟦ and ⟧."""
    start = text.index("⟦")
    end = text.index("⟧") - 1
    return Case(technique, language, term, text.replace("⟦", "").replace("⟧", ""), start, end, folds)


def cases(
    language: str, terms: Sequence[str], techniques: Sequence[Technique], carriers: Sequence[tuple[str, str]]
) -> Iterator[Case]:
    """Every term through every technique that changes it, in the carriers by turns."""
    turn = 0
    for technique in techniques:
        for term in terms:
            disguised = technique.disguise(term)
            if disguised != term:
                before, after = carriers[turn % len(carriers)]
                turn += 1
                at = len(before)
                text = before + disguised + after
                yield Case(technique.name, language, term, text, at, at + len(disguised), technique.folds)


def spell(alphabet: str, letters: str = LATIN) -> Callable[[str], str]:
    """The letters as another alphabet has them; those that stand for themselves in it stay."""
    table = str.maketrans(letters, alphabet)
    return lambda term: term.translate(table)


def block(first: int, holes: str = "") -> Callable[[str], str]:
    """26 letters in a row from a code point on; `holes`: letter, character, for those that are encoded elsewhere."""
    table = {ord(char): chr(first + at) for at, char in enumerate(LATIN)}
    table |= {ord(char): other for char, other in zip(holes[::2], holes[1::2], strict=True)}
    return lambda term: term.translate(table)


def between(*signs: str) -> Callable[[str], str]:
    """Signs between the characters, by turns; the blank between two words stays as it is."""

    def disguise(term: str) -> str:
        out = term[0]
        for at, (left, right) in enumerate(pairwise(term)):
            out += right if " " in (left, right) else signs[at % len(signs)] + right
        return out

    return disguise


def inside(sign: str) -> Callable[[str], str]:
    """A sign in the middle of the longest word."""

    def disguise(term: str) -> str:
        word = max(term.split(" "), key=len)
        middle = len(word) // 2
        return term.replace(word, word[:middle] + sign + word[middle:])

    return disguise


def behind(*marks: str) -> Callable[[str], str]:
    """Marks behind every letter, by turns."""
    return lambda term: "".join(
        char if char == " " else unicodedata.normalize("NFC", char + marks[at % len(marks)])
        for at, char in enumerate(term)
    )


def repeated(*counts: int) -> Callable[[str], str]:
    """Every letter so many times, by turns."""
    return lambda term: "".join(
        char if char == " " else char * counts[at % len(counts)] for at, char in enumerate(term)
    )


def both(first: Callable[[str], str], second: Callable[[str], str]) -> Callable[[str], str]:
    """One technique over another."""
    return lambda term: second(first(term))


def alternating(term: str) -> str:
    return "".join(char.upper() if at % 2 else char.lower() for at, char in enumerate(term))


INVISIBLE = {
    "zero width space": "\u200b",
    "zero width non-joiner": "\u200c",
    "zero width joiner": "\u200d",
    "word joiner": "\u2060",
    "soft hyphen": "\u00ad",
    "byte order mark": "\ufeff",
    "grapheme joiner": "\u034f",
    "variation selector": "\ufe0f",
    "second variation selector": "\U000e0101",
    "tag": "\U000e0061",
    "direction": "\u200e\u202e\u2066",
    "invisible times": "\u2062",
    "Mongolian separator": "\u180e",
    "Hangul filler": "\u3164",
    "many": "\u200b\u200c\u2060\ufeff\u00ad" * 8,
}
"""Default-ignorable characters."""

HIDDEN = [Technique(name, between(char)) for name, char in INVISIBLE.items()]
"""For every script that the joiner does not shape."""
