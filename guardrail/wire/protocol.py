"""What the proxy has to know of a protocol: how its requests are read, its answers guarded, its errors told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol as Interface

from guardrail.policy.policy import Policy
from guardrail.text.rules import Finding
from guardrail.wire.record import StreamRecord
from guardrail.wire.request import ModelRequest
from guardrail.wire.stream import Stream, WireLimits
from guardrail.wire.whole_text import Verdicts


class OpenStream(Interface):
    """Opens the codec of one streamed response; see `Stream`."""

    def __call__(self, policy: Policy, request: ModelRequest, *, case_id: str, limits: WireLimits) -> Stream: ...


GuardBody = Callable[[Policy, ModelRequest, bytes, str, Verdicts | None], tuple[bytes, StreamRecord]]
"""(policy, request, body, case id, verdicts) -> the body for the client, which is the very bytes that came when nothing
in it changes, and its record. Raises WireError for a body that cannot be one, Unscored when verdicts are missing."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that guardrail gives by itself."""

    status: int
    """Of HTTP."""
    type: str
    """OpenAI's word for the kind: "invalid_request_error", "rate_limit_error", "server_error"."""
    message: str
    """For people; holds no model text."""
    code: str = ""
    """For machines: a kind of docs/faults.md, or "content_filter"."""
    param: str | None = None
    """The field of the request that it is about."""
    retry_after: float | None = None
    """Seconds until the client may try again, where that helps."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer that guardrail gives in the place of the model's."""

    status: int
    """Of HTTP."""
    body: bytes
    media_type: str = "application/json"


RefusePrompt = Callable[[ModelRequest, str, str, Finding], Reply]
"""(request, case id, what people are told, what was found in the prompt) -> how the protocol tells of a refused
prompt."""


@dataclass(frozen=True, slots=True)
class Protocol:
    """One protocol."""

    name: str
    """As records and metrics name it: "openai_chat"."""
    read_request: Callable[[bytes, str], ModelRequest]
    """(body, target: the decoded path, and the query as it came behind a `?` if there is one) -> what the codec has to
    know. Raises WireError, with a message fit for the client, for what is no request of this protocol."""
    stream: OpenStream
    guard_body: GuardBody
    error_body: Callable[[Refusal], bytes]
    """A JSON body that the protocol's clients read as this error."""
    say: Callable[[ModelRequest, str, str], Reply]
    """(request, text, case id) -> a whole answer that says only this, see `own_answer`."""
    answer_key: bytes
    """A key that every answer has, as JSON, and no error has: what has it is guarded, whatever its HTTP status says."""
    media_type: str = "text/event-stream"
    """Of its streams."""
    array: OpenStream | None = None
    """Opens the codec of an answer that is streamed as one JSON array, where the protocol has that form too."""
    key_header: str = "Authorization"
    """Where its clients send the key; as `Bearer KEY` in `Authorization`, else plainly."""
    methods: tuple[str, ...] = ("POST",)
    """Of HTTP, at its paths."""
    prompt_field: str = "messages"
    """The field of a request that holds the prompt: what a refusal of it points at."""
    refuse_prompt: RefusePrompt | None = None
    """How a refused prompt is told where that is no error; None: as an error, with the HTTP status 400."""

    def refused(self, request: ModelRequest, case_id: str, message: str, found: Finding) -> Reply:
        """The answer to a prompt that the policy refuses. `message`: for people."""
        if self.refuse_prompt is not None:
            return self.refuse_prompt(request, case_id, message, found)
        refusal = Refusal(400, "invalid_request_error", message, "content_filter", self.prompt_field)
        return Reply(refusal.status, self.error_body(refusal))
