"""What the classifier says of a unit, and what a policy makes of it: plain data, and the levels that fire.

A policy sets levels per category: a probability with a severity and an action. Per category the highest level that a
unit reaches gives one hit, which goes the way of every other hit (see `edits`). Nothing here scores, waits or knows
how a verdict came about.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from guardrail.text.rules import Action, Rule

CATEGORIES = ("hate", "harassment", "sexual", "violence", "self_harm", "illicit", "profanity", "unsafe")
"""What is scored, in the order of every tuple of scores. `unsafe` stands for any harm."""


class Failure(enum.StrEnum):
    """Why a unit has no scores."""

    QUEUE_FULL = "queue_full"
    """More units waited than the process takes."""
    DEADLINE = "deadline"
    """No scores in the time that the policy gives."""
    BROKEN = "broken"
    """The model failed, or said what is no probability."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome for one unit: scores, or why there are none. Just one of the two is set."""

    scores: tuple[float, ...] | None
    """Calibrated probabilities, 0 to 1, in the order of `CATEGORIES`; NaN where the model has no such label."""
    failure: Failure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreRule(Rule):
    """One level of one category."""

    label: int
    """Index into `CATEGORIES`."""
    at: float
    """The level is reached by a probability of this or more; above 0, at most 1."""


UNAVAILABLE = Rule(id="classifier.unavailable", category="unavailable", severity="high", action=Action.HALT)
"""What halts a channel whose unit has no scores, when the policy fails closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreSettings:
    """The classifier of a compiled policy."""

    model: str
    """The key under which the process finds the model that scores."""
    labels: tuple[str, ...]
    """The categories that the model tells apart."""
    rules: tuple[ScoreRule, ...]
    """All levels, by category, those of one category from the highest threshold down."""
    lag_budget: int = 0
    """Code points that may be delivered behind the last scored one. 0: none, and a hit may remove text."""
    fail: Literal["closed", "open"] = "closed"
    """What becomes of a unit without scores: the channel halts where it starts, or it passes and is counted. It passes
    also where no level removes anything."""
    debounce: int = 1
    """A level fires at a unit when so many scored units in a row reach it, that unit the last of them."""
    context: Literal["answer", "prompt"] = "answer"
    """Whether the newest user message is looked at too."""
    deadline: float = 2.0
    """Seconds from the end of a unit to its verdict."""

    @property
    def holds(self) -> bool:
        """Whether text has to wait for scores: what comes of them may change what is delivered."""
        return any(rule.action.removes for rule in self.rules)


class Levels:
    """Which levels the units of one channel reach, one unit after the other."""

    __slots__ = ("_debounce", "_rules", "_runs")

    def __init__(self, settings: ScoreSettings) -> None:
        self._rules = settings.rules
        self._debounce = settings.debounce
        self._runs = [0] * len(self._rules)
        """For each level, how many units in a row have reached it."""

    def step(self, scores: Sequence[float] | None) -> list[int]:
        """Take the next unit that was to be scored (None: it has no scores, and breaks every row); the indexes of the
        levels that fire at it, at most one of each category."""
        fired: list[int] = []
        last = -1
        for index, rule in enumerate(self._rules):
            if scores is None or not scores[rule.label] >= rule.at:  # so put that NaN reaches nothing
                self._runs[index] = 0
                continue
            self._runs[index] += 1
            if self._runs[index] >= self._debounce and rule.label != last:
                fired.append(index)
                last = rule.label
        return fired
