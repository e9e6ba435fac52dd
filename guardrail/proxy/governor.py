"""Where duties meet the state: one batch before a request, one after it, none in between.

Promises: a request waits for one round trip to the state at most, whatever its duties; what is written after it is
written behind the client's back, and again until it is there. What a request may do while the state is down is set
for each use; nothing is let through in silence.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections import deque
from collections.abc import Sequence

from guardrail.governance.duty import Duty, Entering, Finished, Refused, Standing
from guardrail.state.operations import Operation
from guardrail.state.store import StateError, Store

logger = logging.getLogger("guardrail.proxy")

BACKLOG = 10_000
"""Finished requests that wait for the state; of more, the oldest are given up and counted."""

RETRY = 0.5
"""Seconds until the state is asked again."""


class Governor:
    """The duties of one process. Lives on one event loop."""

    def __init__(self, store: Store, duties: Sequence[Duty]) -> None:
        self.store = store
        self.duties = tuple(duties)
        self.lost = 0
        """Finished requests that were never written to the state."""
        self._backlog: deque[Finished] = deque()
        self._wake = asyncio.Event()

    async def enter(self, entering: Entering) -> Standing:
        """What the duties make of the request. Raises Refused, StateError."""
        standing = Standing(entering.tenant.policy)
        asked = [(duty, list(duty.asks(entering))) for duty in self.duties]
        operations = [operation for _, part in asked for operation in part]
        replies = await self.store.run(operations) if operations else []
        told = []
        for duty, part in asked:
            told.append((duty, replies[: len(part)]))
            replies = replies[len(part) :]
        try:
            for duty, answer in told:
                duty.judge(entering, answer, standing)
        except Refused:
            undone = [operation for duty, answer in told for operation in duty.undo(entering, answer)]
            if undone:
                await self.store.run(undone)
            raise
        return standing

    def finish(self, finished: Finished) -> None:
        """Have written what follows from it. Returns at once."""
        if len(self._backlog) >= BACKLOG:
            self._backlog.popleft()
            self.lost += 1
        self._backlog.append(finished)
        self._wake.set()

    async def tend(self) -> None:
        """Write what is due, until cancelled."""
        while True:
            if not self._backlog:
                self._wake.clear()
                await self._wake.wait()
            finished = self._backlog[0]
            try:
                operations: list[Operation] = []
                for duty in self.duties:
                    operations += duty.after(finished)
                if operations:
                    await self.store.run(operations)
                for duty in self.duties:
                    await duty.follow(finished, self.store)
            except StateError:
                await asyncio.sleep(RETRY)
                continue
            except Exception as error:
                where = "".join(traceback.format_tb(error.__traceback__))
                logger.error("%s: %s after a request\n%s", finished.record.request_id, type(error).__name__, where)
            if self._backlog and self._backlog[0] is finished:
                self._backlog.popleft()
