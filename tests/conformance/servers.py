"""The processes of the conformance tests: the simulated model server, and guardrail in front of it."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence

START_LIMIT = 60.0
"""Seconds until a process must have said where it listens; generous, for a busy machine."""


@contextlib.contextmanager
def listening(arguments: Sequence[str], urls: int = 1) -> Iterator[list[str]]:
    """Run `python -m guardrail ARGUMENTS`; give the first `urls` addresses that it prints; stop it at the end."""
    with tempfile.TemporaryFile() as output:
        child = subprocess.Popen(
            [sys.executable, "-m", "guardrail", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        try:
            deadline = time.monotonic() + START_LIMIT
            found: list[str] = []
            while len(found) < urls:
                ended = child.poll() is not None
                said = os.pread(output.fileno(), 1 << 20, 0).decode(errors="replace")
                found = re.findall(r"https?://[^\s/]+:\d+", said)
                assert not ended or len(found) >= urls, f"{arguments} ended:\n{said}"
                assert time.monotonic() < deadline, f"{arguments} did not start:\n{said}"
                time.sleep(0.02)
            yield found[:urls]
        finally:
            child.terminate()
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
