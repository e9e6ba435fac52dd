"""The codec of a streamed answer of Anthropic Messages; see `stream` for how it is used and how it works.

Text and thinking stream; a call of a tool is withheld, its start included, until its block has stopped; citations and
the results of tools come whole. Blocks come one after the other and are numbered without gaps, for clients add them up
by position: a stream in which they are not is a fault.
"""

from __future__ import annotations

from typing import Any

from guardrail.errors import WireError
from guardrail.policy.policy import Policy
from guardrail.text.rules import Finding
from guardrail.wire import own_answer
from guardrail.wire.answer import Closing, Fault
from guardrail.wire.anthropic_block import GOES_ON, TEXT_FIELD, is_result, is_tool
from guardrail.wire.anthropic_body import guard_body
from guardrail.wire.anthropic_event import (
    explode,
    index_of,
    part_of,
    put_stop_texts,
    read_event,
    stop_event,
    stop_texts,
    template_of,
    with_text,
    with_value,
    written,
)
from guardrail.wire.anthropic_halt import (
    PING,
    error_body,
    error_event,
    guard_error,
    note,
    notice_events,
    refused,
    sidecar,
    text_event,
)
from guardrail.wire.anthropic_request import read_request
from guardrail.wire.anthropic_tool import ToolBlock, size_of
from guardrail.wire.channel import Channel
from guardrail.wire.choice import Choice, within
from guardrail.wire.chunk import AnyTemplate, Chunk
from guardrail.wire.halt import notice
from guardrail.wire.inserts import insert_note
from guardrail.wire.protocol import Protocol
from guardrail.wire.request import ModelRequest
from guardrail.wire.sse import Event, data_event
from guardrail.wire.stream import Stream, WireLimits
from guardrail.wire.strict_json import dumps, dumps_exact, loads
from guardrail.wire.tool_arguments import Arguments, guard_arguments

_LIMITS = WireLimits()


class AnthropicStream(Stream):
    """One streamed answer under one policy."""

    __slots__ = ("_kind", "_kind_before", "_last", "_open")

    rewrite = staticmethod(with_text)
    idle = PING
    halt_reason = "refusal"

    def __init__(self, policy: Policy, request: ModelRequest, *, case_id: str, limits: WireLimits = _LIMITS) -> None:
        super().__init__(policy, request, case_id=case_id, limits=limits)
        self._last = -1
        """The block that upstream began last."""
        self._kind = ""
        """Its type; "" before the first."""
        self._kind_before = ""
        """That of the block before."""
        self._open = False
        """Upstream has not stopped it."""

    # --- reading ------------------------------------------------------------------------------------------------------

    def _read(self, event: Event) -> Chunk:
        withheld = self._choices[0].withheld if self._choices else ()
        chunk = read_event(event, block=self._policy.unknown_text == "block", withheld=withheld)
        if chunk.error:
            return chunk
        kind = "content_block_delta" if chunk.value is None else chunk.value.get("type")
        if kind == "content_block_delta":
            if not self._open or index_of(chunk) != self._last:
                raise WireError("The model server sent a part of a content block that is not open.")
            if is_tool(self._kind) != bool(chunk.tools):
                raise WireError("The model server sent a part of a content block of another type.")
        elif kind == "content_block_start" and self._open and index_of(chunk) == self._last + 1:
            # Servers forget to stop a block; it has ended all the same.
            begun, open_part = part_of(self._last + 1), part_of(self._last)
            chunk.closed.append((0, open_part))
            if (0, begun) not in chunk.opened:
                chunk.opened.append((0, begun))
        return chunk

    def _note(self, chunk: Chunk) -> None:
        value = chunk.value
        if value is None or not chunk.choices:
            return
        kind = value["type"]
        if kind == "message_start":
            if self._envelope:
                raise WireError("The model server began a second message.")
            self._last = len(value["message"]["content"]) - 1
            self._envelope = {**value["message"], "content": []}
            return
        if not self._envelope:
            raise WireError("The model server sent content before it began a message.")
        choice = self._choices[0]
        if choice.ended and (kind != "message_delta" or chunk.finished):
            raise WireError("The model server went on with a message that it had ended.")
        if kind == "content_block_start":
            index = index_of(chunk)
            # What stands in the message when it begins may be numbered, or not.
            if index != self._last + 1 and not (index == 0 and not self._kind):
                raise WireError("The model server sent a content block out of order.")
            self._kind_before = self._kind
            self._last, self._kind, self._open = index, str(value["content_block"].get("type")) or "?", True
        elif kind == "content_block_stop":
            if not self._open or index_of(chunk) != self._last:
                raise WireError("The model server ended a content block that is not open.")
            self._open = False

    def _ends(self, event: Event) -> bool:
        if event.data is None or b"message_stop" not in event.data:
            return False
        try:
            value, _ = loads(event.data)
        except WireError:
            return False
        return isinstance(value, dict) and value.get("type") == "message_stop"

    def _explode(self, chunk: Chunk) -> list[bytes]:
        return explode(chunk)

    def _find_template(self, chunk: Chunk) -> AnyTemplate | None:
        return template_of(chunk)

    def _new_part(self, choice: Choice, part: str) -> ToolBlock:
        return ToolBlock(self._last)

    def _size_of(self, said: Any) -> int:
        return size_of(said)

    def _with_value(self, chunk: Chunk, value: str) -> bytes:
        return with_value(chunk, value)

    def _guard_error(self, event: Event) -> tuple[bytes, Arguments]:
        assert event.data is not None
        said, outcome = guard_error(self._policy.refusal, self._rules, event.data, self._verdicts)
        return event.raw if said == event.data else data_event(said, b"event: error\n"), outcome

    # --- writing ------------------------------------------------------------------------------------------------------

    def _closing(self, choice: Choice, part: str, chunk: Chunk) -> Closing:
        texts = stop_texts(chunk.value["delta"]) if chunk.finished else {}
        if not texts:
            return Closing(chunk.raw)
        said = dumps(texts).decode()
        outcome = guard_arguments(self._rules, said, "stop", self._verdicts)
        raw = chunk.raw
        if outcome.halted is None and outcome.text != said:
            delta = loads(dumps_exact(chunk.value["delta"]))[0]
            put_stop_texts(delta, loads(outcome.text)[0])
            raw = written({**chunk.value, "delta": delta})
        return Closing(raw, [(len(said), outcome)])

    def _halt_events(self, choice: Choice, finding: Finding, usage: dict[str, Any] | None) -> list[bytes]:
        said = "" if self._request.json_output else self._last_words(choice, notice(self._policy, self._case_id))
        if self._kind_before and within(finding.channel, part_of(self._last - 1)):
            # Its stop was told by the start of the next, which the client will not see.
            self._last, self._kind = self._last - 1, self._kind_before
        part = part_of(self._last)
        text = f"{part}.{TEXT_FIELD.get(self._kind, 'text')}"
        events: list[bytes] = []
        if finding.channel == "content":  # the message itself was held up
            events.append(written({"type": "message_start", "message": self._envelope}))
            self._last = -1
        is_open = bool(self._kind) and part not in choice.closed
        # The client lacks a block that was withheld, or came whole, and was not delivered.
        lacks = (is_tool(self._kind) and (is_open or within(finding.channel, part))) or (
            is_result(self._kind) and finding.channel == f"{part}.content"
        )
        is_open = is_open and not lacks
        if is_open and said and self._kind == "text":
            events += notice_events(said, self._last, began=True)
        else:
            if is_open:
                events.append(stop_event(self._last))
            if said:
                events += notice_events(said, self._last + (not lacks), began=False)
        counted, estimated = self._output_tokens(usage)
        told = note(self._case_id, finding, self._stop(choice, finding, text))
        events.append(sidecar({**told, "usage": "estimated"} if estimated else told))
        stopped = {"type": "message_delta", "delta": refused(self._policy, self._case_id), "usage": counted}
        return [*events, written(stopped)]

    def _output_tokens(self, usage: dict[str, Any] | None) -> tuple[dict[str, Any], bool]:
        """The usage of a message that was halted, and whether it is an estimate: one token for every event with
        text."""
        if usage is not None and type(usage.get("output_tokens")) is int:
            return usage, False
        said = (self._usage or {}).get("output_tokens")
        return {"output_tokens": max(self._tokens, said if type(said) is int else 0)}, True

    def _are_words(self, key: str) -> bool:
        return key.endswith(".text")

    def _calls(self, choice: Choice, chunk: Chunk | None) -> bool:
        return chunk is not None and any(reason in GOES_ON for _, reason in chunk.finished)

    def _insert(self, choice: Choice, text: str, place: str) -> list[bytes]:
        note = insert_note(place)
        if place == "before" or (self._open and self._kind == "text"):
            return [text_event(text, self._last, note)]
        stopped = [stop_event(self._last)] if self._open else []
        return [*stopped, *notice_events(text, self._last + 1, began=False, note=note)]

    def _annotation(self, choice: Choice, channel: Channel | None, note: dict[str, Any]) -> bytes:
        return sidecar(note)

    def _fault_event(self, fault: Fault) -> bytes:
        return error_event(fault)

    def _end_events(self, halted: bool, event: Event | None) -> list[bytes]:
        if event is not None:
            chunk = read_event(event, block=self._policy.unknown_text == "block")
            self._note_blocked(chunk.blocked)
            return [chunk.raw]
        if halted or any(choice.reason for choice in self._choices.values()):
            return [written({"type": "message_stop"})]
        return []  # an error was the end


PROTOCOL = Protocol(
    name="anthropic",
    read_request=lambda body, target: read_request(body),
    stream=AnthropicStream,
    guard_body=guard_body,
    error_body=error_body,
    say=own_answer.message,
    answer_key=b'"content"',
    key_header="x-api-key",
)
