"""The application: signed gateways, drain, housekeeping. Refusals have their tests in tests/fault."""

from __future__ import annotations

import asyncio
import logging
import time

import msgspec
import pytest

from guardrail.classify.detector import DetectorEntry
from guardrail.errors import ConfigProblem
from guardrail.policy.registry import Registry
from guardrail.proxy import app
from guardrail.settings import Gateway, Records
from tests.proxy.harness import KEY, guarding, raw_client, serving, settings, snapshot
from tests.proxy.scored import scored_policy
from tests.proxy.scripted import DONE, Connection, Seen, delta, says, scripted, until
from tests.proxy.test_tenants import SECRET, sign


async def test_a_signed_gateway_header() -> None:
    async with scripted(says("hi")) as upstream:
        configured = settings(upstream.url, gateway=Gateway(secret_env="GATE"))
        registry = Registry(snapshot(configured, anonymous=False))
        async with serving(registry, upstream, {"GATE": SECRET.decode()}) as guarded:
            got = await guarded.ask(headers={"X-Guardrail-Tenant": sign("acme", time.time())})
            assert got.status == 200
            assert (await guarded.record()).tenant == "acme"
            got = await guarded.ask(headers={"X-Guardrail-Tenant": sign("acme", time.time() - 3600)}, key=KEY)
            assert (got.status, got.error["code"]) == (401, "invalid_api_key")
            assert (await guarded.record(2)).tenant == "-"


async def test_a_drain_closes_idle_connections_and_waits_for_busy_ones() -> None:
    go = asyncio.Event()

    async def script(request: Seen, conn: Connection) -> None:
        await conn.begin_stream()
        await conn.stream(delta("x"))
        await go.wait()
        await conn.stream(delta(None, finish="stop"), DONE)
        await conn.end()

    async with guarding(script) as guarded:
        server = guarded.runner.server
        assert server is not None
        idle, writer = await asyncio.open_connection("127.0.0.1", guarded.port)
        async with raw_client(guarded) as (busy, _):
            await busy.readuntil(b"\r\n\r\n")
            draining = asyncio.create_task(guarded.proxy.drain(30, lambda: server.connections))
            async with asyncio.timeout(5):
                assert await idle.read() == b""
            assert not draining.done()
            assert (await guarded.ask()).status == 503
            go.set()
            await draining
            async with asyncio.timeout(5):
                assert b"[DONE]" in await busy.read()
        writer.close()


async def test_housekeeping_follows_a_reload(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(app, "TEND_EVERY", 0.01)
    caplog.set_level(logging.INFO)
    async with guarding(says("hi")) as guarded:
        for _ in range(3):
            await guarded.ask()
        registry = guarded.proxy.registry
        tending = asyncio.create_task(guarded.proxy.tend())
        smaller = msgspec.structs.replace(registry.current.settings, records=Records(keep=1))
        await asyncio.sleep(0.05)
        registry.current, registry.generation = snapshot(smaller), 2
        await until(lambda: len(guarded.proxy.records.newest(9)) == 1)
        registry.problems, registry.failed_at = (ConfigProblem("policies/x.yaml", 3, 1, "found y"),), time.time()
        await until(lambda: "policies/x.yaml:3:1: found y" in caplog.text)
        assert caplog.text.count("configuration 2 is in effect") == 1
        assert "is the one in effect again" not in caplog.text
        registry.problems = ()
        await until(lambda: "the configuration on disk is the one in effect again (2)" in caplog.text)
        await asyncio.sleep(0.05)
        assert caplog.text.count("in effect again") == 1
        tending.cancel()


async def test_a_secret_that_a_reload_asks_for_in_vain_is_told_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(app, "TEND_EVERY", 0.01)
    caplog.set_level(logging.INFO)
    detector = DetectorEntry(format="openai", url="http://127.0.0.1:1", api_key_env="JUDGE_KEY")
    async with guarding(says("hi")) as guarded:
        registry = guarded.proxy.registry
        tending = asyncio.create_task(guarded.proxy.tend())
        await asyncio.sleep(0.05)
        judged = snapshot(registry.current.settings, policy=scored_policy(detector))
        for generation in (2, 3):
            registry.current, registry.generation = judged, generation
            await until(lambda wanted=generation: f"configuration {wanted} is in effect" in caplog.text)  # type: ignore[misc]
        tending.cancel()
    assert (
        caplog.text.count("JUDGE_KEY is unset: requests to the detector of the policy 'scored' go without a key") == 1
    )


async def test_a_refused_edit_shows_in_the_state() -> None:
    async with guarding(says("hi")) as guarded:
        assert guarded.proxy.config_state().last_reload_ok
        guarded.proxy.registry.problems = (ConfigProblem("f", 1, 1, "found x"),)
        state = guarded.proxy.config_state()
        assert (state.last_reload_ok, state.problems) == (False, 1)
        assert (await guarded.ask()).status == 200


async def test_a_record_that_cannot_be_kept_does_not_take_the_answer_away(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with guarding(says("hi")) as guarded:
        monkeypatch.setattr(guarded.proxy, "records", None)
        got = await guarded.ask()
        assert (got.status, got.text, got.events[-1]) == (200, "hi", "[DONE]")
        await until(lambda: guarded.metric("guardrail_record_failures_total") == 1)
        assert guarded.metric("guardrail_responses_total", outcome="complete") == 1
    assert "AttributeError in the record" in caplog.text


async def test_an_annotate_header_that_says_nothing_is_refused() -> None:
    async with guarding(says("hi")) as guarded:
        got = await guarded.ask(headers={"x-guardrail-annotate": "maybe"})
        assert (got.status, got.error["code"]) == (400, "bad_request")
        assert "x-guardrail-annotate" in got.error["message"]


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("/v1/chat/completions", "Authorization: Bearer KEY"),
        ("/v1/messages", "x-api-key: KEY"),
        ("/v1beta/models/m:generateContent", "x-goog-api-key: KEY"),
        ("/api/chat", "Authorization: Bearer KEY"),
    ],
)
async def test_who_has_no_key_is_told_where_this_protocol_has_it(path: str, named: str) -> None:
    async with guarding(says("hi"), anonymous=False) as guarded:
        got = await guarded.ask(path=path)
        assert got.status == 401
        assert named in got.body.decode()


async def test_a_signed_header_without_a_gateway_is_refused() -> None:
    async with guarding(says("hi")) as guarded:
        got = await guarded.ask(headers={"x-guardrail-tenant": sign("acme", time.time())})
        assert (got.status, got.error["code"]) == (401, "invalid_api_key")
        assert "gateway" in got.error["message"]
        assert guarded.upstream.requests == []
