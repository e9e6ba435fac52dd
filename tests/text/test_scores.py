"""Levels: which of them fire at which unit."""

from __future__ import annotations

from math import nan

import pytest

from guardrail.text.rules import Action, Severity
from guardrail.text.scores import CATEGORIES, Levels, ScoreRule, ScoreSettings


def level(category: str, at: float, action: Action = Action.HALT, severity: Severity = "high") -> ScoreRule:
    label = CATEGORIES.index(category)
    return ScoreRule(id=f"{category}@{at}", category=category, severity=severity, action=action, label=label, at=at)


def scores(**said: float) -> tuple[float, ...]:
    return tuple(said.get(category, 0.0) for category in CATEGORIES)


def settings(*rules: ScoreRule, debounce: int = 1) -> ScoreSettings:
    return ScoreSettings(model="m", labels=CATEGORIES, rules=rules, debounce=debounce)


TWO_OF_HATE = (level("hate", 0.9), level("hate", 0.5), level("violence", 0.7))


@pytest.mark.parametrize(
    ("said", "fired"),
    [
        (scores(), []),
        (scores(hate=0.49), []),
        (scores(hate=0.5), ["hate@0.5"]),
        (scores(hate=0.95), ["hate@0.9"]),
        (scores(hate=0.95, violence=0.7), ["hate@0.9", "violence@0.7"]),
        (scores(hate=nan, violence=1.0), ["violence@0.7"]),
        (None, []),
    ],
)
def test_the_highest_level_of_each_category_fires(said: tuple[float, ...] | None, fired: list[str]) -> None:
    assert [TWO_OF_HATE[index].id for index in Levels(settings(*TWO_OF_HATE)).step(said)] == fired


def test_debounce_counts_units_in_a_row() -> None:
    levels = Levels(settings(*TWO_OF_HATE, debounce=2))
    script: list[tuple[tuple[float, ...] | None, list[str]]] = [
        (scores(hate=0.6), []),
        (scores(hate=0.95), ["hate@0.5"]),
        (scores(hate=0.95), ["hate@0.9"]),
        (scores(hate=0.1), []),
        (scores(hate=0.6), []),
        (None, []),
        (scores(hate=0.6), []),
        (scores(hate=0.6), ["hate@0.5"]),
    ]
    assert [[TWO_OF_HATE[index].id for index in levels.step(said)] for said, _ in script] == [
        want for _, want in script
    ]


def test_text_waits_only_where_a_score_can_change_it() -> None:
    logging = level("hate", 0.5, Action.LOG)
    assert not settings(logging).holds
    assert settings(logging, TWO_OF_HATE[0]).holds
