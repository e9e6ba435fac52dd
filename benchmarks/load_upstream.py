"""The model server of the benchmarks: a raw protocol that writes ready-made bytes, to cost next to nothing.

`python -m benchmarks.load_upstream`. The request's model says what to do, as MODE-TOKENS-STREAM:
- `unpaced`: everything at once, as fast as the peer takes it;
- `paced`: one event each PERIOD, the time of each kept for `GET /times`;
- `half`: half of the events, then silence until the peer goes.
Every event is an HTTP chunk of its own, as the usual Python model servers send it.
"""

from __future__ import annotations

import asyncio
import functools
import json
import re
import time
from typing import Final, cast

import uvloop

from benchmarks.material import mixed_tokens

PERIOD: Final = 0.020
"""Seconds between two events of a paced stream: 50 tokens per second."""
HEAD: Final = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n"
END: Final = b"0\r\n\r\n"
MODEL: Final = re.compile(rb'"model": ?"(unpaced|paced|half)-(\d+)-(\d+)"')


def event(choices: list[dict[str, object]]) -> bytes:
    chunk = {
        "id": "chatcmpl-0123456789abcdef01234567",
        "object": "chat.completion.chunk",
        "created": 1700000000,
        "model": "bench",
        "system_fingerprint": "fp_bench",
        "choices": choices,
    }
    return b"data: " + json.dumps(chunk, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


def choice(delta: dict[str, str], reason: str | None = None) -> list[dict[str, object]]:
    return [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}]


@functools.cache
def events(tokens: int) -> tuple[bytes, ...]:
    """The events of one answer: a first one with the role, one for each token, the finish, and `[DONE]`."""
    middle = (event(choice({"content": token})) for token in mixed_tokens(tokens))
    first = event(choice({"role": "assistant", "content": ""}))
    return (first, *middle, event(choice({}, "stop")), b"data: [DONE]\n\n")


@functools.cache
def frames(tokens: int) -> tuple[bytes, ...]:
    return tuple(b"%x\r\n%b\r\n" % (len(e), e) for e in events(tokens))


@functools.cache
def whole(tokens: int) -> bytes:
    return HEAD + b"".join(frames(tokens)) + END


class Upstream(asyncio.Protocol):
    """One connection; requests come one after the other, each with a content-length."""

    sent: dict[int, list[float]] = {}  # noqa: RUF012 - of all connections: stream number -> time of each event

    def __init__(self) -> None:
        self._received = b""
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, blank, body = self._received.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        if not blank or len(body) < (int(length[1]) if length else 0):
            return
        self._received = b""
        if head.startswith(b"GET /times"):
            answer = json.dumps(self.sent).encode()
            self.sent.clear()
            self._transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(answer), answer))
            return
        found = MODEL.search(body)
        assert found is not None, body
        mode, tokens, stream = found[1], int(found[2]), int(found[3])
        if mode == b"unpaced":
            self._transport.write(whole(tokens))
        elif mode == b"half":
            self._transport.write(HEAD + b"".join(frames(tokens)[: tokens // 2]))
        else:
            self._transport.write(HEAD)
            self.sent[stream] = []
            # Streams begin in step with their number, so that their events spread over the period.
            start = asyncio.get_running_loop().time() + PERIOD * (stream % 97) / 97
            self._tick(frames(tokens), self.sent[stream], start, 0)

    def _tick(self, queue: tuple[bytes, ...], sent: list[float], start: float, number: int) -> None:
        if number:
            frame = queue[number - 1]
            sent.append(time.monotonic())
            self._transport.write(frame if number < len(queue) else frame + END)
        if number < len(queue):
            due = start + PERIOD * number
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(due, self._tick, queue, sent, start, number + 1)


async def serve() -> None:
    server = await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", 0, backlog=4096)
    print(f"load upstream on http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve())
