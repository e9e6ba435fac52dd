"""Errors in OpenAI's shape: as an HTTP body before a stream starts, as an in-band event after.

Any truthy top-level `error` makes the SDKs raise and lose the turn, so this shape is for faults only; what a policy
decides is never told this way (but for a refused prompt, which is an HTTP 400 before anything was said).
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a stream cannot go on: `code` is for machines, `message` for people; neither holds model text.

    The codes in use: `upstream_closed` (ended before the response was complete), `upstream_timeout`,
    `upstream_malformed` (a WireError), `upstream_error` (any other failure of the model server), `limit` (a cap of
    ours), `shutdown` (the drain of this process ran out).
    """

    code: str
    message: str


def error_body(message: str, type: str, code: str | None = None, param: str | None = None) -> bytes:
    """`{"error": {"message", "type", "param", "code"}}`, the body of every error answer of OpenAI's API."""
    return msgspec.json.encode({"error": {"message": message, "type": type, "param": param, "code": code}})


def error_event(fault: Fault) -> bytes:
    """The in-band form: one SSE event whose data is an error body."""
    return b"data: " + error_body(fault.message, "upstream_error", fault.code) + b"\n\n"
