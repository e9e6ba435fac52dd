"""A word that is in prompts, answers, ids of users, keys, headers and complaints is found nowhere afterwards.

Every protocol, streamed or not; answers that pass, are masked, halted, broken off, refused; all duties on; over both
stores. Looked at: every file of the state, the WAL of SQLite among them, while the proxy runs and after its end; every
key of Redis; standard output and standard error; what the operator's listener shows.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import os
import secrets
import signal
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest
import redis
from aiohttp import web
from aiohttp.test_utils import TestServer

from guardrail.governance.complaints import Complaints
from guardrail.governance.desk import Desk, open_desk
from guardrail.governance.keyring import Keyring, Sealed
from guardrail.governance.terms import Terms
from guardrail.observe.audit_export import Wanted, find
from guardrail.simulate.script import Entry, Reply, Script, ToolCall
from guardrail.simulate.server import create_app
from guardrail.state.operations import Find
from tests.proxy.program import Program, program
from tests.state.servers import RedisServer, running

CANARY = f"zqcanary{secrets.token_hex(8)}"

KEY = f"sk-{CANARY}"
CLAIMS = "0123456789abcdef" * 3
ENVIRON = {"GUARDRAIL_SECRET": "fedcba9876543210" * 3, "CLAIMS_SECRET": CLAIMS}

TERMS: dict[str, Any] = {
    "subjects": {"claims": {"secret_env": "CLAIMS_SECRET"}},
    "limits": {"tenant": {"requests_per_minute": 1_000_000}, "user": {"tokens_per_day": 1_000_000}},
    "complaints": {"per_hour": 1_000_000, "per_address": 1_000_000},
    "removal": {},
    "labels": {},
    "conduct": {},
    "excerpts": {"enabled": True},
}
"""Every section there is."""

POLICY = """\
policy: default
store_text: true
rules:
  - {id: halts, keywords: [forbidden recipe], action: halt, category: illicit, severity: high}
  - {id: masks, keywords: [Acme Cola], action: redact, category: brand}
input:
  rules:
    - {id: refuses, keywords: [refuse this], action: halt, category: illicit, severity: high}
    - {id: covers, keywords: [cover this], action: redact, category: brand}
"""

SCRIPT = Script(
    (
        Entry("halt please", (Reply(f"A {CANARY} is in the forbidden recipe, says {CANARY}.", f"I think {CANARY}."),)),
        Entry("mask please", (Reply(f"Drink {CANARY} Acme Cola{CANARY} and Acme Cola, {CANARY}."),)),
        Entry("call please", (Reply(f"{CANARY}", tool_calls=(ToolCall("find", json.dumps({"q": CANARY})),)),)),
    )
)

TEXTS = ("say it", "halt please", "mask please", "call please", "refuse this", "cover this")
FAULTS = ("close@2", "malformed@1", "reset@2", "status=500", "html")
TOOL = {"name": "find", "description": CANARY, "parameters": {"type": "object", "properties": {}}}


def requests(text: str, user: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """(path, body) of one question in every protocol, streamed and not."""
    said = f"{text}: {CANARY}"
    messages = [{"role": "system", "content": f"be kind to {CANARY}"}, {"role": "user", "content": said}]
    contents = {"contents": [{"role": "user", "parts": [{"text": said}]}]}
    for stream in (True, False):
        chat = {"model": "sim", "messages": messages, "stream": stream}
        yield "/v1/chat/completions", chat | {"user": user, "tools": [{"type": "function", "function": TOOL}]}
        yield "/v1/completions", {"model": "sim", "prompt": said, "stream": stream, "user": user}
        yield "/v1/responses", {"model": "sim", "input": said, "stream": stream, "safety_identifier": user}
        anthropic = {"model": "sim", "messages": messages[1:], "system": CANARY, "max_tokens": 500, "stream": stream}
        yield "/v1/messages", anthropic | {"metadata": {"user_id": user}}
        method = "streamGenerateContent?alt=sse&" if stream else "generateContent?"
        yield f"/v1beta/models/sim:{method}key={CANARY}", contents
        yield "/api/chat", chat
        yield "/api/generate", {"model": "sim", "prompt": said, "stream": stream}
    yield "/v1/moderations", {"input": said}
    yield "/v1/guardrail/check", {"text": said}


def claim(user: str, key: str = CLAIMS) -> str:
    return jwt.encode({"sub": user, "exp": time.time() + 600, "locale": "de", "note": CANARY}, key, algorithm="HS256")


def heads(number: int, user: str) -> dict[str, str]:
    """Headers that differ from request to request: who asks, and how that is told."""
    head = {"x-note": CANARY, "cookie": f"session={CANARY}", "user-agent": CANARY}
    who = ({"x-guardrail-user": user}, {"x-guardrail-claims": claim(user)}, {})[number % 3]
    key = ({"authorization": f"Bearer {KEY}"}, {"x-api-key": KEY}, {})[number // 3 % 3]
    return head | who | key


async def driven(url: str) -> set[int]:
    """Everything is asked; the statuses of what was answered."""
    seen: set[int] = set()
    got_back = 0

    async def ask(path: str, body: Any, head: dict[str, str]) -> None:
        nonlocal got_back
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        head = {"content-type": "application/json"} | head
        with contextlib.suppress(aiohttp.ClientError):
            async with session.post(url + path, data=data, headers=head) as got:
                seen.add(got.status)
                got_back += CANARY.encode() in await got.read()

    async with aiohttp.ClientSession() as session:
        number = 0
        for text in TEXTS:
            for path, body in requests(text, f"{CANARY}-{number % 50}"):
                await ask(path, body, heads(number, f"{CANARY}-{number % 50}"))
                number += 1
        for fault in FAULTS:
            for path, body in requests("say it", f"{CANARY}-f"):
                await ask(path, body, heads(number, f"{CANARY}-f") | {"x-simulate-fault": fault})
                number += 1
        for n in range(12):  # somebody who does not stop: warned, restricted, suspended
            body = {"model": "sim", "messages": [{"role": "user", "content": f"refuse this {CANARY} {n}"}]}
            await ask("/v1/chat/completions", body | {"user": f"{CANARY}-always"}, {"authorization": f"Bearer {KEY}"})
        chat = "/v1/chat/completions"
        await ask(chat, f'{{"messages": "{CANARY}'.encode(), {})
        await ask(chat, {"model": "sim", "messages": CANARY}, {})
        await ask(chat, b"\x1f\x8b" + CANARY.encode(), {"content-encoding": "gzip"})
        await ask(chat, {}, {"content-encoding": CANARY})
        plain = {"model": "sim", "messages": [{"role": "user", "content": CANARY}]}
        await ask(chat, plain, {"x-guardrail-claims": claim(CANARY, "another secret of 32 characters....")})
        await ask(chat, plain, {"x-guardrail-claims": CANARY})
        await ask(f"/v1/nowhere?q={CANARY}", {}, {})
        await ask(f"/v1/models?q={CANARY}", {}, {})
        for path, filed in (
            (
                "/v1/guardrail/complaints",
                {"kind": "other", "text": f"about {CANARY}", "contact": f"{CANARY}@example.com"},
            ),
            ("/v1/guardrail/data-requests", {"right": "export", "text": f"of {CANARY}"}),
            ("/v1/guardrail/complaints", {"kind": CANARY, "text": CANARY}),
        ):
            await ask(path, filed | {"user": f"{CANARY}-0"}, {"idempotency-key": CANARY})
        for path in ("complaints/f-1", "data-requests/f-1", "cases/c-1"):
            async with session.get(f"{url}/v1/guardrail/{path}", headers={"x-guardrail-receipt": CANARY}) as got:
                seen.add(got.status)
    assert got_back > 40, (got_back, seen)
    return seen


def spelled() -> list[bytes]:
    """The word as it may stand somewhere."""
    raw = CANARY.encode()
    out = [raw, raw.upper(), raw[::-1], raw.hex().encode(), CANARY.encode("utf-16-le"), CANARY.encode("utf-16-be")]
    for shift in range(3):  # base64 by where it begins
        inner = base64.b64encode(b"x" * shift + raw)[4 if shift else 0 : -4]
        out += [inner, inner.replace(b"+", b"-").replace(b"/", b"_")]
    return out


def found_in(data: bytes) -> bool:
    return any(each in data for each in spelled())


def files_with_it(folder: Path) -> list[str]:
    return [
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and found_in(path.read_bytes())
    ]


def contents_of(client: redis.Redis) -> dict[bytes, bytes]:
    """All that Redis holds, by key."""
    out: dict[bytes, bytes] = {}
    for key in client.scan_iter("*"):
        kind = client.type(key)
        read: dict[bytes, Any] = {
            b"string": lambda key=key: client.get(key),
            b"hash": lambda key=key: client.hgetall(key),
            b"set": lambda key=key: client.smembers(key),
            b"zset": lambda key=key: client.zrange(key, 0, -1, withscores=True),
            b"list": lambda key=key: client.lrange(key, 0, -1),
            b"stream": lambda key=key: client.xrange(key),
        }
        out[key] = repr(read[kind]()).encode()
    return out


@contextlib.asynccontextmanager
async def model_server(app: web.Application) -> AsyncIterator[str]:
    server = TestServer(app)
    await server.start_server()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        await server.close()


def configure(folder: Path, url: str, state: dict[str, Any]) -> Path:
    (folder / "policies").mkdir()
    (folder / "tenants").mkdir()
    (folder / "policies" / "default.yaml").write_text(POLICY)
    tenant = {"tenant": "acme", "policy": "default", "keys": [f"sha256:{hashlib.sha256(KEY.encode()).hexdigest()}"]}
    (folder / "tenants" / "acme.yaml").write_text(json.dumps(tenant))
    main = folder / "guardrail.yaml"
    settings = {
        "version": 1,
        "listen": {"port": 0},
        "admin": {"port": 0},
        "upstreams": {"default": {"url": url, "retries": 0, "timeouts": {"idle": 5}}},
        "anonymous": {},
        "state": state,
        "terms": TERMS,
    }
    main.write_text(json.dumps(settings))
    return main


async def shown(proxy: Program) -> list[str]:
    """Where the operator's listener shows it."""
    paths = ("/records?limit=1000", "/metrics", "/policies", "/readyz", "/cases", "/complaints")
    return [path for path in paths if found_in((await proxy.operator(path)).body)]


async def settled(proxy: Program) -> None:
    """Until all that follows from the requests is written to the state."""

    async def written() -> bool:
        lines = (await proxy.operator("/metrics")).body.decode().splitlines()
        return "guardrail_state_backlog 0.0" in lines

    await proxy.until(written)


async def excerpts_with_it(desk: Desk) -> int:
    """How many excerpts have it, for whoever has the secret."""
    count, keyring = 0, Keyring(desk.secret)
    (found,) = await desk.store.run([Find("excerpt", limit=1000)])
    for document in found:
        body = json.loads(document.body)
        sealed = Sealed(**body["sealed"])
        count += CANARY in (await keyring.unseal(desk.store, sealed, f"excerpt:{body['id']}") or "")
    return count


def test_every_duty_is_on() -> None:
    assert set(TERMS) == set(Terms.__struct_fields__)


def test_what_is_there_would_be_found(tmp_path: Path) -> None:
    for number, each in enumerate(spelled()):
        (tmp_path / str(number)).write_bytes(b"in the midst of" + each + b" it")
        assert files_with_it(tmp_path) == [str(number)], each
        (tmp_path / str(number)).unlink()
    assert found_in(base64.b64encode(b"some words before " + CANARY.encode() + b" and behind"))
    assert not found_in(b"nothing of it")


@pytest.mark.parametrize("kind", ["sqlite", "redis"])
async def test_it_is_found_nowhere(kind: str, tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        state: dict[str, Any] = {"store": kind}
        server = None
        if kind == "redis":
            server = RedisServer(tmp_path / "redis")
            stack.enter_context(running(server))
            state["redis"] = {"url": server.url, "timeout": 5}
        async with model_server(create_app(SCRIPT)) as url:
            main = configure(tmp_path, url, state)
            async with program("--config", str(main), environ=ENVIRON) as proxy:
                seen = await driven(proxy.url)
                await settled(proxy)  # by now the person is suspended, whatever came first
                seen |= await driven(proxy.url)
                assert {200, 201, 400, 401, 403, 404, 502} <= seen, seen
                await settled(proxy)
                assert files_with_it(tmp_path) == []
                assert await shown(proxy) == []
                if server is not None:
                    held = contents_of(server.client)
                    assert len(held) > 20
                    assert [key for key, value in held.items() if found_in(key) or found_in(value)] == []
                proxy.signal(signal.SIGTERM)
                assert await proxy.status() == 0
            assert files_with_it(tmp_path) == []
            assert [line for line in proxy.errors + proxy.output if found_in(line.encode())] == []
            assert len(proxy.output) > 150
            # It was there to be found: each request is in the audit log, and what people wrote can be read with the
            # secret alone.
            async with open_desk(main, os.environ | ENVIRON) as desk:
                noted = [found.line.body() for found in find(tmp_path / "state" / "audit", Wanted(kinds=("response",)))]
                assert len(noted) >= len(proxy.output)
                assert len({body["subject"] for body in noted}) > 20
                complaints = Complaints(desk.store, desk.audit, desk.secret)
                words = [await complaints.words(one, "ann") for one in await complaints.listed()]
                assert [one for one in words if one is not None and CANARY in one.text + one.contact]
                assert await excerpts_with_it(desk) > 20
            await asyncio.sleep(0)
