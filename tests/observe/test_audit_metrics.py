"""What an audit log tells of itself at a scrape."""

from __future__ import annotations

from pathlib import Path

from prometheus_client import CollectorRegistry

from guardrail.observe.audit import AuditLog
from guardrail.observe.audit_metrics import AuditMetrics
from guardrail.observe.audit_segments import segments
from guardrail.settings import AuditSettings
from tests.observe.test_audit import full_disk

NAMES = ("audit_failing", "audit_waiting", "audit_records_total", "audit_lost_total")


def told(log: AuditLog | None) -> list[float | None]:
    registry = CollectorRegistry()
    registry.register(AuditMetrics(log))
    return [registry.get_sample_value(f"guardrail_{name}") for name in NAMES]


def test_a_log_that_is_written_fails_and_ends(tmp_path: Path) -> None:
    log = AuditLog(tmp_path, AuditSettings())
    assert told(log) == [0, 0, 1, 0]
    with full_disk(3, segments(log.path)[0]):
        log.note("response", {"actor": "system"})
        assert told(log) == [1, 1, 1, 0]
        log.close()
    assert told(log) == [1, 0, 1, 1]


def test_there_is_no_log() -> None:
    assert told(None) == [0, 0, 0, 0]
