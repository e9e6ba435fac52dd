"""One thread that runs the model, and how often lost threads are replaced.

The event loop hands a thread one batch at a time and hears of it again on the loop. A thread cannot be killed: one
that hangs is left alone, and nothing that it says later is listened to.

Promises: everything about a thread that ends, by whatever it raises, is reported, and exactly once; reports come on
the loop. A window that fails in a batch is tried alone, so that it takes no others with it; when one has failed the
model is tried on a harmless text, and is lost if that fails too.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Protocol

from guardrail.classify.batcher import Job
from guardrail.classify.model import TRIAL, Scores
from guardrail.text.units import Window


class Scorer(Protocol):
    """What threads need of a model; `guardrail.classify.model.Model` is one."""

    @property
    def batches(self) -> bool: ...
    def score(self, windows: Sequence[Window]) -> list[Scores]: ...
    def renewed(self) -> Scorer:
        """The same with a session of its own, which has been tried."""


class Worker:
    """A thread with a model of its own, which `make` gives in that thread."""

    def __init__(
        self,
        make: Callable[[], Scorer],
        ready: Callable[[Worker], None],
        scored: Callable[[Worker, list[Scores | None]], None],
        lost: Callable[[Worker], None],
    ) -> None:
        """The callbacks run on the running loop: the model is there; the batch that was given has these scores, None
        where there are none; the thread has ended by itself. Raises RuntimeError when the system gives no thread."""
        self.batch: list[Job] = []
        """What it is at."""
        self.timer: asyncio.TimerHandle | None = None
        """For whoever watches it."""
        self._make = make
        self._ready = ready
        self._scored = scored
        self._lost = lost
        self._loop = asyncio.get_running_loop()
        self._inbox: SimpleQueue[list[Window] | None] = SimpleQueue()
        self._left = False
        # A daemon: a thread that hangs must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name="guardrail-classifier", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def give(self, batch: list[Job]) -> None:
        """Let it score a batch; it must be ready and have none."""
        self.batch = batch
        self._inbox.put([job.window for job in batch])

    def leave(self) -> None:
        """Stop when it can; nothing is reported any more."""
        self._left = True
        if self.timer is not None:
            self.timer.cancel()
        self._inbox.put(None)

    def join(self, timeout: float) -> None:
        """Wait for the thread to end, so many seconds at most."""
        self._thread.join(timeout)

    def _run(self) -> None:
        try:
            model = self._make()
            self._report(self._ready)
            while (windows := self._inbox.get()) is not None:
                found = _score(model, windows)
                self._report(self._scored, found)
                if None in found:
                    model.score(TRIAL[:1])
        except BaseException:
            # Whatever it was, the thread ends here: SystemExit from a library must be no silent death.
            self._report(self._lost)

    def _report(self, to: Callable[..., None], *what: list[Scores | None]) -> None:
        try:
            self._loop.call_soon_threadsafe(self._deliver, to, *what)
        except RuntimeError:
            self._inbox.put(None)  # the loop is closed: nobody waits for anything

    def _deliver(self, to: Callable[..., None], *what: list[Scores | None]) -> None:
        if not self._left:
            to(self, *what)


def _score(model: Scorer, windows: list[Window]) -> list[Scores | None]:
    try:
        return list(model.score(windows))
    except Exception:
        if len(windows) == 1:
            return [None]
    return [scores for window in windows for scores in _score(model, [window])]


class Losses:
    """Whether one more lost thread is to be replaced at once: at most `most` within `within` seconds. Pure."""

    def __init__(self, most: int, within: float) -> None:
        self._most = most
        self._within = within
        self._at: deque[float] = deque()

    def replace(self, now: float) -> bool:
        """A thread was lost; whether to replace it now. If not, it is a matter of probing, and counting starts anew."""
        while self._at and self._at[0] <= now - self._within:
            self._at.popleft()
        if len(self._at) >= self._most:
            self._at.clear()
            return False
        self._at.append(now)
        return True
