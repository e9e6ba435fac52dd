"""Legacy Completions: `POST /v1/completions`, in the shapes of OpenAI's API reference (vLLM and others serve it too).

A request may hold several prompts; `choices` then has `n` for each, in order. It has neither tools nor reasoning.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from guardrail.simulate.dialect import Answer, Dialect, Target, data_event
from guardrail.simulate.openai_chat import DONE, error, usage
from guardrail.simulate.plan import Ask, Plan, Step


class _Fields(msgspec.Struct):
    prompt: str | list[str]
    model: str = "sim"
    stream: bool | None = None
    n: int | None = None
    stream_options: dict[str, Any] | None = None
    logprobs: int | None = None
    max_tokens: int | None = None


def read(body: bytes, target: Target) -> Ask:
    """A completion request."""
    fields = msgspec.json.decode(body, type=_Fields)
    prompts = [fields.prompt] if isinstance(fields.prompt, str) else fields.prompt
    if not prompts:
        raise ValueError("expected at least one prompt")
    return Ask(
        model=fields.model,
        prompts=prompts,
        size=sum(map(len, prompts)),
        stream=bool(fields.stream),
        n=fields.n or 1,
        limit=fields.max_tokens,
        fields={
            "logprobs": fields.logprobs is not None,
            "usage": bool((fields.stream_options or {}).get("include_usage")),
        },
    )


class TextAnswer(Answer):
    """One text completion."""

    malformed = b'data: {"id": "cmpl-1", "choices": [{"index": 0,\n\n'

    def __init__(self, ask: Ask, plan: Plan) -> None:
        super().__init__(ask, plan)
        self._said: dict[int, int] = {}

    @property
    def id(self) -> str:
        return f"cmpl-{self.key}"

    def step(self, step: Step) -> Iterator[bytes]:
        start = self._said.get(step.choice, 0)
        self._said[step.choice] = start + len(step.text)
        yield self._event([self._choice(step.choice, [step.text], start)])

    def closing(self) -> Iterator[bytes]:
        for index, reason in enumerate(self.plan.reasons):
            yield self._event([self._choice(index, [], 0, reason)])
        if self.ask.fields["usage"]:
            yield self._event([], usage(self.ask, self.plan))
        yield DONE

    def body(self) -> dict[str, Any]:
        choices = []
        for index, reason in enumerate(self.plan.reasons):
            tokens = [step.text for step in self.plan.steps if step.choice == index]
            choices.append(self._choice(index, tokens, 0, reason))
        return {**self._head(), "choices": choices, "usage": usage(self.ask, self.plan)}

    def _head(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": "text_completion",
            "created": self.created,
            "model": self.ask.model,
            "system_fingerprint": "fp_simulated",
        }

    def _choice(self, index: int, tokens: list[str], start: int, reason: str | None = None) -> dict[str, Any]:
        logprobs = None
        if self.ask.fields["logprobs"] and tokens:
            offsets = [start + sum(map(len, tokens[:i])) for i in range(len(tokens))]
            logprobs = {
                "tokens": tokens,
                "token_logprobs": [-0.25] * len(tokens),
                "top_logprobs": [{token: -0.25} for token in tokens],
                "text_offset": offsets,
            }
        return {"text": "".join(tokens), "index": index, "logprobs": logprobs, "finish_reason": reason}

    def _event(self, choices: list[dict[str, Any]], usage: dict[str, Any] | None = None) -> bytes:
        chunk = self._head()
        chunk["choices"] = choices
        if self.ask.fields["usage"]:
            chunk["usage"] = usage
        return data_event(chunk)


DIALECT: Final = Dialect(read, TextAnswer, error)
