"""The figures of a periodic report: what was asked, found, done, complained of and decided in a stretch of days.

Promises: sums of what was counted, never a person, a text or a case; numbers too small to hide anybody in them are not
told unless it is asked for. A figure that is withheld cannot be worked out from the others of its table: the sum is
withheld with it, and where only one is small, so is the smallest of the others.

Laws that ask for an exact number (how often people were referred to crisis services) are served by `exact`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from guardrail.governance.counters import MEANINGS, Counted, Kind, read
from guardrail.state.operations import Counts, Find
from guardrail.state.store import Store

SMALLEST = 5
"""Counts from 1 to one less are withheld: the usual threshold of official statistics for tables about people."""

NOT_COUNTED = frozenset((Kind.DECISION_SECONDS, Kind.SHADOW))
"""Sums of seconds, told as averages; and what was tried on answers, and done to none."""

PAGE = 500


class Row(Struct, frozen=True):
    """One line of a table."""

    details: Annotated[
        tuple[str, ...], Meta(description="What the number is of, in the order of the table's `details`.")
    ]
    count: Annotated[int | None, Meta(description="How many; null: withheld, for it is small.")]


class Table(Struct, frozen=True):
    """Everything of one kind."""

    kind: Annotated[str, Meta(description="What is counted.")]
    meaning: Annotated[str, Meta(description="The same in words.")]
    details: Annotated[tuple[str, ...], Meta(description="What the numbers are split by.")]
    rows: Annotated[list[Row], Meta(description="The numbers; none: nothing of it happened.")]
    total: Annotated[int | None, Meta(description="Their sum; null: withheld, for it would give one of them away.")]


class Decided(Struct, frozen=True):
    """How fast complaints of one kind were decided."""

    kind: Annotated[str, Meta(description="`complaint` or `appeal`.")]
    days: Annotated[float | None, Meta(description="Days from receipt to decision on average; null: withheld.")]


class Figures(Struct, frozen=True):
    """The report."""

    version: Annotated[Literal[1], Meta(description="Version of this format.")]
    generator: Annotated[str, Meta(description="The software that made it.")]
    first: Annotated[str, Meta(description="The first day, UTC.")]
    last: Annotated[str, Meta(description="The last day, UTC, included.")]
    made_at: Annotated[str, Meta(description="When it was made, UTC.")]
    tenant: Annotated[str | None, Meta(description="The one tenant that it is about; null: all together.")]
    smallest: Annotated[int, Meta(description="Counts below this are withheld; 1: none is.")]
    tables: Annotated[list[Table], Meta(description="One for each kind of thing that is counted.")]
    decided: Annotated[list[Decided], Meta(description="How fast complaints were decided.")]
    open: Annotated[int | None, Meta(description="Complaints that wait for a decision when the report is made.")]
    overdue: Annotated[int | None, Meta(description="Those among them whose decision is late.")]
    tenants: Annotated[list[Table], Meta(description="Numbers by tenant; none unless asked for.")]


BY_TENANT = (Kind.REQUESTS, Kind.HALTS, Kind.MEASURES, Kind.COMPLAINTS, Kind.CRISIS)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Complaints that are not decided."""

    open: int
    overdue: int


def month_before(today: date) -> tuple[date, date]:
    """The first and the last day of the month before."""
    last = today.replace(day=1) - timedelta(days=1)
    return last.replace(day=1), last


async def gather(
    store: Store, first: date, last: date, *, tenant: str | None = None, exact: bool = False, by_tenant: bool = False
) -> Figures:
    """The figures of the days `first` to `last`, both included. Raises StateError."""
    (counts,) = await store.run([Counts(first.isoformat(), last.isoformat())])
    now = datetime.now(UTC)
    waiting = await _waiting(store, tenant, now.timestamp())
    return figures(counts, waiting, first, last, now, tenant=tenant, exact=exact, by_tenant=by_tenant)


def figures(
    counts: Mapping[str, int],
    waiting: Waiting,
    first: date,
    last: date,
    now: datetime,
    *,
    tenant: str | None = None,
    exact: bool = False,
    by_tenant: bool = False,
) -> Figures:
    """The figures of what was counted. Pure."""
    smallest = 1 if exact else SMALLEST
    counted = [each for each in read(counts) if tenant is None or each.tenant == tenant]
    kinds = [kind for kind in Kind if kind not in NOT_COUNTED]
    return Figures(
        version=1,
        generator=f"guardrail {version('guardrail')}",
        first=first.isoformat(),
        last=last.isoformat(),
        made_at=now.isoformat(timespec="seconds").replace("+00:00", "Z"),
        tenant=tenant,
        smallest=smallest,
        tables=[_table(kind, _sums(counted, kind), MEANINGS[kind].details, smallest) for kind in kinds],
        decided=_decided(counted, smallest),
        open=_shown(waiting.open, smallest),
        overdue=_shown(waiting.overdue, smallest),
        tenants=[_table(kind, _tenants(counted, kind), ("tenant",), smallest) for kind in BY_TENANT if by_tenant],
    )


def _sums(counted: Iterable[Counted], kind: Kind) -> Counter[tuple[str, ...]]:
    sums: Counter[tuple[str, ...]] = Counter()
    for each in counted:
        if each.kind is kind:
            sums[each.details] += each.number
    return sums


def _tenants(counted: Iterable[Counted], kind: Kind) -> Counter[tuple[str, ...]]:
    sums: Counter[tuple[str, ...]] = Counter()
    for each in counted:
        if each.kind is kind:
            sums[each.tenant,] += each.number
    return sums


def _table(kind: Kind, sums: Mapping[tuple[str, ...], int], details: tuple[str, ...], smallest: int) -> Table:
    shown = withheld(sums, smallest)
    rows = [Row(each, shown[each]) for each in sorted(sums) if sums[each]]
    total = sum(sums.values())
    whole = all(row.count is not None for row in rows)
    return Table(kind.value, MEANINGS[kind].text, details, rows, total if whole else None)


def withheld(sums: Mapping[tuple[str, ...], int], smallest: int) -> dict[tuple[str, ...], int | None]:
    """Each number, or None where it is withheld: those from 1 to `smallest` - 1; and where that is one alone, the
    smallest of the others too, so that no difference gives it away."""
    small = {each for each, number in sums.items() if 0 < number < smallest}
    others = sorted((number, each) for each, number in sums.items() if number >= smallest)
    if len(small) == 1 and others:
        small.add(others[0][1])
    return {each: None if each in small else number for each, number in sums.items()}


def _decided(counted: Sequence[Counted], smallest: int) -> list[Decided]:
    seconds, decisions = _sums(counted, Kind.DECISION_SECONDS), _sums(counted, Kind.DECISIONS)
    out = []
    for (kind,), total in sorted(seconds.items()):
        number = sum(count for details, count in decisions.items() if details[0] == kind)
        if number:
            out.append(Decided(kind, round(total / number / 86400, 1) if number >= smallest else None))
    return out


def _shown(number: int, smallest: int) -> int | None:
    return None if 0 < number < smallest else number


class _Due(Struct):
    """What is read of a complaint."""

    due_at: float
    tenant: str


async def _waiting(store: Store, tenant: str | None, now: float) -> Waiting:
    opened = overdue = 0
    after = ""
    while True:
        (page,) = await store.run([Find("complaint", "open", limit=PAGE, after=after)])
        for document in page:
            found = msgspec.json.decode(document.body, type=_Due)
            if tenant is None or found.tenant == tenant:
                opened += 1
                overdue += found.due_at < now
        if len(page) < PAGE:
            return Waiting(opened, overdue)
        after = page[-1].id


def schema() -> dict[str, Any]:
    """The JSON Schema of the report."""
    (reference,), definitions = msgspec.json.schema_components([Figures], ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "report",
        **reference,
        "$defs": definitions,
    }
