"""The store as a process holds it: one that fails at once while the state is away, and counts how it fails.

Promises: a request waits for a store that does not answer once, not every time; while it is away it is asked in the
background, by nobody who waits, until it answers. It answers nothing by itself: what a use does without the state is
for the caller to decide.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Any

from guardrail.state.breaker import Breaker
from guardrail.state.operations import Operation
from guardrail.state.store import Failure, StateError, Store


class Steady:
    """A store behind a breaker. Lives on one event loop."""

    def __init__(self, store: Store) -> None:
        self.failures: Counter[Failure] = Counter()
        """How often it was asked in vain, by kind. What is refused while it is known to be away is not asked."""
        self._store = store
        self._breaker = Breaker()
        self._probing: asyncio.Task[None] | None = None

    @property
    def round_trips(self) -> int:
        """How often the store was asked, in all: calls that came at once share one."""
        return self._store.round_trips

    async def run(self, operations: Sequence[Operation]) -> list[Any]:
        """One reply for each operation. Raises StateError: at once, while the store is known to be away."""
        reason = self._breaker.reason
        if reason is not None:
            raise StateError("the state did not answer a moment ago, and is left alone until it does", reason)
        try:
            return await self._store.run(operations)
        except StateError as error:
            self._failed(error)
            raise

    def changes(self) -> AsyncIterator[str]:
        """As of the store."""
        return self._store.changes()

    async def ping(self) -> None:
        """Ask the store itself, also while it is known to be away; then what it says holds for all."""
        try:
            await self._store.ping()
        except StateError as error:
            self._failed(error)
            raise
        self._breaker.succeeded()

    async def close(self) -> None:
        """Let go of the store."""
        if self._probing is not None:
            self._probing.cancel()
            await asyncio.gather(self._probing, return_exceptions=True)
        await self._store.close()

    def _failed(self, error: StateError) -> None:
        self.failures[error.kind] += 1
        if self._breaker.failed(error.kind) and (self._probing is None or self._probing.done()):
            self._probing = asyncio.create_task(self._probe())

    async def _probe(self) -> None:
        while self._breaker.reason is not None:
            await asyncio.sleep(self._breaker.pause())
            with suppress(StateError):
                await self.ping()
