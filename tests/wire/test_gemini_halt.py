"""What a client of Gemini is told when something ends early."""

from __future__ import annotations

import json
from typing import Any

import pytest

from guardrail.text.rules import Action, Finding
from guardrail.text.scanner import compile_rules
from guardrail.text.scores import CATEGORIES
from guardrail.wire.answer import Fault
from guardrail.wire.gemini_halt import (
    EMPTY_PART,
    HARMS,
    ended_candidate,
    estimated_usage,
    fault_value,
    guard_error,
    halt_chunks,
    refusal_body,
    refuse_prompt,
    told,
)
from guardrail.wire.halt import Stop
from guardrail.wire.protocol import Refusal
from guardrail.wire.request import ModelRequest
from guardrail.wire.whole_text import Verdicts
from tests.wire.chat import halt, policy, redact


def found(category: str, severity: Any = "high") -> Finding:
    return Finding(0, 1, "r", category, severity, Action.HALT, "parts[0].text")


REASONS = [
    ("hate", "SAFETY", "HARM_CATEGORY_HATE_SPEECH"),
    ("self_harm", "SAFETY", "HARM_CATEGORY_DANGEROUS_CONTENT"),
    ("personal_data", "SPII", None),
    ("secret", "SPII", None),
    ("brand", "BLOCKLIST", None),
    ("profanity", "BLOCKLIST", None),
    ("output_handling", "PROHIBITED_CONTENT", None),
    ("unavailable", "OTHER", None),
]


@pytest.mark.parametrize(("category", "reason", "harm"), REASONS)
def test_reasons_and_ratings(category: str, reason: str, harm: str | None) -> None:
    ended = ended_candidate(found(category, "critical"))
    assert ended["finishReason"] == reason
    rated = [{"category": harm, "probability": "HIGH", "blocked": True}] if harm else None
    assert ended.get("safetyRatings") == rated


def test_every_category_of_the_classifier_that_is_a_harm_to_google_is_safety() -> None:
    assert set(CATEGORIES) - HARMS.keys() == {"profanity"}


def test_the_notice_stands_before_the_finish() -> None:
    first, last = halt_chunks(policy(), "g-1", found("hate"), said="Stop.", index=1, stop=Stop(0))
    assert first["candidates"][0]["content"]["parts"] == [{"text": "Stop."}]
    assert first["candidates"][0]["index"] == last["candidates"][0]["index"] == 1
    assert last["candidates"][0]["content"] == {"parts": [EMPTY_PART], "role": "model"}
    assert last["guardrail"] == {"case_id": "g-1", "action": "halt"}
    assert len(halt_chunks(policy(), "g-1", found("hate"), said="", index=0, stop=Stop(0))) == 1
    assert told(policy(notice=""), "g-1") == ([], "")


def test_where_json_was_asked_for_the_notice_is_beside_it() -> None:
    (last,) = halt_chunks(policy(), "g-1", found("hate"), said="", index=0, stop=Stop(0), json_output=True)
    assert last["candidates"][0]["finishMessage"] == told(policy(), "g-1")[0][0]["text"].strip()
    (last,) = halt_chunks(policy(notice=""), "g-1", found("hate"), said="", index=0, stop=Stop(0), json_output=True)
    assert "finishMessage" not in last["candidates"][0]


def test_usage_that_upstream_cannot_say_now() -> None:
    request = ModelRequest(prompt_bytes=10)
    assert estimated_usage(request, None, 5) == {
        "promptTokenCount": 3,
        "candidatesTokenCount": 5,
        "totalTokenCount": 8,
    }
    said = {"promptTokenCount": 4, "candidatesTokenCount": 9, "thoughtsTokenCount": 2, "trafficType": "ON_DEMAND"}
    assert estimated_usage(request, said, 5) == {**said, "totalTokenCount": 15}
    assert estimated_usage(request, {"promptTokenCount": "x"}, 5)["promptTokenCount"] == 3


@pytest.mark.parametrize(
    ("stream", "array", "start"), [(False, False, b"{"), (True, False, b"data: {"), (True, True, b"[{")]
)
def test_a_refused_prompt(stream: bool, array: bool, start: bytes) -> None:
    reply = refuse_prompt(ModelRequest(stream=stream, array=array), "g-1", "Not this.", found("secret"))
    assert reply.status == 200
    assert reply.body.startswith(start)
    said = json.loads(reply.body.removeprefix(b"data: "))
    said = said[0] if array else said
    # The API has no SPII for prompts.
    assert said["promptFeedback"] == {"blockReason": "PROHIBITED_CONTENT", "blockReasonMessage": "Not this."}


def test_errors_have_googles_shape() -> None:
    body = json.loads(refusal_body(Refusal(429, "rate_limit_error", "Later.", "tenant_busy")))
    assert (body["error"]["code"], body["error"]["status"]) == (429, "RESOURCE_EXHAUSTED")
    assert body["error"]["details"][0]["reason"] == "tenant_busy"
    assert json.loads(refusal_body(Refusal(418, "x", "No.")))["error"] == {
        "code": 418,
        "message": "No.",
        "status": "INVALID_ARGUMENT",
    }
    assert fault_value(Fault("shutdown", "Bye."))["error"]["status"] == "UNAVAILABLE"


def test_errors_of_the_model_server_are_scanned() -> None:
    rules = compile_rules([redact("secret"), halt("bomb")])
    data = b'{"error":\n{"message":"fine"}}'
    assert guard_error("No.", rules, data, Verdicts())[0] is data
    assert guard_error("No.", rules, data.replace(b"fine", b"secret"), Verdicts())[0] == b'{"error": {"message":"[X]"}}'
    said, outcome = guard_error("No.", rules, data.replace(b"fine", b"bomb"), Verdicts())
    assert json.loads(said)["error"]["message"] == "No."
    assert outcome.halted is not None
