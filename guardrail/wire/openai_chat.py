"""The codec of a streamed OpenAI Chat Completions response; see `stream` for how it is used and how it works.

It also speaks the dialects of servers that follow OpenAI: reasoning in `reasoning_content` or `reasoning`, `text`
instead of `delta`, further fields without text.
"""

from __future__ import annotations

from typing import Any, ClassVar

from guardrail.text.rules import Finding
from guardrail.wire import own_answer
from guardrail.wire.answer import Fault
from guardrail.wire.channel import Channel
from guardrail.wire.choice import Choice
from guardrail.wire.chunk import AnyTemplate, Chunk
from guardrail.wire.halt import notice
from guardrail.wire.inserts import insert_note
from guardrail.wire.openai_chat_body import guard_body
from guardrail.wire.openai_chat_chunk import envelope, explode, read_chunk, template_of, with_annotations, with_text
from guardrail.wire.openai_chat_halt import halt_chunks, usage_chunk
from guardrail.wire.openai_chat_request import read_request
from guardrail.wire.openai_error import error_event, guard_error, refusal_body
from guardrail.wire.protocol import Protocol
from guardrail.wire.sse import Event, data_event
from guardrail.wire.stream import Stream
from guardrail.wire.strict_json import dumps
from guardrail.wire.tool_arguments import Arguments
from guardrail.wire.tool_calls import ToolCalls, text_size

DONE = b"data: [DONE]\n\n"


class ChatStream(Stream):
    """One streamed response under one policy."""

    __slots__ = ()

    rewrite = staticmethod(with_text)
    kind: ClassVar[str] = "chat.completion.chunk"
    """The `object` of our own events when upstream has not said it."""

    def _read(self, event: Event) -> Chunk:
        return read_chunk(event, block=self._policy.unknown_text == "block", clean=self._is_clean)

    def _ends(self, event: Event) -> bool:
        return event.data is not None and event.data.lstrip().startswith(b"[DONE]")

    def _explode(self, chunk: Chunk) -> list[bytes]:
        return explode(chunk.raw)

    def _find_template(self, chunk: Chunk) -> AnyTemplate | None:
        return template_of(chunk)

    def _note(self, chunk: Chunk) -> None:
        if chunk.choices and not self._envelope.get("id"):
            self._envelope = envelope(chunk)
        if not chunk.choices and chunk.usage:
            self._usage_said = True

    def _new_part(self, choice: Choice, part: str) -> ToolCalls:
        return ToolCalls(choice.index)

    def _size_of(self, said: Any) -> int:
        return text_size(said)

    def _with_value(self, chunk: Chunk, value: str) -> bytes:
        return with_annotations(chunk.raw, value)

    def _guard_error(self, event: Event) -> tuple[bytes, Arguments]:
        assert event.data is not None
        said, outcome = guard_error(self._policy.refusal, self._rules, event.data, self._verdicts)
        return event.raw if said == event.data else data_event(said, event.head), outcome

    def _halt_events(self, choice: Choice, finding: Finding, usage: dict[str, Any] | None) -> list[bytes]:
        chunks = halt_chunks(
            self._policy,
            self._case_id,
            finding,
            index=choice.index,
            stop=self._stop(choice, finding),
            legacy=self._is_legacy(choice),
            said=self._last_words(choice, notice(self._policy, self._case_id)),
            json_output=self._request.json_output,
        )
        if usage is not None:  # upstream said it in the chunk that this one stands for
            chunks[-1]["usage"] = usage
        return [self._event(chunk) for chunk in chunks]

    def _insert(self, choice: Choice, text: str, place: str) -> list[bytes]:
        said: dict[str, Any] = {"text": text} if self._is_legacy(choice) else {"delta": {"content": text}}
        chunk = {"index": choice.index, **said, "finish_reason": None}
        return [self._event({"choices": [chunk], "guardrail": insert_note(place)})]

    def _annotation(self, choice: Choice, channel: Channel | None, note: dict[str, Any]) -> bytes:
        said: dict[str, Any] = {"index": choice.index, "delta": {}, "finish_reason": None}
        if self._is_legacy(choice):
            said = {"index": choice.index, "text": "", "finish_reason": None}
        if channel is None or channel.key in (self.main, "text"):  # as Azure tells it
            found = note["categories"].items()
            said["content_filter_results"] = {name: {"filtered": False, "severity": level} for name, level in found}
        if channel is not None and channel.key in (self.main, "text"):
            checked, before = channel.checked, channel.annotated
            said["content_filter_offsets"] = {
                "check_offset": checked,
                "start_offset": before,
                "end_offset": checked,
            }
        return self._event({"choices": [said], "guardrail": note})

    def _fault_event(self, fault: Fault) -> bytes:
        return error_event(fault)

    def _end_events(self, halted: bool, event: Event | None) -> list[bytes]:
        done = DONE if event is None or event.data is None or event.data.strip() != b"[DONE]" else event.raw
        if self._request.include_usage and halted and not self._usage_said:
            return [self._event(usage_chunk(self._request, self._case_id, self._usage, self._tokens)), done]
        return [done]

    def _is_legacy(self, choice: Choice) -> bool:
        """Whether it speaks in `text`, not in deltas; servers have done so in Chat Completions too."""
        return self.main == "text" or "text" in choice.channels

    def _event(self, said: dict[str, Any]) -> bytes:
        envelope = self._envelope or {"object": self.kind}
        return data_event(dumps({**envelope, **said}))


PROTOCOL = Protocol(
    name="openai_chat",
    read_request=lambda body, target: read_request(body),
    stream=ChatStream,
    guard_body=guard_body,
    error_body=refusal_body,
    say=own_answer.chat,
    answer_key=b'"choices"',
)
