"""A model whose behaviour is spelled in the text that it scores, for tests of what runs models.

The first word decides: `raise`, `exit` (the thread ends), `nan`, `high` (no probability), `few` (too few answers),
`wait` (until `release` is set); anything else gets the scores 0.25.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from math import nan

from guardrail.classify.model import Scores
from guardrail.errors import ModelFault
from guardrail.text.scores import CATEGORIES
from guardrail.text.units import Window

FINE: Scores = (0.25,) * len(CATEGORIES)


class FaultyModel:
    """`batches` as of a model. Every renewal is counted; `sick` is how many of the next ones fail."""

    def __init__(self, *, batches: bool = True, sick: int = 0, labels: tuple[str, ...] = CATEGORIES) -> None:
        self.name = "faulty"
        self.digest = "0" * 64
        self.labels = labels
        self.batches = batches
        self.sick = sick
        self.dead = False
        """Whether it fails on every text."""
        self.renewals = 0
        self.release = threading.Event()
        self.waiting = threading.Event()
        """Set when a text waits."""
        self.batches_seen: list[list[str]] = []

    def gate(self, window: Window) -> Scores | None:
        match window.text.split()[0]:
            case "sure":
                return FINE
            case "gate-nan":
                return (nan,) * len(CATEGORIES)
            case "gate-raise":
                raise ModelFault("asked for")
        return None

    def score(self, windows: Sequence[Window]) -> list[Scores]:
        self.batches_seen.append([window.text for window in windows])
        if self.dead:
            raise ModelFault("dead")
        found: list[Scores] = []
        for window in windows:
            match window.text.split()[0]:
                case "raise":
                    raise ModelFault("asked for")
                case "exit":
                    raise SystemExit
                case "nan":
                    found.append((nan,) * len(CATEGORIES))
                case "high":
                    found.append((1.5,) * len(CATEGORIES))
                case "few":
                    continue
                case "wait":
                    self.waiting.set()
                    self.release.wait(60)
                    found.append(FINE)
                case _:
                    found.append(FINE)
        return found

    def renewed(self) -> FaultyModel:
        self.renewals += 1
        if self.sick:
            self.sick -= 1
            raise ModelFault("sick")
        return self
