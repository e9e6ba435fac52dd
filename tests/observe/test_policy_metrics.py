"""Metrics of what is pushed and of shadows."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from guardrail.observe.policy_metrics import PolicyMetrics, PushedState, ShadowCounters


def test_what_is_told() -> None:
    shadows = ShadowCounters(seconds=1.5, tokens=300)
    shadows.answers["p", 3, "differs"] += 2
    registry = CollectorRegistry()
    registry.register(PolicyMetrics(lambda: PushedState(17, True, 4), shadows))
    for name, labels, value in (
        ("guardrail_pushed_policies_serial", {}, 17),
        ("guardrail_pushed_policies_refused", {}, 1),
        ("guardrail_stored_keys", {}, 4),
        ("guardrail_shadow_answers_total", {"policy": "p", "version": "3", "result": "differs"}, 2),
        ("guardrail_shadow_cpu_seconds_total", {}, 1.5),
        ("guardrail_shadow_tokens_total", {}, 300),
    ):
        assert registry.get_sample_value(name, labels) == value
