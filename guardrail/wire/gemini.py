"""The codec of a streamed Gemini response; see `stream` for how it is used and how it works.

Two framings of the same chunks: server-sent events (`alt=sse`, what google-genai reads), and one JSON array that comes
piece by piece (what Google's older REST clients read).

Nothing but the end of the connection ends such a stream, so a response is complete when each of its candidates has a
finish reason. google-genai takes nothing but `data: {…}` lines and blank ones: there is no keep-alive.
"""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

from guardrail.errors import WireError
from guardrail.text.rules import Finding
from guardrail.text.scores import Verdict
from guardrail.wire import json_array, own_answer
from guardrail.wire.answer import Fault
from guardrail.wire.channel import Channel
from guardrail.wire.choice import Choice
from guardrail.wire.chunk import AnyTemplate, Chunk
from guardrail.wire.gemini_body import guard_body
from guardrail.wire.gemini_event import (
    ARRAY,
    SSE,
    Framing,
    explode,
    read_chunk,
    stretch_of,
    template_of,
    with_text,
    with_value,
)
from guardrail.wire.gemini_halt import (
    estimated_usage,
    fault_value,
    finish_reason,
    guard_error,
    halt_chunks,
    refusal_body,
    refuse_prompt,
)
from guardrail.wire.gemini_parts import ENVELOPE, GROUNDING, Stretch
from guardrail.wire.gemini_request import read_request
from guardrail.wire.gemini_withheld import FunctionCall, Grounding, call_size
from guardrail.wire.halt import notice
from guardrail.wire.inserts import insert_note
from guardrail.wire.protocol import Protocol
from guardrail.wire.sse import Event
from guardrail.wire.stream import Stream
from guardrail.wire.stream_verdicts import Ask
from guardrail.wire.strict_json import dumps
from guardrail.wire.tool_arguments import Arguments


class GeminiStream(Stream):
    """One streamed response under one policy, as server-sent events."""

    __slots__ = ("_refused", "_stretches", "_went_on")

    framing: ClassVar[Framing] = SSE
    rewrite = staticmethod(partial(with_text, framing=SSE))
    idle = b""
    main = "parts[0].text"

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._stretches: dict[int, Stretch] = {}
        """By candidate: where it is."""
        self._refused = False
        """The model server refused the prompt."""
        self._went_on = False
        """A candidate had text behind its finish."""

    def _read(self, event: Event) -> Chunk:
        block = self._policy.unknown_text == "block"
        return read_chunk(event, self._stretches, block=block, clean=self._is_clean)

    def _explode(self, chunk: Chunk) -> list[bytes]:
        return explode(chunk.raw, self.framing)

    def _find_template(self, chunk: Chunk) -> AnyTemplate | None:
        return template_of(chunk, self._stretches, self.framing, self._is_clean)

    def _note(self, chunk: Chunk) -> None:
        if not self._envelope:
            self._envelope = {key: chunk.source[key] for key in ENVELOPE if chunk.source.get(key)}
        feedback = chunk.source.get("promptFeedback")
        self._refused = self._refused or (isinstance(feedback, dict) and bool(feedback.get("blockReason")))

    def _take_one(self, chunk: Chunk) -> None:
        stretch = stretch_of(chunk)
        if stretch is not None and not self._enter(*stretch, chunk):
            return
        if chunk.finished:
            self._template = None  # what follows is to be seen
        super()._take_one(chunk)

    def _enter(self, index: int, stretch: Stretch, chunk: Chunk) -> bool:
        """A candidate comes to a stretch of its parts. What stood before is settled and said first, so that the parts
        keep their order. False: that has to be waited for, or ended the response."""
        choice = self._choices[index]
        if choice.ended and not choice.halted:
            self._went_on = True
            raise WireError("The model server went on with an answer that it had finished.")
        now = self._stretches.get(index)
        self._stretches[index] = stretch
        if now is None or now.number == stretch.number:
            return True
        self._template = None
        if now.open:
            self._flush()
            if not self.done:
                self._close_part(index, now.key, None)
            if self._todo:
                self._todo.append(partial(self._take_one, chunk))
                return False
        return not self.done

    def _close_part(self, index: int, part: str, chunk: Chunk | None) -> None:
        super()._close_part(index, part, chunk)
        self._choices[index].closed.clear()  # none is opened twice: they are numbered

    @property
    def _complete(self) -> bool:
        if self._went_on:
            return False
        return super()._complete or (self._refused and all(choice.ended for choice in self._choices.values()))

    def _new_part(self, choice: Choice, part: str) -> FunctionCall | Grounding:
        return Grounding(choice, self.framing) if part == GROUNDING else FunctionCall(part, self.framing)

    def _size_of(self, said: Any) -> int:
        return call_size(said) if {"name", "args", "partialArgs"} & said.keys() else len(dumps(said).decode())

    def _with_value(self, chunk: Chunk, value: str) -> bytes:
        return with_value(chunk.raw, chunk.whole[0][1], value, self.framing)

    def _guard_error(self, event: Event) -> tuple[bytes, Arguments]:
        assert event.data is not None
        said, outcome = guard_error(self._policy.refusal, self._rules, event.data, self._verdicts)
        return event.raw if said == event.data else self.framing.write(said, event.head), outcome

    def _halt_events(self, choice: Choice, finding: Finding, usage: dict[str, Any] | None) -> list[bytes]:
        choice.reason = finish_reason(finding.category)
        stop = self._stop(choice, finding)
        chunks = halt_chunks(
            self._policy,
            self._case_id,
            finding,
            index=choice.index,
            stop=stop,
            said="" if self._request.json_output else self._last_words(choice, notice(self._policy, self._case_id)),
            json_output=self._request.json_output,
        )
        if usage is not None:  # upstream said it in the chunk that this one stands for
            chunks[-1]["usageMetadata"] = usage
        else:
            chunks[-1]["usageMetadata"] = estimated_usage(self._request, self._usage, self._tokens)
            chunks[-1]["guardrail"]["usage"] = "estimated"
        return [self.framing.say({**chunk, **self._envelope}) for chunk in chunks]

    def _calls(self, choice: Choice, chunk: Chunk | None) -> bool:
        return any(isinstance(part, FunctionCall) for part in choice.over)

    def _insert(self, choice: Choice, text: str, place: str) -> list[bytes]:
        candidate = {"content": {"parts": [{"text": text}], "role": "model"}, "index": choice.index}
        return [self.framing.say({"candidates": [candidate], **self._envelope, "guardrail": insert_note(place)})]

    def _annotation(self, choice: Choice, channel: Channel | None, note: dict[str, Any]) -> bytes:
        candidate = {"content": {"parts": [{"text": ""}], "role": "model"}, "index": choice.index}
        return self.framing.say({"candidates": [candidate], **self._envelope, "guardrail": note})

    def _fault_event(self, fault: Fault) -> bytes:
        return self.framing.say(fault_value(fault))

    def _end_events(self, halted: bool, event: Event | None) -> list[bytes]:
        return []


class GeminiArrayStream(GeminiStream):
    """The same as one JSON array."""

    __slots__ = ("_began",)

    framing = ARRAY
    framer = json_array.ArrayFramer
    next_event = staticmethod(json_array.next_element)
    parse = staticmethod(json_array.parse_element)
    whole_event = staticmethod(json_array.whole_element)
    rewrite = staticmethod(partial(with_text, framing=ARRAY))

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._began = False

    def feed(self, data: bytes) -> bytes:
        return self._opened(super().feed(data))

    def finish(self) -> bytes:
        return self._opened(super().finish())

    def fail(self, fault: Fault) -> bytes:
        return self._opened(super().fail(fault))

    def score(self, ask: Ask, verdict: Verdict) -> bytes:
        return self._opened(super().score(ask, verdict))

    def _opened(self, out: bytes) -> bytes:
        if self._began or not out:
            return out
        self._began = True
        return json_array.opened(out)

    def _ends(self, event: Event) -> bool:
        return event.data == b"]"

    def _end_events(self, halted: bool, event: Event | None) -> list[bytes]:
        return [json_array.END if event is None else event.raw]


PROTOCOL = Protocol(
    name="gemini",
    read_request=read_request,
    stream=GeminiStream,
    guard_body=guard_body,
    error_body=refusal_body,
    say=own_answer.content,
    answer_key=b'"candidates"',
    array=GeminiArrayStream,
    key_header="x-goog-api-key",
    prompt_field="contents",
    refuse_prompt=refuse_prompt,
)
