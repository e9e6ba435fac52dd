"""The codec of a streamed OpenAI Chat Completions response: bytes from upstream in, bytes for the client out.

Pure: no socket, clock or log. The shell owns those and calls, in this order:

    stream = ChatStream(policy, request, case_id=...)
    each read from upstream:    write(stream.feed(data)); if stream.abort: close upstream now
    upstream's end:             write(stream.finish())
    WireError out of feed or finish, timeout, broken connection, drain, a cap:
                                write(stream.fail(Fault(code, message))); close upstream
    silence towards the client: write(stream.keep_alive())

Each call returns what to write to the client now (b"": nothing). A WireError loses nothing: what had been decided
before it is in what `fail` returns. Once `done`, every call returns b"" and upstream may be closed.
"""

from __future__ import annotations

from dataclasses import dataclass

from guardrail.policy.policy import Policy
from guardrail.wire.openai_error import Fault
from guardrail.wire.record import StreamRecord
from guardrail.wire.request import ChatRequest


@dataclass(frozen=True, slots=True)
class WireLimits:
    """Caps on what upstream can make one stream hold, in bytes."""

    event_bytes: int = 1 << 20
    """One event, or one line that never ends."""
    withheld_bytes: int = 4 << 20
    """The tool calls of one response, which are withheld until they are complete."""


class ChatStream:
    """One streamed response under one policy."""

    done: bool
    """Everything was written, `[DONE]` included; nothing more will come."""
    abort: bool
    """A halt ended all there was to wait for: close upstream at once, so that it stops generating."""

    def __init__(
        self, policy: Policy, request: ChatRequest, *, case_id: str, limits: WireLimits = WireLimits()
    ) -> None:
        self.done = False
        self.abort = False

    def feed(self, data: bytes) -> bytes:
        """Take one read from upstream. Raises WireError for what is no event stream or passes a cap: call `fail`."""
        raise NotImplementedError

    def finish(self) -> bytes:
        """Upstream ended. A response that was not complete ends with an error event (`upstream_closed`)."""
        raise NotImplementedError

    def fail(self, fault: Fault) -> bytes:
        """The response cannot go on: held text is scanned as the end of its text and delivered, incomplete tool calls
        are dropped, then come an error event and `[DONE]`."""
        raise NotImplementedError

    def keep_alive(self) -> bytes:
        """An SSE comment, to be written after some seconds of silence; b"" once done."""
        raise NotImplementedError

    @property
    def record(self) -> StreamRecord:
        """The account so far; may be asked at any time."""
        raise NotImplementedError
