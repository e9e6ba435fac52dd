"""Reads a Gemini request: the few fields that decide how its response is guarded, and every text the model will read.

The path says which model is asked and whether the answer is streamed. The API takes every field in camelCase and in
snake_case; a request with both spellings of one is refused, since two servers could choose differently.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from guardrail.errors import WireError
from guardrail.wire.request import MAX_CHOICES, InputText, ModelRequest, Path, optional, read_object, token_cap, told

PATH = re.compile(
    r"/v1(?:beta|alpha|beta1)?/"
    r"(?:projects/[^/]+/locations/[^/]+/)?"
    r"((?:publishers/[^/]+/models|models|tunedModels|endpoints)/[^/:]+)"
    r":(generateContent|streamGenerateContent)"
)
"""Of the Gemini API and of Vertex AI: (model, method)."""

_ROLES = {"model": "assistant", "function": "tool", "user": "user"}
"""Who says a content; no role is the user."""


def read_request(body: bytes, target: str) -> ModelRequest:
    """Raises WireError, with a message fit for the client (400), for what is no Gemini request."""
    path, _, query = target.partition("?")
    found = PATH.fullmatch(path)
    if found is None:
        raise WireError("The path must be of the form /v1beta/models/MODEL:generateContent.")
    value = read_object(body)
    contents = _field(value, "contents")
    if isinstance(contents, dict):
        contents = [contents]  # a lone message is read as a list of one
    if not isinstance(contents, list) or not contents:
        raise WireError("'contents' must be a non-empty array.")
    config = _field(value, "generationConfig")
    config = {} if config is None else config
    if not isinstance(config, dict):
        raise WireError("'generationConfig' must be an object.")
    mime_type = _field(config, "responseMimeType")
    return ModelRequest(
        model=found[1].removeprefix("models/").rpartition("/models/")[2],
        stream=found[2] == "streamGenerateContent",
        array=found[2] == "streamGenerateContent" and "alt=sse" not in re.split("[&;]", query),
        n=_count(config),
        include_usage=True,
        json_output=mime_type == "application/json" or _field(config, "responseSchema") is not None,
        verbatim=mime_type not in (None, "", "text/plain", "application/json"),
        max_tokens=token_cap(config, _spelt(config, "maxOutputTokens")),
        **told(tuple(_inputs(value, contents))),
    )


def _snake(key: str) -> str:
    return re.sub("[A-Z]", lambda found: "_" + found[0].lower(), key)


def _spelt(value: dict[str, Any], key: str) -> str:
    """How the field is spelt there. Raises WireError when it stands there twice."""
    snake = _snake(key)
    if snake != key and snake in value:
        if key in value:
            raise WireError(f"The request has both {key!r} and {snake!r}.")
        return snake
    return key


def _field(value: dict[str, Any], key: str) -> Any:
    return value.get(_spelt(value, key))


def _count(config: dict[str, Any]) -> int:
    n = optional(config, _spelt(config, "candidateCount"), int, "an integer")
    n = 1 if n is None else n
    if not 1 <= n <= MAX_CHOICES:
        raise WireError(f"'candidateCount' must be between 1 and {MAX_CHOICES}.")
    return int(n)


def _inputs(value: dict[str, Any], contents: list[Any]) -> Iterator[InputText]:
    system = _spelt(value, "systemInstruction")
    if system in value:
        yield from _texts(value[system], (system,), "system", -1)
    for turn, content in enumerate(contents):
        path: Path = ("contents", turn) if isinstance(value["contents"], list) else ("contents",)
        if isinstance(content, dict):
            said = content.get("role")
            yield from _texts(content, path, _ROLES.get(said, "user") if isinstance(said, str) else "user", turn)


def _texts(content: object, path: Path, role: str, turn: int) -> Iterator[InputText]:
    """The texts of a content: its parts'; a lone part may stand for the list, a string for it all."""
    if isinstance(content, str):
        yield InputText(path, role, turn, content)
        return
    parts = content.get("parts") if isinstance(content, dict) else None
    numbered = list(enumerate(parts)) if isinstance(parts, list) else [(None, parts)]
    for number, part in numbered:
        at: Path = (*path, "parts") if number is None else (*path, "parts", number)
        if isinstance(part, str):
            yield InputText(at, role, turn, part)
        elif isinstance(part, dict):
            yield from _part(part, at, role, turn)


_SAID = (("functionResponse", "response", "tool"), ("codeExecutionResult", "output", "tool"))
_WRITTEN = (("functionCall", "args", "assistant"), ("executableCode", "code", "assistant"))


def _part(part: dict[str, Any], path: Path, role: str, turn: int) -> Iterator[InputText]:
    if isinstance(part.get("text"), str):
        yield InputText((*path, "text"), role, turn, part["text"])
    for kind, key, speaker in (*_SAID, *_WRITTEN):
        spelt = _spelt(part, kind)
        owner = part.get(spelt)
        if isinstance(owner, dict):
            for at, text in _strings(owner.get(key), (*path, spelt, key)):
                yield InputText(at, speaker, turn, text)


def _strings(value: object, path: Path) -> Iterator[tuple[Path, str]]:
    """Every string in a JSON value, in order."""
    waiting = [(path, value)]
    while waiting:
        at, item = waiting.pop()
        if isinstance(item, str):
            yield at, item
        elif isinstance(item, dict | list):
            items = item.items() if isinstance(item, dict) else enumerate(item)
            waiting += [((*at, key), found) for key, found in items][::-1]
