"""What servers do that is odd but no fault: each row of that table in docs/faults.md, over real sockets."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import brotli
import pytest

from tests.proxy.harness import BODY, Answer, Guarded, guarding
from tests.proxy.scripted import (
    DONE,
    Connection,
    Seen,
    answer,
    delta,
    event,
    plays,
    replies,
    response,
)

DOCS = Path(__file__).parents[2] / "docs" / "faults.md"

WHOLE = {
    "id": "chatcmpl-7",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "I like Acme Cola."}, "finish_reason": "stop"}
    ],
}
BOM = b"\xef\xbb\xbf"
MASKED = b"I like [X]."


async def ask(guarded: Guarded, *, streamed: bool = True) -> Answer:
    got = await guarded.ask({**BODY, "stream": streamed})
    record = await guarded.record()
    assert got.status == record.status == 200
    assert (record.outcome, record.fault) == ("complete", "")
    return got


async def json_to_a_request_for_a_stream() -> None:
    body = event(WHOLE)[6:-2]
    async with guarding(replies(response(body))) as guarded:
        got = await ask(guarded)
        assert MASKED in got.body
        assert b"Acme" not in got.body
        assert got.headers["content-type"] == "application/json"


async def a_stream_to_a_request_for_json() -> None:
    async with guarding(plays(*answer("I like Acme", " Cola."))) as guarded:
        got = await ask(guarded, streamed=False)
        assert got.text == MASKED.decode()
        assert got.headers["content-type"] == "text/event-stream"


async def no_content_type() -> None:
    body = event(WHOLE)[6:-2]
    async with guarding(replies(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)) as guarded:
        assert MASKED in (await ask(guarded, streamed=False)).body
    stream = b"".join(answer("I like Acme", " Cola."))
    async with guarding(replies(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(stream) + stream)) as guarded:
        assert (await ask(guarded)).text == MASKED.decode()


async def other_line_ends() -> None:
    plain = b"".join(answer("so ", "far"))
    for odd in (
        plain.replace(b"\n", b"\r\n"),
        plain.replace(b"\n", b"\r"),
        b": hello\n\n" + plain,
        BOM + plain,
        plain[:-2],
        plain.replace(b"data: ", b"data:"),
        plain.replace(b"data: ", b"event: message\nid: 1\ndata: "),
    ):
        async with guarding(plays(odd)) as guarded:
            assert same((await ask(guarded)).body, odd)
        async with guarding(plays(*(odd[i : i + 1] for i in range(len(odd))))) as guarded:
            assert same((await ask(guarded)).body, odd)


def same(body: bytes, sent: bytes) -> bool:
    """Whether the very bytes came, but for the byte order mark and the number of blank lines at the end."""
    return body.removeprefix(BOM).rstrip() == sent.removeprefix(BOM).rstrip()


async def no_done() -> None:
    async with guarding(plays(*answer("so ", "far")[:-1])) as guarded:
        got = await ask(guarded)
        assert got.text == "so far"
        assert got.finish == "stop"
        assert DONE not in got.body


async def after_done() -> None:
    async with guarding(plays(*answer("so far"), delta("forbidden"), DONE)) as guarded:
        got = await ask(guarded)
        assert got.text == "so far"
        assert got.body.endswith(DONE)
        assert got.body.count(DONE) == 1


async def nul_bytes() -> None:
    async with guarding(plays(*answer("a\x00b Acme Cola"))) as guarded:
        assert (await ask(guarded)).text == "a\x00b [X]"


async def compressed() -> None:
    plain = b"".join(answer("I like Acme", " Cola."))
    for name, squeezed in (
        ("gzip", gzip.compress(plain)),
        ("deflate", zlib.compress(plain)),
        ("br", brotli.compress(plain)),
    ):
        raw = response(squeezed, kind="text/event-stream", headers=(f"Content-Encoding: {name}",))
        async with guarding(replies(raw)) as guarded:
            got = await ask(guarded)
            assert got.text == MASKED.decode()
            assert "content-encoding" not in got.headers


async def goes_on_after_done() -> None:
    async def script(request: Seen, conn: Connection) -> None:
        await conn.begin_stream()
        await conn.stream(*answer("so far"))
        await conn.wait_gone()

    async with guarding(script) as guarded:
        assert (await ask(guarded)).text == "so far"
        await guarded.upstream.connections[0].wait_gone()
        assert not (await guarded.record()).upstream_aborted


ROWS: dict[str, Callable[[], Awaitable[None]]] = {
    "JSON to a request for a stream": json_to_a_request_for_a_stream,
    "an event stream to a request for JSON": a_stream_to_a_request_for_json,
    "no `content-type`": no_content_type,
    "CR LF or CR line ends, comments, a byte order mark, no blank line at the end": other_line_ends,
    "no `[DONE]` after a complete answer": no_done,
    "anything after `[DONE]`": after_done,
    "NUL bytes in a text": nul_bytes,
    "an answer compressed although `identity` was asked for": compressed,
    "goes on with its body after `[DONE]`": goes_on_after_done,
}


@pytest.mark.parametrize("row", ROWS)
async def test_oddity(row: str) -> None:
    await ROWS[row]()


def test_every_row_of_the_page_is_tested() -> None:
    table = DOCS.read_text().split("## Odd, but no fault")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (.+?) \|", table, re.MULTILINE)
    assert set(rows) - {"what the upstream does", "---"} == set(ROWS)
