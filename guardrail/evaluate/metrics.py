"""The figures of a classifier: precision and recall, calibration, rates with their uncertainty.

Pure: arrays in, numbers out, the same every time. Scores are probabilities in [0, 1], shape [n]; `positive` says of
each whether it should be high. What cannot be said of the data at hand (the precision of no prediction at all) is
None, never a number that looks like a result.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]
Truth = NDArray[np.bool_]

BINS = 10
"""Of equal width, as in Guo et al. 2017, "On Calibration of Modern Neural Networks", with fewer rows per category."""
_Z = 1.959963984540054
"""The 97.5 % quantile of the normal distribution: intervals hold 95 %."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Precision and recall at every distinct score, from the highest down: a row is flagged from the score on."""

    thresholds: Scores
    precision: Scores
    recall: Scores

    @property
    def average_precision(self) -> float:
        """The sum of (gain in recall) x precision over the steps, without interpolation. Equal scores are one step:
        no order among them is assumed."""
        return float(np.sum(np.diff(self.recall, prepend=0.0) * self.precision))


def curve(scores: Scores, positive: Truth) -> Curve | None:
    """The precision-recall curve; None without a positive or without a negative, where it says nothing."""
    total = int(positive.sum())
    if total == 0 or total == len(positive):
        return None
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    last_of_step = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    found = np.cumsum(positive[order])[last_of_step]
    return Curve(ranked[last_of_step], found / (last_of_step + 1.0), found / float(total))


def average_precision(scores: Scores, positive: Truth) -> float | None:
    """The area under the precision-recall curve, as average precision."""
    found = curve(scores, positive)
    return None if found is None else found.average_precision


@dataclass(frozen=True, slots=True)
class AtThreshold:
    """What a threshold does: a row is flagged when its score reaches it."""

    threshold: float
    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int

    @property
    def precision(self) -> float | None:
        return _share(self.true_positives, self.true_positives + self.false_positives)

    @property
    def recall(self) -> float | None:
        return _share(self.true_positives, self.true_positives + self.false_negatives)

    @property
    def f1(self) -> float | None:
        errors = self.false_positives + self.false_negatives
        return _share(2 * self.true_positives, 2 * self.true_positives + errors)


def at_threshold(scores: Scores, positive: Truth, threshold: float) -> AtThreshold:
    """The four counts at one threshold."""
    flagged = scores >= threshold
    return AtThreshold(
        threshold,
        int(np.sum(flagged & positive)),
        int(np.sum(flagged & ~positive)),
        int(np.sum(~flagged & positive)),
        int(np.sum(~flagged & ~positive)),
    )


@dataclass(frozen=True, slots=True)
class Bin:
    """The rows whose score lies in [low, high), in the last bin [low, 1]."""

    low: float
    high: float
    rows: int
    predicted: float
    """Mean score."""
    observed: float
    """Share of positives."""


@dataclass(frozen=True, slots=True)
class Calibration:
    bins: tuple[Bin, ...]
    """Those that hold a row, from low to high."""
    error: float
    """Expected calibration error: mean distance between predicted and observed, weighted by rows."""


def calibration(scores: Scores, positive: Truth, bins: int = BINS) -> Calibration | None:
    """How well probabilities are meant; None without rows."""
    if len(scores) == 0:
        return None
    place = np.minimum((scores * bins).astype(np.int64), bins - 1)
    found = []
    error = 0.0
    for index in range(bins):
        inside = place == index
        rows = int(inside.sum())
        if rows:
            predicted, observed = float(scores[inside].mean()), float(positive[inside].mean())
            found.append(Bin(index / bins, (index + 1) / bins, rows, predicted, observed))
            error += rows / len(scores) * abs(predicted - observed)
    return Calibration(tuple(found), error)


@dataclass(frozen=True, slots=True)
class Rate:
    """`events` among `cases`, with a 95 % interval, for a rate of nought in 500 is not a rate of nought."""

    events: int
    cases: int

    @property
    def share(self) -> float | None:
        return _share(self.events, self.cases)

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson's score interval (Wilson 1927, "Probable Inference"), which holds near nought as well."""
        if self.cases == 0:
            return None
        share = self.events / self.cases
        spread = _Z * _Z / self.cases
        middle = share + spread / 2
        width = _Z * math.sqrt(share * (1 - share) / self.cases + spread / (4 * self.cases))
        return max(0.0, (middle - width) / (1 + spread)), min(1.0, (middle + width) / (1 + spread))


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
