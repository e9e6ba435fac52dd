"""An operator's changes are built on what can be believed, and on the newest that is known."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from guardrail.governance.desk import Desk, desk_of
from guardrail.governance.terms import Terms
from guardrail.policy.distribution import HEAD, HEAD_ID, Refused, read
from guardrail.policy.publishing import Publisher, differences, prepare
from guardrail.policy.registry import load_snapshot
from guardrail.policy.signing import SIGNING_KEY, read_private
from guardrail.policy.versions import activated, rolled_back
from guardrail.state.operations import Drop, Put
from tests.policy.pushing import FILES, PRIVATE, bundle_of, envelope, policy_that_finds
from tests.policy.tree import write


@asynccontextmanager
async def publishing(folder: Path) -> AsyncIterator[tuple[Publisher, Desk]]:
    settings = load_snapshot(write(folder, FILES), environ={}).settings
    async with desk_of(settings, {}, lambda _: Terms()) as desk:
        yield Publisher(desk, "ann", read_private(None, {SIGNING_KEY: PRIVATE})), desk


def test_two_operators_at_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with publishing(tmp_path) as (publisher, desk):
            prepared = prepare(tmp_path / "policies/p.yaml", tmp_path, {}, tmp_path / "models")
            other = Publisher(desk, "bob", read_private(None, {SIGNING_KEY: PRIVATE}))
            numbers = await asyncio.gather(*(each.push(prepared) for each in (publisher, other, publisher)))
            assert sorted(numbers)[-1] == 3
            line = (await publisher.head()).policies["p"]
            assert [version.number for version in line.versions] == [1, 2, 3]

    asyncio.run(scenario())


def test_a_store_that_lost_the_head_or_holds_an_old_one(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with publishing(tmp_path) as (publisher, desk):
            prepared = prepare(tmp_path / "policies/p.yaml", tmp_path, {}, tmp_path / "models")
            assert await publisher.push(prepared) == 1
            old = await publisher.head()
            await publisher.change("policy.activated", lambda head: activated(head, "p", 1, now=1.0))
            await desk.store.run([Put(HEAD, HEAD_ID, envelope(old))])
            assert (await publisher.head()).policies["p"].live == 1
            await desk.store.run([Drop(HEAD, HEAD_ID)])
            head = await publisher.change("policy.rolled_back", lambda head: rolled_back(head, "p", now=1.0))
            assert head.serial > old.serial
            assert await read(desk.store) is not None

    asyncio.run(scenario())


def test_what_a_stranger_wrote_is_never_built_upon(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with publishing(tmp_path) as (publisher, desk):
            await desk.store.run([Put(HEAD, HEAD_ID, b"{}")])
            prepared = prepare(tmp_path / "policies/p.yaml", tmp_path, {}, tmp_path / "models")
            with pytest.raises(Refused):
                await publisher.push(prepared)

    asyncio.run(scenario())


def test_differences_are_told_by_terms(tmp_path: Path) -> None:
    listing = "policy: p\nrules:\n  - {id: r, lexicon: ../l.txt, action: log}\n"
    one = bundle_of(tmp_path / "a", listing, {"l.txt": "red\ngreen\n"})
    other = bundle_of(tmp_path / "b", listing, {"l.txt": "red\nblue\n"})
    assert list(differences(one, one)) == []
    assert [line for line in differences(one, other) if line[0] in "+-" and line[1] not in "+-"] == ["-green", "+blue"]
    assert list(differences(one, bundle_of(tmp_path / "c", policy_that_finds("x"))))
