"""From logits to decisions: probabilities, operating points, and from when on the encoder is asked.

Pure arrays. Categories are columns, in the order of `CATEGORIES`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Flags = NDArray[np.bool_]

POINTS = {"precise": 0.35, "balanced": 8.0, "sensitive": 40.0}
"""False halts per 1,000 harmless answers, all categories together, in the worse language: what is aimed at, somewhat
below what each point promises (1, 10 and 50), for the next thousand answers are others."""
MOST_SHIFT = 4.0
"""The most that Chinese logits are moved."""
MOST_RECALL_LOST = 0.02
"""At any operating point, of what the encoder finds."""
MOST_PRECISION_LOST = 0.01
"""Average precision, in the mean over the categories of a language: scores below every threshold count in it too."""
ASK_SHARES = (0.02, 0.03, 0.04, 0.05)
"""Shares of the harmless units of a language for which the encoder may be asked, tried from the smallest up. The last
is what the time of a token allows: other answers than those of the tune split ask two to three times as often."""


@dataclass(frozen=True, slots=True)
class Platt:
    """probability = sigmoid(scale * logit + bias)"""

    scale: float
    bias: float
    han_bias: float = 0.0
    """Added for Chinese."""


def platt(logits: Array, targets: Array, weights: Array) -> Platt:
    """Fitted by Newton's method to the weighted log loss, with the smoothed targets of Platt 1999; one category."""
    keep = weights > 0
    x, w = logits[keep].astype(np.float64), weights[keep].astype(np.float64)
    yes = targets[keep] > 0.5
    if not yes.any() or yes.all():
        return Platt(1.0, 0.0)
    high, low = (w[yes].sum() + 1) / (w[yes].sum() + 2), 1 / (w[~yes].sum() + 2)
    y = np.where(yes, high, low)
    a, b = 1.0, 0.0
    for _ in range(50):
        p = 1 / (1 + np.exp(-(a * x + b)))
        slope = w * (p - y)
        curve = w * p * (1 - p) + 1e-12
        gradient = np.array([(slope * x).sum() + 1e-3 * (a - 1), slope.sum()])
        hessian = np.array([[(curve * x * x).sum() + 1e-3, (curve * x).sum()], [(curve * x).sum(), curve.sum()]])
        change = np.linalg.solve(hessian, gradient)
        a, b = float(np.clip(a - change[0], 0.05, 20.0)), float(b - change[1])
        if np.abs(change).max() < 1e-7:
            break
    return Platt(round(a, 4), round(b, 4))


def probabilities(logits: Array, calibration: list[Platt], chinese: Flags) -> NDArray[np.float64]:
    """[n, categories]; `chinese`: which of the n are."""
    scale, bias, han_bias = (
        np.array([getattr(c, name) for c in calibration]) for name in ("scale", "bias", "han_bias")
    )
    return 1 / (1 + np.exp(-(logits.astype(np.float64) * scale + bias + chinese[:, None] * han_bias)))


def shifted(
    calibration: list[Platt], english: list[NDArray[np.float64]], chinese: list[NDArray[np.float64]]
) -> list[Platt]:
    """The calibration that moves Chinese so that its operating points, found by themselves, are those of English.

    `english`, `chinese`: the same operating points, thresholds [categories] each."""
    moves = [_logit(en) - _logit(zh) for en, zh in zip(english, chinese, strict=True)]
    move = np.clip(np.mean(moves, axis=0), -MOST_SHIFT, MOST_SHIFT)
    return [Platt(c.scale, c.bias, round(float(m), 4)) for c, m in zip(calibration, move, strict=True)]


def _logit(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.log(probability / (1 - probability))


def operating_point(
    harmless: list[NDArray[np.float64]], harmful: NDArray[np.float64], labels: Flags, per_thousand: float
) -> NDArray[np.float64]:
    """Thresholds [categories] at which, in no language, more answers are halted than aimed at.

    `harmless`: per language, the maximum over the units of each harmless answer [answers, categories]; `harmful`: the
    same of labelled rows, and `labels` which categories they have. Greedy: it begins with no false halt at all, and
    lowers, again and again, the threshold that gains most recall of its category for each further false halt."""
    categories = harmful.shape[1]
    allowed = [int(per_thousand * len(scores) / 1000) for scores in harmless]
    ranked = [-np.sort(-np.concatenate([scores[:, c] for scores in harmless])) for c in range(categories)]
    spent = [0] * categories
    recall = [np.sort(harmful[labels[:, c], c]) for c in range(categories)]

    def above(category: int, rank: int) -> float:
        return float(np.nextafter(ranked[category][rank], 2))

    def found(category: int, threshold: float) -> float:
        scores = recall[category]
        return 1 - np.searchsorted(scores, threshold) / max(len(scores), 1)

    thresholds = np.array([above(c, 0) for c in range(categories)])
    halted = [np.zeros(len(scores), bool) for scores in harmless]
    while True:
        best: tuple[float, int, int] | None = None
        for c in range(categories):
            for further in (1, 2, 4, 8):
                if spent[c] + further >= len(ranked[c]):
                    break
                threshold = above(c, spent[c] + further)
                extra = [((scores[:, c] >= threshold) & ~h).sum() for scores, h in zip(harmless, halted, strict=True)]
                if any(h.sum() + more > most for h, more, most in zip(halted, extra, allowed, strict=True)):
                    break
                gain = found(c, threshold) - found(c, thresholds[c])
                worth = (gain + 1e-6) / (sum(extra) + 0.25)
                if best is None or worth > best[0]:
                    best = worth, c, further
        if best is None:
            break
        _, c, further = best
        spent[c] += further
        thresholds[c] = above(c, spent[c])
        halted = [h | (scores[:, c] >= thresholds[c]) for scores, h in zip(harmless, halted, strict=True)]
    return np.clip(np.ceil(thresholds * 1e4) / 1e4, 1e-4, 0.9999)


def ask_from(gate: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """Gate probabilities [categories] from which the encoder is asked about at most `share` of harmless units [n,
    categories], every category with the same share of its own: found by bisection."""
    low, high = 0.0, share
    for _ in range(20):
        each = (low + high) / 2
        limits = np.quantile(gate, 1 - each, axis=0)
        if (gate >= limits).any(1).mean() > share:
            high = each
        else:
            low = each
    limits = np.quantile(gate, 1 - low, axis=0)
    return np.maximum(np.round(limits, 4), 1e-4)
