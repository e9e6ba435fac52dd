"""From labelled rows and a model to the figures of a report.

Per stage of the model: per category and language precision and recall, calibration, and what the shipped thresholds do;
false halts among harmless answers; how early harmful answers are halted; flip rates. A row's score in a category is
the greatest of its units. Everything that halts, here, halts at the operating point `precise`, in any category.

Promises: the same rows and the same model give the same report, to the byte; it holds no text of the rows. Figures are
plain JSON: numbers rounded to 6 digits, null where a figure cannot be told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from guardrail.evaluate.early_stop import BUDGETS, Halted, delivered
from guardrail.evaluate.fairness import LANGUAGES, Counterfactuals, Filling, fillings, flip_rates, shipped
from guardrail.evaluate.metrics import AtThreshold, Rate, Scores, Truth, at_threshold, calibration, curve
from guardrail.evaluate.plots import thinned
from guardrail.evaluate.rows import Row, Scope, positives, vouched
from guardrail.evaluate.scoring import Scored, Scorer, Stage, UnitScores, score_texts, stages_of
from guardrail.text.scores import CATEGORIES
from guardrail.text.units import Unit

FORMAT = 1
"""Of the report; another number means that keys have changed their meaning."""
ALL = "all"
"""Stands for every language together, and for every axis."""
HALTING = "precise"
"""The operating point at which shipped policies halt."""


class Model(Scorer, Protocol):
    """What is needed of a model to measure it."""

    @property
    def name(self) -> str: ...
    @property
    def digest(self) -> str: ...
    @property
    def thresholds(self) -> Mapping[str, Mapping[str, float]]: ...


@dataclass(slots=True)
class _Found:
    """What is kept of scored texts for one stage: the greatest scores, and where the first halt would be."""

    greatest: list[NDArray[np.float64]]
    halts: list[Unit | None]


def measure(
    model: Model,
    rows: Sequence[Row],
    scope: Scope | None,
    *,
    limit: int | None = None,
    threads: int = 1,
    done: Callable[[int], object] = lambda texts: None,
) -> dict[str, Any]:
    """The figures, without what the command knows of the files. `limit`: about how many filled sentences per language
    are enough. `done` is told how many more texts have been scored. Raises ModelFault."""
    stages = stages_of(model)
    halting = _thresholds(model, HALTING)
    found, asked, units = _score(model, [row.text for row in rows], stages, halting, threads, done)
    filled = sentences([row.lang for row in rows], limit)
    swapped, _, _ = _score(model, [filling.text for filling in filled], stages, halting, threads, done)
    return {
        "format": FORMAT,
        "model": {
            "name": model.name,
            "digest": model.digest,
            "labels": list(model.labels),
            "thresholds": {category: dict(points) for category, points in model.thresholds.items()},
        },
        "encoder_share": _round(asked / units if units else None),
        "units": units,
        "stages": {
            stage.value: {
                "categories": _categories(model, rows, scope, _matrix(found[stage])),
                "false_halts": _false_halts(rows, scope, _matrix(found[stage]), halting),
                "early_stop": _early_stop(rows, found[stage].halts) if _any(halting) else {},
                "fairness": _fairness(model, filled, _matrix(swapped[stage])),
            }
            for stage in stages
        },
    }


def sentences(languages: Sequence[str], limit: int | None = None) -> list[Filling]:
    """The filled counterfactual sentences of the languages there are; of all when none is known."""
    return [
        filling
        for language in LANGUAGES
        if language in languages or not set(languages) & set(LANGUAGES)
        for filling in fillings(_fewer(shipped(language), limit))
    ]


def _fewer(of: Counterfactuals, limit: int | None) -> Counterfactuals:
    """The first sentences of either kind, so many that there are about `limit` fillings."""
    if limit is None:
        return of
    each = max(1, limit // sum(map(len, of.axes.values())) // 2)
    harmless = [template for template in of.templates if not template.labels]
    harmful = [template for template in of.templates if template.labels]
    return Counterfactuals(of.language, of.axes, (*harmless[:each], *harmful[:each]))


def _score(
    model: Model,
    texts: Sequence[str],
    stages: Sequence[Stage],
    halting: NDArray[np.float64],
    threads: int,
    done: Callable[[int], object],
) -> tuple[dict[Stage, _Found], int, int]:
    found = {stage: _Found([], []) for stage in stages}
    asked = units = 0
    for scored in score_texts(model, texts, stages, threads=threads, done=done):
        asked += scored.asked
        units += len(scored.units)
        for stage in stages:
            found[stage].greatest.append(scored.greatest(stage)[0])
            found[stage].halts.append(_first_halt(scored, scored.scores[stage], halting))
    return found, asked, units


def _first_halt(scored: Scored, scores: UnitScores, halting: NDArray[np.float64]) -> Unit | None:
    fires = (scores >= halting).any(1)  # NaN reaches nothing
    return scored.units[int(fires.argmax())] if fires.any() else None


def _matrix(found: _Found) -> NDArray[np.float64]:
    return np.array(found.greatest) if found.greatest else np.zeros((0, len(CATEGORIES)))


def _thresholds(model: Model, point: str) -> NDArray[np.float64]:
    """Per category; infinite, which nothing reaches, where the model has none."""
    return np.array([model.thresholds.get(category, {}).get(point, np.inf) for category in CATEGORIES])


def _any(thresholds: NDArray[np.float64]) -> bool:
    return bool(np.isfinite(thresholds).any())


def _points(model: Model) -> list[str]:
    """The operating points of the model, from few alarms to many."""
    return list(dict.fromkeys(point for points in model.thresholds.values() for point in points))


def _languages(rows: Sequence[Row]) -> list[str]:
    return [ALL, *sorted({row.lang for row in rows if row.lang})]


def _categories(model: Model, rows: Sequence[Row], scope: Scope | None, scores: NDArray[np.float64]) -> dict[str, Any]:
    truth = np.full((len(rows), len(CATEGORIES)), -1, np.int8)
    for index, row in enumerate(rows):
        is_one, is_none = positives(row), vouched(row, scope)
        truth[index] = [1 if name in is_one else 0 if name in is_none else -1 for name in CATEGORIES]
    languages = np.array([row.lang for row in rows])
    result: dict[str, Any] = {}
    for column, category in enumerate(CATEGORIES):
        if category not in model.labels:
            continue
        result[category] = {}
        for language in _languages(rows):
            known = truth[:, column] >= 0
            if language != ALL:
                known &= languages == language
            positive = truth[known, column] == 1
            points = model.thresholds.get(category, {})
            result[category][language] = _category(scores[known, column], positive, points)
    return result


def _category(scores: Scores, positive: Truth, points: Mapping[str, float]) -> dict[str, Any]:
    found = curve(scores, positive)
    calibrated = calibration(scores, positive)
    drawn: list[list[float | None]] = []
    if found is not None:
        steps = [
            (float(recall), float(precision)) for recall, precision in zip(found.recall, found.precision, strict=True)
        ]
        drawn = [[_round(recall), _round(precision)] for recall, precision in thinned(steps)]
    return {
        "positives": int(positive.sum()),
        "negatives": int((~positive).sum()),
        "average_precision": None if found is None else _round(found.average_precision),
        "curve": drawn,
        "calibration_error": None if calibrated is None else _round(calibrated.error),
        "bins": [
            {"rows": each.rows, "predicted": _round(each.predicted), "observed": _round(each.observed)}
            for each in (calibrated.bins if calibrated is not None else ())
        ],
        "points": {point: _at(at_threshold(scores, positive, at)) for point, at in points.items()},
    }


def _at(found: AtThreshold) -> dict[str, Any]:
    return {
        "threshold": found.threshold,
        "true_positives": found.true_positives,
        "false_positives": found.false_positives,
        "false_negatives": found.false_negatives,
        "true_negatives": found.true_negatives,
        "precision": _round(found.precision),
        "recall": _round(found.recall),
        "f1": _round(found.f1),
    }


def _false_halts(
    rows: Sequence[Row], scope: Scope | None, scores: NDArray[np.float64], halting: NDArray[np.float64]
) -> dict[str, Any]:
    """Halts among harmless answers: empty rows of the role `response` whose set vouches for every category."""
    if not _any(halting):
        return {}
    benign = np.array([row.role == "response" and "unsafe" in vouched(row, scope) for row in rows], bool)
    fires = scores >= halting
    result = {}
    for language in _languages(rows):
        here = benign & np.array([language in (ALL, row.lang) for row in rows], bool)
        rate = Rate(int(fires[here].any(1).sum()), int(here.sum()))
        by_category = {
            category: int(fires[here, column].sum())
            for column, category in enumerate(CATEGORIES)
            if np.isfinite(halting[column])
        }
        result[language] = {"halts": rate.events, "answers": rate.cases, **_per_thousand(rate), "of": by_category}
    return result


def _per_thousand(rate: Rate) -> dict[str, Any]:
    low, high = rate.interval or (None, None)
    return {
        "per_1000": _round(rate.share, 1000),
        "per_1000_low": _round(low, 1000),
        "per_1000_high": _round(high, 1000),
    }


def _early_stop(rows: Sequence[Row], halts: Sequence[Unit | None]) -> dict[str, Any]:
    """How much of harmful answers (rows with a label of the role `response`) is delivered."""
    result = {}
    for language in _languages(rows):
        answers = [
            Halted(len(row.text), halt)
            for row, halt in zip(rows, halts, strict=True)
            if row.role == "response" and row.labels and row.text and language in (ALL, row.lang)
        ]
        budgets = {}
        for budget in BUDGETS:
            every = delivered(answers, budget)
            stopped = delivered([answer for answer in answers if answer.unit is not None], budget)
            budgets[str(budget)] = {
                "median": every and _round(every.median_prompt),
                "median_late": every and _round(every.median_late),
                "mean": every and _round(every.mean_prompt),
                "mean_late": every and _round(every.mean_late),
                "median_of_halted": stopped and _round(stopped.median_prompt),
                "median_of_halted_late": stopped and _round(stopped.median_late),
                "percentiles": [_round(share) for share in every.percentiles] if every else [],
            }
        result[language] = {
            "answers": len(answers),
            "halted": sum(answer.unit is not None for answer in answers),
            "budgets": budgets,
        }
    return result


def _fairness(model: Model, filled: Sequence[Filling], scores: NDArray[np.float64]) -> dict[str, Any]:
    """language -> kind of sentence -> operating point -> axis -> flips."""
    result: dict[str, Any] = {}
    for point in _points(model):
        fires = np.any(scores >= _thresholds(model, point), axis=1)
        for language in dict.fromkeys(filling.language for filling in filled):
            for kind in ("harmless", "harmful"):
                here = [
                    index
                    for index, filling in enumerate(filled)
                    if filling.language == language and bool(filling.labels) == (kind == "harmful")
                ]
                rates = flip_rates([filled[index] for index in here], [bool(fires[index]) for index in here])
                rates[ALL] = Rate(sum(each.events for each in rates.values()), len(here))
                result.setdefault(language, {}).setdefault(kind, {})[point] = {
                    "flagged": _round(float(fires[here].mean())),
                    "axes": {
                        axis: {"flips": rate.events, "fillings": rate.cases, "rate": _round(rate.share)}
                        for axis, rate in rates.items()
                    },
                }
    return result


def _round(value: float | None, factor: int = 1) -> float | None:
    return None if value is None else round(value * factor, 6)
