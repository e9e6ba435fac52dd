"""What a process does beside answering requests: send messages, forget what was removed, count what waits for people
and what is in force against them.

Every process does all of it: which of them sends a message is settled by a lease, and each has its own records and
sessions to look after. Promises: a removal is seen by every process within seconds; while the state is down the chores
wait, and go on where they were.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from time import time

from guardrail.governance.cases import Cases
from guardrail.governance.complaints import Complaints
from guardrail.governance.deliveries import Courier, deliveries
from guardrail.governance.desk import Desk
from guardrail.governance.removal import Removed, removed_since
from guardrail.observe.audit import AuditError
from guardrail.observe.backlog_metrics import Backlog
from guardrail.state.store import StateError

logger = logging.getLogger("guardrail.proxy")

LOOK = 2.0
"""Seconds between two looks for removals."""

COUNT = 30.0
"""Seconds between two counts of what waits."""

BACK = 120.0
"""Seconds by which a look goes back behind the one before: clocks of replicas differ, and so may the order in which
they write."""

MOST = 10_000
"""Complaints, messages and people under a measure that are counted: beyond, a number says no more."""


class Chores:
    """Of one process. Lives on one event loop."""

    def __init__(self, desk: Desk, environ: Mapping[str, str], purge: Callable[[Removed], None]) -> None:
        """`purge`: forgets what this process keeps of an answer; called once for each removal, or more often."""
        self.backlog = Backlog()
        self.courier = Courier(desk.store, desk.audit, desk.terms, environ)
        self._store = desk.store
        self._complaints = Complaints(desk.store, desk.audit, desk.secret)
        self._cases = Cases(desk.store, desk.audit)
        self._purge = purge
        self._since = time() - BACK
        self._seen: dict[str, float] = {}
        """Removals that were carried out here, and when they were ordered."""

    async def run(self) -> None:
        """Do all of it, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.courier.run())
            group.create_task(_every(LOOK, self.follow))
            group.create_task(_every(COUNT, self.count))

    async def follow(self) -> None:
        """Carry out the removals that were ordered since the last look. Raises StateError."""
        began = time()
        for document, removed in await removed_since(self._store, self._since):
            if document.id not in self._seen:
                self._purge(removed)
                self._seen[document.id] = document.at
        self._since = began - BACK
        self._seen = {id: at for id, at in self._seen.items() if at >= self._since}

    async def count(self) -> None:
        """Count what waits. Raises StateError."""
        now = time()
        open_ = await self._complaints.listed(status="open", limit=MOST)
        decided = await self._complaints.listed(status="decided", limit=MOST)
        pending = await deliveries(self._store, status="pending", limit=MOST)
        backlog = self.backlog
        backlog.complaints = Counter((each.kind, each.status) for each in (*open_, *decided))
        backlog.overdue = sum(each.overdue(now) for each in open_)
        backlog.pending = len(pending)
        backlog.late = sum(each.overdue(now) for each in pending)
        backlog.measures = await self._cases.in_force(MOST)
        backlog.read = True


async def _every(seconds: float, chore: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await chore()
        except (StateError, AuditError):
            pass  # told by whoever asks the state for a request
        except Exception as error:
            where = "".join(traceback.format_tb(error.__traceback__))
            logger.error("%s in a chore\n%s", type(error).__name__, where)
        await asyncio.sleep(seconds)
