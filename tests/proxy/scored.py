"""A policy with a classifier for the proxy's tests, and a model that scores when the test lets it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from guardrail.policy.policy import Policy
from guardrail.text.rules import Action
from guardrail.text.ruleset import with_scores
from guardrail.text.scanner import compile_rules
from guardrail.text.scores import CATEGORIES, ScoreRule, ScoreSettings
from guardrail.text.units import Window

ZERO = (0.0,) * len(CATEGORIES)
HATE = (1.0, *ZERO[1:])


class Gated:
    """What says "evil" is hate. The first stage tells what says "plain"; the encoder waits while `open` is not set."""

    name = "gated"
    digest = "9" * 64
    labels = CATEGORIES
    batches = True

    def __init__(self) -> None:
        self.open = threading.Event()
        self.open.set()
        self.seen: list[Window] = []

    def gate(self, window: Window) -> tuple[float, ...] | None:
        return ZERO if "plain" in window.text else None

    def score(self, windows: Sequence[Window]) -> list[tuple[float, ...]]:
        self.seen += windows
        self.open.wait(30)
        return [HATE if "evil" in window.text else ZERO for window in windows]

    def renewed(self) -> Gated:
        return self


def scored_policy(model: Any, *, action: Action = Action.HALT, **chosen: Any) -> Policy:
    rule = ScoreRule(
        id="classifier.hate.high",
        category="hate",
        severity="high",
        action=action,
        label=CATEGORIES.index("hate"),
        at=0.5,
    )
    settings = ScoreSettings(model="gated@999999999999", labels=CATEGORIES, rules=(rule,), **chosen)
    return Policy(name="scored", digest="ef" * 32, rules=with_scores(compile_rules(()), settings), scorer=model)
