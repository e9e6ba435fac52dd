"""One channel of model text: raw text in, decisions out.

For a channel with complete text T, the rules define one edited text and one list of findings; `Scanner` reaches them
however T is cut, never lets a character of a removed span be delivered, and holds a character only while some
continuation could still remove it. See docs/design.md for the exact definition.

Logging rules run apart from the removing ones and only over text that is settled, so that they can neither delay a
character nor be influenced by text after a halt.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from guardrail.text.edits import NO_LIMIT, Halt, Pending, Sweep, finding
from guardrail.text.rules import Edit, Finding
from guardrail.text.ruleset import Matchers, RuleSet, compile_rules
from guardrail.text.scores import Verdict
from guardrail.text.scoring import Scoring
from guardrail.text.track import Track

__all__ = ["Halt", "Log", "RuleSet", "Scanner", "compile_rules"]


_SLICE = 128
"""Code points looked at in one go: on hostile text some searches cost window by match, and this bounds the window; and
what needs the exact way through takes only its own neighbourhood along."""


class Log:
    """Findings of logging rules over the text it is given."""

    __slots__ = ("_channel", "_pending", "_track", "_waiting", "findings")

    def __init__(self, matchers: Matchers, channel: str) -> None:
        self._track = Track(matchers)
        self._channel = channel
        self._pending = Pending()
        self._waiting = ""
        self.findings: list[Finding] = []

    def feed(self, text: str) -> None:
        self._waiting += text
        if len(self._waiting) >= _SLICE:
            self.catch_up()

    def catch_up(self) -> None:
        """Look at what waits: nothing is delayed by it, and in one go it costs a fraction."""
        text, self._waiting = self._waiting, ""
        for at in range(0, len(text), _SLICE):
            self._track.feed(text[at : at + _SLICE])
            self._collect(final=False)

    def finish(self) -> None:
        self.catch_up()
        self._track.finish()
        self._collect(final=True)

    def end(self, at: int) -> None:
        """No more text comes, and what ends behind `at` does not count."""
        self.finish()
        self.findings = [found for found in self.findings if found.end <= at]

    def _collect(self, *, final: bool) -> None:
        track = self._track
        keep = track.wait
        if track.hits or self._pending.hits:
            self._pending.take(track)
            for row in self._pending.due(track, final=final):
                rule = track.matchers.rules[row.hit.rule]
                self.findings.append(finding(rule, row.start, row.end, self._channel, row.hit.document))
            keep = min(keep, self._pending.start(track))
        track.forget(keep)


def _whole_passages(found: list[Finding]) -> list[Finding]:
    """Findings with the parts of one passage of protected text as one."""
    whole: list[Finding] = []
    open_at: dict[tuple[str, str], int] = {}
    for one in found:
        at = open_at.get((one.rule, one.document)) if one.document else None
        if at is not None and one.start <= whole[at].end:
            whole[at] = dataclasses.replace(whole[at], end=max(one.end, whole[at].end))
            continue
        if one.document:
            open_at[one.rule, one.document] = len(whole)
        whole.append(one)
    return sorted(whole)


class Scanner:
    """The state of one channel.

    `received`: code points fed so far. `settled`: raw offset before which every character's fate is decided (it is
    delivered, or an Edit covers it); `received - settled` is the hold-back. `halt`: set once the channel has ended
    early; then `settled == halt.cut` and nothing beyond it is ever delivered. `ended`: no more text is taken.
    `scoring`: the units for a classifier (see `scored`, which opens the scanner that a policy needs); None where the
    rules have none.
    """

    __slots__ = ("_limit", "_log", "_sweep", "_track", "channel", "ended", "halt", "received", "scoring", "settled")

    def __init__(self, rules: RuleSet, channel: str = "content") -> None:
        self.channel = channel
        self.received = 0
        self.settled = 0
        self.halt: Halt | None = None
        self.ended = False
        self.scoring: Scoring | None = None
        self._limit = NO_LIMIT
        """Where hits may begin that depend on more than text."""
        self._track = None if rules.removing is None else Track(rules.removing)
        self._sweep = Sweep(channel)
        self._log = None if rules.logging is None else Log(rules.logging, channel)

    def feed(self, text: str) -> Sequence[Edit]:
        """Take the next text; return the edits decided by it: in order, disjoint, each ending at or before
        `settled`. After a halt or `finish`, nothing is taken and () returned."""
        if self.ended or not text:
            return ()
        self.received += len(text)
        track = self._track
        if track is None:
            self.settled = self.received
            if self._log is not None:
                self._log.feed(text)
            return ()
        if len(text) <= _SLICE:
            return self._step(track, text)
        edits: list[Edit] = []
        for at in range(0, len(text), _SLICE):
            edits += self._step(track, text[at : at + _SLICE])
            if self.halt is not None:
                break
        return edits

    def finish(self) -> Sequence[Edit]:
        """The channel is complete: settle everything. Idempotent."""
        if self.ended:
            return ()
        self.ended = True
        track = self._track
        edits: Sequence[Edit] = ()
        if track is not None:
            track.finish()
            edits = self._resolve(track, final=True)
        if self._log is not None and self.halt is None:
            self._log.finish()
        return edits

    @property
    def waiting(self) -> bool:
        """Whether text is held until units have their verdicts; after `finish`, or `cut_unit`, until all have."""
        return False

    def unchecked(self, end: int) -> int:
        """Of the edited text before raw offset `end`, at most `settled`: code points that lack their verdict."""
        return 0

    def score(self, number: int, verdict: Verdict) -> Sequence[Edit]:
        """Take the verdict of a unit that was due; return the edits decided by it, as `feed` does."""
        return ()

    def cut_unit(self) -> Sequence[Edit]:
        """The text pauses: the open unit ends here. Returns the edits decided by it, as `feed` does."""
        return ()

    def stop(self) -> None:
        """What is not settled will not be delivered: take no more text and no more verdicts."""
        self.ended = True

    def findings(self) -> list[Finding]:
        """The findings so far, in order of (start, end, rule); complete and final after `finish` or a halt."""
        found = set(self._sweep.findings)
        if self._log is not None:
            if not self.ended:
                self._log.catch_up()
            found.update(self._log.findings)
        return _whole_passages(sorted(found))

    def _step(self, track: Track, text: str) -> Sequence[Edit]:
        track.feed(text)
        if track.hits or self._sweep.open:
            return self._resolve(track, final=False)
        settled = track.hold
        if settled > self.settled:
            if self._log is not None:
                self._log.feed(track.between(self.settled, settled))
            self.settled = settled
            track.forget(track.wait)
        return ()

    def _resolve(self, track: Track, *, final: bool) -> Sequence[Edit]:
        sweep, limit = self._sweep, self._limit
        edits = sweep.step(track, final=final, limit=limit, between=self._between)
        if sweep.halt is not None:
            self._end(track, sweep.halt, edits)
        else:
            decided = min(track.hold, sweep.pending.start(track, sweep.removed), limit)
            self._settle(track, max(sweep.removed, decided))
        return edits

    def _between(self, start: int, end: int) -> str:
        """Raw text, of which some may not be settled."""
        return "" if self._track is None else self._track.between(start, end)

    def _settle(self, track: Track, settled: int) -> None:
        """Release what is before `settled`; the track keeps the raw text after it."""
        if settled <= self.settled:
            return
        if self._log is not None:
            self._log.feed(track.between(self.settled, settled))
        self.settled = settled
        # A hit that is still to come may start inside what a removal has settled already.
        track.forget(min(settled, track.wait, self._sweep.pending.start(track)))

    def _end(self, track: Track, halt: Halt, edits: Sequence[Edit]) -> None:
        """`edits`: those decided together with the halt."""
        self.halt = halt
        self.ended = True
        start, end = halt.finding.start, halt.finding.end
        if self._log is not None:
            # What is logged may depend on the text up to the halt's end, and on nothing after it.
            self._log.feed(self._between(self.settled, end))
            self._log.end(start)
        self.settled = halt.cut
        self._track = None
