"""What a state is, in plain Python: the operations as their descriptions say, for a clock that is set by hand.

It shares no code with the stores. What is counted in a window is kept as single events, each with the moment at which
it stops to count.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from math import ceil, inf
from typing import Any

from guardrail.state.operations import (
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
    Put,
    Renew,
    Session,
    Take,
    Taken,
    Visit,
)

SECOND = 1_000_000


class Model:
    """One state. Times are microseconds but where an operation says otherwise."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._documents: dict[tuple[str, str], tuple[Document, float]] = {}
        self._events: dict[tuple[str, str, float], list[list[int]]] = {}
        self._leases: dict[tuple[str, str], dict[str, int]] = {}
        self._sessions: dict[tuple[str, str], tuple[Session, float]] = {}
        self._counts: dict[tuple[str, str], int] = {}

    def tell(self, operation: Any) -> Any:
        """The reply."""
        now = self._clock()
        self._documents = {key: one for key, one in self._documents.items() if one[1] > now}
        self._sessions = {key: one for key, one in self._sessions.items() if one[1] > now}
        return getattr(self, type(operation).__name__.lower())(operation, now)

    def get(self, get: Get, now: float) -> Document | None:
        return self._documents.get((get.kind, get.id), (None, 0))[0]

    def put(self, put: Put, now: float) -> int | Conflict:
        found = self.get(Get(put.kind, put.id), now)
        version = found.version if found else 0
        if put.expect not in (None, version):
            return Conflict(found)
        at = put.at if put.at is not None else found.at if found else now
        document = Document(put.kind, put.id, version + 1, put.body, at, put.tags)
        self._documents[put.kind, put.id] = document, now + put.keep
        return version + 1

    def drop(self, drop: Drop, now: float) -> bool:
        return self._documents.pop((drop.kind, drop.id), None) is not None

    def find(self, find: Find, now: float) -> list[Document]:
        documents = [
            document
            for document, _ in self._documents.values()
            if document.kind == find.kind
            and (not find.tag or find.tag in document.tags)
            and find.since <= document.at < (inf if find.until is None else find.until)
        ]
        documents.sort(key=_place, reverse=find.newest)
        last = self.get(Get(find.kind, find.after), now)
        if last is not None:
            documents = [
                each
                for each in documents
                if (_place(each) < _place(last) if find.newest else _place(each) > _place(last))
            ]
        return documents[: find.limit]

    # Limits

    def _counting(self, group: str, meter: Meter, now: float) -> list[list[int]]:
        """[moment at which it stops to count, how much] of each event, the oldest first."""
        events = self._events.setdefault((group, meter.key, meter.window), [])
        events[:] = [event for event in events if event[0] > _moment(now) and event[1]]
        return events

    def _count(self, group: str, meter: Meter, now: float) -> None:
        events = self._counting(group, meter, now)
        step = ceil(Fraction(meter.window) * SECOND / 60)
        if meter.cost > 0:
            events.append([(_moment(now) // step + 61) * step, meter.cost])
        left = -meter.cost
        for event in events:
            back = max(0, min(left, event[1]))
            event[1] -= back
            left -= back

    def take(self, take: Take, now: float) -> Taken:
        refused, wait = -1, 0.0
        for index, meter in enumerate(take.meters):
            events = self._counting(take.group, meter, now)
            waits = [0, *(event[0] - _moment(now) for event in events)]
            fitting = [
                moment
                for moment in waits
                for used in [sum(event[1] for event in events if event[0] - _moment(now) > moment)]
                if used + meter.cost <= meter.limit or (meter.spare and used == 0)
            ]
            if refused < 0 and (not fitting or min(fitting) > 0):
                refused, wait = index, min(fitting) / SECOND if fitting else meter.window
        held = [self._held(take.group, seats.key, now) for seats in take.seats]
        for index, (seats, leases) in enumerate(zip(take.seats, held, strict=True)):
            if refused < 0 and take.lease not in leases and len(leases) >= seats.limit:
                refused = len(take.meters) + index
                ends = sorted(leases.values(), reverse=True)
                wait = (ends[seats.limit - 1] - _moment(now)) / SECOND if seats.limit else take.lease_seconds
        if refused < 0:
            for meter in take.meters:
                self._count(take.group, meter, now)
            for leases in held:
                leases[take.lease] = _moment(now) + int(take.lease_seconds * SECOND)
        levels = []
        for meter in take.meters:
            events = self._counting(take.group, meter, now)
            reset = max((event[0] - _moment(now) for event in events), default=0)
            levels.append(Level(meter.key, meter.limit, sum(event[1] for event in events), reset / SECOND))
        levels += [
            Level(seats.key, seats.limit, len(leases), 0.0) for seats, leases in zip(take.seats, held, strict=True)
        ]
        return Taken(tuple(levels), refused, wait)

    def _held(self, group: str, key: str, now: float) -> dict[str, int]:
        leases = self._leases.setdefault((group, key), {})
        for name in [name for name, until in leases.items() if until <= _moment(now)]:
            del leases[name]
        return leases

    def give(self, give: Give, now: float) -> None:
        for key in give.seats:
            self._held(give.group, key, now).pop(give.lease, None)
        for meter in give.corrections:
            self._count(give.group, meter, now)

    def renew(self, renew: Renew, now: float) -> None:
        for key, lease in zip(renew.seats, renew.leases, strict=True):
            self._held(renew.group, key, now)[lease] = _moment(now) + int(renew.lease_seconds * SECOND)

    # Sessions and counts

    def visit(self, visit: Visit, now: float) -> Session:
        found, _ = self._sessions.get((visit.group, visit.id), (None, 0))
        if found is None or now - found.now >= visit.gap:
            session = Session(now, now, now)
        else:
            session = Session(found.started, found.now, now, found.marks)
        self._sessions[visit.group, visit.id] = session, now + visit.keep
        return session

    def mark(self, mark: Mark, now: float) -> bool:
        session, until = self._sessions.get((mark.group, mark.id), (Session(now, now, now), now + 2 * 86400))
        self._sessions[mark.group, mark.id] = replace(session, marks=session.marks | {mark.mark}), until
        return mark.mark not in session.marks

    def count(self, count: Count, now: float) -> None:
        day = datetime.fromtimestamp(now, UTC).date().isoformat()
        for name, number in count.counts:
            self._counts[day, name] = self._counts.get((day, name), 0) + number

    def counts(self, counts: Counts, now: float) -> dict[str, int]:
        out: dict[str, int] = {}
        for (day, name), number in self._counts.items():
            if counts.first <= day <= counts.last:
                out[name] = out.get(name, 0) + number
        return out


def _moment(now: float) -> int:
    return int(now * SECOND)


def _place(document: Document) -> tuple[float, bytes]:
    return document.at, document.id.encode()
