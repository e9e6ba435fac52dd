"""The tap: every read is heard, and the connection is given back as it was."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from guardrail.proxy.tap import ReadTap
from tests.proxy.scripted import Connection, Seen, response, scripted, until


async def test_each_read_is_heard_and_the_connection_serves_the_next_request() -> None:
    async def script(request: Seen, conn: Connection) -> None:
        await conn.begin_stream()
        for piece in (b"one", b"two", b"three"):
            await conn.stream(piece)
            await asyncio.sleep(0.02)
        await conn.end()

    async with scripted(script) as server, aiohttp.ClientSession() as session:
        for _ in range(3):
            heard: list[bytes] = []
            answer = await session.get(server.url)
            tap = ReadTap(answer, lambda: heard.append(answer.content.read_nowait()))  # noqa: B023
            heard.append(answer.content.read_nowait())
            await until(answer.content.is_eof)
            tap.remove()
            tap.remove()
            assert [one for one in heard if one] == [b"one", b"two", b"three"]
        assert len(server.connections) == 1


async def test_a_reader_that_does_not_read_still_pauses_the_upstream() -> None:
    sent = 0

    async def script(request: Seen, conn: Connection) -> None:
        nonlocal sent
        await conn.begin_stream()
        while not conn.gone.is_set() and sent < 64 << 20:
            await conn.stream(b"x" * 10_000)
            sent += 10_000
        await conn.end()

    async with scripted(script) as server, aiohttp.ClientSession(read_bufsize=1 << 16) as session:
        answer = await session.get(server.url)
        tap = ReadTap(answer, lambda: None)
        before = -1
        while before != sent:
            before = sent
            await asyncio.sleep(0.2)
        assert sent < 32 << 20
        got = 0
        while not answer.content.at_eof():  # and taking it goes on
            got += len(answer.content.read_nowait())
            await asyncio.sleep(0)
        assert got == sent >= 64 << 20
        tap.remove()


async def test_a_connection_that_breaks_is_heard() -> None:
    async def script(request: Seen, conn: Connection) -> None:
        await conn.begin_stream()
        await conn.stream(b"one")
        await asyncio.sleep(0.02)
        conn.reset()

    async with scripted(script) as server, aiohttp.ClientSession() as session:
        answer = await session.get(server.url)
        ended = asyncio.Event()

        def heard() -> None:
            try:
                answer.content.read_nowait()
            except aiohttp.ClientError:
                ended.set()

        tap = ReadTap(answer, heard)
        async with asyncio.timeout(10):
            await ended.wait()
        tap.remove()


async def test_an_answer_that_is_here_already_needs_no_tap() -> None:
    async def script(request: Seen, conn: Connection) -> None:
        await conn.send(response(b"all of it"))

    async with scripted(script) as server, aiohttp.ClientSession() as session:
        answer = await session.get(server.url)
        await until(answer.content.is_eof)
        tap = ReadTap(answer, lambda: pytest.fail("there is nothing to hear"))
        assert answer.content.read_nowait() == b"all of it"
        tap.remove()


@pytest.mark.parametrize("size", [3, 300_000], ids=["short", "longer than the buffer"])
async def test_a_connection_whose_answer_is_complete_is_let_go_before_all_is_read(size: int) -> None:
    async def script(request: Seen, conn: Connection) -> None:
        await conn.begin_stream()
        for _ in range(2):
            await asyncio.sleep(0.05)
            await conn.stream(b"x" * size)
        await conn.end()

    async with scripted(script) as server, aiohttp.ClientSession() as session:
        first = await session.get(server.url)
        slow = ReadTap(first, lambda: None)
        got = 0
        while not first.content.is_eof():  # until the end is here; the last of it stays unread
            await asyncio.sleep(0.01)
            if size > 3 and not first.content.is_eof():
                got += len(first.content.read_nowait())
        second = await session.get(server.url)
        heard: list[bytes] = []
        tap = ReadTap(second, lambda: heard.append(second.content.read_nowait()))
        slow.remove()
        got += len(first.content.read_nowait())
        await until(lambda: sum(map(len, heard)) == 2 * size)
        tap.remove()
        assert got == 2 * size
        assert len(server.connections) == 1


async def test_a_connection_whose_end_comes_out_of_the_parser_is_let_go_too() -> None:
    """A pause stops the parser in the middle of a read; the rest of that read, and the end in it, come as the reader
    takes what is there."""

    async def script(request: Seen, conn: Connection) -> None:
        await conn.begin_stream()
        await asyncio.sleep(0.05)
        await conn.send(b"7d0\r\n" + b"x" * 2000 + b"\r\n3\r\nend\r\n0\r\n\r\n")

    async with scripted(script) as server, aiohttp.ClientSession(read_bufsize=100) as session:
        first = await session.get(server.url)
        slow = ReadTap(first, lambda: None)
        await until(lambda: first.content.total_bytes == 2000)
        assert not first.content.is_eof()
        assert first.content.read_nowait() == b"x" * 2000
        assert first.content.is_eof()
        second = await session.get(server.url)
        heard = 0

        def listen() -> None:
            nonlocal heard
            heard += len(second.content.read_nowait())

        tap = ReadTap(second, listen)
        slow.remove()
        await until(lambda: heard >= 2000)
        tap.remove()
        assert first.content.read_nowait() == b"end"
        assert len(server.connections) == 1
