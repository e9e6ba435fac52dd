"""The classifier of a process: windows of all its streams in, one verdict for each, on the event loop.

`quick` is the model's first stage and runs at once, on the loop; what it cannot tell goes to `submit` and comes back
by a callback. Behind it stand threads (`LocalClassifier`) or a detector that is reached over HTTP (`remote`).

Promises: every submitted window gets one verdict (see `intake`), whatever the model does: fails, hangs, ends its
thread, answers what is no probability. Memory is bounded: the queue, and the number of threads that hang. Never passes
a window that was not scored.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from guardrail.classify.intake import Counters, Done, Intake, verdict_of
from guardrail.classify.model import Scores
from guardrail.classify.worker import Losses, Scorer, Worker
from guardrail.text.scores import Failure, Verdict
from guardrail.text.units import Window

CAPACITY = 512
"""Windows that may wait: a second's work of a small model; behind more the usual deadline cannot be met."""
MAX_BATCH = 8
"""Windows scored in one go. More gains nothing on one core, and makes the first of them wait for the last."""
HANG = 5.0
"""Seconds one batch may take. A hundred times what a busy machine needs; what takes longer does not come back."""
START = 60.0
"""Seconds a new thread may take to load its model."""
LOST, LOST_WITHIN = 3, 60.0
"""Threads that are replaced at once within so many seconds; then the model is taken for broken."""
PROBE = 10.0
"""Seconds between the attempts to bring a broken model back."""
MAX_STUCK = 8
"""Threads that hang, which cost a session's memory each; no more are started until one of them ends."""
GRACE = 1.0
"""Seconds that `close` waits for a thread to finish its batch."""


class Classifier(Protocol):
    """What relays, streams and tools use."""

    @property
    def name(self) -> str: ...
    @property
    def digest(self) -> str: ...
    @property
    def labels(self) -> tuple[str, ...]:
        """The categories that are scored."""

    @property
    def broken(self) -> bool:
        """Whether submitted windows fail at once."""

    @property
    def waiting(self) -> int:
        """Windows in the queue."""

    @property
    def counters(self) -> Counters: ...
    def quick(self, window: Window) -> Verdict | None:
        """The verdict if it can be told at once, else None: then submit the window."""

    def submit(self, window: Window, done: Done, deadline: float) -> None:
        """Have a window scored. `done` is called once, on the loop, later than this call returns, and about
        `deadline` seconds from now at the latest."""

    async def close(self) -> None:
        """Answer what is open with a failure and let go of threads and connections."""


class LocalModel(Scorer, Protocol):
    """A model that runs in this process."""

    name: str
    digest: str
    labels: tuple[str, ...]

    def gate(self, window: Window) -> Scores | None: ...


class LocalClassifier:
    """A model on threads of this process. Made, used and closed on one event loop."""

    def __init__(
        self,
        model: LocalModel,
        *,
        threads: int = 1,
        capacity: int = CAPACITY,
        hang: float = HANG,
        probe: float = PROBE,
    ) -> None:
        self.name = model.name
        self.digest = model.digest
        self.labels = model.labels
        self._intake = Intake(capacity)
        self.counters = self._intake.counters
        self._model = model
        self._hang = hang
        self._probe = probe
        self._most = MAX_BATCH if model.batches else 1
        self._losses = Losses(LOST, LOST_WITHIN)
        self._loop = asyncio.get_running_loop()
        self._idle: list[Worker] = []
        self._stuck: set[Worker] = set()
        """Those that hung when last seen; their threads may still be there."""
        self._trials: set[asyncio.TimerHandle] = set()
        """When threads that were lost are tried again."""
        self._on_trial: set[Worker] = set()
        """Threads that are being tried, which nobody relies on yet."""
        self._workers: set[Worker] = set()
        for _ in range(threads):
            self._add(self._workers, lambda: model)

    @property
    def broken(self) -> bool:
        return not self._workers

    @property
    def waiting(self) -> int:
        return self._intake.waiting

    def quick(self, window: Window) -> Verdict | None:
        try:
            scores = self._model.gate(window)
        except Exception:
            scores = ()  # no scores at all, which is a failure
        return None if scores is None else self._intake.quick(verdict_of(scores, self.labels))

    def submit(self, window: Window, done: Done, deadline: float) -> None:
        if self._intake.take(window, done, deadline, refuse=self.broken):
            self._dispatch()

    async def close(self) -> None:
        for timer in self._trials:
            timer.cancel()
        workers = self._workers | self._on_trial
        for worker in workers:
            worker.leave()
        self._workers.clear()
        self._on_trial.clear()
        self._intake.close()
        for worker in workers:
            await self._loop.run_in_executor(None, worker.join, GRACE)

    def _dispatch(self) -> None:
        while self._idle and (batch := self._intake.next(self._most)):
            worker = self._idle.pop()
            worker.timer = self._loop.call_later(self._hang, self._abandon, worker)
            self.counters.calls += 1
            worker.give(batch)

    def _add(self, workers: set[Worker], make: Callable[[], Scorer]) -> bool:
        """Start one more of the workers; False when the system has no thread for it now, so that it is tried later."""
        try:
            worker = Worker(make, self._ready, self._scored, self._lose)
        except RuntimeError:
            self._try_later()
            return False
        worker.timer = self._loop.call_later(START, self._abandon, worker)
        workers.add(worker)
        return True

    def _ready(self, worker: Worker) -> None:
        assert worker.timer is not None
        worker.timer.cancel()
        self._on_trial.discard(worker)
        self._workers.add(worker)
        self._idle.append(worker)
        self._dispatch()

    def _scored(self, worker: Worker, found: list[Scores | None]) -> None:
        assert worker.timer is not None
        worker.timer.cancel()
        batch, worker.batch = worker.batch, []
        # A model that answers fewer or more than it was asked has not answered.
        answers = found if len(found) == len(batch) else [None] * len(batch)
        for job, scores in zip(batch, answers, strict=True):
            self._intake.answer(job, verdict_of(scores, self.labels))
        self._idle.append(worker)
        self._dispatch()

    def _abandon(self, worker: Worker) -> None:
        """A thread has taken too long, and is not waited for any more."""
        self._stuck.add(worker)
        self._lose(worker)

    def _lose(self, worker: Worker) -> None:
        """A thread is gone. Another takes its place at once, or is tried later when too many went."""
        worker.leave()
        self._workers.discard(worker)
        if worker in self._idle:
            self._idle.remove(worker)
        self._intake.fail(worker.batch, Failure.BROKEN)
        on_trial = worker in self._on_trial
        self._on_trial.discard(worker)
        if not on_trial and self._losses.replace(self._loop.time()):
            self._replace(self._workers)
        else:
            self._try_later()
        if self.broken:
            self._intake.fail_all()

    def _room(self) -> bool:
        """Whether so few threads hang that another may be started."""
        self._stuck = {worker for worker in self._stuck if worker.alive}
        return len(self._stuck) < MAX_STUCK

    def _try_later(self) -> None:
        timer: asyncio.TimerHandle = self._loop.call_later(self._probe, lambda: self._try(timer))
        self._trials.add(timer)

    def _try(self, timer: asyncio.TimerHandle) -> None:
        """Start a thread which counts once it is ready: `renewed` has tried its model then."""
        self._trials.discard(timer)
        self._replace(self._on_trial)

    def _replace(self, workers: set[Worker]) -> None:
        """Start one of the workers for one that was lost, or try it later."""
        if not self._room():
            self._try_later()
        elif self._add(workers, self._model.renewed):
            self.counters.replaced += 1
