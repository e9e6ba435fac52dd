"""Overlapping hits resolved into edits, in the order of the text.

Hits are taken by start; at one start halt before replace before redact, then the longest, then the smaller rule id.
A removal puts its mask for its span; another that overlaps it extends what is removed without a mask of its own. A
halt cuts the text where it starts, or after the mask of the removal that it overlaps.

Every hit is widened to whole grapheme clusters, so one whose last cluster may still grow waits for the next character.
"""

from __future__ import annotations

from dataclasses import dataclass

from guardrail.text.clusters import MAX_CLUSTER, cluster_starts, widen
from guardrail.text.rules import Action, Edit, Finding, Rule
from guardrail.text.track import Span, Track

_RANK = {Action.HALT: 0, Action.REPLACE: 1, Action.REDACT: 2, Action.LOG: 3}


@dataclass(frozen=True, slots=True)
class Halt:
    """The end of a channel: what is delivered ends at raw offset `cut` (after any edit that ends there)."""

    cut: int
    finding: Finding


class Pending:
    """Hits that wait for their turn: until what may still change them has been decided."""

    __slots__ = ("hits",)

    def __init__(self) -> None:
        self.hits: list[Span] = []

    def take(self, track: Track) -> None:
        """Take over the track's new hits, and drop every hit that lies inside an allow-phrase of its rule."""
        for hit in track.hits:
            if hit not in self.hits:
                self.hits.append(hit)
        track.hits.clear()
        if track.allowed:
            self.hits = [hit for hit in self.hits if not _is_allowed(hit, track.allowed)]
            oldest = min(track.wait, min((hit.start for hit in self.hits), default=track.wait))
            track.allowed = [span for span in track.allowed if span.end > oldest]

    def due(self, track: Track, *, final: bool) -> list[tuple[Span, int, int]]:
        """Remove and return the decided hits, each with its widened (start, end), in the order of resolution."""
        rules = track.matchers.rules
        keyed = []
        for hit in self.hits:
            start, end, settled = _widened(track, hit, final=final)
            keyed.append((_order(rules[hit.rule], start, end), settled, hit, start, end))
        keyed.sort(key=lambda row: row[0])
        due = []
        for _, settled, hit, start, end in keyed:
            if not settled or (start >= track.wait and not final):
                break
            due.append((hit, start, end))
            self.hits.remove(hit)
        return due

    def start(self, track: Track) -> int:
        """Where the first pending hit starts, widened; `received` when none is pending."""
        first = track.received
        for hit in self.hits:
            first = min(first, _widened(track, hit, final=False)[0])
        return first


def _is_allowed(hit: Span, allowed: list[Span]) -> bool:
    return any(a.rule == hit.rule and a.start <= hit.start and hit.end <= a.end for a in allowed)


def _order(rule: Rule, start: int, end: int) -> tuple[int, int, int, str]:
    return start, _RANK[rule.action], start - end, rule.id


def _widened(track: Track, hit: Span, *, final: bool) -> tuple[int, int, bool]:
    """(start, end, whether the end is settled) of a hit in whole clusters."""
    raw, at = track.raw, track.raw_at
    if raw.isascii() and "\r" not in raw:
        return hit.start, hit.end, final or hit.end < track.received
    start = at + widen(raw, hit.start - at, hit.end - at)[0]
    tail = raw[start - at :]
    end = start + widen(tail, 0, hit.end - start)[1]
    last = [s for s in cluster_starts(tail) if s < end - start][-1]
    settled = final or end < track.received or end - start - last >= MAX_CLUSTER
    return start, end, settled


def finding(rule: Rule, start: int, end: int, channel: str) -> Finding:
    return Finding(start, end, rule.id, rule.category, rule.severity, rule.action, channel)


class Sweep:
    """The removing rules of one channel: turns decided hits into edits, until one halts."""

    __slots__ = ("channel", "cut", "findings", "halt", "pending", "removed")

    def __init__(self, channel: str) -> None:
        self.channel = channel
        self.pending = Pending()
        self.findings: list[Finding] = []
        self.removed = 0
        """Where the last removal ends."""
        self.halt: Halt | None = None

    def step(self, track: Track, *, final: bool) -> tuple[Edit, ...]:
        """The edits that the track's state makes certain. Sets `halt` when one of them ends the channel."""
        self.pending.take(track)
        if not self.pending.hits:
            return ()
        edits: list[Edit] = []
        for hit, start, end in self.pending.due(track, final=final):
            rule = track.matchers.rules[hit.rule]
            self.findings.append(finding(rule, start, end, self.channel))
            if rule.action is Action.HALT:
                self.halt = Halt(max(start, self.removed), self.findings[-1])
                break
            if start >= self.removed:
                matched = track.raw[start - track.raw_at : end - track.raw_at]
                edits.append(Edit(start, end, rule.mask.render(matched)))
            elif end > self.removed:
                edits.append(Edit(self.removed, end, ""))
            self.removed = max(self.removed, end)
        return tuple(edits)
