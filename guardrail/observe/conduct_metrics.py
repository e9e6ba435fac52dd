"""What a process counts of the conduct ladder. Labels: steps, and categories of rules; never a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from prometheus_client.core import CounterMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector


@dataclass(slots=True)
class ConductCounters:
    """Of one process."""

    steps: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Steps that were taken, by step and by the category of the strike that weighed most."""
    under: Counter[str] = field(default_factory=Counter)
    """Requests of people under a measure, by the measure: served with a warning or a stricter policy, or refused."""


class ConductMetrics(Collector):
    """`ConductCounters` for Prometheus."""

    def __init__(self, counters: ConductCounters) -> None:
        self._counters = counters

    def collect(self) -> Iterator[Metric]:
        steps = CounterMetricFamily(
            "guardrail_conduct_steps", "Steps of the conduct ladder that were taken.", labels=["step", "category"]
        )
        for (step, category), number in self._counters.steps.items():
            steps.add_metric([step, category], number)
        under = CounterMetricFamily(
            "guardrail_conduct_requests", "Requests of people under a measure.", labels=["measure"]
        )
        for measure, number in self._counters.under.items():
            under.add_metric([measure], number)
        yield from (steps, under)
