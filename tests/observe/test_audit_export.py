"""Records are picked by time, kind and person, and are written so that they can be checked, or opened as a table."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from guardrail.observe.audit import AuditLog
from guardrail.observe.audit_export import COLUMNS, Wanted, find, moment, write_csv, write_jsonl
from guardrail.settings import AuditSettings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two writers that take turns."""
    logs = [AuditLog(tmp_path, AuditSettings(rotate_bytes=4096)) for _ in range(2)]
    for n in range(40):
        person = "ab" * 16 if n % 10 == 0 else ""
        body = {"actor": "system", "n": n, "subject": person, "request_id": f"g-{n}", "filler": "x" * 200}
        logs[n % 2].write("response" if n % 4 else "decision", body)
    logs[0].write("decision", {"actor": "=ann", "tenant": "acme", "case": "c-1"})
    for log in logs:
        log.close()
    return tmp_path


def picked(folder: Path, wanted: Wanted) -> list[object]:
    return [found.line.body().get("n") for found in find(folder, wanted) if not found.line.kind.startswith("audit.")]


def test_all_of_them_by_time(folder: Path) -> None:
    times = [found.line.time for found in find(folder, Wanted())]
    assert times == sorted(times)
    assert len(times) == 43
    assert sorted(n for n in picked(folder, Wanted()) if isinstance(n, int)) == list(range(40))


def test_by_kind(folder: Path) -> None:
    assert picked(folder, Wanted(kinds=("decision",))) == [*range(0, 40, 4), None]


def test_by_person(folder: Path) -> None:
    assert picked(folder, Wanted(subject="ab" * 16)) == [0, 10, 20, 30]
    assert picked(folder, Wanted(subject="ab" * 16, mentioned={"c-1"})) == [0, 10, 20, 30, None]
    assert picked(folder, Wanted(mentioned={"c-2"})) == []


def test_by_time(folder: Path) -> None:
    now = datetime.now(UTC)
    assert picked(folder, Wanted(since=now + timedelta(seconds=1))) == []
    assert picked(folder, Wanted(until=now - timedelta(days=1))) == []
    assert len(picked(folder, Wanted(since=now - timedelta(days=1), until=now + timedelta(seconds=1)))) == 41


def test_json_lines_can_still_be_checked(folder: Path) -> None:
    out = io.StringIO()
    write_jsonl(find(folder, Wanted()), out)
    for row in out.getvalue().splitlines():
        record = json.loads(row)
        line = "{" + row.removeprefix(f'{{"writer":"{record["writer"]}",')
        assert sha256(line.rpartition(',"hash":"')[0].encode()).hexdigest() == record["hash"]


def test_a_table_has_no_formulas(folder: Path) -> None:
    out = io.StringIO()
    write_csv(find(folder, Wanted(kinds=("decision",))), out)
    rows = list(csv.DictReader(io.StringIO(out.getvalue())))
    assert tuple(rows[0]) == COLUMNS
    assert rows[-1]["actor"] == "'=ann"
    assert json.loads(rows[-1]["body"]) == {"actor": "=ann", "tenant": "acme", "case": "c-1"}


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-03-01T10:00:00Z", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        ("2026-03-01T10:00:00", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        ("2026-03-01T10:00:00+08:00", datetime(2026, 3, 1, 2, tzinfo=UTC)),
    ],
)
def test_a_moment(said: str, meant: datetime) -> None:
    assert moment(said) == meant


def test_no_moment() -> None:
    with pytest.raises(ValueError, match="yesterday"):
        moment("yesterday")
