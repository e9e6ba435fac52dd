"""The operator's listener: tokens, readiness, records."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from guardrail.errors import ConfigProblem
from guardrail.proxy.admin import LocalSource, admin_application
from tests.proxy.harness import POLICY, Guarded, guarding
from tests.proxy.scripted import says

TOKEN = {"Authorization": "Bearer t0ken"}


@contextlib.asynccontextmanager
async def administered() -> AsyncIterator[tuple[Guarded, str]]:
    """A guardrail with its operator's listener."""
    async with guarding(says("hi")) as guarded:
        runner = web.AppRunner(admin_application(LocalSource(guarded.proxy), "t0ken"))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield guarded, f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()


async def get(url: str, **headers: str) -> tuple[int, aiohttp.ClientResponse]:
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as answer:
        await answer.read()
        return answer.status, answer


@pytest.mark.parametrize("path", ["/metrics", "/records", "/policies"])
@pytest.mark.parametrize(
    "sent", [{}, {"Authorization": "Bearer no"}, {"Authorization": "Basic t0ken"}, {"Authorization": "Bearer é"}]
)
async def test_a_token_is_needed(path: str, sent: dict[str, str]) -> None:
    async with administered() as (_, url):
        status, answer = await get(url + path, **sent)
        assert status == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert (await get(url + path, **TOKEN))[0] == 200


async def test_health_and_readiness_need_none_and_tell_a_refused_edit() -> None:
    async with administered() as (guarded, url):
        assert (await get(url + "/healthz"))[0] == 200
        status, answer = await get(url + "/readyz")
        ready = {"ready": True, "config": "ok", "policies": "ok", "state": "ok", "generation": 1, "reasons": []}
        assert (status, await answer.json()) == (200, ready)
        guarded.proxy.registry.problems = (ConfigProblem("policies/x.yaml", 3, 1, "found y, expected z"),)
        status, answer = await get(url + "/readyz")
        assert (status, (await answer.json())["config"]) == (200, "refused")
        assert "x.yaml" not in await answer.text()
        assert "policies/x.yaml:3:1" in await (await get(url + "/policies", **TOKEN))[1].text()
        assert "guardrail_config_last_reload_ok 0.0" in await (await get(url + "/metrics", **TOKEN))[1].text()
        guarded.proxy.draining = True
        status, answer = await get(url + "/readyz")
        assert (status, (await answer.json())["reasons"]) == (503, ["draining"])


async def test_records() -> None:
    async with administered() as (guarded, url):
        first = (await guarded.ask()).headers["x-guardrail-request-id"]
        await guarded.ask()
        await guarded.record(2)
        _, answer = await get(url + "/records", **TOKEN)
        records = (await answer.json())["records"]
        assert [r["outcome"] for r in records] == ["complete", "complete"]
        assert records[1]["request_id"] == first
        _, answer = await get(url + "/records?limit=1", **TOKEN)
        assert len((await answer.json())["records"]) == 1
        _, answer = await get(url + f"/records?id={first}", **TOKEN)
        assert [r["request_id"] for r in (await answer.json())["records"]] == [first]
        _, answer = await get(url + "/records?id=g-none", **TOKEN)
        assert (await answer.json())["records"] == []
        assert (await get(url + "/records?limit=-1", **TOKEN))[0] == 400


async def test_policies() -> None:
    async with administered() as (_, url):
        _, answer = await get(url + "/policies", **TOKEN)
        told = await answer.json()
        assert told["policies"] == [{"name": "test", "tag": POLICY.tag, "digest": POLICY.digest}]
        assert told["tenants"][0]["name"] == "acme"
        assert "key" not in await answer.text()
