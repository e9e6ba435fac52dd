"""The processes of a benchmark: start them, learn where they listen, read what they cost, stop them. Linux only."""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final

ROOT: Final = Path(__file__).parent.parent
START_LIMIT: Final = 60.0
"""Seconds until a process must have said where it listens; 100,000 keywords take a few to compile."""


def pin_to_one_cpu() -> int:
    """Pin this process, and so all that it starts, to one CPU: wake-ups across CPUs would drown the figures."""
    cpu = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cpu})
    return cpu


class Listener:
    """A child process that prints a line with its `http://host:port`; a context manager that stops it."""

    def __init__(self, name: str, command: Sequence[str], environ: dict[str, str] | None = None) -> None:
        self.name = name
        self._child = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(environ or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        try:
            self.port = self._announced_port()
        except BaseException:
            self.stop()
            raise

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _announced_port(self) -> int:
        pipe = self._child.stdout
        assert pipe is not None
        said, deadline = b"", time.monotonic() + START_LIMIT
        while time.monotonic() < deadline:
            if not select.select([pipe], [], [], 0.1)[0]:
                continue
            block = os.read(pipe.fileno(), 65536)
            said += block
            if found := re.search(rb"http://[^\s:]+:(\d+)", said):
                return int(found[1])
            if not block:
                break
        raise RuntimeError(f"{self.name} did not start:\n{said.decode(errors='replace')}")

    def _tree(self) -> list[int]:
        """This process and its descendants."""
        found, queue = [], [self._child.pid]
        while queue:
            pid = queue.pop()
            found.append(pid)
            for task in Path(f"/proc/{pid}/task").iterdir():
                queue += map(int, (task / "children").read_text().split())
        return found

    def cpu(self) -> float:
        """Seconds of CPU so far, user and system, of the whole tree.

        The sum that /proc/PID/stat gives as utime + stime, read from the process's CPU clock, which counts
        nanoseconds where stat counts ticks of 10 ms. The clock's number is made as clock_getcpuclockid(3) does.
        """
        return sum(time.clock_gettime((~pid << 3) | 2) for pid in self._tree())

    def memory(self) -> dict[str, int]:
        """KiB of the whole tree: `pss` (shared pages divided among their users) and `uss` (pages of its own)."""
        pss = uss = 0
        for pid in self._tree():
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                name, _, rest = line.partition(":")
                if name == "Pss":
                    pss += int(rest.split()[0])
                elif name in ("Private_Clean", "Private_Dirty"):
                    uss += int(rest.split()[0])
        return {"pss": pss, "uss": uss}

    def stop(self) -> None:
        self._child.terminate()
        try:
            self._child.wait(5)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        if self._child.stdout is not None:
            self._child.stdout.close()

    def __enter__(self) -> Listener:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.stop()
