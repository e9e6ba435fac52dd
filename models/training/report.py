"""What a trained model can do, measured on the dev split: average precision, false halts and recall, by stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from guardrail.evaluate.metrics import average_precision
from guardrail.text.scores import CATEGORIES
from models.training.corpus import OWN_SET, UNSAFE, Row

Highest = NDArray[np.floating[Any]]
"""Per row the maximum over its units: [rows, categories]."""


def judged(rows: Sequence[Row], category: int, lang: str) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The rows of a language that say whether a category holds, and what they say."""
    wanted = [
        at
        for at, row in enumerate(rows)
        if (lang == "all" or row.lang == lang) and (row.known[category] == 1.0 or row.targets[category])
    ]
    return np.array(wanted, np.int64), np.array([bool(rows[at].targets[category]) for at in wanted])


def average_precisions(rows: Sequence[Row], stages: Mapping[str, Highest]) -> dict[str, Any]:
    """By language, category and stage; with the share of positives, which is what chance would reach."""
    found: dict[str, Any] = {}
    for lang in ("en", "zh"):
        for category, name in enumerate(CATEGORIES):
            at, positive = judged(rows, category, lang)
            if not len(at) or not positive.any():
                continue
            entry: dict[str, Any] = {"rows": len(at), "positive": int(positive.sum())}
            for stage, highest in stages.items():
                precision = average_precision(highest[at, category].astype(np.float64), positive)
                entry[stage] = None if precision is None else round(precision, 3)
            found.setdefault(lang, {})[name] = entry
    return found


def by_set(rows: Sequence[Row], stages: Mapping[str, Highest]) -> dict[str, Any]:
    """Average precision of `unsafe` within every set that has both kinds of rows."""
    found: dict[str, Any] = {}
    for name in sorted({row.name for row in rows}):
        for lang in ("en", "zh"):
            own = [at for at, row in enumerate(rows) if row.name == name and row.lang == lang]
            positive = np.array([bool(rows[at].labels) for at in own])
            if len(own) < 30 or positive.all() or not positive.any():
                continue
            found[f"{name} ({lang})"] = {"rows": len(own), "positive": int(positive.sum())} | {
                stage: round(average_precision(highest[own, UNSAFE].astype(np.float64), positive) or 0.0, 3)
                for stage, highest in stages.items()
            }
    return found


def at_point(
    rows: Sequence[Row], highest: Highest, thresholds: NDArray[np.float64], tuned: Sequence[Row] = ()
) -> dict[str, Any]:
    """False halts per 1,000 harmless answers, and the recall that remains, by language."""
    flagged = highest >= thresholds
    found: dict[str, Any] = {}
    for lang in ("en", "zh"):
        harmless = [at for at, row in enumerate(rows) if row.lang == lang and row.answer and row.name != OWN_SET]
        halts = int(flagged[harmless].any(1).sum())
        recall = {}
        for category, name in enumerate(CATEGORIES):
            has = [at for at, row in enumerate(rows) if row.lang == lang and row.targets[category]]
            if has:
                recall[name] = {
                    "rows": len(has),
                    "own": _share(flagged[has, category]),
                    "any": _share(flagged[has].any(1)),
                }
        replies = [at for at, row in enumerate(rows) if row.lang == lang and row.labels and row.role == "response"]
        found[lang] = {
            "answers": len(harmless),
            "false_halts": halts,
            "per_thousand": round(1000 * halts / max(len(harmless), 1), 2),
            "recall": recall,
            "recall_of_harmful_replies": _share(flagged[replies].any(1)) if replies else None,
        }
    return found


def _share(flags: NDArray[np.bool_]) -> float:
    return round(float(flags.mean()), 3)
