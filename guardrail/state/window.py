"""A sliding window that counts in steps, so that it takes the same small room whatever is counted. Pure.

Promises: in no stretch of `window` seconds, wherever it begins, is more counted than was taken; what was taken counts
for at least `window` seconds, and at most a sixtieth longer. What is given back is given back of the oldest first:
what is counted then never falls below what was used. The Lua script of `guardrail.state.redis` does the same sums.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

STEPS = 60
"""Steps of one window: a request may wait a sixtieth longer than it must."""

MICROSECONDS = 1_000_000


def step_of(window: float) -> int:
    """Microseconds of one step of a window of so many seconds."""
    return max(1, ceil(window * MICROSECONDS / STEPS))


class Window:
    """What counts at one moment. Times are microseconds."""

    def __init__(self, step: int, now: int, flat: Sequence[int] = ()) -> None:
        """`flat`: what `flat()` gave at an earlier moment."""
        self._step, self._now = step, now
        oldest = now // step - STEPS
        self._counts = {index: count for index, count in zip(flat[::2], flat[1::2], strict=True) if index >= oldest}
        self.used = sum(self._counts.values())

    def add(self, count: int) -> None:
        """Count so many now; below 0: give back, down to nothing."""
        if count > 0:
            index = self._now // self._step
            self._counts[index] = self._counts.get(index, 0) + count
        left = -count
        for index in sorted(self._counts) if left > 0 else ():
            back = min(left, self._counts[index])
            left -= back
            self._counts[index] -= back
            if not self._counts[index]:
                del self._counts[index]
        self.used = sum(self._counts.values())

    def fits(self, cost: int, limit: int, *, spare: bool) -> bool:
        """Whether so many more may be counted. `spare`: an empty window takes whatever comes."""
        return self.used + cost <= limit or (spare and self.used == 0)

    def room_in(self, cost: int, limit: int, *, spare: bool) -> int | None:
        """Microseconds until it fits, if nothing else is counted; None: never."""
        left = self.used
        if left + cost <= limit or (spare and left == 0):
            return 0
        for index in sorted(self._counts):
            left -= self._counts[index]
            if left + cost <= limit or (spare and left == 0):
                return self._over(index)
        return None

    @property
    def reset(self) -> int:
        """Microseconds until nothing counts any more."""
        return self._over(max(self._counts)) if self._counts else 0

    @property
    def until(self) -> int:
        """The moment at which nothing counts any more."""
        return self._now + self.reset

    def flat(self) -> list[int]:
        """Step and count, alternating: what is stored."""
        return [number for index in sorted(self._counts) for number in (index, self._counts[index])]

    def _over(self, index: int) -> int:
        return (index + STEPS + 1) * self._step - self._now
