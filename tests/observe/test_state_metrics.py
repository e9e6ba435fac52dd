"""What a process counts of its state store is what Prometheus reads."""

from __future__ import annotations

from collections import Counter

import pytest
from prometheus_client import CollectorRegistry

from guardrail.observe.state_metrics import StateCounters, StateMetrics
from guardrail.state.sqlite import SqliteStore
from guardrail.state.steady import Steady
from guardrail.state.store import StateError


def test_counters_are_read_as_they_are_at_the_time() -> None:
    counters = StateCounters()
    registry = CollectorRegistry()
    registry.register(StateMetrics(counters))
    assert registry.get_sample_value("guardrail_state_up") == 1
    counters.up, counters.waiting, counters.lost, counters.asked, counters.seconds = False, 2, 3, 4, 0.5
    counters.without = Counter({("limits", "open"): 5})
    assert registry.get_sample_value("guardrail_state_up") == 0
    assert registry.get_sample_value("guardrail_state_backlog") == 2
    assert registry.get_sample_value("guardrail_state_lost_total") == 3
    assert registry.get_sample_value("guardrail_state_asked_total") == 4
    assert registry.get_sample_value("guardrail_state_wait_seconds_total") == 0.5
    assert registry.get_sample_value("guardrail_state_failures_total", {"use": "limits", "done": "open"}) == 5


async def test_the_store_counts_for_itself() -> None:
    inner = SqliteStore(None)
    store = Steady(inner)
    registry = CollectorRegistry()
    registry.register(StateMetrics(StateCounters(store=store)))
    await store.ping()
    inner._connection.execute("PRAGMA query_only = ON")
    with pytest.raises(StateError):
        await store.ping()
    assert registry.get_sample_value("guardrail_state_round_trips_total") == 2
    assert registry.get_sample_value("guardrail_state_errors_total", {"kind": "read-only"}) == 1
    await store.close()
