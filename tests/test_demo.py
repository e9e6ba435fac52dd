"""The demo as its users run it: a process in a pipe, stopped in every way, that leaves nothing behind."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from guardrail.demo import SCENES

LIMIT = 120
"""Seconds for anything here; generous, for a busy machine."""


class Demo:
    """A running `guardrail demo` whose descendants can be told by a mark in their environment."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self._folder = folder
        self._mark = uuid.uuid4().hex
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - closed by ends_clean
        self.process = subprocess.Popen(
            [sys.executable, "-m", "guardrail", "demo", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "COLUMNS": "80", "DEMO_TEST_MARK": self._mark, "TMPDIR": str(folder)},
        )

    def output(self) -> str:
        return os.pread(self._output.fileno(), 1 << 20, 0).decode()

    def wait_for(self, text: str) -> str:
        deadline = time.monotonic() + LIMIT
        while text not in self.output():
            assert self.process.poll() is None, self.output()
            assert time.monotonic() < deadline, self.output()
            time.sleep(0.05)
        return self.output()

    def left_running(self) -> list[str]:
        """Command lines of processes that descend from this demo."""
        found = []
        for environ in Path("/proc").glob("[0-9]*/environ"):
            try:
                if self._mark.encode() in environ.read_bytes():
                    found.append((environ.parent / "cmdline").read_text())
            except OSError:
                continue
        return found

    def ends_clean(self, status: int) -> str:
        """Wait for the end; nothing may be left running or in the folder of temporary files. Returns the output."""
        assert self.process.wait(LIMIT) == status, self.output()
        text = self.output()
        assert "Traceback" not in text
        assert self.left_running() == []
        assert list(self._folder.iterdir()) == []
        self._output.close()
        return text


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Demo]]:
    """Starts demos whose temporary files go to a folder of the test; stops what a failed test left."""
    started: list[Demo] = []

    def start(*arguments: str) -> Demo:
        started.append(Demo(tmp_path, *arguments))
        return started[-1]

    yield start
    for demo in started:
        demo.process.terminate()
        demo.process.wait(LIMIT)


def test_every_scene_is_shown_in_80_columns_and_nothing_is_left(start: Callable[..., Demo]) -> None:
    demo = start()
    text = demo.ends_clean(0)
    for number, scene in enumerate(SCENES, 1):
        assert f"{number}. {scene.title}" in text
        assert f"prompt: {scene.prompt}" in text
    assert max(map(len, text.splitlines())) <= 80
    assert "\x1b" not in text
    words = " ".join(text.replace("│", " ").split())
    assert "{+[EMAIL]+}" in words
    assert "finish content_filter · model server stopped after" in words
    assert "(withheld)" in words
    assert "classifier.harassment.high halt" in words


def test_staying_up_the_printed_lines_work_until_ctrl_c(start: Callable[..., Demo]) -> None:
    demo = start("--stay")
    printed = demo.wait_for("Both stay up until Ctrl-C")

    line, operator = [line for line in printed.splitlines() if line.startswith("curl ")]
    answer = subprocess.run(["/bin/sh", "-c", line], capture_output=True, timeout=LIMIT, check=True).stdout
    assert b'"finish_reason":"content_filter"' in answer
    assert answer.endswith(b"data: [DONE]\n\n")

    records = subprocess.run(["/bin/sh", "-c", operator], capture_output=True, timeout=LIMIT, check=True).stdout
    assert json.loads(records)["records"][0]["outcome"] == "halted"

    snippet = re.search(r"from openai import OpenAI\n.*?flush=True\)\n", printed, re.DOTALL)
    assert snippet is not None
    python = [sys.executable, "-c", snippet[0]]
    ran = subprocess.run(python, capture_output=True, text=True, timeout=LIMIT, check=True)
    assert "[Stopped by safety policy" in ran.stdout

    assert len(demo.left_running()) == 3
    demo.process.send_signal(signal.SIGINT)
    demo.ends_clean(130)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_in_the_middle_leaves_nothing_either(start: Callable[..., Demo], ending: signal.Signals) -> None:
    demo = start()
    demo.wait_for("A simulated model server on")
    assert len(demo.left_running()) == 3
    demo.process.send_signal(ending)
    assert "nothing is left running" in demo.ends_clean(130)
