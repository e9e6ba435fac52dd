"""Lines of the audit log: what is made is read, and any change of a line shows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from guardrail.observe.audit_segments import GENESIS, Line, last_line, made, read, segments, writers

TIME = "2026-03-01T10:00:00.123Z"


def test_a_line_is_json_and_is_read_back() -> None:
    raw, hash = made(7, TIME, GENESIS, "key.revoked", {"actor": "ana", "n": 1, "text": 'é\n"hash":'})
    assert raw.endswith(b"\n")
    assert list(json.loads(raw)) == ["seq", "time", "prev", "kind", "body", "hash"]
    line = read(raw[:-1])
    assert isinstance(line, Line)
    assert (line.seq, line.time, line.prev, line.kind, line.hash) == (7, TIME, GENESIS, "key.revoked", hash)
    assert line.body() == {"actor": "ana", "n": 1, "text": 'é\n"hash":'}


def test_every_changed_bit_of_a_line_shows() -> None:
    raw = made(1, TIME, GENESIS, "response", {"actor": "system"})[0][:-1]
    for place in range(len(raw)):
        for bit in range(8):
            changed = bytearray(raw)
            changed[place] ^= 1 << bit
            assert isinstance(read(bytes(changed)), str), (place, bit)


@pytest.mark.parametrize("raw", [b"", b"{}", b'{"seq":1}', b"\x00" * 300], ids=["empty", "object", "other", "zeros"])
def test_what_is_no_record_is_told(raw: bytes) -> None:
    assert read(raw) == "is no record of an audit log"


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        (b"", (b"", 0)),
        (b"torn", (b"", 4)),
        (b"one\n", (b"one", 0)),
        (b"one\ntwo\n", (b"two", 0)),
        (b"one\ntwo\nto", (b"two", 2)),
        (b"one\n" + b"x" * 200_000 + b"\n", (b"x" * 200_000, 0)),
        (b"one\n" + b"x" * 200_000, (b"one", 200_000)),
    ],
)
def test_the_last_whole_line(held: bytes, expected: tuple[bytes, int], tmp_path: Path) -> None:
    path = tmp_path / "00000001.jsonl"
    path.write_bytes(held)
    assert last_line(path) == expected


def test_what_belongs_to_a_log(tmp_path: Path) -> None:
    for name in ("b/00000002.jsonl", "b/00000001.jsonl", "b/lock", "b/00000001-3.torn", "a/00000001.jsonl", "c/lock"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [path.name for path in writers(tmp_path)] == ["a", "b"]
    assert [path.name for path in segments(tmp_path / "b")] == ["00000001.jsonl", "00000002.jsonl"]
    assert writers(tmp_path / "none") == []
