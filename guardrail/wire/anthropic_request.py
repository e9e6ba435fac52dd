"""Reads an Anthropic Messages request: the fields that decide how its answer is guarded, and its texts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from guardrail.errors import WireError
from guardrail.wire.anthropic_block import is_result, is_tool
from guardrail.wire.request import InputText, ModelRequest, Path, optional, read_object, token_cap, told
from guardrail.wire.unknown_text import is_opaque

_LABELS = {"id", "tool_use_id", "file_id", "type", "role", "media_type", "url", "signature", "cache_control", "caller"}
"""Keys in a block whose value the model does not read as text, or that must stay as it is."""


def read_request(body: bytes) -> ModelRequest:
    """Raises WireError, with a message fit for the client (400), for what is no Messages request."""
    value = read_object(body)
    messages = value.get("messages")
    if not isinstance(messages, list) or not messages:
        raise WireError("'messages' must be a non-empty array.")
    metadata = optional(value, "metadata", dict, "an object") or {}
    output = optional(value, "output_config", dict, "an object") or {}
    return ModelRequest(
        model=optional(value, "model", str, "a string") or "",
        stream=optional(value, "stream", bool, "a boolean") or False,
        user=optional(metadata, "user_id", str, "a string") or "",
        json_output=any(isinstance(found, dict) for found in (output.get("format"), value.get("output_format"))),
        max_tokens=token_cap(value, "max_tokens"),
        **told(tuple(_inputs(value, messages))),
    )


def _inputs(value: dict[str, Any], messages: list[Any]) -> Iterator[InputText]:
    """The texts in order. What a tool answered is a turn of its own, though a user's message brings it."""
    turn = -1
    spoke: tuple[object, str] | None = None
    said: list[tuple[int, str, Path, object]] = [(-1, "system", ("system",), value.get("system"))]
    for number, message in enumerate(messages):
        if isinstance(message, dict):
            role = message.get("role")
            role = role if role in ("assistant", "system") else "user"
            said.append((number, role, ("messages", number, "content"), message.get("content")))
    for number, role, where, content in said:
        for path, speaker, text in _texts(content, where, role):
            if (number, speaker) != spoke:
                spoke = number, speaker
                turn += 1
            yield InputText(path, speaker, turn, text)


def _texts(content: object, path: Path, role: str) -> Iterator[tuple[Path, str, str]]:
    """The texts of a content: (path, who says it, text)."""
    if isinstance(content, str):
        yield path, role, content
    elif isinstance(content, list):
        for number, block in enumerate(content):
            if isinstance(block, dict):
                yield from _block(block, (*path, number), role)


def _block(block: dict[str, Any], path: Path, role: str) -> Iterator[tuple[Path, str, str]]:
    kind = block.get("type")
    if kind == "tool_result" or is_result(kind):
        role = "tool"
    elif kind == "redacted_thinking":
        return
    elif is_tool(kind):
        block = {"input": block.get("input")}
    for found, text in _strings(block, path):
        yield found, role, text


def _strings(value: object, path: Path) -> Iterator[tuple[Path, str]]:
    """Every string in a value that the model reads: texts, quotations, titles, arguments."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for number, found in enumerate(value):
            yield from _strings(found, (*path, number))
    elif isinstance(value, dict):
        for key, found in value.items():
            if key in _LABELS or (key.startswith("encrypted_") and is_opaque(found)):
                continue
            if key == "data" and isinstance(found, str) and value.get("type") == "base64":
                continue
            yield from _strings(found, (*path, key))
