"""The contract over a file and over memory, and what only a file can do or suffer."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from guardrail.state.operations import Document, Get, Meter, Put, Take
from guardrail.state.sqlite import SCHEMA, SqliteStore
from guardrail.state.store import StateError, Store, get, put
from tests.state.contract import *  # noqa: F403
from tests.state.contract import Backend, Clock, reply


class File:
    def __init__(self, path: Path) -> None:
        self.path = path

    def open(self, clock: Callable[[], float] | None = None) -> SqliteStore:
        return SqliteStore(self.path) if clock is None else SqliteStore(self.path, clock=clock)


class Shared:
    """The one store of a memory, for everybody: closed when the last of them closes it."""

    def __init__(self) -> None:
        self.store: SqliteStore | None = None
        self.users = 0

    def open(self, clock: Callable[[], float] | None = None) -> Store:
        if self.store is None:
            self.store = SqliteStore(None) if clock is None else SqliteStore(None, clock=clock)
        self.users += 1
        return _Hold(self, self.store)


class _Hold:
    def __init__(self, shared: Shared, store: SqliteStore) -> None:
        self._shared = shared
        self.run, self.changes, self.ping = store.run, store.changes, store.ping
        self._store = store
        self._open = True

    @property
    def round_trips(self) -> int:
        return self._store.round_trips

    async def close(self) -> None:
        if self._open:
            self._open = False
            self._shared.users -= 1
            if self._shared.users == 0:
                await self._store.close()


@pytest.fixture(params=["file", "memory"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Backend:
    return File(tmp_path / "state.db") if request.param == "file" else Shared()


# Only a file


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


async def test_the_file_is_for_its_owner_only(path: Path) -> None:
    store = SqliteStore(path)
    await put(store, Put("case", "a", b""))
    assert {each.stat().st_mode & 0o777 for each in path.parent.iterdir()} == {0o600}
    await store.close()
    assert [each.name for each in path.parent.iterdir()] == ["state.db"]


def takes(path: Path, number: int, passed: multiprocessing.Queue[int]) -> None:
    async def main() -> None:
        store = SqliteStore(path)
        taken = [await reply(store, Take("acme", (Meter("r", 100, 3600.0),))) for _ in range(60)]
        passed.put(sum(one.refused < 0 for one in taken))
        await store.close()

    asyncio.run(main())


async def test_processes_share_a_file_that_none_has_made_yet(path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    passed: multiprocessing.Queue[int] = context.Queue()
    processes = [context.Process(target=takes, args=(path, number, passed)) for number in range(3)]
    for process in processes:
        process.start()
    found = [await asyncio.to_thread(passed.get, timeout=60) for _ in processes]
    for process in processes:
        process.join()
    assert sum(found) == 100


def writes_until_killed(path: Path, told: int) -> None:
    async def main() -> None:
        store = SqliteStore(path)
        number = 0
        while True:
            number += 1
            await put(store, Put("case", str(number), b"x" * 500))
            os.write(told, f"{number}\n".encode())

    asyncio.run(main())


@pytest.mark.parametrize("number", range(5))
async def test_what_was_answered_is_there_after_a_kill(path: Path, number: int) -> None:
    reader, writer = os.pipe()
    process = multiprocessing.get_context("fork").Process(target=writes_until_killed, args=(path, writer))
    process.start()
    os.close(writer)
    with os.fdopen(reader, "rb") as answers:
        lines = [answers.readline() for _ in range(20 * number + 1)]
        process.kill()
        lines += answers.read().splitlines(keepends=True)
    process.join()
    last = max(int(line) for line in lines if line.endswith(b"\n"))
    store = SqliteStore(path)
    found = await store.run([Get("case", str(number)) for number in range(1, last + 1)])
    assert all(isinstance(each, Document) for each in found)
    await store.close()


def test_a_newer_file_is_refused(path: Path) -> None:
    SqliteStore(path)
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA + 1}")
    connection.close()
    with pytest.raises(StateError, match=r"written by a newer guardrail \(schema 2, this one knows 1\)") as caught:
        SqliteStore(path)
    assert caught.value.kind == "schema"


def test_a_file_that_is_no_database_is_refused(path: Path) -> None:
    path.write_bytes(b"something else entirely, and long enough to have a header" * 20)
    with pytest.raises(StateError, match="it is no SQLite database"):
        SqliteStore(path)


def test_the_database_of_another_program_is_left_alone(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StateError, match="it is a database of another program"):
        SqliteStore(path)
    assert path.read_bytes() == before


def test_a_folder_that_is_not_there(path: Path) -> None:
    with pytest.raises(StateError, match="it cannot be opened: does the folder exist"):
        SqliteStore(path / "below")


async def test_a_file_that_may_not_be_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = SqliteStore(path)
    await put(store, Put("case", "a", b"1"))
    store._connection.execute("PRAGMA query_only = ON")  # as root, no file is read-only
    with pytest.raises(StateError, match="it cannot be written to") as caught:
        await store.ping()
    assert caught.value.kind == "read-only"
    assert (await get(store, "case", "a")) is not None
    await store.close()


async def test_a_full_disk(path: Path) -> None:
    store = SqliteStore(path)
    await put(store, Put("case", "a", b"1"))
    (pages,) = store._connection.execute("PRAGMA page_count").fetchone()
    store._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(StateError, match="the disk is full") as caught:
        await put(store, Put("case", "b", b"x" * 40_000))
    assert caught.value.kind == "full"
    assert (await get(store, "case", "a")) is not None
    store._connection.execute("PRAGMA max_page_count = 1000000")
    assert await put(store, Put("case", "c", b"x" * 40_000)) == 1
    await store.close()


async def test_a_file_that_another_process_keeps_to_itself(path: Path) -> None:
    store = SqliteStore(path, lock_seconds=0.2)
    await put(store, Put("case", "a", b"1"))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert (await get(store, "case", "a")) is not None
    with pytest.raises(StateError, match="another process keeps it locked") as caught:
        await store.ping()
    assert caught.value.kind == "slow"
    other.execute("ROLLBACK")
    await store.ping()
    other.close()
    await store.close()


async def test_power_may_fail_when_it_is_asked_for(path: Path) -> None:
    for sync, level in (("normal", 1), ("full", 2)):
        store = SqliteStore(path, sync=sync)  # type: ignore[arg-type]
        assert store._connection.execute("PRAGMA synchronous").fetchone() == (level,)
        assert store._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        await store.close()


async def test_what_has_expired_is_removed_when_the_file_is_opened(path: Path) -> None:
    clock = Clock()
    store = SqliteStore(path, clock=clock)
    await store.run(
        [Put("case", "a", b"CANARY", frozenset({"t"}), keep=10), Take("acme", (Meter("r", 1, 1.0),), lease="x")]
    )
    await store.close()
    clock.now += 100
    store = SqliteStore(path, clock=clock)
    await store.ping()
    await store.ping()
    await store.close()
    assert b"CANARY" not in path.read_bytes()  # noqa: ASYNC240 (nothing else runs)
    with sqlite3.connect(path) as connection:
        for table in ("document", "tag", "meter", "lease"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
    connection.close()
