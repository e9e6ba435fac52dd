"""Keys in a store: read in pages, by what changed, and kept on disk."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path

import msgspec
import pytest

from guardrail.policy.key_store import KIND, keep_keys, kept_keys, known_key, read_keys, write_key
from guardrail.policy.keys import new_key, sealed
from guardrail.state.operations import Put
from guardrail.state.sqlite import SqliteStore

MAC_KEY = b"m" * 32
KEYS = [new_key("acme", by="ops", now=float(number))[1] for number in range(1, 8)]


def test_all_then_what_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("guardrail.policy.key_store.PAGE", 3)

    async def scenario() -> None:
        store = SqliteStore(None)
        for number, key in enumerate(KEYS, 1):
            assert await write_key(store, key, MAC_KEY, now=float(number), new=True)
        assert not await write_key(store, KEYS[0], MAC_KEY, now=9.0, new=True)
        keys, _, newest = await read_keys(store, MAC_KEY)
        assert (keys, newest) == (KEYS, 7.0)
        revoked = msgspec.structs.replace(KEYS[2], revoked=8.0)
        await write_key(store, revoked, MAC_KEY, now=8.0)
        keys, _, newest = await read_keys(store, MAC_KEY, since=newest)
        assert (keys, newest) == ([KEYS[-1], revoked], 8.0)
        assert await known_key(store, revoked.hash, MAC_KEY) == revoked
        assert await known_key(store, "0" * 64, MAC_KEY) is None
        await store.close()

    asyncio.run(scenario())


def test_what_was_not_made_with_the_secret_is_left_out() -> None:
    async def scenario() -> None:
        store = SqliteStore(None)
        await store.run(
            [
                Put(KIND, KEYS[0].hash, sealed(KEYS[0], b"x" * 32)),
                Put(KIND, KEYS[1].hash, sealed(KEYS[2], MAC_KEY)),  # another key's document
                Put(KIND, KEYS[3].hash, b"{}"),
                Put(KIND, KEYS[4].hash, sealed(KEYS[4], MAC_KEY)),
            ]
        )
        assert (await read_keys(store, MAC_KEY))[0] == [KEYS[4]]
        await store.close()

    asyncio.run(scenario())


def test_what_is_kept_on_disk_is_checked_too(tmp_path: Path) -> None:
    path = tmp_path / "state" / "keys.jsonl"
    assert kept_keys(path, MAC_KEY) == {}
    bodies = {key.hash: sealed(key, MAC_KEY) for key in KEYS}
    keep_keys(path, bodies)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {hashed: key for hashed, (key, _) in kept_keys(path, MAC_KEY).items()} == {key.hash: key for key in KEYS}
    path.write_bytes(path.read_bytes().replace(b"acme", b"beta", 1))
    assert len(kept_keys(path, MAC_KEY)) == len(KEYS) - 1
