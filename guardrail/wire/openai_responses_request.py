"""Reads a Responses request: the few fields that decide how its answer is guarded, and the texts the model will read.

`POST /v1/responses` asks for an answer; a `GET` of one (or the `POST` that cancels it) fetches what was made in the
background or stored, whose body is guarded like any other. A stream that is taken up in its middle cannot be guarded,
and is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from guardrail.errors import WireError
from guardrail.wire.openai_chat_request import content_texts, end_user
from guardrail.wire.openai_responses_item import listed
from guardrail.wire.request import InputText, ModelRequest, Path, optional, read_object, token_cap, told

_ROLES = {"developer": "system", "system": "system", "assistant": "assistant"}
"""Whoever else speaks counts as the user."""


_ESCAPE = re.compile("%([0-9A-Fa-f]{2})")


def read_request(body: bytes, target: str) -> ModelRequest:
    """Raises WireError, with a message fit for the client (400), for what is no Responses request."""
    if not body or not target.partition("?")[0].endswith("/responses"):
        return _fetch(target)
    value = read_object(body)
    said = value.get("input")
    if said is not None and not isinstance(said, str | list):
        raise WireError("'input' must be a string or an array.")
    if said is None and not any(value.get(key) for key in ("prompt", "conversation", "previous_response_id")):
        raise WireError("'input' must be a string or an array.")
    text = value.get("text")
    wanted = text.get("format") if isinstance(text, dict) else None
    return ModelRequest(
        model=optional(value, "model", str, "a string") or "",
        stream=optional(value, "stream", bool, "a boolean") or False,
        user=end_user(value),
        json_output=isinstance(wanted, dict) and wanted.get("type") in ("json_object", "json_schema"),
        max_tokens=token_cap(value, "max_output_tokens"),
        **told(tuple(_inputs(value))),
    )


def _fetch(target: str) -> ModelRequest:
    query = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), target.partition("?")[2])
    asked = dict(part.partition("=")[::2] for part in query.split("&"))
    if asked.get("stream", "false") not in ("false", "0", "") or "starting_after" in asked:
        raise WireError(
            "A stream that is taken up again cannot be guarded, since what came before is not known: "
            "fetch the response without 'stream'."
        )
    return ModelRequest()


def _inputs(value: dict[str, Any]) -> Iterator[InputText]:
    if isinstance(value.get("instructions"), str):
        yield InputText(("instructions",), "system", 0, value["instructions"])
    prompt = value.get("prompt")
    variables = prompt.get("variables") if isinstance(prompt, dict) else None
    for name, said in (variables if isinstance(variables, dict) else {}).items():
        for path, text in content_texts([said] if isinstance(said, dict) else said, ("prompt", "variables", name)):
            yield InputText(path if isinstance(said, str) else (*path[:-2], "text"), "user", 1, text)
    said = value.get("input")
    if isinstance(said, str):
        yield InputText(("input",), "user", 2, said)
    for number, item in enumerate(said if isinstance(said, list) else ()):
        if isinstance(item, dict):
            for path, role, text in _item(item, ("input", number)):
                yield InputText(path, role, number + 2, text)


def _item(item: dict[str, Any], path: Path) -> Iterator[tuple[Path, str, str]]:
    """The texts of an item: what a message says, what a tool answered; of the calls before it, what the model said."""
    kind, said = item.get("type"), item.get("role")
    if kind in (None, "message"):
        role = _ROLES.get(said, "user") if isinstance(said, str) else "user"
        for where, text in content_texts(item.get("content"), (*path, "content")):
            yield where, role, text
        for number, part in enumerate(listed(item.get("content"))):
            if isinstance(part, dict) and isinstance(part.get("refusal"), str):
                yield (*path, "content", number, "refusal"), role, part["refusal"]
        return
    role = "tool" if isinstance(kind, str) and kind.endswith("_output") else "assistant"
    for key, value in item.items():
        if key in _NO_TEXT:
            continue
        # What a tool of the server answered stands in the same item as the call.
        speaker = "tool" if key in ("output", "outputs", "results") else role
        for where, text in _strings(value, (*path, key)):
            yield where, speaker, text


_NO_TEXT = frozenset(
    {
        *("id", "type", "status", "call_id", "encrypted_content", "namespace", "container_id", "created_by", "caller"),
        *("approval_request_id", "result", "image_url", "file_id", "file_data", "file_url", "detail", "filename"),
    }
)
"""Keys of items and parts that hold ids, words of the protocol, or data."""


def _strings(value: object, path: Path) -> Iterator[tuple[Path, str]]:
    """Every string in a value."""
    waiting: list[tuple[Path, object]] = [(path, value)]
    while waiting:
        where, found = waiting.pop()
        if isinstance(found, str):
            yield where, found
        elif isinstance(found, dict):
            waiting += [((*where, key), inner) for key, inner in reversed(found.items()) if key not in _NO_TEXT]
        elif isinstance(found, list):
            waiting += [((*where, number), inner) for number, inner in reversed(list(enumerate(found)))]
