"""The pump under an adverse clock: whatever way reads come, a client gets the same bytes. What it does with faults and
slow clients is in test_relay and tests/fault."""

from __future__ import annotations

import asyncio
import random

import pytest

from tests.proxy.harness import guarding, raw_client
from tests.proxy.scored import Gated, scored_policy
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


@pytest.mark.parametrize("wrong", [True, False], ids=["wrong", "right"])
async def test_a_verdict_that_comes_while_the_client_is_slow(wrong: bool) -> None:
    """What it leads to is told as soon as the client takes it, and the upstream, which is not read, is not blamed."""
    model = Gated()
    model.open.clear()
    go, end = asyncio.Event(), asyncio.Event()

    async def script(request: Seen, conn: Connection) -> None:
        await conn.begin_stream()
        await conn.stream(delta("plain words, which go at once, yes. "))
        await go.wait()
        await conn.stream(delta("This waits for its score.") + delta(None, refusal="No.") + b"data: {\n\n" * wrong)
        await end.wait()
        await conn.stream(delta(None, finish="stop"), DONE)
        await conn.end()

    async with (
        guarding(script, policy=scored_policy(model, deadline=20.0), idle=0.3, keep_alive=0.1) as guarded,
        raw_client(guarded) as (reader, _),
    ):
        await reader.readuntil(b"at once")
        assert guarded.runner.server is not None
        (connection,) = (one for one in guarded.runner.server.connections if one.transport is not None)
        connection.pause_writing()  # as its transport does when it has too much to send
        go.set()
        await until(lambda: len(model.seen) > 0)
        model.open.set()
        (classifier,) = guarded.proxy.classifiers
        await until(lambda: classifier.counters.scored > 0)
        await asyncio.sleep(1.0)
        connection.resume_writing()
        if not wrong:
            end.set()
        rest = await asyncio.wait_for(reader.readuntil(b"[DONE]"), 10)
        assert b"for its score." in rest
        assert b"No." in rest
        assert (b"upstream_malformed" in rest, b"idle_timeout" in rest) == (wrong, False)
