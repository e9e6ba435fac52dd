"""Does an audit log hold? Every line of every writer is hashed again and compared with its neighbours.

Finds: an altered, a missing, a doubled, a moved record; a missing file; a cut-off end and a missing writer, where there
are anchors. Names the first place of each writer where the chain breaks: what stands behind it cannot be judged. May
run while the log is written.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import sleep

import msgspec

from guardrail.observe.audit_anchors import Anchor
from guardrail.observe.audit_segments import GENESIS, Line, NoRecord, last_line, lines, read, segments, writers
from guardrail.state.secret import Secret

AGAIN = 5
"""Times that a chain is read again that somebody is writing, and that seems to break."""

PAUSE = 0.1
"""Seconds between two of them: a line that is half written is whole by then."""


@dataclass(frozen=True, slots=True)
class Break:
    """Where a chain does not hold."""

    file: Path
    line: int
    """From 1; 0: the file, or the folder, as a whole."""
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}" if self.line else f"{self.file}: {self.message}"


@dataclass(slots=True)
class Chain:
    """What one writer's files hold, up to where they break."""

    writer: str
    files: int = 0
    records: int = 0
    first: int = 0
    last: int = 0
    head: str = GENESIS
    since: str = ""
    until: str = ""
    pruned: int = 0
    """Files that were removed as too old."""
    torn: int = 0
    """Bytes that were set aside as half a record, after the process was killed in the midst of it."""
    lost: int = 0
    """Records that could not be written, by the log's own account."""
    broken: Break | None = None


def verify(folder: Path, anchors: Iterable[Anchor] = (), secret: Secret | None = None) -> list[Chain]:
    """The chains of all writers. `anchors`: what the state says of them; with `secret` their seals are checked. Raises
    OSError where files cannot be read."""
    known = {anchor.writer: anchor for anchor in anchors}
    out: list[Chain] = []
    for path in writers(folder):
        anchor = known.pop(path.name, None)
        chain = _patiently(path, anchor)
        if chain.broken is None and anchor is not None and secret is not None and not anchor.genuine(secret):
            chain.broken = Break(path, 0, "its anchor in the state was not made with this secret")
        out.append(chain)
    for writer, anchor in known.items():
        out.append(Chain(writer, broken=Break(folder / writer, 0, f"is missing, with {anchor.seq} records or more")))
    return out


def _patiently(path: Path, anchor: Anchor | None) -> Chain:
    """A chain that seems to break is read again while somebody writes it: half a line may have been seen."""
    for _ in range(AGAIN):
        chain = _walked(path, anchor)
        if chain.broken is None or not _held(path):
            break
        sleep(PAUSE)
    return chain


def _held(path: Path) -> bool:
    """Whether a process writes this chain now."""
    try:
        lock = os.open(path / "lock", os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def _walked(path: Path, anchor: Anchor | None) -> Chain:
    chain = Chain(path.name)
    number = 0
    begun: Line | None = None
    pruned: dict[int, tuple[str, str]] = {}
    """By the last seq of a file that was removed: (its name, the hash of that record)."""
    for file in segments(path):
        if chain.files and int(file.stem) != number + 1:
            chain.broken = Break(path / f"{number + 1:08}.jsonl", 0, "is missing")
            return chain
        number = int(file.stem)
        chain.files += 1
        for place, raw in enumerate(_opened(file), 1):
            line = read(raw[:-1]) if raw.endswith(b"\n") else "ends in the midst of a record"
            if isinstance(line, str):
                chain.broken = Break(file, place, line)
                return chain
            if begun is None:
                begun = line
                chain.first, chain.since, chain.last, chain.head = line.seq, line.time, line.seq - 1, line.prev
            message = _out_of_order(chain, line)
            if not message and anchor is not None and line.seq == anchor.seq and line.hash != anchor.hash:
                message = "is not the record that was anchored: the chain was written anew"
            if message:
                chain.broken = Break(file, place, message)
                return chain
            chain.records += 1
            chain.last, chain.head, chain.until = line.seq, line.hash, line.time
            try:
                _account(chain, line, pruned)
            except (NoRecord, msgspec.ValidationError) as error:
                chain.broken = Break(file, place, f"does not say what a record of the kind {line.kind} does: {error}")
                return chain
    try:
        chain.broken = _ends(path, chain, begun, pruned, anchor)
    except NoRecord as error:
        chain.broken = Break(segments(path)[0], 1, str(error))
    return chain


def _opened(file: Path) -> Iterator[bytes]:
    try:
        yield from lines(file)
    except FileNotFoundError:
        yield b""  # removed as too old meanwhile


def _out_of_order(chain: Chain, line: Line) -> str:
    if line.seq != chain.last + 1:
        return f"has the number {line.seq} where {chain.last + 1} is due: records are missing, doubled or moved"
    if line.prev != chain.head:
        return "does not follow from the record before it"
    if line.seq == 1 and line.prev != GENESIS:
        return "is the first record, and yet follows from another"
    return ""


class _Pruned(msgspec.Struct):
    seq: int
    file: str
    hash: str


class _Torn(msgspec.Struct):
    bytes: int


class _Lost(msgspec.Struct):
    records: int


def _account(chain: Chain, line: Line, pruned: dict[int, tuple[str, str]]) -> None:
    """Take down what the log says of itself. Raises NoRecord, ValidationError for a record that was not
    written by us."""
    if line.kind == "audit.pruned":
        gone = msgspec.convert(line.body(), _Pruned)
        pruned[gone.seq] = (gone.file, gone.hash)
        chain.pruned += 1
    elif line.kind == "audit.torn":
        chain.torn += msgspec.convert(line.body(), _Torn).bytes
    elif line.kind == "audit.lost":
        chain.lost += msgspec.convert(line.body(), _Lost).records


def _ends(
    path: Path, chain: Chain, begun: Line | None, pruned: dict[int, tuple[str, str]], anchor: Anchor | None
) -> Break | None:
    """Whether the chain begins where one may, and goes as far as is known."""
    first = segments(path)[0] if chain.files else path
    if begun is not None and begun.seq == 1:
        if begun.kind != "audit.opened" or begun.body().get("writer") != path.name:
            return Break(first, 1, f"is not the first record of the writer {path.name}")
    elif begun is not None and pruned.get(begun.seq - 1, ("", ""))[1] != begun.prev:
        return Break(first, 1, f"has the number {begun.seq}: the records before it are missing")
    if anchor is not None and anchor.seq > chain.last:
        missing = anchor.seq - chain.last
        return Break(segments(path)[-1], 0, f"its end is missing: {missing} records or more")
    return None


@dataclass(frozen=True, slots=True)
class Head:
    """How far a writer has come, by its last line."""

    writer: str
    files: int
    seq: int
    hash: str
    time: str
    held: bool
    """Whether a process writes it now."""


def heads(folder: Path) -> list[Head]:
    """Of every writer. Only last lines are read. Raises OSError."""
    out: list[Head] = []
    for path in writers(folder):
        files = segments(path)
        found = (read(last_line(file)[0]) for file in reversed(files))
        line = next((line for line in found if isinstance(line, Line)), Line(0, "", "", "", GENESIS, b""))
        out.append(Head(path.name, len(files), line.seq, line.hash, line.time, _held(path)))
    return out
