"""The model server of the benchmarks: a raw protocol that writes ready-made bytes, to cost next to nothing.

`python -m benchmarks.load_upstream`. The request's model says what to do, as MODE-TEXT-STREAM:
- `unpaced`: everything at once, as fast as the peer takes it;
- `paced`, `slow`: one event each PERIODS, the time of each kept for `GET /times`;
- `half`: half of the events, then silence until the peer goes.
TEXT is a number, of tokens of English and Chinese mixed, or a language: the stream gets one of its answers.
Every event is an HTTP chunk of its own, as the usual Python model servers send it.
"""

from __future__ import annotations

import asyncio
import functools
import json
import re
import time
from collections.abc import Sequence
from typing import Final, cast

import uvloop

from benchmarks.material import Traffic, answer_tokens, mixed_tokens

PERIODS: Final = {b"paced": 0.020, b"slow": 1 / 30}
"""Seconds between two events of a stream: 50 and 30 tokens per second."""
HEAD: Final = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n"
END: Final = b"0\r\n\r\n"
MODEL: Final = re.compile(rb'"model": ?"(unpaced|paced|slow|half)-(\d+|english|chinese)-(\d+)"')


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


def answer(tokens: Sequence[str]) -> tuple[bytes, ...]:
    """The events of one answer: a first one with the role, one for each token, the finish, and `[DONE]`."""
    middle = (event(choice({"content": token})) for token in tokens)
    first = event(choice({"role": "assistant", "content": ""}))
    return (first, *middle, event(choice({}, "stop")), b"data: [DONE]\n\n")


@functools.cache
def events(tokens: int) -> tuple[bytes, ...]:
    """The events of an answer of so many mixed tokens."""
    return answer(mixed_tokens(tokens))


@functools.cache
def frames(text: str, stream: int) -> tuple[bytes, ...]:
    made = events(int(text)) if text.isdigit() else answer(answer_tokens(cast(Traffic, text), stream))
    return tuple(b"%x\r\n%b\r\n" % (len(e), e) for e in made)


@functools.cache
def whole(text: str, stream: int) -> bytes:
    return HEAD + b"".join(frames(text, stream)) + END


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
        mode, text, stream = found[1], found[2].decode(), int(found[3])
        # Of the mixed tokens all streams get the same.
        made = 0 if text.isdigit() else stream
        if mode == b"unpaced":
            self._transport.write(whole(text, made))
        elif mode == b"half":
            queue = frames(text, made)
            self._transport.write(HEAD + b"".join(queue[: len(queue) // 2]))
        else:
            self._transport.write(HEAD)
            self.sent[stream] = []
            # Streams begin in step with their number, so that their events spread over the period.
            period = PERIODS[mode]
            start = asyncio.get_running_loop().time() + period * (stream % 97) / 97
            self._tick(frames(text, made), self.sent[stream], start, period, 0)

    def _tick(self, queue: tuple[bytes, ...], sent: list[float], start: float, period: float, number: int) -> None:
        if number:
            frame = queue[number - 1]
            sent.append(time.monotonic())
            self._transport.write(frame if number < len(queue) else frame + END)
        if number < len(queue):
            due = start + period * number
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(due, self._tick, queue, sent, start, period, number + 1)


async def serve() -> None:
    server = await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", 0, backlog=4096)
    print(f"load upstream on http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve())
