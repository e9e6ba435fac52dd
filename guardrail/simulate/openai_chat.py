"""Chat Completions: `POST /v1/chat/completions`, in the shapes of OpenAI's API reference.

Reasoning goes in `reasoning_content`, as DeepSeek, vLLM and others send it; OpenAI's own service shows none here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from guardrail.simulate.dialect import Answer, Dialect, Target, data_event
from guardrail.simulate.plan import Ask, Plan, Reason, Step, last_user_text, text_of

DONE: Final = b"data: [DONE]\n\n"


class _Fields(msgspec.Struct):
    messages: list[dict[str, Any]]
    model: str = "sim"
    stream: bool | None = None
    n: int | None = None
    stream_options: dict[str, Any] | None = None
    logprobs: bool | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: Any = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None


def read(body: bytes, target: Target) -> Ask:
    """A chat request."""
    fields = msgspec.json.decode(body, type=_Fields)
    return Ask(
        model=fields.model,
        prompts=[last_user_text(fields.messages)],
        size=sum(len(text_of(message.get("content"))) for message in fields.messages),
        stream=bool(fields.stream),
        n=fields.n or 1,
        tools=bool(fields.tools) and fields.tool_choice != "none",
        reasoning=fields.model.endswith("-reasoning"),
        limit=fields.max_completion_tokens or fields.max_tokens,
        fields={
            "logprobs": fields.logprobs,
            "usage": bool((fields.stream_options or {}).get("include_usage")),
        },
    )


def error(status: int, message: str) -> dict[str, Any]:
    """An error of the API."""
    kind = "server_error" if status >= 500 else "invalid_request_error"
    return {"error": {"message": message, "type": kind, "param": None, "code": None}}


class ChatAnswer(Answer):
    """One chat completion."""

    malformed = b'data: {"id": "chatcmpl-1", "choices": [{"index": 0,\n\n'

    @property
    def id(self) -> str:
        return f"chatcmpl-{self.key}"

    def opening(self) -> Iterator[bytes]:
        for index in range(len(self.plan.reasons)):
            yield self._event([self._choice(index, {"role": "assistant", "content": "", "refusal": None})])

    def step(self, step: Step) -> Iterator[bytes]:
        delta: dict[str, Any]
        spoken = None
        if step.call is not None:
            part: dict[str, Any] = {"index": step.call.number, "function": {"arguments": step.text}}
            if not step.text:
                part = {
                    "index": step.call.number,
                    "id": f"call_{step.call.key}",
                    "type": "function",
                    "function": {"name": step.call.name, "arguments": ""},
                }
            delta = {"tool_calls": [part]}
        elif step.kind == "content":
            delta, spoken = {"content": step.text}, step.text
        else:
            delta = {"reasoning_content": step.text}
        yield self._event([self._choice(step.choice, delta, text=spoken)])

    def closing(self) -> Iterator[bytes]:
        for index, reason in enumerate(self.plan.reasons):
            yield self._event([self._choice(index, {}, reason=reason)])
        if self.ask.fields["usage"]:
            yield self._event([], usage=usage(self.ask, self.plan))
        yield DONE

    def body(self) -> dict[str, Any]:
        choices = []
        for index, said in enumerate(self.plan.said()):
            message: dict[str, Any] = {"role": "assistant", "content": said.content, "refusal": None}
            if said.reasoning:
                message["reasoning_content"] = said.reasoning
            if said.calls:
                message["content"] = said.content or None
                message["tool_calls"] = [
                    {
                        "id": f"call_{call.key}",
                        "type": "function",
                        "function": {"name": call.name, "arguments": arguments},
                    }
                    for call, arguments in said.calls.items()
                ]
            spoken = [s.text for s in self.plan.steps if s.choice == index and s.kind == "content"]
            logprobs = _logprobs(spoken) if self.ask.fields["logprobs"] else None
            choices.append({"index": index, "message": message, "logprobs": logprobs, "finish_reason": said.reason})
        return {**self._head("chat.completion"), "choices": choices, "usage": usage(self.ask, self.plan)}

    def _head(self, kind: str) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.ask.model,
            "service_tier": "default",
            "system_fingerprint": "fp_simulated",
        }

    def _choice(
        self, index: int, delta: dict[str, Any], *, text: str | None = None, reason: Reason | None = None
    ) -> dict[str, Any]:
        logprobs = _logprobs([text]) if self.ask.fields["logprobs"] and text is not None else None
        return {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": reason}

    def _event(self, choices: list[dict[str, Any]], usage: dict[str, Any] | None = None) -> bytes:
        chunk = self._head("chat.completion.chunk")
        chunk["choices"] = choices
        if self.ask.fields["usage"]:
            chunk["usage"] = usage
        return data_event(chunk)


def usage(ask: Ask, plan: Plan) -> dict[str, Any]:
    """The tokens of a completion."""
    return {
        "prompt_tokens": ask.read_tokens,
        "completion_tokens": len(plan.steps),
        "total_tokens": ask.read_tokens + len(plan.steps),
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": plan.reasoning_tokens, "audio_tokens": 0},
    }


def _logprobs(tokens: list[str]) -> dict[str, Any]:
    content = [
        {"token": token, "logprob": -0.25, "bytes": list(token.encode()), "top_logprobs": []} for token in tokens
    ]
    return {"content": content, "refusal": None}


DIALECT: Final = Dialect(read, ChatAnswer, error)
