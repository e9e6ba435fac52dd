"""A Chat Completions response that is not streamed, through the same engine."""

from __future__ import annotations

from guardrail.policy.policy import Policy
from guardrail.wire.record import StreamRecord
from guardrail.wire.request import ChatRequest


def guard_body(policy: Policy, request: ChatRequest, body: bytes, case_id: str) -> tuple[bytes, StreamRecord]:
    """The body for the client (the very bytes that came when nothing in it changes) and its record.

    Raises WireError for a body that is no JSON object."""
    raise NotImplementedError
