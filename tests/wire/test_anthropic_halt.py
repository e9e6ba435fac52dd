"""What is said of a halt and of faults."""

from __future__ import annotations

import json

import pytest

from guardrail.text.scanner import compile_rules
from guardrail.wire.answer import Fault
from guardrail.wire.anthropic_halt import PING, error_body, error_event, guard_error, notice_events, refused, sidecar
from guardrail.wire.protocol import Refusal
from guardrail.wire.whole_text import Verdicts
from tests.wire.anthropic_client import START, begin, read
from tests.wire.chat import halt, policy, redact


def test_a_refusal_says_the_notice_where_sdks_look_for_a_reason() -> None:
    assert (
        refused(policy(notice="\nStopped, case {case_id}."), "g-1")["stop_details"]["explanation"]
        == "Stopped, case g-1."
    )
    assert refused(policy(notice=""), "g-1") == {
        "stop_reason": "refusal",
        "stop_sequence": None,
        "stop_details": {"type": "refusal", "category": None, "explanation": None},
    }


def test_the_sidecar_is_a_ping_to_those_who_do_not_know_it() -> None:
    said = sidecar({"action": "halt"})
    assert said == b'event: guardrail\ndata: {"type":"ping","guardrail":{"action":"halt"}}\n\n'
    assert read(said).guardrail == [{"action": "halt"}]
    assert read(PING).guardrail == []


def test_the_notice_stands_in_the_open_block_or_in_one_of_its_own() -> None:
    fresh = read(b"".join([START, *notice_events("No.", 0, began=False)]))
    open_block = read(b"".join([START, begin(), *notice_events("No.", 0, began=True)]))
    assert fresh.content == open_block.content == [{"type": "text", "text": "No."}]


@pytest.mark.parametrize(
    ("status", "type"),
    [(400, "invalid_request_error"), (401, "authentication_error"), (403, "permission_error"), (404, "not_found_error"),
     (413, "request_too_large"), (418, "invalid_request_error"), (429, "rate_limit_error"), (500, "api_error"),
     (502, "api_error"), (503, "overloaded_error"), (504, "timeout_error"), (529, "overloaded_error")],
)  # fmt: skip
def test_errors_have_the_type_of_their_status(status: int, type: str) -> None:
    body = error_body(Refusal(status, "server_error", "No.", code="c"))
    assert json.loads(body) == {"type": "error", "error": {"type": type, "message": "No.", "code": "c"}}


def test_a_fault_is_an_error_event() -> None:
    event = error_event(Fault("shutdown", "Going down."))
    assert event.startswith(b"event: error\ndata: ")
    assert read(event).errors == [{"type": "api_error", "message": "Going down.", "code": "shutdown"}]


def test_an_error_of_upstream_is_scanned_like_text() -> None:
    rules = compile_rules([redact("secret"), halt("forbidden")])
    clean = b'{"type": "error", "error": {"message": "ok"}}'
    assert guard_error("No.", rules, clean, Verdicts())[0] is clean
    edited, _ = guard_error("No.", rules, clean.replace(b"ok", b"a secret"), Verdicts())
    assert json.loads(edited)["error"]["message"] == "a [X]"
    halted, outcome = guard_error("No.", rules, clean.replace(b"ok", b"forbidden"), Verdicts())
    assert json.loads(halted) == {"type": "error", "error": {"type": "api_error", "message": "No."}}
    assert outcome.halted is not None
