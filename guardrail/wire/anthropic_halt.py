"""What a client of Anthropic Messages is told when an answer ends early, and of faults.

A halt ends as the API's own classifiers end an answer: `stop_reason` "refusal", the notice in the text and in
`stop_details`. What programs may want to know besides comes as `event: guardrail`. Its data have the type "ping": some
clients go by the event's name and skip one they do not know, others hand it on, and some know it by the type in its
data only and fail on one that is new to them; a ping all of them skip.

An `error` makes SDKs raise and lose the turn: it is for faults only.
"""

from __future__ import annotations

from typing import Any

import msgspec

from guardrail.policy.policy import Policy
from guardrail.text.rules import Finding
from guardrail.text.scanner import RuleSet
from guardrail.wire.answer import Fault
from guardrail.wire.anthropic_event import stop_event, written
from guardrail.wire.error import guarded_error
from guardrail.wire.halt import Stop, halt_note, notice
from guardrail.wire.protocol import Refusal
from guardrail.wire.sse import data_event
from guardrail.wire.tool_arguments import Arguments
from guardrail.wire.whole_text import Verdicts

PING = written({"type": "ping"})

ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
"""By HTTP status; as documented by Anthropic ("Errors"), which has 529 where others say 503."""


def refused(policy: Policy, case_id: str) -> dict[str, Any]:
    """The fields of a message that was halted which say why it stopped. `category` names one of Anthropic's own, which
    a policy's are not."""
    explanation = notice(policy, case_id).strip() or None
    return {
        "stop_reason": "refusal",
        "stop_sequence": None,
        "stop_details": {"type": "refusal", "category": None, "explanation": explanation},
    }


def note(case_id: str, finding: Finding, stop: Stop) -> dict[str, Any]:
    """What `event: guardrail` says of a halt; in a body, the field `guardrail`."""
    said = halt_note(case_id, finding.channel, stop)
    return {**said, "category": finding.category, "severity": finding.severity}


def sidecar(said: dict[str, Any]) -> bytes:
    """`event: guardrail`."""
    return data_event(msgspec.json.encode({"type": "ping", "guardrail": said}), b"event: guardrail\n")


def text_event(said: str, index: int, note: dict[str, Any] | None = None) -> bytes:
    """A text of ours in a text block. `note`: what the field `guardrail` says of it."""
    event = {"type": "content_block_delta", "index": index, "delta": {"type": "text_delta", "text": said}}
    return written({**event, "guardrail": note} if note else event)


def notice_events(said: str, index: int, *, began: bool, note: dict[str, Any] | None = None) -> list[bytes]:
    """The notice in a text block, and that block's stop. `began`: the client has its start."""
    events = []
    if not began:
        block = {"type": "text", "text": ""}
        events.append(written({"type": "content_block_start", "index": index, "content_block": block}))
    return [*events, text_event(said, index, note), stop_event(index)]


def error_body(refusal: Refusal) -> bytes:
    """See `Protocol.error_body`."""
    fallback = "invalid_request_error" if refusal.status < 500 else "api_error"
    return _error(ERROR_TYPES.get(refusal.status, fallback), refusal.message, refusal.code)


def _error(type: str, message: str, code: str) -> bytes:
    said = {"type": type, "message": message}
    return msgspec.json.encode({"type": "error", "error": {**said, "code": code} if code else said})


def error_event(fault: Fault) -> bytes:
    """The in-band form."""
    return data_event(_error("api_error", fault.message, fault.code), b"event: error\n")


def guard_error(refusal: str, rules: RuleSet, data: bytes, verdicts: Verdicts) -> tuple[bytes, Arguments]:
    """See `guarded_error`. `refusal`: what is said instead of one that halts."""
    return guarded_error(rules, data, verdicts, _error("api_error", refusal, ""))
