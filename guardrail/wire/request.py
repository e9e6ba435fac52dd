"""Reads a Chat Completions request: the few fields that decide how its response is guarded.

It never changes the request; the body goes upstream as the bytes that came.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What the codec of the response needs to know of the request."""

    model: str = ""
    stream: bool = False
    n: int = 1
    include_usage: bool = False
    """`stream_options.include_usage`: the client waits for a usage chunk."""
    user: str = ""
    """The end user's id as the client gave it, "" for none."""
    prompt_bytes: int = 0
    """UTF-8 bytes of the messages' text: what the prompt's tokens are estimated from when upstream cannot say."""


def read_request(body: bytes) -> ChatRequest:
    """Raises WireError, with a message fit for the client (400), for what is no Chat Completions request."""
    raise NotImplementedError
