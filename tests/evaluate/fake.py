"""A model whose scores are told by the words of a unit, with a first stage that is sure of those without."""

from __future__ import annotations

import math
from collections.abc import Sequence

from guardrail.text.scores import CATEGORIES
from guardrail.text.units import Window

WORDS = {"awful": ("hate", 0.95), "idiot": ("harassment", 0.95), "grim": ("hate", 0.6), "damn": ("profanity", 0.6)}
LOW = 0.01
GATE_SAYS = 0.5
"""What the first stage says of a word that it knows, whatever the encoder says."""


class FakeModel:
    """`labels`: the categories that it has; the others are NaN."""

    name = "fake"
    digest = "f" * 64

    def __init__(self, labels: Sequence[str] = CATEGORIES, *, gate: bool = True) -> None:
        self.labels = tuple(labels)
        self.thresholds = {name: {"precise": 0.9, "balanced": 0.5} for name in labels}
        self.asked: list[str] = []
        """The texts that the encoder was asked about."""
        self._has_gate = gate

    def score(self, windows: Sequence[Window]) -> list[tuple[float, ...]]:
        self.asked += [window.text for window in windows]
        return [self._scores(window, None) for window in windows]

    def gate(self, window: Window) -> tuple[float, ...] | None:
        sure = self._has_gate and not any(word in window.text.lower() for word in WORDS)
        return self._scores(window, 0.0) if sure else None

    def first_stage(self, window: Window) -> tuple[float, ...] | None:
        return self._scores(window, GATE_SAYS) if self._has_gate else None

    def _scores(self, window: Window, known: float | None) -> tuple[float, ...]:
        found = {name: LOW if name in self.labels else math.nan for name in CATEGORIES}
        for word, (category, score) in WORDS.items():
            if word in window.text.lower() and category in self.labels:
                found[category] = score if known is None else known
        return tuple(found.values())
