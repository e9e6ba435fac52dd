"""One writer of the audit log: chains that go on, files that turn, disks that fail."""

from __future__ import annotations

import contextlib
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest

from guardrail.observe.audit import WAITING, AuditError, AuditLog
from guardrail.observe.audit_segments import Line, lines, read, segments
from guardrail.settings import AuditSettings
from tests.proxy.scripted import until


def chain(folder: Path, writer: str) -> list[Line]:
    """The records of a writer; the chain holds."""
    found = [read(raw.removesuffix(b"\n")) for file in segments(folder / writer) for raw in lines(file)]
    records = [line for line in found if isinstance(line, Line)]
    assert len(records) == len(found)
    assert [line.seq for line in records] == list(range(records[0].seq, records[0].seq + len(records)))
    assert all(after.prev == before.hash for before, after in pairwise(records))
    return records


@contextlib.contextmanager
def full_disk(left: int, path: Path) -> Iterator[None]:
    """No file may grow beyond the size of this one and `left` bytes: what fits is taken, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + left, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def said(body: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"actor": "system", **body, **more}


def test_a_writer_goes_on_where_the_one_before_ended(tmp_path: Path) -> None:
    for n in range(3):
        log = AuditLog(tmp_path, AuditSettings())
        log.write("test", said({"n": n}))
        log.close()
        log.close()
    records = chain(tmp_path, log.writer)
    assert [line.kind for line in records] == ["audit.opened", "test", "test", "test"]
    assert records[0].body() == said({"writer": log.writer})
    assert (records[-1].seq, records[-1].hash) == log.head
    assert [path.name for path in tmp_path.iterdir()] == [log.writer]


def test_each_process_has_a_writer_of_its_own(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from guardrail.observe.audit import AuditLog;"
        "from guardrail.settings import AuditSettings; log = AuditLog(Path(sys.argv[1]), AuditSettings());"
        "log.write('test', {'actor': 'system'}); print(log.writer, flush=True); sys.stdin.read()"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    names = []
    for process in processes:
        assert process.stdout is not None
        names.append(process.stdout.readline().strip())
    with pytest.raises(BlockingIOError):
        AuditLog(tmp_path, AuditSettings(), writer=names[0])
    for process in processes:
        process.kill()
        process.communicate()
    assert len(set(names)) == 3
    log = AuditLog(tmp_path, AuditSettings(), writer=names[0])
    log.close()
    assert [line.kind for line in chain(tmp_path, names[0])] == ["audit.opened", "test"]


def test_a_file_is_turned_when_it_is_large(tmp_path: Path) -> None:
    log = AuditLog(tmp_path, AuditSettings(rotate_bytes=4096))
    for n in range(100):
        log.write("test", said({"n": n, "filler": "x" * 100}))
    log.close()
    files = segments(log.path)
    assert len(files) > 5
    assert all(file.stat().st_size <= 4096 for file in files)
    assert [file.stem for file in files] == [f"{n:08}" for n in range(1, len(files) + 1)]
    assert [line.body()["n"] for line in chain(tmp_path, log.writer)[1:]] == list(range(100))


@pytest.mark.parametrize("torn", [b'{"seq":3,"ti', b"\0" * 4096, b"x"], ids=["half a line", "zeros", "a byte"])
def test_a_torn_line_is_set_aside_and_told(torn: bytes, tmp_path: Path) -> None:
    log = AuditLog(tmp_path, AuditSettings())
    log.write("test", said({}))
    log.close()
    (file,) = segments(log.path)
    with file.open("ab") as opened:
        opened.write(torn)
    AuditLog(tmp_path, AuditSettings()).close()
    record = chain(tmp_path, log.writer)[-1]
    assert record.kind == "audit.torn"
    aside = log.path / record.body()["file"]
    assert aside.read_bytes() == torn
    assert record.body() == said({"file": aside.name, "bytes": len(torn), "sha256": sha256(torn).hexdigest()})


def test_a_process_that_ends_before_the_first_line_of_a_new_file(tmp_path: Path) -> None:
    log = AuditLog(tmp_path, AuditSettings())
    log.turn()
    log.close()
    with segments(log.path)[-1].open("ab") as opened:
        opened.write(b"{")
    log = AuditLog(tmp_path, AuditSettings())
    log.close()
    assert [line.kind for line in chain(tmp_path, log.writer)] == ["audit.opened", "audit.torn"]
    assert [file.stem for file in segments(log.path)] == ["00000001", "00000002"]


def test_a_chain_whose_end_was_altered_is_left_as_it_is(tmp_path: Path) -> None:
    log = AuditLog(tmp_path, AuditSettings())
    log.write("test", said({"n": 1}))
    log.close()
    (file,) = segments(log.path)
    altered = file.read_bytes().replace(b'"n":1', b'"n":2')
    file.write_bytes(altered)
    other = AuditLog(tmp_path, AuditSettings())
    other.close()
    assert other.writer != log.writer
    assert file.read_bytes() == altered


@pytest.mark.parametrize("left", [0, 1, 50, 200])
async def test_a_full_disk_with_fail_closed(left: int, tmp_path: Path) -> None:
    log = AuditLog(tmp_path, AuditSettings(fail="closed"))
    (file,) = segments(log.path)
    size = file.stat().st_size
    with full_disk(left, file):
        with pytest.raises(AuditError):
            log.write("decision", said({}))
        assert log.refuses
        assert file.stat().st_size == size  # half a line is taken back
        log.note("response", said({"n": 1}))
        assert log.waiting == 1
    await until(lambda: not log.failing)
    assert not log.refuses
    log.close()
    assert [line.kind for line in chain(tmp_path, log.writer)] == ["audit.opened", "response"]
    assert log.lost == 0


async def test_a_full_disk_with_fail_open(tmp_path: Path) -> None:
    log = AuditLog(tmp_path, AuditSettings(fail="open"))
    (file,) = segments(log.path)
    with full_disk(10, file):
        for n in range(WAITING + 5):
            log.write("decision", said({"n": n}))
        assert log.failing
        assert not log.refuses
        assert (log.waiting, log.lost) == (WAITING, 5)
    await until(lambda: not log.failing)
    log.close()
    records = chain(tmp_path, log.writer)
    assert [line.kind for line in records[:3]] == ["audit.opened", "audit.lost", "decision"]
    assert records[1].body() == said({"records": 5})
    assert [line.body()["n"] for line in records[2:]] == list(range(5, WAITING + 5))


def test_what_never_could_be_written_is_counted(tmp_path: Path) -> None:
    log = AuditLog(tmp_path, AuditSettings())
    with full_disk(10, segments(log.path)[0]):
        log.note("response", said({}))
        log.close()
    assert log.lost == 1


@pytest.mark.parametrize("fsync", ["always", "interval", "never"])
def test_a_record_is_in_the_file_when_write_returns(fsync: Any, tmp_path: Path) -> None:
    log = AuditLog(tmp_path, AuditSettings(fsync=fsync, interval=0.01))
    for n in range(20):
        log.write("test", said({"n": n}))
        assert msgspec.json.decode(segments(log.path)[0].read_bytes().splitlines()[-1])["body"]["n"] == n
    log.close()


def test_a_folder_that_is_a_file_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "audit").touch()
    with pytest.raises(OSError, match="audit"):
        AuditLog(tmp_path / "audit", AuditSettings())
