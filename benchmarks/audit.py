"""What the audit log costs: CPU of one process for the record of a response, by how it is synced; and to verify it.

A record with five findings is made once; then it is written again and again, as the proxy does at the end of a request.
CPU is that of the whole process, the thread that syncs included.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from guardrail.observe.audit import AuditLog
from guardrail.observe.audit_verify import verify
from guardrail.observe.records import FindingRecord, Record
from guardrail.settings import AuditSettings

FINDINGS = 5


@dataclass(frozen=True, slots=True)
class Result:
    """Of one record: medians over the rounds."""

    fsync: str
    cpu_us: float
    wall_us: float
    bytes: float
    verified_us: float
    """CPU to verify it."""


def record() -> Record:
    """Of a response with some findings."""
    found = [
        FindingRecord("pii/card", "personal_data", "high", "redact", "content", n, n + 19) for n in range(FINDINGS)
    ]
    text = dict.fromkeys(
        ("time", "request_id", "tenant", "policy", "upstream", "path", "model", "fault"), "a-usual-name"
    )
    numbers = dict.fromkeys(
        (
            *("status", "choices", "received", "scanned", "released", "removed", "dropped", "unscanned", "held_max"),
            *("tokens", "events", "events_delayed", "findings_total", "attempts", "bytes_in", "bytes_out"),
            *("first_byte_s", "duration_s"),
        ),
        1234,
    )
    return Record(
        **text,  # type: ignore[arg-type]
        **numbers,  # type: ignore[arg-type]
        method="POST",
        policy_digest="ab" * 32,
        subject="cd" * 16,
        stream=True,
        halted=False,
        upstream_aborted=False,
        outcome="complete",
        finish_reasons=["stop"],
        unknown_blocked=[],
        findings=found,
    )


def measure_audit(rounds: int, records: int) -> list[Result]:
    """Write so many records, for each way of syncing."""
    return [
        _measured(fsync, rounds, records if fsync != "always" else records // 10)
        for fsync in ("never", "interval", "always")
    ]


def _measured(fsync: Any, rounds: int, records: int) -> Result:
    made = record()
    cpu, wall, size, verified = [], [], [], []
    for _ in range(rounds):
        with TemporaryDirectory() as folder:
            log = AuditLog(Path(folder), AuditSettings(fsync=fsync))
            began = time.perf_counter(), time.process_time()
            for _ in range(records):
                log.note("response", {"actor": "system", **msgspec.structs.asdict(made)})
            wall.append((time.perf_counter() - began[0]) / records)
            cpu.append((time.process_time() - began[1]) / records)
            log.close()
            size.append(sum(path.stat().st_size for path in log.path.iterdir()) / records)
            start = time.process_time()
            (chain,) = verify(Path(folder))
            verified.append((time.process_time() - start) / records)
            assert chain.broken is None
            assert chain.records == records + 1
    return Result(fsync, median(cpu) * 1e6, median(wall) * 1e6, median(size), median(verified) * 1e6)


def show(results: Iterable[Result], console: Console) -> None:
    table = Table(title=f"The audit log: one record of a response with {FINDINGS} findings")
    for heading in ("fsync", "CPU", "time", "size", "CPU to verify"):
        table.add_column(heading, justify="left" if heading == "fsync" else "right")
    for each in results:
        table.add_row(
            each.fsync,
            f"{each.cpu_us:.1f} µs",
            f"{each.wall_us:.1f} µs",
            f"{each.bytes:.0f} bytes",
            f"{each.verified_us:.1f} µs",
        )
    console.print(table)


def as_json(results: Iterable[Result]) -> list[dict[str, object]]:
    return [asdict(result) for result in results]
