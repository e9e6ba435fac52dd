"""The codec of a streamed OpenAI Responses answer; see `stream` for how it is used and how it works.

The answer is one choice, whose channels are the texts of its items: `output[0].content[0].text`,
`output[0].summary[0].text`. Each text is repeated up to four times (the end of the text, of its part, of its item, of
the response): every repetition says the edited text, and one that is not what the deltas said is scanned whole.
Calls of tools are withheld from `output_item.added` to `output_item.done`.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from guardrail.text.rules import Finding
from guardrail.wire import own_answer
from guardrail.wire.answer import Closing, Fault, Released
from guardrail.wire.channel import Channel
from guardrail.wire.choice import Choice, within
from guardrail.wire.chunk import AnyTemplate, Chunk
from guardrail.wire.error import guarded_error
from guardrail.wire.inserts import insert_note
from guardrail.wire.json_text import is_document
from guardrail.wire.openai_error import refusal_body
from guardrail.wire.openai_responses_body import guard_body
from guardrail.wire.openai_responses_event import Reader, template_of, with_text
from guardrail.wire.openai_responses_halt import Delivered, Ending, usage_of
from guardrail.wire.openai_responses_item import ItemText, Kind, joined_text, type_of
from guardrail.wire.openai_responses_place import event_texts, place_of
from guardrail.wire.openai_responses_request import read_request
from guardrail.wire.openai_responses_tool import ToolItem
from guardrail.wire.protocol import Protocol
from guardrail.wire.record import UPSTREAM_ERROR
from guardrail.wire.sse import Event, data_event, parse_event
from guardrail.wire.stream import Stream
from guardrail.wire.strict_json import dumps, loads
from guardrail.wire.tool_arguments import Arguments, guard_arguments, guard_whole

_NUMBER = re.compile(rb'"sequence_number"\s*:\s*(\d{1,18})\b')


class ResponsesStream(Stream):
    """One streamed response under one policy."""

    __slots__ = (
        *("_closing_value", "_delivered", "_ends_at", "_fresh", "_last", "_parked", "_reader", "_starts_at", "_told"),
    )

    rewrite = staticmethod(with_text)
    keeps_text = True

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._reader = Reader(block=self._policy.unknown_text == "block", clean=self._is_clean)
        self._delivered = Delivered()
        self._told: dict[tuple[str, str], str] = {}
        """(path, raw) of texts that were scanned, and what was told instead."""
        self._fresh: dict[tuple[str, str], str] = {}
        """The same, of the event that is being said."""
        self._closing_value: dict[str, Any] = {}
        self._last = b""
        """What was written last."""
        self._starts_at = self._ends_at = ""
        """The texts in which guardrail's own words stand: in front, and behind."""
        self._parked: list[tuple[Event, Chunk]] = []
        """What closes the newest message. It waits for what comes next: if that is the end, more is to be said."""

    # --- reading ------------------------------------------------------------------------------------------------------

    def feed(self, data: bytes) -> bytes:
        """See `Stream.feed`."""
        out = super().feed(data)
        self._last = out or self._last  # also what went the short way, which `_written` does not see
        return out

    def _written(self) -> bytes:
        out = super()._written()
        self._last = out or self._last
        return out

    def _read(self, event: Event) -> Chunk:
        return self._reader.read(event)

    def _ends(self, event: Event) -> bool:
        return event.data is not None and event.data.lstrip().startswith(b"[DONE]")

    def _find_template(self, chunk: Chunk) -> AnyTemplate | None:
        return template_of(chunk, self._reader)

    def _note(self, chunk: Chunk) -> None:
        response = chunk.value.get("response") if isinstance(chunk.value, dict) else None
        if isinstance(response, dict) and not chunk.finished:
            self._envelope = {key: found for key, found in response.items() if key not in ("output", "output_text")}
        elif not self._envelope:
            self._envelope = {"object": "response"}
        if any(reason == "failed" for _, reason in chunk.finished):
            self._fault = UPSTREAM_ERROR

    def _new_part(self, choice: Choice, part: str) -> ToolItem:
        return ToolItem(int(part[len("output[") : -1]))

    def _size_of(self, said: Any) -> int:
        return sum(len(text.raw) for text in said)

    # --- saying -------------------------------------------------------------------------------------------------------

    def _pass(self, chunk: Chunk) -> None:
        # Nothing follows the end of a response; an event that repeats texts would do so as they came.
        if any(self._choices[number].ended for number in chunk.choices):
            return
        super()._pass(chunk)
        if isinstance(chunk.value, dict):
            self._remember(chunk.value)

    def _release(self, choice: Choice, part: str, chunk: Chunk | None) -> Released | None:
        before = len(choice.over)
        self._closing_value = {}
        self._fresh = {}
        released = super()._release(choice, part, chunk)
        if released is None:
            return None
        self._told |= self._fresh
        for withheld in choice.over[before:]:
            if isinstance(withheld, ToolItem) and withheld.halted is None:
                self._told |= withheld.told
                if withheld.item:
                    self._delivered.end(withheld.index, withheld.item)
        if released.halted is None:
            self._remember(self._closing_value)
        return released

    def _closing(self, choice: Choice, part: str, chunk: Chunk) -> Closing:
        self._closing_value = chunk.value
        outcomes: list[tuple[int, Arguments]] = []
        texts = self._repeated(chunk.value)
        said = [self._surrounded(text.path, self._edited(choice, text, outcomes)) for text in texts]
        if any(outcome.halted is not None for _, outcome in outcomes):
            return Closing(b"", outcomes)
        if not any(text.differs(now) for text, now in zip(texts, said, strict=True)):
            return Closing(chunk.raw, outcomes)
        # What came stays as it is, since this may be asked again.
        event = parse_event(chunk.raw)
        assert event.data is not None
        value, _ = loads(event.data)
        response = value.get("response")
        joined = isinstance(response, dict) and response.get("output_text") == joined_text(response)
        for text, now in zip(self._repeated(value), said, strict=True):
            text.put(now)
        if joined:
            response["output_text"] = joined_text(response)
        self._closing_value = value
        return Closing(data_event(dumps(value), event.head), outcomes)

    def _repeated(self, value: dict[str, Any]) -> list[ItemText]:
        """The texts of an event that ends something."""
        texts = event_texts(value, self._reader.indexes)
        response = value.get("response")
        joined = response.get("output_text") if isinstance(response, dict) else None
        if isinstance(response, dict) and joined and joined != joined_text(response):
            texts.append(ItemText(response, "output_text", "output_text", Kind.WHOLE))
        return texts

    def _edited(self, choice: Choice, text: ItemText, outcomes: list[tuple[int, Arguments]]) -> str:
        """What is told instead of a text that is repeated, or said at once."""
        raw = text.raw
        told = self._told.get((text.path, raw), self._fresh.get((text.path, raw)))
        if told is not None:
            return told
        if text.kind is Kind.TEXT:
            channel = choice.known(text.path)
            if channel is not None:
                was, now = channel.whole()
                if was == raw:
                    self._fresh[text.path, raw] = now
                    return now
            outcome = guard_whole(self._rules, raw, text.path, self._verdicts)
        elif text.kind is Kind.NAME:
            outcome = guard_whole(self._rules, raw, text.path)
        else:
            outcome = guard_arguments(self._rules, raw, text.path, self._verdicts)
        outcomes.append((len(raw), outcome))
        now = "" if outcome.halted is not None and text.kind is not Kind.TEXT else outcome.text
        self._fresh[text.path, raw] = now
        return now

    def _remember(self, value: dict[str, Any]) -> None:
        """The client was told this."""
        place = place_of(value, self._reader.indexes)
        if place is None:
            return
        delivered = self._delivered
        if place.step == "added" and not place.kind:
            delivered.add(place.item, value["item"])
        elif not place.kind:
            delivered.end(place.item, value["item"])
        else:
            delivered.spoke(place.item, place.kind, place.number, place.named).take(place.step, value)

    # --- what guardrail says itself -----------------------------------------------------------------------------------

    def _take_chunk(self, event: Event, chunk: Chunk) -> None:
        if self._inserts.behind:
            if chunk.closed and self._closes_words(chunk):
                self._parked.append((event, chunk))
                self._template = None  # what follows is to be seen
                return
            self._unpark(last=any(reason != "failed" for _, reason in chunk.finished))
            if self._todo:
                self._todo.append(partial(self._take_chunk, event, chunk))
                return
        super()._take_chunk(event, chunk)

    def _take_text(self, choice: Choice, key: str, text: str, chunk: Chunk) -> None:
        self._unpark(last=False)
        if self._todo:
            self._todo.append(partial(self._take_one, chunk))
        else:
            super()._take_text(choice, key, text, chunk)

    def _upstream_done(self, event: Event) -> None:
        self._unpark(last=True)
        if self._todo:
            self._todo.append(partial(self._upstream_done, event))
        else:
            super()._upstream_done(event)

    def _give_up(self, fault: Fault, *, complete: bool) -> None:
        self._unpark(last=False)
        if self._todo:
            self._todo.append(partial(self._give_up, fault, complete=complete))
        else:
            super()._give_up(fault, complete=complete)

    def _closes_words(self, chunk: Chunk) -> bool:
        """Whether it ends a text of a message, a part of one that holds a text, or the message."""
        value = chunk.value
        named = value["type"]
        if named == "response.content_part.done":
            return type_of(value.get("part") or {}) == "output_text"
        if named == "response.output_item.done":
            return type_of(value["item"]) == "message"
        return bool(named == "response.output_text.done")

    def _unpark(self, *, last: bool) -> None:
        """Say what closes a message. `last`: the answer ends with it, and so with what guardrail has to say behind."""
        parked, self._parked = self._parked, []
        choice = self._choices.get(0)
        # Once: the step that asks may have had to wait, and is tried again.
        known = bool(self._ends_at) or not self._inserts.behind
        if last and not known and choice is not None and choice.spoke and not choice.ended:
            parts = [part for _, chunk in parked for _, part in chunk.closed] or [""]
            keys = [key for key in choice.channels if self._are_words(key) and any(within(key, p) for p in parts)]
            self._ends_at = keys[-1] if keys else ""
        self._take_parked(parked)

    def _take_parked(self, parked: list[tuple[Event, Chunk]]) -> None:
        for number, (event, chunk) in enumerate(parked, 1):
            if not self.done:
                super()._take_chunk(event, chunk)
            if self._todo:
                self._todo.append(partial(self._take_parked, parked[number:]))
                return

    def _are_words(self, key: str) -> bool:
        item = self._delivered.items.get(int(key[len("output[") : key.index("]")]), {})
        return is_document(key) and item.get("type") != "reasoning"

    def _begin_words(self, choice: Choice, key: str) -> None:
        self._starts_at = key
        super()._begin_words(choice, key)

    def _end_words(self, choice: Choice, part: str, chunk: Chunk | None) -> None:
        if self._ends_at and not self._behind and within(self._ends_at, part):
            self._out += self._insert(choice, self._inserts.behind, "behind")
            self._behind += 1

    def _insert(self, choice: Choice, text: str, place: str) -> list[bytes]:
        said = self._delivered.nothing_more(self._starts_at if place == "before" else self._ends_at)
        number = max(self._number() - 1, 0)
        value = {**said, "delta": text, "sequence_number": number, "guardrail": insert_note(place)}
        return [data_event(dumps(value), b"event: %b\n" % said["type"].encode())]

    def _surrounded(self, path: str, text: str) -> str:
        """A text that is repeated, with what guardrail said in it."""
        before = self._inserts.before if path == self._starts_at else ""
        behind = self._inserts.behind if path == self._ends_at else ""
        return before + text + behind

    # --- ends ---------------------------------------------------------------------------------------------------------

    def _halt_events(self, choice: Choice, finding: Finding, usage: dict[str, Any] | None) -> list[bytes]:
        channels = {channel.key: channel for channel in (*choice.past, *choice.channels.values())}
        for key in channels:
            self._delivered.heard(key)

        def text_of(path: str) -> str | None:
            channel = channels.get(path)
            return None if channel is None else self._surrounded(path, channel.whole()[1])

        refusal = self._policy.refusal
        if not self._behind:
            self._ends_at = ""
            refusal = self._last_words(choice, refusal)
        ending = Ending(self._delivered, text_of, first=self._number(), json_output=self._request.json_output)
        stop = self._stop(choice, finding)
        said = usage_of(self._request, usage, self._tokens)
        return ending.events(refusal, self._case_id, finding, stop, self._envelope, said)

    def _annotation(self, choice: Choice, channel: Channel | None, note: dict[str, Any]) -> bytes:
        # The JavaScript SDK takes no event of a type that it does not know.
        said: dict[str, Any]
        if channel is None:
            said = {"type": "response.in_progress", "response": {**self._envelope, "output": []}}
        else:
            said = self._delivered.nothing_more(channel.key)
        value = {**said, "sequence_number": max(self._number() - 1, 0), "guardrail": note}
        return data_event(dumps(value), b"event: %b\n" % said["type"].encode())

    def _fault_event(self, fault: Fault) -> bytes:
        return self._error(fault.message, fault.code)

    def _guard_error(self, event: Event) -> tuple[bytes, Arguments]:
        assert event.data is not None
        said, outcome = guarded_error(self._rules, event.data, self._verdicts, b"")
        if outcome.halted is not None:
            return self._error(self._policy.refusal, None), outcome
        return event.raw if said == event.data else data_event(said, event.head), outcome

    def _error(self, message: str, code: str | None) -> bytes:
        """The error event. It says everything twice: OpenAI documents the fields beside `type`, and its SDKs raise for
        those in `error`, which is what the API sends."""
        said = {"message": message, "code": code, "param": None}
        value = {
            "type": "error",
            "sequence_number": self._number(),
            **said,
            "error": {"type": "upstream_error", **said},
        }
        return data_event(dumps(value), b"event: error\n")

    def _end_events(self, halted: bool, event: Event | None) -> list[bytes]:
        # Some servers send `[DONE]` as well.
        if event is None:
            return []
        return [event.raw if event.data is not None and event.data.strip() == b"[DONE]" else b"data: [DONE]\n\n"]

    def _number(self) -> int:
        """The sequence number that follows what was written last."""
        for written in (b"".join(self._out), self._last):
            numbers = _NUMBER.findall(written)
            if numbers:
                return int(numbers[-1]) + 1
        return 0


PROTOCOL = Protocol(
    name="openai_responses",
    read_request=read_request,
    stream=ResponsesStream,
    guard_body=guard_body,
    error_body=refusal_body,
    say=own_answer.response,
    answer_key=b'"output"',
    prompt_field="input",
    methods=("POST", "GET"),
)
