"""Reads a Chat Completions request: the few fields that decide how its response is guarded.

It never changes the request; the body goes upstream as the bytes that came. It is therefore strict about what two
parsers could read differently: duplicate keys are refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from guardrail.errors import WireError
from guardrail.wire.strict_json import loads

MAX_CHOICES = 128
"""The largest `n` of OpenAI's API; also the cap on choices in a response."""


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """What the codec of the response needs to know of the request."""

    model: str = ""
    stream: bool = False
    n: int = 1
    include_usage: bool = False
    """`stream_options.include_usage`: the client waits for a usage chunk."""
    user: str = ""
    """The end user's id as the client gave it, "" for none."""
    prompt_bytes: int = 0
    """UTF-8 bytes of the messages' text: what the prompt's tokens are estimated from when upstream cannot say."""
    instructions: tuple[str, ...] = ()
    """The texts of the system messages: what a policy may have to keep from the answer."""
    prompt: str = ""
    """The text of the newest user message: what the answer is to, for a classifier."""


def read_request(body: bytes) -> ModelRequest:
    """Raises WireError, with a message fit for the client (400), for what is no Chat Completions request."""
    try:
        value, duplicate = loads(body)
    except WireError:
        raise WireError("The request body is not valid JSON.") from None
    if not isinstance(value, dict):
        raise WireError("The request body must be a JSON object.")
    if duplicate:
        raise WireError("The request body has an object with the same key twice.")
    messages = value.get("messages")
    if not isinstance(messages, list) or not messages:
        raise WireError("'messages' must be a non-empty array.")
    options = _optional(value, "stream_options", dict, "an object") or {}
    n = _optional(value, "n", int, "an integer")
    n = 1 if n is None else n
    if not 1 <= n <= MAX_CHOICES:
        raise WireError(f"'n' must be between 1 and {MAX_CHOICES}.")
    return ModelRequest(
        model=_optional(value, "model", str, "a string") or "",
        stream=_optional(value, "stream", bool, "a boolean") or False,
        n=n,
        include_usage=options.get("include_usage") is True,
        user=_optional(value, "user", str, "a string") or "",
        prompt_bytes=sum(_text_bytes(m.get("content")) for m in messages if isinstance(m, dict)),
        instructions=tuple(_texts(messages, "system", "developer")),
        prompt=next(_texts(reversed(messages), "user"), ""),
    )


def _texts(messages: Iterable[Any], *roles: str) -> Iterator[str]:
    for message in messages:
        if isinstance(message, dict) and message.get("role") in roles:
            content = message.get("content")
            parts = content if isinstance(content, list) else [{"text": content}]
            texts = [part.get("text") for part in parts if isinstance(part, dict)]
            # Parts of one message are read on as one text.
            if text := "\n".join(text for text in texts if isinstance(text, str)):
                yield text


def _optional(value: dict[str, Any], key: str, kind: type, named: str) -> Any:
    field = value.get(key)
    if field is None or (isinstance(field, kind) and not (kind is int and isinstance(field, bool))):
        return field
    raise WireError(f"{key!r} must be {named}.")


def _text_bytes(content: object) -> int:
    if isinstance(content, str):
        return len(content.encode("utf-8", "surrogatepass"))
    if isinstance(content, list):
        return sum(_text_bytes(part.get("text")) for part in content if isinstance(part, dict))
    return 0
