"""What an audit log counts of itself, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from guardrail.observe.audit import AuditLog


class AuditMetrics(Collector):
    """Of one process; without an audit log nothing is failing and nothing is written."""

    def __init__(self, log: AuditLog | None) -> None:
        self._log = log

    def collect(self) -> Iterator[Metric]:
        log = self._log
        yield GaugeMetricFamily(
            "guardrail_audit_failing", "1: the audit log cannot be written.", value=float(bool(log and log.failing))
        )
        yield GaugeMetricFamily(
            "guardrail_audit_waiting", "Records that wait to be written.", value=log.waiting if log else 0
        )
        yield CounterMetricFamily(
            "guardrail_audit_records", "Records written to the audit log.", value=log.written if log else 0
        )
        yield CounterMetricFamily(
            "guardrail_audit_lost", "Records that were never written to it.", value=log.lost if log else 0
        )
