"""What a request path is to the proxy: guarded, passed through because the configuration lists it, or refused. Pure.

Promises: a path is compared after decoding, and one that two servers could read differently (dot segments, empty
segments, double encoding, backslashes, parameters) is refused, so that no spelling of a path opens what its plain
form does not. No wildcard reaches an endpoint that carries model text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum
from urllib.parse import unquote

CHAT_COMPLETIONS = "/v1/chat/completions"

_PLAIN = re.compile(r"(/[A-Za-z0-9._~:@+=,!\- ]+)+")
"""Segments, none empty, of characters that no server gives a meaning of its own."""

_MODEL_TEXT = frozenset(
    {
        "assistants",
        "batches",
        "chat",
        "complete",
        "completions",
        "generate",
        "generatecontent",
        "messages",
        "predict",
        "rawpredict",
        "realtime",
        "responses",
        "streamgeneratecontent",
        "streamrawpredict",
        "threads",
    }
)
"""Parts of paths at which APIs answer with a model's text (`/v1/messages`, `/v1/models/m:generateContent`). A wildcard
does not reach them; who wants one unscanned must list it by its full name."""


class Route(Enum):
    CHAT = "chat"
    UNSCANNED = "unscanned"
    REFUSED = "refused"


def route(raw_path: str, pass_through: Iterable[str]) -> Route:
    """`raw_path`: the path of the request target as it came, still encoded, without its query.

    A pattern of `pass_through` is a path, or ends in `*`, which stands for the rest (at least one character).
    """
    if raw_path == CHAT_COMPLETIONS:
        return Route.CHAT
    try:
        path = unquote(raw_path, errors="strict")
    except UnicodeDecodeError:
        return Route.REFUSED
    if not _PLAIN.fullmatch(path) or any(part.strip(" .") == "" for part in path.split("/")[1:]):
        return Route.REFUSED
    for pattern in pass_through:
        if not pattern.endswith("*"):
            if path == pattern:
                return Route.UNSCANNED
        elif path.startswith(pattern[:-1]) and len(path) >= len(pattern):
            parts = {part.strip(" .").casefold() for part in re.split("[/:]", path)}
            if not parts & _MODEL_TEXT:
                return Route.UNSCANNED
    return Route.REFUSED
