"""A worker by itself: it is told what to do on its command line, and ends with its standard input."""

from __future__ import annotations

import asyncio
import stat
import sys
from pathlib import Path

import aiohttp
import msgspec

from guardrail.proxy.supervisor import WorkerOptions
from guardrail.settings import Listen
from tests.proxy.program import configure
from tests.proxy.scripted import until


async def test_it_serves_its_operator_on_a_private_socket_until_its_input_closes(tmp_path: Path) -> None:
    main = configure(tmp_path, "http://127.0.0.1:1")
    options = WorkerOptions(listen=Listen(port=0), config=str(main))
    socket = tmp_path / "w.sock"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "guardrail.proxy.worker",
        msgspec.json.encode(options).decode(),
        str(socket),
        stdin=asyncio.subprocess.PIPE,
    )
    try:
        await until(socket.exists, 30)
        assert stat.S_IMODE(socket.stat().st_mode) & 0o077 == 0
        connector = aiohttp.UnixConnector(str(socket))
        async with aiohttp.ClientSession(connector=connector) as session, session.get("http://w/healthz") as got:
            assert got.status == 200
        assert process.stdin is not None
        process.stdin.close()
        async with asyncio.timeout(30):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_it_says_why_it_cannot_start(tmp_path: Path) -> None:
    options = WorkerOptions(listen=Listen(port=0), config=str(tmp_path / "missing.yaml"))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "guardrail.proxy.worker",
        msgspec.json.encode(options).decode(),
        str(tmp_path / "w.sock"),
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await process.communicate()
    assert process.returncode == 1
    assert b"missing.yaml" in errors
