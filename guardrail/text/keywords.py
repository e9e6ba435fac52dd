"""Keyword rules over one lane: every occurrence of every term, and the live tail that must be held back.

ahocorasick-rs has no streaming interface, but the trie of a word list is the same trie when every *prefix* of every
word is a pattern of its own. So one overlapping search of a window (the live tail kept from before, plus the new
text) gives both the words that end in it and, among the hits that end at its end, every prefix that is still alive.

What is added to that here: word edges, which decide whether a prefix that starts in the middle of a word counts;
allow-phrases, which delay decisions but by themselves hold nothing back; and *soft* ends: a last character that a
combining mark may still change keeps alive what it may change into.

All indices are into a window, which begins with one character of context (a line feed where the lane begins);
nothing can start at index 0.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

import ahocorasick_rs
import regex

from guardrail.errors import RuleError
from guardrail.text.clusters import Reach
from guardrail.text.fold import (
    BREAK,
    MAX_IGNORABLES,
    SIMPLE_CASED,
    SIMPLE_FOLDED,
    decompose_last,
    fold_case,
    fold_cased,
    fold_whole,
    is_joiner,
    may_grow_into,
)
from guardrail.text.reach import reach_of
from guardrail.text.rules import Rule, WordEdges

MAX_TERM = 256
"""Longest term or allow-phrase in folded characters: a stream may have to hold as much."""
MAX_MARKS = 4
"""Most combining marks on one letter of a term; every partial set of them is a prefix of its own."""

_EDGELESS = regex.compile(
    r"[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}"
    r"\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Bopomofo}]"
)
_LINKER = regex.compile(r"\p{InCB=Linker}")  # joins two consonants in any script: no word ends with one

# What a prefix (a pattern of the automaton) keeps alive. EDGE: only when a word edge precedes it.
_HOLD_FREE, _HOLD_EDGE, _WAIT_FREE, _WAIT_EDGE = 1, 2, 4, 8
_FREE = _HOLD_FREE | _WAIT_FREE


@lru_cache(maxsize=65536)
def is_word(char: str) -> bool:
    """Whether a lane character is a word character of a script that separates words."""
    if char.isascii():
        return char.isalnum()
    if not (char.isalnum() or unicodedata.category(char).startswith("M")):
        return False
    return _EDGELESS.match(char) is None or _LINKER.match(char) is not None


@dataclass(slots=True)
class Entry:
    """One term or allow-phrase of one rule."""

    rule: int
    allow: bool
    left: bool
    right: bool
    leads: list[tuple[str, bool]] = field(default_factory=list)
    """For a term: what precedes it in allow-phrases of its rule that end where it ends (and need no more of what
    follows), and whether a word edge must precede that."""


@dataclass(frozen=True, slots=True)
class Hit:
    """An occurrence of a term or allow-phrase, in window indices."""

    rule: int
    allow: bool
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class KeywordFindings:
    """What one window holds: decided hits, and where holding and waiting must begin.

    `hold`: no text from here on may be released. `wait`: no hit that starts here or later may be decided, since a
    longer one or an allow-phrase may still cover it. Both are `len(window)` when nothing is alive.
    """

    hits: list[Hit]
    hold: int
    wait: int


class KeywordMatcher:
    """The keyword rules that run over one lane, compiled into one automaton."""

    def __init__(self, *, cased: bool) -> None:
        self._cased = cased
        self._words: dict[str, list[Entry]] = {}
        self._entries: list[list[Entry]] = []
        self._doom: dict[int, list[list[tuple[str, bool]]]] = {}
        self.reach = Reach.NONE

    def add(self, index: int, rule: Rule, terms: Iterable[str], edges: WordEdges) -> None:
        """Add a rule's terms and its allow-phrases. Raises RuleError."""
        own: dict[str, Entry] = {}
        phrases = [(term, False) for term in terms] + [(phrase, True) for phrase in rule.allow]
        for word, allow in dict.fromkeys((self._fold(rule.id, phrase), allow) for phrase, allow in phrases):
            entry = Entry(
                index,
                allow,
                edges == "always" or (edges == "auto" and is_word(word[0])),
                edges == "always" or (edges == "auto" and is_word(word[-1])),
            )
            self._words.setdefault(word, []).append(entry)
            if not allow:
                own[word] = entry
                # A space of the folded lane may be a line feed; what needs a word edge cannot follow a linker.
                reach = reach_of("\n" if word[0] == " " else word[0])
                self.reach |= reach & ~Reach.CONSONANT if entry.left else reach
        for phrase in rule.allow:
            self._lead(self._fold(rule.id, phrase), edges, own)

    def _fold(self, rule: str, phrase: str) -> str:
        word = phrase.translate(SIMPLE_CASED if self._cased else SIMPLE_FOLDED)
        simple = BREAK not in word
        if not simple:
            cased, folded = fold_whole(phrase)
            word = cased if self._cased else folded
        if not word.strip():
            raise RuleError(rule, f"found {phrase!r}, which has nothing to match; expected a term")
        if len(word) > MAX_TERM:
            raise RuleError(rule, f"a term is {len(word)} characters long; expected at most {MAX_TERM}: {word[:40]!r}…")
        if is_joiner(word[0]) or unicodedata.category(word[0]).startswith("M"):
            raise RuleError(rule, f"the term {phrase!r} begins with a character that joins the one before it")
        if BREAK in word:
            raise RuleError(rule, f"a term has more than {MAX_IGNORABLES} invisible characters in a row, or U+FFFF")
        if not simple and any(len(_decompose(c)) - 1 > MAX_MARKS for c in _clusters(word)):
            raise RuleError(rule, f"the term {phrase!r} has more than {MAX_MARKS} marks on one letter")
        return word

    @staticmethod
    def _lead(phrase: str, edges: WordEdges, own: dict[str, Entry]) -> None:
        """Note for each term that this allow-phrase ends with what leads up to it."""
        right = edges == "always" or (edges == "auto" and is_word(phrase[-1]))
        left = edges == "always" or (edges == "auto" and is_word(phrase[0]))
        for cut in range(len(phrase)):
            entry = own.get(phrase[cut:])
            if entry is not None and (entry.right or not right):
                entry.leads.append((phrase[:cut], left))

    def compile(self) -> bool:
        """Build the automaton, once, after the last `add`. False when there is nothing to look for."""
        if not self._words:
            return False
        flags: dict[str, int] = {}
        open_terms: dict[str, bool] = {}
        doom: dict[str, list[list[tuple[str, bool]]]] = {}
        for word, entries in self._words.items():
            keep = 0
            for entry in entries:
                keep |= _WAIT_EDGE if entry.left else _WAIT_FREE
                if not entry.allow:
                    keep |= _HOLD_EDGE if entry.left else _HOLD_FREE
            leads = [entry.leads for entry in entries if not entry.allow]
            spared = bool(leads) and all(leads)
            flags.setdefault(word, 0)
            for prefix in _partials(word, cased=self._cased):
                flags[prefix] = flags.get(prefix, 0) | keep
                if leads:
                    open_terms[prefix] = open_terms.get(prefix, False) or not spared
                    if spared:
                        doom.setdefault(prefix, []).extend(leads)
        # What may still grow into the last cluster of a word that needs no edge after it, by how it begins now.
        growth: dict[str, list[tuple[str, bool]]] = {}
        for word, entries in self._words.items():
            last = word[_last_cluster(word) :]
            parts = last if last.isascii() else _decompose(last)
            edgeless = [entry for entry in entries if not entry.right]
            if len(parts) > 1 and edgeless:
                only_allows = all(entry.allow for entry in edgeless)
                growth.setdefault(word[: -len(last)] + parts[0], []).append((last, only_allows))
        # Words come first, so that one look at the smallest pattern number tells whether a word was hit.
        order = list(self._words) + [prefix for prefix in flags if prefix not in self._words]
        self._flags = [flags[prefix] for prefix in order]
        self._entries = list(self._words.values())
        self._doom = {
            number: doom[prefix] for number, prefix in enumerate(order) if prefix in doom and not open_terms[prefix]
        }
        self._growth = {number: growth[prefix] for number, prefix in enumerate(order) if prefix in growth}
        automaton = ahocorasick_rs.AhoCorasick(order, matchkind=ahocorasick_rs.MatchKind.Standard, store_patterns=False)
        self._find = automaton.find_matches_as_indexes
        self.words = len(self._entries)
        self._words = {}
        return True

    def search(self, window: str) -> list[tuple[int, int, int]]:
        """Every pattern in the window as (number, start, end), by end."""
        found: list[tuple[int, int, int]] = self._find(window, True)
        return found

    def glance(self, window: str) -> tuple[int, int]:
        """`alive`, or (-1, -1) when a word was hit."""
        found = self._find(window, True)
        words = self.words
        for hit in found:
            if hit[0] < words:
                return -1, -1
        size = len(window)
        if not found or found[-1][2] < size:
            return size, size
        return self.alive(window, found)

    def alive(self, window: str, found: list[tuple[int, int, int]]) -> tuple[int, int]:
        """(hold, wait) of the prefixes that end at the window's end; complete words are not looked at."""
        size = hold = wait = len(window)
        flags = self._flags
        for number, start, end in reversed(found):
            if end < size:
                break
            if start == 0:
                continue
            keep = flags[number]
            if keep & _FREE != keep and is_word(window[start - 1]):
                keep &= _FREE
            if keep:
                if start < wait:
                    wait = start
                if (
                    keep & (_HOLD_FREE | _HOLD_EDGE)
                    and start < hold
                    and not (self._doom and self._doomed(number, window, start))
                ):
                    hold = start
        return hold, wait

    def _doomed(self, number: int, window: str, start: int) -> bool:
        """Whether every term that this prefix may become would lie inside an allow-phrase."""
        groups = self._doom.get(number)
        return groups is not None and all(_led(leads, window, start) for leads in groups)

    def _growing(self, window: str, soft: int) -> tuple[int, int]:
        """(hold, wait) of the words that the open segment may yet complete although it has other marks already."""
        hold = wait = len(window)
        base, parts = decompose_last(window, soft)
        view = window[:base] + parts[0]
        if len(parts) == 1:
            return hold, wait
        now = unicodedata.normalize("NFC", parts)
        for number, start, end in self.search(view):
            if end < len(view) or start == 0 or number not in self._growth:
                continue
            if not self._flags[number] & _FREE and is_word(window[start - 1]):
                continue
            for target, only_allows in self._growth[number]:
                if not now.startswith(target) and may_grow_into(parts, target):
                    wait = min(wait, start)
                    hold = hold if only_allows else min(hold, start)
        return hold, wait

    def examine(
        self,
        window: str,
        found: list[tuple[int, int, int]],
        before: tuple[int, int],
        soft: int,
        final: bool,
    ) -> KeywordFindings:
        """Everything that a window holds, when words were hit in it.

        `before`: (length, soft) of the part of the window that was examined earlier: what was decided then is not
        reported again. `soft`: where the open segment begins.
        """
        size = len(window)
        hold, wait = (size, size) if final else self.alive(window, found)
        if self._growth and not final and soft < size:
            grown = self._growing(window, soft)
            hold, wait = min(hold, grown[0]), min(wait, grown[1])
        hits: list[Hit] = []
        for number, start, end in found:
            if number >= self.words or start == 0:
                continue
            for entry in self._entries[number]:
                if entry.left and is_word(window[start - 1]):
                    continue
                if entry.right and end < size and is_word(window[end]):
                    continue
                if not final and (end > soft or (entry.right and end == size)):
                    wait = min(wait, start)
                    if not entry.allow and not _led(entry.leads, window, start):
                        hold = min(hold, start)
                elif end > before[1] or (entry.right and end == before[0]):
                    hits.append(Hit(entry.rule, entry.allow, start, end))
        return KeywordFindings(hits, hold, wait)


def _led(leads: list[tuple[str, bool]], window: str, start: int) -> bool:
    for lead, edge in leads:
        begin = start - len(lead)
        if begin > 0 and window.startswith(lead, begin) and not (edge and is_word(window[begin - 1])):
            return True
    return False


def _last_cluster(word: str) -> int:
    at = len(word) - 1
    while at > 0 and is_joiner(word[at]):
        at -= 1
    return at


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


def _partials(word: str, *, cased: bool) -> Iterator[str]:
    """The proper prefixes of a word, and what stands in the lane while one of its clusters is still growing."""
    if word.isascii():
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
                grown = fold_cased(part)
                yield before + (grown if cased else fold_case(grown))
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
