"""Keyword rules over one lane: every occurrence of every term, and the live tail that must be held back.

ahocorasick-rs has no streaming interface, but the trie of a word list is the same trie when every *prefix* of every
word is a pattern of its own. So one overlapping search of a window (the live tail kept from before, plus the new
text) gives both the words that end in it and, among the hits that end at its end, every prefix that is still alive.

What is added to that here: word edges, which decide whether a prefix that starts in the middle of a word counts;
allow-phrases, which delay decisions but by themselves hold nothing back; *soft* ends: a last character that a
combining mark may still change keeps alive what it may change into; and readings (see `disguise`), in which a
character may stand for more than one of the window's.

All indices are into a window, which begins with one character of context (a line feed where the lane begins);
nothing can start at index 0.
"""

from __future__ import annotations

import dataclasses
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import ahocorasick_rs

from guardrail.text.clusters import Reach
from guardrail.text.disguise import MAX_RUN, Reading
from guardrail.text.fold import decompose_last, may_grow_into
from guardrail.text.reach import reach_of
from guardrail.text.scripts import is_word
from guardrail.text.terms import Entry, Role, Way, last_cluster, partials

# What a prefix (a pattern of the automaton) keeps alive. EDGE: only when a word edge precedes it.
_HOLD_FREE, _HOLD_EDGE, _WAIT_FREE, _WAIT_EDGE, _KEEP_FREE, _KEEP_EDGE = 1, 2, 4, 8, 16, 32
_FREE = _HOLD_FREE | _WAIT_FREE | _KEEP_FREE
_HOLD = _HOLD_FREE | _HOLD_EDGE
_WAIT = _WAIT_FREE | _WAIT_EDGE
_BITS = 6
_ALL = (1 << _BITS) - 1
_LEET = 1 << Way.LEET
_SHORT = 64
"""Characters of a reading that are searched whole, since picking would cost as much."""
_KEPT_LETTERS = 2
"""Letters of a leet hit that must be read as they are: `b0mb` is a word, `a55` the name of a thing."""


Spare = Callable[[int, int], bool]
"""Whether a stretch of the window, by start and end, is a word of another alphabet, and no Latin one in disguise."""


@dataclass(frozen=True, slots=True)
class Hit:
    """An occurrence of a phrase, in window indices."""

    entry: Entry
    start: int
    end: int

    @property
    def allow(self) -> bool:
        return self.entry.allow


@dataclass(slots=True)
class Alive:
    """Where, in window indices, what may yet come to something begins; the window's length where nothing does.

    `hold`: no text from here on may be released. `wait`: no hit that starts here or later may be decided, since a
    longer one or an allow-phrase may still cover it. `keep`: the window is needed from here on.
    """

    hold: int
    wait: int
    keep: int

    def count(self, flags: int, start: int, doomed: bool = False) -> None:
        """Something that keeps alive what `flags` say begins at `start`."""
        if start < self.keep:
            self.keep = start
        if flags & _WAIT and start < self.wait:
            self.wait = start
        if flags & _HOLD and start < self.hold and not doomed:
            self.hold = start

    def join(self, other: Alive) -> None:
        self.hold = min(self.hold, other.hold)
        self.wait = min(self.wait, other.wait)
        self.keep = min(self.keep, other.keep)


_FAR = 1 << 62
NOTHING = Alive(_FAR, _FAR, _FAR)
"""Nothing is alive: told by identity, to spare making one for each look."""


@dataclass(frozen=True, slots=True)
class KeywordFindings:
    """What one window holds: decided hits, and what is alive."""

    hits: list[Hit]
    alive: Alive
    soft: int
    """A hit that ends behind this index was not decided."""


class KeywordMatcher:
    """Phrases that are looked for together, compiled into one automaton.

    `folds`: how the lanes that it will search fold a raw segment; none for the raw lane.
    """

    def __init__(self, *folds: Callable[[str], str]) -> None:
        self._folds = folds
        self._words: dict[str, tuple[Entry, ...]] = {}
        self._entries: list[tuple[Entry, ...]] = []
        self._doom: dict[int, list[tuple[tuple[str, bool], ...]]] = {}
        self._needs: dict[int, list[tuple[int, ...]]] | None = None
        self._ways = 0
        self.reach = Reach.NONE

    def add(self, phrases: Iterable[tuple[str, Entry]]) -> None:
        """Add the phrases of one rule, each in the form that it has in the lane or reading."""
        words = self._words
        alone: dict[int, tuple[Entry, ...]] = {}
        allowed: list[tuple[str, Entry]] = []
        for word, entry in phrases:
            known = words.get(word)
            if known is not None:
                words[word] = (*known, entry)
                self._ways |= entry.ways
            elif (one := alone.get(id(entry))) is not None:
                words[word] = one
            else:
                words[word] = alone[id(entry)] = (entry,)
                self._ways |= entry.ways
            if entry.role is Role.ALLOW:
                allowed.append((word, entry))
            elif entry.role is not Role.CONTEXT and (word[0] == " " or not word[0].isascii()):
                self.reach |= _reach(word[0], entry.left)
        for phrase, allow in allowed:
            for cut in range(len(phrase)):
                word = phrase[cut:]
                if word in words:
                    words[word] = tuple(_led_by(entry, phrase[:cut], allow) for entry in words[word])

    def compile(self) -> bool:
        """Build the automaton, once, after the last `add`. False when there is nothing to look for."""
        if not self._words:
            return False
        flags: dict[str, int] = {}
        room: dict[str, int] = {}
        open_terms: set[str] = set()
        doom: dict[str, list[tuple[tuple[str, bool], ...]]] = {}
        needs: dict[str, list[tuple[int, ...]] | None] = {}
        excused = any(entry.leads for entries in self._words.values() for entry in entries)
        counted = any(entry.runs for entries in self._words.values() for entry in entries)
        for word, entries in self._words.items():
            keep = _keeps(entries)
            leads = [entry.leads for entry in entries if entry.role in _HOLDING]
            spared = bool(leads) and all(leads)
            flags.setdefault(word, 0)
            size = len(word)
            leet = any(entry.ways & _LEET for entry in entries)
            for prefix in partials(word, self._folds):
                flags[prefix] = flags.get(prefix, 0) | keep
                if leet and room.get(prefix, 0) < size:
                    room[prefix] = size
                if spared:
                    doom.setdefault(prefix, []).extend(leads)
                elif excused and leads:
                    open_terms.add(prefix)
                if counted:
                    _need(needs, prefix, entries)
        order = list(self._words) + [prefix for prefix in flags if prefix not in self._words]
        # Words come first, so that one look at the smallest pattern number tells whether a word was hit.
        bits = [flags[prefix] for prefix in order]
        self._flags = [
            bytes([keep >> _BITS * way & _ALL for keep in bits]) if self._ways & 1 << way else b"" for way in Way
        ]
        self._room = bytes([min(room.get(prefix, 0), 255) for prefix in order]) if room else b""
        self._entries = list(self._words.values())
        self._doom = (
            {number: doom[prefix] for number, prefix in enumerate(order) if prefix in doom and prefix not in open_terms}
            if doom
            else {}
        )
        if counted:
            found = ((number, needs.get(prefix)) for number, prefix in enumerate(order))
            self._needs = {number: need for number, need in found if need is not None}
        growth = self._growth_of_words()
        self._growth = (
            {number: growth[prefix] for number, prefix in enumerate(order) if prefix in growth} if growth else {}
        )
        self._find = _automaton(order)
        self.words = len(self._entries)
        self._longest = max(map(len, self._words))
        self._words = {}
        return True

    def _growth_of_words(self) -> dict[str, list[tuple[str, bool]]]:
        """What may still grow into the last cluster of a word that needs no edge after it, by how it begins now."""
        growth: dict[str, list[tuple[str, bool]]] = {}
        for word, entries in self._words.items():
            if word.isascii():
                continue
            last = last_cluster(word)
            parts = unicodedata.normalize("NFD", last)
            edgeless = [entry for entry in entries if not entry.right]
            if len(parts) > 1 and edgeless:
                only_allows = all(entry.allow for entry in edgeless)
                growth.setdefault(word[: -len(last)] + parts[0], []).append((last, only_allows))
        return growth

    def finds(self, way: Way) -> bool:
        """Whether anything is looked for in this way."""
        return bool(self._ways & 1 << way)

    def search(self, window: str) -> list[tuple[int, int, int]]:
        """Every pattern in the window as (number, start, end), by end."""
        found: list[tuple[int, int, int]] = self._find(window, True)
        return found

    def glance(self, window: str, way: Way = Way.PLAIN) -> Alive | None:
        """What is alive in a window that is read as it is, or NOTHING; None when a word was hit."""
        found = self._find(window, True)
        words = self.words
        for hit in found:
            if hit[0] < words:
                return None
        size = len(window)
        if not found or found[-1][2] < size:
            return NOTHING
        return self._alive(window, found, way)

    def _alive(self, window: str, found: list[tuple[int, int, int]], way: Way) -> Alive:
        """The prefixes that end at the window's end; complete words are not looked at."""
        size = len(window)
        alive = Alive(size, size, size)
        flags = self._flags[way]
        for number, start, end in reversed(found):
            if end < size:
                break
            if start == 0:
                continue
            keep = flags[number]
            if keep & _FREE != keep and is_word(window[start - 1]):
                keep &= _FREE
            if keep:
                alive.count(keep, start, bool(self._doom) and self._doomed(number, window, start))
        return alive

    def _doomed(self, number: int, window: str, start: int) -> bool:
        """Whether every term that this prefix may become would lie inside an allow-phrase."""
        groups = self._doom.get(number)
        return groups is not None and all(_led(leads, window, start) for leads in groups)

    def _growing(self, window: str, soft: int, way: Way) -> Alive:
        """The words that the open segment may yet complete although it has other marks already."""
        size = len(window)
        alive = Alive(size, size, size)
        base, parts = decompose_last(window, soft)
        view = window[:base] + parts[0]
        if len(parts) == 1:
            return alive
        now = unicodedata.normalize("NFC", parts)
        for number, start, end in self.search(view):
            if end < len(view) or start == 0 or number not in self._growth:
                continue
            if not self._flags[way][number] & _FREE and is_word(window[start - 1]):
                continue
            for target, only_allows in self._growth[number]:
                if not now.startswith(target) and may_grow_into(parts, target):
                    alive.count(_WAIT_FREE if only_allows else _WAIT_FREE | _HOLD_FREE, start)
        return alive

    def examine(
        self,
        window: str,
        before: tuple[int, int],
        soft: int,
        final: bool,
        way: Way = Way.PLAIN,
        spare: Spare | None = None,
        patient: bool = False,
    ) -> KeywordFindings:
        """Everything that a window holds that is read as it is.

        `before`: (length, soft) of the part of the window that was examined earlier: what was decided then is not
        reported again. `soft`: where the open segment begins. `spare`: see `Spare`.
        `patient`: what stands at the end is not spared yet: a repeat of its last letter may be of another alphabet.
        """
        size = len(window)
        found = self.search(window)
        alive = Alive(size, size, size) if final else self._alive(window, found, way)
        if self._growth and not final and soft < size:
            alive.join(self._growing(window, soft, way))
        hits: list[Hit] = []
        for number, start, end in found:
            if number >= self.words or start == 0:
                continue
            for entry in self._entries[number]:
                if way is not Way.PLAIN and not entry.ways & 1 << way:
                    continue
                undecided = not final and (end > soft or (entry.right and end == size))
                if _misplaced(entry, window, start, end, None if undecided and patient else spare):
                    continue
                if undecided:
                    alive.count(_UNDECIDED[entry.role], start, _led(entry.leads, window, start))
                elif end > before[1] or (entry.right and end == before[0]):
                    hits.append(Hit(entry, start, end))
        return KeywordFindings(hits, alive, soft)

    def glance_reading(self, window: str, reading: Reading, way: Way) -> Alive | None:
        """What is alive in a reading of the window; None when a word was hit."""
        if reading.hits:
            words = self.words
            for part in self._parts(reading):
                for hit in self._find(part, True):
                    if hit[0] < words:
                        return None
        return self._alive_in(window, reading, way)

    def examine_reading(
        self,
        window: str,
        reading: Reading,
        before: tuple[int, int],
        soft: int,
        final: bool,
        way: Way,
        spare: Spare,
    ) -> KeywordFindings:
        """Everything that a reading of the window holds."""
        size = len(window)
        soft = min(soft, reading.soft)
        alive = Alive(size, size, size) if final else self._alive_in(window, reading, way)
        hits: list[Hit] = []
        for number, first, last in self.search(reading.text) if reading.hits else ():
            if number >= self.words or first == 0:
                continue
            start, end = reading.starts[first], reading.ends[last - 1]
            for entry in self._entries[number]:
                if not entry.ways & 1 << way:
                    continue
                undecided = not final and (end > soft or (entry.right and end == size))
                # A run may yet go on in another alphabet.
                judged = None if undecided and entry.runs is not None else spare
                if _misplaced(entry, window, start, end, judged) or _misread(
                    entry, window, reading, first, last, way, growing=undecided
                ):
                    continue
                if undecided:
                    alive.count(_UNDECIDED[entry.role], start)
                elif end > before[1] or (entry.right and end == before[0]):
                    hits.append(Hit(entry, start, end))
        return KeywordFindings(hits, alive, soft)

    def _parts(self, reading: Reading) -> Iterator[str]:
        """What of a reading, behind the context, may hold words that it alone shows: all of a short one."""
        text, reach = reading.text, self._longest
        if len(text) <= _SHORT:
            yield text[1:]
            return
        begin = end = 1
        for spot in reading.spots:
            if spot - reach > end:
                if end > begin:
                    yield text[begin:end]
                begin = spot - reach
            end = spot + reach
        if end > begin:
            yield text[begin:end]

    def candidates(
        self, window: str, reading: Reading, way: Way, spare: Spare | None
    ) -> Iterator[tuple[Entry, int, int, str]]:
        """For an explanation: every occurrence in a whole text as (entry, start, end, why it does not count or "")."""
        for number, first, last in self.search(reading.text):
            if number < self.words and first > 0:
                start, end = reading.starts[first], reading.ends[last - 1]
                for entry in self._entries[number]:
                    if way is Way.PLAIN or entry.ways & 1 << way:
                        fault = _misplaced(entry, window, start, end, spare)
                        yield entry, start, end, fault or _misread(entry, window, reading, first, last, way)

    def _alive_in(self, window: str, reading: Reading, way: Way) -> Alive:
        """The prefixes that a reading may go on with."""
        size = len(window)
        alive = Alive(size, size, size)
        flags = self._flags[way]
        whole = len(reading.text)
        # No prefix that lives begins before this.
        cut = max(0, whole - self._longest)
        for ending in reading.endings:
            text = reading.text[cut:] + ending
            end = len(text)
            for number, first, last in reversed(self._find(text, True)):
                if last < end:
                    break
                first += cut
                last += cut
                if first == 0 or first >= whole:
                    continue
                keep = flags[number]
                start = reading.starts[first]
                if keep & _FREE != keep and is_word(window[start - 1]):
                    keep &= _FREE
                if not keep:
                    continue
                if way is Way.LEET:
                    left = self._room[number] - (last - first)
                    if _kept(window, reading, first, whole) + left < _KEPT_LETTERS:
                        continue
                if self._needs is not None and not self._may_do(self._needs.get(number), reading, first, whole):
                    continue
                alive.count(keep, start)
        return alive

    @staticmethod
    def _may_do(needs: list[tuple[int, ...]] | None, reading: Reading, first: int, last: int) -> bool:
        """Whether the runs are long enough for some word that has this prefix; the last one may still grow."""
        if needs is None:
            return all(reading.ends[i] - reading.starts[i] <= MAX_RUN for i in range(first, last))
        return any(_long_enough(reading, first, last, need, growing=True) for need in needs)


_HOLDING = frozenset({Role.TERM, Role.FIRST, Role.SECOND})
_UNDECIDED = {
    Role.TERM: _WAIT_FREE | _HOLD_FREE,
    Role.FIRST: _WAIT_FREE | _HOLD_FREE,
    Role.SECOND: _WAIT_FREE | _HOLD_FREE,
    Role.ALLOW: _WAIT_FREE,
    Role.CONTEXT: _KEEP_FREE,
}


@lru_cache(maxsize=65536)
def _reach(first: str, edge: bool) -> Reach:
    """The reach of a word that begins so. A space of the folded lane may be a line feed; what needs a word edge cannot
    follow a linker."""
    reach = reach_of("\n" if first == " " else first)
    return reach & ~Reach.CONSONANT if edge else reach


def _keeps(entries: Sequence[Entry]) -> int:
    """What a prefix of these phrases keeps alive, in each way."""
    keep = 0
    for entry in entries:
        keep |= _keep(entry.role, entry.left, entry.ways)
    return keep


@lru_cache(maxsize=256)
def _keep(role: Role, left: bool, ways: int) -> int:
    own = _KEEP_FREE
    if role is not Role.CONTEXT:
        own |= _WAIT_FREE
    if role in _HOLDING:
        own |= _HOLD_FREE
    # In the folded lane every form is looked for.
    return sum(own << left << _BITS * way for way in Way if ways & 1 << way or way is Way.PLAIN)


def _need(needs: dict[str, list[tuple[int, ...]] | None], prefix: str, entries: Sequence[Entry]) -> None:
    """Note how long the runs of a prefix must be: one of these; None: no longer than one character each."""
    known = needs.setdefault(prefix, [])
    for entry in entries:
        runs = entry.runs[: len(prefix)] if entry.runs else ()
        if known is None or all(run == 1 for run in runs[:-1]):
            needs[prefix] = None
            return
        if runs not in known:
            known.append(runs)


def _misplaced(entry: Entry, window: str, start: int, end: int, spare: Spare | None) -> str:
    """Why an occurrence does not count where it stands; empty when it does."""
    if entry.left and is_word(window[start - 1]):
        return "no word edge before it"
    if entry.right and end < len(window) and is_word(window[end]):
        return "no word edge behind it"
    if spare is not None and entry.latin and spare(start, end):
        return "a word of another alphabet"
    return ""


def _misread(
    entry: Entry, window: str, reading: Reading, first: int, last: int, way: Way, *, growing: bool = False
) -> str:
    """Why an occurrence in a reading does not count as it is read; empty when it does. `growing`: its last run may."""
    if way is Way.LEET and _kept(window, reading, first, last) < _KEPT_LETTERS:
        return "too few letters are read as they are"
    if entry.runs is not None and not _long_enough(reading, first, last, entry.runs, growing=growing):
        return "a repeat is too short, or too long to be one"
    return ""


def _led_by(entry: Entry, lead: str, allow: Entry) -> Entry:
    """The entry of a term that ends where this allow-phrase of its rule does."""
    if entry.rule != allow.rule or entry.role is not Role.TERM or (allow.right and not entry.right):
        return entry
    return dataclasses.replace(entry, leads=(*entry.leads, (lead, allow.left)))


def _automaton(patterns: Iterable[str]) -> Callable[[str, bool], list[tuple[int, int, int]]]:
    """An overlapping search for the patterns, by end."""
    # Building it holds the interpreter but where the next pattern is asked for in Python, and at the end for as long as
    # the failure links take. This kind needs a third less time for them than the default, and less memory.
    automaton = ahocorasick_rs.AhoCorasick(
        (pattern for pattern in patterns),
        matchkind=ahocorasick_rs.MatchKind.Standard,
        store_patterns=False,
        implementation=ahocorasick_rs.Implementation.NoncontiguousNFA,
    )
    search: Callable[[str, bool], list[tuple[int, int, int]]] = automaton.find_matches_as_indexes
    return search


def _led(leads: Sequence[tuple[str, bool]], window: str, start: int) -> bool:
    for lead, edge in leads:
        begin = start - len(lead)
        if begin > 0 and window.startswith(lead, begin) and not (edge and is_word(window[begin - 1])):
            return True
    return False


def _kept(window: str, reading: Reading, first: int, last: int) -> int:
    """How many letters of a stretch of a reading are read as they are."""
    text, starts = reading.text, reading.starts
    return sum(text[i].isalpha() and window[starts[i]] == text[i] for i in range(first, last))


def _long_enough(reading: Reading, first: int, last: int, runs: Sequence[int], *, growing: bool = False) -> bool:
    starts, ends = reading.starts, reading.ends
    return all(
        ends[i] - starts[i] <= MAX_RUN and (ends[i] - starts[i] >= run or (growing and i == last - 1))
        for i, run in zip(range(first, last), runs, strict=False)
    )
