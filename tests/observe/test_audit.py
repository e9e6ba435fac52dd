"""One writer of the audit log: chains that go on, files that turn, disks that fail."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from guardrail.observe.audit import AuditLog
from guardrail.observe.audit_segments import Line, lines, read, segments
from guardrail.settings import AuditSettings


def chain(folder: Path, writer: str) -> list[Line]:
    """The records of a writer; the chain holds."""
    found = [read(raw.removesuffix(b"\n")) for file in segments(folder / writer) for raw in lines(file)]
    records = [line for line in found if isinstance(line, Line)]
    assert len(records) == len(found)
    assert [line.seq for line in records] == list(range(records[0].seq, records[0].seq + len(records)))
    assert all(after.prev == before.hash for before, after in pairwise(records))
    return records


def test_a_writer_goes_on_where_the_one_before_ended(tmp_path: Path) -> None:
    for n in range(3):
        log = AuditLog(tmp_path, AuditSettings())
        log.write("test", {"actor": "system", "n": n})
        log.close()
    records = chain(tmp_path, log.writer)
    assert [line.kind for line in records] == ["audit.opened", "test", "test", "test"]
    assert records[0].body() == {"actor": "system", "writer": log.writer}
    assert [path.name for path in tmp_path.iterdir()] == [log.writer]
