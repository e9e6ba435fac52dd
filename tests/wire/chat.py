"""A server's side and a client's side of a Chat Completions stream, as plain as they come, for the tests.

The client is strict: it takes nothing but valid events, and adds up what it gets per choice and channel as the SDKs do.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from guardrail.policy.policy import Policy
from guardrail.text.rules import Action, KeywordRule, Label, Rule
from guardrail.text.scanner import compile_rules
from guardrail.wire.openai_chat import ChatStream
from guardrail.wire.request import ModelRequest
from guardrail.wire.stream import WireLimits
from tests.wire.driving import Driven, accounted, drive, every_way

ENVELOPE = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
DONE = b"data: [DONE]\n\n"
NOTICE = "\n[Stopped by safety policy. Case g-1]"


def redact(*terms: str, mask: str = "[X]", category: str = "pii") -> KeywordRule:
    return KeywordRule(id="redact", category=category, terms=terms, mask=Label(mask))


def halt(*terms: str, category: str = "violence") -> KeywordRule:
    return KeywordRule(id="halt", category=category, severity="high", action=Action.HALT, terms=terms)


def policy(*rules: Rule, **settings: Any) -> Policy:
    return Policy("test", "d" * 64, compile_rules(rules), **settings)


def sse(value: object, *, ascii_only: bool = False, line_end: str = "\n") -> bytes:
    data = json.dumps(value, separators=(",", ":"), ensure_ascii=ascii_only)
    return b"data: " + data.encode("utf-8") + (line_end * 2).encode()


def event(delta: object, finish: str | None = None, index: int = 0, *, top: Any = None, **choice: Any) -> bytes:
    """A chunk with one choice; keyword arguments are further fields of the choice."""
    said = {"index": index, "delta": delta, **choice, "finish_reason": finish}
    return sse({**ENVELOPE, "choices": [said], **(top or {})})


def says(*texts: str, key: str = "content", index: int = 0) -> list[bytes]:
    return [event({key: text}, index=index) for text in texts]


def call(arguments: str, *, at: int = 0, name: str | None = None, index: int = 0) -> bytes:
    """A fragment of a tool call; the first one has the name."""
    function = {"name": name, "arguments": arguments} if name else {"arguments": arguments}
    start = {"id": f"call_{at}", "type": "function"} if name else {}
    return event({"tool_calls": [{"index": at, **start, "function": function}]}, index=index)


def chat(*events: bytes | Sequence[bytes], finish: str = "stop") -> list[bytes]:
    """A whole stream: the role, the events, a finish of choice 0, `[DONE]`."""
    flat = [e for item in events for e in ([item] if isinstance(item, bytes) else item)]
    return [event({"role": "assistant", "content": ""}), *flat, event({}, finish), DONE]


@dataclass
class Reply:
    """What a client has when the stream is over."""

    texts: dict[tuple[int, str], str] = field(default_factory=dict)
    finishes: dict[int, str] = field(default_factory=dict)
    last: dict[int, dict[str, Any]] = field(default_factory=dict)
    """The choice object that finished each choice."""
    usage: Any = None
    guardrail: list[Any] = field(default_factory=list)
    errors: list[Any] = field(default_factory=list)
    done: bool = False
    chunks: list[Any] = field(default_factory=list)

    def text(self, key: str = "content", index: int = 0) -> str:
        return self.texts.get((index, key), "")

    def add(self, index: int, key: str, text: object) -> None:
        if isinstance(text, str):
            assert index not in self.finishes or not text or key == "role", "text after the finish"
            self.texts[index, key] = self.texts.get((index, key), "") + text


def read(out: bytes) -> Reply:
    """Read a whole answer, strictly."""
    reply = Reply()
    text = out.decode("utf-8-sig")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    assert text.endswith("\n\n") or not text.strip(), "an event that is not whole"
    for said in text.split("\n\n"):
        lines = [line for line in said.split("\n") if line and not line.startswith(":")]
        data = "\n".join(line.removeprefix("data:").removeprefix(" ") for line in lines if line.startswith("data:"))
        assert {line.partition(":")[0] for line in lines} <= {"data", "event", "id", "retry"}, lines
        if not data:
            continue
        assert not reply.done, "something after [DONE]"
        if data == "[DONE]":
            reply.done = True
            continue
        _add(reply, json.loads(data))
    return reply


def _add(reply: Reply, chunk: dict[str, Any]) -> None:
    json.dumps(chunk, ensure_ascii=False).encode()  # no lone surrogates
    reply.chunks.append(chunk)
    if chunk.get("error"):
        reply.errors.append(chunk["error"])
        return
    if chunk.get("guardrail"):
        reply.guardrail.append(chunk["guardrail"])
    reply.usage = chunk.get("usage") or reply.usage
    for choice in filter(None, chunk.get("choices") or []):
        index, delta = choice.get("index", 0), choice.get("delta") or {}
        for key in ("content", "reasoning_content", "reasoning", "refusal", "role"):
            reply.add(index, key, delta.get(key))
        reply.add(index, "text", choice.get("text"))
        for at, tool in enumerate(filter(None, delta.get("tool_calls") or [])):
            for key, text in (tool.get("function") or {}).items():
                reply.add(index, f"tool_calls[{tool.get('index', at)}].{key}", text)
        for key, text in (delta.get("function_call") or {}).items():
            reply.add(index, f"function_call.{key}", text)
        if choice.get("finish_reason"):
            assert reply.finishes.get(index) != "content_filter", "finished again after a halt"
            reply.finishes[index] = choice["finish_reason"]
            reply.last[index] = choice


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
    stream = ChatStream(rules, request or ModelRequest(), case_id="g-1", limits=limits or WireLimits())
    return drive(Run, stream, reads)


def guard_every_way(rules: Policy, events: Iterable[bytes], **settings: Any) -> Run:
    """Guard a stream read whole, event by event, and byte by byte; the client must get the same. Returns the second."""
    by_event, whole, by_byte = (guard(rules, reads, **settings) for reads in every_way(events))
    expected = by_event.reply
    for other in (whole, by_byte):
        assert (other.reply.texts, other.reply.last, other.reply.usage) == (
            expected.texts,
            expected.last,
            expected.usage,
        )
        assert (other.record.findings, other.done, other.abort) == (
            by_event.record.findings,
            by_event.done,
            by_event.abort,
        )
    for run in (whole, by_event, by_byte):
        accounted(run.record)
    return by_event
