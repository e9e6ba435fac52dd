"""The contract over each redis-server there is, and over a cluster; and what only Redis has."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from guardrail.state.operations import Count, Drop, Find, Get, Mark, Meter, Put, Renew, Seats, Take, Visit
from guardrail.state.redis import SCHEMA, RedisStore
from guardrail.state.settings import RedisSettings
from guardrail.state.store import StateError, put
from tests.state.contract import *  # noqa: F403
from tests.state.contract import Clock, reply
from tests.state.servers import BINARIES, RedisServer, cluster, running

NUMBERS = itertools.count()


class Prefixed:
    """The part of a server, or of a cluster, that one test has for itself."""

    def __init__(self, servers: list[RedisServer]) -> None:
        self.servers = servers
        self.settings = RedisSettings(
            url=servers[0].url, cluster=len(servers) > 1, prefix=f"test{next(NUMBERS)}", timeout=5.0
        )

    def open(self, clock: Callable[[], float] | None = None) -> RedisStore:
        return RedisStore(self.settings, {}, clock=clock)

    def everything(self) -> Iterator[tuple[Any, bytes]]:
        """(client, key) of every key, on every server."""
        for server in self.servers:
            client = server.client
            for key in client.scan_iter(count=1000):
                yield client, key

    def own(self, ending: str = "") -> list[tuple[Any, bytes]]:
        """(client, key) of those of this test."""
        begin, end = f"{self.settings.prefix}:".encode(), ending.encode()
        return [(client, key) for client, key in self.everything() if key.startswith(begin) and key.endswith(end)]


@pytest.fixture(scope="module", params=[*BINARIES, "cluster"])
def servers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[RedisServer]]:
    folder: Path = tmp_path_factory.mktemp("redis")
    if request.param == "cluster":
        with cluster(folder) as several:
            yield several
    else:
        server = RedisServer(folder, binary=BINARIES[request.param])
        with running(server):
            yield [server]


@pytest.fixture
def backend(servers: list[RedisServer]) -> Prefixed:
    return Prefixed(servers)


EVERYTHING = [
    Put("case", "a", b"1", frozenset({"t"}), keep=1000),
    Put("case", "b", b"1", frozenset({"t", "u"})),
    Put("policy", "p", b"1"),
    Drop("case", "b"),
    Take("acme", (Meter("r", 9, 60.0), Meter("d", 9, 86400.0)), (Seats("s", 9),), "l"),
    Renew("acme", ("s",), ("l",), 30.0),
    Visit("acme", "u", 60.0),
    Mark("acme", "v", "m"),
    Count((("a", 1),)),
]


async def test_every_key_has_the_prefix_and_a_time_to_live(backend: Prefixed) -> None:
    store = backend.open()
    prefix = backend.settings.prefix.encode() + b":"
    seen = set()
    for _ in range(2):
        await store.run(EVERYTHING)
        for client, key in backend.everything():
            if key.startswith(prefix):
                seen.add(key)
                assert client.pttl(key) > 0, key
            else:
                assert key.startswith(b"test"), key
    assert len(seen) >= 12
    await store.close()


async def test_a_sorted_set_lives_as_long_as_the_longest_of_its_documents(backend: Prefixed) -> None:
    store = backend.open()
    await store.run(
        [Put("case", "a", b"", frozenset({"t"}), keep=5000), Put("case", "b", b"", frozenset({"t"}), keep=10)]
    )
    prefix = backend.settings.prefix.encode() + b":"
    left = [
        client.pttl(key)
        for client, key in backend.everything()
        if key.startswith(prefix) and client.type(key) == b"zset"
    ]
    assert len(left) == 3
    assert min(left) > 5_000_000
    await store.close()


async def test_calls_at_once_share_a_round_trip(backend: Prefixed) -> None:
    store = backend.open()
    await store.ping()
    await store.run(EVERYTHING)
    before = store.round_trips
    await asyncio.gather(*(store.run([Get("case", str(number)), Find("case")]) for number in range(100)))
    # The first goes alone; all that came meanwhile go in the next.
    assert store.round_trips - before <= 2
    await store.close()


async def test_a_newer_state_is_refused(backend: Prefixed) -> None:
    store = backend.open()
    await store.ping()
    ((client, key),) = backend.own(":{schema}")
    assert client.get(key) == str(SCHEMA).encode()
    client.set(key, SCHEMA + 1, px=60_000)
    newer = backend.open()
    with pytest.raises(StateError, match=r"written by a newer guardrail \(schema 2, this one knows 1\)") as caught:
        await newer.ping()
    assert caught.value.kind == "schema"
    client.set(key, SCHEMA, px=60_000)
    await newer.ping()
    await newer.close()
    await store.close()


async def test_entries_of_documents_that_redis_has_dropped_are_passed_over_and_removed(backend: Prefixed) -> None:
    store = backend.open()
    await store.run([Put("case", f"{number:03}", b"", frozenset({"t"}), at=1.0) for number in range(250)])
    for client, key in backend.own():
        if b"}:d:" in key and key[-3:] < b"240":
            client.delete(key)
    assert [document.id for document in await reply(store, Find("case", "t", limit=3))] == ["240", "241", "242"]
    ((client, key),) = backend.own(":t")
    assert client.zcard(key) == 10
    await store.close()


async def test_what_has_expired_is_removed_with_its_tags_by_those_who_write(backend: Prefixed) -> None:
    clock = Clock()
    store = backend.open(clock)
    await store.run([Put("case", str(number), b"", frozenset({"t"}), keep=10) for number in range(8)])
    clock.now += 10
    await store.run([Put("case", f"new{number}", b"") for number in range(2)])
    left = [key.split(b"}:")[1] for _, key in backend.own() if b":{d:" in key]
    assert sorted(left) == [b"a", b"d:new0", b"d:new1", b"x"]
    await store.close()


async def test_names_may_hold_anything(backend: Prefixed) -> None:
    store = backend.open()
    for name in ("}", "{", "a}b", "{a}", ":", " ", "é\n", "d:{x}"):
        assert await put(store, Put(f"k{name}", name, name.encode(), frozenset({name}))) == 1
        (found,) = await reply(store, Find(f"k{name}", name))
        assert (found.id, found.body) == (name, name.encode())
        assert (await reply(store, Take(name, (Meter(name, 1, 1.0),), (Seats(name, 1),), name))).refused == -1
        assert await reply(store, Mark(name, name, name)) is True
        assert (await reply(store, Visit(name, name, 60.0))).marks == {name}
    await store.close()


async def test_scripts_that_redis_forgot_are_sent_again(backend: Prefixed) -> None:
    store = backend.open()
    assert await put(store, Put("case", "a", b"")) == 1
    for server in backend.servers:
        server.client.script_flush()
    outcomes = await asyncio.gather(*(put(store, Put("case", "a", b"")) for _ in range(10)))
    assert outcomes == list(range(2, 12))
    await store.close()


async def test_a_large_body_and_many_operations_in_one_call(backend: Prefixed) -> None:
    store = backend.open()
    body = msgspec.json.encode({"text": "x" * 1_000_000})
    await put(store, Put("case", "large", body))
    (found,) = await reply(store, Find("case"))
    assert found.body == body
    replies = await store.run([Put("case", str(number), b"") for number in range(2000)])
    assert replies == [1] * 2000
    await store.close()
