"""The state in Redis: shared by any number of replicas, on one server, behind Sentinels, or in a cluster.

Calls that come while a round trip is under way are collected, and go together in the next one: however many requests
come at once, few round trips are made. What one call asks is one call of a Lua script (of a cluster: one for each
slot). Promises: a call is answered, or fails, within `timeout`, once there has been a connection; nothing is sent twice
by itself; every key begins with the prefix and has a time to live; time is the server's.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha1
from pathlib import Path
from typing import Any

import msgspec
from redis.exceptions import (
    ClusterDownError,
    ClusterError,
    NoScriptError,
    RedisClusterException,
    RedisError,
    SlotNotCoveredError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from guardrail.state.operations import KEEP, Operation
from guardrail.state.redis_link import CONNECT_SECONDS, Command, Link, opened, place_of
from guardrail.state.redis_operations import Asked, Probe, Revision, arguments, base_of, channel_of, reply_of
from guardrail.state.settings import RedisSettings
from guardrail.state.store import CHANGES, Failure, StateError
from guardrail.state.window import MICROSECONDS

logger = logging.getLogger("guardrail.state")

SCRIPT = Path(__file__).with_name("operations.lua").read_bytes()
SHA = sha1(SCRIPT, usedforsecurity=False).hexdigest()
"""The name that Redis has for the script."""

SCHEMA = 1
"""Version of the keys. A newer one in Redis is refused; that of an older one is changed when it is first met."""

TOGETHER = 256
"""Calls in one round trip at most, so that none waits long for the rest."""

POLL_SECONDS = 0.8
"""Between two looks for changes of which no message came; they must be seen within a second."""

RETRY_SECONDS = 0.3
"""Until it is tried again to hear messages."""

_SIGNS: tuple[tuple[str, Failure, str], ...] = (
    ("used memory > 'maxmemory'", "full", "it has no memory left"),
    ("read only replica", "read-only", "it is a replica, and takes no writes"),
    ("MISCONF", "read-only", "it takes no writes, as it cannot save to its disk"),
    ("NOREPLICAS", "read-only", "it takes no writes, as too few replicas are in touch with it"),
    ("previous master", "failover", "its master is changing"),
    ("No master found", "failover", "the Sentinels know no master"),
    ("CLUSTERDOWN", "failover", "the cluster is down"),
    ("MASTERDOWN", "failover", "its master is away"),
    ("LOADING", "down", "it is loading its data"),
    ("loading the dataset", "down", "it is loading its data"),
    ("busy running a script", "slow", "it is busy with a script"),
    ("NOAUTH", "other", "it wants a password"),
    ("Authentication required", "other", "it wants a password"),
    ("WRONGPASS", "other", "it does not take our user or password"),
    ("invalid username-password", "other", "it does not take our user or password"),
    ("no permissions", "other", "our user may not do what is needed"),
    ("CERTIFICATE_VERIFY_FAILED", "other", "its certificate does not verify"),
)
"""What in an error's text, wherever a version of Redis puts it, means what to us."""


@dataclass(slots=True)
class _Call:
    """One `run` that waits for its replies."""

    operations: Sequence[Asked]
    commands: list[tuple[str, Command]]
    order: list[list[int]]
    """For each command, the indexes of the operations that it carries."""
    future: asyncio.Future[list[Any]]
    errors: list[Exception] = field(default_factory=list)


class RedisStore:
    """A store in Redis. Lives on one event loop."""

    def __init__(
        self,
        settings: RedisSettings,
        environ: Mapping[str, str],
        *,
        clock: Callable[[], float] | None = None,
    ) -> None:
        """Nothing is asked yet. `clock`: the time, for tests; None: the server's. Raises StateError when a variable
        that is named is not set."""
        self.place = place_of(settings)
        self.round_trips = 0
        """How often Redis was asked, in all."""
        self._link: Link = opened(settings, environ)
        self._connections = 0
        """How often one was opened: whatever was before the last, a server may have lost."""
        self._prefix = settings.prefix
        self._timeout = settings.timeout
        self._cluster = settings.cluster
        self._clock = clock
        self._waiting: deque[_Call] = deque()
        self._working: asyncio.Task[None] | None = None
        self._listening: set[asyncio.Task[None]] = set()
        self._closed = False

    async def run(self, operations: Sequence[Operation]) -> list[Any]:
        """One reply for each operation. Raises StateError, after `timeout` at the latest; before there ever was a
        connection, after two seconds more."""
        return await self._asked(operations)

    async def ping(self) -> None:
        """Raises StateError while Redis does not answer, takes no writes, or is not ours to use."""
        await self._asked([Probe()])

    def changes(self) -> AsyncIterator[str]:
        """Kinds of documents that change. Each kind once at first, since nobody knows what happened before."""
        return self._changes()

    async def close(self) -> None:
        """Close the connections. What still waits, fails."""
        self._closed = True
        tasks = [task for task in (self._working, *self._listening) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._fail(self._waiting, StateError(f"the state {self.place} is closed", "down"))
        self._waiting.clear()
        with suppress(RedisError, OSError):
            await self._link.close()

    async def _asked(self, operations: Sequence[Asked]) -> list[Any]:
        if self._closed:
            raise StateError(f"the state {self.place} is closed", "down")
        if not operations:
            return []
        commands, order = self._commands(operations)
        call = _Call(operations, commands, order, asyncio.get_running_loop().create_future())
        self._waiting.append(call)
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work())
        # Whoever is first waits for the connection as well: a process that starts, or a command.
        patience = self._timeout if self._connections else self._timeout + CONNECT_SECONDS
        try:
            async with asyncio.timeout(patience):
                return await call.future
        except TimeoutError:
            raise self._slow() from None

    def _commands(self, operations: Sequence[Asked]) -> tuple[list[tuple[str, Command]], list[list[int]]]:
        """Script calls that carry the operations: one, or in a cluster one for each slot."""
        parts: dict[str, tuple[list[Any], list[bytes], list[int]]] = {}
        first = ""
        for index, operation in enumerate(operations):
            base = base_of(operation, self._prefix)
            first = first or base
            carried, bodies, indexes = parts.setdefault(base if self._cluster else first, ([], [], []))
            carried.append(arguments(operation, base, self._prefix, bodies))
            indexes.append(index)
        now = "" if self._clock is None else str(int(self._clock() * MICROSECONDS))
        commands: list[tuple[str, Command]] = [
            (base, ("EVALSHA", SHA, 1, base, msgspec.msgpack.encode(carried), now, *bodies))
            for base, (carried, bodies, _) in parts.items()
        ]
        return commands, [indexes for _, _, indexes in parts.values()]

    async def _work(self) -> None:
        """Send what waits, until nothing does."""
        while self._waiting:
            calls = [self._waiting.popleft() for _ in range(min(len(self._waiting), TOGETHER))]
            # What nobody waits for any more is not sent.
            calls = [call for call in calls if not call.future.done()]
            if not calls:
                continue
            try:
                async with asyncio.timeout(self._timeout if self._link.connected else CONNECT_SECONDS):
                    await self._greeted()
                    replies = await self._exchange([command for call in calls for command in call.commands])
            except BaseException as error:
                if not isinstance(error, Exception):
                    self._fail(calls, StateError(f"the state {self.place} is closed", "down"))
                    raise
                failure = error if isinstance(error, StateError) else self._error(error)
                self._fail(calls, failure)
                if failure.kind in ("failover", "read-only", "schema"):
                    await self._hang_up()
                continue
            self._hand_out(calls, replies)
            if any(call.errors for call in calls):
                kinds = {self._error(call.errors[0]).kind for call in calls if call.errors}
                if kinds & {"failover", "read-only"}:  # another server may be the master now
                    await self._hang_up()

    async def _greeted(self) -> None:
        """Open a connection if there is none, and make sure that what is stored is of a version that we know."""
        if not await self._link.connect():
            return
        self._connections += 1
        key = f"{self._prefix}:{{schema}}"
        self.round_trips += 1
        commands: list[Command] = [
            ("SET", key, SCHEMA, "NX", "PX", int(KEEP * 1000)),
            ("GET", key),
            ("PEXPIRE", key, int(KEEP * 1000)),
        ]
        found = (await self._link.exchange([(key, command) for command in commands]))[1]
        if isinstance(found, Exception):
            if self._cluster and self._error(found).kind in ("down", "failover"):
                return  # the server that has this key is away; it is looked at when the cluster is next
            raise found
        # One that takes no writes may have none.
        if found is not None and not (found.isdigit() and int(found) <= SCHEMA):
            text = found.decode(errors="replace")
            message = f"was written by a newer guardrail (schema {text}, this one knows {SCHEMA})"
            raise StateError(f"the state {self.place} cannot be used: it {message}", "schema")

    async def _exchange(self, commands: Sequence[tuple[str, Command]]) -> list[Any]:
        self.round_trips += 1
        replies = await self._link.exchange(commands)
        unknown = [index for index, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
        if unknown:  # after a restart, once: it was not done, so it can be sent again, with the script
            self.round_trips += 1
            again = [(commands[index][0], ("EVAL", SCRIPT, *commands[index][1][2:])) for index in unknown]
            for index, reply in zip(unknown, await self._link.exchange(again), strict=True):
                replies[index] = reply
        return replies

    def _hand_out(self, calls: Sequence[_Call], replies: Sequence[Any]) -> None:
        position = 0
        for call in calls:
            found: list[Any] = [None] * len(call.operations)
            for indexes in call.order:
                reply = replies[position]
                position += 1
                if isinstance(reply, Exception):
                    call.errors.append(reply)
                    continue
                for index, one in zip(indexes, reply, strict=True):
                    found[index] = reply_of(call.operations[index], one)
            if call.future.done():
                continue
            if call.errors:
                call.future.set_exception(self._error(call.errors[0]))
            else:
                call.future.set_result(found)

    def _fail(self, calls: Sequence[_Call] | deque[_Call], error: StateError) -> None:
        for call in calls:
            if not call.future.done():
                call.future.set_exception(StateError(str(error), error.kind))

    async def _hang_up(self) -> None:
        with suppress(RedisError, OSError):
            await self._link.close()

    async def _changes(self) -> AsyncIterator[str]:
        heard = asyncio.Event()
        task = asyncio.create_task(self._listen(heard))
        self._listening.add(task)
        known: list[int] | None = None
        connections = 0
        try:
            while True:
                heard.clear()
                try:
                    found = await self._asked([Revision(kind) for kind in CHANGES])
                except StateError:
                    if self._closed:
                        raise
                    known = None  # what happens meanwhile is unknown: every kind is told
                    await asyncio.sleep(RETRY_SECONDS)
                    continue
                told: list[str] = []
                for index, kind in enumerate(CHANGES):
                    if known is None or connections != self._connections or found[index] != known[index]:
                        told.append(kind)
                known, connections = found, self._connections
                for kind in told:
                    yield kind
                with suppress(TimeoutError):
                    async with asyncio.timeout(POLL_SECONDS):
                        await heard.wait()
        finally:
            task.cancel()
            self._listening.discard(task)

    async def _listen(self, heard: asyncio.Event) -> None:
        """Have `heard` set whenever a message comes. It only saves waiting for the next look."""
        while True:
            client = self._link.listener()
            subscription = client.pubsub()
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    await subscription.subscribe(channel_of(self._prefix))
                async for _ in subscription.listen():
                    heard.set()
            except (RedisError, OSError, TimeoutError):
                await asyncio.sleep(RETRY_SECONDS)
            finally:
                with suppress(RedisError, OSError):
                    await subscription.aclose()  # type: ignore[no-untyped-call]

    def _slow(self) -> StateError:
        return StateError(f"the state {self.place} did not answer within {self._timeout:g} s", "slow")

    def _error(self, error: BaseException) -> StateError:
        text = str(error)
        if isinstance(error, TimeoutError | RedisTimeoutError):
            return self._slow()
        for sign, kind, why in _SIGNS:
            if sign in text:
                return StateError(f"the state {self.place} cannot be used: {why}", kind)
        if isinstance(error, ClusterDownError | ClusterError | TryAgainError | SlotNotCoveredError):
            return StateError(f"the state {self.place} cannot be used: part of the cluster is away", "failover")
        if isinstance(error, RedisConnectionError | OSError | RedisClusterException):
            return StateError(f"the state {self.place} cannot be reached", "down")
        # The text of an error in the script may hold a key: it is not passed on.
        logger.debug("Redis: %s", text)
        return StateError(f"the state {self.place} cannot be used: {type(error).__name__}", "other")
