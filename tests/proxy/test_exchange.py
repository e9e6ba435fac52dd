"""An exchange becomes exactly one record, with what is known when it ends."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from guardrail.observe.metrics import ConfigState, Metrics
from guardrail.observe.records import Records
from guardrail.proxy.exchange import _NO_TEXT, Exchange, new_request_id
from guardrail.proxy.faults import Fault
from tests.proxy.harness import POLICY


def test_request_ids_are_long_and_different() -> None:
    made = {new_request_id() for _ in range(1000)}
    assert len(made) == 1000
    assert all(re.fullmatch(r"g-[0-9a-f]{16}", one) for one in made)


def test_the_headers_say_which_policy_or_that_there_was_none() -> None:
    exchange = Exchange("POST", "/v1/chat/completions")
    assert exchange.headers() == {"x-guardrail-request-id": exchange.request_id}
    exchange.policy = POLICY
    assert exchange.headers()["x-guardrail-policy"] == "test@abababababab"
    assert Exchange("GET", "/v1/models", passing=True).headers()["x-guardrail-policy"] == "none"


def test_what_a_client_can_make_long_is_cut() -> None:
    records = Records(1)
    metrics = Metrics(lambda: ConfigState(1, True, 0, 0), lambda: 0)
    exchange = Exchange("X" * 1000, "/" * 10_000)
    exchange.model, exchange.fault, exchange.status = "m" * 10_000, Fault.UNKNOWN_PATH, 404
    exchange.close(records, metrics)
    (record,) = records.newest(9)
    assert (len(record.method), len(record.path), len(record.model)) == (16, 256, 128)
    assert (record.tenant, record.outcome, record.fault, record.received) == ("-", "refused", "unknown_path", 0)
    assert record.time.endswith("Z")
    assert metrics.registry.get_sample_value("guardrail_requests_total", {"tenant": "-", "status": "404"}) == 1


@pytest.mark.parametrize("wrong", [{"received": -1}, {"held_max": None}, {"findings": (1,)}, {"received": object()}])
def test_a_record_that_goes_wrong_raises_nothing_and_is_counted(
    wrong: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    records = Records(1)
    metrics = Metrics(lambda: ConfigState(1, True, 0, 0), lambda: 0)
    exchange = Exchange("POST", "/v1/chat/completions")
    exchange.policy, exchange.outcome, exchange.text = POLICY, "complete", replace(_NO_TEXT, **wrong)  # type: ignore[arg-type]
    exchange.close(records, metrics)
    assert metrics.registry.get_sample_value("guardrail_record_failures_total") >= 1  # type: ignore[operator]
    assert f"{exchange.request_id}: " in caplog.text
    assert " in the record" in caplog.text
