"""Prometheus metrics of pushed policies: what is in effect, what was refused, what shadows did and took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector


@dataclass(slots=True)
class ShadowCounters:
    """What the shadow policies of a process did since it began."""

    answers: Counter[tuple[str, int, str]] = field(default_factory=Counter)
    """By policy, version and result."""
    seconds: float = 0.0
    """Of processor time."""
    tokens: int = 0
    """Events with text that were judged to their end."""


@dataclass(frozen=True, slots=True)
class PushedState:
    """What is in effect at scrape time."""

    serial: int
    refused: bool
    keys: int


class PolicyMetrics(Collector):
    """`ShadowCounters` and the state of what is pushed, for Prometheus."""

    def __init__(self, state: Callable[[], PushedState], shadows: ShadowCounters) -> None:
        self._state = state
        self._shadows = shadows

    def collect(self) -> Iterator[Metric]:
        state, shadows = self._state(), self._shadows
        yield GaugeMetricFamily(
            "guardrail_pushed_policies_serial", "Serial of the pushed policies in effect; 0: none.", value=state.serial
        )
        yield GaugeMetricFamily(
            "guardrail_pushed_policies_refused",
            "1: what the state store says of policies is refused, and what was in effect stays.",
            value=float(state.refused),
        )
        yield GaugeMetricFamily("guardrail_stored_keys", "Keys of the state store that are known.", value=state.keys)
        answers = CounterMetricFamily(
            "guardrail_shadow_answers",
            "Answers that a shadow judged, by result.",
            labels=["policy", "version", "result"],
        )
        for (policy, version, result), number in shadows.answers.items():
            answers.add_metric([policy, str(version), result], number)
        yield answers
        yield CounterMetricFamily(
            "guardrail_shadow_cpu_seconds", "Processor time that shadow policies took.", value=shadows.seconds
        )
        yield CounterMetricFamily(
            "guardrail_shadow_tokens", "Events with text that shadow policies judged.", value=shadows.tokens
        )
