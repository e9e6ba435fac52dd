"""Overlapping hits resolved into edits, in the order of the text.

Hits are taken by start; at one start halt before replace before redact, then the longest, then the smaller rule id.
A removal puts its mask for its span; another that overlaps it extends what is removed without a mask of its own. A
halt cuts the text where it starts, or after the mask of the removal that it overlaps.

Every hit is widened to whole grapheme clusters, so one whose last cluster may still grow waits for the next character.
What is removed of it is what `markup` says: each part is taken where it starts, one of them with the mask.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from guardrail.text.clusters import cluster_starts
from guardrail.text.markup import BEHIND, fitted, removed_parts
from guardrail.text.rules import Action, Edit, Finding, NearRule, Rule
from guardrail.text.scores import ScoreRule
from guardrail.text.track import Span, Track

NO_LIMIT = 1 << 62
"""Beyond the end of any text."""

_RANK = {Action.HALT: 0, Action.REPLACE: 1, Action.REDACT: 2, Action.LOG: 3}


def edited(text: str, edits: Sequence[Edit]) -> str:
    """`text` with edits (in order, disjoint) applied."""
    out: list[str] = []
    at = 0
    for edit in edits:
        out += (text[at : edit.start], edit.text)
        at = edit.end
    out.append(text[at:])
    return "".join(out)


@dataclass(frozen=True, slots=True)
class Halt:
    """The end of a channel: what is delivered ends at raw offset `cut` (after any edit that ends there)."""

    cut: int
    finding: Finding
    behind: int = 0
    """Code points of edited text that had been delivered from the finding's start on, and are to be withdrawn: 0 but
    for a late verdict within a lag budget."""
    beyond: int = 0
    """Of those, the ones from the finding's end on."""


class Row(NamedTuple):
    """A hit whose turn may have come, or a part of one."""

    order: tuple[int, int, int, str]
    settled: bool
    """Its end can no longer move."""
    hit: Span
    start: int
    end: int
    mask: str | None = None
    """Of a part: what stands for it. None: it is a hit, and nothing has been made of it yet."""


Split = Callable[[Rule, Span, int, int], Sequence[tuple[int, int, str]]]
"""What is removed of a hit [start, end): parts in order, and what stands for each."""


class Pending:
    """Hits that wait for their turn: until what may still change them has been decided.

    Each call costs in proportion to what is pending and to the raw text that the track still has.
    """

    __slots__ = ("hits", "parts")

    def __init__(self) -> None:
        self.hits: dict[Span, None] = {}
        self.parts: list[Row] = []
        """Of hits whose turn has come: the parts whose turn has not."""

    def take(self, track: Track) -> None:
        """Take over the track's new hits, and drop every hit that lies inside an allow-phrase of its rule."""
        self.hits.update(dict.fromkeys(track.hits))
        track.hits.clear()
        if track.allowed:
            shield = _Shield(track.allowed)
            self.hits = {hit: None for hit in self.hits if not shield.covers(hit)}
            oldest = min(track.wait, min((hit.start for hit in self.hits), default=track.wait))
            track.allowed = [span for span in track.allowed if span.end > oldest]

    def due(self, track: Track, *, final: bool, limit: int = NO_LIMIT, split: Split | None = None) -> list[Row]:
        """Remove and return the decided hits, each widened, in the order of resolution, and among them the parts into
        which they `split`. `limit`: where hits may begin that the track does not know of."""
        wait = limit if final else min(track.wait, limit)
        widen = _Widening(track, final=final)
        rules = track.matchers.rules
        rows, self.parts = self.parts, []
        for hit in self.hits:
            start, end, settled = widen(hit)
            rows.append(Row(_order(rules[hit.rule], start, end), settled, hit, start, end))
        rows.sort(key=lambda row: row.order)
        due: list[Row] = []
        for at, row in enumerate(rows):  # it grows behind `at`
            if not row.settled or row.start >= wait:
                self.parts = [left for left in rows[at:] if left.mask is not None]
                break
            due.append(row)
            if row.mask is None:
                del self.hits[row.hit]
                rule = rules[row.hit.rule]
                if split is not None and rule.action is not Action.HALT:
                    for start, end, mask in split(rule, row.hit, row.start, row.end):
                        part = Row(_order(rule, start, end), True, row.hit, start, end, mask)
                        insort(rows, part, lo=at + 1, key=lambda row: row.order)
        return due

    def start(self, track: Track, removed: int = -1) -> int:
        """Where the first pending hit starts, widened; `received` when none is pending. Removals that surely end at or
        before `removed` do not count: they remove nothing more."""
        first = track.received
        for part in self.parts:
            if part.start < first and part.end > removed:
                first = part.start
        if self.hits:
            widen = _Widening(track, final=False)
            for hit in self.hits:
                start, end, settled = widen(hit)
                spent = settled and end <= removed and track.matchers.rules[hit.rule].action is not Action.HALT
                if start < first and not spent:
                    first = start
        return first


class _Shield:
    """Allow-phrases of each rule, by start, with the furthest end of those up to there."""

    def __init__(self, allowed: list[Span]) -> None:
        self._by_rule: dict[int, tuple[list[int], list[int]]] = {}
        for span in sorted(allowed, key=lambda span: span.start):
            starts, ends = self._by_rule.setdefault(span.rule, ([], []))
            starts.append(span.start)
            ends.append(max(span.end, ends[-1]) if ends else span.end)

    def covers(self, hit: Span) -> bool:
        starts, ends = self._by_rule.get(hit.rule, ([], []))
        at = bisect_right(starts, hit.start)
        return at > 0 and hit.end <= ends[at - 1]


class _Widening:
    """The whole clusters that hold a hit: (start, end, whether the end can no longer move)."""

    def __init__(self, track: Track, *, final: bool) -> None:
        raw = track.raw
        self._plain = raw.isascii() and "\r" not in raw
        self._at = track.raw_at
        self._received = track.raw_at + len(raw)
        self._starts = [] if self._plain else cluster_starts(raw)
        self._final = final
        self._unwidened = track.matchers.raw_rules

    def __call__(self, hit: Span) -> tuple[int, int, bool]:
        if hit.rule in self._unwidened:
            return hit.start, hit.end, True
        if self._plain:
            return hit.start, hit.end, self._final or hit.end < self._received
        starts, at = self._starts, self._at
        start = at + starts[max(bisect_right(starts, hit.start - at) - 1, 0)]
        end = at + starts[bisect_left(starts, hit.end - at)]
        return start, end, self._final or end < self._received


def _order(rule: Rule, start: int, end: int) -> tuple[int, int, int, str]:
    return start, _RANK[rule.action], start - end, rule.id


def finding(rule: Rule, start: int, end: int, channel: str, document: str) -> Finding:
    return Finding(start, end, rule.id, rule.category, rule.severity, rule.action, channel, document)


class Sweep:
    """The removing rules of one channel: turns decided hits into edits, until one halts."""

    __slots__ = ("_passage", "channel", "cut", "findings", "halt", "pending", "removed")

    def __init__(self, channel: str) -> None:
        self.channel = channel
        self.pending = Pending()
        self.findings: list[Finding] = []
        self.removed = 0
        """Where the last removal ends."""
        self._passage = (-1, -1)
        """Rule and end of the last part of a protected passage: a part that starts there goes on with it."""
        self.halt: Halt | None = None

    @property
    def open(self) -> bool:
        """Whether anything is pending."""
        return bool(self.pending.hits or self.pending.parts)

    def step(
        self,
        track: Track,
        *,
        final: bool,
        limit: int = NO_LIMIT,
        between: Callable[[int, int], str] | None = None,
    ) -> tuple[Edit, ...]:
        """The edits that the track's state makes certain. Sets `halt` when one of them ends the channel. `limit`: see
        `Pending.due`. `between` gives the raw text of a span, which may reach `BEHIND` code points back from a hit; by
        default the track does."""
        between = between or track.between
        self.pending.take(track)
        if not self.open:
            return ()
        edits: list[Edit] = []
        split = partial(self._split, track, between)
        for row in self.pending.due(track, final=final, limit=limit, split=split):
            start, end = row.start, row.end
            if row.mask is None:
                rule = track.matchers.rules[row.hit.rule]
                self.findings.append(finding(rule, start, end, self.channel, row.hit.document))
                if rule.action is Action.HALT:
                    self.halt = Halt(max(start, self.removed), self.findings[-1])
                    break
            else:
                if start >= self.removed:
                    edits.append(Edit(start, end, row.mask))
                elif end > self.removed:
                    edits.append(Edit(self.removed, end, ""))
                self.removed = max(self.removed, end)
        return tuple(edits)

    def _split(
        self, track: Track, between: Callable[[int, int], str], rule: Rule, hit: Span, start: int, end: int
    ) -> list[tuple[int, int, str]]:
        if hit.document:
            goes_on = self._passage == (hit.rule, start)
            self._passage = hit.rule, end
            return [(start, end, "" if goes_on else rule.mask.render(between(start, end)))]
        text, whole = between(start, end), rule.mask.render(between(start, end))
        exact, wide = hit.rule in track.matchers.raw_rules, isinstance(rule, ScoreRule | NearRule)
        if not isinstance(rule, ScoreRule) and (exact or not (whole or wide)):
            return [(start, end, whole)]
        before = between(max(start - BEHIND, 0), start)
        parts = removed_parts(before, text, wide=wide)
        removed = "".join([text[part.start : part.end] for part in parts])
        out = []
        for part in parts:
            mask = ""
            if part.masked:
                # Of an exact hit the next character may be unknown yet; of others it is why they have waited.
                after = between(start + part.end, start + part.end + 1) if part.end < len(text) or not exact else ""
                mask = fitted(rule.mask.render(removed), (before + text[: part.start])[-BEHIND:], after)
            out.append((start + part.start, start + part.end, mask))
        return out
