"""A server's side and a client's side of an Anthropic Messages stream, as plain as they come, for the tests.

The client is strict: it takes nothing but valid events in their order, and adds blocks up by position as the SDKs do.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from guardrail.policy.policy import Policy
from guardrail.wire.anthropic import AnthropicStream
from guardrail.wire.request import ModelRequest
from guardrail.wire.stream import WireLimits
from tests.wire.driving import Driven, accounted, drive, every_way

MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "content": [],
    "model": "m",
    "stop_reason": None,
    "stop_sequence": None,
    "usage": {"input_tokens": 9, "output_tokens": 1},
}
DELTAS = {"text": "text_delta", "thinking": "thinking_delta", "content": "compaction_delta"}


def sse(value: Any, *, name: str | None = None, ascii_only: bool = False, line_end: str = "\n", pad: int = 0) -> bytes:
    """An event; `name` when it is not its type, "" for none; `pad`: blanks before its last brace."""
    data = json.dumps(value, separators=(",", ":"), ensure_ascii=ascii_only)
    if any("\ud800" <= char <= "\udfff" for char in data):
        data = json.dumps(value, separators=(",", ":"))
    data = f"{data[:-1]}{' ' * pad}{data[-1]}" if pad else data
    name = name if name is not None else value.get("type", "") if isinstance(value, dict) else ""
    head = f"event: {name}{line_end}" if name else ""
    return f"{head}data: {data}{line_end * 2}".encode()


START = sse({"type": "message_start", "message": MESSAGE})
STOP = sse({"type": "message_stop"})
PING = sse({"type": "ping"})


def begin(index: int = 0, kind: str = "text", **fields: Any) -> bytes:
    """A `content_block_start`; a block of text or thinking is empty unless told."""
    empty = {"text": {"text": ""}, "thinking": {"thinking": "", "signature": ""}}.get(kind, {})
    return sse({"type": "content_block_start", "index": index, "content_block": {"type": kind, **empty, **fields}})


def delta(index: int, kind: str, **fields: Any) -> bytes:
    return sse({"type": "content_block_delta", "index": index, "delta": {"type": kind, **fields}})


def end(index: int = 0) -> bytes:
    return sse({"type": "content_block_stop", "index": index})


def says(*texts: str, index: int = 0, key: str = "text") -> list[bytes]:
    return [delta(index, DELTAS[key], **{key: text}) for text in texts]


def block(*texts: str, index: int = 0, key: str = "text") -> list[bytes]:
    """A whole block of text or thinking."""
    signed = [delta(index, "signature_delta", signature="c2ln")] if key == "thinking" else []
    return [begin(index, key), *says(*texts, index=index, key=key), *signed, end(index)]


def call(*pieces: str, index: int = 0, name: str = "f", kind: str = "tool_use") -> list[bytes]:
    """A whole call of a tool; its input in these pieces."""
    return [
        begin(index, kind, id=f"toolu_{index}", name=name, input={}),
        *(delta(index, "input_json_delta", partial_json=piece) for piece in pieces),
        end(index),
    ]


def stopped(reason: str = "end_turn", **fields: Any) -> bytes:
    said = {"stop_reason": reason, "stop_sequence": None, **fields}
    return sse({"type": "message_delta", "delta": said, "usage": {"output_tokens": 7}})


def message(*events: bytes | Sequence[bytes], reason: str = "end_turn") -> list[bytes]:
    """A whole stream: the start of the message, the events, its stop."""
    flat = [e for item in events for e in ([item] if isinstance(item, bytes) else item)]
    return [START, *flat, stopped(reason), STOP]


@dataclass
class Reply:
    """What a client has when the stream is over."""

    start: dict[str, Any] | None = None
    content: list[dict[str, Any]] = field(default_factory=list)
    """The blocks. Of a call of a tool, `json` is its input as it came."""
    open: int = -1
    stop_reason: str | None = None
    stop: dict[str, Any] = field(default_factory=dict)
    """The delta that told why it stopped."""
    usage: dict[str, Any] = field(default_factory=dict)
    guardrail: list[Any] = field(default_factory=list)
    errors: list[Any] = field(default_factory=list)
    done: bool = False

    def texts(self, key: str = "text") -> str:
        """All text of this kind, blocks joined."""
        return "".join(block.get(key) or "" for block in self.content)

    @property
    def kinds(self) -> list[str]:
        return [block["type"] for block in self.content]


def read(out: bytes) -> Reply:
    """Read a whole answer, strictly."""
    reply = Reply()
    text = out.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    assert text.endswith("\n\n") or not text.strip(), "an event that is not whole"
    for said in text.split("\n\n"):
        lines = [line for line in said.split("\n") if line and not line.startswith(":")]
        data = "\n".join(line.removeprefix("data:").removeprefix(" ") for line in lines if line.startswith("data:"))
        names = [line.removeprefix("event:").strip() for line in lines if line.startswith("event:")]
        assert {line.partition(":")[0] for line in lines} <= {"data", "event", "id", "retry"}, lines
        if data:
            _add(reply, names[-1] if names else "", json.loads(data))
    return reply


def _add(reply: Reply, name: str, event: dict[str, Any]) -> None:
    json.dumps(event, ensure_ascii=False).encode()  # no lone surrogates
    assert not reply.done, "something after message_stop"
    kind = event.get("type")
    if name == "guardrail":
        assert kind == "ping", "clients that go by the type fail on one that they do not know"
        reply.guardrail.append(event["guardrail"])
    elif name == "error" or kind == "error" or (kind is None and event.get("error")):
        reply.errors.append(event.get("error"))
    elif kind == "message_start":
        assert reply.start is None, "a second message"
        reply.start = event["message"]
        reply.content = list(event["message"]["content"])
        reply.usage = dict(event["message"].get("usage") or {})
    elif kind == "message_delta":
        assert reply.start is not None
        assert type(event["usage"]["output_tokens"]) is int
        reply.usage |= event["usage"]
        if event["delta"].get("stop_reason"):
            assert reply.stop_reason is None, "stopped again"
            reply.stop = event["delta"]
            reply.stop_reason = event["delta"]["stop_reason"]
    elif kind == "message_stop":
        reply.done = True
    elif isinstance(kind, str) and kind.startswith("content_block_"):
        assert reply.start is not None
        assert reply.stop_reason is None, "content after the stop reason"
        _add_block(reply, kind, event)


def _add_block(reply: Reply, kind: str, event: dict[str, Any]) -> None:
    index = event["index"]
    if kind == "content_block_start":
        assert index == len(reply.content) or (index == 0 and reply.open == -1), "blocks are numbered without gaps"
        found = dict(event["content_block"])
        assert all(isinstance(found.get(key, ""), str) for key in ("text", "thinking", "signature"))
        reply.content.append(found)
        reply.open = len(reply.content) - 1
        return
    assert index in (reply.open, reply.open - len((reply.start or {}).get("content", []))), "not the open block"
    found = reply.content[reply.open]
    if kind == "content_block_stop":
        reply.open = -1 - index
        return
    said = event["delta"]
    for delta_type, key, to in (
        ("text_delta", "text", "text"),
        ("thinking_delta", "thinking", "thinking"),
        ("compaction_delta", "content", "content"),
        ("signature_delta", "signature", "signature"),
        ("input_json_delta", "partial_json", "json"),
    ):
        if said.get("type") == delta_type:
            assert isinstance(said.get(key), str) or delta_type == "compaction_delta"
            found[to] = (found.get(to) or "") + (said.get(key) or "")
    if said.get("type") == "citations_delta":
        found["citations"] = [*(found.get("citations") or []), said["citation"]]


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
    stream = AnthropicStream(rules, request or ModelRequest(), case_id="g-1", limits=limits or WireLimits())
    return drive(Run, stream, reads)


def guard_every_way(rules: Policy, events: Iterable[bytes], **settings: Any) -> Run:
    """Guard a stream read whole, event by event, and byte by byte; the client must get the same. Returns the second."""
    by_event, whole, by_byte = (guard(rules, reads, **settings) for reads in every_way(events))
    expected = by_event.reply
    for other in (whole, by_byte):
        assert other.reply == expected
        assert other.record.findings == by_event.record.findings
        assert (other.done, other.abort) == (by_event.done, by_event.abort)
    for run in (whole, by_event, by_byte):
        accounted(run.record)
    return by_event
