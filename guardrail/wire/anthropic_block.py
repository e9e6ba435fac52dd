"""What a content block of Anthropic Messages holds: its text, its names, what it carries for clients to give back.

For streams and bodies alike. A block is cleaned in place of what the codec does not know. Values that are complete when
they come (citations, the results of tools) are scanned whole, but for ids and opaque data in them: those are taken out
before the scan and put back after it, since a random string may look like a secret, and clients must return it as it
was.

Source of the shapes: the types of Anthropic's public SDKs.
"""

from __future__ import annotations

from typing import Any

from guardrail.errors import WireError
from guardrail.wire.strict_json import dumps
from guardrail.wire.unknown_text import Unknown, is_opaque, is_prose

TEXT_FIELD = {"text": "text", "thinking": "thinking", "compaction": "content"}
"""By type of block: the field that is text for people, which also names its channel."""

GOES_ON = ("tool_use", "pause_turn", "compaction")
"""Reasons for which a message stops though the turn of the model has not ended: a tool of the client's is called, one
of the server's pauses, or what came before was compacted."""

NAMES = ("name", "server_name", "toolset_name")
"""Of a tool call: names, which are scanned."""

_LABELS = {"id", "tool_use_id", "file_id", "caller", "from", "to", "trigger"}
"""Ids, and small objects of nothing but such. Not scanned, so they must look like ids."""

_OPAQUE = {"signature", "data", "encrypted_content", "encrypted_index", "encrypted_stdout"}
"""What only Anthropic can read; clients must return it as it came."""

MAX_DEPTH = 128
"""Levels of a value that is complete; real ones have a handful. The cap keeps a walk through one within the stack."""

_KNOWN = {
    "text": {"text", "citations"},
    "thinking": {"thinking", "signature"},
    "redacted_thinking": {"data"},
    "compaction": {"content", "encrypted_content", "signature"},
    "container_upload": {"file_id"},
    "fallback": {"from", "to", "trigger"},
}
_TOOL = {"id", "input", "caller", *NAMES}
_RESULT = {"tool_use_id", "content", "is_error", "caller"}


def is_tool(kind: object) -> bool:
    """Whether blocks of this type are calls of a tool: on the client, on the server or over MCP."""
    return isinstance(kind, str) and (kind == "tool_use" or kind.endswith("_tool_use"))


def is_result(kind: object) -> bool:
    """Whether blocks of this type are what a tool of the server answered."""
    return isinstance(kind, str) and kind.endswith("_tool_result")


def clean_block(unknown: Unknown, block: dict[str, Any], path: str) -> None:
    """Take what the codec does not know out of a block. What a client needs to be there stays, empty."""
    clean_label(unknown, block, "type", path, "text")
    kind = block.get("type")
    known = _KNOWN.get(kind, set()) if isinstance(kind, str) else set()
    if is_tool(kind):
        known = _TOOL
    elif is_result(kind):
        known = _RESULT
    unknown.strip(path, block, frozenset({"type"} | known))
    for key in known & block.keys():
        value = block[key]
        if key in _LABELS:
            clean_label(unknown, block, key, path, "")
        elif key in _OPAQUE:
            clean_opaque(unknown, block, key, path)
        elif key == TEXT_FIELD.get(str(kind)) or key in NAMES:
            clean_text(unknown, block, key, path)
        elif key == "is_error":
            if unknown.removes(path, key, value):
                block[key] = False
        elif key == "citations" and not isinstance(value, list) and unknown.removes(path, key, value):
            block[key] = None


def clean_label(unknown: Unknown, owner: dict[str, Any], key: str, path: str, instead: object) -> None:
    """A value that is not scanned, and must look like an id."""
    value = owner.get(key)
    if value is not None and unknown.removes(path, key, value, prose=True):
        owner[key] = instead if isinstance(value, str) else None


def clean_opaque(unknown: Unknown, owner: dict[str, Any], key: str, path: str) -> None:
    """Encrypted data, which must look like that."""
    value = owner.get(key)
    if not is_opaque(value) and unknown.removes(path, key, value):
        owner[key] = ""


def clean_text(unknown: Unknown, owner: dict[str, Any], key: str, path: str) -> None:
    """A value that has to be a text for the codec to scan it."""
    value = owner.get(key)
    if value is not None and not isinstance(value, str) and unknown.removes(path, key, value):
        owner[key] = ""


def scannable(value: object, depth: int = MAX_DEPTH) -> Any:
    """A value that is complete, without what must not be scanned in it. Raises WireError for one that is nested deeper
    than `depth`."""
    if not isinstance(value, dict | list):
        return value
    if not depth:
        raise WireError(f"The model server sent a value of more than {MAX_DEPTH} levels.")
    if isinstance(value, dict):
        return {key: None if _passes(value, key) else scannable(found, depth - 1) for key, found in value.items()}
    return [scannable(found, depth - 1) for found in value]


def whole_value(value: object) -> str:
    """The JSON text of a complete value as it is to be scanned."""
    return dumps(scannable(value)).decode()


def restored(edited: Any, original: object) -> Any:
    """A value as it was edited, with what was not scanned put back. `original`: as it came. Where an edit of keys made
    two of them one, the object stays without it."""
    if isinstance(original, dict) and isinstance(edited, dict) and len(original) == len(edited):
        pairs = zip(edited.items(), original.items(), strict=True)
        return {now: came if _passes(original, key) else restored(found, came) for (now, found), (key, came) in pairs}
    if isinstance(original, list) and isinstance(edited, list):
        return [restored(found, came) for found, came in zip(edited, original, strict=True)]
    return edited


def _passes(owner: dict[str, Any], key: str) -> bool:
    value = owner[key]
    if not isinstance(value, str):
        return False
    if key in _OPAQUE:
        return is_opaque(value) and (key != "data" or owner.get("type") == "base64")
    return key in (*_LABELS, "type", "error_code") and not is_prose(value)
