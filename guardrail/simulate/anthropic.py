"""Anthropic Messages: `POST /v1/messages` and `/v1/messages/count_tokens`, in the shapes of Anthropic's API reference.

A message is a list of blocks: thinking (when the request enables it, or the model's name ends in `-reasoning`), text,
then one block for each tool call. Its signature of the thinking is made up.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from guardrail.simulate.dialect import Answer, Dialect, Target, named_event
from guardrail.simulate.plan import Ask, Call, Plan, Reason, Step, last_user_text, text_of

STOP_REASONS: Final[dict[Reason, str]] = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}
ERROR_TYPES: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}


class _Fields(msgspec.Struct):
    messages: list[dict[str, Any]]
    model: str = "sim"
    max_tokens: int | None = None
    stream: bool | None = None
    system: Any = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: dict[str, Any] | None = None
    thinking: dict[str, Any] | None = None


def read(body: bytes, target: Target) -> Ask:
    """A request for a message, or for the count of its tokens."""
    fields = msgspec.json.decode(body, type=_Fields)
    return Ask(
        model=fields.model,
        prompts=[last_user_text(fields.messages)],
        size=len(text_of(fields.system)) + sum(len(text_of(message.get("content"))) for message in fields.messages),
        stream=bool(fields.stream),
        tools=bool(fields.tools) and (fields.tool_choice or {}).get("type") != "none",
        reasoning=fields.model.endswith("-reasoning") or (fields.thinking or {}).get("type") in ("enabled", "adaptive"),
        limit=fields.max_tokens,
    )


def error(status: int, message: str) -> dict[str, Any]:
    """An error of the API."""
    kind = ERROR_TYPES.get(status, "api_error" if status >= 500 else "invalid_request_error")
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_simulated"}


def counted(ask: Ask) -> dict[str, Any]:
    """What `/v1/messages/count_tokens` answers."""
    return {"input_tokens": ask.read_tokens}


class MessageAnswer(Answer):
    """One message."""

    malformed = b'event: content_block_delta\ndata: {"type": "content_block_delta", "index": 0,\n\n'

    def __init__(self, ask: Ask, plan: Plan) -> None:
        super().__init__(ask, plan)
        self._index = -1
        self._open: str | Call | None = None
        self._thought = ""

    @property
    def id(self) -> str:
        return f"msg_{self.key}"

    def opening(self) -> Iterator[bytes]:
        message = self._message([], None, 1)
        yield named_event({"type": "message_start", "message": message})
        yield named_event({"type": "ping"})

    def step(self, step: Step) -> Iterator[bytes]:
        block = step.call or step.kind
        if block != self._open:
            yield from self._close()
            self._index += 1
            self._open = block
            start = _block(step.call) if step.call else _text(step.kind, "")
            yield named_event({"type": "content_block_start", "index": self._index, "content_block": start})
        if step.call is not None:
            delta = {"type": "input_json_delta", "partial_json": step.text}
        elif step.kind == "content":
            delta = {"type": "text_delta", "text": step.text}
        else:
            self._thought += step.text
            delta = {"type": "thinking_delta", "thinking": step.text}
        yield self._delta(delta)

    def closing(self) -> Iterator[bytes]:
        yield from self._close()
        (reason,) = self.plan.reasons
        yield named_event(
            {
                "type": "message_delta",
                "delta": {"stop_reason": STOP_REASONS[reason], "stop_sequence": None},
                "usage": {"output_tokens": len(self.plan.steps)},
            }
        )
        yield named_event({"type": "message_stop"})

    def body(self) -> dict[str, Any]:
        (said,) = self.plan.said()
        content: list[dict[str, Any]] = []
        if said.reasoning:
            content.append({**_text("reasoning", said.reasoning), "signature": _signature(said.reasoning)})
        if said.content:
            content.append(_text("content", said.content))
        content += [
            {**_block(call), "input": json.loads(arguments)}
            for call, arguments in said.calls.items()
            if call in said.complete
        ]
        return self._message(content, STOP_REASONS[said.reason], len(self.plan.steps))

    def _message(self, content: list[dict[str, Any]], reason: str | None, tokens: int) -> dict[str, Any]:
        return {
            "id": self.id,
            "type": "message",
            "role": "assistant",
            "model": self.ask.model,
            "content": content,
            "stop_reason": reason,
            "stop_sequence": None,
            "usage": {
                "input_tokens": self.ask.read_tokens,
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 0,
                "output_tokens": tokens,
                "service_tier": "standard",
            },
        }

    def _delta(self, delta: dict[str, Any]) -> bytes:
        return named_event({"type": "content_block_delta", "index": self._index, "delta": delta})

    def _close(self) -> Iterator[bytes]:
        if self._open is None:
            return
        if self._open == "reasoning":
            yield self._delta({"type": "signature_delta", "signature": _signature(self._thought)})
        yield named_event({"type": "content_block_stop", "index": self._index})


def _text(kind: str, text: str) -> dict[str, Any]:
    if kind == "content":
        return {"type": "text", "text": text}
    return {"type": "thinking", "thinking": text, "signature": ""}


def _block(call: Call) -> dict[str, Any]:
    return {"type": "tool_use", "id": f"toolu_{call.key}", "name": call.name, "input": {}}


def _signature(thought: str) -> str:
    return base64.b64encode(hashlib.sha512(thought.encode()).digest()).decode()


DIALECT: Final = Dialect(read, MessageAnswer, error)
