"""The pump under an adverse clock: whatever way reads come, a client gets the same bytes. What it does with faults and
slow clients is in test_relay and tests/fault."""

from __future__ import annotations

import asyncio
import random

import pytest

from tests.proxy.harness import guarding, raw_client
from tests.proxy.scripted import DONE, Connection, Script, Seen, answer, chunk, delta, until

EVENTS = b"".join(answer("The ", "first ", "Acme", " Cola, ", "then ", "你好", " and ", "more."))
TEXT = "The first [X], then 你好 and more."


def cut(raw: bytes, seed: int) -> list[bytes]:
    """`raw` in pieces of random length."""
    chance = random.Random(seed)
    pieces, at = [], 0
    while at < len(raw):
        size = chance.choice((1, 2, 7, 40, 150, 900))
        pieces.append(raw[at : at + size])
        at += size
    return pieces


def writes(pieces: list[bytes], framed: bool) -> Script:
    """A script that writes pieces apart; `framed`: each an HTTP chunk, else cuts of one chunked body."""

    async def script(request: Seen, conn: Connection) -> None:
        await conn.begin_stream()
        for piece in pieces:
            await (conn.stream(piece) if framed else conn.send(piece))
            await asyncio.sleep(0.001)
        if framed:
            await conn.end()

    return script


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("framed", [True, False])
async def test_reads_of_any_size(seed: int, framed: bool) -> None:
    raw = EVENTS if framed else chunk(EVENTS[:700]) + chunk(EVENTS[700:]) + b"0\r\n\r\n"
    async with guarding(writes(cut(raw, seed), framed)) as guarded:
        got = await guarded.ask()
        assert (got.text, got.finish, got.events[-1]) == (TEXT, "stop", "[DONE]")
        assert (await guarded.ask()).body == got.body


async def test_a_client_that_reads_slowly_gets_all_of_it() -> None:
    words = [delta(f"word{n} " * 20) for n in range(5000)]

    async def script(request: Seen, conn: Connection) -> None:
        await conn.begin_stream()
        await conn.stream(*words, delta(None, finish="stop"), DONE)
        await conn.end()

    async with guarding(script) as guarded, raw_client(guarded) as (reader, _):
        got = bytearray()
        while not got.endswith(b"0\r\n\r\n"):
            got += await reader.read(100_000)
            await asyncio.sleep(0.002)
        assert all(word[6:-2] in got for word in words[::100])
        await until(lambda: guarded.proxy.admission.in_flight == 0)
        assert (await guarded.record()).outcome == "complete"
