"""Protected text: finds the passages of known documents in a channel as they are written.

A *passage* is what a `ProtectRule` removes: it begins with the unit that completes a shingle of one of the documents
(see `shingles`), so that one unit less than a shingle may be quoted, and it ends with the last unit of the run of
units that complete one.

Promises: what is found does not depend on how the text was cut; text is held only while it may be part of a passage,
which is decided from hashes: the open unit when the units before it open a shingle, and what follows a passage until
the next unit is known. Never holds a document, and keeps of the channel's text one shingle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from guardrail.text.rules import Action, Rule
from guardrail.text.shingles import Shape, Shingler, Unit, UnitReader, shingles

MAX_GAP = 256
"""Raw characters between two units of one passage; beyond that a new one begins. A stream is held as long."""

SYSTEM_PROMPT = "system_prompt"
"""The name of the document that a request's own system prompt is."""


class Fingerprints(Protocol):
    """The hashes of some documents, as `shingles.shingles` makes them."""

    @property
    def shape(self) -> Shape: ...

    def documents(self, shingle: int) -> Sequence[int]:
        """The documents with this shingle, in ascending order; empty for none."""
        ...

    def opens(self, opening: int) -> bool:
        """Whether a shingle that a stream spells out may have this opening."""
        ...

    def name(self, document: int) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectRule(Rule):
    """Passages of protected documents."""

    fingerprints: Fingerprints | None
    """None: of the request's own system prompt, which is known only when a request comes."""


class PromptFingerprints:
    """The system prompt of a request: each of its texts by itself, all of them one document."""

    __slots__ = ("_openings", "_shingles", "shape")

    def __init__(self, texts: Sequence[str]) -> None:
        """Costs some microseconds a word."""
        self.shape = Shape()
        found = [pair for text in texts for pair in shingles(text, self.shape)]
        self._shingles = frozenset(shingle for shingle, _ in found)
        self._openings = frozenset(opening for _, opening in found if opening is not None)

    def __len__(self) -> int:
        return len(self._shingles)

    def documents(self, shingle: int) -> Sequence[int]:
        return (0,) if shingle in self._shingles else ()

    def opens(self, opening: int) -> bool:
        return opening in self._openings

    def name(self, document: int) -> str:
        return SYSTEM_PROMPT


@dataclass(frozen=True, slots=True)
class Passage:
    """A unit that is part of a passage, with what stands between it and the unit before if that is, too.

    Those of one passage touch, and are one removal. (Those of a rule that halts do not: the first is the end of it.)
    """

    rule: int
    start: int
    end: int
    document: str
    """The first of the documents that all of the passage up to here is from; where it goes from one document into
    another, of those that the last of it is from."""


class _Watch:
    """One rule, and what its documents have to say of the text so far."""

    __slots__ = ("_candidates", "_fingerprints", "_joins", "_rule", "_shingler", "end", "may_complete")

    def __init__(self, index: int, rule: ProtectRule, fingerprints: Fingerprints) -> None:
        self._rule = index
        self._fingerprints = fingerprints
        self._joins = rule.action is not Action.HALT
        self._shingler = Shingler(fingerprints.shape)
        self._candidates: Sequence[int] = ()
        self.end = -1
        """Where the passage ends that the next unit may go on with; -1 for none."""
        self.may_complete: bool | None = None
        """Whether the open unit may complete a shingle, as far as that is known yet."""

    def take(self, units: list[Unit], hits: list[Passage]) -> None:
        shingler, fingerprints = self._shingler, self._fingerprints
        for text, start, end in units:
            shingler.add(text)
            documents: Sequence[int] = ()
            if self.may_complete is not False:
                shingle = shingler.shingle()
                if shingle is not None:
                    documents = fingerprints.documents(shingle)
            self.may_complete = None
            if documents:
                hits.append(self._passage(start, end, documents))
            else:
                self.end = -1

    def _passage(self, start: int, end: int, documents: Sequence[int]) -> Passage:
        if self.end >= 0 and start - self.end <= MAX_GAP:
            documents = [one for one in self._candidates if one in documents] or documents
            start = min(start, self.end)
        self._candidates = documents
        if self._joins:
            self.end = end
        return Passage(self._rule, start, end, self._fingerprints.name(documents[0]))

    def look(self, reader: UnitReader) -> None:
        """Find out about the open unit."""
        opening = self._shingler.opening(word=not reader.syllable)
        self.may_complete = opening is not None and self._fingerprints.opens(opening)


class Passages:
    """The passages of one channel, for one group of rules.

    After each `feed` or `finish`: `hits` has those that were found, in the order of their ends for each rule (the
    caller empties it), and no hit that is still to come starts before `hold`. Offsets are code points of the raw text.
    """

    __slots__ = ("_reader", "_watches", "hits", "hold")

    def __init__(self, rules: Sequence[tuple[int, ProtectRule, Fingerprints]]) -> None:
        self._reader = UnitReader()
        self._watches = [_Watch(index, rule, fingerprints) for index, rule, fingerprints in rules]
        self.hits: list[Passage] = []
        self.hold = 0

    def feed(self, text: str) -> None:
        """Take the next raw text, not empty."""
        reader = self._reader
        units = reader.push(text)
        hold = reader.read
        for watch in self._watches:
            if units:
                watch.take(units, self.hits)
            start = reader.read
            if reader.open:
                if watch.may_complete is None:
                    watch.look(reader)
                if not watch.may_complete:
                    continue
                start = reader.open_at
            if watch.end >= 0 and start - watch.end <= MAX_GAP:
                start = min(start, watch.end)  # the unit before may share its one character
            if start < hold:
                hold = start
        self.hold = hold

    def finish(self) -> None:
        """No more text comes: decide everything."""
        units = self._reader.finish()
        for watch in self._watches:
            watch.take(units, self.hits)
        self.hold = self._reader.read
