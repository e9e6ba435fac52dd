"""One channel under a policy with a classifier: a scanner that also waits for verdicts.

What may be delivered ends where the rules say, and at the first unit without a verdict (or the lag budget behind its
start). A hit takes effect when nothing before it is undecided, whoever found it. Where no level removes anything,
nothing waits: the units are then cut from text that is settled, as the rules that only report read it.

Verdicts may come in any order and at any time; with `lag_budget: 0` what is delivered and found is the same for all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from guardrail.text.edits import Halt, finding
from guardrail.text.markup import BEHIND
from guardrail.text.rules import Edit, Finding
from guardrail.text.ruleset import NO_MATCHERS, Matchers, RuleSet, Scored
from guardrail.text.scanner import Log, Scanner
from guardrail.text.scores import ScoreRule, Verdict
from guardrail.text.scoring import Fired, Scoring
from guardrail.text.track import Span, Track, stretch


def open_scanner(rules: RuleSet, channel: str = "content", *, whole: bool = False) -> Scanner:
    """The scanner for a channel. `whole`: its text is complete and nothing of it is delivered before all verdicts are
    in, so that a lag budget has no meaning."""
    scored = rules.scored
    if scored is None:
        return Scanner(rules, channel)
    if scored.settings.holds:
        return HoldingScanner(rules, scored, channel, 0 if whole else scored.settings.lag_budget)
    return ReportingScanner(rules, scored, channel)


class HoldingScanner(Scanner):
    """Text waits for scores."""

    __slots__ = ("_behind", "_first", "_lag", "_raw", "_raw_at", "_recent", "_reported", "_settings", "_units")

    def __init__(self, rules: RuleSet, scored: Scored, channel: str, lag: int) -> None:
        super().__init__(rules, channel)
        self._units = self.scoring = Scoring(scored.settings, scored.prompt)
        self._settings = scored.settings
        self._first = scored.first
        self._lag = self._limit = lag
        self._raw = ""
        """Raw text that is not scored, or not settled, from `_raw_at` on."""
        self._raw_at = 0
        self._behind = ""
        """What stands directly before it."""
        self._reported: list[Finding] = []
        self._recent: list[Edit] = []
        """With a lag budget: edits that reach into text without scores. A late halt has to count what they left."""

    @property
    def waiting(self) -> bool:
        return self._units.waiting

    def feed(self, text: str) -> Sequence[Edit]:
        if self.ended or not text:
            return ()
        self._raw += text
        self._units.feed(text)
        self._limit = self._units.open + self._lag
        return super().feed(text)

    def finish(self) -> Sequence[Edit]:
        track = self._track
        if self.ended or track is None:
            return ()
        self.ended = True
        self._units.cut()
        self._limit = self._units.open + self._lag
        track.finish()
        return self._decide(track)

    def cut_unit(self) -> Sequence[Edit]:
        track = self._track
        if self.ended or track is None:
            return ()
        self._units.cut()
        self._limit = self._units.open + self._lag
        return self._decide(track)

    def score(self, number: int, verdict: Verdict) -> Sequence[Edit]:
        track = self._track
        if track is None:
            return ()
        rules = self._settings.rules
        for one in self._units.score(number, verdict):
            if one.level < len(rules) and not rules[one.level].action.removes:
                self._reported.append(_reported(self._settings.rules[one.level], one, self.channel))
            else:
                self._sweep.pending.hits[Span(self._first + one.level, one.start, one.end)] = None
        limit = self._units.open + self._lag
        if limit == self._limit:
            return ()  # an earlier unit has no verdict yet
        self._limit = limit
        return self._decide(track)

    def stop(self) -> None:
        super().stop()
        if self._log is not None:
            self._log.catch_up()  # with what was settled, which may have been delivered
        self._units.stop()
        self._track = None

    def unchecked(self, end: int) -> int:
        return self._delivered(self._units.open, end) if self._lag else 0

    def findings(self) -> list[Finding]:
        return sorted({*super().findings(), *self._reported})

    def _decide(self, track: Track) -> Sequence[Edit]:
        edits = self._resolve(track, final=self.ended)
        if self._log is not None and self.ended and self.halt is None and not self._units.waiting:
            self._log.finish()
        return edits

    def _resolve(self, track: Track, *, final: bool) -> Sequence[Edit]:
        edits = super()._resolve(track, final=final)
        if self._lag and self.halt is None and (edits or self._recent):
            opened = self._units.open
            self._recent = [edit for edit in (*self._recent, *edits) if edit.end > opened]
        return edits

    def _between(self, start: int, end: int) -> str:
        if start < self._raw_at:
            return stretch(self._behind + self._raw, self._raw_at - len(self._behind), start, end)
        return self._raw[start - self._raw_at : end - self._raw_at] if end > start else ""

    def _step(self, track: Track, text: str) -> Sequence[Edit]:
        track.feed(text)
        if track.hits or self._sweep.open:
            return self._resolve(track, final=False)
        self._settle(track, min(track.hold, self._limit))
        return ()

    def _settle(self, track: Track, settled: int) -> None:
        if settled > self.settled:
            if self._log is not None:
                self._log.feed(self._between(self.settled, settled))
            self.settled = settled
        # The text of units is kept here: the track forgets all that it does not need itself.
        track.forget(min(track.wait, self._sweep.pending.start(track)))
        keep = min(self.settled, self._units.open)
        if keep > self._raw_at:
            self._behind = (self._behind + self._raw[: keep - self._raw_at])[-BEHIND:]
            self._raw = self._raw[keep - self._raw_at :]
            self._raw_at = keep

    def _end(self, track: Track, halt: Halt, edits: Sequence[Edit]) -> None:
        cut = max(halt.cut, self.settled)
        if self._lag:
            self._recent += edits
            behind, beyond = (self._delivered(at, cut) for at in (halt.finding.start, halt.finding.end))
            halt = replace(halt, cut=cut, behind=behind, beyond=beyond)
        super()._end(track, halt, edits)
        self._reported = [found for found in self._reported if found.end <= halt.finding.start]
        self._units.stop()
        self._raw = ""

    def _delivered(self, start: int, cut: int) -> int:
        """Code points of edited text delivered for raw text from `start` on, when `cut` ends it."""
        size = max(cut - start, 0)
        for edit in self._recent:
            if start < edit.end and edit.start < cut:
                size -= min(edit.end, cut) - max(edit.start, start)
                if edit.start >= start:
                    size += len(edit.text)
        return size


class ReportingScanner(Scanner):
    """No level removes anything, so that nothing waits: the rest of the policy does what it would do without."""

    __slots__ = ("_settings", "_units")

    def __init__(self, rules: RuleSet, scored: Scored, channel: str) -> None:
        super().__init__(rules, channel)
        self._units = self.scoring = Scoring(scored.settings, scored.prompt)
        self._settings = scored.settings
        self._log = _ScoredLog(rules.logging or NO_MATCHERS, self._units, channel)

    def unchecked(self, end: int) -> int:
        return max(end - self._units.open, 0)  # of raw text: what was edited in it is not kept

    def score(self, number: int, verdict: Verdict) -> Sequence[Edit]:
        assert self._log is not None
        for one in self._units.score(number, verdict):
            if self.halt is None or one.end <= self.halt.finding.start:
                self._log.findings.append(_reported(self._settings.rules[one.level], one, self.channel))
        return ()

    def stop(self) -> None:
        super().stop()
        self._units.stop()


class _ScoredLog(Log):
    """The rules that only report, and the units, over settled text."""

    __slots__ = ("_units",)

    def __init__(self, matchers: Matchers, units: Scoring, channel: str) -> None:
        super().__init__(matchers, channel)
        self._units = units

    def feed(self, text: str) -> None:
        super().feed(text)
        self._units.feed(text)

    def finish(self) -> None:
        super().finish()
        self._units.cut()


def _reported(rule: ScoreRule, fired: Fired, channel: str) -> Finding:
    return finding(rule, fired.start, fired.end, channel, "")
