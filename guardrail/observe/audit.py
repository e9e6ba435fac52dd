"""The audit log: what was answered and what was decided, in lines that each hold the hash of the one before.

One writer for each process, in a folder of its own below `audit.folder`; a process that starts goes on with the chain
of one that has ended. Promises: a record is in the file when `write` returns, so that it outlives the process; what
cannot be written is kept in memory, told by `failing` and written later, or counted in `lost`; a torn last line is set
aside in a file of its own, and the chain says so. Never holds text of a model or of a person, nor an id in clear: that
is up to who writes.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import secrets
import threading
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

from guardrail.errors import GuardrailError
from guardrail.observe.audit_segments import GENESIS, Line, last_line, made, now, read, segments
from guardrail.settings import AuditSettings, Settings

logger = logging.getLogger("guardrail.audit")

WAITING = 10_000
"""Records that wait in memory for a log that cannot be written."""

SEGMENT_AGE = timedelta(days=1)
"""Until a new file is begun even if the old one is small: retention drops whole files."""

RETRY = 0.2
"""Seconds between two tries while the log cannot be written."""


class AuditError(GuardrailError):
    """The audit log cannot be written, and the settings say that nothing may happen without it."""


class Audit(Protocol):
    """Who takes down what was decided."""

    def write(self, kind: str, body: Mapping[str, Any]) -> None:
        """Take down one thing. `kind`: "measure", "key.revoked"; `body`: JSON values, with `actor`: "system" or who.
        Raises AuditError when it must not happen without a record."""


class NoAudit:
    """An audit log that is switched off."""

    def write(self, kind: str, body: Mapping[str, Any]) -> None:
        """Nothing is taken down."""


class AuditLog:
    """One writer. Its methods may be called from any thread."""

    def __init__(self, folder: Path, settings: AuditSettings, *, writer: str | None = None) -> None:
        """Goes on with the chain of a writer that nobody holds, or begins one. `writer`: that one, or none: raises
        BlockingIOError while another process holds it. Raises OSError where the folder cannot be used."""
        self.settings = settings
        self.lost = 0
        """Records that were never written."""
        self.written = 0
        self.folder = folder
        self._mutex = threading.RLock()
        self._waiting: deque[tuple[str, str, Mapping[str, Any]]] = deque()
        self._told_lost = 0
        self._failing = False
        self._retry_at = 0.0
        self._dirty = False
        self._closed = threading.Event()
        self._seq, self._hash = 0, GENESIS
        self._segment = -1
        self._number = 0
        self._size = 0
        self._began = datetime.now(UTC)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.writer, self._lock = self._claimed(writer)
        try:
            if self._segment < 0:
                self._begin(1)
            if self._seq == 0:
                self.write("audit.opened", {"actor": "system", "writer": self.writer})
        except BaseException:
            self._release()
            raise
        if settings.fsync == "interval":
            threading.Thread(target=self._flush, name="audit-fsync", daemon=True).start()

    # Writing

    def write(self, kind: str, body: Mapping[str, Any]) -> None:
        """Take down one thing; it is in the file when this returns. Raises AuditError with `fail: closed`; with
        `fail: open` it waits in memory instead."""
        with self._mutex:
            if not self._put(kind, body):
                if self.settings.fail == "closed":
                    raise AuditError("the audit log cannot be written")
                self._wait(now(), kind, body)

    def note(self, kind: str, body: Mapping[str, Any]) -> None:
        """The same for what has happened already: never raises; waits in memory while the log cannot be written."""
        with self._mutex:
            if not self._put(kind, body):
                self._wait(now(), kind, body)

    @property
    def failing(self) -> bool:
        """Whether the log cannot be written now. Asking tries again, from time to time."""
        with self._mutex:
            if self._failing and monotonic() >= self._retry_at:
                self._catch_up()
            return self._failing

    @property
    def refuses(self) -> bool:
        """Whether nothing may be done for now, since it could not be taken down."""
        return self.settings.fail == "closed" and self.failing

    @property
    def waiting(self) -> int:
        """Records in memory that are still to be written."""
        return len(self._waiting)

    @property
    def path(self) -> Path:
        """The folder of this writer."""
        return self.folder / self.writer

    @property
    def number(self) -> int:
        """Of the file that is written now."""
        return self._number

    @property
    def head(self) -> tuple[int, str]:
        """(seq, hash) of the last record."""
        with self._mutex:
            return self._seq, self._hash

    def turn(self) -> None:
        """Begin a new file. Raises OSError."""
        with self._mutex:
            self._rotate()

    def sync(self) -> None:
        """Have on disk all that was written. Raises OSError."""
        with self._mutex:
            os.fsync(self._segment)

    def close(self) -> None:
        """Write what waits, if that is possible, and let another process go on with this writer."""
        with self._mutex:
            if self._closed.is_set():
                return
            self._closed.set()
            if self._waiting:
                self._catch_up()
            self.lost += len(self._waiting)
            self._waiting.clear()
            self._release()

    def _put(self, kind: str, body: Mapping[str, Any]) -> bool:
        if self._failing and (monotonic() < self._retry_at or not self._catch_up()):
            return False
        return self._append(now(), kind, body)

    def _wait(self, time: str, kind: str, body: Mapping[str, Any]) -> None:
        if len(self._waiting) >= WAITING:
            self._waiting.popleft()
            self.lost += 1
        self._waiting.append((time, kind, body))

    def _catch_up(self) -> bool:
        """Write what waits. True when nothing does any more."""
        if self.lost > self._told_lost:
            lost = self.lost
            if not self._append(now(), "audit.lost", {"actor": "system", "records": lost - self._told_lost}):
                return False
            self._told_lost = lost
        while self._waiting:
            if not self._append(*self._waiting[0]):
                return False
            self._waiting.popleft()
        if self._failing and not self._probe():
            return False
        self._failing = False
        return True

    def _probe(self) -> bool:
        return self._append(now(), "audit.resumed", {"actor": "system"}) if self._failing else True

    def _append(self, time: str, kind: str, body: Mapping[str, Any]) -> bool:
        line, hash = made(self._seq + 1, time, self._hash, kind, body)
        try:
            if self._segment < 0:
                self._begin(self._number or 1)
            elif self._size and self._due(len(line)):
                self._rotate()
            self._write_all(line)
            if self.settings.fsync == "always":
                os.fsync(self._segment)
        except OSError as error:
            self._fail(error)
            return False
        self._seq, self._hash = self._seq + 1, hash
        self._size += len(line)
        self._dirty = True
        self._failing = False
        self.written += 1
        return True

    def _write_all(self, line: bytes) -> None:
        done = os.write(self._segment, line)
        while done < len(line):
            done += os.write(self._segment, line[done:])

    def _fail(self, error: OSError) -> None:
        """Half a line may be in the file now: take it back, so that the next try begins where this one did."""
        if not self._failing:
            logger.error("the audit log cannot be written: %s", error.strerror or error)
        self._failing = True
        self._retry_at = monotonic() + RETRY
        if self._segment >= 0:
            try:
                os.ftruncate(self._segment, self._size)
            except OSError:
                # It is set aside as a torn line when the file is opened again.
                os.close(self._segment)
                self._segment = -1

    def _flush(self) -> None:
        """Have the system write to disk what it has, every `interval` seconds."""
        while not self._closed.wait(self.settings.interval):
            with self._mutex:
                if not self._dirty or self._segment < 0:
                    continue
                self._dirty = False
                descriptor = os.dup(self._segment)
            try:
                os.fsync(descriptor)  # outside the lock: it may take long, and writers need not wait for it
            except OSError as error:
                with self._mutex:
                    self._fail(error)
            finally:
                os.close(descriptor)

    # Files

    def _claimed(self, wanted: str | None) -> tuple[str, int]:
        """A writer that no process holds, and the lock on it; its chain is read to its end."""
        for path in sorted(path for path in self.folder.iterdir() if path.is_dir()):
            lock = _locked(path) if wanted is None or path.name == wanted else None
            if lock is None:
                continue
            self.writer = path.name
            try:
                if self._resume(path):
                    return path.name, lock
            except BaseException:
                os.close(lock)
                raise
            # Somebody changed its end. It stays as it is, for `audit verify` to find.
            logger.error("%s: the last record does not verify; a new chain is begun beside it", path)
            os.close(lock)
        if wanted is not None:
            raise BlockingIOError(f"{self.folder / wanted} is in use, or damaged")
        self._seq, self._hash, self._segment, self._number = 0, GENESIS, -1, 0
        while True:
            path = self.folder / f"w-{secrets.token_hex(4)}"
            path.mkdir(mode=0o700)
            lock = _locked(path)
            if lock is not None:  # else a process that starts at the same moment was quicker
                return path.name, lock

    def _resume(self, path: Path) -> bool:
        """Read where a writer's chain ends. False: it cannot be gone on with."""
        self._seq, self._hash, self._segment, self._number = 0, GENESIS, -1, 0
        files = segments(path)
        torn: list[dict[str, Any]] = []
        for file in reversed(files):
            raw, behind = last_line(file)
            line = read(raw) if raw else None
            if raw and not isinstance(line, Line):
                return False
            if behind:
                torn.append(self._set_aside(file, behind))
            if isinstance(line, Line):
                self._seq, self._hash = line.seq, line.hash
            if self._seq:
                break
        if files:
            self._open(files[-1])
        for what in torn:
            self.write("audit.torn", what)
        return True

    def _set_aside(self, file: Path, behind: int) -> dict[str, Any]:
        """Move the bytes behind the last whole line to a file of their own; what the chain says of it."""
        whole = file.stat().st_size - behind
        with file.open("rb") as source:
            source.seek(whole)
            torn = source.read()
        beside = file.with_name(f"{file.stem}-{whole}.torn")
        with beside.open("wb") as aside:
            aside.write(torn)
            aside.flush()
            os.fsync(aside.fileno())
        os.truncate(file, whole)
        return {"actor": "system", "file": beside.name, "bytes": behind, "sha256": sha256(torn).hexdigest()}

    def _begin(self, number: int) -> None:
        self._open(self.folder / self.writer / f"{number:08}.jsonl")

    def _open(self, file: Path) -> None:
        descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        if self._segment >= 0:
            os.close(self._segment)
        self._segment = descriptor
        self._number = int(file.stem)
        self._size = os.fstat(descriptor).st_size
        self._began = datetime.now(UTC)
        if self._size:
            with file.open("rb") as opened:
                first = read(opened.readline().rstrip(b"\n"))
            if isinstance(first, Line):
                self._began = datetime.fromisoformat(first.time)

    def _due(self, length: int) -> bool:
        """Whether the next record belongs into a new file."""
        return self._size + length > self.settings.rotate_bytes or datetime.now(UTC) - self._began > SEGMENT_AGE

    def _rotate(self) -> None:
        if self.settings.fsync != "never":
            os.fsync(self._segment)
        self._begin(self._number + 1)

    def _release(self) -> None:
        if self._segment >= 0:
            if self.settings.fsync != "never":
                with contextlib.suppress(OSError):
                    os.fsync(self._segment)
            os.close(self._segment)
            self._segment = -1
        os.close(self._lock)


def folder_of(settings: Settings) -> Path | None:
    """The folder of the audit log; None: there is none. With the state in memory there is one only where its folder is
    named."""
    audit = settings.audit
    if not audit.enabled:
        return None
    if audit.folder is not None:
        return Path(audit.folder)
    return None if settings.state.store == "memory" else Path(settings.state.folder) / "audit"


def _locked(path: Path) -> int | None:
    """The lock on a writer's folder, which ends with the process; None while another process has it."""
    lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock
