"""Records of an audit log, of all writers by time, picked and written as JSON lines or as a table.

A line of JSON is the record as it stands with the writer's name in front, so that its hash can still be checked. Reads
only; whether the chains hold is for `audit_verify`.
"""

from __future__ import annotations

import csv
import heapq
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import IO, Any

import msgspec

from guardrail.observe.audit_segments import Line, last_line, lines, read, segments, writers

COLUMNS = ("time", "writer", "seq", "kind", "actor", "tenant", "subject", "request_id", "body")

_FORMULAS = ("=", "+", "-", "@", "\t", "\r")
"""With these a spreadsheet takes a text for a formula; a model's name, which the client chooses, may begin so."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which records."""

    since: datetime | None = None
    until: datetime | None = None
    """Before this."""
    kinds: Collection[str] = ()
    """None: all."""
    subject: str = ""
    """A person's pseudonym; "": of everybody and nobody."""
    mentioned: Collection[str] = ()
    """Beside the pseudonym, ids of cases and complaints: what names one of them is the person's too."""


@dataclass(frozen=True, slots=True)
class Found:
    """One record and who wrote it."""

    writer: str
    line: Line

    @property
    def row(self) -> bytes:
        """The record as JSON, the writer's name in front."""
        return b'{"writer":"%s",%s' % (self.writer.encode(), self.line.raw[1:])


def find(folder: Path, wanted: Wanted) -> Iterator[Found]:
    """The records that fit, by time. Lines that are no sound records are left out: `audit verify` names them."""
    chains = [_chain(path, wanted) for path in writers(folder)]
    yield from heapq.merge(*chains, key=lambda found: found.line.time)


def write_jsonl(found: Iterator[Found], to: IO[str]) -> None:
    """One record a line."""
    for each in found:
        to.write(each.row.decode() + "\n")


def write_csv(found: Iterator[Found], to: IO[str]) -> None:
    """One record a row, under a row of names. What a spreadsheet would take for a formula has a quote in front."""
    table = csv.writer(to, lineterminator="\n")
    table.writerow(COLUMNS)
    for each in found:
        body = each.line.body()
        named = [str(body.get(name, "")) for name in ("actor", "tenant", "subject", "request_id")]
        cells = [each.line.time, each.writer, each.line.seq, each.line.kind, *map(_plain, named)]
        table.writerow([*cells, msgspec.json.encode(body).decode()])


def moment(said: str) -> datetime:
    """A day, or a time of RFC 3339; without a zone it is UTC. Raises ValueError."""
    try:
        day = date.fromisoformat(said)
    except ValueError:
        at = datetime.fromisoformat(said)
        return at if at.tzinfo else at.replace(tzinfo=UTC)
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _chain(path: Path, wanted: Wanted) -> Iterator[Found]:
    for file in segments(path):
        raw, _ = last_line(file)
        last = read(raw)
        if wanted.since and isinstance(last, Line) and datetime.fromisoformat(last.time) < wanted.since - SLACK:
            continue
        for raw in lines(file):
            line = read(raw.removesuffix(b"\n"))
            if isinstance(line, Line) and _fits(line, wanted):
                yield Found(path.name, line)


SLACK = timedelta(hours=1)
"""What waited for a full disk has the time at which it happened, and stands behind what happened later."""


def _fits(line: Line, wanted: Wanted) -> bool:
    if wanted.kinds and line.kind not in wanted.kinds:
        return False
    if wanted.since or wanted.until:
        at = datetime.fromisoformat(line.time)
        if (wanted.since and at < wanted.since) or (wanted.until and at >= wanted.until):
            return False
    if not wanted.subject and not wanted.mentioned:
        return True
    body: dict[str, Any] = line.body()
    return (bool(wanted.subject) and body.get("subject") == wanted.subject) or any(
        body.get(name) in wanted.mentioned for name in ("case", "complaint") if body.get(name)
    )


def _plain(cell: str) -> str:
    return "'" + cell if cell.startswith(_FORMULAS) else cell
