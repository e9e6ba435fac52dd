"""Terms on their way into an automaton: folded as their lane is, with what a stream may show of them so far."""

from __future__ import annotations

import enum
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from guardrail.errors import RuleError
from guardrail.text.fold import (
    BREAK,
    MAX_IGNORABLES,
    SIMPLE_CASED,
    SIMPLE_FOLDED,
    fold_whole,
    is_joiner,
)
from guardrail.text.rules import WordEdges
from guardrail.text.scripts import is_word

MAX_TERM = 256
"""Longest term or allow-phrase in folded characters: a stream may have to hold as much."""
MAX_MARKS = 4
"""Most combining marks on one letter of a term; every partial set of them is a prefix of its own."""


class Role(enum.IntEnum):
    """What an occurrence is good for."""

    TERM = 0
    """It is a hit."""
    ALLOW = 1
    """It excuses the hits inside it."""
    FIRST = 2
    """It is a word of a near rule's first list."""
    SECOND = 3
    """It is a word of a near rule's second list."""
    CONTEXT = 4
    """It makes weak shapes behind it count."""


class Way(enum.IntEnum):
    """How the text is read in which a term is found."""

    PLAIN = 0
    """As its lane is."""
    LOOK = 1
    """As the look lane is, for the automaton that the folded lane and a look lane share."""
    LEET = 2
    """With digits and signs as letters."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a phrase of one rule is. Phrases that are alike share one: a long list then leaves the garbage collector
    little to walk through."""

    rule: int
    role: Role
    left: bool
    """Whether a word edge must be on its left."""
    right: bool
    ways: int
    """Bits 1 << Way in which it may be found."""
    latin: bool = False
    """Whether its folded form has an ASCII letter, which a text in another alphabet cannot mean."""
    runs: tuple[int, ...] | None = None
    """In the repeats view: how long its runs are."""
    leads: tuple[tuple[str, bool], ...] = ()
    """For a term: what precedes it in allow-phrases of its rule that end where it ends (and need no more of what
    follows), and whether a word edge must precede that."""

    @property
    def allow(self) -> bool:
        return self.role is Role.ALLOW


def edges_of(word: str, edges: WordEdges) -> tuple[bool, bool]:
    """Whether a term, by its folded form, needs a word edge on its left and on its right."""
    if edges == "auto":
        return is_word(word[0]), is_word(word[-1])
    return edges == "always", edges == "always"


def fold_term(rule: str, phrase: str, *, cased: bool) -> str:
    """A term as the cased or the folded lane has it. Raises RuleError for one that cannot be matched."""
    word = phrase.translate(SIMPLE_CASED if cased else SIMPLE_FOLDED)
    simple = BREAK not in word
    if not simple:
        both = fold_whole(phrase)
        word = both[0] if cased else both[1]
    check_term(rule, phrase, word)
    if is_joiner(word[0]) or unicodedata.category(word[0]).startswith("M"):
        raise RuleError(rule, f"the term {phrase!r} begins with a character that joins the one before it")
    if BREAK in word:
        raise RuleError(rule, f"a term has more than {MAX_IGNORABLES} invisible characters in a row, or U+FFFF")
    if not simple and any(len(_decompose(c)) - 1 > MAX_MARKS for c in _clusters(word)):
        raise RuleError(rule, f"the term {phrase!r} has more than {MAX_MARKS} marks on one letter")
    return word


def check_term(rule: str, phrase: str, word: str) -> None:
    """Raises RuleError for a term whose form has nothing to match or is too long."""
    if not word.strip():
        raise RuleError(rule, f"found {phrase!r}, which has nothing to match; expected a term")
    if len(word) > MAX_TERM:
        raise RuleError(rule, f"a term is {len(word)} characters long; expected at most {MAX_TERM}: {word[:40]!r}…")


def last_cluster(word: str) -> str:
    """The last character of a word with the marks on it."""
    at = len(word) - 1
    while at > 0 and is_joiner(word[at]):
        at -= 1
    return word[at:]


def _clusters(word: str) -> Iterator[str]:
    """The word cut before every character that does not join the one before it."""
    start = 0
    for i in range(1, len(word)):
        if not is_joiner(word[i]):
            yield word[start:i]
            start = i
    yield word[start:]


@lru_cache(maxsize=65536)
def _decompose(cluster: str) -> str:
    return unicodedata.normalize("NFD", cluster)


def partials(word: str, folds: Sequence[Callable[[str], str]]) -> Iterator[str]:
    """The proper prefixes of a word, and what stands in the lane while one of its clusters is still growing.

    `folds`: how the lanes in which the word is looked for fold a segment.
    """
    if word.isascii() or not folds:
        for end in range(1, len(word)):
            yield word[:end]
        return
    at = 0
    for cluster in _clusters(word):
        before = word[:at]
        at += len(cluster)
        for end in range(1, len(cluster)):
            yield before + cluster[:end]
        parts = _decompose(cluster)
        if len(parts) > 1:
            for part in _partial_clusters(parts):
                for fold in folds:
                    yield before + fold(part)
        if at < len(word):
            yield word[:at]


def _partial_clusters(parts: str) -> list[str]:
    """The proper subsets of a decomposed cluster from which more marks can complete it.

    Marks of one combining class keep their order, so of each class only the first ones may be there already;
    a mark of class 0 needs all that stands before it.
    """
    found = [parts[0]]
    for mark in parts[1:]:
        grade = unicodedata.combining(mark)
        grown = []
        for partial in found:
            had = [m for m in partial[1:] if unicodedata.combining(m) == grade]
            due = [m for m in parts[1:] if unicodedata.combining(m) == grade][len(had)]
            whole = len(partial) == parts.index(mark, 1) if grade == 0 else True
            if due == mark and whole:
                grown.append(partial + mark)
        found += grown
    return [partial for partial in dict.fromkeys(found) if partial != parts]
