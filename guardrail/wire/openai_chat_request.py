"""Reads a Chat Completions request: the few fields that decide how its response is guarded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from guardrail.errors import WireError
from guardrail.wire.request import MAX_CHOICES, InputText, ModelRequest, Path, optional, read_object, token_cap, told

_ROLES = {"developer": "system", "system": "system", "assistant": "assistant", "tool": "tool", "function": "tool"}
"""Whoever else speaks counts as the user."""

_GRAMMARS = (
    *("guided_json", "guided_regex", "guided_choice", "guided_grammar", "structured_outputs"),  # vLLM
    *("regex", "ebnf"),  # SGLang
    *("grammar", "json_schema"),  # llama.cpp
)


def read_request(body: bytes) -> ModelRequest:
    """Raises WireError, with a message fit for the client (400), for what is no Chat Completions request."""
    value = read_object(body)
    messages = value.get("messages")
    if not isinstance(messages, list) or not messages:
        raise WireError("'messages' must be a non-empty array.")
    options = optional(value, "stream_options", dict, "an object") or {}
    return ModelRequest(
        model=optional(value, "model", str, "a string") or "",
        stream=optional(value, "stream", bool, "a boolean") or False,
        n=count_of_choices(value),
        include_usage=options.get("include_usage") is True,
        user=end_user(value),
        json_output=wants_json(value),
        verbatim=has_grammar(value),
        max_tokens=token_cap(value, "max_completion_tokens", "max_tokens"),
        **told(tuple(_inputs(messages))),
    )


def end_user(value: dict[str, Any]) -> str:
    """The end user's id: `safety_identifier`, or `user`, which it replaces."""
    said = optional(value, "safety_identifier", str, "a string") or optional(value, "user", str, "a string")
    return said or ""


def wants_json(value: dict[str, Any]) -> bool:
    """Whether the client asked for an answer in JSON."""
    wanted = value.get("response_format")
    return isinstance(wanted, dict) and wanted.get("type") in ("json_object", "json_schema")


def has_grammar(value: dict[str, Any]) -> bool:
    """Whether the answer has to follow a grammar: in OpenAI's field, or in those of vLLM, SGLang and llama.cpp."""
    wanted = value.get("response_format")
    return (isinstance(wanted, dict) and wanted.get("type") != "text") or any(value.get(key) for key in _GRAMMARS)


def count_of_choices(value: dict[str, Any]) -> int:
    """`n`. Raises WireError for a number that cannot be."""
    n = optional(value, "n", int, "an integer")
    n = 1 if n is None else n
    if not 1 <= n <= MAX_CHOICES:
        raise WireError(f"'n' must be between 1 and {MAX_CHOICES}.")
    return int(n)


def _inputs(messages: list[Any]) -> Iterator[InputText]:
    for turn, message in enumerate(messages):
        if not isinstance(message, dict):
            continue
        said = message.get("role")
        role = _ROLES.get(said, "user") if isinstance(said, str) else "user"
        for path, text in content_texts(message.get("content"), ("messages", turn, "content")):
            yield InputText(path, role, turn, text)


def content_texts(content: object, path: Path) -> Iterator[tuple[Path, str]]:
    """The texts of a content that is a string or a list of `{"type", "text"}` parts."""
    if isinstance(content, str):
        yield path, content
    elif isinstance(content, list):
        for number, part in enumerate(content):
            if isinstance(part, dict) and isinstance(part.get("text"), str):
                yield (*path, number, "text"), part["text"]
