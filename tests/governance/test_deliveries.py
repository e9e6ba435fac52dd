"""Messages to applications: a real receiver that fails, hangs, redirects; two couriers; who is sent what."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import time
from typing import Any

import msgspec
import pytest
from aiohttp import web

from guardrail.governance import deliveries as module
from guardrail.governance.counters import read
from guardrail.governance.deliveries import (
    FIRST,
    LONGEST,
    Courier,
    Delivery,
    NoTarget,
    deliveries,
    find,
    new_delivery,
    posted,
    target_of,
    wait_after,
)
from guardrail.governance.terms import Terms
from guardrail.governance.webhooks import RemovalTerms
from guardrail.state.operations import Counts, Find, Operation
from guardrail.state.sqlite import SqliteStore
from guardrail.state.store import StateError
from tests.proxy.scripted import until

KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode()


def verified(key: bytes, headers: Mapping[str, str], body: bytes) -> bool:
    """What the specification of Standard Webhooks says a receiver does, written down apart from what sends."""
    assert abs(time() - int(headers["webhook-timestamp"])) < 300
    content = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body])
    expected = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return any(hmac.compare_digest(each, f"v1,{expected}") for each in headers["webhook-signature"].split(" "))


@dataclass
class Receiver:
    """An application that answers with these statuses in turn, the last one from then on."""

    url: str
    statuses: list[int]
    got: list[tuple[str, Mapping[str, str], bytes]] = field(default_factory=list)
    """Path, headers, body."""

    async def take(self, request: web.Request) -> web.StreamResponse:
        self.got.append((request.path, request.headers.copy(), await request.read()))
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return web.Response(status=status, text="x" * 1000, headers={"Location": f"{self.url}/elsewhere"})


@contextlib.asynccontextmanager
async def receiving(*statuses: int) -> AsyncIterator[Receiver]:
    receiver = Receiver("", list(statuses))
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receiver.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield receiver
    finally:
        await runner.cleanup()


class Log:
    def __init__(self) -> None:
        self.kinds: list[str] = []

    def write(self, kind: str, body: Mapping[str, Any]) -> None:
        self.kinds.append(kind)


def terms_to(url: str) -> Callable[[str], Terms]:
    return lambda tenant: Terms(removal=RemovalTerms(webhook=f"{url}/hook?to={tenant}", secret_env="HOOK"))


@contextlib.asynccontextmanager
async def posting(*made: Delivery) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(None)
    try:
        await store.run([posted(each) for each in made])
        yield store
    finally:
        await store.close()


async def until_sent(courier: Courier, store: SqliteStore, id: str) -> Delivery:
    async with asyncio.timeout(20):
        while True:
            await courier.look()
            delivery = await find(store, id)
            assert delivery is not None
            if delivery.status == "acknowledged":
                return delivery
            await asyncio.sleep(0.01)


def a_delivery(tenant: str = "acme", now: float = 1.0) -> Delivery:
    return new_delivery(tenant, "answer.removed", "c-1", {"case_id": "c-1"}, now)


async def test_it_is_tried_until_it_is_acknowledged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST", 0.01)
    made, log = a_delivery(), Log()
    async with receiving(500, 302, 404, 204) as receiver, posting(made) as store:
        courier = Courier(store, log, terms_to(receiver.url), {"HOOK": SECRET})
        done = await until_sent(courier, store, made.id)
        assert (done.tries, done.failure) == (4, "")
        assert courier.tries == {"http_5xx": 1, "http_3xx": 1, "http_4xx": 1, "acknowledged": 1}
        assert {path for path, _, _ in receiver.got} == {"/hook"}
        assert {headers["webhook-id"] for _, headers, _ in receiver.got} == {made.id}
        for _, headers, body in receiver.got:
            assert verified(KEY, headers, body)
            assert not verified(KEY[::-1], headers, body)
            assert headers["content-type"] == "application/json"
        assert json.loads(receiver.got[0][2]) == {
            "type": "answer.removed",
            "timestamp": "1970-01-01T00:00:01Z",
            "data": {"case_id": "c-1"},
        }
        assert log.kinds == ["delivery.acknowledged"]
        (counts,) = await store.run([Counts("2000-01-01", "2100-01-01")])
        assert [(str(one.kind), one.details) for one in read(counts)] == [("removals", ("acknowledged",))]
        assert await courier.look() == 0


async def test_a_try_that_was_cut_off_is_made_again_by_another() -> None:
    made = a_delivery()
    async with receiving(204) as receiver, posting(made) as store:
        courier = Courier(store, Log(), terms_to(receiver.url), {"HOOK": SECRET})
        held = msgspec.structs.replace(made, tries=1, next_at=time() + 0.3)  # as one leaves it that was killed
        await store.run([posted(held, 1)])
        assert await courier.look() == 0
        assert (await until_sent(courier, store, made.id)).tries == 2


async def test_two_couriers_send_it_once() -> None:
    made = [a_delivery(f"t{number}") for number in range(8)]
    async with receiving(204) as receiver, posting(*made) as store:
        couriers = [Courier(store, Log(), terms_to(receiver.url), {"HOOK": SECRET}) for _ in range(4)]
        await asyncio.gather(*(courier.look() for courier in couriers))
        assert sorted(headers["webhook-id"] for _, headers, _ in receiver.got) == sorted(each.id for each in made)


async def test_one_application_that_hangs_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TIMEOUT", 0.2)
    hanging = await asyncio.start_server(lambda reader, writer: asyncio.sleep(30), "127.0.0.1", 0)
    port = hanging.sockets[0].getsockname()[1]
    made = [a_delivery("slow") for _ in range(20)] + [a_delivery("acme", now=2.0)]
    async with receiving(204) as receiver, posting(*made) as store:

        def terms(tenant: str) -> Terms:
            return terms_to(receiver.url if tenant == "acme" else f"http://127.0.0.1:{port}")(tenant)

        courier = Courier(store, Log(), terms, {"HOOK": SECRET})
        assert await courier.look() == 3
        assert len(receiver.got) == 1
        assert courier.tries == {"acknowledged": 1, "timeout": 2}
    hanging.close()


NOWHERE = {
    "no section": (Terms(), {}, "no_target"),
    "no address": (Terms(removal=RemovalTerms(secret_env="HOOK")), {"HOOK": SECRET}, "no_target"),
    "no variable": (Terms(removal=RemovalTerms(webhook="http://h")), {"HOOK": SECRET}, "no_secret"),
    "an unset one": (Terms(removal=RemovalTerms(webhook="http://h", secret_env="HOOK")), {}, "no_secret"),
    "a weak one": (Terms(removal=RemovalTerms(webhook="http://h", secret_env="HOOK")), {"HOOK": "x"}, "no_secret"),
}


@pytest.mark.parametrize(("terms", "environ", "failure"), NOWHERE.values(), ids=NOWHERE)
async def test_without_a_target_it_waits(terms: Terms, environ: dict[str, str], failure: str) -> None:
    with pytest.raises(NoTarget, match=failure):
        target_of(terms, environ)
    made = a_delivery()
    async with posting(made) as store:
        courier = Courier(store, Log(), lambda _: terms, environ)
        assert await courier.look() == 1
        (waits,) = await deliveries(store, status="pending")
        assert (waits.failure, waits.tries) == (failure, 1)
        assert waits.next_at > time()


class Shaky(SqliteStore):
    """A store that cannot be asked at first."""

    def __init__(self) -> None:
        super().__init__(None)
        self.outages = 3

    async def run(self, operations: Sequence[Operation]) -> list[Any]:
        if self.outages and any(isinstance(each, Find) for each in operations):
            self.outages -= 1
            raise StateError("the state is down", "down")
        return await super().run(operations)


async def test_the_courier_goes_on_after_an_outage_of_the_state(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK", 0.01)
    store = Shaky()
    async with receiving(204) as receiver:
        await store.run([posted(a_delivery())])
        running = asyncio.create_task(Courier(store, Log(), terms_to(receiver.url), {"HOOK": SECRET}).run())
        await until(lambda: bool(receiver.got))
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
    assert store.outages == 0
    await store.close()


def test_the_time_between_two_tries_doubles_up_to_an_hour() -> None:
    assert [wait_after(tries, 0.5) for tries in (1, 2, 3)] == [FIRST, 2 * FIRST, 4 * FIRST]
    assert wait_after(10_000, 0.5) == LONGEST
    assert (wait_after(1, 0.0), wait_after(1, 1.0)) == (pytest.approx(0.8 * FIRST), pytest.approx(1.2 * FIRST))


async def test_lists_and_what_is_late() -> None:
    made = [a_delivery("acme", 1.0), a_delivery("globex", 2.0), a_delivery("acme", 3.0)]
    async with posting(*made) as store:
        assert await deliveries(store) == made
        assert await deliveries(store, tenant="acme", status="pending") == [made[0], made[2]]
        assert await deliveries(store, tenant="acme", limit=1) == [made[0]]
        assert await deliveries(store, limit=1, after=made[0].id) == [made[1]]
        assert await deliveries(store, status="acknowledged") == []
        assert [each.overdue(3602.5) for each in made] == [True, True, False]
        assert not msgspec.structs.replace(made[0], status="acknowledged").overdue(1e9)
