"""A model server that plays a script over a raw socket, for tests: it may send anything, stall, reset, or close.

A script is a coroutine that is given the request and the connection. What it learnt (requests seen, whether the
peer closed) is kept for the test to look at.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n"
    b"X-Request-Id: up-1\r\nOpenAI-Processing-Ms: 7\r\n\r\n"
)


async def until(true: Callable[[], bool], seconds: float = 10) -> None:
    """Wait until something is so. Fails when it is not in `seconds`."""
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.005)


def event(payload: object) -> bytes:
    """One SSE event with a JSON payload, spelt as most servers do."""
    return b"data: " + json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


def delta(text: str | None, index: int = 0, finish: str | None = None, **more: object) -> bytes:
    """One chat chunk with a piece of content."""
    inner: dict[str, object] = {} if text is None else {"content": text}
    inner.update(more)
    return event(
        {
            "id": "chatcmpl-7",
            "object": "chat.completion.chunk",
            "created": 1700000000,
            "model": "m",
            "choices": [{"index": index, "delta": inner, "finish_reason": finish}],
        }
    )


DONE = b"data: [DONE]\n\n"


def answer(*pieces: str) -> list[bytes]:
    """A whole well-formed stream, an item an event."""
    return [delta("", role="assistant"), *map(delta, pieces), delta(None, finish="stop"), DONE]


def chunk(data: bytes) -> bytes:
    """HTTP chunked framing of one piece."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def response(
    body: bytes, *, status: str = "200 OK", kind: str = "application/json", headers: tuple[str, ...] = ()
) -> bytes:
    """A whole answer with a length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@dataclass
class Seen:
    """One request as it came over the wire."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.line.split(" ")[1]


@dataclass
class Connection:
    """One connection of the proxy to the scripted server."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, *pieces: bytes) -> None:
        """Write pieces as one write, and wait until the peer takes them."""
        self.writer.write(b"".join(pieces))
        await self.writer.drain()

    async def begin_stream(self) -> None:
        await self.send(STREAM_HEAD)

    async def stream(self, *events: bytes, apart: bool = False) -> None:
        """Write events as HTTP chunks; `apart`: each in a write of its own."""
        for item in events:
            await self.send(chunk(item))
            if apart:
                await asyncio.sleep(0.005)

    async def end(self) -> None:
        await self.send(b"0\r\n\r\n")

    def reset(self) -> None:
        """Close with a RST."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def wait_gone(self, seconds: float = 10) -> None:
        """Wait until the peer closed. Fails when it has not in `seconds`."""
        async with asyncio.timeout(seconds):
            await self.gone.wait()


Script = Callable[[Seen, Connection], Awaitable[None]]


@dataclass
class ScriptedUpstream:
    """Where it listens, what it saw."""

    port: int
    requests: list[Seen]
    connections: list[Connection]
    script: Script
    tls: bool = False

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    async def until_requests(self, count: int, seconds: float = 10) -> None:
        await until(lambda: len(self.requests) >= count, seconds)


@contextlib.asynccontextmanager
async def scripted(
    script: Script, *, tls: ssl.SSLContext | None = None, port: int = 0
) -> AsyncIterator[ScriptedUpstream]:
    """Run a scripted model server on a free port."""
    up = ScriptedUpstream(0, [], [], script, tls is not None)
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        conn = Connection(reader, writer)
        up.connections.append(conn)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                line, *rest = head.decode("latin-1").split("\r\n")
                headers = {name.lower(): value.strip() for name, _, value in (r.partition(":") for r in rest) if name}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                seen = Seen(line, headers, body)
                up.requests.append(seen)
                watch = asyncio.ensure_future(_watch(reader, conn))
                try:
                    await up.script(seen, conn)
                    if writer.transport.is_closing():
                        break
                finally:
                    if not conn.gone.is_set():
                        watch.cancel()
                        with contextlib.suppress(asyncio.CancelledError):
                            await watch
                if conn.gone.is_set():
                    break
        conn.gone.set()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", port, ssl=tls)
    up.port = server.sockets[0].getsockname()[1]
    try:
        yield up
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _watch(reader: asyncio.StreamReader, conn: Connection) -> None:
    """Notice that the peer closed, without eating the next request of a kept-alive connection."""
    await until(lambda: reader.at_eof() or reader.exception() is not None, 3600)
    conn.gone.set()


def plays(*writes: bytes, end: bool = True) -> Script:
    """A script that streams the given events, each in a write of its own."""

    async def script(request: Seen, conn: Connection) -> None:
        await conn.begin_stream()
        await conn.stream(*writes)
        if end:
            await conn.end()

    return script


def says(*pieces: str) -> Script:
    """A script that answers with one well-formed stream."""
    return plays(*answer(*pieces))


def replies(raw: bytes) -> Script:
    """A script that writes raw bytes and leaves the connection open."""

    async def script(request: Seen, conn: Connection) -> None:
        await conn.send(raw)

    return script
