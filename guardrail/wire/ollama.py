"""The codec of a streamed answer of Ollama's native API (`/api/chat`, `/api/generate`): a JSON object per line.

An answer is one choice. Its last line, the one with `"done": true`, finishes it and ends the stream. Tool calls come
whole, in one line each, and a client may act on one at once: they are scanned where they stand. Nothing may be sent to
keep a connection alive: clients parse every line.

See `stream` for how it is used and how it works.
"""

from __future__ import annotations

import re
from typing import Any

from guardrail.text.rules import Finding
from guardrail.text.scores import Verdict
from guardrail.wire import own_answer
from guardrail.wire.answer import Closing, Fault
from guardrail.wire.channel import Channel
from guardrail.wire.choice import Choice
from guardrail.wire.chunk import AnyTemplate, Chunk
from guardrail.wire.halt import halt_note, notice
from guardrail.wire.inserts import insert_note
from guardrail.wire.ndjson import LineFramer, data_line, next_line, parse_line, whole_line
from guardrail.wire.ollama_body import REASON, guard_body
from guardrail.wire.ollama_error import error_body, guard_error
from guardrail.wire.ollama_event import (
    envelope,
    explode,
    is_generated,
    read_line,
    template_of,
    with_call,
    with_text,
    without_context,
)
from guardrail.wire.ollama_request import read_request
from guardrail.wire.protocol import Protocol
from guardrail.wire.sse import Event
from guardrail.wire.stream import Stream
from guardrail.wire.stream_verdicts import Ask
from guardrail.wire.strict_json import dumps
from guardrail.wire.tool_arguments import Arguments

_TIME = re.compile(rb'"created_at"\s*:\s*"([0-9T:.Z+-]{1,40})"')


class OllamaStream(Stream):
    """One streamed response under one policy."""

    __slots__ = ("_called", "_delivered", "_generate")

    framer = LineFramer
    next_event = staticmethod(next_line)
    parse = staticmethod(parse_line)
    whole_event = staticmethod(whole_line)
    idle = b""
    rewrite = staticmethod(with_text)
    halt_reason = REASON

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._generate = False
        """It is an answer of `/api/generate`."""
        self._called = False
        """It has called a tool."""
        self._delivered = b""
        """The newest lines that went out."""

    def feed(self, data: bytes) -> bytes:
        out = super().feed(data)
        self._delivered = out or self._delivered
        return out

    def score(self, ask: Ask, verdict: Verdict) -> bytes:
        out = super().score(ask, verdict)
        self._delivered = out or self._delivered
        return out

    def _read(self, event: Event) -> Chunk:
        return read_line(event, block=self._policy.unknown_text == "block", clean=self._is_clean)

    def _explode(self, chunk: Chunk) -> list[bytes]:
        return explode(chunk.raw)

    def _find_template(self, chunk: Chunk) -> AnyTemplate | None:
        return template_of(chunk)

    def _note(self, chunk: Chunk) -> None:
        if chunk.choices and not self._envelope:
            self._envelope = envelope(chunk)
            self._generate = is_generated(chunk)

    def _with_value(self, chunk: Chunk, value: str) -> bytes:
        return with_call(chunk.raw, value)

    def _guard_error(self, event: Event) -> tuple[bytes, Arguments]:
        assert event.data is not None
        said, outcome = guard_error(self._policy.refusal, self._rules, event.data, self._verdicts)
        return (event.raw if said == event.data else data_line(said)), outcome

    def _finish_choice(self, choice: Choice, chunk: Chunk | None, reason: str | None) -> bool:
        finished = super()._finish_choice(choice, chunk, reason)
        if finished and not self.done:
            self._end()  # nothing comes behind the last line
        return finished

    def _pass(self, chunk: Chunk) -> None:
        super()._pass(chunk)
        if chunk.finished and not self.done:
            self._end()  # the last line of an answer that a verdict halted while that line waited for it

    def _closing(self, choice: Choice, part: str, chunk: Chunk) -> Closing:
        changed = self._whole_removed or any(channel.removed for channel in choice.channels.values())
        return Closing(without_context(chunk.raw) if changed else chunk.raw)

    def _halt_events(self, choice: Choice, finding: Finding, usage: dict[str, Any] | None) -> list[bytes]:
        # What is to be parsed as JSON is no place for a notice; the last line tells of the halt.
        said = "" if self._request.json_output else self._last_words(choice, notice(self._policy, self._case_id))
        note = halt_note(self._case_id, finding.channel, self._stop(choice, finding, self._main))
        if usage is None:
            usage = {"prompt_eval_count": self._request.prompt_tokens, "eval_count": self._tokens}
            note["usage"] = "estimated"
        last = self._line("", done=True, done_reason=REASON, **usage, guardrail=note)
        return [self._line(said, done=False), last] if said else [last]

    def _take_whole(self, choice: Choice, path: str, value: str, chunk: Chunk) -> None:
        self._called = True  # only calls come whole
        super()._take_whole(choice, path, value, chunk)

    def _calls(self, choice: Choice, chunk: Chunk | None) -> bool:
        return self._called

    def _insert(self, choice: Choice, text: str, place: str) -> list[bytes]:
        return [self._line(text, done=False, guardrail=insert_note(place))]

    def _annotation(self, choice: Choice, channel: Channel | None, note: dict[str, Any]) -> bytes:
        return self._line("", done=False, guardrail=note)

    def _fault_event(self, fault: Fault) -> bytes:
        return data_line(error_body(fault.message))

    def _end_events(self, halted: bool, event: Event | None) -> list[bytes]:
        return []

    @property
    def _main(self) -> str:
        return "response" if self._generate else self.main

    def _line(self, text: str, **more: Any) -> bytes:
        said = {"response": text} if self._generate else {"message": {"role": "assistant", "content": text}}
        return data_line(dumps({**self._envelope, **self._time(), **said, **more}))

    def _time(self) -> dict[str, str]:
        """When upstream made the newest line that the client has: time does not run backwards in a stream."""
        times = _TIME.findall(self._delivered + b"".join(self._out))
        return {"created_at": times[-1].decode()} if times else {}


PROTOCOL = Protocol(
    name="ollama",
    read_request=read_request,
    stream=OllamaStream,
    guard_body=guard_body,
    error_body=lambda refusal: error_body(refusal.message),
    say=own_answer.line,
    answer_key=b'"done"',
    media_type="application/x-ndjson",
)
