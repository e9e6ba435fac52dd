"""Has the windows of one stream scored, and gives their verdicts to its codec.

Verdicts that the first stage tells come at once, in the write that the text leads to; the others come back on the
event loop, each when it is there. Never waits: whoever needs what verdicts lead to is called (`changed`).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

from guardrail import whole_texts
from guardrail.observe.metrics import VerdictLatency
from guardrail.policy.policy import Policy
from guardrail.proxy.classifiers import Opened
from guardrail.text.scores import Verdict
from guardrail.wire.stream import Stream
from guardrail.wire.stream_verdicts import Ask
from guardrail.wire.whole_text import Verdicts

if TYPE_CHECKING:
    from guardrail.classify.classifier import Classifier

MAX_OPEN = 32
"""Windows that one stream has in the queue at a time: a burst of one is not to push the others out. The rest waits
here, and upstream is not read meanwhile."""


class StreamScoring:
    """The verdicts of one stream. `encoder_calls`: windows that the first stage could not tell. `error`: what the codec
    raised first when a verdict led it on. Scoring goes on behind an error: the end of the answer needs verdicts too."""

    __slots__ = (
        "_backlog",
        "_classifier",
        "_codec",
        "_deadline",
        "_due",
        "_latency",
        "_out",
        "_over",
        "_waiter",
        "changed",
        "encoder_calls",
        "error",
        "open",
    )

    def __init__(self, codec: Stream, classifier: Classifier, deadline: float, latency: VerdictLatency) -> None:
        """`deadline`: seconds from a window's turn to its verdict."""
        self._codec = codec
        self._classifier = classifier
        self._deadline = deadline
        self._latency = latency
        self._out: list[bytes] = []
        self._due: deque[Ask] = deque()
        """Taken from the codec, and not looked at yet."""
        self._backlog: deque[tuple[float, Ask]] = deque()
        self._over = False
        self._waiter: asyncio.Future[None] | None = None
        self.open = 0
        """Windows that are being scored."""
        self.encoder_calls = 0
        self.error: Exception | None = None
        self.changed: Callable[[], None] = lambda: None
        """Called when verdicts have come: there may be something to write, the stream may be done, or stalled no
        more."""

    @property
    def busy(self) -> bool:
        """Whether upstream is not to be read: the stream is stalled, or has more to score than has its turn."""
        return self._codec.stalled or bool(self._backlog)

    def settle(self) -> bytes:
        """Have what is due scored; what is to be written now. Raises WireError as the codec does."""
        self._settle()
        return self.take()

    def take(self) -> bytes:
        """What verdicts have led to and was not taken yet."""
        out, self._out = b"".join(self._out), []
        return out

    def stop(self) -> None:
        """Nobody waits for verdicts any more."""
        self._over = True
        self._due.clear()
        self._backlog.clear()

    async def wait(self) -> None:
        """Wait for the next verdict, when there is one to come."""
        if self.open and self.error is None:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter

    def _settle(self) -> None:
        self._due += self._codec.take_due()
        while self._due:
            now = monotonic()
            ask = self._due.popleft()
            verdict = self._classifier.quick(ask.window)
            if verdict is None:
                self._backlog.append((now, ask))
            else:
                self._latency.observe(monotonic() - now)
                self._out.append(self._codec.score(ask, verdict))
                self._due += self._codec.take_due()
        self._submit()

    def _submit(self) -> None:
        while self._backlog and self.open < MAX_OPEN:
            since, ask = self._backlog.popleft()
            self.open += 1
            self.encoder_calls += 1
            self._classifier.submit(ask.window, partial(self._came, ask, since), self._deadline)

    def _came(self, ask: Ask, since: float, verdict: Verdict) -> None:
        self.open -= 1
        if self._over:
            return
        self._latency.observe(monotonic() - since)
        try:
            self._out.append(self._codec.score(ask, verdict))
            self._settle()
        except Exception as error:
            self.error = self.error or error
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
        self.changed()


async def score_missing(policy: Policy, opened: Opened | None, verdicts: Verdicts) -> int:
    """Have scored what a pass over whole texts was missing; how many windows the first stage could not tell. `opened`:
    the policy's classifier."""
    settings = policy.classifier
    assert settings is not None
    assert opened is not None
    opened.in_use += 1
    try:
        return await whole_texts.score_missing(opened.classifier, verdicts, settings.deadline)
    finally:
        opened.in_use -= 1
