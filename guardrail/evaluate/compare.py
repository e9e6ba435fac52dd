"""What differs between two reports: the figures that people decide by, one line each.

Pure. Figures that only one of the two has are shown too; what is equal to four digits is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from guardrail.evaluate.tables import NOTHING, Report, Table

_LEAST = 0.00005
"""The smallest difference that four digits show."""

Key = tuple[str, ...]


def differences(before: Report, after: Report) -> Table:
    """The figures that differ, in the order of the report."""
    old, new = dict(_figures(before)), dict(_figures(after))
    rows = []
    for key in [*new, *(key for key in old if key not in new)]:
        was, now = old.get(key), new.get(key)
        if was is None and now is None:
            continue
        if was is not None and now is not None:
            if abs(now - was) < _LEAST:
                continue
            change = f"{now - was:+.4f}"
        else:
            change = NOTHING
        rows.append([" · ".join(key), _shown(was), _shown(now), change])
    return Table("Differences", "", ["figure", "before", "now", "change"], 1, rows)


def cautions(before: Report, after: Report) -> list[str]:
    """Why the two may not be comparable, as sentences."""
    found = []
    if "data" not in before or "data" not in after:
        found.append("One of the reports does not tell its rows: the two may be of different ones.")
    elif before["data"] != after["data"]:
        found.append("The two reports are not of the same rows.")
    if before["model"]["digest"] == after["model"]["digest"]:
        found.append("The two reports are of the same model.")
    return found


def _figures(report: Report) -> Iterator[tuple[Key, float | None]]:
    for name, stage in report["stages"].items():
        for category, by_language in stage["categories"].items():
            for language, found in by_language.items():
                yield (name, category, language, "AUPRC"), found["average_precision"]
                yield (name, category, language, "ECE"), found["calibration_error"]
                for point, at in found["points"].items():
                    for figure in ("precision", "recall", "f1"):
                        yield (name, category, language, point, figure), at[figure]
        for language, found in stage["false_halts"].items():
            yield (name, language, "false halts per 1,000"), found["per_1000"]
        for language, found in stage["early_stop"].items():
            for budget, shares in found["budgets"].items():
                yield (name, language, f"lag budget {budget}", "median share delivered"), shares["median"]
        yield from _flips(name, stage["fairness"])
    yield ("units that the encoder is asked about",), report["encoder_share"]


def _flips(name: str, fairness: dict[str, Any]) -> Iterator[tuple[Key, float | None]]:
    for language, kinds in fairness.items():
        for kind, points in kinds.items():
            for point, found in points.items():
                for axis, rate in found["axes"].items():
                    yield (name, language, kind, point, axis, "flip rate"), rate["rate"]


def _shown(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.4f}"
