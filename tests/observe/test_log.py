"""The record log: lines come out whole; a stuck reader loses lines, not streams."""

from __future__ import annotations

import os
import threading

from guardrail.observe.log import RecordHandler, dropped_lines
from guardrail.observe.records import logger


def test_lines_come_out_whole_and_in_order() -> None:
    read, write = os.pipe()
    with RecordHandler(write):
        logger.info('{"n":1}')
        logger.info('{"n":2,"odd":"\udcff"}')
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        assert pipe.read() == b'{"n":1}\n{"n":2,"odd":"\\udcff"}\n'


def test_a_stuck_reader_loses_lines_and_holds_up_nobody() -> None:
    read, write = os.pipe()
    drained = threading.Thread(target=lambda: os.fdopen(read, "rb").read())
    with RecordHandler(write, lines=3):
        for _ in range(1000):
            logger.info("x" * 4096)  # the pipe takes 64 KiB, and nobody reads
        assert dropped_lines() > 900
        drained.start()
    os.close(write)
    drained.join(5)


def test_a_closed_reader_is_no_error() -> None:
    read, write = os.pipe()
    os.close(read)
    with RecordHandler(write):
        logger.info("x")
    os.close(write)
