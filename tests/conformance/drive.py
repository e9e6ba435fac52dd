"""Runs the clients' scripts: one process for each, asked over its standard input for as long as the tests last."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, Any, Final

from tests.conformance.clients import Client

ROOT: Final = Path(__file__).parents[2]
ANSWER_LIMIT: Final = 120.0
"""Seconds for one answer, the start of the client included; generous, for a busy machine."""


class Driver:
    """The processes of the clients that have been asked so far."""

    def __init__(self) -> None:
        self._running: dict[tuple[str, str], tuple[subprocess.Popen[bytes], IO[bytes]]] = {}

    def ask(self, client: Client, **ask: Any) -> dict[str, Any]:
        """What the client's user gets. Fails if the script itself does."""
        return self.run(client.runs_on, client.program, **ask, provider=client.provider)

    def run(self, runs_on: str, program: str, **ask: Any) -> dict[str, Any]:
        """What a script answers. `runs_on`: "python" or "node"."""
        child, said = self._child(runs_on, program)
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(json.dumps(ask).encode() + b"\n")
        child.stdin.flush()
        ready, _, _ = select.select([child.stdout], [], [], ANSWER_LIMIT)
        line = child.stdout.readline() if ready else b""
        assert line, f"{program} did not answer:\n{os.pread(said.fileno(), 1 << 16, 0).decode(errors='replace')}"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End every process."""
        for child, said in self._running.values():
            assert child.stdin is not None
            assert child.stdout is not None
            child.stdin.close()
            child.terminate()  # some would take seconds to end by themselves
            child.wait()
            child.stdout.close()
            said.close()
        self._running.clear()

    def _child(self, runs_on: str, program: str) -> tuple[subprocess.Popen[bytes], IO[bytes]]:
        key = (runs_on, program)
        if key not in self._running:
            command = (
                [sys.executable, "-m", f"tests.conformance.python.{program}"]
                if runs_on == "python"
                else ["node", str(ROOT / "tests/conformance/js" / f"{program}.mjs")]
            )
            said = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the process)
            child = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said)
            self._running[key] = (child, said)
        return self._running[key]
