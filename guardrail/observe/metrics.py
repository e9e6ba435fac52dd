"""Prometheus metrics of one process. Every name here has its line in docs/operations.md; a test compares them.

Promises: labels come from the configuration and from fixed lists only (tenant names, rule ids, fault kinds), so
that no client can add a time series. Nothing on the path of a token takes a lock: what is counted per event is
counted in plain integers and read at scrape time.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from guardrail.observe.audit import AuditLog
from guardrail.observe.audit_metrics import AuditMetrics
from guardrail.observe.log import dropped_lines
from guardrail.observe.records import InputRecord, Record
from guardrail.observe.state_metrics import StateCounters, StateMetrics

if TYPE_CHECKING:
    from guardrail.classify.classifier import Classifier

ADDED_BUCKETS = (
    0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005,
    0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
)  # fmt: skip
"""Seconds. Scanning takes tens of microseconds; a held event waits for the model's next tokens: tens to hundreds
of milliseconds; a withheld tool call, seconds."""

HELD_BUCKETS = (0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 1024, 4096, 16384, 65536)
"""Characters; a power of two is as fine as anybody asks."""


class AddedLatency(Collector):
    """Histogram of seconds from an event's arrival to its delivery, filled by plain integer arithmetic."""

    def __init__(self) -> None:
        self._counts = [0] * (len(ADDED_BUCKETS) + 1)
        self._sum = 0.0

    def observe(self, seconds: float, events: int) -> None:
        """`events` events were each delivered `seconds` after they came."""
        self._counts[bisect_left(ADDED_BUCKETS, seconds)] += events
        self._sum += seconds * events

    def collect(self) -> Iterator[Metric]:
        total = 0
        buckets: list[tuple[str, float]] = []
        for bound, count in zip((*map(floatToGoString, ADDED_BUCKETS), "+Inf"), self._counts, strict=True):
            total += count
            buckets.append((bound, float(total)))
        yield HistogramMetricFamily(
            "guardrail_event_added_seconds",
            "Seconds from an event's arrival to its delivery: scanning and hold-back, not the network.",
            buckets=buckets,
            sum_value=self._sum,
        )


VERDICT_BUCKETS = (0.00005, 0.0001, 0.00025, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Seconds. The first stage takes tens of microseconds, the encoder some milliseconds and its queue as much again."""


class VerdictLatency(Collector):
    """Histogram of seconds from the end of a unit to its verdict, filled by plain integer arithmetic."""

    def __init__(self) -> None:
        self._counts = [0] * (len(VERDICT_BUCKETS) + 1)
        self._sum = 0.0

    def observe(self, seconds: float) -> None:
        self._counts[bisect_left(VERDICT_BUCKETS, seconds)] += 1
        self._sum += seconds

    def collect(self) -> Iterator[Metric]:
        total = 0
        buckets: list[tuple[str, float]] = []
        for bound, count in zip((*map(floatToGoString, VERDICT_BUCKETS), "+Inf"), self._counts, strict=True):
            total += count
            buckets.append((bound, float(total)))
        yield HistogramMetricFamily(
            "guardrail_classifier_verdict_seconds",
            "Seconds from the end of a unit to its verdict, whichever stage gave it.",
            buckets=buckets,
            sum_value=self._sum,
        )


class ClassifierMetrics(Collector):
    """What the classifiers of the process count themselves."""

    def __init__(self, classifiers: Iterable[Classifier]) -> None:
        self._classifiers = classifiers

    def collect(self) -> Iterator[Metric]:
        units = CounterMetricFamily(
            "guardrail_classifier_units", "Units scored, by the stage that did.", labels=["model", "stage"]
        )
        failures = CounterMetricFamily(
            "guardrail_classifier_failures", "Units without scores, by kind.", labels=["model", "kind"]
        )
        calls = CounterMetricFamily(
            "guardrail_classifier_calls", "Runs of the encoder, or requests to a detector.", labels=["model"]
        )
        replaced = CounterMetricFamily(
            "guardrail_classifier_replaced", "Threads replaced, or times a detector was left alone.", labels=["model"]
        )
        waiting = GaugeMetricFamily("guardrail_classifier_waiting", "Units in the queue.", labels=["model"])
        for classifier in self._classifiers:
            name, counters = f"{classifier.name}@{classifier.digest[:12]}", classifier.counters
            units.add_metric([name, "gate"], counters.quick)
            units.add_metric([name, "encoder"], counters.scored)
            for kind, count in counters.failures.items():
                failures.add_metric([name, kind.value], count)
            calls.add_metric([name], counters.calls)
            replaced.add_metric([name], counters.replaced)
            waiting.add_metric([name], classifier.waiting)
        yield from (units, failures, calls, replaced, waiting)


@dataclass(frozen=True, slots=True)
class ConfigState:
    """What is known of the configuration at scrape time."""

    generation: int
    last_reload_ok: bool
    problems: int
    loaded_at: float


class DroppedLines(Collector):
    """Record lines that the log could not take."""

    def collect(self) -> Iterator[Metric]:
        yield CounterMetricFamily(
            "guardrail_records_dropped", "Record lines dropped as the log could not keep up.", value=dropped_lines()
        )


class Metrics:
    """The metrics of one proxy process, in a registry of their own."""

    def __init__(
        self,
        config_state: Callable[[], ConfigState],
        in_flight: Callable[[], int],
        classifiers: Iterable[Classifier] = (),
        state: StateCounters | None = None,
        audit: AuditLog | None = None,
    ) -> None:
        """`classifiers`: those of the process, asked at each scrape. `state`: None without a state store; `audit`:
        None without an audit log."""
        # The library's `_created` series double the number of series and say nothing that is used.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self.added = AddedLatency()
        self.registry.register(self.added)
        self.verdicts = VerdictLatency()
        self.registry.register(self.verdicts)
        self.registry.register(ClassifierMetrics(classifiers))
        self.registry.register(DroppedLines())
        self.registry.register(StateMetrics(state or StateCounters()))
        self.registry.register(AuditMetrics(audit))
        ProcessCollector(registry=self.registry)
        self._config_state = config_state

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"guardrail_{name}", text, labels, registry=self.registry)

        def gauge(name: str, text: str) -> Gauge:
            return Gauge(f"guardrail_{name}", text, registry=self.registry)

        self._requests = counter("requests", "Requests answered.", "tenant", "status")
        self._responses = counter("responses", "How responses ended.", "outcome")
        self._tokens = counter("tokens", "Events with model text, close to the number of tokens.", "tenant")
        self._characters = counter(
            "characters",
            "Code points of model text: received, scanned, released, removed, dropped, retracted, unscanned.",
            "state",
        )
        self._events = counter("events", "Stream events received.")
        self._delayed = counter("events_delayed", "Stream events that hold-back made wait.")
        self._findings = counter("findings", "Hits, by rule and action.", "rule", "action")
        self._input_findings = counter("input_findings", "Hits in prompts, by rule and action.", "rule", "action")
        self._input_characters = counter(
            "input_characters", "Code points of prompts: scanned, removed, unscanned.", "state"
        )
        self._refusals = counter("prompts_refused", "Prompts that a rule refused.", "tenant")
        self._halts = counter("halts", "Responses ended by a rule.", "tenant")
        self._retractions = counter("retractions", "Responses of which delivered text was withdrawn.", "tenant")
        self._aborts = counter("upstream_aborts", "Upstream requests closed before their end.", "reason")
        self._faults = counter("faults", "Responses that ended in a fault, by kind.", "kind")
        self._retries = counter("upstream_retries", "Requests made again to the upstream.")
        self._unknown = counter("unknown_fields_blocked", "Fields of unknown shape that were removed.")
        self._failed_records = counter("record_failures", "Records that could not be made, kept or counted.")
        self._held = Histogram(
            "guardrail_held_characters",
            "Most characters withheld at one moment, for each response.",
            buckets=HELD_BUCKETS,
            registry=self.registry,
        )
        gauge("streams_in_flight", "Responses in flight.").set_function(in_flight)
        self._generation = gauge("config_generation", "How many times a configuration took effect.")
        self._reload_ok = gauge("config_last_reload_ok", "1: the files are in use. 0: the last edit was refused.")
        self._problems = gauge("config_problems", "Problems found in the last edit that was refused.")
        self._loaded_at = gauge("config_loaded_timestamp_seconds", "When the configuration in use was loaded.")

    def count_record(
        self,
        record: Record,
        *,
        findings: Mapping[tuple[str, str], int],
        input_findings: Mapping[tuple[str, str], int] | None = None,
    ) -> None:
        """Count one response. `findings`, `input_findings`: number of hits by (rule id, action)."""
        tenant = record.tenant
        self._requests.labels(tenant, str(record.status)).inc()
        self._responses.labels(record.outcome).inc()
        if record.tokens:
            self._tokens.labels(tenant).inc(record.tokens)
        for state, count in (
            ("received", record.received),
            ("scanned", record.scanned),
            ("released", record.released),
            ("removed", record.removed),
            ("dropped", record.dropped),
            ("retracted", record.retracted),
            ("unscanned", record.unscanned),
        ):
            if count:
                self._characters.labels(state).inc(count)
        self._events.inc(record.events)
        self._delayed.inc(record.events_delayed)
        for (rule, action), count in findings.items():
            self._findings.labels(rule, action).inc(count)
        if record.input is not None:
            self._count_input(record.input, input_findings or {})
        if record.outcome == "refused_input":
            self._refusals.labels(tenant).inc()
        if record.halted:
            self._halts.labels(tenant).inc()
        if record.retracted:
            self._retractions.labels(tenant).inc()
        if record.upstream_aborted:
            reason = "halt" if record.halted else record.outcome
            self._aborts.labels(reason).inc()
        if record.fault:
            self._faults.labels(record.fault).inc()
        if record.attempts > 1:
            self._retries.inc(record.attempts - 1)
        if record.unknown_blocked:
            self._unknown.inc(len(record.unknown_blocked))
        if record.policy and record.outcome not in ("refused", "refused_input"):
            self._held.observe(record.held_max)

    def count_failed_record(self) -> None:
        """A record could not be made, kept or counted."""
        self._failed_records.inc()

    def _count_input(self, record: InputRecord, findings: Mapping[tuple[str, str], int]) -> None:
        for state, count in (
            ("scanned", record.scanned),
            ("removed", record.removed),
            ("unscanned", record.unscanned),
        ):
            if count:
                self._input_characters.labels(state).inc(count)
        for (rule, action), count in findings.items():
            self._input_findings.labels(rule, action).inc(count)

    def exposition(self) -> bytes:
        """The text that Prometheus scrapes (text format 0.0.4)."""
        state = self._config_state()
        self._generation.set(state.generation)
        self._reload_ok.set(1 if state.last_reload_ok else 0)
        self._problems.set(state.problems)
        self._loaded_at.set(state.loaded_at)
        return generate_latest(self.registry)
