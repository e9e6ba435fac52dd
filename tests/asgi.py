"""An ASGI server and client in one, as plain as they come: one request, and what its client gets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from guardrail.asgi import GuardrailMiddleware
from guardrail.asgi_exchange import App, Message, Receive, Scope, Send
from tests.wire.chat import Reply, read

CHAT = "/v1/chat/completions"
ASK: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "stream": True}


@dataclass
class Got:
    """What the client has."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    pieces: list[bytes] = field(default_factory=list)
    ended: bool = False

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def reply(self) -> Reply:
        return read(self.body)


class Client:
    """One request to an application. The client leaves when `gone` is set."""

    def __init__(self, path: str = CHAT, body: Any = None, method: str = "POST", **scope: Any) -> None:
        self.gone = asyncio.Event()
        self.got = Got()
        raw = body if isinstance(body, bytes) else json.dumps(ASK if body is None else body).encode()
        self._pieces = [raw[:7], raw[7:]]
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(raw))]
        self.scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "server": ("test", 80),
            "client": ("test", 1),
            "headers": [*headers, (b"accept-encoding", b"gzip"), *scope.pop("headers", ())],
            "extensions": {"http.response.pathsend": {}, "tls": {}},
            **scope,
        }

    async def ask(self, app: App) -> Got:
        async with asyncio.timeout(20):
            await app(self.scope, self.receive, self.send)
        return self.got

    async def receive(self) -> Message:
        if self._pieces:
            return {"type": "http.request", "body": self._pieces.pop(0), "more_body": bool(self._pieces)}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if self.gone.is_set():
            raise OSError("the client has left")
        assert not self.got.ended, "something after the end"
        if message["type"] == "http.response.start":
            assert self.got.status == 0
            self.got.status = message["status"]
            for name, value in message["headers"]:
                assert name.decode() not in self.got.headers
                self.got.headers[name.decode()] = value.decode()
        else:
            assert self.got.status
            self.got.pieces.append(message["body"])
            self.got.ended = not message["more_body"]


class Says:
    """An application that answers with these pieces, and knows what became of it."""

    def __init__(
        self,
        *pieces: bytes,
        status: int = 200,
        kind: str = "text/event-stream",
        headers: Mapping[str, str] | None = None,
        error: Exception | None = None,
    ) -> None:
        self.pieces = pieces
        self.status = status
        self.headers = {"content-type": kind, **(headers or {})}
        self.error = error
        self.scope: Scope = {}
        self.asked = b""
        self.sent = 0
        self.raised: BaseException | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        more = True
        while more:
            message = await receive()
            self.asked += message["body"]
            more = message["more_body"]
        headers = [(name.encode(), value.encode()) for name, value in self.headers.items() if value]
        try:
            await send({"type": "http.response.start", "status": self.status, "headers": headers})
            for piece in self.pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                self.sent += 1
            if self.error is not None:
                raise self.error
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except BaseException as error:
            self.raised = error
            raise


async def asked(app: App, policy: Any, *, path: str = CHAT, body: Any = None, **settings: Any) -> Got:
    """What a client gets that asks the guarded application."""
    return await Client(path, body).ask(GuardrailMiddleware(app, policy, **settings))
