"""What a client of Gemini is told when a candidate ends early, when a prompt is refused, and when something fails.

Every piece here is a part of a chunk or body; who writes it adds what upstream says of the response.
"""

from __future__ import annotations

from math import ceil
from typing import Any

import msgspec

from guardrail.policy.policy import Policy
from guardrail.text.rules import Finding
from guardrail.text.scanner import RuleSet
from guardrail.wire import sse
from guardrail.wire.answer import Fault
from guardrail.wire.error import guarded_error
from guardrail.wire.halt import Stop, halt_note, notice
from guardrail.wire.protocol import Refusal, Reply
from guardrail.wire.request import ModelRequest
from guardrail.wire.strict_json import dumps
from guardrail.wire.tool_arguments import Arguments
from guardrail.wire.whole_text import Verdicts

HARMS = {
    "hate": "HARM_CATEGORY_HATE_SPEECH",
    "harassment": "HARM_CATEGORY_HARASSMENT",
    "sexual": "HARM_CATEGORY_SEXUALLY_EXPLICIT",
    "violence": "HARM_CATEGORY_DANGEROUS_CONTENT",
    "self_harm": "HARM_CATEGORY_DANGEROUS_CONTENT",
    "illicit": "HARM_CATEGORY_DANGEROUS_CONTENT",
    "fraud": "HARM_CATEGORY_DANGEROUS_CONTENT",
    "unsafe": "HARM_CATEGORY_DANGEROUS_CONTENT",
}
"""Categories of ours that are harms to Google. All of these end with `SAFETY`."""

REASONS = {"personal_data": "SPII", "secret": "SPII", "output_handling": "PROHIBITED_CONTENT", "unavailable": "OTHER"}
"""Finish reasons of other categories. Any further one is a tenant's own list of words: `BLOCKLIST`."""

BLOCK_REASONS = frozenset({"SAFETY", "BLOCKLIST", "PROHIBITED_CONTENT", "OTHER"})
"""What a prompt can be refused for: the API has no `SPII` there."""

EMPTY_PART = {"text": ""}

STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
"""Canonical codes by HTTP status (google.rpc.Code)."""


def finish_reason(category: str) -> str:
    return "SAFETY" if category in HARMS else REASONS.get(category, "BLOCKLIST")


def ratings(category: str, severity: str) -> list[dict[str, Any]]:
    """What Google's filters would have said; nothing for what is no harm to them. It has no level above HIGH."""
    if category not in HARMS:
        return []
    probability = "HIGH" if severity == "critical" else severity.upper()
    return [{"category": HARMS[category], "probability": probability, "blocked": True}]


def ended_candidate(finding: Finding, message: str = "") -> dict[str, Any]:
    """The fields of a candidate that was halted. `message`: the notice, where the text is no place for it."""
    ended: dict[str, Any] = {"finishReason": finish_reason(finding.category)}
    if message:
        ended["finishMessage"] = message
    rated = ratings(finding.category, finding.severity)
    return {**ended, "safetyRatings": rated} if rated else ended


def told(policy: Policy, case_id: str, *, json_output: bool = False) -> tuple[list[dict[str, Any]], str]:
    """The notice: as the parts of a text, one or none; or, where the client asked for JSON, as a message beside it."""
    said = notice(policy, case_id)
    if json_output:
        return [], said.strip()
    return text_parts(said), ""


def text_parts(said: str) -> list[dict[str, Any]]:
    return [{"text": said}] if said else []


def halt_chunks(
    policy: Policy, case_id: str, finding: Finding, *, said: str, index: int, stop: Stop, json_output: bool = False
) -> list[dict[str, Any]]:
    """The last chunks of a halted candidate: the notice, then the finish, with a part of its own: chats of google-genai
    would forget the turn. `said`: the notice, with what else guardrail says, where it stands in the text."""
    parts = text_parts(said)
    _, message = told(policy, case_id, json_output=json_output)
    content = {"parts": [EMPTY_PART], "role": "model"}
    ended = {"candidates": [{"content": content, **ended_candidate(finding, message), "index": index}]}
    note = {"guardrail": halt_note(case_id, finding.channel, stop)}
    if not parts:
        return [{**ended, **note}]
    return [{"candidates": [{"content": {"parts": parts, "role": "model"}, "index": index}]}, {**ended, **note}]


def estimated_usage(request: ModelRequest, usage: dict[str, Any] | None, tokens: int) -> dict[str, Any]:
    """The usage of a response that was cut short: what upstream said last, where that is more than an estimate.

    The estimate: one token for every event with text; of the prompt, see `ModelRequest.prompt_tokens`."""
    usage = usage or {}
    prompt = usage.get("promptTokenCount", request.prompt_tokens)
    said = usage.get("candidatesTokenCount", 0)
    known = all(type(count) is int for count in (prompt, said))
    prompt, said = (prompt, max(said, tokens)) if known else (request.prompt_tokens, tokens)
    thoughts = usage.get("thoughtsTokenCount", 0)
    total = prompt + said + (thoughts if type(thoughts) is int else 0)
    return {**usage, "promptTokenCount": prompt, "candidatesTokenCount": said, "totalTokenCount": total}


def refuse_prompt(request: ModelRequest, case_id: str, message: str, found: Finding) -> Reply:
    """See `RefusePrompt`: a body (HTTP 200), or the one chunk of a stream, that says why there is no candidate."""
    reason = finish_reason(found.category)
    feedback: dict[str, Any] = {"blockReason": reason if reason in BLOCK_REASONS else "PROHIBITED_CONTENT"}
    if message:
        feedback["blockReasonMessage"] = message
    rated = ratings(found.category, found.severity)
    if rated:
        feedback["safetyRatings"] = rated
    prompt = request.prompt_tokens
    said = dumps(
        {
            "promptFeedback": feedback,
            "usageMetadata": {"promptTokenCount": prompt, "totalTokenCount": prompt},
            "guardrail": {"case_id": case_id, "action": "halt"},
        }
    )
    if request.array:
        return Reply(200, b"[" + said + b"]")
    if request.stream:
        return Reply(200, sse.data_event(said), "text/event-stream")
    return Reply(200, said)


# --- errors -----------------------------------------------------------------------------------------------------------


def error_value(status: int, message: str, code: str = "") -> dict[str, Any]:
    """An error of Google's APIs. `code`, for machines, is the reason of an ErrorInfo."""
    named = STATUSES.get(status, "INTERNAL" if status >= 500 else "INVALID_ARGUMENT")
    error: dict[str, Any] = {"code": status, "message": message, "status": named}
    if code:
        kind = "type.googleapis.com/google.rpc.ErrorInfo"
        error["details"] = [{"@type": kind, "reason": code, "domain": "guardrail"}]
    return {"error": error}


def refusal_body(refusal: Refusal) -> bytes:
    """See `Protocol.error_body`. A quota that is used up is told as Google's own: QuotaFailure and RetryInfo
    (google/rpc/error_details.proto)."""
    value = error_value(refusal.status, refusal.message, refusal.code)
    if refusal.status == 429:
        details = value["error"].setdefault("details", [])
        violation = {"subject": "guardrail", "description": refusal.message}
        details.append({"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [violation]})
        if refusal.retry_after is not None:
            delay = f"{ceil(refusal.retry_after)}s"
            details.append({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay})
    return msgspec.json.encode(value)


def fault_value(fault: Fault) -> dict[str, Any]:
    """The in-band form: google-genai raises a ServerError for a chunk that begins with it."""
    return error_value(503, fault.message, fault.code)


def guard_error(refusal: str, rules: RuleSet, data: bytes, verdicts: Verdicts) -> tuple[bytes, Arguments]:
    """See `guarded_error`. `refusal`: what is said instead of one that halts."""
    return guarded_error(rules, data, verdicts, msgspec.json.encode(error_value(500, refusal)))
