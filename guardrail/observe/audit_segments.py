"""Files of the audit log: a folder for each writer, in it numbered segments, in them one record a line.

The form of a line, the whole of what a verifier needs (docs/audit.md):

    {"seq":7,"time":"…","prev":"<64 hex>","kind":"…","body":{…},"hash":"<64 hex>"}

`hash` is the SHA-256 of the line's bytes before `,"hash":`. `prev` is the hash of the line before, of a writer's first
line 64 zeros. `seq` counts from 1 without gaps. So a verifier hashes bytes as they stand, and needs no canonical JSON.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from guardrail.errors import GuardrailError

GENESIS = "0" * 64
"""What the first line of a writer has for `prev`."""

SEGMENT = re.compile(r"\d{8}\.jsonl")

HEAD = re.compile(rb'\{"seq":(\d{1,15}),"time":"([0-9TZ:.\-]{20,32})","prev":"([0-9a-f]{64})","kind":"([a-z._]{1,64})"')
"""How every line begins."""

TAIL = len(b',"hash":"') + 64 + len(b'"}')
"""Bytes of a line's end: the hash and what is around it."""

_encode = msgspec.json.Encoder().encode


class NoRecord(GuardrailError):
    """What should be a record of an audit log is none."""


class _Said(msgspec.Struct):
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """One record of the log, whose own hash is right."""

    seq: int
    time: str
    """RFC 3339, UTC, milliseconds."""
    prev: str
    kind: str
    hash: str
    raw: bytes
    """The line, without its newline."""

    def body(self) -> dict[str, Any]:
        """What the record says. Raises NoRecord for a line that was not written by us, which no hash tells."""
        try:
            return msgspec.json.decode(self.raw, type=_Said).body
        except msgspec.DecodeError as error:
            raise NoRecord(f"record {self.seq} says nothing that can be read: {error}") from error


def made(seq: int, time: str, prev: str, kind: str, body: Mapping[str, Any]) -> tuple[bytes, str]:
    """A line with its newline, and its hash."""
    head = b'{"seq":%d,"time":"%s","prev":"%s","kind":"%s","body":%s' % (
        seq,
        time.encode(),
        prev.encode(),
        kind.encode(),
        _encode(body),
    )
    hash = sha256(head).hexdigest()
    return b'%s,"hash":"%s"}\n' % (head, hash.encode()), hash


def read(raw: bytes) -> Line | str:
    """A line without its newline; or what is wrong with it, as the rest of a sentence."""
    head, tail = raw[:-TAIL], raw[-TAIL:]
    start = HEAD.match(head)
    if start is None or tail[:9] != b',"hash":"' or tail[-2:] != b'"}':
        return "is no record of an audit log"
    hash = tail[9:-2].decode("ascii", "replace")
    if sha256(head).hexdigest() != hash:
        return "was altered: its hash is another"
    seq, time, prev, kind = start.groups()
    return Line(int(seq), time.decode(), prev.decode(), kind.decode(), hash, raw)


def now() -> str:
    """The time as it stands in a line."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def segments(writer: Path) -> list[Path]:
    """A writer's files, oldest first."""
    return sorted(path for path in writer.iterdir() if SEGMENT.fullmatch(path.name))


def writers(folder: Path) -> list[Path]:
    """The folders of writers in the folder of a log, by name."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir() and segments(path))


def last_line(segment: Path) -> tuple[bytes, int]:
    """The last whole line of a file, without its newline, and how many bytes stand behind it. b"": it has none."""
    size = segment.stat().st_size
    block = 1 << 16
    with segment.open("rb") as file:
        while True:
            file.seek(max(0, size - block))
            tail = file.read(block)
            end = tail.rfind(b"\n")
            start = tail.rfind(b"\n", 0, max(end, 0))
            if block >= size or (end >= 0 and start >= 0):
                break
            block *= 4
    if end < 0:
        return b"", len(tail)
    return tail[start + 1 : end], len(tail) - end - 1


def lines(segment: Path) -> Iterator[bytes]:
    """The lines of a file with their newlines; the last one may have none."""
    with segment.open("rb") as file:
        yield from file
