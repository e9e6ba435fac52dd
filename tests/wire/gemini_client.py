"""A server's side and a client's side of a Gemini stream, as plain as they come, for the tests.

The client is strict: it takes `data: {…}` lines and blank ones and nothing else, as google-genai does (or one JSON
array), and adds up the parts of each candidate in their order.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from guardrail.policy.policy import Policy
from guardrail.wire.gemini import GeminiArrayStream, GeminiStream
from guardrail.wire.request import ModelRequest
from guardrail.wire.stream import WireLimits
from tests.wire.driving import Driven, accounted, drive, every_way

TOP = {"modelVersion": "gemini-m", "responseId": "r-1"}
NOTICE = "\n[Stopped by safety policy. Case g-1]"


def sse(value: object, *, ascii_only: bool = False, line_end: str = "\r\n") -> bytes:
    data = json.dumps(value, separators=(",", ":"), ensure_ascii=ascii_only)
    return b"data: " + data.encode("utf-8") + (line_end * 2).encode()


def chunk(*parts: dict[str, Any], finish: str | None = None, index: int = 0, top: Any = None, **said: Any) -> bytes:
    """An event with one candidate; keyword arguments are further fields of the candidate."""
    return sse(value(*parts, finish=finish, index=index, top=top, **said))


def value(
    *parts: dict[str, Any], finish: str | None = None, index: int = 0, top: Any = None, **said: Any
) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": list(parts), "role": "model"}} if parts else {}
    if finish:
        candidate["finishReason"] = finish
    candidate |= {"index": index, **said}
    return {
        "candidates": [candidate],
        "usageMetadata": {"promptTokenCount": 4, "totalTokenCount": 9},
        **TOP,
        **(top or {}),
    }


def text(said: str, *, thought: bool = False) -> dict[str, Any]:
    return {"text": said, "thought": True} if thought else {"text": said}


def call(args: Any, name: str = "f") -> dict[str, Any]:
    return {"functionCall": {"name": name, "args": args}}


def says(*texts: str, thought: bool = False, index: int = 0) -> list[bytes]:
    return [chunk(text(said, thought=thought), index=index) for said in texts]


def answer(*events: bytes | Sequence[bytes], finish: str = "STOP", index: int = 0) -> list[bytes]:
    """A whole stream: the events, and a finish of a candidate, as the last chunk of real ones."""
    flat = [e for item in events for e in ([item] if isinstance(item, bytes) else item)]
    return [*flat, chunk(text(""), finish=finish, index=index)]


def as_array(events: Iterable[bytes]) -> bytes:
    """The same stream without `alt=sse`, written as Google writes it."""
    data = [re.sub(rb"^data: ?|\s+$", b"", event) for event in events]
    return b"[" + b"\n,\r\n".join(data) + b"\n]\n"


@dataclass
class Reply:
    """What a client has when the stream is over."""

    parts: dict[int, list[tuple[str, str]]] = field(default_factory=dict)
    """By candidate, (kind, text) in order; neighbours of one kind of text are joined."""
    finishes: dict[int, str] = field(default_factory=dict)
    last: dict[int, dict[str, Any]] = field(default_factory=dict)
    """The candidate object that finished each, without its parts."""
    metadata: dict[str, Any] = field(default_factory=dict)
    usage: Any = None
    feedback: Any = None
    guardrail: list[Any] = field(default_factory=list)
    errors: list[Any] = field(default_factory=list)
    chunks: list[Any] = field(default_factory=list)

    def text(self, kind: str = "text", index: int = 0) -> str:
        return "".join(said for found, said in self.parts.get(index, []) if found == kind)

    def kinds(self, index: int = 0) -> list[str]:
        return [kind for kind, _ in self.parts.get(index, [])]

    def add(self, index: int, part: dict[str, Any]) -> None:
        parts = self.parts.setdefault(index, [])
        if isinstance(part.get("text"), str) and part["text"]:
            assert index not in self.finishes, "text after the finish"
            kind = "thought" if part.get("thought") else "text"
            if parts and parts[-1][0] == kind:
                parts[-1] = (kind, parts[-1][1] + part["text"])
            else:
                parts.append((kind, part["text"]))
        for kind, said in part.items():
            if isinstance(said, dict):
                parts.append((kind, json.dumps(said, ensure_ascii=False, sort_keys=True)))


def read(out: bytes) -> Reply:
    """Read a whole answer, strictly: server-sent events."""
    reply = Reply()
    decoded = out.decode().replace("\r\n", "\n")
    assert decoded.endswith("\n\n") or not decoded, "an event that is not whole"
    for line in decoded.split("\n"):
        if line:
            assert line.startswith("data: {"), line
            add(reply, json.loads(line.removeprefix("data: ")))
    return reply


def read_array(out: bytes) -> Reply:
    """Read a whole answer, strictly: one JSON array."""
    reply = Reply()
    for said in json.loads(out):
        add(reply, said)
    return reply


def add(reply: Reply, said: dict[str, Any]) -> None:
    json.dumps(said, ensure_ascii=False).encode()  # no lone surrogates
    reply.chunks.append(said)
    if said.get("error"):
        reply.errors.append(said["error"])
        return
    if said.get("guardrail"):
        reply.guardrail.append(said["guardrail"])
    reply.usage = said.get("usageMetadata") or reply.usage
    reply.feedback = said.get("promptFeedback") or reply.feedback
    for position, candidate in enumerate(filter(None, said.get("candidates") or [])):
        index = candidate.get("index", position)
        for part in filter(None, (candidate.get("content") or {}).get("parts") or []):
            reply.add(index, part)
        for key in ("groundingMetadata", "citationMetadata", "urlContextMetadata", "finishMessage"):
            if candidate.get(key):
                reply.metadata[key] = candidate[key]
        if candidate.get("finishReason"):
            reply.finishes[index] = str(candidate["finishReason"])
            reply.last[index] = {key: found for key, found in candidate.items() if key != "content"}


@dataclass
class Run(Driven):
    """One guarded stream."""

    array: bool = False

    @property
    def reply(self) -> Reply:
        return read_array(self.out) if self.array else read(self.out)


def guard(
    rules: Policy,
    reads: bytes | Iterable[bytes],
    *,
    request: ModelRequest | None = None,
    limits: WireLimits | None = None,
    array: bool = False,
) -> Run:
    """Feed reads, then the end of the upstream, as the proxy does: nothing more is read once it is told to stop."""
    opened = GeminiArrayStream if array else GeminiStream
    stream = opened(rules, request or ModelRequest(), case_id="g-1", limits=limits or WireLimits())
    run = drive(Run, stream, reads)
    run.array = array
    return run


def guard_every_way(rules: Policy, events: Iterable[bytes], **settings: Any) -> Run:
    """Guard a stream read whole, event by event, byte by byte, and as an array; the client must get the same. Returns
    the one by events."""
    events = list(events)
    by_event, *others = (guard(rules, reads, **settings) for reads in every_way(events))
    others += [guard(rules, reads, array=True, **settings) for reads in every_way([as_array(events)])[1:]]
    expected = by_event.reply
    for run in (by_event, *others):
        reply = run.reply
        assert (reply.parts, reply.last, reply.metadata) == (expected.parts, expected.last, expected.metadata)
        assert (run.record.findings, run.done, run.abort) == (by_event.record.findings, by_event.done, by_event.abort)
        accounted(run.record)
    return by_event
