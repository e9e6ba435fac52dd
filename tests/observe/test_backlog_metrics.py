"""What waits, as Prometheus reads it; every name is documented."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from prometheus_client import CollectorRegistry

from guardrail.observe.backlog_metrics import Backlog, BacklogMetrics

DOCS = Path(__file__).parents[2] / "docs" / "operations.md"


def test_what_waits() -> None:
    registry, backlog, tries = CollectorRegistry(), Backlog(), Counter({"http_5xx": 2})
    registry.register(BacklogMetrics(backlog, tries))
    assert registry.get_sample_value("guardrail_complaints_overdue") is None
    backlog.complaints["appeal", "received"] = 3
    backlog.overdue, backlog.pending, backlog.late, backlog.read = 1, 4, 2, True
    expected = {
        "guardrail_complaints_overdue": 1,
        "guardrail_deliveries_pending": 4,
        "guardrail_deliveries_overdue": 2,
    }
    assert {name: registry.get_sample_value(name) for name in expected} == expected
    backlog.measures["suspend"] = 7
    assert registry.get_sample_value("guardrail_measures_in_force", {"measure": "suspend"}) == 7
    labels = {"kind": "appeal", "status": "received"}
    assert registry.get_sample_value("guardrail_complaints", labels) == 3
    assert registry.get_sample_value("guardrail_delivery_tries_total", {"result": "http_5xx"}) == 2


def test_every_name_is_documented() -> None:
    text = DOCS.read_text(encoding="utf-8")
    for family in BacklogMetrics(Backlog(), Counter()).collect():
        name = family.name + ("_total" if family.type == "counter" else "")
        assert f"`{name}`" in text
