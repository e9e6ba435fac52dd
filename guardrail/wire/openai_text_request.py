"""Reads a legacy Completions request: the few fields that decide how its response is guarded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from guardrail.errors import WireError
from guardrail.wire.openai_chat_request import count_of_choices, end_user, has_grammar, wants_json
from guardrail.wire.request import MAX_CHOICES, InputText, ModelRequest, optional, read_object, token_cap, told


def read_request(body: bytes, target: str) -> ModelRequest:
    """Raises WireError, with a message fit for the client (400), for what is no Completions request.

    A prompt may be a string, a list of strings, the numbers of its tokens, or a list of such lists; nobody but the
    model knows what the numbers say. All prompts count as one turn: whichever an answer is to, its text is among it."""
    value = read_object(body)
    options = optional(value, "stream_options", dict, "an object") or {}
    n = count_of_choices(value) * _count(value.get("prompt"))
    if n > MAX_CHOICES:
        raise WireError(f"'n' times the number of prompts must be at most {MAX_CHOICES}.")
    return ModelRequest(
        model=optional(value, "model", str, "a string") or "",
        stream=optional(value, "stream", bool, "a boolean") or False,
        n=n,
        include_usage=options.get("include_usage") is True,
        user=end_user(value),
        json_output=wants_json(value),
        verbatim=has_grammar(value) or bool(value.get("echo") or value.get("suffix")),
        max_tokens=token_cap(value, "max_tokens"),
        **told(tuple(_inputs(value))),
    )


def _count(prompt: object) -> int:
    """How many prompts there are; a list of numbers is one."""
    if not isinstance(prompt, list) or all(type(token) is int for token in prompt):
        return 1
    return len(prompt)


def _inputs(value: dict[str, Any]) -> Iterator[InputText]:
    prompt = value.get("prompt")
    if isinstance(prompt, str):
        yield InputText(("prompt",), "user", 0, prompt)
    elif isinstance(prompt, list):
        for number, text in enumerate(prompt):
            if isinstance(text, str):
                yield InputText(("prompt", number), "user", 0, text)
            elif not (type(text) is int or (isinstance(text, list) and all(type(token) is int for token in text))):
                raise WireError("'prompt' must be a string, an array of strings, or of the numbers of tokens.")
    elif prompt is not None:
        raise WireError("'prompt' must be a string, an array of strings, or of the numbers of tokens.")
    suffix = optional(value, "suffix", str, "a string")
    if suffix:
        yield InputText(("suffix",), "user", 0, suffix)
