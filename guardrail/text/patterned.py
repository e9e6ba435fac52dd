"""The patterns of one lane in one channel: where each expression may go on matching."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from guardrail.text.contexts import Contexts
from guardrail.text.fold import decompose_last
from guardrail.text.lane import Lane
from guardrail.text.patterns import Match, PatternMatcher


@dataclass(frozen=True, slots=True)
class PatternFindings:
    """Accepted matches, and the window index from which on text must be held and the window be kept."""

    matches: list[Match]
    alive: int


class Patterned:
    """The state of a matcher over a lane."""

    __slots__ = ("_contexts", "_lane", "_resume", "matcher")

    def __init__(self, matcher: PatternMatcher, lane: Lane, contexts: Contexts | None = None) -> None:
        self.matcher = matcher
        self._lane = lane
        self._contexts = contexts
        """Given: a match counts only behind a context word."""
        self._resume: dict[int, int] = {}
        """By expression: the lane position from which on it may match, if not anywhere in the window."""

    def __bool__(self) -> bool:
        """Whether some expression may not match everywhere in the window."""
        return bool(self._resume)

    def glance(self, window: str) -> int:
        """See `PatternMatcher.glance`; also -1 when only a study can tell."""
        if self._contexts is None:
            return self.matcher.glance(window)
        if not self._contexts:
            return len(window)
        alive = self.matcher.glance(window)
        return alive if alive == len(window) else -1

    def study(self, soft: int, received: int, *, marks: bool, final: bool) -> PatternFindings:
        """Everything that the lane's window holds. `soft`: where the open segment begins, which more marks may change
        if `marks`."""
        lane, matcher = self._lane, self.matcher
        window = lane.text
        size = len(window)
        fits = self._fits(received)
        if self._contexts is not None and not self._contexts:
            self._resume.clear()
            return PatternFindings([], size)
        grown: list[str] = []
        base = size
        if final or not marks:
            soft = size
        elif soft < size:
            base, parts = decompose_last(window, soft)
            grown = [window[:base] + char for char in matcher.grown(parts)]
        views = () if final else (window, *grown)
        resumes = {number: max(1, at - lane.base) for number, at in self._resume.items()}
        undecided = size
        accepted: list[Match] = []
        for number in matcher.candidates(window) if matcher.may_match(window) else ():
            resume = resumes.get(number, 1)
            pending = 0
            while pending < resume:
                # Again after a match was accepted beyond where the expression was live: it may live on behind it.
                limit = self._limit(number, views, resume, fits)
                found, resume, pending = matcher.matches(number, window, resume, limit, soft, base, final, fits)
                accepted += found
            undecided = min(undecided, pending)
            if resume > 1:
                resumes[number] = resume
                self._resume[number] = lane.base + resume
        alive = size
        if fits is None:
            for view in views:
                start = matcher.live(view)
                alive = min(alive, start if start < len(view) else size)
        if fits is not None or any(resume > alive for resume in resumes.values()):
            # Something lives inside a match that was accepted: ask each expression where it may go on.
            alive = min(
                self._limit(number, views, resumes.get(number, 1), fits) for number in range(len(matcher.expressions))
            )
        return PatternFindings(accepted, min(alive, undecided))

    def forget(self) -> None:
        """The lane was trimmed: drop what the whole window may match again."""
        self._resume = {n: resume for n, resume in self._resume.items() if resume > self._lane.base + 1}

    def _fits(self, received: int) -> Callable[[int, int], bool] | None:
        """Whether a match of the expression that starts at the window index counts; None when each does."""
        contexts, lane, matcher = self._contexts, self._lane, self.matcher
        if contexts is None:
            return None
        return lambda number, start: contexts.covers(matcher.expressions[number].rule, lane.start(start, received))

    def _limit(self, number: int, views: tuple[str, ...], resume: int, fits: Callable[[int, int], bool] | None) -> int:
        """Where the live tail of one expression starts, at or after `resume`; the window's length if nowhere."""
        limit = size = len(self._lane.text)
        for view in views:
            start = self.matcher.live_of(number, view, resume)
            while fits is not None and start < len(view) and not fits(number, start):
                start = self.matcher.live_of(number, view, start + 1)
            limit = min(limit, start if start < len(view) else size)
        return limit
