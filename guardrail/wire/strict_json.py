"""JSON as this project reads and writes it where it looks at every field: strict, lossless, never crashing.

What msgspec refuses is looked at again by the standard library's decoder, which keeps lone surrogates (a server may
cut an escaped pair in two). Duplicate keys are not refused but told, so that what is passed on is what was looked at.
"""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec

from guardrail.errors import WireError

AN_EVENT = "The model server sent an event that"
"""For `load_object`."""


def loads(data: bytes | str) -> tuple[Any, bool]:
    """The value, and whether any object in it had a key twice (the last one counts).

    Raises WireError for anything else than one JSON value in valid UTF-8: NaN, Infinity, numbers out of a double's
    range, raw control characters in strings, too deep nesting."""
    if isinstance(data, bytes):
        try:
            value = _decode(data)
            if has_all_keys(_encode(value), data):
                return value, False
        except (msgspec.MsgspecError, ValueError, RecursionError):
            pass
    duplicate = False

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal duplicate
        result = dict(items)
        duplicate = duplicate or len(result) < len(items)
        return result

    try:
        text = data if isinstance(data, str) else data.decode()
        value = json.loads(text, object_pairs_hook=pairs, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError):
        # No cause: the decoder's own error holds the whole document, which is model text.
        raise WireError("not valid JSON") from None
    return value, duplicate


def load_object(data: bytes, what: str) -> tuple[dict[str, Any], bool]:
    """The same for what has to be an object. `what` begins the message of the WireError: "The model server's
    answer"."""
    try:
        value, duplicate = loads(data)
    except WireError:
        raise WireError(f"{what} is not valid JSON.") from None
    if not isinstance(value, dict):
        raise WireError(f"{what} is not a JSON object.")
    return value, duplicate


def has_all_keys(written: bytes, data: bytes) -> bool:
    """Whether no key was lost when `data` was decoded; `written`: what was decoded, as msgspec writes it. A key that
    came twice is lost, with its quotes. False also where that cannot be told, since quotes were written as escapes."""
    return data.count(b'"') == written.count(b'"') and b"\\u0022" not in data


_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def _refuse(name: str) -> float:
    raise ValueError(name)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError
    return number


def dumps(value: object) -> bytes:
    """Compact UTF-8 on one line (see `on_one_line`). A lone surrogate becomes U+FFFD, two that belong together become
    their character."""
    text = on_one_line(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    try:
        return text.encode()
    except UnicodeEncodeError:
        return whole_surrogates(text).encode()


def dumps_exact(value: object) -> bytes:
    """The same, but what is no valid Unicode stays what it is, as escapes."""
    text = on_one_line(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    try:
        return text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":")).encode()


def on_one_line(json_text: str) -> str:
    """JSON text with escapes for the characters that some clients take for line ends: Python's `str.splitlines`, which
    the SDKs of Ollama and Gemini read their streams with, counts three that JSON lets stand in a string."""
    if json_text.isascii():
        return json_text
    return json_text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").replace("\x85", "\\u0085")


def whole_surrogates(text: str) -> str:
    """`text` with surrogate pairs joined and lone surrogates replaced by U+FFFD: valid Unicode."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
