"""`guardrail serve` as a program of its own, for tests: a folder of configuration, a process, its addresses."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from tests.proxy.harness import BODY, Answer
from tests.proxy.scripted import until

TOKEN = "operator"

MAIN = """\
version: 1
listen: {{port: 0{tls}}}
admin: {{port: 0}}
upstreams:
  default: {{url: "{url}", retries: 0}}
anonymous: {{policy: default}}
limits: {{drain: {drain}}}
"""

POLICY = """\
policy: default
rules:
  - id: word
    keywords: [{word}]
    action: replace
    with: "[X]"
    category: brand
    examples: {{hit: ["a {word}"], miss: ["nothing"]}}
"""


def configure(folder: Path, url: str, *, word: str = "Acme Cola", drain: float = 30, tls: str = "") -> Path:
    """Write a configuration; returns the path of its main file."""
    (folder / "policies").mkdir(parents=True, exist_ok=True)
    (folder / "tenants").mkdir(exist_ok=True)
    main = folder / "guardrail.yaml"
    main.write_text(MAIN.format(url=url, drain=drain, tls=tls))
    write_policy(folder, word)
    return main


def write_policy(folder: Path, word: str) -> None:
    (folder / "policies" / "default.yaml").write_text(POLICY.format(word=word))


@dataclass
class Program:
    """A running `guardrail serve`."""

    process: asyncio.subprocess.Process
    url: str
    admin: str
    errors: list[str] = field(default_factory=list)
    """Lines of standard error."""
    output: list[str] = field(default_factory=list)
    """Lines of standard output: the records."""

    async def ask(self, body: Any = None, *, ssl: Any = True) -> Answer:
        """One chat request, read to its end, on a connection of its own."""
        async with asyncio.timeout(30), aiohttp.ClientSession() as session:
            data = msgspec.json.encode(BODY if body is None else body)
            async with session.post(self.url + "/v1/chat/completions", data=data, ssl=ssl) as got:
                return Answer(got.status, got.headers, await got.read())

    async def operator(self, path: str) -> Answer:
        """One request of the operator."""
        sent = {"Authorization": f"Bearer {TOKEN}"}
        async with aiohttp.ClientSession(headers=sent) as session, session.get(self.admin + path) as got:
            return Answer(got.status, got.headers, await got.read())

    async def json(self, path: str) -> Any:
        return msgspec.json.decode((await self.operator(path)).body)

    async def until(self, true: Callable[[], Awaitable[bool]], seconds: float = 30) -> None:
        """Ask until the answer is yes."""
        async with asyncio.timeout(seconds):
            while not await true():
                await asyncio.sleep(0.05)

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def status(self, seconds: float = 30) -> int:
        """The exit status, once it has ended."""
        async with asyncio.timeout(seconds):
            return await self.process.wait()

    async def said(self, text: str) -> str:
        """The first line of standard error that holds `text`, once there is one."""
        await until(lambda: any(text in line for line in self.errors), 30)
        return next(line for line in self.errors if text in line)


@contextlib.asynccontextmanager
async def program(*arguments: str, environ: Mapping[str, str] | None = None) -> AsyncIterator[Program]:
    """Run `guardrail serve` with `arguments`; killed at the end if it still runs."""
    process = await start(*arguments, environ=environ)
    running = Program(process, "", "")
    reading = [
        asyncio.create_task(_keep(process.stderr, running.errors)),
        asyncio.create_task(_keep(process.stdout, running.output)),
    ]
    try:
        line = await running.said("listening on")
        found = re.search(r"listening on (\S+) \(admin on (\S+)\)", line)
        assert found is not None
        running.url, running.admin = found.groups()
        yield running
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        await asyncio.gather(*reading)


async def start(*arguments: str, environ: Mapping[str, str] | None = None) -> asyncio.subprocess.Process:
    """Start `guardrail serve` without waiting for anything."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "guardrail",
        "serve",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "GUARDRAIL_ADMIN_TOKEN": TOKEN, **(environ or {})},
    )


async def _keep(pipe: asyncio.StreamReader | None, lines: list[str]) -> None:
    assert pipe is not None
    while line := await pipe.readline():
        lines.append(line.decode())
