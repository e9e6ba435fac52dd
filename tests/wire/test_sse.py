"""Framing: whatever the line ends and cuts, the same events, byte for byte."""

from __future__ import annotations

import itertools
import random

import pytest

from guardrail.errors import WireError
from guardrail.wire.sse import EventFramer, data_event, parse_event, split_events


def frames(stream: bytes, cuts: list[int], cap: int = 1000) -> tuple[list[bytes], bytes]:
    framer = EventFramer(cap)
    events: list[bytes] = []
    edges = [0, *cuts, len(stream)]
    for start, end in itertools.pairwise(edges):
        events += split_events(framer.push(stream[start:end]))
    return events, framer.rest()


STREAMS = [
    ("LF", b"data: a\n\ndata: b\n\n"),
    ("CRLF", b"data: a\r\n\r\ndata: b\r\n\r\n"),
    ("CR", b"data: a\r\rdata: b\r\r"),
    ("mixed", b"data: a\r\n\ndata: b\n\r\ndata: c\n\rdata: d\r\n\r\n"),
    ("blank lines between", b"\n\n\ndata: a\n\n\n\n\ndata: b\n\n"),
    ("several data lines", b"data: a\ndata: b\n\ndata:c\n\n"),
    ("comments", b": ping\n\n:\ndata: a\n: in between\n\n"),
    ("BOM", b"\xef\xbb\xbfdata: a\n\n"),
    ("no blank line at the end", b"data: a\n\ndata: b\n"),
    ("UTF-8", "data: 你好\n\ndata: 😀\n\n".encode()),
]


@pytest.mark.parametrize("stream", [s for _, s in STREAMS], ids=[n for n, _ in STREAMS])
def test_every_cut_gives_the_same_events(stream: bytes) -> None:
    def said(events: list[bytes]) -> list[tuple[bytes, bytes]]:
        parsed = [parse_event(raw) for raw in events]
        return [(e.name, e.data) for e in parsed if e.data is not None]

    whole, _ = frames(stream, [])
    rng = random.Random(1)
    cuttings = [list(range(1, len(stream)))] + [
        sorted(rng.sample(range(1, len(stream)), k=min(4, len(stream) - 1))) for _ in range(50)
    ]
    for cuts in cuttings:
        events, rest = frames(stream, cuts)
        assert b"".join(events) + rest == stream
        assert said(events) == said(whole)


def test_events_keep_their_bytes() -> None:
    assert frames(b": hi\r\n\r\ndata: a\ndata: b\n\nid: 1\rdata: c\r\r", []) == (
        [b": hi\r\n\r\n", b"data: a\ndata: b\n\n", b"id: 1\rdata: c\r\r"],
        b"",
    )


def test_a_line_that_never_ends_is_capped() -> None:
    framer = EventFramer(1000)
    assert framer.push(b"data: " + b"x" * 900) == b""
    with pytest.raises(WireError, match="1000 bytes"):
        framer.push(b"x" * 100)


def test_the_cap_is_on_each_event_however_it_comes() -> None:
    stream = b"data: x\n\n" * 1000
    events, rest = frames(stream, [4501], cap=10)
    assert (len(events), rest) == (1000, b"")
    long = b"data: x\n\ndata: xxxxxx\n\n"
    for cuts in [], [15], [20], list(range(1, len(long))):
        with pytest.raises(WireError):
            frames(long, cuts, cap=10)


@pytest.mark.parametrize(
    ("raw", "data", "name", "passed"),
    [
        (b"data: x\n\n", b"x", b"", b"data: x\n\n"),
        (b"data:x\n\n", b"x", b"", b"data:x\n\n"),
        (b"data:  x\n\n", b" x", b"", b"data:  x\n\n"),
        (b"data\n\n", b"", b"", b"data\n\n"),
        (b"data: a\rdata: b\r\r", b"a\nb", b"", b"data: a\rdata: b\r\r"),
        (b"event: error\ndata: x\n\n", b"x", b"error", b"event: error\ndata: x\n\n"),
        (b"\xef\xbb\xbfdata: x\n\n", b"x", b"", b"data: x\n\n"),
        (b": ping\n\n", None, b"", b": ping\n\n"),
        (b"\n\n", None, b"", b"\n\n"),
        (b"retry: 10\n\n", None, b"", b"retry: 10\n\n"),
        (b"<html>\ndata: x\n\n", b"x", b"", b"data: x\n\n"),
        (b"<html>\n\n", None, b"", b""),
        (b": " + b"x" * 63 + b"\ndata: x\n\n", b"x", b"", b"data: x\n\n"),
        (b"event: " + b"x" * 65 + b"\ndata: x\n\n", b"x", b"", b"data: x\n\n"),
    ],
)
def test_what_an_event_says(raw: bytes, data: bytes | None, name: bytes, passed: bytes) -> None:
    event = parse_event(raw)
    assert (event.data, event.name, event.raw) == (data, name, passed)
    assert event.blocked == (passed != raw.removeprefix(b"\xef\xbb\xbf"))


def test_rewritten_data_keeps_the_other_fields() -> None:
    event = parse_event(b"id: 7\nevent: x\ndata: a\n\n")
    assert data_event(b"b", event.head) == b"id: 7\nevent: x\ndata: b\n\n"
