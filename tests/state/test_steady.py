"""A store behind a breaker, over a real file that another process keeps to itself."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from guardrail.state.operations import Get, Put
from guardrail.state.sqlite import SqliteStore
from guardrail.state.steady import Steady
from guardrail.state.store import CHANGES, StateError, get, put
from tests.state.contract import until


async def test_it_fails_at_once_until_the_store_answers(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    steady = Steady(SqliteStore(path, lock_seconds=0.05))
    assert await put(steady, Put("case", "a", b"")) == 1
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StateError, match="another process keeps it locked"):
        await put(steady, Put("case", "a", b""))
    with pytest.raises(StateError, match="left alone until it does") as caught:
        await steady.run([Get("case", "a")])
    assert caught.value.kind == "slow"
    with pytest.raises(StateError, match="another process keeps it locked"):
        await steady.ping()
    failures = steady.failures["slow"]
    assert failures >= 2
    await until(lambda: steady.failures["slow"] > failures)  # it is asked by nobody who waits
    other.execute("ROLLBACK")
    other.close()
    await until(lambda: steady._probing is not None and steady._probing.done())
    assert await put(steady, Put("case", "a", b"")) == 2
    assert steady.round_trips > 4
    await steady.close()


async def test_a_look_of_ones_own_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    steady = Steady(SqliteStore(path, lock_seconds=0.05))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StateError):
        await steady.ping()
    other.execute("ROLLBACK")
    other.close()
    await steady.ping()
    assert await put(steady, Put("case", "a", b"")) == 1
    await steady.close()


async def test_an_answer_that_is_no_keeps_reading_possible(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "state.db")
    steady = Steady(store)
    await put(steady, Put("case", "a", b""))
    store._connection.execute("PRAGMA query_only = ON")
    with pytest.raises(StateError):
        await put(steady, Put("case", "a", b""))
    assert (await get(steady, "case", "a")) is not None
    assert dict(steady.failures) == {"read-only": 1}
    await steady.close()


async def test_changes_are_the_stores() -> None:
    steady = Steady(SqliteStore(None))
    heard = []
    async for kind in steady.changes():
        heard.append(kind)
        if len(heard) == len(CHANGES):
            break
    assert sorted(heard) == sorted(CHANGES)
    await steady.close()
