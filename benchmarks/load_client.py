"""The client of the benchmarks: a raw protocol that keeps what it reads, with the time, for a later look."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import cast

TIMEOUT = 120.0
"""Seconds for all the streams of one call."""


@dataclass(slots=True)
class Received:
    """One response as it came: blocks and the time of each, by the clock that all processes share."""

    blocks: list[bytes] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    def body(self) -> bytes:
        """The payload without HTTP's framing. Raises RuntimeError for anything but a whole 200 response."""
        return b"".join(payload for payload, _ in self.chunks())

    def chunks(self) -> list[tuple[bytes, float]]:
        """The HTTP chunks, each one write of the server, with the time when its last byte was there."""
        data = b"".join(self.blocks)
        head, _, rest = data.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200") or b"chunked" not in head.lower():
            raise RuntimeError(f"unexpected answer: {data[:2000].decode(errors='replace')}")
        found: list[tuple[bytes, float]] = []
        at, block, reached = len(data) - len(rest), 0, len(self.blocks[0])
        while True:
            line = data.index(b"\r\n", at)
            size = int(data[at:line], 16)
            if not size:
                return found
            at = line + 2 + size + 2
            while reached < at:
                block += 1
                reached += len(self.blocks[block])
            found.append((data[line + 2 : at - 2], self.times[block]))

    def event_times(self) -> list[float]:
        """When the last byte of each event was there."""
        times, before = [], b""
        for payload, when in self.chunks():
            times += [when] * ((before + payload).count(b"\n\n"))
            before = payload[-1:] if not payload.endswith(b"\n\n") else b""
        return times


class _Client(asyncio.Protocol):
    def __init__(self, request: bytes, done: asyncio.Future[None], until: bytes) -> None:
        self.received = Received()
        self.begun = asyncio.Event()
        self._request = request
        self._done = done
        self._until = until
        self._tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(asyncio.Transport, transport).write(self._request)

    def data_received(self, data: bytes) -> None:
        self.begun.set()
        self.received.blocks.append(data)
        self.received.times.append(time.monotonic())
        self._tail = (self._tail + data)[-len(self._until) :]
        if self._tail == self._until and not self._done.done():
            self._done.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        if not self._done.done():
            last = b"".join(self.received.blocks[-1:])[-200:]
            self._done.set_exception(RuntimeError(f"the connection closed early, after {last!r}"))


def request(path: str, model: str) -> bytes:
    fields = {"model": model, "stream": True, "messages": [{"role": "user", "content": "Go on, please."}]}
    body = json.dumps(fields).encode()
    head = f"POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


class Stream:
    """One request on a connection of its own."""

    def __init__(self, transport: asyncio.Transport, client: _Client, done: asyncio.Future[None]) -> None:
        self._transport = transport
        self._client = client
        self._done = done

    @classmethod
    async def open(cls, port: int, model: str, until: bytes = b"\r\n0\r\n\r\n") -> Stream:
        """Send a request; the response counts as complete when its bytes end in `until`."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        asked = request("/v1/chat/completions", model)
        transport, client = await loop.create_connection(lambda: _Client(asked, done, until), "127.0.0.1", port)
        return cls(transport, client, done)

    async def received(self) -> Received:
        await asyncio.wait_for(self._done, TIMEOUT)
        return self._client.received

    async def begun(self) -> None:
        """Wait for the first byte. Raises TimeoutError."""
        async with asyncio.timeout(TIMEOUT):
            await self._client.begun.wait()

    def close(self) -> None:
        self._done.cancel()
        self._transport.abort()


async def run(port: int, models: list[str]) -> list[Received]:
    """Open one stream for each model name, all at once; return what each received when all are complete."""
    streams = await asyncio.gather(*(Stream.open(port, model) for model in models))
    try:
        return await asyncio.gather(*(stream.received() for stream in streams))
    finally:
        for stream in streams:
            stream.close()


async def get_json(port: int, path: str) -> dict[str, list[float]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nhost: bench\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    body: dict[str, list[float]] = json.loads(await reader.readexactly(length))
    writer.close()
    return body
