"""What becomes of old files of the audit log: they are removed whole, and the chain says so.

Promises: a file goes only when its last record is older than the retention; before it does, a record `audit.pruned`
with its last `seq` and `hash` is in the chain and on the disk, so that what is left still verifies. The file that is
written now never goes.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from guardrail.observe.audit import AuditLog
from guardrail.observe.audit_segments import Line, last_line, read, segments, writers


def prune(log: AuditLog, *, at: datetime | None = None) -> int:
    """Remove what is too old, of this writer and of those that no process holds. Returns how many files went. Raises
    AuditError, OSError. `at`: the time by which it is judged, now if None."""
    before = (at or datetime.now(UTC)) - timedelta(days=log.settings.retention_days)
    count = _prune(log, before)
    for path in writers(log.folder):
        if path == log.path or not _outdated(segments(path)[0], before):
            continue
        try:
            other = AuditLog(log.folder, log.settings, writer=path.name)
        except BlockingIOError:
            continue
        try:
            count += _prune(other, before)
        finally:
            other.close()
    return count


def _prune(log: AuditLog, before: datetime) -> int:
    due: list[Path] = []
    for file in segments(log.path):
        if not _outdated(file, before):
            break
        if int(file.stem) == log.number:
            log.turn()
        due.append(file)
    if not due:
        return 0
    for file in due:
        raw, _ = last_line(file)
        line = read(raw)
        assert isinstance(line, Line)
        log.write(
            "audit.pruned",
            {"actor": "system", "file": file.name, "seq": line.seq, "hash": line.hash, "until": line.time},
        )
    log.sync()
    for file in due:
        file.unlink()
        for torn in file.parent.glob(f"{file.stem}-*.torn"):
            torn.unlink()
    return len(due)


def _outdated(file: Path, before: datetime) -> bool:
    """Whether its last record is from before that time. A file without a sound one is left for `audit verify`."""
    raw, behind = last_line(file)
    line = read(raw)
    return isinstance(line, Line) and not behind and datetime.fromisoformat(line.time) < before
