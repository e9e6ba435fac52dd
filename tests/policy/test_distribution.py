"""What is in the store, and what a machine keeps of it."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import msgspec
import pytest

from guardrail.policy.bundle import BadBundle
from guardrail.policy.distribution import (
    PARTS,
    Refused,
    believed,
    bundles_in_use,
    fetch,
    keep,
    kept_head,
    kept_overlay,
    not_older,
    publish,
    read,
    write,
)
from guardrail.policy.overlay import NOTHING
from guardrail.policy.registry import load_snapshot
from guardrail.policy.versions import Head, activated, pushed
from guardrail.state.operations import Drop
from guardrail.state.sqlite import SqliteStore
from tests.policy.pushing import FILES, PUBLIC_KEY, bundle_of, envelope, policy_that_finds
from tests.policy.tree import write as write_files

LONG = "".join(f"term number {number:06}\n" for number in range(60_000))


def test_a_bundle_of_many_parts_comes_back_from_the_store(tmp_path: Path) -> None:
    bundle = bundle_of(
        tmp_path,
        "policy: p\nrules:\n  - {id: r, lexicon: ../l.txt, action: log}\n",
        {"l.txt": LONG},
    )
    parts = dict(bundle.parts())
    assert len(parts) > 4

    async def scenario() -> None:
        store = SqliteStore(None)
        await publish(store, bundle)
        found = await fetch(store, bundle.digest)
        assert (found.digest, dict(found.files)) == (bundle.digest, dict(bundle.files))
        await store.run([Drop(PARTS, next(iter(parts)))])
        with pytest.raises(BadBundle, match="missing"):
            await fetch(store, bundle.digest)
        with pytest.raises(BadBundle, match="not in the state store"):
            await fetch(store, "0" * 64)
        await store.close()

    asyncio.run(scenario())


def test_of_two_who_write_a_head_one_is_told(tmp_path: Path) -> None:
    async def scenario() -> None:
        store = SqliteStore(None)
        assert await read(store) is None
        assert await write(store, b"one", 0)
        assert not await write(store, b"two", 0)
        assert await write(store, b"two", 1)
        found = await read(store)
        assert found is not None
        assert found.body == b"two"
        await store.close()

    asyncio.run(scenario())


HEAD = Head(serial=10, at=1.0)


@pytest.mark.parametrize(
    ("head", "known", "at_least", "why"),
    [
        (HEAD, None, 11, "below 11"),
        (HEAD, Head(serial=11), 0, "an old one was put back"),
        (HEAD, Head(serial=10, at=2.0), 0, "two different statements"),
    ],
)
def test_what_is_too_old(head: Head, known: Head | None, at_least: int, why: str) -> None:
    with pytest.raises(Refused, match=why):
        not_older(head, known, at_least)


@pytest.mark.parametrize(("known", "at_least"), [(None, 10), (HEAD, 0), (Head(serial=9), 0)])
def test_what_is_not(known: Head | None, at_least: int) -> None:
    not_older(HEAD, known, at_least)


def test_only_the_operators_word_is_believed() -> None:
    assert believed(envelope(HEAD), [PUBLIC_KEY]) == HEAD
    with pytest.raises(Refused):
        believed(envelope(HEAD), [])


def test_what_a_machine_keeps(tmp_path: Path) -> None:
    settings = load_snapshot(write_files(tmp_path / "a", FILES), environ={}).settings
    assert settings.pushed_policies is not None
    folder = Path(settings.state.folder) / "policies"
    assert kept_overlay(settings) is NOTHING
    bundles = [bundle_of(tmp_path / word, policy_that_finds(word)) for word in ("one", "two")]
    head = Head()
    for bundle in bundles:
        head, number = pushed(head, "p", bundle.digest, bundle.manifest.policy_digest, now=1.0)
    head = activated(head, "p", number, now=1.0)
    assert bundles_in_use(head) == {bundles[1].digest}
    keep(folder, envelope(head), head)
    assert kept_head(settings, settings.pushed_policies) == head
    assert kept_overlay(settings) is NOTHING  # its bundle is not there
    for name, age in (("0" * 64, 7200), ("1" * 64, 0)):
        (folder / name).mkdir()
        os.utime(folder / name, (time.time() - age,) * 2)
    keep(folder, envelope(head), head)
    (folder / ("1" * 64)).rmdir()  # another process may be about to need it
    assert [path.name for path in folder.iterdir()] == ["head.json"]
    stranger = msgspec.structs.replace(settings.pushed_policies, at_least=2**60)
    assert kept_head(settings, stranger) is None
