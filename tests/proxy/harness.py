"""A guardrail in this process in front of a scripted upstream, over real sockets, for tests."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import msgspec
from aiohttp import web
from yarl import URL

from guardrail.governance.desk import Desk
from guardrail.governance.duty import Done, Duty, Use
from guardrail.governance.identity import Identity
from guardrail.governance.terms import Terms
from guardrail.observe.records import Record
from guardrail.policy.policy import Policy
from guardrail.policy.registry import Registry, Snapshot, Tenant
from guardrail.proxy.app import Proxy
from guardrail.proxy.governor import Governor
from guardrail.proxy.process import client_runner
from guardrail.settings import Anonymous, Limits, Settings, Timeouts, Upstream
from guardrail.state.secret import Secret
from guardrail.state.sqlite import SqliteStore
from guardrail.state.store import Store
from guardrail.text.rules import Action, KeywordRule, Label
from guardrail.text.scanner import compile_rules
from tests.proxy.scripted import Script, ScriptedUpstream, scripted, until

RULES = (
    KeywordRule(id="halt", category="illicit", severity="high", action=Action.HALT, terms=("forbidden recipe",)),
    KeywordRule(id="mask", category="brand", action=Action.REDACT, mask=Label("[X]"), terms=("Acme Cola",)),
)

POLICY = Policy(name="test", digest="ab" * 32, rules=compile_rules(RULES))
OPEN_POLICY = Policy(name="open", digest="cd" * 32, rules=compile_rules(()))

NO_TERMS = Terms()
SECRET = Secret("0123456789abcdef" * 2)

KEY = "sk-test-tenant"
BODY: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "stream": True}


def hashed(key: str) -> str:
    """A key as a tenant file holds it."""
    return hashlib.sha256(key.encode()).hexdigest()


def settings(url: str, **changes: Any) -> Settings:
    """Settings with one upstream at `url`; `changes`: fields of Upstream, Limits, Timeouts or Settings by name."""

    def take(kind: type[msgspec.Struct]) -> dict[str, Any]:
        return {name: changes.pop(name) for name in kind.__struct_fields__ if name in changes}

    timeouts = Timeouts(**{"connect": 5, "first_byte": 10, "idle": 10, "total": 30, **take(Timeouts)})
    limits = Limits(**take(Limits))
    changes.pop("url", None)
    upstream = Upstream(url=url, timeouts=timeouts, **{"retries": 0, **take(Upstream)})
    return Settings(version=1, upstreams={"default": upstream}, limits=limits, **changes)


def snapshot(
    configured: Settings,
    *,
    policy: Policy = POLICY,
    tenants: Sequence[Tenant] | None = None,
    anonymous: bool = True,
    terms: Terms = NO_TERMS,
) -> Snapshot:
    """A snapshot with the tenant `acme` (key KEY), and anonymous access unless switched off; both under `terms`."""
    if tenants is None:
        tenants = (Tenant("acme", policy, "default", (hashed(KEY),), terms=terms),)
    nobody = Tenant("anonymous", policy, "default", terms=terms) if anonymous else None
    if nobody is not None:
        configured = msgspec.structs.replace(configured, anonymous=Anonymous(policy=policy.name))
    return Snapshot(configured, {policy.name: policy}, tenants, anonymous=nobody)


@dataclass
class Answer:
    """What a client got."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def error(self) -> dict[str, Any]:
        found: dict[str, Any] = msgspec.json.decode(self.body)["error"]
        return found

    @property
    def events(self) -> list[Any]:
        """The payloads of the events; "[DONE]" stays a string."""
        out: list[Any] = []
        for block in self.body.split(b"\n\n"):
            if block.startswith(b"data: "):
                payload = block[6:]
                out.append("[DONE]" if payload == b"[DONE]" else msgspec.json.decode(payload))
        return out

    @property
    def text(self) -> str:
        """The content of choice 0, put together."""
        return "".join(
            choice["delta"].get("content") or ""
            for item in self.events
            if isinstance(item, dict)
            for choice in item.get("choices", ())
            if choice["index"] == 0
        )

    @property
    def finish(self) -> str | None:
        """The finish reason of choice 0."""
        reasons = [
            choice["finish_reason"]
            for item in self.events
            if isinstance(item, dict)
            for choice in item.get("choices", ())
            if choice.get("finish_reason")
        ]
        return reasons[-1] if reasons else None


@dataclass
class Guarded:
    """A running guardrail and its client."""

    proxy: Proxy
    upstream: ScriptedUpstream
    url: str
    session: aiohttp.ClientSession
    runner: web.AppRunner
    key: str | None = None
    sent: dict[str, str] = field(default_factory=dict)

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    async def ask(
        self,
        body: Any = None,
        *,
        path: str = "/v1/chat/completions",
        method: str = "POST",
        headers: Mapping[str, str] | None = None,
        key: str | None = None,
    ) -> Answer:
        """One request of a plain client, read to its end. `body`: JSON, or bytes as they are; None: BODY."""
        sent = {"Content-Type": "application/json", **(headers or {})}
        if key is not None:
            sent["Authorization"] = f"Bearer {key}"
        data = body if isinstance(body, bytes) else msgspec.json.encode(BODY if body is None else body)
        async with asyncio.timeout(20):
            async with self.session.request(
                method, URL(self.url + path, encoded=True), data=data, headers=sent
            ) as answer:
                return Answer(answer.status, answer.headers, await answer.read())

    async def record(self, count: int = 1) -> Record:
        """The newest record, once there are `count`."""
        await until(lambda: len(self.proxy.records.newest(count)) == count)
        return self.proxy.records.newest(1)[0]

    def metric(self, name: str, **labels: str) -> float:
        """A sample's value now; 0 when there is none."""
        return self.proxy.metrics.registry.get_sample_value(name, labels) or 0.0


@contextlib.asynccontextmanager
async def guarding(
    script: Script,
    *,
    policy: Policy = POLICY,
    anonymous: bool = True,
    environ: Mapping[str, str] | None = None,
    terms: Terms = NO_TERMS,
    duties: Sequence[Duty] = (),
    store: Store | None = None,
    on_failure: Mapping[Use, Done] | None = None,
    desk: Desk | None = None,
    **changes: Any,
) -> AsyncIterator[Guarded]:
    """A scripted upstream with a guardrail in front; `changes` as in `settings`. With `duties` it has a state: `store`,
    or one in memory; with `desk`, what stands on it."""
    async with scripted(script) as upstream:
        url = changes.pop("url", upstream.url)
        registry = Registry(snapshot(settings(url, **changes), policy=policy, anonymous=anonymous, terms=terms))
        if not duties:
            async with serving(registry, upstream, environ or {}, desk=desk) as guarded:
                yield guarded
            return
        async with (
            governing(duties, store, on_failure or {}, environ or {}) as governor,
            serving(registry, upstream, environ or {}, governor, desk) as guarded,
        ):
            yield guarded


@contextlib.asynccontextmanager
async def governing(
    duties: Sequence[Duty], store: Store | None, on_failure: Mapping[Use, Done], environ: Mapping[str, str]
) -> AsyncIterator[Governor]:
    """A governor at work. What `on_failure` does not name goes on without the state."""
    uses: dict[Use, Done] = {"limits": "open", "conduct": "open", "sessions": "open", "records": "open"}
    own = SqliteStore(None) if store is None else None
    fallback = SqliteStore(None)
    governor = Governor(
        store or own or fallback,
        duties,
        Identity(SECRET, environ),
        on_failure={**uses, **on_failure},
        fallback=fallback,
    )
    tending = asyncio.create_task(governor.tend())
    try:
        yield governor
        await governor.settle(5)
    finally:
        tending.cancel()
        await asyncio.gather(tending, return_exceptions=True)
        for each in (own, fallback):
            if each is not None:
                await each.close()


@contextlib.asynccontextmanager
async def serving(
    registry: Registry,
    upstream: ScriptedUpstream,
    environ: Mapping[str, str],
    governor: Governor | None = None,
    desk: Desk | None = None,
) -> AsyncIterator[Guarded]:
    """A guardrail with `registry` on a free port."""
    proxy = Proxy(registry, environ, governor, desk)
    runner = client_runner(proxy)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    session = aiohttp.ClientSession(auto_decompress=False)
    try:
        yield Guarded(proxy, upstream, f"http://127.0.0.1:{runner.addresses[0][1]}", session, runner)
    finally:
        await session.close()
        await runner.cleanup()
        await proxy.close()


@contextlib.asynccontextmanager
async def raw_client(
    guarded: Guarded, body: Any = None, *, head: bytes | None = None
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A client that is a bare socket, after it sent its request."""
    reader, writer = await asyncio.open_connection("127.0.0.1", guarded.port)
    try:
        data = msgspec.json.encode(BODY if body is None else body)
        writer.write(
            (head or b"POST /v1/chat/completions HTTP/1.1\r\nHost: g\r\nContent-Type: application/json\r\n")
            + b"Content-Length: %d\r\n\r\n" % len(data)
            + data
        )
        await writer.drain()
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
