"""The tables of a report."""

from __future__ import annotations

import pytest

from guardrail.evaluate.figures import measure
from guardrail.evaluate.tables import NOTHING, percent, share, tables
from tests.evaluate.fake import FakeModel
from tests.evaluate.test_figures import ROWS, SCOPE


def test_every_table() -> None:
    shown = {table.title: table for table in tables(measure(FakeModel(), ROWS, SCOPE, limit=1))}
    assert list(shown) == [
        "Precision and recall",
        "At the shipped thresholds",
        "False halts",
        "Early stop",
        "Flip rates, harmless sentences",
        "Flip rates, harmful sentences",
    ]
    for table in shown.values():
        assert {len(row) for row in table.rows} == {len(table.columns)}
        assert table.note
    assert shown["Precision and recall"].rows[0][:4] == ["hate", "all", "3", "5"]
    assert shown["Precision and recall"].columns[4:] == [
        *("AUPRC gate", "AUPRC encoder", "AUPRC cascade", "ECE gate", "ECE encoder", "ECE cascade")
    ]
    balanced = next(row for row in shown["At the shipped thresholds"].rows if row[:3] == ["hate", "all", "balanced"])
    assert balanced[3:] == ["0.500", "0.400", "0.667", "0.500", "0.400", "0.667", "0.500", "0.400", "0.667", "0.500"]
    assert ["encoder", "all", "3", "1", "333.33"] in [row[:5] for row in shown["False halts"].rows]
    assert ["cascade", "en", "0", "2", "100.0%"] in [row[:5] for row in shown["Early stop"].rows]
    assert ["ethnicity", "en"] in [row[:2] for row in shown["Flip rates, harmless sentences"].rows]


def test_a_table_without_rows_is_not_shown() -> None:
    model = FakeModel()
    model.thresholds = {}
    assert [table.title for table in tables(measure(model, ROWS, SCOPE, limit=1))] == ["Precision and recall"]


@pytest.mark.parametrize(
    ("value", "as_share", "as_percent"),
    [(None, NOTHING, NOTHING), (0.0, "0.000", "0.0%"), (0.4567, "0.457", "45.7%")],
)
def test_numbers(value: float | None, as_share: str, as_percent: str) -> None:
    assert (share(value), percent(value)) == (as_share, as_percent)
