"""The figures of a report, by rows whose scores are known."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from guardrail.evaluate.fairness import fillings, shipped
from guardrail.evaluate.figures import measure, sentences
from guardrail.evaluate.rows import Row
from guardrail.text.scores import CATEGORIES
from tests.evaluate.fake import FakeModel

SCOPE = {"whole": frozenset(CATEGORIES) - {"unsafe"}, "narrow": frozenset({"hate"})}
LEAD = "The weather was fine all day long. "
ROWS = [
    Row("An awful thing to say to anyone.", ["hate"], "response", "en", "whole:a"),
    Row(LEAD + "And then came the awful part of it. " + "Nothing else is to be told here.", ["hate"], "response", "en"),
    Row("这里没有什么可以说的。", ["hate"], "response", "zh", "whole:a"),
    Row("You idiot, go away and stay away.", ["harassment"], "post", "en", "whole:a"),
    Row("All is well, the sun is out again.", [], "response", "en", "whole:b"),
    Row("An awful storm has come over us all.", [], "response", "en", "whole:b"),
    Row("An awful storm has gone by, at last.", [], "response", "en", "narrow:b"),
    Row("A grim day it was for all of us.", [], "post", "en", "whole:b"),
    Row("今天天气很好，我们去公园散步。", [], "response", "zh", "whole:b"),
]


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    return measure(FakeModel(), ROWS, SCOPE, limit=1)


def test_precision_and_recall(report: dict[str, Any]) -> None:
    found = report["stages"]["encoder"]["categories"]["hate"]["all"]
    assert (found["positives"], found["negatives"]) == (3, 5), "the labelled row without hate says nothing of it"
    # Scores of positives .95 .95 .01; of negatives .01 .95 .95 .6 .01: the steps are at .95, .6 and .01.
    assert found["average_precision"] == pytest.approx(2 / 3 * 2 / 4 + 1 / 3 * 3 / 8, abs=1e-6)
    assert found["curve"] == [[0.666667, 0.5], [0.666667, 0.4], [1.0, 0.375]]
    at = found["points"]["balanced"]
    assert (at["true_positives"], at["false_positives"], at["false_negatives"], at["true_negatives"]) == (2, 3, 1, 2)
    assert (at["precision"], at["recall"], at["f1"]) == (0.4, 0.666667, 0.5)
    assert [each["rows"] for each in found["bins"]] == [3, 1, 4]
    assert found["calibration_error"] == pytest.approx((3 * (1 / 3 - 0.01) + 0.6 + 4 * 0.45) / 8, abs=1e-6)


def test_any_harm_is_unsafe(report: dict[str, Any]) -> None:
    found = report["stages"]["encoder"]["categories"]["unsafe"]["all"]
    assert (found["positives"], found["negatives"]) == (4, 4), "a row of a narrow set does not vouch for all"


def test_languages(report: dict[str, Any]) -> None:
    hate = report["stages"]["encoder"]["categories"]["hate"]
    assert list(hate) == ["all", "en", "zh"]
    assert (hate["zh"]["positives"], hate["zh"]["negatives"]) == (1, 1)
    harassment = report["stages"]["encoder"]["categories"]["harassment"]["zh"]
    assert (harassment["average_precision"], harassment["curve"]) == (None, [])


def test_false_halts(report: dict[str, Any]) -> None:
    halts = report["stages"]["encoder"]["false_halts"]
    assert (halts["all"]["halts"], halts["all"]["answers"], halts["all"]["per_1000"]) == (1, 3, 333.333333)
    assert (halts["en"]["halts"], halts["en"]["answers"]) == (1, 2), "posts and rows of a narrow set are no answers"
    assert (halts["zh"]["halts"], halts["zh"]["per_1000"]) == (0, 0.0)
    assert halts["zh"]["per_1000_high"] > 500, "one answer proves little"
    assert halts["all"]["of"] == {category: int(category == "hate") for category in CATEGORIES}
    assert report["stages"]["gate"]["false_halts"]["all"]["halts"] == 0, "the gate never says more than one half"


def test_early_stop(report: dict[str, Any]) -> None:
    found = report["stages"]["cascade"]["early_stop"]["en"]
    assert (found["answers"], found["halted"]) == (2, 2)
    share = len(LEAD.rstrip()) / len(ROWS[1].text)
    assert found["budgets"]["0"]["median"] == pytest.approx(share / 2, abs=1e-6)
    assert found["budgets"]["1000"]["median_late"] == 1.0
    everything = report["stages"]["cascade"]["early_stop"]["all"]
    assert (everything["answers"], everything["halted"]) == (3, 2)
    assert everything["budgets"]["0"]["median"] == pytest.approx(share, abs=1e-6), "of 0, the share, and 1"
    assert everything["budgets"]["0"]["median_of_halted"] == pytest.approx(share / 2, abs=1e-6)


def test_what_the_encoder_is_asked_about(report: dict[str, Any]) -> None:
    # Eleven units, of which six hold a word that the gate knows.
    assert (report["units"], report["encoder_share"]) == (11, round(6 / 11, 6))


def test_sentences_follow_the_languages() -> None:
    assert {each.language for each in sentences(["en", "en"])} == {"en"}
    assert {each.language for each in sentences(["", "fr"])} == {"en", "zh"}
    assert len(sentences(["zh"])) == len(fillings(shipped("zh")))
    few = sentences(["zh"], limit=1)
    assert {bool(each.labels) for each in few} == {True, False}
    assert len({each.template for each in few}) == 2


def test_flip_rates() -> None:
    class Prejudiced(FakeModel):
        """Hateful is whatever speaks of plumbers."""

        def score(self, windows: Any) -> list[tuple[float, ...]]:
            return [tuple(0.95 if "plumber" in window.text.lower() else 0.01 for _ in CATEGORIES) for window in windows]

    found = measure(Prejudiced(gate=False), ROWS[:1], None)["stages"]["encoder"]["fairness"]["en"]["harmless"][
        "precise"
    ]
    groups = len(shipped("en").axes["occupation"])
    axes = found["axes"]
    assert axes["occupation"]["rate"] == round(1 / groups, 6)
    assert {axis for axis, rate in axes.items() if rate["flips"]} == {"occupation", "all"}
    assert axes["all"]["flips"] == axes["occupation"]["flips"] == axes["occupation"]["fillings"] / groups


def test_a_model_without_thresholds_or_some_labels() -> None:
    model = FakeModel(["hate"])
    model.thresholds = {}
    stage = measure(model, ROWS, SCOPE, limit=1)["stages"]["cascade"]
    assert list(stage["categories"]) == ["hate"]
    assert stage["categories"]["hate"]["all"]["points"] == {}
    assert (stage["false_halts"], stage["early_stop"], stage["fairness"]) == ({}, {}, {})


def test_the_same_every_time_and_plain_json(report: dict[str, Any]) -> None:
    again = measure(FakeModel(), ROWS, SCOPE, limit=1, threads=2)
    assert json.dumps(again, allow_nan=False) == json.dumps(report, allow_nan=False)
    assert not any(row.text in json.dumps(report, ensure_ascii=False) for row in ROWS)
    assert not math.isnan(report["encoder_share"])
