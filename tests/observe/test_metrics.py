"""Metrics: what a record counts as, and that each name is documented."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from guardrail.classify.classifier import LocalClassifier
from guardrail.classify.judge import verdicts_of
from guardrail.observe.metrics import AddedLatency, ConfigState, Metrics
from guardrail.text.units import Window
from tests.classify.faulty import FaultyModel
from tests.observe.test_records import record

DOCS = Path(__file__).parents[2] / "docs" / "operations.md"


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(lambda: ConfigState(3, False, 2, 1e9), lambda: 7)


def sample(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def test_a_halted_response(metrics: Metrics) -> None:
    done = record(
        tenant="acme",
        status=200,
        outcome="halted",
        halted=True,
        policy="p@1",
        upstream_aborted=True,
        received=90,
        scanned=90,
        released=60,
        removed=30,
        tokens=12,
        events=14,
        events_delayed=2,
        held_max=17,
        attempts=2,
    )
    metrics.count_record(done, findings={("r1", "halt"): 1, ("r2", "redact"): 3})
    assert sample(metrics, "guardrail_requests_total", tenant="acme", status="200") == 1
    assert sample(metrics, "guardrail_responses_total", outcome="halted") == 1
    assert sample(metrics, "guardrail_halts_total", tenant="acme") == 1
    assert sample(metrics, "guardrail_upstream_aborts_total", reason="halt") == 1
    assert sample(metrics, "guardrail_findings_total", rule="r2", action="redact") == 3
    assert sample(metrics, "guardrail_characters_total", state="removed") == 30
    assert sample(metrics, "guardrail_tokens_total", tenant="acme") == 12
    assert sample(metrics, "guardrail_events_delayed_total") == 2
    assert sample(metrics, "guardrail_held_characters_bucket", le="32.0") == 1
    assert sample(metrics, "guardrail_held_characters_bucket", le="16.0") == 0
    assert sample(metrics, "guardrail_upstream_retries_total") == 1


def test_a_fault_and_a_disconnect(metrics: Metrics) -> None:
    metrics.count_record(record(tenant="-", status=502, outcome="fault", fault="connect_failed"), findings={})
    metrics.count_record(record(tenant="a", outcome="disconnected", upstream_aborted=True), findings={})
    assert sample(metrics, "guardrail_faults_total", kind="connect_failed") == 1
    assert sample(metrics, "guardrail_upstream_aborts_total", reason="disconnected") == 1


def test_a_refused_request_held_nothing_that_could_be_measured(metrics: Metrics) -> None:
    metrics.count_record(record(status=400, outcome="refused", policy="p@1", fault="bad_request"), findings={})
    assert sample(metrics, "guardrail_held_characters_count") == 0
    metrics.count_record(record(status=200, outcome="complete", policy="p@1"), findings={})
    assert sample(metrics, "guardrail_held_characters_count") == 1


def test_configuration_and_load_are_read_at_scrape_time(metrics: Metrics) -> None:
    text = metrics.exposition().decode()
    assert "guardrail_config_generation 3.0" in text
    assert "guardrail_config_last_reload_ok 0.0" in text
    assert "guardrail_config_problems 2.0" in text
    assert "guardrail_streams_in_flight 7.0" in text
    assert "_created" not in text


def test_added_latency_is_a_histogram() -> None:
    added = AddedLatency()
    added.observe(0.00004, 10)
    added.observe(0.3, 1)
    added.observe(60, 1)
    (family,) = added.collect()
    values = {s.labels.get("le", s.name): s.value for s in family.samples}
    assert (values["2.5e-05"], values["5e-05"]) == (0, 10)
    assert values["0.5"] == 11
    assert values["+Inf"] == values["guardrail_event_added_seconds_count"] == 12
    assert values["guardrail_event_added_seconds_sum"] == pytest.approx(60.3004)


def test_every_metric_is_documented(metrics: Metrics) -> None:
    page = DOCS.read_text()
    names = {family.name for family in text_string_to_metric_families(metrics.exposition().decode())}
    ours = {name for name in names if name.startswith("guardrail_")}
    assert len(ours) > 15
    assert [name for name in sorted(ours) if f"`{name}" not in page] == []


async def test_what_classifiers_count_is_read_at_scrape_time() -> None:
    classifier = LocalClassifier(FaultyModel())
    metrics = Metrics(lambda: ConfigState(1, True, 0, 0), lambda: 0, [classifier])
    await verdicts_of(classifier, [Window("", "sure"), Window("", "fine"), Window("", "nan")], 5.0)
    metrics.verdicts.observe(0.0003)
    model = "faulty@000000000000"
    assert sample(metrics, "guardrail_classifier_units_total", model=model, stage="gate") == 1
    assert sample(metrics, "guardrail_classifier_units_total", model=model, stage="encoder") == 1
    assert sample(metrics, "guardrail_classifier_failures_total", model=model, kind="broken") == 1
    assert sample(metrics, "guardrail_classifier_failures_total", model=model, kind="deadline") == 0
    assert sample(metrics, "guardrail_classifier_waiting", model=model) == 0
    assert sample(metrics, "guardrail_classifier_calls_total", model=model) in (1, 2)
    assert sample(metrics, "guardrail_classifier_verdict_seconds_bucket", le="0.001") == 1
    assert sample(metrics, "guardrail_classifier_verdict_seconds_bucket", le="0.00025") == 0
    await classifier.close()
