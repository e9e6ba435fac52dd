"""A server's side and a client's side of a Responses stream, as plain as they come, for the tests.

The client is strict: it takes nothing but valid events in an order that the SDKs take, adds up what it gets, and
demands that everything that is repeated says the same as before.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from guardrail.policy.policy import Policy
from guardrail.wire.openai_responses import ResponsesStream
from guardrail.wire.request import ModelRequest
from guardrail.wire.stream import WireLimits
from tests.wire.driving import Driven, accounted, drive, every_way

RESPONSE = {"id": "resp_1", "object": "response", "created_at": 1, "model": "m", "tools": [], "metadata": {}}
USAGE = {"input_tokens": 3, "output_tokens": 5, "total_tokens": 8}

_TEXTS = {
    "output_text": ("content", "text"),
    "refusal": ("content", "refusal"),
    "reasoning_text": ("content", "text"),
    "reasoning_summary_text": ("summary", "text"),
}


def sse(value: dict[str, Any], *, ascii_only: bool = False, line_end: str = "\n", named: bool = True) -> bytes:
    data = json.dumps(value, separators=(",", ":"), ensure_ascii=ascii_only)
    head = f"event: {value.get('type')}{line_end}" if named else ""
    return f"{head}data: {data}{line_end * 2}".encode("utf-8", "surrogatepass")


class Server:
    """Says a response as OpenAI's API does, event by event."""

    def __init__(self, *, ascii_only: bool = False, line_end: str = "\n", obfuscate: bool = False) -> None:
        self.events: list[bytes] = []
        self.items: dict[int, dict[str, Any]] = {}
        self._settings: dict[str, Any] = {"ascii_only": ascii_only, "line_end": line_end}
        self._obfuscate = obfuscate
        self.say("response.created", response=self.response("in_progress", []))
        self.say("response.in_progress", response=self.response("in_progress", []))

    @staticmethod
    def response(status: str, output: list[Any], **more: Any) -> dict[str, Any]:
        return {**RESPONSE, "status": status, "error": None, "output": output, **more}

    def say(self, named: str, **said: Any) -> None:
        self.events.append(sse({"type": named, "sequence_number": len(self.events), **said}, **self._settings))

    def add(self, item: dict[str, Any]) -> int:
        """An item begins; its index."""
        index = len(self.items)
        self.items[index] = {**item, "content": []} if item["type"] == "message" else item
        self.say("response.output_item.added", output_index=index, item={**item, "status": "in_progress"})
        return index

    def message(self) -> int:
        return self.add({"id": f"msg_{len(self.items)}", "type": "message", "role": "assistant", "content": []})

    def reasoning(self) -> int:
        return self.add({"id": f"rs_{len(self.items)}", "type": "reasoning", "summary": [], "content": []})

    def where(self, index: int, key: str, at: int) -> dict[str, Any]:
        return {"item_id": self.items[index]["id"], "output_index": index, f"{key}_index": at}

    def open_part(self, index: int, named: str = "output_text") -> int:
        """A part of an item begins; its number."""
        key, text = _TEXTS[named]
        parts = self.items[index].setdefault(key, [])
        kind = "summary_text" if key == "summary" else named
        part = {"type": kind, text: "", **({"annotations": []} if named == "output_text" else {})}
        event = "reasoning_summary" if key == "summary" else "content"
        self.say(f"response.{event}_part.added", **self.where(index, key, len(parts)), part=part)
        parts.append(dict(part))
        return len(parts) - 1

    def delta(self, index: int, text: str, named: str = "output_text", at: int = 0, **more: Any) -> None:
        key, field_ = _TEXTS[named]
        self.items[index][key][at][field_] += text
        if self._obfuscate:
            more["obfuscation"] = "aB3" * (len(text) % 3)
        self.say(f"response.{named}.delta", **self.where(index, key, at), delta=text, **more)

    def close_part(self, index: int, named: str = "output_text", at: int = 0) -> None:
        key, text = _TEXTS[named]
        part = self.items[index][key][at]
        where = self.where(index, key, at)
        self.say(f"response.{named}.done", **where, **{text: part[text]})
        event = "reasoning_summary" if key == "summary" else "content"
        self.say(f"response.{event}_part.done", **where, part=part)

    def close(self, index: int) -> None:
        self.say("response.output_item.done", output_index=index, item={**self.items[index], "status": "completed"})

    def text(self, *texts: str, named: str = "output_text") -> int:
        """A whole item that says a text."""
        index = self.message() if named in ("output_text", "refusal") else self.reasoning()
        self.open_part(index, named)
        for text in texts:
            self.delta(index, text, named)
        self.close_part(index, named)
        self.close(index)
        return index

    def call(self, *arguments: str, name: str = "f") -> int:
        """A whole function call."""
        number = len(self.items)
        item = {"id": f"fc_{number}", "type": "function_call", "call_id": f"call_{number}", "name": name}
        index = self.add({**item, "arguments": ""})
        where = {"item_id": item["id"], "output_index": index}
        for piece in arguments:
            self.say("response.function_call_arguments.delta", **where, delta=piece)
        self.say("response.function_call_arguments.done", **where, arguments="".join(arguments))
        self.items[index] = {**item, "arguments": "".join(arguments)}
        self.close(index)
        return index

    def complete(self, status: str = "completed", **more: Any) -> list[bytes]:
        """The end; all events."""
        output = [{**item, "status": "completed"} for item in self.items.values()]
        self.say(f"response.{status}", response=self.response(status, output, usage=USAGE, **more))
        return self.events


@dataclass
class Reply:
    """What a client has when the stream is over."""

    texts: dict[str, str] = field(default_factory=dict)
    """By path, of deltas."""
    items: dict[int, dict[str, Any]] = field(default_factory=dict)
    """As they were said last."""
    final: dict[str, Any] | None = None
    """The response object at the end."""
    ending: str = ""
    errors: list[Any] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)

    @property
    def told(self) -> tuple[Any, ...]:
        """What is the same for every cut of the bytes: all but an estimate of the tokens read."""
        return self.texts, self.ending, {**(self.final or {}), "usage": None}

    @property
    def output_text(self) -> str:
        assert self.final is not None
        return text_of(self.final)

    @property
    def refusal(self) -> str:
        assert self.final is not None
        parts = [part for item in self.final["output"] for part in item.get("content") or ()]
        return "".join(part["refusal"] for part in parts if part["type"] == "refusal")


def text_of(response: dict[str, Any]) -> str:
    parts = [part for item in response["output"] if item["type"] == "message" for part in item["content"]]
    return "".join(part["text"] for part in parts if part["type"] == "output_text")


def read(out: bytes, *, strict: bool = True, json_output: bool = False) -> Reply:
    """Read a whole answer. `strict`: what is repeated must be the same, as it is where the server is sane."""
    reply = Reply()
    text = out.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    assert text.endswith("\n\n") or not text.strip(), "an event that is not whole"
    opened: set[int] = set()
    done = False
    for said in text.split("\n\n"):
        lines = [line for line in said.split("\n") if line and not line.startswith(":")]
        assert {line.partition(":")[0] for line in lines} <= {"data", "event", "id", "retry"}, lines
        data = "\n".join(line.removeprefix("data:").removeprefix(" ") for line in lines if line.startswith("data:"))
        if not data:
            continue
        assert not done, "something after [DONE]"
        if data == "[DONE]":
            done = True
            continue
        value = json.loads(data)
        json.dumps(value, ensure_ascii=False).encode()  # no lone surrogates
        assert isinstance(value, dict)
        if value.get("error") or value.get("type") == "error":
            reply.errors.append(value.get("error") or value)
            continue
        assert not reply.ending, "something after the end"
        if strict:
            names = [line.removeprefix("event:").strip() for line in lines if line.startswith("event:")]
            assert all(name == value["type"] for name in names)
        _add(reply, value, opened, strict=strict, json_output=json_output)
    return reply


def _add(reply: Reply, value: dict[str, Any], opened: set[int], *, strict: bool, json_output: bool) -> None:
    named = str(value.get("type"))
    reply.types.append(named)
    if type(value.get("sequence_number")) is int:
        reply.numbers.append(value["sequence_number"])
    beginning, _, last = named.removeprefix("response.").rpartition(".")
    index = value.get("output_index", 0)
    if beginning in _TEXTS:
        key, field_ = _TEXTS[beginning]
        path = f"output[{index}].{key}[{value.get(f'{key}_index', 0)}].{field_}"
        if last == "delta":
            assert isinstance(value.get("delta"), str) or not strict
            reply.texts[path] = reply.texts.get(path, "") + (
                value["delta"] if isinstance(value.get("delta"), str) else ""
            )
            if strict:
                assert index in reply.items, "text of an item that was not added"
        elif strict:
            assert value[field_] == reply.texts.get(path, ""), path
    elif beginning in ("content_part", "reasoning_summary_part") and last == "done" and strict:
        _same(reply, {"type": "", ("content" if beginning == "content_part" else "summary"): {}}, index, value)
    elif named == "response.output_item.added" and strict:
        assert index not in opened, "added twice"
        opened.add(index)
        reply.items[index] = value["item"]
    elif named == "response.output_item.done" and strict:
        added = reply.items.get(index)
        assert added is None or (added["type"], added["id"]) == (value["item"]["type"], value["item"]["id"])
        reply.items[index] = value["item"]
        opened.add(index)
        if not json_output:
            _check(reply, index, value["item"])
    elif named in ("response.completed", "response.incomplete", "response.failed"):
        reply.ending = named.removeprefix("response.")
        reply.final = value.get("response")
        if strict:
            assert reply.final is not None
            said = reply.final["output"]
            assert {item["id"] for item in reply.items.values()} == {item["id"] for item in said}
            for number, item in reply.items.items():
                assert item in said, (number, item, said)


def _same(reply: Reply, item: dict[str, Any], index: int, value: dict[str, Any]) -> None:
    key = "content" if "content_index" in value else "summary"
    field_ = "refusal" if value["part"]["type"] == "refusal" else "text"
    path = f"output[{index}].{key}[{value[f'{key}_index']}].{field_}"
    assert value["part"][field_] == reply.texts.get(path, ""), path


def _check(reply: Reply, index: int, item: dict[str, Any]) -> None:
    """The texts of an item are those of its deltas."""
    for key in ("summary", "content"):
        for number, part in enumerate(item.get(key) or ()):
            field_ = "refusal" if part["type"] == "refusal" else "text"
            assert part[field_] == reply.texts.get(f"output[{index}].{key}[{number}].{field_}", ""), (
                index,
                key,
                number,
            )


class Run(Driven):
    """One guarded stream."""

    @property
    def reply(self) -> Reply:
        return read(self.out)


def guard(
    rules: Policy,
    reads: bytes | Iterable[bytes],
    *,
    request: ModelRequest | None = None,
    limits: WireLimits | None = None,
) -> Run:
    """Feed reads, then the end of the upstream, as the proxy does: nothing more is read once it is told to stop."""
    stream = ResponsesStream(rules, request or ModelRequest(), case_id="g-1", limits=limits or WireLimits())
    return drive(Run, stream, reads)


def guard_every_way(rules: Policy, events: Iterable[bytes], **settings: Any) -> Run:
    """Guard a stream read whole, event by event, and byte by byte; the client must get the same. Returns the second."""
    by_event, whole, by_byte = (guard(rules, reads, **settings) for reads in every_way(events))
    for other in (whole, by_byte):
        one, two = read(other.out, strict=False), read(by_event.out, strict=False)
        assert one.told == two.told
        assert (other.record.findings, other.done, other.abort) == (
            by_event.record.findings,
            by_event.done,
            by_event.abort,
        )
    for run in (whole, by_event, by_byte):
        accounted(run.record)
    return by_event
