"""A guardrail command as a child process, from the URLs that it prints to its end.

Promises: the child is stopped however its caller ends, and what it prints is read to the end. It is in a session of its
own: a Ctrl-C in the terminal reaches the caller alone, which then stops it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from guardrail.errors import GuardrailError

START_LIMIT: Final = 30.0
"""Seconds until a child must have said where it listens."""
STOP_LIMIT: Final = 2.0
"""Seconds a child has to end before it is told more firmly."""


class ChildError(GuardrailError):
    """The child did not start; the message has its last words."""


@dataclass(slots=True)
class Child:
    """A process and where it listens."""

    name: str
    process: asyncio.subprocess.Process
    said: deque[str] = field(default_factory=lambda: deque(maxlen=40))
    urls: list[str] = field(default_factory=list)


@contextlib.asynccontextmanager
async def child(
    name: str, arguments: Sequence[str], *, urls: int, environ: Mapping[str, str] | None = None
) -> AsyncIterator[Child]:
    """Run `python -m guardrail ARGUMENTS`, wait until it has printed that many URLs, stop it on the way out.

    Raises ChildError with the child's last words if it does not start.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "guardrail",
        *arguments,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **(environ or {})},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        limit=1 << 20,
        start_new_session=True,
    )
    started = Child(name, process)
    ready = asyncio.Event()
    listening = asyncio.create_task(_listen(started, urls, ready))
    try:
        try:
            async with asyncio.timeout(START_LIMIT):
                await ready.wait()
        except TimeoutError:
            raise ChildError(f"{name} did not start within {START_LIMIT:.0f} seconds:\n{_said(started)}") from None
        if len(started.urls) < urls:
            raise ChildError(f"{name} ended with status {await process.wait()}:\n{_said(started)}")
        yield started
    finally:
        await _stop(process)
        await listening


async def _listen(child: Child, urls: int, ready: asyncio.Event) -> None:
    """Read what the child prints, to its end: a full pipe would stop it."""
    assert child.process.stdout is not None
    async for line in child.process.stdout:
        text = line.decode(errors="replace").rstrip()
        if not ready.is_set():
            child.said.append(text)
            child.urls += re.findall(r"https?://[^\s/]+:\d+", text)
        if len(child.urls) >= urls:
            ready.set()
    ready.set()


def _said(child: Child) -> str:
    return "\n".join(child.said) or "(it printed nothing)"


async def _stop(process: asyncio.subprocess.Process) -> None:
    for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGKILL):
        if process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_LIMIT):
                await process.wait()
