"""What differs between two reports."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from guardrail.evaluate.compare import cautions, differences
from guardrail.evaluate.figures import measure
from tests.evaluate.fake import FakeModel
from tests.evaluate.test_figures import ROWS, SCOPE


def report(**more: Any) -> dict[str, Any]:
    return {**measure(FakeModel(), ROWS, SCOPE, limit=1), **more}


def test_nothing_differs() -> None:
    assert differences(report(), report()).rows == []


def test_what_differs_is_told() -> None:
    before = report()
    after = deepcopy(before)
    encoder = after["stages"]["encoder"]
    encoder["categories"]["hate"]["all"]["average_precision"] += 0.25
    encoder["categories"]["hate"]["en"]["calibration_error"] += 0.00004
    encoder["categories"]["hate"]["zh"]["points"]["precise"]["recall"] = None
    encoder["false_halts"]["en"]["per_1000"] -= 100
    encoder["early_stop"]["en"]["budgets"]["100"]["median"] = 1.0
    encoder["fairness"]["en"]["harmful"]["precise"]["axes"]["age"]["rate"] = 0.5
    after["encoder_share"] = 1.0
    assert differences(before, after).rows == [
        ["encoder · hate · all · AUPRC", "0.4583", "0.7083", "+0.2500"],
        ["encoder · hate · zh · precise · recall", "0.0000", "–", "–"],
        ["encoder · en · false halts per 1,000", "500.0000", "400.0000", "-100.0000"],
        ["encoder · en · lag budget 100 · median share delivered", "0.8398", "1.0000", "+0.1602"],
        ["encoder · en · harmful · precise · age · flip rate", "0.0000", "0.5000", "+0.5000"],
        ["units that the encoder is asked about", "0.5455", "1.0000", "+0.4545"],
    ]


def test_what_only_one_has() -> None:
    before, after = report(), report()
    del after["stages"]["gate"]
    rows = differences(before, after).rows
    assert rows
    assert all(row[0].startswith("gate · ") and row[2:] == ["–", "–"] for row in rows)
    assert all(row[1] == "–" for row in differences(after, before).rows)


def test_cautions() -> None:
    other = report(data={"rows": 2})
    other["model"] = {**other["model"], "digest": "0" * 64}
    assert cautions(report(data={"rows": 1}), other) == ["The two reports are not of the same rows."]
    assert cautions(report(data={"rows": 2}), other) == []
    assert cautions(report(data={"rows": 2}), report(data={"rows": 2})) == ["The two reports are of the same model."]
    untold = ["One of the reports does not tell its rows: the two may be of different ones."]
    assert cautions(report(), other) == cautions(other, report()) == untold
