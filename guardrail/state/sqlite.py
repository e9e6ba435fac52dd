"""The state in one SQLite file, or in memory: nothing to install, for one machine.

One thread owns the connection. Calls that come while it is at work share its next transaction, so that many requests
pay for one commit. Promises: what was answered is in the file, and survives the end of the process at any moment (with
`sync="full"` also the loss of power); several processes may use one file; a file that is not ours, or newer than this
program, is refused. It never waits for another process longer than `LOCK_SECONDS`.
"""

from __future__ import annotations

import asyncio
import os
import queue
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from guardrail.state.operations import Count, Counts, Find, Get, Operation
from guardrail.state.sqlite_operations import TABLES, revisions, swept, told
from guardrail.state.store import Failure, StateError

LOCK_SECONDS = 2.0
"""How long another process may keep the file to itself. A commit takes well under a millisecond; a checkpoint on a slow
disk, some hundred."""

POLL_SECONDS = 0.25
"""Between two looks for changes by others; they must be seen within a second."""

SWEEP_SECONDS = 60.0
"""Between two sweeps of what has expired."""

TOGETHER = 256
"""Calls that share a transaction at most, so that none waits long for the rest."""

APPLICATION = 0x67726431
"""The mark of our files ("grd1"), so that somebody else's database is never written to."""

SCHEMA = 1
"""Version of the tables. A file of a newer one is refused; of an older one, brought up to date when it is opened."""

_KINDS: dict[int, tuple[Failure, str]] = {
    sqlite3.SQLITE_BUSY: ("slow", "another process keeps it locked"),
    sqlite3.SQLITE_LOCKED: ("slow", "another process keeps it locked"),
    sqlite3.SQLITE_FULL: ("full", "the disk is full"),
    sqlite3.SQLITE_READONLY: ("read-only", "it cannot be written to"),
    sqlite3.SQLITE_PERM: ("read-only", "this user may not open it"),
    sqlite3.SQLITE_CANTOPEN: ("down", "it cannot be opened: does the folder exist, and may this user write to it?"),
    sqlite3.SQLITE_NOTADB: ("other", "it is no SQLite database"),
    sqlite3.SQLITE_CORRUPT: ("other", "it is damaged"),
    sqlite3.SQLITE_IOERR: ("down", "the disk could not be read or written"),
}
"""What the first byte of SQLite's result code means to us."""

_READS = (Get, Find, Counts)


@dataclass(slots=True)
class _Call:
    """One `run` that waits for its replies."""

    operations: Sequence[Operation] | None
    """None: the revisions are asked for."""
    future: asyncio.Future[list[Any]]
    loop: asyncio.AbstractEventLoop


class SqliteStore:
    """A store in a file, or in memory. Lives on one event loop, beside a thread of its own."""

    def __init__(
        self,
        path: Path | None,
        *,
        sync: Literal["normal", "full"] = "normal",
        clock: Callable[[], float] = time.time,
        lock_seconds: float = LOCK_SECONDS,
    ) -> None:
        """Open the file, and make it if there is none; None: in memory. Raises StateError."""
        self.place = "memory" if path is None else str(path)
        self.round_trips = 0
        """Transactions, in all."""
        self._clock = clock
        try:
            self._connection = _opened(path, sync, lock_seconds)
        except sqlite3.Error as error:
            raise self._error(error) from None
        self._calls: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="guardrail-state", daemon=True)
        self._thread.start()

    async def run(self, operations: Sequence[Operation]) -> list[Any]:
        """One reply for each operation. Raises StateError."""
        return await self._asked(operations)

    def changes(self) -> AsyncIterator[str]:
        """Kinds of documents that change. Each kind once at first, since nobody knows what happened before."""
        return self._changes()

    async def ping(self) -> None:
        """Raises StateError while the file cannot be written to."""
        await self._asked([Count(())])

    async def close(self) -> None:
        """Finish what was asked, and close the file."""
        if not self._closed:
            self._closed = True
            self._calls.put(None)
            await asyncio.to_thread(self._thread.join)

    async def _asked(self, operations: Sequence[Operation] | None) -> list[Any]:
        if self._closed:
            raise StateError(f"the state {self.place} is closed", "down")
        loop = asyncio.get_running_loop()
        call = _Call(operations, loop.create_future(), loop)
        self._calls.put(call)
        return await call.future

    async def _changes(self) -> AsyncIterator[str]:
        known: dict[str, int] = {}
        while True:
            try:
                (found,) = await self._asked(None)
            except StateError:
                if self._closed:
                    raise
                known = found = {}  # what happens meanwhile is unknown: every kind is told
            for kind, revision in found.items():
                if known.get(kind) != revision:
                    yield kind
            known = found
            await asyncio.sleep(POLL_SECONDS)

    # What follows runs in the thread.

    def _work(self) -> None:
        open_ = True
        next_sweep = 0.0
        while open_:
            calls: list[_Call] = []
            with suppress(queue.Empty):
                first = self._calls.get(timeout=SWEEP_SECONDS)
                while first is not None:
                    calls.append(first)
                    if len(calls) == TOGETHER:
                        break
                    first = self._calls.get_nowait()
                open_ = first is not None
            if calls:
                self._answer(calls)
            if open_ and time.monotonic() >= next_sweep:
                next_sweep = time.monotonic() + SWEEP_SECONDS
                with suppress(sqlite3.Error):
                    swept(self._connection, self._clock())
        with suppress(sqlite3.Error):
            self._connection.close()

    def _answer(self, calls: list[_Call]) -> None:
        outcomes: list[list[Any] | Exception]
        try:
            outcomes = [*self._together(calls)]
        except Exception as error:
            if hasattr(error, "sqlite_errorcode"):
                outcomes = [self._error(error) for _ in calls]
            else:  # one call asks what cannot be: it must not take the others with it
                outcomes = [self._alone(call) for call in calls]
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[list[Any]], list[Any] | Exception]]] = {}
        for call, outcome in zip(calls, outcomes, strict=True):
            by_loop.setdefault(call.loop, []).append((call.future, outcome))
        for loop, answers in by_loop.items():
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(_hand_over, answers)

    def _alone(self, call: _Call) -> list[Any] | Exception:
        try:
            return self._together([call])[0]
        except Exception as error:
            return self._error(error) if hasattr(error, "sqlite_errorcode") else error

    def _together(self, calls: list[_Call]) -> list[list[Any]]:
        """The replies to all calls, done in one transaction. Nothing is done when it raises."""
        connection = self._connection
        self.round_trips += 1
        writes = any(not isinstance(each, _READS) for call in calls for each in call.operations or ())
        connection.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
        try:
            now = self._clock()
            replies: list[list[Any]] = []
            for call in calls:
                if call.operations is None:
                    replies.append([revisions(connection)])
                else:
                    replies.append([told(connection, operation, now) for operation in call.operations])
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return replies

    def _error(self, error: Exception) -> StateError:
        code = getattr(error, "sqlite_errorcode", None)
        if isinstance(error, _Refused):
            return StateError(f"the state {self.place} cannot be used: {error}", error.kind)
        kind, why = _KINDS.get(-1 if code is None else code & 0xFF, ("other", type(error).__name__))
        return StateError(f"the state {self.place} cannot be used: {why}", kind)


class _Refused(sqlite3.Error):
    """The file is sound, but not for us."""

    def __init__(self, message: str, kind: Failure) -> None:
        self.kind = kind
        super().__init__(message)


def _hand_over(answers: list[tuple[asyncio.Future[list[Any]], list[Any] | Exception]]) -> None:
    for future, outcome in answers:
        if future.done():  # nobody waits any more
            continue
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)


def _opened(path: Path | None, sync: str, lock_seconds: float) -> sqlite3.Connection:
    """A connection to a file that has our tables. Raises sqlite3.Error."""
    if path is not None:
        with suppress(OSError):  # what is wrong with it, SQLite says
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    name = ":memory:" if path is None else str(path)
    connection = sqlite3.connect(name, timeout=lock_seconds, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("BEGIN")  # so that all three are of one moment: another process may be making the tables
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (schema,) = connection.execute("PRAGMA user_version").fetchone()
        connection.execute("COMMIT")
        if tables and application != APPLICATION:
            raise _Refused("it is a database of another program", "other")
        if schema > SCHEMA:
            message = f"it was written by a newer guardrail (schema {schema}, this one knows {SCHEMA})"
            raise _Refused(message, "schema")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {sync}")
        connection.execute("PRAGMA secure_delete = ON")  # what was erased is not left in free pages
        if schema < SCHEMA:
            _make_tables(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _make_tables(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        if connection.execute("PRAGMA user_version").fetchone()[0] < SCHEMA:  # another process may have been first
            for statement in TABLES:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
            connection.execute(f"PRAGMA user_version = {SCHEMA}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
