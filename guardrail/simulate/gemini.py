"""Gemini: `POST /v1beta/models/MODEL:generateContent`, `:streamGenerateContent` and `:countTokens`, in the shapes of
Google's API reference; also under `/v1`.

Streams are server-sent events with `alt=sse`, else one JSON array that arrives piece by piece. A function call comes
whole, in one part. Thoughts are sent when the request includes them, or when the model's name ends in `-reasoning`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from guardrail.simulate.dialect import EVENT_STREAM, JSON, Answer, Dialect, Target, compact
from guardrail.simulate.plan import Ask, Call, Plan, Reason, Step, last_user_text, text_of

FINISH_REASONS: Final[dict[Reason, str]] = {"stop": "STOP", "length": "MAX_TOKENS", "tool_calls": "STOP"}
STATUSES: Final = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


class _Fields(msgspec.Struct):
    contents: list[dict[str, Any]]
    system_instruction: dict[str, Any] | None = None
    tools: list[dict[str, Any]] | None = None
    tool_config: dict[str, Any] | None = None
    generation_config: dict[str, Any] | None = None


def read(body: bytes, target: Target) -> Ask:
    """A request for content; its model stands in the path."""
    fields = msgspec.convert(_snake(msgspec.json.decode(body)), type=_Fields)
    config = fields.generation_config or {}
    calling = ((fields.tool_config or {}).get("function_calling_config") or {}).get("mode")
    model = target.names["model"]
    return Ask(
        model=model,
        prompts=[last_user_text(fields.contents, "parts")],
        size=sum(len(text_of(content.get("parts"))) for content in (fields.system_instruction or {}, *fields.contents)),
        stream=target.names["method"] == "streamGenerateContent",
        n=config.get("candidate_count") or 1,
        tools=any("function_declarations" in tool for tool in fields.tools or ()) and calling != "NONE",
        reasoning=model.endswith("-reasoning") or bool((config.get("thinking_config") or {}).get("include_thoughts")),
        limit=config.get("max_output_tokens"),
        fields={"sse": target.query.get("alt") == "sse"},
    )


def _snake(value: Any) -> Any:
    """The value with every key in snake case: the service takes both spellings, and clients use both."""
    if isinstance(value, dict):
        return {re.sub("([A-Z])", r"_\1", str(key)).lower(): _snake(inner) for key, inner in value.items()}
    return [_snake(inner) for inner in value] if isinstance(value, list) else value


def error(status: int, message: str) -> dict[str, Any]:
    """An error of the API."""
    named = STATUSES.get(status, "INTERNAL" if status >= 500 else "INVALID_ARGUMENT")
    return {"error": {"code": status, "message": message, "status": named}}


def counted(ask: Ask) -> dict[str, Any]:
    """What `:countTokens` answers."""
    details = [{"modality": "TEXT", "tokenCount": ask.read_tokens}]
    return {"totalTokens": ask.read_tokens, "promptTokensDetails": details}


class ContentAnswer(Answer):
    """One answer, of one candidate or several."""

    malformed = b'data: {"candidates": [{"content":\r\n\r\n'

    def __init__(self, ask: Ask, plan: Plan) -> None:
        super().__init__(ask, plan)
        self.media_type = EVENT_STREAM if ask.fields["sse"] else JSON
        self._arguments: dict[Call, str] = {}
        self._tokens = self._thoughts = self._events = 0

    def step(self, step: Step) -> Iterator[bytes]:
        self._tokens += step.kind != "reasoning"
        self._thoughts += step.kind == "reasoning"
        if step.call is None:
            yield self._event(step.choice, [_text(step.kind, step.text)])
            return
        self._arguments[step.call] = self._arguments.get(step.call, "") + step.text
        if step.last:
            yield self._event(step.choice, [_call(step.call, self._arguments.pop(step.call))])

    def closing(self) -> Iterator[bytes]:
        for index, reason in enumerate(self.plan.reasons):
            yield self._event(index, [{"text": ""}], FINISH_REASONS[reason])
        if not self.ask.fields["sse"]:
            yield b"]"

    def body(self) -> dict[str, Any]:
        candidates = []
        for index, said in enumerate(self.plan.said()):
            parts = [
                _text(kind, text) for kind, text in (("reasoning", said.reasoning), ("content", said.content)) if text
            ]
            parts += [_call(call, arguments) for call, arguments in said.calls.items() if call in said.complete]
            candidates.append(_candidate(index, parts, FINISH_REASONS[said.reason]))
        self._thoughts = self.plan.reasoning_tokens
        self._tokens = len(self.plan.steps) - self._thoughts
        return self._content(candidates)

    def _content(self, candidates: list[dict[str, Any]]) -> dict[str, Any]:
        asked = self.ask.read_tokens
        usage = {
            "promptTokenCount": asked,
            "candidatesTokenCount": self._tokens,
            "totalTokenCount": asked + self._tokens + self._thoughts,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": asked}],
        }
        if self._thoughts:
            usage["thoughtsTokenCount"] = self._thoughts
        return {
            "candidates": candidates,
            "usageMetadata": usage,
            "modelVersion": self.ask.model,
            "responseId": self.id,
        }

    def _event(self, index: int, parts: list[dict[str, Any]], reason: str | None = None) -> bytes:
        content = self._content([_candidate(index, parts, reason)])
        self._events += 1
        if self.ask.fields["sse"]:
            return b"data: " + compact(content) + b"\r\n\r\n"
        before = b"[" if self._events == 1 else b",\r\n"
        return before + json.dumps(content, ensure_ascii=False, indent=2).encode() + b"\n"


def _candidate(index: int, parts: list[dict[str, Any]], reason: str | None) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}}
    if reason is not None:
        candidate["finishReason"] = reason
    return {**candidate, "index": index}


def _text(kind: str, text: str) -> dict[str, Any]:
    return {"text": text} if kind == "content" else {"text": text, "thought": True}


def _call(call: Call, arguments: str) -> dict[str, Any]:
    return {"functionCall": {"name": call.name, "args": json.loads(arguments or "{}")}}


DIALECT: Final = Dialect(read, ContentAnswer, error)
