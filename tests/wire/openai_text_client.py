"""A server's side of a legacy Completions stream, for the tests; its client is that of `chat`, which reads `text`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from guardrail.policy.policy import Policy
from guardrail.wire.openai_text import TextStream
from guardrail.wire.request import ModelRequest
from guardrail.wire.stream import WireLimits
from tests.wire.chat import Run, read, sse
from tests.wire.driving import accounted, drive, every_way

ENVELOPE = {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": "m"}


def event(text: str, finish: str | None = None, index: int = 0, *, top: Any = None, **choice: Any) -> bytes:
    """A chunk with one choice; keyword arguments are further fields of the choice."""
    said = {"text": text, "index": index, "logprobs": None, **choice, "finish_reason": finish}
    return sse({**ENVELOPE, "choices": [said], **(top or {})})


def says(*texts: str, index: int = 0) -> list[bytes]:
    return [event(text, index=index) for text in texts]


def guard(rules: Policy, reads: Iterable[bytes], *, request: ModelRequest | None = None) -> Run:
    """Feed reads, then the end of the upstream; nothing more is read once the stream is done. Strict: every event has
    choices that are read as completions, but for errors and usage."""
    stream = TextStream(rules, request or ModelRequest(), case_id="g-1", limits=WireLimits())
    return drive(Run, stream, reads)


def guard_every_way(rules: Policy, events: Iterable[bytes], **settings: Any) -> Run:
    """Guard a stream read event by event, whole, and byte by byte; the client must get the same. Returns the first."""
    runs = [guard(rules, reads, **settings) for reads in every_way(events)]
    expected = read_strictly(runs[0].out)
    for run in runs:
        assert read_strictly(run.out) == expected
        assert (run.record.findings, run.done, run.abort) == (runs[0].record.findings, runs[0].done, runs[0].abort)
        accounted(run.record)
    return runs[0]


def read_strictly(out: bytes) -> tuple[Any, ...]:
    """What a client adds up of a stream in which every choice speaks in `text`."""
    reply = read(out)
    for chunk in reply.chunks:
        for choice in chunk.get("choices") or ():
            assert isinstance(choice["text"], str)
            assert "delta" not in choice
    return reply.texts, reply.finishes, reply.usage, reply.errors, reply.done
