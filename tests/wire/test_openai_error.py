"""Errors in OpenAI's shape."""

from __future__ import annotations

import json

from guardrail.wire.answer import Fault
from guardrail.wire.openai_error import error_body, error_event, guard_error
from guardrail.wire.tool_arguments import Arguments
from guardrail.wire.whole_text import Verdicts
from tests.wire.chat import halt, policy, redact

POLICY = policy(redact("secret"), halt("forbidden"))


def test_a_body_and_an_event() -> None:
    body = error_body("No.", "invalid_request_error", "content_filter", "messages")
    assert json.loads(body) == {
        "error": {"message": "No.", "type": "invalid_request_error", "param": "messages", "code": "content_filter"}
    }
    assert error_event(Fault("limit", "Too long.")) == (
        b'data: {"error":{"message":"Too long.","type":"upstream_error","param":null,"code":"limit"}}\n\n'
    )


def guarded(data: bytes) -> tuple[bytes, Arguments]:
    return guard_error(POLICY.refusal, POLICY.rules, data, Verdicts())


def test_what_upstream_says_of_an_error_is_scanned() -> None:
    clean = b'{"error": {"message": "busy"}}'
    said, outcome = guarded(clean)
    assert (said, outcome.findings) == (clean, [])
    edited, outcome = guarded(b'{"error":\n{"message": "bad: secret"}}')
    assert edited == b'{"error": {"message": "bad: [X]"}}'
    assert [f.rule for f in outcome.findings] == ["redact"]
    replaced, _ = guarded(b'{"error": "forbidden"}')
    assert json.loads(replaced)["error"]["message"] == POLICY.refusal
