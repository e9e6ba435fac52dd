"""Windows taken in and answered: the part of a classifier that stands on the event loop, whatever scores behind it.

Promises: each window that is taken in is answered once, later than the call that takes it in, with what comes first of
its verdict, its deadline and the end; no answer raises into whoever gives it. Windows, answers and failures are
counted here and nowhere else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from guardrail.classify.batcher import Batcher, Job, length_of
from guardrail.classify.model import Scores
from guardrail.text.scores import CATEGORIES, Failure, Verdict
from guardrail.text.units import Window

Done = Callable[[Verdict], None]


@dataclass(slots=True)
class Counters:
    """What a classifier did since it was made; read at scrape time."""

    quick: int = 0
    """Windows that the first stage answered."""
    submitted: int = 0
    """Windows that it did not."""
    calls: int = 0
    """Runs of the encoder, or requests to the detector."""
    scored: int = 0
    """Submitted windows that got scores."""
    failures: dict[Failure, int] = field(default_factory=lambda: dict.fromkeys(Failure, 0))
    """Windows without scores, by kind."""
    replaced: int = 0
    """Threads that were started for lost ones; of a detector: how often it was left alone for a while."""


def verdict_of(scores: Scores | None, labels: tuple[str, ...]) -> Verdict:
    """Scores as a verdict; those that are no probability for each label are a failure."""
    if scores is None or len(scores) != len(CATEGORIES):
        return Verdict(None, Failure.BROKEN)
    for name, score in zip(CATEGORIES, scores, strict=True):
        if not 0.0 <= score <= 1.0 and (score == score or name in labels):  # NaN is right where there is no label
            return Verdict(None, Failure.BROKEN)
    return Verdict(scores)


class Intake:
    """The open windows of one classifier. Made and used on one event loop."""

    def __init__(self, capacity: int) -> None:
        self.counters = Counters()
        self._jobs = Batcher(capacity)
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        """For the earliest deadline, or one that was the earliest."""

    @property
    def waiting(self) -> int:
        """Windows in the queue."""
        return self._jobs.waiting

    def quick(self, verdict: Verdict) -> Verdict:
        """Count an answer of the first stage."""
        if verdict.failure is None:
            self.counters.quick += 1
        else:
            self.counters.failures[verdict.failure] += 1
        return verdict

    def take(self, window: Window, done: Done, deadline: float, *, refuse: bool) -> bool:
        """Take a window in, to be answered within `deadline` seconds; with `refuse`, or when the queue is full, it is
        answered with the failure. Whether it waits now."""
        self.counters.submitted += 1
        job = Job(window, done, self._loop.time() + deadline, length_of(window))
        if refuse:
            self._answer(job, Verdict(None, Failure.BROKEN))
            return False
        if not self._jobs.put(job):
            self._answer(job, Verdict(None, Failure.QUEUE_FULL))
            return False
        if self._timer is None or job.deadline < self._timer.when():
            self._watch(job.deadline)
        return True

    def next(self, most: int) -> list[Job]:
        """The next batch; empty when nothing waits."""
        return self._jobs.take(most)

    def open(self, job: Job) -> bool:
        """Whether a job has had no answer yet."""
        return self._jobs.open(job)

    def answer(self, job: Job, verdict: Verdict) -> None:
        """The verdict on a job, unless it has had one."""
        if self._jobs.settle(job):
            self._answer(job, verdict)

    def fail(self, jobs: Iterable[Job], failure: Failure) -> None:
        """The jobs, those that are still open, get no scores."""
        for job in jobs:
            self.answer(job, Verdict(None, failure))

    def fail_all(self) -> None:
        """Nothing that is open gets scores any more."""
        for job in self._jobs.drain():
            self._answer(job, Verdict(None, Failure.BROKEN))

    def close(self) -> None:
        """Answer everything and let go of the timer."""
        self.fail_all()
        if self._timer is not None:
            self._timer.cancel()

    def _answer(self, job: Job, verdict: Verdict) -> None:
        if verdict.failure is None:
            self.counters.scored += 1
        else:
            self.counters.failures[verdict.failure] += 1
        # Not called here, so that what it raises or submits cannot come between.
        self._loop.call_soon(job.done, verdict)

    def _watch(self, until: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(until, self._expire)

    def _expire(self) -> None:
        self._timer = None
        for job in self._jobs.expire(self._loop.time()):
            self._answer(job, Verdict(None, Failure.DEADLINE))
        earliest = self._jobs.earliest
        if earliest is not None:
            self._watch(earliest)
