"""What waits for people and applications: complaints that are not decided, messages that are not acknowledged; and
what is in force against people.

The numbers are of the whole installation, as one process last read them: of several processes the highest counts, not
the sum. Labels: kinds, states and what came of a try; never a tenant's person, never an id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector


@dataclass(slots=True)
class Backlog:
    """As it was last read."""

    read: bool = False
    """False: it was not read yet, so that nothing is told."""
    complaints: Counter[tuple[str, str]] = field(default_factory=Counter)
    """That are not closed, by kind and status."""
    overdue: int = 0
    """Complaints whose decision is late."""
    pending: int = 0
    """Messages that were not acknowledged."""
    late: int = 0
    """Those of them that should have been."""
    measures: Counter[str] = field(default_factory=Counter)
    """People under a measure, by the gravest that they are under."""


class BacklogMetrics(Collector):
    """`Backlog`, and the tries of this process's courier, for Prometheus."""

    def __init__(self, backlog: Backlog, tries: Counter[str]) -> None:
        self._backlog = backlog
        self._tries = tries

    def collect(self) -> Iterator[Metric]:
        backlog = self._backlog
        complaints = GaugeMetricFamily(
            "guardrail_complaints", "Complaints that are not closed, by kind and status.", labels=["kind", "status"]
        )
        for (kind, status), number in backlog.complaints.items():
            complaints.add_metric([kind, status], number)
        overdue = GaugeMetricFamily("guardrail_complaints_overdue", "Complaints whose decision is late.")
        pending = GaugeMetricFamily("guardrail_deliveries_pending", "Messages that were not acknowledged yet.")
        late = GaugeMetricFamily("guardrail_deliveries_overdue", "Messages that are late.")
        if backlog.read:
            overdue.add_metric([], backlog.overdue)
            pending.add_metric([], backlog.pending)
            late.add_metric([], backlog.late)
        measures = GaugeMetricFamily(
            "guardrail_measures_in_force", "People under a measure, by the gravest.", labels=["measure"]
        )
        for measure, number in backlog.measures.items():
            measures.add_metric([measure], number)
        tries = CounterMetricFamily(
            "guardrail_delivery_tries", "Tries to deliver a message, by what came of them.", labels=["result"]
        )
        for result, number in self._tries.items():
            tries.add_metric([result], number)
        yield from (complaints, overdue, pending, late, measures, tries)
