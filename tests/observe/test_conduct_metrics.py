"""What is counted of the conduct ladder, as Prometheus reads it and as the docs name it."""

from __future__ import annotations

from pathlib import Path

from prometheus_client import CollectorRegistry

from guardrail.observe.conduct_metrics import ConductCounters, ConductMetrics

DOCS = Path(__file__).parents[2] / "docs" / "operations.md"


def test_steps_and_requests_under_a_measure() -> None:
    counters, registry = ConductCounters(), CollectorRegistry()
    registry.register(ConductMetrics(counters))
    counters.steps["suspend", "illicit"] += 1
    counters.under["suspend"] += 3
    labels = {"step": "suspend", "category": "illicit"}
    assert registry.get_sample_value("guardrail_conduct_steps_total", labels) == 1
    assert registry.get_sample_value("guardrail_conduct_requests_total", {"measure": "suspend"}) == 3
    for family in registry.collect():
        assert f"`{family.name}_total`" in DOCS.read_text(encoding="utf-8")
