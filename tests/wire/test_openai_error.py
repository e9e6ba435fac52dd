"""Errors in OpenAI's shape."""

from __future__ import annotations

import json

from guardrail.wire.openai_error import Fault, error_body, error_event, guard_error
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


def test_what_upstream_says_of_an_error_is_scanned() -> None:
    clean = b'{"error": {"message": "busy"}}'
    assert guard_error(POLICY, clean) == (clean, [])
    edited, findings = guard_error(POLICY, b'{"error":\n{"message": "bad: secret"}}')
    assert edited == b'{"error": {"message": "bad: [X]"}}'
    assert [f.rule for f in findings] == ["redact"]
    replaced, _ = guard_error(POLICY, b'{"error": "forbidden"}')
    assert json.loads(replaced)["error"]["message"] == POLICY.refusal
