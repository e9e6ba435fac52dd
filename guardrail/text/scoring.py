"""The units of one channel on their way to a verdict, and what the verdicts come to.

Text goes in; windows that wait for a score come out (`due`); verdicts come back in any order and take effect in the
order of the units. Nothing here holds or edits text.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from guardrail.text.scores import Failure, Levels, ScoreSettings, Verdict
from guardrail.text.units import Cut, UnitCutter, Window


@dataclass(slots=True)
class Tally:
    """Counts over units whose verdict has taken effect."""

    units: int = 0
    failures: Counter[Failure] = field(default_factory=Counter)
    unscanned: int = 0
    """Code points of units that passed without scores."""

    def add(self, other: Tally) -> None:
        self.units += other.units
        self.unscanned += other.unscanned
        self.failures += other.failures


@dataclass(frozen=True, slots=True)
class Fired:
    """A level that fired, by its index in the settings (their number: `UNAVAILABLE`), over a unit without the blanks
    around it."""

    level: int
    start: int
    end: int


class Scoring:
    """The units of one channel.

    `due`: windows that nobody has taken yet, each with the number by which its verdict is given. `open`: where the
    first unit begins whose verdict has not taken effect.
    """

    __slots__ = ("_cutter", "_levels", "_number", "_settings", "_units", "_verdicts", "due", "open", "tally")

    def __init__(self, settings: ScoreSettings, prompt: str) -> None:
        self.due: list[tuple[int, Window]] = []
        self.open = 0
        self.tally = Tally()
        self._settings = settings
        self._levels = Levels(settings)
        self._cutter = UnitCutter(prompt)
        self._units: deque[tuple[int, Cut]] = deque()
        """Cut, and without a verdict that took effect."""
        self._verdicts: dict[int, Verdict] = {}
        """Those that came before their turn."""
        self._number = 0

    @property
    def waiting(self) -> bool:
        """Whether any unit that was cut lacks its verdict."""
        return bool(self._units)

    def feed(self, text: str) -> None:
        """Take the next text."""
        if cuts := self._cutter.feed(text):
            self._take(cuts)

    def cut(self) -> None:
        """The open unit ends here, whatever text may come."""
        self._take(self._cutter.finish())

    def take_due(self) -> list[tuple[int, Window]]:
        """The windows that are due, which become the caller's business."""
        due, self.due = self.due, []
        return due

    def score(self, number: int, verdict: Verdict) -> list[Fired]:
        """The verdict of one unit: what fires now, in the order of the text. One that is not waited for is ignored."""
        if not self._units or not self._units[0][0] <= number < self._number or number in self._verdicts:
            return []
        self._verdicts[number] = verdict
        fired: list[Fired] = []
        while self._units:
            first, cut = self._units[0]
            window = cut.window
            if window is not None:
                given = self._verdicts.pop(first, None)
                if given is None:
                    break
                fired += self._effect(cut, window, given)
            self._units.popleft()
        self._moved()
        return fired

    def stop(self) -> None:
        """Nothing is waited for any more."""
        self.due.clear()
        self._units.clear()
        self._verdicts.clear()

    def _take(self, cuts: Sequence[Cut]) -> None:
        for cut in cuts:
            if cut.window is not None:
                self.due.append((self._number, cut.window))
            if cut.window is not None or self._units:
                self._units.append((self._number, cut))
            self._number += 1
        self._moved()

    def _moved(self) -> None:
        self.open = self._units[0][1].unit.start if self._units else self._cutter.open_start

    def _effect(self, cut: Cut, window: Window, verdict: Verdict) -> list[Fired]:
        unit, text, tally = cut.unit, window.text, self.tally
        tally.units += 1
        levels = self._levels.step(verdict.scores)
        if verdict.scores is None:
            tally.failures[verdict.failure or Failure.BROKEN] += 1
            if self._settings.holds and self._settings.fail == "closed":
                levels = [len(self._settings.rules)]
            else:
                tally.unscanned += unit.end - unit.start
        if not levels:
            return []
        start = unit.end - len(text.lstrip())
        end = unit.start + len(text.rstrip())
        return [Fired(level, start, end) for level in levels]
