"""The figures of a report as tables of text, the same in the terminal and in the page.

Pure. A figure that cannot be told is shown as a dash.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Report = dict[str, Any]
"""As `figures.measure` makes it."""

NOTHING = "–"


@dataclass(frozen=True, slots=True)
class Table:
    title: str
    note: str
    """What the figures are, in a sentence."""
    columns: list[str]
    """The heads; the first columns are names, the rest figures."""
    names: int
    """How many of the columns are names."""
    rows: list[list[str]]


def tables(report: Report) -> Iterator[Table]:
    """Every table that has a row, in the order of reading."""
    for table in (
        _average_precision(report),
        _points(report),
        _false_halts(report),
        _early_stop(report),
        *_fairness(report),
    ):
        if table.rows:
            yield table


def share(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.3f}"


def percent(value: float | None) -> str:
    return NOTHING if value is None else f"{100 * value:.1f}%"


def _average_precision(report: Report) -> Table:
    stages = report["stages"]
    rows = []
    for category, by_language in _first(stages)["categories"].items():
        for language, found in by_language.items():
            rows.append(
                [
                    category,
                    language,
                    f"{found['positives']:,}",
                    f"{found['negatives']:,}",
                    *(
                        share(stage["categories"][category][language][figure])
                        for figure in ("average_precision", "calibration_error")
                        for stage in stages.values()
                    ),
                ]
            )
    heads = [f"{figure} {stage}" for figure in ("AUPRC", "ECE") for stage in stages]
    return Table(
        "Precision and recall",
        "Area under the precision-recall curve as average precision; ECE: expected calibration error.",
        ["category", "language", "positives", "negatives", *heads],
        2,
        rows,
    )


def _points(report: Report) -> Table:
    stages = report["stages"]
    rows = []
    for category, by_language in _first(stages)["categories"].items():
        for language, found in by_language.items():
            if found["positives"] == 0:
                continue
            for point, at in found["points"].items():
                cells = [
                    share(stage["categories"][category][language]["points"][point][figure])
                    for stage in stages.values()
                    for figure in ("precision", "recall", "f1")
                ]
                rows.append([category, language, point, share(at["threshold"]), *cells])
    heads = [f"{figure} {stage}" for stage in stages for figure in ("P", "R", "F1")]
    return Table(
        "At the shipped thresholds",
        "Precision (P), recall (R) and F1 of rows, which depend on how many positives the data have.",
        ["category", "language", "point", "threshold", *heads],
        3,
        rows,
    )


def _false_halts(report: Report) -> Table:
    rows = []
    for name, stage in report["stages"].items():
        for language, found in stage["false_halts"].items():
            of = ", ".join(f"{category} {count}" for category, count in found["of"].items() if count)
            rows.append(
                [
                    name,
                    language,
                    f"{found['answers']:,}",
                    f"{found['halts']:,}",
                    _number(found["per_1000"]),
                    f"{_number(found['per_1000_low'])}–{_number(found['per_1000_high'])}",
                    of or NOTHING,
                ]
            )
    return Table(
        "False halts",
        "Harmless answers that are halted at the thresholds `precise`, with a 95% interval of the rate per 1,000.",
        ["stage", "language", "answers", "halts", "per 1,000", "95%", "by category"],
        2,
        rows,
    )


def _early_stop(report: Report) -> Table:
    rows = []
    for name, stage in report["stages"].items():
        for language, found in stage["early_stop"].items():
            for budget, shares in found["budgets"].items():
                rows.append(
                    [
                        name,
                        language,
                        f"{int(budget):,}",
                        f"{found['answers']:,}",
                        percent(found["halted"] / found["answers"] if found["answers"] else None),
                        percent(shares["median"]),
                        percent(shares["median_late"]),
                        percent(shares["median_of_halted"]),
                        percent(shares["median_of_halted_late"]),
                    ]
                )
    return Table(
        "Early stop",
        "Median share of a harmful answer that is delivered before the halt: when the verdict comes at once and (late) "
        "after the whole lag budget; of all harmful answers, where a missed one is 100%, and of the halted ones.",
        [
            "stage",
            "language",
            "lag budget",
            "answers",
            "halted",
            "all",
            "all, late",
            "halted only",
            "halted only, late",
        ],
        2,
        rows,
    )


def _fairness(report: Report) -> Iterator[Table]:
    stages = report["stages"]
    for kind in ("harmless", "harmful"):
        rows = []
        heads: list[str] = []
        for language, kinds in _first(stages)["fairness"].items():
            points = kinds[kind]
            heads = [f"{stage} {point}" for stage in stages for point in points]
            for axis, rate in next(iter(points.values()))["axes"].items():
                cells = [
                    percent(stage["fairness"][language][kind][point]["axes"][axis]["rate"])
                    for stage in stages.values()
                    for point in points
                ]
                rows.append([axis, language, f"{rate['fillings']:,}", *cells])
        yield Table(
            f"Flip rates, {kind} sentences",
            "Share of sentences whose decision differs from the majority of the same sentence about other groups.",
            ["axis", "language", "sentences", *heads],
            2,
            rows,
        )


def _first(stages: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(iter(stages.values()))
    return found


def _number(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.2f}"
