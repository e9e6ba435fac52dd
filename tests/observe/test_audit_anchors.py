"""Anchors: what each writer had written is in the state, also at its end."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import msgspec
import pytest

from guardrail.observe import audit_anchors
from guardrail.observe.audit import AuditLog
from guardrail.observe.audit_anchors import KIND, Anchor, anchored, anchors, note, tend
from guardrail.observe.audit_segments import segments
from guardrail.settings import AuditSettings
from guardrail.state.operations import Put
from guardrail.state.secret import Secret
from guardrail.state.sqlite import SqliteStore
from tests.observe.test_audit import full_disk
from tests.proxy.scripted import until

SECRET = Secret("0123456789abcdef" * 2)


def test_an_anchor_is_genuine_as_it_was_made() -> None:
    anchor = Anchor("w-1", 7, "ab" * 32, "2026-03-01T00:00:00.000Z").sealed(SECRET)
    assert anchor.genuine(SECRET)
    for field, value in (("writer", "w-2"), ("seq", 6), ("hash", "ac" * 32), ("time", ""), ("mac", "")):
        assert not msgspec.structs.replace(anchor, **{field: value}).genuine(SECRET)


@pytest.mark.parametrize(
    "body",
    [b"junk", b"{}", b'{"writer":"w","seq":"1"}', '{"writer":"w","seq":1,"hash":"","time":"","mac":"é"}'.encode()],
)
async def test_what_is_no_anchor_is_not_genuine(body: bytes) -> None:
    store = SqliteStore(None)
    await store.run([Put(KIND, "w", body)])
    (found,) = await anchors(store)
    assert found.writer == "w"
    assert not found.genuine(SECRET)
    await store.close()


async def test_the_end_of_a_log_is_anchored(tmp_path: Path) -> None:
    store = SqliteStore(None)
    log = AuditLog(tmp_path, AuditSettings())
    tending = asyncio.create_task(tend(log, store, SECRET))
    async with asyncio.timeout(10):
        while not await anchors(store):
            await asyncio.sleep(0.005)
    tending.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await tending
    log.write("test", {"actor": "system"})
    assert await note(log, store, SECRET)
    (anchor,) = await anchors(store)
    assert (anchor.writer, anchor.seq, anchor.hash) == (log.writer, *log.head)
    assert anchor.seq == 2
    assert anchor.genuine(SECRET)
    await store.close()
    assert not await note(log, store, SECRET)
    log.close()


async def test_what_waits_is_written_when_nobody_asks_for_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_anchors, "EVERY", 0.01)
    store = SqliteStore(None)
    log = AuditLog(tmp_path, AuditSettings())
    with full_disk(5, segments(log.path)[0]):
        log.note("response", {"actor": "system"})
    assert log.waiting == 1
    tending = asyncio.create_task(tend(log, store, SECRET))
    await until(lambda: log.waiting == 0)
    tending.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await tending
    assert log.head[0] == 2
    log.close()
    await store.close()


async def test_all_anchors_are_read(tmp_path: Path) -> None:
    store = SqliteStore(None)
    count = audit_anchors.PAGE + 3
    made = [Anchor(f"w-{n}", n, "", "").sealed(SECRET) for n in range(count)]
    await store.run([Put(KIND, anchor.writer, msgspec.json.encode(anchor)) for anchor in made])
    assert {anchor.writer for anchor in await anchors(store)} == {anchor.writer for anchor in made}
    await store.close()


async def test_an_anchor_outlives_the_records(tmp_path: Path) -> None:
    log = AuditLog(tmp_path, AuditSettings(retention_days=4000))
    assert anchored(log, SECRET).keep > 4000 * 86400
    log.close()
