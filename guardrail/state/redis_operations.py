"""Operations as the Lua script takes them, and its replies as the operations' own. Pure; twin of `operations.lua`.

Every operation has a base: the beginning of all its keys, with the hash tag that puts them into one slot of a cluster.
All documents of a kind share one, so that a document and what it can be found by change together; so do all limits of a
group, the session of one subject, and all counts.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final, assert_never

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
    Meter,
    Operation,
    Put,
    Renew,
    Seats,
    Session,
    Take,
    Taken,
    Visit,
)
from guardrail.state.store import CHANGES
from guardrail.state.window import MICROSECONDS, step_of


class Revision(msgspec.Struct, frozen=True):
    """How often documents of a kind of CHANGES were written. Reply: int. Asked by the store itself."""

    kind: str


class Probe(msgspec.Struct, frozen=True):
    """Write something, as a look whether that can be done. Reply: None. Asked by the store itself."""


Asked = Operation | Revision | Probe
"""What the script knows."""

DAY: Final = timedelta(days=1)


def base_of(operation: Asked, prefix: str) -> str:
    """The beginning of all keys of the operation."""
    match operation:
        case Get() | Put() | Drop() | Find() | Revision():
            return f"{prefix}:{{d:{operation.kind}}}"
        case Take() | Give() | Renew():
            return f"{prefix}:{{l:{operation.group}}}"
        case Visit() | Mark():
            return f"{prefix}:{{v:{operation.group}:{operation.id}}}"
        case Count() | Counts():
            return f"{prefix}:{{c}}"
        case Probe():
            return f"{prefix}:{{p}}"
        case _:
            assert_never(operation)


def channel_of(prefix: str) -> str:
    """The channel on which changes are told."""
    return f"{prefix}:changes"


def arguments(operation: Asked, base: str, prefix: str, bodies: list[bytes]) -> list[Any]:
    """The operation as the script takes it: name, base, and what it needs; `False` stands for none. The body of a
    document is added to `bodies`, and its number stands in its place: Redis cannot read bytes in MessagePack."""
    match operation:
        case Get():
            return ["get", base, operation.id]
        case Put():
            expect: int | bool = False if operation.expect is None else operation.expect
            at: float | bool = False if operation.at is None else operation.at
            tags = sorted(operation.tags)
            bodies.append(bytes(operation.body))
            told = channel_of(prefix) if operation.kind in CHANGES else False
            return ["put", base, operation.id, len(bodies), tags, operation.keep, expect, at, told, operation.kind]
        case Drop():
            told = channel_of(prefix) if operation.kind in CHANGES else False
            return ["drop", base, operation.id, told, operation.kind, KEEP]
        case Find():
            before: float | bool = False if operation.until is None else operation.until
            which = (operation.tag, operation.since, before, operation.limit, operation.newest, operation.after)
            return ["find", base, *which]
        case Revision():
            return ["revision", base]
        case Probe():
            return ["probe", base]
        case Take():
            meters = [
                (each.key, step_of(each.window), each.limit, each.cost, each.spare, int(each.window * MICROSECONDS))
                for each in operation.meters
            ]
            seats = [(each.key, each.limit) for each in operation.seats]
            return ["take", base, meters, seats, operation.lease, operation.lease_seconds]
        case Give():
            corrections = [(each.key, step_of(each.window), each.cost) for each in operation.corrections]
            return ["give", base, operation.seats, operation.lease, corrections]
        case Renew():
            return ["renew", base, operation.seats, operation.leases, operation.lease_seconds]
        case Visit():
            return ["visit", base, operation.gap, operation.keep]
        case Mark():
            return ["mark", base, operation.mark, SESSION_KEEP]
        case Count():
            return ["count", base, [part for pair in operation.counts for part in pair], KEEP]
        case Counts():
            first, last = date.fromisoformat(operation.first), date.fromisoformat(operation.last)
            days = [(first + DAY * number).isoformat() for number in range((last - first).days + 1)]
            return ["counts", base, days]
        case _:
            assert_never(operation)


def reply_of(operation: Asked, reply: Any) -> Any:
    """What the script replied, as the operation's own reply. `reply`: bytes, integers, None and lists of them."""
    match operation:
        case Get():
            return None if reply is None else _document(operation.kind, reply)
        case Put():
            if isinstance(reply, list):
                return Conflict(None if reply[0] is None else _document(operation.kind, reply[0]))
            return reply
        case Drop() | Mark():
            return bool(reply)
        case Find():
            return [_document(operation.kind, each) for each in reply]
        case Take():
            return _taken(operation, reply)
        case Visit():
            started, last, now = map(float, reply[:3])
            return Session(started, last, now, frozenset(mark.decode() for mark in reply[3:]))
        case Counts():
            return {name.decode(): int(count) for name, count in zip(reply[::2], reply[1::2], strict=True)}
        case Give() | Renew() | Count() | Probe():
            return None
        case Revision():
            return reply
        case _:
            assert_never(operation)


def _document(kind: str, reply: list[Any]) -> Document:
    id, version, body, at, tags = reply
    return Document(kind, id.decode(), version, body, float(at), frozenset(msgspec.msgpack.decode(tags)))


def _taken(take: Take, reply: bytes) -> Taken:
    refused, wait, *numbers = map(int, reply.split())
    asked: list[Meter | Seats] = [*take.meters, *take.seats]
    levels = tuple(
        Level(one.key, one.limit, used, reset / MICROSECONDS)
        for one, used, reset in zip(asked, numbers[::2], numbers[1::2], strict=True)
    )
    return Taken(levels, refused, wait / MICROSECONDS)
