"""Every finished request is counted once for how it ended, and once for each category and action it met."""

from __future__ import annotations

import pytest

from guardrail.governance.duty import Entering, Finished, Standing
from guardrail.governance.tally import Tally
from guardrail.observe.records import FindingRecord, InputRecord, Record
from guardrail.policy.registry import load_snapshot

SNAPSHOT = load_snapshot(None, environ={})
TENANT = SNAPSHOT.anonymous
assert TENANT is not None


def record(**changes: object) -> Record:
    fields = dict.fromkeys(
        (
            *("time", "request_id", "policy", "policy_digest", "upstream", "method", "path", "model", "fault"),
            "tenant",
        ),
        "",
    )
    numbers = dict.fromkeys(
        (
            *("status", "choices", "received", "scanned", "released", "removed", "dropped", "unscanned", "held_max"),
            *("tokens", "events", "events_delayed", "findings_total", "attempts", "bytes_in", "bytes_out"),
            *("first_byte_s", "duration_s"),
        ),
        0,
    )
    whole = {
        **fields,
        **numbers,
        **dict.fromkeys(("stream", "halted", "upstream_aborted"), False),
        **{name: [] for name in ("finish_reasons", "unknown_blocked", "findings")},
        "outcome": "complete",
        "tenant": "acme",
    }
    return Record(**{**whole, **changes})  # type: ignore[arg-type]


def finding(category: str, action: str) -> FindingRecord:
    return FindingRecord("rule", category, "high", action, "content", 0, 1)


def counted(told: Record) -> dict[str, int]:
    assert TENANT is not None
    entering = Entering("g-1", 0.0, TENANT, SNAPSHOT, None, None, None, {})
    (operation,) = Tally().after(Finished(entering, Standing(TENANT.policy), told))
    return dict(operation.counts)  # type: ignore[union-attr]


def test_a_clean_answer() -> None:
    assert counted(record()) == {"requests/complete@acme": 1}


def test_a_category_counts_once_for_each_side_and_action() -> None:
    found = [finding("personal_data", "redact"), finding("personal_data", "redact"), finding("self_harm", "halt")]
    asked = InputRecord(1, 5, 0, 0, [finding("self_harm", "log")], 1)
    assert counted(record(findings=found, halted=True, outcome="halted", input=asked)) == {
        "requests/halted@acme": 1,
        "findings/input/self_harm/log@acme": 1,
        "findings/output/personal_data/redact@acme": 1,
        "findings/output/self_harm/halt@acme": 1,
        "halts@acme": 1,
    }


@pytest.mark.parametrize(
    ("told", "counts"),
    [
        (record(label="start"), {"labels/start@acme": 1}),
        (record(label="header", outcome="halted"), {"labels/header@acme": 1}),
        (record(label="none", label_agreement="a-1"), {"unlabelled@acme": 1}),
        (record(label="start", outcome="fault"), {}),
        (record(label="none"), {}),
    ],
)
def test_labels(told: Record, counts: dict[str, int]) -> None:
    assert {name: number for name, number in counted(told).items() if "label" in name} == counts


def test_an_answer_that_was_withdrawn() -> None:
    assert counted(record(retracted=4))["retractions@acme"] == 1
