"""The processes of a benchmark: start, learn where they listen, read what they cost, stop. Linux only."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
START_LIMIT: Final = 60.0
"""Seconds until a process must have said where it listens; compiling 100,000 keywords takes a few."""


def pin_to_one_cpu() -> int:
    """Pin this process, and all that it starts, to one CPU: wake-ups across CPUs would drown the figures."""
    cpu = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cpu})
    return cpu


class Listener:
    """A child process that prints a line with its `http://host:port`; a context manager that stops it."""

    def __init__(self, name: str, command: Sequence[str], environ: dict[str, str] | None = None) -> None:
        self.name = name
        # A file, not a pipe: nobody reads along, and a full pipe would stop the child.
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - closed by stop
        self._child = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(environ or {})},
            stdin=subprocess.DEVNULL,
            stdout=self._output,
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
        deadline = time.monotonic() + START_LIMIT
        while time.monotonic() < deadline:
            running = self._child.poll() is None
            if found := re.search(rb"http://[^\s:]+:(\d+)", self.output()):
                return int(found[1])
            if not running:
                break
            time.sleep(0.02)
        raise RuntimeError(f"{self.name} did not start:\n{self.output().decode(errors='replace')}")

    def output(self) -> bytes:
        """What it has printed so far."""
        return os.pread(self._output.fileno(), 1 << 20, 0)

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
        nanoseconds where stat counts ticks of 10 ms. Its number is made as clock_getcpuclockid(3) does.
        """
        return sum(time.clock_gettime((~pid << 3) | 2) for pid in self._tree())

    def memory(self) -> dict[str, int]:
        """KiB of the whole tree: `pss` (shared pages divided among their users), `uss` (its own pages)."""
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
        self._output.close()

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()
