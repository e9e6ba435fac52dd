"""The interface of a state store: a batch of operations in, a reply each out.

Implementations: `guardrail.state.sqlite` (a file, or memory) and `guardrail.state.redis`. They run the same contract
tests. A store never retries a write by itself, and never answers from memory what it could not ask.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Literal, Protocol

from guardrail.errors import GuardrailError
from guardrail.state.operations import Conflict, Document, Get, Operation, Put

CHANGES = ("policy", "key")
"""Kinds of documents whose changes are told to every process at once."""


Failure = Literal["slow", "down", "full", "read-only", "failover", "schema", "other"]
"""Why a store did not do what it was asked: no answer in time; not reachable, or refusing every command; no room left;
not to be written to; a cluster or Sentinel without a master just now; made by a newer guardrail; anything else."""


class StateError(GuardrailError):
    """The store could not be asked, or did not answer in time. What was asked may or may not have happened."""

    def __init__(self, message: str, kind: Failure = "other") -> None:
        """`message` names no key and holds nothing of what was stored."""
        self.kind: Failure = kind
        super().__init__(message)


class Store(Protocol):
    """One process's access to the state. Lives on one event loop."""

    @property
    def round_trips(self) -> int:
        """How often a server, or a file, was asked in all."""

    async def run(self, operations: Sequence[Operation]) -> list[Any]:
        """One reply for each operation, in order. Raises StateError, then for all of them. Concurrent calls may share
        one round trip."""

    def changes(self) -> AsyncIterator[str]:
        """Kinds of `CHANGES` in which something changed, also by other processes; within a second. Each kind
        once at first, and after an outage, since nobody knows what happened before. Never ends."""

    async def ping(self) -> None:
        """Raises StateError while the store cannot be read and written."""

    async def close(self) -> None:
        """Let go of files and connections."""


async def get(store: Store, kind: str, id: str) -> Document | None:
    """The document. Raises StateError."""
    (found,) = await store.run([Get(kind, id)])
    assert found is None or isinstance(found, Document)
    return found


async def put(store: Store, operation: Put) -> int | Conflict:
    """The document's new version, or what stands against it. Raises StateError."""
    (reply,) = await store.run([operation])
    assert isinstance(reply, int | Conflict)
    return reply
