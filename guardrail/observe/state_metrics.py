"""What a process counts of its state store: requests that went on without it, what waits to be written, what was lost.

Plain integers on the path of a request, read at scrape time. Labels are from fixed lists.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from guardrail.state.steady import Steady
from guardrail.state.store import Store


@dataclass(slots=True)
class StateCounters:
    """Of one process."""

    up: bool = True
    """Whether the store answered when it was asked last."""
    waiting: int = 0
    """Finished requests of which something is still to be written."""
    lost: int = 0
    """Of those, the ones that were given up."""
    asked: int = 0
    """Requests that waited for the store."""
    seconds: float = 0.0
    """For which they waited, in all."""
    without: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Requests for which it could not be asked, by use and by what was done instead: open, closed, local."""
    store: Store | None = None
    """Which counts for itself how often it was asked, and how that failed."""


class StateMetrics(Collector):
    """`StateCounters` for Prometheus."""

    def __init__(self, counters: StateCounters) -> None:
        self._counters = counters

    def collect(self) -> Iterator[Metric]:
        counters = self._counters
        yield GaugeMetricFamily(
            "guardrail_state_up", "1: the state store answers. 0: it cannot be asked.", value=float(counters.up)
        )
        yield GaugeMetricFamily(
            "guardrail_state_backlog", "Finished requests that wait to be written.", value=counters.waiting
        )
        yield CounterMetricFamily(
            "guardrail_state_lost", "Finished requests that were never written.", value=counters.lost
        )
        yield CounterMetricFamily(
            "guardrail_state_asked", "Requests that waited for the state store.", value=counters.asked
        )
        yield CounterMetricFamily(
            "guardrail_state_wait_seconds", "Seconds that requests waited for it, in all.", value=counters.seconds
        )
        without = CounterMetricFamily(
            "guardrail_state_failures",
            "Requests for which the state could not be asked, by use and by what was done instead.",
            labels=["use", "done"],
        )
        for (use, done), count in counters.without.items():
            without.add_metric([use, done], count)
        yield without
        if counters.store is not None:
            yield CounterMetricFamily(
                "guardrail_state_round_trips",
                "Round trips to the state store; what is asked at the same time shares one.",
                value=counters.store.round_trips,
            )
        if isinstance(counters.store, Steady):
            errors = CounterMetricFamily(
                "guardrail_state_errors", "Calls that the state store did not answer, by kind.", labels=["kind"]
            )
            for kind, count in counters.store.failures.items():
                errors.add_metric([kind], count)
            yield errors
