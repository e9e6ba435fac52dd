"""Each operation of a store as SQL, inside a transaction that the caller has begun.

Promises: what has expired is as if it were not there, also before it is swept. Times are unix seconds.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime
from math import inf
from typing import Any, assert_never

import msgspec

from guardrail.state.operations import (
    KEEP,
    SESSION_KEEP,
    Conflict,
    Count,
    Counts,
    Document,
    Drop,
    Find,
    Get,
    Give,
    Level,
    Mark,
    Operation,
    Put,
    Renew,
    Session,
    Take,
    Taken,
    Visit,
)
from guardrail.state.store import CHANGES
from guardrail.state.window import MICROSECONDS, Window, step_of

TABLES = (
    "CREATE TABLE document (kind TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, body BLOB NOT NULL,"
    " tags TEXT NOT NULL, at REAL NOT NULL, until REAL NOT NULL, UNIQUE (kind, id))",
    "CREATE INDEX document_at ON document (kind, at, id)",
    "CREATE INDEX document_until ON document (until)",
    "CREATE TABLE tag (kind TEXT NOT NULL, tag TEXT NOT NULL, at REAL NOT NULL, id TEXT NOT NULL,"
    " PRIMARY KEY (kind, tag, at, id)) WITHOUT ROWID",
    "CREATE TABLE meter (family TEXT NOT NULL, key TEXT NOT NULL, counts BLOB NOT NULL, until REAL NOT NULL,"
    " PRIMARY KEY (family, key)) WITHOUT ROWID",
    "CREATE TABLE lease (family TEXT NOT NULL, key TEXT NOT NULL, lease TEXT NOT NULL, until REAL NOT NULL,"
    " PRIMARY KEY (family, key, lease)) WITHOUT ROWID",
    "CREATE INDEX lease_until ON lease (family, key, until)",
    "CREATE TABLE session (family TEXT NOT NULL, id TEXT NOT NULL, started REAL NOT NULL, last REAL NOT NULL,"
    " marks TEXT NOT NULL, until REAL NOT NULL, PRIMARY KEY (family, id)) WITHOUT ROWID",
    "CREATE TABLE counter (day TEXT NOT NULL, name TEXT NOT NULL, count INTEGER NOT NULL,"
    " PRIMARY KEY (day, name)) WITHOUT ROWID",
    "CREATE TABLE revision (kind TEXT PRIMARY KEY, revision INTEGER NOT NULL) WITHOUT ROWID",
)

SWEPT = 1000
"""Rows of each table that one sweep removes at most, so that no request waits long for it."""

_COLUMNS = "kind, id, version, body, at, tags"


def told(connection: sqlite3.Connection, operation: Operation, now: float) -> Any:
    """The reply to one operation. Raises sqlite3.Error."""
    match operation:
        case Get():
            return _document(connection, operation.kind, operation.id, now)
        case Put():
            return _put(connection, operation, now)
        case Drop():
            return _drop(connection, operation, now)
        case Find():
            return _find(connection, operation, now)
        case Take():
            return _take(connection, operation, now)
        case Give():
            return _give(connection, operation, now)
        case Renew():
            return _renew(connection, operation, now)
        case Visit():
            return _visit(connection, operation, now)
        case Mark():
            return _mark(connection, operation, now)
        case Count():
            return _count(connection, operation, now)
        case Counts():
            return _counts(connection, operation)
        case _:
            assert_never(operation)


def revisions(connection: sqlite3.Connection) -> dict[str, int]:
    """How often documents of each kind of CHANGES were written."""
    return dict.fromkeys(CHANGES, 0) | dict(connection.execute("SELECT kind, revision FROM revision"))


def swept(connection: sqlite3.Connection, now: float) -> None:
    """Remove some of what has expired, in a transaction of its own. Raises sqlite3.Error."""
    day = _day(now - KEEP)
    connection.execute("BEGIN IMMEDIATE")
    try:
        expired = "SELECT kind, id, at, tags FROM document WHERE until <= ? LIMIT ?"
        for kind, id, at, tags in connection.execute(expired, (now, SWEPT)).fetchall():
            _remove(connection, kind, id, at, msgspec.json.decode(tags))
        for table, names in (("meter", "family, key"), ("lease", "family, key, lease"), ("session", "family, id")):
            some = f"SELECT {names} FROM {table} WHERE until <= ? LIMIT ?"  # noqa: S608 (names from the line above)
            connection.execute(f"DELETE FROM {table} WHERE ({names}) IN ({some})", (now, SWEPT))  # noqa: S608
        connection.execute("DELETE FROM counter WHERE day < ?", (day,))
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


# Documents


def _read(row: tuple[Any, ...]) -> Document:
    kind, id, version, body, at, tags = row
    return Document(kind, id, version, body, at, frozenset(msgspec.json.decode(tags)))


def _document(connection: sqlite3.Connection, kind: str, id: str, now: float) -> Document | None:
    query = f"SELECT {_COLUMNS} FROM document WHERE kind = ? AND id = ? AND until > ?"  # noqa: S608 (a constant)
    row = connection.execute(query, (kind, id, now)).fetchone()
    return None if row is None else _read(row)


def _put(connection: sqlite3.Connection, put: Put, now: float) -> int | Conflict:
    found = _document(connection, put.kind, put.id, now)
    version = 0 if found is None else found.version
    if put.expect is not None and put.expect != version:
        return Conflict(found)
    at = put.at if put.at is not None else now if found is None else found.at
    if found is None:
        _forget(connection, put.kind, put.id)  # one that has expired, if there is one
    else:
        _untag(connection, put.kind, put.id, found.at, found.tags)
    connection.execute(
        "INSERT INTO document (kind, id, version, body, tags, at, until) VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (kind, id) DO UPDATE SET version = excluded.version, body = excluded.body,"
        " tags = excluded.tags, at = excluded.at, until = excluded.until",
        (put.kind, put.id, version + 1, put.body, _listed(put.tags), at, now + put.keep),
    )
    for tag in put.tags:
        connection.execute("INSERT INTO tag (kind, tag, at, id) VALUES (?, ?, ?, ?)", (put.kind, tag, at, put.id))
    _changed(connection, put.kind)
    return version + 1


def _drop(connection: sqlite3.Connection, drop: Drop, now: float) -> bool:
    found = _document(connection, drop.kind, drop.id, now)
    if found is None:
        return False
    _remove(connection, found.kind, found.id, found.at, found.tags)
    _changed(connection, drop.kind)
    return True


def _find(connection: sqlite3.Connection, find: Find, now: float) -> list[Document]:
    direction, beyond = ("DESC", "<") if find.newest else ("ASC", ">")
    table = "document d" if not find.tag else "tag t JOIN document d ON d.kind = t.kind AND d.id = t.id"
    name = "t" if find.tag else "d"
    where = [f"{name}.kind = ?", f"{name}.at >= ?", f"{name}.at < ?", "d.until > ?"]
    values: list[Any] = [find.kind, find.since, inf if find.until is None else find.until, now]
    if find.tag:
        where.append("t.tag = ?")
        values.append(find.tag)
    if find.after:
        last = connection.execute("SELECT at FROM document WHERE kind = ? AND id = ?", (find.kind, find.after))
        if (row := last.fetchone()) is not None:
            where.append(f"({name}.at, {name}.id) {beyond} (?, ?)")
            values += [row[0], find.after]
    query = (
        f"SELECT d.kind, d.id, d.version, d.body, d.at, d.tags FROM {table} WHERE {' AND '.join(where)}"  # noqa: S608
        f" ORDER BY {name}.at {direction}, {name}.id {direction} LIMIT ?"
    )
    return [_read(row) for row in connection.execute(query, (*values, find.limit))]


def _forget(connection: sqlite3.Connection, kind: str, id: str) -> None:
    row = connection.execute("SELECT at, tags FROM document WHERE kind = ? AND id = ?", (kind, id)).fetchone()
    if row is not None:
        _remove(connection, kind, id, row[0], msgspec.json.decode(row[1]))


def _remove(connection: sqlite3.Connection, kind: str, id: str, at: float, tags: Iterable[str]) -> None:
    _untag(connection, kind, id, at, tags)
    connection.execute("DELETE FROM document WHERE kind = ? AND id = ?", (kind, id))


def _untag(connection: sqlite3.Connection, kind: str, id: str, at: float, tags: Iterable[str]) -> None:
    for tag in tags:
        connection.execute("DELETE FROM tag WHERE kind = ? AND tag = ? AND at = ? AND id = ?", (kind, tag, at, id))


def _changed(connection: sqlite3.Connection, kind: str) -> None:
    if kind in CHANGES:
        connection.execute(
            "INSERT INTO revision VALUES (?, 1) ON CONFLICT (kind) DO UPDATE SET revision = revision + 1", (kind,)
        )


def _listed(names: Iterable[str]) -> str:
    return msgspec.json.encode(sorted(names)).decode()


# Limits


def _take(connection: sqlite3.Connection, take: Take, now: float) -> Taken:
    moment = int(now * MICROSECONDS)
    windows = [_window(connection, take.group, meter.key, meter.window, moment) for meter in take.meters]
    sizes = [_size(connection, take.group, seats.key, now) for seats in take.seats]
    held = [_holds(connection, take.group, seats.key, take.lease, now) for seats in take.seats]
    refused, retry_after = -1, 0.0
    for index, (meter, window) in enumerate(zip(take.meters, windows, strict=True)):
        if not window.fits(meter.cost, meter.limit, spare=meter.spare):
            wait = window.room_in(meter.cost, meter.limit, spare=meter.spare)
            refused, retry_after = index, meter.window if wait is None else wait / MICROSECONDS
            break
    else:
        for index, (seats, size) in enumerate(zip(take.seats, sizes, strict=True)):
            if not held[index] and size >= seats.limit:
                over = _over(connection, take.group, seats.key, size - seats.limit, now) if seats.limit > 0 else None
                refused = len(take.meters) + index
                retry_after = take.lease_seconds if over is None else over - now
                break
    if refused < 0:
        for meter, window in zip(take.meters, windows, strict=True):
            if meter.cost:
                window.add(meter.cost)
                _write(connection, take.group, meter.key, meter.window, window)
        for index, seats in enumerate(take.seats):
            _lease(connection, take.group, seats.key, take.lease, now + take.lease_seconds)
            sizes[index] += not held[index]
    levels = [
        Level(meter.key, meter.limit, window.used, window.reset / MICROSECONDS)
        for meter, window in zip(take.meters, windows, strict=True)
    ]
    levels += [Level(seats.key, seats.limit, size, 0.0) for seats, size in zip(take.seats, sizes, strict=True)]
    return Taken(tuple(levels), refused, retry_after)


def _give(connection: sqlite3.Connection, give: Give, now: float) -> None:
    for key in give.seats:
        delete = "DELETE FROM lease WHERE family = ? AND key = ? AND lease = ?"
        connection.execute(delete, (give.group, key, give.lease))
    for meter in give.corrections:
        window = _window(connection, give.group, meter.key, meter.window, int(now * MICROSECONDS))
        window.add(meter.cost)
        _write(connection, give.group, meter.key, meter.window, window)


def _renew(connection: sqlite3.Connection, renew: Renew, now: float) -> None:
    for key, lease in zip(renew.seats, renew.leases, strict=True):
        _lease(connection, renew.group, key, lease, now + renew.lease_seconds)


def _window(connection: sqlite3.Connection, group: str, key: str, seconds: float, moment: int) -> Window:
    step = step_of(seconds)
    query = "SELECT counts FROM meter WHERE family = ? AND key = ?"
    row = connection.execute(query, (group, f"{key}/{step}")).fetchone()
    return Window(step, moment, () if row is None else msgspec.msgpack.decode(row[0], type=list[int]))


def _write(connection: sqlite3.Connection, group: str, key: str, seconds: float, window: Window) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO meter VALUES (?, ?, ?, ?)",
        (group, f"{key}/{step_of(seconds)}", msgspec.msgpack.encode(window.flat()), window.until / MICROSECONDS),
    )


def _size(connection: sqlite3.Connection, group: str, key: str, now: float) -> int:
    """How many leases there are."""
    query = "SELECT count(*) FROM lease WHERE family = ? AND key = ? AND until > ?"
    (size,) = connection.execute(query, (group, key, now)).fetchone()
    assert isinstance(size, int)
    return size


def _holds(connection: sqlite3.Connection, group: str, key: str, lease: str, now: float) -> bool:
    query = "SELECT 1 FROM lease WHERE family = ? AND key = ? AND lease = ? AND until > ?"
    return connection.execute(query, (group, key, lease, now)).fetchone() is not None


def _over(connection: sqlite3.Connection, group: str, key: str, before: int, now: float) -> float:
    """When a lease is over, the one before which so many others are."""
    query = "SELECT until FROM lease WHERE family = ? AND key = ? AND until > ? ORDER BY until LIMIT 1 OFFSET ?"
    (until,) = connection.execute(query, (group, key, now, before)).fetchone()
    assert isinstance(until, float)
    return until


def _lease(connection: sqlite3.Connection, group: str, key: str, lease: str, until: float) -> None:
    connection.execute("INSERT OR REPLACE INTO lease VALUES (?, ?, ?, ?)", (group, key, lease, until))


# Sessions


def _session(connection: sqlite3.Connection, group: str, id: str, now: float) -> tuple[float, float, list[str]] | None:
    query = "SELECT started, last, marks FROM session WHERE family = ? AND id = ? AND until > ?"
    row = connection.execute(query, (group, id, now)).fetchone()
    return None if row is None else (row[0], row[1], msgspec.json.decode(row[2]))


def _visit(connection: sqlite3.Connection, visit: Visit, now: float) -> Session:
    found = _session(connection, visit.group, visit.id, now)
    if found is None or now - found[1] >= visit.gap:
        found = (now, now, [])
    started, last, marks = found
    connection.execute(
        "INSERT OR REPLACE INTO session VALUES (?, ?, ?, ?, ?, ?)",
        (visit.group, visit.id, started, now, _listed(marks), now + visit.keep),
    )
    return Session(started, last, now, frozenset(marks))


def _mark(connection: sqlite3.Connection, mark: Mark, now: float) -> bool:
    found = _session(connection, mark.group, mark.id, now)
    if found is None:
        values = (mark.group, mark.id, now, now, _listed([mark.mark]), now + SESSION_KEEP)
        connection.execute("INSERT OR REPLACE INTO session VALUES (?, ?, ?, ?, ?, ?)", values)
        return True
    marks = found[2]
    if mark.mark in marks:
        return False
    update = "UPDATE session SET marks = ? WHERE family = ? AND id = ?"
    connection.execute(update, (_listed([*marks, mark.mark]), mark.group, mark.id))
    return True


# Counts


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).date().isoformat()


def _count(connection: sqlite3.Connection, count: Count, now: float) -> None:
    day = _day(now)
    add = "INSERT INTO counter VALUES (?, ?, ?) ON CONFLICT (day, name) DO UPDATE SET count = count + excluded.count"
    connection.executemany(add, [(day, name, number) for name, number in count.counts])


def _counts(connection: sqlite3.Connection, counts: Counts) -> dict[str, int]:
    query = "SELECT name, sum(count) FROM counter WHERE day BETWEEN ? AND ? GROUP BY name"
    return dict(connection.execute(query, (counts.first, counts.last)))
