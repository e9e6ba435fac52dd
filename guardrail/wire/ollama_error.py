"""Errors in Ollama's shape: an object with the one key `error`, as a body or as a line of a stream.

Clients raise on it and lose the turn, so it is for faults and refusals only.
"""

from __future__ import annotations

import msgspec

from guardrail.text.scanner import RuleSet
from guardrail.wire import openai_error
from guardrail.wire.strict_json import dumps, loads
from guardrail.wire.tool_arguments import Arguments
from guardrail.wire.whole_text import Verdicts


def error_body(message: str) -> bytes:
    """`{"error": "…"}`."""
    return msgspec.json.encode({"error": message})


def guard_error(refusal: str, rules: RuleSet, data: bytes, verdicts: Verdicts) -> tuple[bytes, Arguments]:
    """See `openai_error.guard_error`. An error that is no string is told as one, which clients expect."""
    said, outcome = openai_error.guard_error(refusal, rules, data, verdicts)
    if outcome.halted is not None:
        return error_body(refusal), outcome
    value, _ = loads(said)
    error = value.get("error") if isinstance(value, dict) else value
    if isinstance(error, str):
        return said, outcome
    message = error.get("message") if isinstance(error, dict) else None
    # Clients take an empty string for no error.
    return error_body(message if message and isinstance(message, str) else dumps(error).decode()), outcome
