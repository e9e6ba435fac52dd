"""The codec of a streamed legacy Completions response; see `stream` for how it is used and how it works.

It is Chat Completions with `text` in the place of a delta; with several prompts, each has its `n` choices. With `echo`
the prompt is part of the text, and guarded like the rest of it.
"""

from __future__ import annotations

from guardrail.wire import own_answer
from guardrail.wire.chunk import AnyTemplate, Chunk
from guardrail.wire.openai_chat import ChatStream
from guardrail.wire.openai_chat_body import guard_body
from guardrail.wire.openai_error import refusal_body
from guardrail.wire.openai_text_event import read_event, template_of
from guardrail.wire.openai_text_request import read_request
from guardrail.wire.protocol import Protocol
from guardrail.wire.sse import Event


class TextStream(ChatStream):
    """One streamed response under one policy."""

    __slots__ = ()

    main = "text"
    kind = "text_completion"

    def _read(self, event: Event) -> Chunk:
        return read_event(event, block=self._policy.unknown_text == "block", clean=self._is_clean)

    def _find_template(self, chunk: Chunk) -> AnyTemplate | None:
        return template_of(chunk)


PROTOCOL = Protocol(
    name="openai_text",
    read_request=read_request,
    stream=TextStream,
    guard_body=guard_body,
    error_body=refusal_body,
    say=own_answer.completion,
    answer_key=b'"choices"',
    prompt_field="prompt",
)
