"""What a client has been told of a Responses stream, and how the stream ends when a policy halts it.

A halt leaves nothing open: every text that has begun is closed with what there is of it, edited; a refusal part with
the notice is added to the message that is open, or to a new one; every item is finished; `response.completed` says the
whole response again, as the client has it. The response is complete, not failed or incomplete, since SDKs give a final
response for nothing else.

Where the client asked for JSON, the text that was halted is no document: it is not closed and not repeated, so that
SDKs find a refusal there and nothing to parse, as for any structured output that the model refuses.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from guardrail.text.rules import Finding
from guardrail.wire.halt import Stop, halt_note
from guardrail.wire.openai_responses_item import READ, listed, part_path, text_key, type_of
from guardrail.wire.request import ModelRequest
from guardrail.wire.sse import data_event
from guardrail.wire.strict_json import dumps

_NAMES = {"output_text": "output_text", "text": "output_text", "refusal": "refusal", "reasoning_text": "reasoning_text"}
"""By type of content part: what the events of its text are called."""

_CHANNEL = re.compile(r"output\[(\d+)\]\.(content|summary)\[(\d+)\]\.(text|refusal)")


@dataclass(slots=True)
class Part:
    """A part of a content or summary."""

    said: dict[str, Any]
    """As the client was told last."""
    announced: bool = False
    """An event has said that it begins."""
    ended: bool = False
    """An event has said all of its text."""
    closed: bool = False
    """An event has said all of it."""

    def take(self, step: str, value: dict[str, Any]) -> None:
        """The client was told an event of it; see `Place.step`."""
        if step == "text":
            self.ended = True
        elif step == "annotation":
            self.said = {**self.said, "annotations": [*listed(self.said.get("annotations")), value.get("annotation")]}
        else:
            self.said = value["part"]
            self.announced = True
            self.closed = self.ended = step == "done"


@dataclass(slots=True)
class Delivered:
    """The items that a client has been told of, as it was told."""

    items: dict[int, dict[str, Any]] = field(default_factory=dict)
    open: set[int] = field(default_factory=set)
    parts: dict[tuple[int, str, int], Part] = field(default_factory=dict)
    """By item, "content" or "summary", and number."""

    def add(self, number: int, item: dict[str, Any]) -> None:
        """An item begins."""
        self.items[number] = item
        self.open.add(number)

    def end(self, number: int, item: dict[str, Any]) -> None:
        """An item was said whole."""
        self.items[number] = item
        self.open.discard(number)

    def spoke(self, number: int, kind: str, at: int, named: str) -> Part:
        """A part of which something was said, whether it was announced or not. `named`: the type that it then has."""
        return self.parts.setdefault((number, kind, at), Part({"type": named}))

    def heard(self, channel: str) -> None:
        """Text of this channel was said; servers do not always say before what it belongs to."""
        found = _CHANNEL.fullmatch(channel)
        if found is None:
            return
        number, kind, key = int(found[1]), found[2], found[4]
        if number not in self.items:
            message: dict[str, Any] = {"type": "message", "role": "assistant", "content": []}
            self.add(number, {"id": f"msg_{number}", **message})
        if kind == "summary":
            named = "summary_text"
        elif key == "refusal":
            named = "refusal"
        else:
            named = "reasoning_text" if self.items[number].get("type") == "reasoning" else "output_text"
        self.spoke(number, kind, int(found[3]), named)

    def nothing_more(self, channel: str) -> dict[str, Any]:
        """An event of this channel that adds nothing to its text."""
        self.heard(channel)
        found = _CHANNEL.fullmatch(channel)
        assert found is not None
        number, kind, at = int(found[1]), found[2], int(found[3])
        named = type_of(self.parts[number, kind, at].said)
        event = "reasoning_summary_text" if kind == "summary" else _NAMES.get(named, "output_text")
        where = {"item_id": self.items[number].get("id", ""), "output_index": number, f"{kind}_index": at}
        more: dict[str, Any] = {"logprobs": []} if event == "output_text" else {}
        return {"type": f"response.{event}.delta", **where, "delta": "", **more}


class Ending:
    """Writes the events of a halt."""

    def __init__(
        self, delivered: Delivered, text_of: Callable[[str], str | None], *, first: int, json_output: bool
    ) -> None:
        """`text_of`: what a client has, or may keep, of the text with this path; None when there is none. `first`: the
        sequence number of the first event."""
        self._delivered = delivered
        self._text_of = text_of
        self._next = first
        self._json = json_output
        self._out: list[bytes] = []

    def events(
        self,
        refusal: str,
        case_id: str,
        finding: Finding,
        stop: Stop,
        envelope: dict[str, Any],
        usage: dict[str, Any],
    ) -> list[bytes]:
        """`refusal`: what people are told. `envelope`: the response object without its output."""
        delivered = self._delivered
        messages = [number for number in delivered.open if delivered.items[number].get("type") == "message"]
        speaker = max(messages, default=None)
        for number in sorted(delivered.open):
            self._finish(number, refusal if number == speaker else None)
        if speaker is None:
            number = max(delivered.items, default=-1) + 1
            begun = refusing_message(case_id, None)
            self._say("response.output_item.added", output_index=number, item=begun)
            delivered.add(number, begun)
            self._finish(number, refusal)
        output = [delivered.items[number] for number in sorted(delivered.items)]
        response = halted_response(envelope, output, usage, case_id, finding, stop)
        self._say("response.completed", response=response, guardrail=response["guardrail"])
        return self._out

    def _finish(self, number: int, refusal: str | None) -> None:
        """Close an item, with a refusal as its last part."""
        delivered = self._delivered
        item = delivered.items[number]
        kind = type_of(item)
        item = {**item, "status": "completed" if kind in READ else "incomplete"}
        where = {"item_id": item.get("id", ""), "output_index": number}
        for key in ("summary", "content"):
            numbers = [at for at_item, at_key, at in delivered.parts if (at_item, at_key) == (number, key)]
            said = [self._close(where, key, at) for at in sorted(numbers)]
            if said:
                item[key] = [part for part in said if part is not None]
            if refusal is not None and key == "content":
                item[key] = [*listed(item.get(key)), self._refuse(where, max(numbers, default=-1) + 1, refusal)]
        delivered.end(number, item)
        self._say("response.output_item.done", output_index=number, item=item)

    def _close(self, where: dict[str, Any], key: str, at: int) -> dict[str, Any] | None:
        """Close a part; as it is then, None when it is not to be repeated."""
        part = self._delivered.parts[where["output_index"], key, at]
        if part.closed:
            return part.said
        name = text_key(part.said)
        text = self._text_of(f"{part_path(where['output_index'], key, at)}.{name}") or ""
        named = type_of(part.said)
        if not part.ended and self._json and named == "output_text":
            return None
        said = {**part.said, name: text}
        if named == "output_text":
            said = {**said, "annotations": listed(said.get("annotations")), "logprobs": []}
        place = {**where, "summary_index" if key == "summary" else "content_index": at}
        summary = key == "summary"
        if not part.ended:
            event = "reasoning_summary_text" if summary else _NAMES.get(named, "output_text")
            more: dict[str, Any] = {"logprobs": []} if event == "output_text" else {}
            self._say(f"response.{event}.done", **place, **{name: text}, **more)
        if part.announced:
            self._say(f"response.{'reasoning_summary' if summary else 'content'}_part.done", **place, part=said)
        return said

    def _refuse(self, where: dict[str, Any], at: int, refusal: str) -> dict[str, Any]:
        place = {**where, "content_index": at}
        said = {"type": "refusal", "refusal": refusal}
        self._say("response.content_part.added", **place, part={"type": "refusal", "refusal": ""})
        if refusal:
            self._say("response.refusal.delta", **place, delta=refusal)
        self._say("response.refusal.done", **place, refusal=refusal)
        self._say("response.content_part.done", **place, part=said)
        return said

    def _say(self, named: str, **said: Any) -> None:
        value = {"type": named, "sequence_number": self._next, **said}
        self._next += 1
        self._out.append(data_event(dumps(value), b"event: %b\n" % named.encode()))


def refusing_message(case_id: str, refusal: str | None) -> dict[str, Any]:
    """A message that says nothing but the notice; None: nothing yet."""
    content = [] if refusal is None else [{"type": "refusal", "refusal": refusal}]
    status = "in_progress" if refusal is None else "completed"
    return {"id": f"msg_{case_id}", "type": "message", "status": status, "role": "assistant", "content": content}


def halted_response(
    envelope: dict[str, Any],
    output: list[dict[str, Any]],
    usage: dict[str, Any],
    case_id: str,
    finding: Finding,
    stop: Stop,
) -> dict[str, Any]:
    """The whole response of a halt. The note always names the channel: no channel is the main one."""
    note = {**halt_note(case_id, finding.channel, stop), "channel": finding.channel}
    if "guardrail" in usage:
        note["usage"] = "estimated"
    return {
        "id": f"resp_{case_id}",
        "object": "response",
        "created_at": 0,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        **envelope,
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "output": output,
        "usage": {key: value for key, value in usage.items() if key != "guardrail"},
        "guardrail": note,
    }


def usage_of(request: ModelRequest, said: dict[str, Any] | None, tokens: int) -> dict[str, Any]:
    """The usage of a response that was cut short: what upstream said, else an estimate (marked for `halted_response`):
    one token for every event with text; of the prompt, see `ModelRequest.prompt_tokens`."""
    if said is not None:
        return said
    prompt = request.prompt_tokens
    return {
        "input_tokens": prompt,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": prompt + tokens,
        "guardrail": "estimated",
    }
