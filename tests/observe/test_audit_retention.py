"""Old files of the audit log go whole, and what is left still verifies."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from guardrail.observe.audit import AuditLog
from guardrail.observe.audit_retention import prune
from guardrail.observe.audit_segments import segments
from guardrail.observe.audit_verify import verify
from guardrail.settings import AuditSettings

SETTINGS = AuditSettings(rotate_bytes=4096, retention_days=10)


def written(folder: Path, records: int = 60) -> AuditLog:
    log = AuditLog(folder, SETTINGS)
    for n in range(records):
        log.write("test", {"actor": "system", "n": n, "filler": "x" * 100})
    return log


def test_nothing_goes_before_its_time(tmp_path: Path) -> None:
    log = written(tmp_path)
    files = segments(log.path)
    assert prune(log, at=datetime.now(UTC) + timedelta(days=9)) == 0
    assert segments(log.path) == files
    log.close()


def test_old_files_go_and_the_chain_says_which(tmp_path: Path) -> None:
    log = written(tmp_path)
    before = segments(log.path)
    (log.path / f"{before[0].stem}-17.torn").write_bytes(b"half")
    count = prune(log, at=datetime.now(UTC) + timedelta(days=11))
    assert count == len(before)
    left = segments(log.path)
    assert left
    assert not set(left) & set(before)
    assert list(log.path.glob("*.torn")) == []
    log.write("test", {"actor": "system"})
    (chain,) = verify(tmp_path)
    assert chain.broken is None
    assert (chain.pruned, chain.last) == (count, log.head[0])
    log.close()


def test_files_of_writers_that_are_gone_go_as_well(tmp_path: Path) -> None:
    gone = written(tmp_path)
    mine = AuditLog(tmp_path, SETTINGS)
    assert prune(mine, at=datetime.now(UTC) + timedelta(days=11)) == 1  # its own first file; the other is in use
    gone.close()
    assert prune(mine, at=datetime.now(UTC) + timedelta(days=11)) > 2
    assert [chain.broken for chain in verify(tmp_path)] == [None, None]
    mine.close()


@pytest.mark.parametrize("left", [1, 2])
def test_a_process_that_ends_in_the_midst_of_it(left: int, tmp_path: Path) -> None:
    log = written(tmp_path)
    before = {file.name: file.read_bytes() for file in segments(log.path)}
    prune(log, at=datetime.now(UTC) + timedelta(days=11))
    log.close()
    for name in list(before)[-left:]:
        (log.path / name).write_bytes(before[name])
    (chain,) = verify(tmp_path)
    assert chain.broken is None


def test_a_file_that_goes_without_a_word_is_found(tmp_path: Path) -> None:
    log = written(tmp_path)
    log.close()
    segments(log.path)[0].unlink()
    (chain,) = verify(tmp_path)
    assert chain.broken is not None
    assert "the records before it are missing" in str(chain.broken)
