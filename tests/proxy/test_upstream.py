"""Upstreams: addresses, retries, TLS, and what a reload does to their pools."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trustme
from multidict import CIMultiDict

from guardrail.proxy.faults import Failed, Fault
from guardrail.proxy.upstream import Attempts, Upstream, Upstreams
from guardrail.settings import Timeouts, UpstreamTls
from guardrail.settings import Upstream as Config
from tests.proxy.harness import guarding
from tests.proxy.scripted import Connection, Script, Seen, answer, replies, response, says, scripted


@pytest.mark.parametrize(
    ("base", "path", "query", "expected"),
    [
        ("http://h:8000", "/v1/chat/completions", "", "http://h:8000/v1/chat/completions"),
        ("http://h:8000/", "/v1/chat/completions", "a=b", "http://h:8000/v1/chat/completions?a=b"),
        ("https://api.h/v1", "/v1/chat/completions", "", "https://api.h/v1/chat/completions"),
        ("https://h/openai/v1/", "/v1/models/a%2Fb", "", "https://h/openai/v1/models/a%2Fb"),
        ("https://h/openai", "/v1/models", "x=%20y", "https://h/openai/v1/models?x=%20y"),
    ],
)
async def test_addresses(base: str, path: str, query: str, expected: str) -> None:
    upstream = Upstream(Config(url=base), None)
    assert str(upstream.url(path, query)) == expected
    await upstream.close()


def failing(times: int, how: str) -> Script:
    """A script that fails `times` times before it answers."""
    left = times

    async def script(request: Seen, conn: Connection) -> None:
        nonlocal left
        if left:
            left -= 1
            if how == "reset":
                conn.reset()
            elif how == "close":
                conn.writer.close()
            else:
                await conn.send(response(b"{}", status=how))
            return
        await says("hi")(request, conn)

    return script


@pytest.mark.parametrize("how", ["reset", "close", "502 Bad Gateway", "503 Service Unavailable", "504 Gateway Timeout"])
async def test_a_failure_before_the_first_byte_is_tried_again(how: str) -> None:
    async with guarding(failing(1, how), retries=1) as guarded:
        assert (await guarded.ask()).text == "hi"
        assert len(guarded.upstream.requests) == 2
        assert (await guarded.record()).attempts == 2
        assert guarded.metric("guardrail_upstream_retries_total") == 1


async def test_the_last_failure_is_passed_on_as_it_came() -> None:
    async with guarding(failing(5, "503 Service Unavailable"), retries=2) as guarded:
        got = await guarded.ask()
        assert (got.status, got.body) == (503, b"{}")
        assert len(guarded.upstream.requests) == 3


@pytest.mark.parametrize("status", ["400 Bad Request", "401 Unauthorized", "429 Too Many", "500 Internal Server Error"])
async def test_other_errors_are_not_tried_again(status: str) -> None:
    async with guarding(failing(1, status), retries=3) as guarded:
        assert (await guarded.ask()).status == int(status[:3])
        assert len(guarded.upstream.requests) == 1


async def test_nothing_is_tried_again_after_the_first_byte() -> None:
    async def script(request: Seen, conn: Connection) -> None:
        await conn.begin_stream()
        await conn.stream(answer("x")[0])
        conn.writer.close()

    async with guarding(script, retries=3) as guarded:
        assert (await guarded.ask()).events[-2]["error"]["code"] == "upstream_closed"
        assert len(guarded.upstream.requests) == 1


async def test_a_long_body_arrives_whole_also_when_tried_again() -> None:
    body = b'{"model":"m","messages":[{"role":"user","content":"' + b"x" * 3_000_000 + b'"}]}'
    async with guarding(failing(1, "503 Busy"), retries=1) as guarded:
        assert (await guarded.ask(body)).status == 200
        assert [seen.body == body for seen in guarded.upstream.requests] == [True, True]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def server_context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


async def test_tls_with_its_own_authority(authority: trustme.CA, tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca)
    async with scripted(says("hi"), tls=server_context(authority)) as secure:
        for tls, status in (
            (UpstreamTls(ca=str(ca)), 200),
            (UpstreamTls(), 502),
            (UpstreamTls(verify=False), 200),
            (UpstreamTls(ca=str(tmp_path / "missing.pem")), 502),
        ):
            async with guarding(says("unused"), url=secure.url, tls=tls) as guarded:
                got = await guarded.ask()
                assert got.status == status
                if status == 502:
                    assert got.error["code"] == "connect_failed"


async def test_a_reload_gives_a_changed_upstream_a_new_pool_and_keeps_the_old_while_in_use() -> None:
    async with scripted(replies(response(b"{}"))) as server:
        upstreams = Upstreams({"K": "sk-1"})
        config = Config(url=server.url, api_key_env="K")
        first = upstreams.get("default", config)
        assert upstreams.get("default", config) is first
        changed = msgspec.structs.replace(config, timeouts=Timeouts(idle=1))
        first.in_use += 1
        second = upstreams.get("default", changed)
        assert second is not first
        await upstreams.sweep()
        got = await first.request("GET", "/v1/models", "", CIMultiDict(), b"", Attempts())
        assert got.status == 200
        got.release()
        assert server.requests[0].headers["authorization"] == "Bearer sk-1"
        first.in_use -= 1
        await upstreams.sweep()
        with pytest.raises(RuntimeError, match="closed"):
            await first.request("GET", "/v1/models", "", CIMultiDict(), b"", Attempts())
        await upstreams.close()


@pytest.mark.parametrize(
    ("configured", "protocols", "sent"),
    [
        (None, "Authorization", {"authorization": "Bearer sk-1"}),
        (None, "x-api-key", {"x-api-key": "sk-1"}),
        ("api-key", "Authorization", {"api-key": "sk-1"}),
        ("authorization", "x-goog-api-key", {"authorization": "Bearer sk-1"}),
    ],
)
async def test_the_upstreams_key_is_sent_where_the_protocol_has_it(
    configured: Any, protocols: str, sent: dict[str, str]
) -> None:
    async with scripted(replies(response(b"{}"))) as server:
        upstream = Upstream(Config(url=server.url, api_key_header=configured), "sk-1")
        got = await upstream.request("GET", "/v1/models", "", CIMultiDict(), b"", Attempts(), key_header=protocols)
        got.release()
        found = {name: value for name, value in server.requests[0].headers.items() if "sk-1" in value}
        assert found == sent
        await upstream.close()


async def test_a_refused_connection_counts_its_attempts() -> None:
    upstream = Upstream(Config(url="http://127.0.0.1:1", retries=2), None)
    attempts = Attempts()
    with pytest.raises(Failed) as failed:
        await upstream.request("POST", "/v1/chat/completions", "", CIMultiDict(), b"{}", attempts)
    assert (failed.value.fault, attempts.count) == (Fault.CONNECT_FAILED, 3)
    await upstream.close()
