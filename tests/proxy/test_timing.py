"""How long events waited."""

from __future__ import annotations

import pytest

from guardrail.observe.metrics import AddedLatency
from guardrail.proxy.timing import EventTiming

E = b"data: x\n\n"


class Log(AddedLatency):
    """Keeps what was observed."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[float, int]] = []

    def observe(self, seconds: float, events: int) -> None:
        self.seen.append((round(seconds, 3), events))


CASES = [
    ("straight through", [(0.0, 0.1, E * 3, E * 3)], [(0.1, 3)]),
    ("half an event is none yet", [(0.0, 0.1, b"data: x\n", b"")], []),
    ("held, then released", [(0.0, 0.1, E * 2, E), (1.0, 1.1, E, E * 2)], [(0.1, 1), (1.1, 1), (0.1, 1)]),
    ("all held until the end", [(0.0, 0.1, E, b""), (1.0, 1.1, E, b""), (2.0, 2.5, b"", E * 2)], [(2.5, 1), (1.5, 1)]),
    ("more out than in: a split", [(0.0, 0.1, E, b""), (1.0, 1.1, b"", E * 2)], [(1.1, 1)]),
]


@pytest.mark.parametrize(("reads", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_timing(reads: list[tuple[float, float, bytes, bytes]], expected: list[tuple[float, int]]) -> None:
    log = Log()
    timing = EventTiming(log)
    for read in reads:
        timing.passed(*read)
    assert log.seen == expected
