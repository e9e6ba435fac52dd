"""Errors in Ollama's shape: an object with the one key `error`, as a body or as a line of a stream.

Clients raise on it and lose the turn, so it is for faults and refusals only.
"""

from __future__ import annotations

import msgspec

from guardrail.text.scanner import RuleSet
from guardrail.wire import openai_error
from guardrail.wire.tool_arguments import Arguments
from guardrail.wire.whole_text import Verdicts


def error_body(message: str) -> bytes:
    """`{"error": "…"}`."""
    return msgspec.json.encode({"error": message})


def guard_error(refusal: str, rules: RuleSet, data: bytes, verdicts: Verdicts) -> tuple[bytes, Arguments]:
    """See `openai_error.guard_error`."""
    said, outcome = openai_error.guard_error(refusal, rules, data, verdicts)
    return (said if outcome.halted is None else error_body(refusal)), outcome
