"""A server's side and a client's side of Ollama's streams, as plain as they come, for the tests.

The client is strict: it parses every line, as `str.splitlines` finds them, and adds up what it gets as the SDK does.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from guardrail.policy.policy import Policy
from guardrail.wire.ollama import OllamaStream
from guardrail.wire.request import ModelRequest
from guardrail.wire.stream import WireLimits
from tests.wire.driving import Driven, accounted, drive, every_way

TIME = "2025-08-15T22:55:08.50820{:04}Z"
COUNTS = {"total_duration": 9, "load_duration": 2, "prompt_eval_count": 3, "eval_count": 4, "eval_duration": 5}


def line(said: dict[str, Any], *, chat: bool = True, at: int = 0, done: bool = False, **more: Any) -> bytes:
    """One line. `said`: what its message holds, or what stands at its top level (`chat` False)."""
    if chat:
        said = {"message": {"role": "assistant", "content": "", **said}}
    elif "response" not in said:
        said = {"response": "", **said}
    value = {"model": "m", "created_at": TIME.format(at), **said, "done": done, **more}
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"


def says(*texts: str, key: str = "content", chat: bool = True) -> list[bytes]:
    return [line({key: text}, chat=chat, at=at) for at, text in enumerate(texts)]


def call(name: str, arguments: Any, *, chat: bool = True, **more: Any) -> bytes:
    return line({"tool_calls": [{"function": {"name": name, "arguments": arguments}, **more}]}, chat=chat)


def end(*, chat: bool = True, reason: str = "stop", **more: Any) -> bytes:
    return line({}, chat=chat, at=999, done=True, done_reason=reason, **COUNTS, **more)


def answer(*lines: bytes | Sequence[bytes], chat: bool = True) -> list[bytes]:
    """A whole stream."""
    flat = [one for item in lines for one in ([item] if isinstance(item, bytes) else item)]
    return [*flat, end(chat=chat)]


@dataclass
class Reply:
    """What a client has when the stream is over."""

    texts: dict[str, str] = field(default_factory=dict)
    calls: list[Any] = field(default_factory=list)
    last: dict[str, Any] = field(default_factory=dict)
    """The line that was the last."""
    errors: list[str] = field(default_factory=list)
    guardrail: list[Any] = field(default_factory=list)
    logprobs: list[Any] = field(default_factory=list)

    @property
    def reason(self) -> str | None:
        return self.last.get("done_reason")

    @property
    def ending(self) -> dict[str, Any]:
        """The last line without what is estimated: the tokens that came in the same read as a halt may count."""
        estimated = any("usage" in note for note in self.guardrail)
        return {key: value for key, value in self.last.items() if not estimated or key != "eval_count"}

    def text(self, key: str = "content") -> str:
        return self.texts.get(key, "")


def read(out: bytes) -> Reply:
    """Read a whole stream, strictly."""
    reply = Reply()
    assert out.endswith(b"\n") or not out, "a line that is not whole"
    for said in out.decode().splitlines():
        value = json.loads(said)
        json.dumps(value, ensure_ascii=False).encode()  # no lone surrogates
        assert isinstance(value, dict)
        if value.get("error"):
            assert isinstance(value["error"], str)
            reply.errors.append(value["error"])
            continue
        assert not reply.last, "a line behind the last"
        _add(reply, value)
    return reply


def _add(reply: Reply, value: dict[str, Any]) -> None:
    message = value.get("message", value)
    if "message" in value and isinstance(message, dict):
        assert "role" not in message or isinstance(message["role"], str)
    message = message if isinstance(message, dict) else {}
    for key in ("thinking", "content", "response"):
        if isinstance(message.get(key), str):
            reply.texts[key] = reply.texts.get(key, "") + message[key]
    for found in message.get("tool_calls") or ():
        reply.calls.append(found.get("function") if isinstance(found, dict) else found)
    reply.logprobs += value.get("logprobs") or ()
    if value.get("guardrail"):
        reply.guardrail.append(value["guardrail"])
    if value.get("done"):
        reply.last = value


class Run(Driven):
    """One guarded stream."""

    @property
    def reply(self) -> Reply:
        return read(self.out)


def guard(rules: Policy, reads: bytes | Iterable[bytes], *, request: ModelRequest | None = None) -> Run:
    """Feed reads, then the end of the upstream; nothing more is read once the stream is done."""
    stream = OllamaStream(rules, request or ModelRequest(), case_id="g-1", limits=WireLimits())
    return drive(Run, stream, reads)


def guard_every_way(rules: Policy, lines: Iterable[bytes], **settings: Any) -> Run:
    """Guard a stream read whole, line by line, and byte by byte; the client must get the same. Returns the second."""
    runs = [guard(rules, reads, **settings) for reads in every_way(lines)]
    first = runs[0]
    for run in runs:
        assert (run.reply.texts, run.reply.calls, run.reply.ending) == (
            first.reply.texts,
            first.reply.calls,
            first.reply.ending,
        )
        assert (run.record.findings, run.abort) == (first.record.findings, first.abort)
        accounted(run.record)
    return first
