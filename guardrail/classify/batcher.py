"""Which windows wait for the model, and which of them go to it next. Pure: no thread, clock or model; time is told.

First come, first served: the longest waiting window always goes next, together with others that wait and are about as
long, since short texts beside a long one are padded to its length and cost as much. Nothing is ever waited for to make
a batch larger.

Promises: no more than `capacity` windows wait; each one that was taken in leaves by exactly one of `settle`, `expire`
and `drain`, wherever it is by then. Times are of one clock, in seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from guardrail.text.scores import Verdict
from guardrail.text.units import Window

LIKE = 1.5
"""How many times as long one window of a batch may be as another."""
LOOK_AHEAD = 64
"""Waiting windows that are looked at for a batch: enough for every length, and a bound to the work of one choice."""


@dataclass(slots=True, eq=False)
class Job:
    """One window that wants scores."""

    window: Window
    done: Callable[[Verdict], None]
    deadline: float
    """When it must have been answered."""
    length: int
    """What it costs, about: bytes of UTF-8, which tell more of the number of tokens than characters do."""


def length_of(window: Window) -> int:
    """The length of a window as `Job` has it."""
    return len((window.prompt + window.context + window.text).encode("utf-8", "surrogatepass"))


class Batcher:
    """The jobs of one classifier, waiting and under way."""

    __slots__ = ("_capacity", "_open", "_waiting")

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._waiting: dict[Job, None] = {}
        self._open: dict[Job, None] = {}
        """Waiting or under way: not answered yet."""

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    @property
    def earliest(self) -> float | None:
        """The first deadline of all that is open."""
        return min((job.deadline for job in self._open), default=None)

    def put(self, job: Job) -> bool:
        """Take a job in; False when too many wait already."""
        if len(self._waiting) >= self._capacity:
            return False
        self._waiting[job] = self._open[job] = None
        return True

    def take(self, most: int) -> list[Job]:
        """The next batch, of at most `most` jobs, which are under way from now on; empty when none waits."""
        batch: list[Job] = []
        for looked, job in enumerate(self._waiting):
            if batch and not (job.length <= LIKE * batch[0].length and batch[0].length <= LIKE * job.length):
                if looked >= LOOK_AHEAD:
                    break
                continue
            batch.append(job)
            if len(batch) == most:
                break
        for job in batch:
            del self._waiting[job]
        return batch

    def open(self, job: Job) -> bool:
        """Whether a job is still to be answered."""
        return job in self._open

    def settle(self, job: Job) -> bool:
        """An answer for a job is here; False when it has had one."""
        if job not in self._open:
            return False
        del self._open[job]
        self._waiting.pop(job, None)
        return True

    def expire(self, now: float) -> list[Job]:
        """The jobs whose deadline is over, which are open no more."""
        late = [job for job in self._open if job.deadline <= now]
        for job in late:
            self.settle(job)
        return late

    def drain(self) -> list[Job]:
        """All open jobs, in their order; none is open any more."""
        jobs = list(self._open)
        self._open.clear()
        self._waiting.clear()
        return jobs
