"""Every figure by cases that were worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrail.evaluate.metrics import Rate, at_threshold, average_precision, calibration, curve


@pytest.mark.parametrize(
    ("name", "scores", "positive", "expected"),
    [
        ("found first", [0.9, 0.8, 0.3], [1, 1, 0], 1.0),
        ("found last", [0.9, 0.8, 0.3], [0, 0, 1], 1 / 3),
        ("one between", [0.9, 0.8, 0.7, 0.6], [1, 0, 1, 0], 0.5 * 1 + 0.5 * 2 / 3),
        ("order of the rows does not matter", [0.6, 0.7, 0.9, 0.8], [0, 1, 1, 0], 0.5 * 1 + 0.5 * 2 / 3),
        ("a tie is one step", [0.9, 0.5, 0.5, 0.1], [0, 1, 0, 1], 0.5 * 1 / 3 + 0.5 * 2 / 4),
        ("the tie the other way round", [0.9, 0.5, 0.5, 0.1], [0, 0, 1, 1], 0.5 * 1 / 3 + 0.5 * 2 / 4),
        ("all tied: the share of positives", [0.5] * 5, [1, 0, 0, 1, 0], 0.4),
    ],
)
def test_average_precision(name: str, scores: list[float], positive: list[int], expected: float) -> None:
    assert average_precision(np.array(scores), np.array(positive, bool)) == pytest.approx(expected, abs=1e-12)


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0]), st.booleans()), max_size=30))
def test_average_precision_by_its_definition(rows: list[tuple[float, bool]]) -> None:
    total = sum(positive for _, positive in rows)
    found = average_precision(np.array([score for score, _ in rows]), np.array([is_one for _, is_one in rows], bool))
    if total in (0, len(rows)):
        assert found is None
        return
    area = recall_before = 0.0
    for threshold in sorted({score for score, _ in rows}, reverse=True):
        flagged = [positive for score, positive in rows if score >= threshold]
        area += (sum(flagged) / total - recall_before) * sum(flagged) / len(flagged)
        recall_before = sum(flagged) / total
    assert found == pytest.approx(area, abs=1e-12)


@pytest.mark.parametrize("positive", [[True, True], [False, False], []])
def test_no_curve_without_both_kinds(positive: list[bool]) -> None:
    scores = np.linspace(0, 1, len(positive))
    assert curve(scores, np.array(positive, bool)) is None
    assert average_precision(scores, np.array(positive, bool)) is None


def test_a_curve_has_a_point_per_distinct_score() -> None:
    found = curve(np.array([0.2, 0.8, 0.8, 0.4]), np.array([1, 1, 0, 0], bool))
    assert found is not None
    assert found.thresholds.tolist() == [0.8, 0.4, 0.2]
    assert found.precision.tolist() == [1 / 2, 1 / 3, 2 / 4]
    assert found.recall.tolist() == [0.5, 0.5, 1.0]


def test_at_a_threshold() -> None:
    found = at_threshold(np.array([0.9, 0.5, 0.5, 0.4, 0.1]), np.array([1, 1, 0, 1, 0], bool), 0.5)
    counts = (found.true_positives, found.false_positives, found.false_negatives, found.true_negatives)
    assert counts == (2, 1, 1, 1), "a score that equals the threshold is flagged"
    assert (found.precision, found.recall, found.f1) == (2 / 3, 2 / 3, 4 / 6)


def test_what_cannot_be_told_is_none() -> None:
    nothing = at_threshold(np.array([0.1]), np.array([False]), 0.5)
    assert (nothing.precision, nothing.recall, nothing.f1) == (None, None, None)
    missed = at_threshold(np.array([0.1]), np.array([True]), 0.5)
    assert (missed.precision, missed.recall, missed.f1) == (None, 0.0, 0.0)


def test_calibration() -> None:
    scores = np.array([0.05, 0.05, 0.95, 0.85, 1.0, 0.1])
    found = calibration(scores, np.array([0, 1, 1, 0, 1, 0], bool))
    assert found is not None
    assert [(each.low, each.high, each.rows) for each in found.bins] == [
        (0.0, 0.1, 2),
        (0.1, 0.2, 1),  # a score on the border belongs above
        (0.8, 0.9, 1),
        (0.9, 1.0, 2),  # and 1 in the last
    ]
    assert [each.observed for each in found.bins] == [0.5, 0.0, 0.0, 1.0]
    assert [each.predicted for each in found.bins] == pytest.approx([0.05, 0.1, 0.85, 0.975])
    assert found.error == pytest.approx((2 * 0.45 + 0.1 + 0.85 + 2 * 0.025) / 6)
    assert calibration(np.array([]), np.array([], bool)) is None


def test_a_rate_has_an_interval() -> None:
    # Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 3.
    for events, cases, low, high in [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)]:
        assert Rate(events, cases).interval == pytest.approx((low, high), abs=5e-5)
    assert Rate(1, 4).share == 0.25
    assert (Rate(0, 0).share, Rate(0, 0).interval) == (None, None)
