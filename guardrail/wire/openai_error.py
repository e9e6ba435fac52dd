"""Errors in OpenAI's shape: as an HTTP body before a stream starts, as an in-band event after.

Any truthy top-level `error` makes the SDKs raise and lose the turn, so this shape is for faults only; what a policy
decides is never told this way (but for a refused prompt, which is an HTTP 400 before anything was said).
"""

from __future__ import annotations

import msgspec

from guardrail.text.scanner import RuleSet
from guardrail.wire.answer import Fault
from guardrail.wire.error import guarded_error
from guardrail.wire.protocol import Refusal
from guardrail.wire.tool_arguments import Arguments
from guardrail.wire.whole_text import Verdicts


def error_body(message: str, type: str, code: str | None = None, param: str | None = None) -> bytes:
    """`{"error": {"message", "type", "param", "code"}}`, the body of every error answer of OpenAI's API."""
    return msgspec.json.encode({"error": {"message": message, "type": type, "param": param, "code": code}})


def refusal_body(refusal: Refusal) -> bytes:
    """See `Protocol.error_body`."""
    return error_body(refusal.message, refusal.type, refusal.code or None, refusal.param)


def error_event(fault: Fault) -> bytes:
    """The in-band form: one SSE event whose data is an error body."""
    return b"data: " + error_body(fault.message, "upstream_error", fault.code) + b"\n\n"


def guard_error(refusal: str, rules: RuleSet, data: bytes, verdicts: Verdicts) -> tuple[bytes, Arguments]:
    """See `guarded_error`. `refusal`: what is said instead of one that halts."""
    return guarded_error(rules, data, verdicts, error_body(refusal, "upstream_error"))
