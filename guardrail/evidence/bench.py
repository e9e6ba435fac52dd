"""What checks ask: a proxy that runs as a process of its own, a simulated model server, and a receiver of messages.

Promises: nothing leaves this machine, but what a policy's remote detector is asked; nothing is left running or on disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
from aiohttp import web

from guardrail.child import child
from guardrail.evidence.samples import SCRIPT
from guardrail.evidence.setting import Setting, prepare
from guardrail.governance.presets import PresetFile
from guardrail.governance.terms import Terms
from guardrail.policy.registry import Snapshot, Tenant, load_snapshot
from guardrail.simulate.server import Pace, create_app

CHAT = "/v1/chat/completions"
PATIENCE = 10.0
"""Seconds in which what is written behind an answer must be seen."""
LOOK = 0.05
"""Seconds between two looks."""
TOKEN_SIZE = 4
DELAY = 0.001
"""Seconds between two tokens of the model: slow enough to be stopped in mid-answer."""


@dataclass(slots=True)
class Answer:
    """What a client got."""

    status: int
    headers: Mapping[str, str]
    text: str = ""
    """Of the model's channel; "" for what is no answer."""
    body: Any = None
    """Of an answer that is not streamed."""
    chunks: list[dict[str, Any]] = field(default_factory=list)
    """Of a stream."""

    @property
    def request_id(self) -> str:
        return self.headers.get("x-guardrail-request-id", "")

    @property
    def generation(self) -> str:
        """The model server's id of the answer."""
        first = self.chunks[0] if self.chunks else self.body
        return str(first.get("id", "")) if isinstance(first, dict) else ""


@dataclass(slots=True)
class Hook:
    """A message to the application."""

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Suspended:
    """Somebody who was shut out."""

    user: str
    case: str
    after: int
    """Requests of misuse."""


@dataclass(slots=True)
class Bench:
    """A proxy that can be asked, and what is known of it."""

    setting: Setting
    snapshot: Snapshot
    tenant: Tenant
    proxy: str
    admin: str
    model: str
    """Base URL of the simulated model server."""
    session: aiohttp.ClientSession
    hooks: list[Hook]
    presets: tuple[PresetFile, ...]
    """Those of the configuration, and the one that is tried."""
    people: int = 0
    suspended: Suspended | None = None
    """Whom the checks of conduct had shut out; it takes many requests."""

    @property
    def terms(self) -> Terms:
        return self.tenant.terms

    @property
    def folder(self) -> Path:
        """Where the configuration and the state are."""
        return self.setting.path.parent

    def somebody(self) -> str:
        """The id of an end user who was not there before."""
        self.people += 1
        return f"person-{self.people}-{os.getpid()}"

    def claims(self, user: str, **said: Any) -> dict[str, str]:
        """The header with a signed claim about an end user."""
        import jwt

        now = int(time.time())
        whole = {"sub": user, "iat": now, "exp": now + 300, **said}
        return {"x-guardrail-claims": jwt.encode(whole, self.setting.claims_secret, algorithm="HS256")}

    async def ask(
        self,
        prompt: str,
        *,
        user: str | None = None,
        stream: bool = True,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> Answer:
        """Ask the model through the proxy. `more`: fields of the request."""
        body = {"model": "sim", "stream": stream, "messages": [{"role": "user", "content": prompt}], **more}
        if user is not None:
            body["user"] = user
        sent = {"authorization": f"Bearer {self.setting.key}", **(headers or {})}
        async with self.session.post(f"{self.proxy}{CHAT}", json=body, headers=sent) as response:
            answer = Answer(response.status, response.headers)
            if response.content_type == "text/event-stream":
                async for line in response.content:
                    if line.startswith(b"data: {"):
                        answer.chunks.append(json.loads(line[6:]))
                answer.text = "".join(
                    choice.get("delta", {}).get("content") or ""
                    for chunk in answer.chunks
                    for choice in chunk.get("choices", ())
                )
            else:
                answer.body = await response.json(content_type=None)
                for choice in answer.body.get("choices", ()) if isinstance(answer.body, dict) else ():
                    answer.text += choice.get("message", {}).get("content") or ""
            return answer

    async def call(
        self, method: str, path: str, body: Any = None, *, key: bool = True, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Ask guardrail itself, as a client does; with the tenant's key, or without one."""
        sent = {"authorization": f"Bearer {self.setting.key}"} if key else {}
        async with self.session.request(
            method, f"{self.proxy}{path}", json=body, headers={**sent, **(headers or {})}
        ) as response:
            return Answer(response.status, response.headers, body=await response.json(content_type=None))

    async def operate(self, *arguments: str) -> tuple[int, str]:
        """Run a guardrail command as the operator: its exit status, and what it printed."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "guardrail", *arguments),
            env={**os.environ, **self.setting.environ, "GUARDRAIL_CONFIG": str(self.setting.path)},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        out, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, out.decode(errors="replace")

    async def record(self, request_id: str) -> dict[str, Any]:
        """The record of a request."""
        headers = {"authorization": f"Bearer {self.setting.token}"}
        async with self.session.get(f"{self.admin}/records?id={request_id}", headers=headers) as response:
            records: list[dict[str, Any]] = (await response.json())["records"]
            return records[0] if records else {}

    async def generation(self, id: str) -> dict[str, Any]:
        """How far the model server came with an answer, after it has ended."""

        async def ended() -> dict[str, Any] | None:
            async with self.session.get(f"{self.model}/simulate/stats") as response:
                stats = (await response.json())["generations"]
            return next((each for each in stats if each["id"] == id and each["state"] != "running"), None)

        return await self.until(ended) or {}

    async def until(self, look: Callable[[], Awaitable[Any]]) -> Any:
        """What `look` finds, looking again for a while; None when it never finds anything."""
        deadline = time.monotonic() + PATIENCE
        while True:
            found = await look()
            if found or time.monotonic() > deadline:
                return found or None
            await asyncio.sleep(LOOK)


@contextlib.asynccontextmanager
async def bench(
    config: Path | None, preset: PresetFile, named: str, *, tenant: str | None = None
) -> AsyncIterator[Bench]:
    """Start everything, and stop it on the way out. `named`: the preset as `guardrail.yaml` would name it.

    Raises ConfigError, ChildError."""
    hooks: list[Hook] = []
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="guardrail-evidence-")))
        model = await stack.enter_async_context(_serving(create_app(SCRIPT, Pace(TOKEN_SIZE, DELAY))))
        receiver = await stack.enter_async_context(_serving(_receiver(hooks)))
        setting = prepare(
            config, named, tenant=tenant, folder=folder / "trial", upstream=model, hook=f"{receiver}/hook"
        )
        snapshot = load_snapshot(setting.path, environ={**os.environ, **setting.environ})
        started = await stack.enter_async_context(
            child("guardrail serve", ["serve", "--config", str(setting.path)], urls=2, environ=setting.environ)
        )
        session = await stack.enter_async_context(aiohttp.ClientSession())
        (served,) = snapshot.tenants.values()
        presets = tuple({**snapshot.presets, preset.preset: preset}.values())
        yield Bench(setting, snapshot, served, started.urls[0], started.urls[1], model, session, hooks, presets)


def _receiver(hooks: list[Hook]) -> web.Application:
    async def take(request: web.Request) -> web.Response:
        hooks.append(Hook(request.headers, await request.read()))
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post("/hook", take)
    return app


@contextlib.asynccontextmanager
async def _serving(app: web.Application) -> AsyncIterator[str]:
    """The base URL of an application on a free port of this machine."""
    runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
