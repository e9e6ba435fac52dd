"""Reads a request of `/api/chat` or `/api/generate`: the few fields that decide how its answer is guarded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from guardrail.wire.request import InputText, ModelRequest, optional, read_object, token_cap, told

_ROLES = {"system": "system", "assistant": "assistant", "tool": "tool"}
"""Whoever else speaks counts as the user."""

_PROMPT = (("system", "system"), ("template", "system"), ("prompt", "user"), ("suffix", "user"))
"""The texts of `/api/generate`, and who says them."""


def read_request(body: bytes, target: str) -> ModelRequest:
    """Raises WireError, with a message fit for the client (400), for what is no request of Ollama's.

    A request without texts is one: it loads a model, or unloads it."""
    value = read_object(body)
    wants = value.get("format")
    stream = optional(value, "stream", bool, "a boolean")
    options = optional(value, "options", dict, "an object") or {}
    generate = target.partition("?")[0].endswith("/generate")
    return ModelRequest(
        model=optional(value, "model", str, "a string") or "",
        stream=True if stream is None else stream,
        verbatim=generate and bool(value.get("suffix")),
        json_output=bool(wants) and (wants == "json" or isinstance(wants, dict)),
        max_tokens=token_cap(options, "num_predict"),
        **told(tuple(_prompt(value) if generate else _messages(value))),
    )


def _prompt(value: dict[str, Any]) -> Iterator[InputText]:
    for turn, (key, role) in enumerate(_PROMPT):
        text = optional(value, key, str, "a string")
        if text:
            # Prompt and suffix are read as one turn: the suffix is what stands behind the answer.
            yield InputText((key,), role, min(turn, 2), text)


def _messages(value: dict[str, Any]) -> Iterator[InputText]:
    for turn, message in enumerate(optional(value, "messages", list, "an array") or ()):
        if not isinstance(message, dict):
            continue
        said = message.get("role")
        role = _ROLES.get(said, "user") if isinstance(said, str) else "user"
        for key in ("thinking", "content"):
            if isinstance(message.get(key), str):
                yield InputText(("messages", turn, key), role, turn, message[key])
