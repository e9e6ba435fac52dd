"""Whatever is done to a log is found, at its place; and twenty lines of somebody else's code find the same."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrail.observe.audit import AuditLog
from guardrail.observe.audit_anchors import Anchor
from guardrail.observe.audit_segments import segments
from guardrail.observe.audit_verify import Break, verify
from guardrail.settings import AuditSettings
from guardrail.state.secret import Secret

SECRET = Secret("0123456789abcdef" * 2)


def independent(folder: Path) -> bool:
    """The verifier of docs/audit.md, in code that shares nothing with guardrail's."""
    for writer in folder.iterdir():
        prev, seq = "0" * 64, 0
        for file in sorted(writer.glob("*.jsonl")):
            for line in file.read_bytes().splitlines(keepends=True):
                head, mark, tail = line.rpartition(b',"hash":"')
                if not mark or tail != hashlib.sha256(head).hexdigest().encode() + b'"}\n':
                    return False
                record = json.loads(line)
                if record["prev"] != prev or record["seq"] != seq + 1:
                    return False
                prev, seq = record["hash"], record["seq"]
    return True


def made(folder: Path, records: int = 40) -> tuple[Path, Anchor]:
    """A log of one writer with some files; the anchor of its end."""
    log = AuditLog(folder, AuditSettings(rotate_bytes=4096))
    for n in range(records):
        log.write("response", {"actor": "system", "n": n, "filler": "é" * 60})
    seq, hash = log.head
    log.close()
    return log.path, Anchor(log.writer, seq, hash, "2026-03-01T00:00:00.000Z").sealed(SECRET)


def broken(folder: Path, *anchors: Anchor) -> list[Break]:
    return [chain.broken for chain in verify(folder, anchors, SECRET) if chain.broken is not None]


def test_a_log_that_holds(tmp_path: Path) -> None:
    path, anchor = made(tmp_path)
    (chain,) = verify(tmp_path, [anchor], SECRET)
    assert chain.broken is None
    assert (chain.writer, chain.records, chain.first, chain.last) == (path.name, 41, 1, 41)
    assert chain.files == len(segments(path)) > 2
    assert independent(tmp_path)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Anchor]:
    folder = tmp_path_factory.mktemp("audit")
    return folder, made(folder)[1]


def copied(log: tuple[Path, Anchor], to: Path) -> Path:
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(log[0], to)
    return to


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), what=st.sampled_from(("bit", "byte out", "byte in", "gone", "swapped", "doubled")))
def test_any_change_is_found(
    log: tuple[Path, Anchor], tmp_path_factory: pytest.TempPathFactory, seed: int, what: str
) -> None:
    draw = random.Random(seed)
    folder = copied(log, tmp_path_factory.getbasetemp() / "changed")
    file = draw.choice(segments(folder / log[1].writer))
    raw = bytearray(file.read_bytes())
    rows = bytes(raw).splitlines(keepends=True)
    place = draw.randrange(len(raw))
    row = draw.randrange(len(rows))
    if what == "bit":
        raw[place] ^= 1 << draw.randrange(8)
    elif what == "byte out":
        del raw[place]
    elif what == "byte in":
        raw.insert(place, draw.randrange(256))
    elif what == "gone":
        raw = bytearray(b"".join(rows[:row] + rows[row + 1 :]))
    elif what == "swapped":
        other = (row + 1) % len(rows)
        rows[row], rows[other] = rows[other], rows[row]
        raw = bytearray(b"".join(rows))
    else:
        raw = bytearray(b"".join(rows[: row + 1] + rows[row:]))
    file.write_bytes(raw)
    (found,) = broken(folder, log[1])
    assert str(found).startswith(str(folder / log[1].writer))


def test_the_place_of_a_change_is_named(tmp_path: Path) -> None:
    path, anchor = made(tmp_path)
    file = segments(path)[1]
    rows = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([*rows[:3], rows[3].replace(b'"n":', b'"N":'), *rows[4:]]))
    assert [str(found) for found in broken(tmp_path, anchor)] == [f"{file}:4: was altered: its hash is another"]
    assert not independent(tmp_path)


def test_a_record_that_is_hashed_anew_breaks_the_next(tmp_path: Path) -> None:
    path, _ = made(tmp_path)
    file = segments(path)[0]
    rows = file.read_bytes().splitlines(keepends=True)
    head = rows[2].rpartition(b',"hash":"')[0].replace(b'"n":1', b'"n":7')
    rows[2] = head + b',"hash":"' + hashlib.sha256(head).hexdigest().encode() + b'"}\n'
    file.write_bytes(b"".join(rows))
    assert [str(found) for found in broken(tmp_path)] == [f"{file}:4: does not follow from the record before it"]


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    path, _ = made(tmp_path)
    file = segments(path)[1]
    file.unlink()
    assert [str(found) for found in broken(tmp_path)] == [f"{file}: is missing"]


def test_an_end_that_was_cut_off_is_found_by_the_anchor(tmp_path: Path) -> None:
    path, anchor = made(tmp_path)
    file = segments(path)[-1]
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:-1]))
    assert broken(tmp_path) == []
    assert [str(found) for found in broken(tmp_path, anchor)] == [f"{file}: its end is missing: 1 records or more"]


def test_a_writer_that_is_gone_is_found_by_the_anchor(tmp_path: Path) -> None:
    path, anchor = made(tmp_path)
    shutil.rmtree(path)
    assert [str(found) for found in broken(tmp_path, anchor)] == [f"{path}: is missing, with 41 records or more"]


def test_a_chain_that_was_made_anew_is_found_by_the_anchor(tmp_path: Path) -> None:
    path, anchor = made(tmp_path)
    shutil.rmtree(path)
    forged, _ = made(tmp_path)
    path.mkdir()
    shutil.copytree(forged, path, dirs_exist_ok=True)
    shutil.rmtree(forged)
    (found,) = broken(tmp_path, anchor)
    assert "was written anew" in found.message
    assert broken(tmp_path) != []  # its first record names another writer


def test_an_anchor_that_was_made_without_the_secret_is_found(tmp_path: Path) -> None:
    path, anchor = made(tmp_path)
    other = anchor.sealed(Secret("fedcba9876543210" * 2))
    assert [str(found) for found in broken(tmp_path, other)] == [
        f"{path}: its anchor in the state was not made with this secret"
    ]


def test_a_log_that_is_being_written_holds_at_every_moment(tmp_path: Path) -> None:
    log = AuditLog(tmp_path, AuditSettings(rotate_bytes=4096))
    for n in range(30):
        log.write("test", {"actor": "system", "n": n, "filler": "x" * 200})
        assert broken(tmp_path) == []
    log.close()


def test_there_is_no_log(tmp_path: Path) -> None:
    assert verify(tmp_path / "none") == []


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("audit.pruned", b"{}"),
        ("audit.pruned", b'{"seq":"1","file":2,"hash":[]}'),
        ("audit.torn", b'{"bytes":"many"}'),
        ("audit.lost", b"[]"),
        ("audit.lost", b"nonsense"),
    ],
)
def test_a_record_with_a_sound_hash_that_says_nothing(tmp_path: Path, kind: str, body: bytes) -> None:
    """Who rewrites a chain can give any line a hash that holds."""
    path, anchor = made(tmp_path, 1)
    head = b'{"seq":%d,"time":"%s","prev":"%s","kind":"%s","body":%s' % (
        anchor.seq + 1,
        anchor.time.encode(),
        anchor.hash.encode(),
        kind.encode(),
        body,
    )
    with segments(path)[-1].open("ab") as file:
        file.write(head + b',"hash":"' + hashlib.sha256(head).hexdigest().encode() + b'"}\n')
    (found,) = broken(tmp_path, anchor)
    assert found.line == anchor.seq + 1
