"""What happens to a store when Redis is slow, down, restarted, full, read-only or failing over: done to real servers.

Each has a defined outcome, and nothing waits longer than the timeout: `within` is ten times that, for slow machines.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from redis.crc import key_slot

from guardrail.state.operations import Count, Counts, Document, Get, Meter, Put, Seats, Take, Visit
from guardrail.state.redis import RedisStore
from guardrail.state.redis_operations import base_of
from guardrail.state.settings import RedisSettings, Sentinel
from guardrail.state.steady import Steady
from guardrail.state.store import CHANGES, StateError, get, put
from tests.state import contract
from tests.state.contract import reply
from tests.state.servers import RedisServer, cluster, raw, running, until

Result = TypeVar("Result")

TIMEOUT = 0.25
PUT = Put("case", "a", b"1")


async def within(asked: Awaitable[Result]) -> Result:
    async with asyncio.timeout(10 * TIMEOUT):
        return await asked


async def failure(asked: Awaitable[Any]) -> str:
    with pytest.raises(StateError) as caught:
        await within(asked)
    return caught.value.kind


async def back(store: RedisStore | Steady, seconds: float = 20.0) -> None:
    """Wait until it can be asked again."""
    async with asyncio.timeout(seconds):
        while True:
            with contextlib.suppress(StateError):
                return await store.ping()
            await asyncio.sleep(0.02)


async def answer(store: RedisStore, operation: Put) -> Any:
    """The reply, once there is one."""
    async with asyncio.timeout(30):
        while True:
            with contextlib.suppress(StateError):
                return await reply(store, operation)
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def store_of(*servers: RedisServer, **settings: Any) -> AsyncIterator[RedisStore]:
    given = {"url": servers[0].url, "timeout": TIMEOUT} | settings
    store = RedisStore(RedisSettings(**given), {})
    try:
        yield store
    finally:
        await store.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., RedisServer]]:
    with contextlib.ExitStack() as stack:

        def start(*options: str) -> RedisServer:
            server = RedisServer(tmp_path / str(len(list(tmp_path.iterdir()))), *options)
            stack.enter_context(running(server))
            return server

        yield start


# Slow


async def test_a_server_that_says_nothing(start: Callable[..., RedisServer]) -> None:
    server = start()
    async with store_of(server) as store:
        assert await put(store, PUT) == 1
        server.freeze()
        outcomes = await within(asyncio.gather(*(store.run([PUT]) for _ in range(50)), return_exceptions=True))
        assert {getattr(outcome, "kind", None) for outcome in outcomes} == {"slow"}
        assert await failure(store.ping()) == "slow"
        server.thaw()
        await back(store)
        found = await get(store, "case", "a")
        # What was asked may or may not have happened; what was not sent in time has not.
        assert found is not None
        assert found.version <= 51


async def test_a_server_that_makes_a_pause(start: Callable[..., RedisServer]) -> None:
    server = start()
    async with store_of(server) as store:
        await store.ping()
        server.client.client_pause(3 * int(TIMEOUT * 1000))
        assert await failure(store.ping()) == "slow"
        await back(store)


async def test_while_it_is_away_nobody_waits_for_it_again(start: Callable[..., RedisServer]) -> None:
    server = start()
    async with store_of(server) as store:
        steady = Steady(store)
        await steady.run([PUT])
        server.freeze()
        assert await failure(steady.run([PUT])) == "slow"
        asked = store.round_trips
        for _ in range(1000):
            with pytest.raises(StateError, match="left alone"):
                await steady.run([PUT])
        assert store.round_trips <= asked + 2  # the probe's
        server.thaw()
        await contract.until(lambda: steady._probing is not None and steady._probing.done())
        assert (await reply(steady, PUT)) >= 2
        assert steady.failures["slow"] >= 1


# Down, and back


async def test_a_server_that_is_not_there(start: Callable[..., RedisServer]) -> None:
    server = start()
    async with store_of(server) as store:
        server.kill()
        assert await failure(store.ping()) == "down"
        server.start()
        await back(store)


async def test_a_connection_that_the_server_has_closed_is_opened_again(start: Callable[..., RedisServer]) -> None:
    server = start()
    async with store_of(server) as store:
        for version in (1, 2, 3):
            assert await put(store, PUT) == version
            server.client.client_kill_filter(_type="normal", skipme=True)
            reader = store._link._connection._reader  # type: ignore[attr-defined]
            await contract.until(reader.at_eof)  # it has been noticed, as it is between two requests


async def test_what_was_answered_is_there_after_a_kill_under_load(start: Callable[..., RedisServer]) -> None:
    server = start("--appendonly", "yes", "--appendfsync", "always")
    async with store_of(server) as store:
        answered: list[str] = []
        failed = 0
        stop = asyncio.Event()

        async def write(name: str) -> None:
            nonlocal failed
            number = 0
            while not stop.is_set():
                number += 1
                try:
                    await put(store, Put("case", f"{name}.{number}", b"x", expect=0))
                    answered.append(f"{name}.{number}")
                except StateError:
                    failed += 1
                    await asyncio.sleep(0.01)

        taken = await reply(store, Take("acme", (Meter("r", 10, 3600.0, 7),), (Seats("s", 2),), "l", 3600.0))
        visit = await reply(store, Visit("acme", "u", 3600.0))
        await reply(store, Count((("a", 3),)))
        writers = [asyncio.create_task(write(str(number))) for number in range(10)]
        for round_ in range(3):
            enough = len(answered) + 200
            await contract.until(lambda enough=enough: len(answered) >= enough)
            await asyncio.to_thread(server.kill)
            lost = failed
            await contract.until(lambda lost=lost: failed > lost)
            await asyncio.to_thread(server.start)
            await back(store)
            assert round_ == 0 or failed > 0
        stop.set()
        await asyncio.gather(*writers)
        found = await store.run([Get("case", name) for name in answered])
        assert all(isinstance(document, Document) for document in found)
        again = await reply(store, Take("acme", (Meter("r", 10, 3600.0, 0),), (Seats("s", 2),), "l", 3600.0))
        assert [level.used for level in again.levels] == [level.used for level in taken.levels] == [7, 1]
        assert (await reply(store, Visit("acme", "u", 3600.0))).started == visit.started
        assert await reply(store, Counts("2020-01-01", "2099-12-31")) == {"a": 3}


async def test_after_an_outage_every_kind_of_change_is_told(start: Callable[..., RedisServer]) -> None:
    server = start()
    async with store_of(server) as store:
        heard: list[str] = []

        async def hear() -> None:
            async for kind in store.changes():
                heard.append(kind)

        task = asyncio.create_task(hear())
        await contract.until(lambda: sorted(heard) == sorted(CHANGES))
        heard.clear()
        server.kill()
        assert await failure(store.ping()) == "down"
        server.start()
        await contract.until(lambda: set(heard) == set(CHANGES))
        heard.clear()
        await put(store, Put("key", "a", b""))
        await contract.until(lambda: heard == ["key"])
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_change_of_which_no_message_came_is_told_all_the_same(start: Callable[..., RedisServer]) -> None:
    server = start()
    async with store_of(server) as store, store_of(server) as other:
        heard: list[str] = []

        async def hear() -> None:
            async for kind in store.changes():
                heard.append(kind)

        task = asyncio.create_task(hear())
        await contract.until(lambda: sorted(heard) == sorted(CHANGES))
        heard.clear()
        # Nobody may listen any more.
        server.client.execute_command("ACL", "SETUSER", "default", "resetchannels")
        server.client.client_kill_filter(_type="pubsub")
        server.client.execute_command("ACL", "SETUSER", "default", "allchannels", "-subscribe")
        await put(other, Put("policy", "a", b""))
        await contract.until(lambda: heard == ["policy"])
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


# Full, read-only


async def test_a_full_server_is_read_but_not_written(start: Callable[..., RedisServer]) -> None:
    server = start("--maxmemory-policy", "noeviction")
    async with store_of(server) as store:
        await put(store, PUT)
        server.client.config_set("maxmemory", "1mb")
        server.client.execute_command("CONFIG", "SET", "maxmemory", "1")
        assert await failure(store.run([PUT])) == "full"
        assert await failure(store.run([Take("acme", (Meter("r", 1, 60.0),))])) == "full"
        assert await failure(store.ping()) == "full"
        found = await within(get(store, "case", "a"))
        assert found is not None
        assert found.version == 1
        server.client.config_set("maxmemory", "0")
        assert await within(put(store, PUT)) == 2


async def test_a_replica_is_read_but_not_written(start: Callable[..., RedisServer]) -> None:
    server, master = start(), start()
    async with store_of(master) as store:
        await put(store, PUT)
    server.client.replicaof("127.0.0.1", master.port)
    until(lambda: server.client.info("replication")["master_link_status"] == "up")
    async with store_of(server) as store:
        assert await failure(store.run([PUT])) == "read-only"
        assert await failure(store.run([Take("acme", (Meter("r", 1, 60.0),))])) == "read-only"
        assert await failure(store.ping()) == "read-only"
        assert (await within(get(store, "case", "a"))) is not None
        server.client.replicaof("NO", "ONE")
        assert await within(put(store, PUT)) == 2


async def test_a_server_that_cannot_save(start: Callable[..., RedisServer]) -> None:
    server = start()
    async with store_of(server) as store:
        await put(store, PUT)
        server.client.config_set("min-replicas-to-write", "1")
        assert await failure(store.run([PUT])) == "read-only"
        server.client.config_set("min-replicas-to-write", "0")
        assert await within(put(store, PUT)) == 2


# Failing over


@pytest.fixture
def watched(start: Callable[..., RedisServer], tmp_path: Path) -> tuple[RedisServer, RedisServer, RedisServer]:
    """A master, its replica, and a Sentinel that watches them."""
    master = start()
    replica = start("--replicaof", "127.0.0.1", str(master.port))
    until(lambda: replica.client.info("replication")["master_link_status"] == "up")
    file = tmp_path / "sentinel.conf"
    file.write_text("")
    sentinel = start(str(file), "--sentinel")
    for command in (
        ("MONITOR", "main", "127.0.0.1", master.port, 1),
        ("SET", "main", "down-after-milliseconds", 300),
        ("SET", "main", "failover-timeout", 3000),
    ):
        sentinel.client.execute_command("SENTINEL", *command)
    until(lambda: b"name=main,status=ok" in raw(sentinel, "INFO") and b"slaves=1" in raw(sentinel, "INFO"), 30)
    return master, replica, sentinel


async def test_the_replica_takes_over(watched: tuple[RedisServer, RedisServer, RedisServer]) -> None:
    master, replica, sentinel = watched
    nobody = "127.0.0.1:1"
    given = Sentinel((nobody, f"127.0.0.1:{sentinel.port}"), "main")
    async with store_of(master, url=None, sentinel=given) as store:
        await back(store)
        await put(store, PUT)
        master.client.wait(1, 5000)
        master.kill()
        assert await failure(store.ping()) in ("down", "failover", "slow")
        await back(store, 30)
        assert replica.client.info("replication")["role"] == "master"
        assert await within(put(store, PUT)) == 2


async def test_a_master_that_became_a_replica_is_left(watched: tuple[RedisServer, RedisServer, RedisServer]) -> None:
    master, replica, sentinel = watched
    given = Sentinel((f"127.0.0.1:{sentinel.port}",), "main")
    async with store_of(master, url=None, sentinel=given) as store:
        await back(store)
        await put(store, PUT)
        master.client.wait(1, 5000)
        until(lambda: sentinel.client.execute_command("SENTINEL", "FAILOVER", "main"))
        # The old master is alive, and refuses writes from some moment on.
        until(lambda: replica.client.info("replication")["role"] == "master", 30)
        until(lambda: master.client.info("replication")["role"] == "slave", 30)
        await back(store, 30)
        assert await within(put(store, Put("case", "b", b""))) == 1
        assert replica.client.exists("guardrail:{d:case}:d:b")


# A cluster


def kind_on(servers: list[RedisServer], number: int) -> str:
    """A kind of document whose slot the server has."""
    for index in range(1000):
        name = f"kind{index}"
        slot = key_slot(base_of(Get(name, ""), "guardrail").encode())
        if slot * len(servers) // 16384 == number:
            return name
    raise AssertionError


async def test_what_the_other_servers_have_can_be_asked_while_one_is_away(tmp_path: Path) -> None:
    with cluster(tmp_path) as servers:
        for server in servers:
            server.client.config_set("cluster-require-full-coverage", "no")
        first, second = (Put(kind_on(servers, number), "a", b"") for number in (0, 1))
        async with store_of(*servers, cluster=True) as store:
            assert await store.run([first, second]) == [1, 1]
            servers[0].kill()
            assert await failure(store.run([first])) in ("down", "failover")
            assert (await answer(store, second)) >= 2
            assert await failure(store.run([first, second])) in ("down", "failover")
            servers[0].start()
            assert (await answer(store, first)) >= 1


async def test_a_slot_may_move_to_another_server(tmp_path: Path) -> None:
    with cluster(tmp_path) as servers:
        source, target = servers[0], servers[1]
        kind = kind_on(servers, 0)
        async with store_of(*servers, cluster=True) as store:
            await store.run([Put(kind, str(number), b"") for number in range(20)])
            slot = key_slot(base_of(Get(kind, ""), "guardrail").encode())
            ids = [raw(server, "CLUSTER", "MYID").decode() for server in (source, target)]
            target.client.execute_command("CLUSTER", "SETSLOT", slot, "IMPORTING", ids[0])
            source.client.execute_command("CLUSTER", "SETSLOT", slot, "MIGRATING", ids[1])
            keys = source.client.execute_command("CLUSTER", "GETKEYSINSLOT", slot, 1000)
            source.client.execute_command("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *keys)
            assert (await within(get(store, kind, "7"))) is not None  # asked of both
            for server in servers:
                server.client.execute_command("CLUSTER", "SETSLOT", slot, "NODE", ids[1])
            assert await within(put(store, Put(kind, "7", b""))) == 2  # it has moved
            assert await within(put(store, Put(kind, "7", b""))) == 3
