"""Ollama's own API: `POST /api/chat` and `/api/generate`, in the shapes of its API documentation (docs/api.md).

Streams, which are the default, are lines of JSON. A tool call comes whole, in one line, with its arguments decoded.
Thinking is sent when the request says `think`, or when the model's name ends in `-reasoning`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from guardrail.simulate.dialect import Answer, Dialect, Target, compact
from guardrail.simulate.plan import Ask, Call, Plan, Reason, Step, last_user_text, text_of

LINES: Final = "application/x-ndjson"
DONE_REASONS: Final[dict[Reason, str]] = {"stop": "stop", "length": "length", "tool_calls": "stop"}
DURATIONS: Final = {"total_duration": 90_000_000, "load_duration": 10_000_000}
"""Nanoseconds; made up."""


class _Fields(msgspec.Struct):
    model: str = "sim"
    messages: list[dict[str, Any]] | None = None
    prompt: str | None = None
    system: str | None = None
    stream: bool | None = None
    tools: list[dict[str, Any]] | None = None
    think: bool | str | None = None
    options: dict[str, Any] | None = None


def _read(body: bytes, messages: list[dict[str, Any]] | None, fields: _Fields) -> Ask:
    listed = messages or []
    limit = (fields.options or {}).get("num_predict")
    return Ask(
        model=fields.model,
        prompts=[last_user_text(listed)],
        size=len(fields.system or "") + sum(len(text_of(message.get("content"))) for message in listed),
        stream=fields.stream is not False,
        tools=bool(fields.tools),
        reasoning=fields.model.endswith("-reasoning") or bool(fields.think),
        limit=limit if isinstance(limit, int) and limit > 0 else None,
    )


def read_chat(body: bytes, target: Target) -> Ask:
    """A request at `/api/chat`."""
    fields = msgspec.json.decode(body, type=_Fields)
    if fields.messages is None:
        raise ValueError("expected messages")
    return _read(body, fields.messages, fields)


def read_generate(body: bytes, target: Target) -> Ask:
    """A request at `/api/generate`."""
    fields = msgspec.json.decode(body, type=_Fields)
    return _read(body, [{"role": "user", "content": fields.prompt or ""}], fields)


def error(status: int, message: str) -> dict[str, Any]:
    """An error of the API."""
    return {"error": message}


class ChatAnswer(Answer):
    """One answer of `/api/chat`."""

    media_type = LINES
    malformed = b'{"model": "sim", "message": {"role":\n'

    def __init__(self, ask: Ask, plan: Plan) -> None:
        super().__init__(ask, plan)
        self._arguments: dict[Call, str] = {}

    def step(self, step: Step) -> Iterator[bytes]:
        if step.call is None:
            key = "content" if step.kind == "content" else "thinking"
            yield self._line(**self._said({key: step.text}), done=False)
            return
        self._arguments[step.call] = self._arguments.get(step.call, "") + step.text
        if step.last:
            calls = [_call(step.call, self._arguments.pop(step.call))]
            yield self._line(**self._said({"tool_calls": calls}), done=False)

    def closing(self) -> Iterator[bytes]:
        yield self._line(**self._said({}), **self._end())

    def body(self) -> dict[str, Any]:
        (said,) = self.plan.said()
        values: dict[str, Any] = {"content": said.content}
        if said.reasoning:
            values["thinking"] = said.reasoning
        calls = [_call(call, arguments) for call, arguments in said.calls.items() if call in said.complete]
        if calls:
            values["tool_calls"] = calls
        return {**self._head(), **self._said(values), **self._end()}

    def _said(self, values: dict[str, Any]) -> dict[str, Any]:
        return {"message": {"role": "assistant", "content": "", **values}}

    def _head(self) -> dict[str, Any]:
        now = datetime.now(UTC)
        return {"model": self.ask.model, "created_at": now.isoformat(timespec="microseconds").replace("+00:00", "Z")}

    def _end(self) -> dict[str, Any]:
        (reason,) = self.plan.reasons
        return {
            "done": True,
            "done_reason": DONE_REASONS[reason],
            **DURATIONS,
            "prompt_eval_count": self.ask.read_tokens,
            "prompt_eval_duration": 20_000_000,
            "eval_count": len(self.plan.steps),
            "eval_duration": 60_000_000,
        }

    def _line(self, **fields: Any) -> bytes:
        return compact({**self._head(), **fields}) + b"\n"


class GenerateAnswer(ChatAnswer):
    """One answer of `/api/generate`."""

    malformed = b'{"model": "sim", "response":\n'

    def _said(self, values: dict[str, Any]) -> dict[str, Any]:
        fields: dict[str, Any] = {"response": values.get("content", "")}
        if "thinking" in values:
            fields["thinking"] = values["thinking"]
        return fields

    def _end(self) -> dict[str, Any]:
        return {**super()._end(), "context": [1, 2, 3]}


def _call(call: Call, arguments: str) -> dict[str, Any]:
    function = {"index": call.number, "name": call.name, "arguments": json.loads(arguments or "{}")}
    return {"id": f"call_{call.key[:8]}", "function": function}


CHAT: Final = Dialect(read_chat, ChatAnswer, error)
GENERATE: Final = Dialect(read_generate, GenerateAnswer, error)
