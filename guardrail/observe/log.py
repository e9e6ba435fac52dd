"""Where log lines go: records to standard output, one JSON object a line; everything else to standard error.

Promises: a reader of the log that is stuck never stops a stream. Record lines are written by a thread of their own;
when more than a bounded number wait, further ones are dropped and counted. Lines are written whole.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import sys
import threading
from contextlib import AbstractContextManager
from types import TracebackType

from guardrail.observe.records import logger as record_logger

QUEUE_LINES = 10_000
"""Lines that may wait: a few seconds of a busy process, some megabytes."""

GATHER = 0.02
"""Seconds that lines gather for one write: nobody reads faster, and a crash loses no more than that."""

GATHER_LINES = 16
"""Lines in one write."""


class RecordHandler(logging.Handler, AbstractContextManager["RecordHandler"]):
    """Writes record lines to a file descriptor, off the event loop. `dropped` counts lines that found no place."""

    def __init__(self, descriptor: int, lines: int = QUEUE_LINES) -> None:
        super().__init__()
        self.dropped = 0
        self._descriptor = descriptor
        self._lines: queue.Queue[bytes | None] = queue.Queue(lines)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._write, name="record-log", daemon=True)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._lines.put_nowait(record.getMessage().encode("utf-8", "backslashreplace") + b"\n")
        except queue.Full:
            self.dropped += 1

    def _write(self) -> None:
        last = False
        while not last:
            waiting = [self._lines.get()]
            # A thread that wakes for every line costs the event loop more than writing it; let a few gather.
            self._closing.wait(GATHER)
            with contextlib.suppress(queue.Empty):
                while len(waiting) < GATHER_LINES:
                    waiting.append(self._lines.get_nowait())
            last = None in waiting
            lines = [line for line in waiting if line is not None]
            block = b"".join(lines)
            try:
                # Whole lines in one write: short blocks then stay whole beside those of other workers.
                while block:
                    block = block[os.write(self._descriptor, block) :]
            except OSError:
                self.dropped += len(lines)

    def __enter__(self) -> RecordHandler:
        self._thread.start()
        record_logger.addHandler(self)
        record_logger.setLevel(logging.INFO)
        record_logger.propagate = False
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        record_logger.removeHandler(self)
        self._closing.set()
        # A reader that is stuck must not hold up the end of the process either.
        try:
            self._lines.put(None, timeout=1)
        except queue.Full:
            return
        self._thread.join(timeout=2)


def log_to_stderr() -> None:
    """The process's own log: what operators must know, never what models or clients said."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # aiohttp logs requests it cannot parse with what was in them.
    logging.getLogger("aiohttp").setLevel(logging.CRITICAL)
    logging.getLogger("watchfiles").setLevel(logging.WARNING)


def dropped_lines() -> int:
    """Record lines that this process dropped so far."""
    return sum(handler.dropped for handler in record_logger.handlers if isinstance(handler, RecordHandler))
