"""The tables: what is found by an index, and that what has expired leaves nothing behind."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

from guardrail.state.operations import Count, Counts, Find, Mark, Meter, Put, Seats, Take, Visit
from guardrail.state.sqlite_operations import SWEPT, TABLES, revisions, swept, told

NOW = 1_800_000_000.0


@pytest.fixture
def connection() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for statement in TABLES:
        connection.execute(statement)
    return connection


def rows(connection: sqlite3.Connection) -> dict[str, int]:
    """How many rows each table has."""
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}


def test_sweeping_removes_what_has_expired_and_nothing_else(connection: sqlite3.Connection) -> None:
    for number in range(3):
        told(connection, Put("case", str(number), b"", frozenset({"t"}), keep=10 * (number + 1)), NOW)
    told(connection, Take("acme", (Meter("r", 9, 1.0), Meter("d", 9, 86400.0)), (Seats("s", 9),), "l", 10.0), NOW)
    told(connection, Visit("acme", "u", 60.0, keep=10.0), NOW)
    told(connection, Mark("acme", "v", "m"), NOW)
    told(connection, Count((("a", 1),)), NOW - 1200 * 86400)
    told(connection, Count((("a", 1),)), NOW)
    before = rows(connection)
    swept(connection, NOW)
    assert rows(connection) == before | {"counter": 1}
    swept(connection, NOW + 10)
    after = rows(connection)
    assert (after["document"], after["tag"], after["meter"], after["lease"], after["session"]) == (2, 2, 1, 0, 1)


def test_a_sweep_is_short(connection: sqlite3.Connection) -> None:
    for number in range(SWEPT + 5):
        told(connection, Put("case", str(number), b"", keep=1), NOW)
    swept(connection, NOW + 1)
    assert rows(connection)["document"] == 5


FINDS = [
    Find("case"),
    Find("case", since=5.0, until=9.0),
    Find("case", newest=True),
    Find("case", "t"),
    Find("case", "t", since=5.0, newest=True),
]


@pytest.mark.parametrize("find", FINDS, ids=str)
def test_nothing_is_sorted_or_read_through(connection: sqlite3.Connection, find: Find) -> None:
    seen: list[str] = []
    connection.set_trace_callback(seen.append)
    told(connection, find, NOW)
    connection.set_trace_callback(None)
    plan: list[Any] = connection.execute(f"EXPLAIN QUERY PLAN {seen[-1].replace('Inf', '9e999')}").fetchall()
    steps = " ".join(row[3] for row in plan)
    assert "TEMP B-TREE" not in steps
    assert "SCAN" not in steps


def test_only_some_kinds_have_revisions(connection: sqlite3.Connection) -> None:
    assert revisions(connection) == {"policy": 0, "key": 0}
    for kind in ("policy", "policy", "case"):
        told(connection, Put(kind, "a", b""), NOW)
    assert revisions(connection) == {"policy": 2, "key": 0}


def test_counts_of_no_day(connection: sqlite3.Connection) -> None:
    assert told(connection, Counts("2027-01-02", "2027-01-01"), NOW) == {}
