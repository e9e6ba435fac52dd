"""One event of an Anthropic Messages stream: what model text it carries, and how to say it again with less.

`read_event` names every piece of model text in an event and takes out what the codec does not know (unless the policy
lets it pass); `explode`, `with_text` and `with_value` write an event again. Nothing here scans, holds or orders, and
whether an event may come where it comes is the stream's to say.

Two ways in, one result: deltas of text through a typed decoder, anything else through `strict_json`.

Source of the shapes: the types of Anthropic's public SDKs.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Any

import msgspec

from guardrail.errors import WireError
from guardrail.wire.anthropic_block import (
    TEXT_FIELD,
    clean_block,
    clean_label,
    clean_opaque,
    clean_text,
    is_result,
    is_tool,
    restored,
    whole_value,
)
from guardrail.wire.chunk import AnyTemplate, Chunk, find_template
from guardrail.wire.sse import Event, data_event, parse_event
from guardrail.wire.strict_json import AN_EVENT, dumps, dumps_exact, has_all_keys, load_object, loads
from guardrail.wire.unknown_text import PASSED, Unknown

DELTA_FIELD = {"text_delta": "text", "thinking_delta": "thinking", "compaction_delta": "content"}
"""By type of delta: the field that is text for people, which also names its channel."""

_NEEDED = {
    "text_delta": "text",
    "thinking_delta": "thinking",
    "input_json_delta": "partial_json",
    "signature_delta": "signature",
}

MAX_INDEX = 4095
"""Of a content block. An answer has a few; the cap is on what a server can make a stream remember."""

_MESSAGE = frozenset({*PASSED, "type", "role", "content", "stop_reason", "stop_sequence", "stop_details"})


class _TextDelta(msgspec.Struct, tag_field="type", tag="text_delta", forbid_unknown_fields=True, gc=False):
    text: str


class _ThinkingDelta(msgspec.Struct, tag_field="type", tag="thinking_delta", forbid_unknown_fields=True, gc=False):
    thinking: str


class _BlockDelta(msgspec.Struct, tag_field="type", tag="content_block_delta", forbid_unknown_fields=True, gc=False):
    index: int
    delta: _TextDelta | _ThinkingDelta


_decode = msgspec.json.Decoder(_BlockDelta).decode
_encode = msgspec.json.Encoder().encode


def part_of(index: int) -> str:
    """The name of a content block; those of its channels begin with it."""
    return f"content[{index}]"


def read_event(event: Event, *, block: bool, withheld: Container[str] = ()) -> Chunk:
    """Read an event that has data. `block`: take unknown text out; else count it and let it pass. `withheld`: the
    blocks whose events are withheld.

    Raises WireError for data that is no JSON object, or a content block without a number or a body."""
    data = event.data
    assert data is not None
    if event.name in (b"content_block_delta", b""):
        try:
            said = _decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return _look(event, block, withheld)
        if has_all_keys(_encode(said), data):
            return _typed(event, said)
    return _look(event, block, withheld)


def _typed(event: Event, said: _BlockDelta) -> Chunk:
    delta = said.delta
    part = part_of(_index(said.index))
    key, text = ("text", delta.text) if isinstance(delta, _TextDelta) else ("thinking", delta.thinking)
    texts = [(0, f"{part}.{key}", text)] if text else []
    return Chunk(event.raw, [0], texts, [], [], source=said, template=bool(text))


def _index(value: object) -> int:
    if type(value) is int and 0 <= value <= MAX_INDEX:
        return value
    raise WireError(f"The model server sent a content block whose index is not an integer from 0 to {MAX_INDEX}.")


def index_of(chunk: Chunk) -> int:
    """The content block that an event is about."""
    return int(chunk.source.index if isinstance(chunk.source, _BlockDelta) else chunk.source["index"])


def _object(value: dict[str, Any], key: str) -> dict[str, Any]:
    found = value.get(key)
    if isinstance(found, dict):
        return found
    raise WireError(f"The model server sent an event whose {key!r} is not a JSON object.")


def _look(event: Event, block: bool, withheld: Container[str]) -> Chunk:
    assert event.data is not None
    value, changed = load_object(event.data, AN_EVENT)
    kind = value.get("type")
    delta = value.get("delta")
    piece = isinstance(delta, dict) and delta.get("type") in (*DELTA_FIELD, "input_json_delta")
    if not piece and b"\\" in event.data and dumps(value) != dumps_exact(value):
        # Only a piece of a text can hold half of a surrogate pair whose other half is still to come.
        value, changed = loads(dumps(value))[0], True
    chunk = Chunk(event.raw, [0], [], [], [], source=value, value=value)
    if event.name == b"error" or kind == "error" or (kind is None and value.get("error")):
        chunk.error = True
        return chunk
    unknown = Unknown(block)
    if kind == "message_start":
        _message_start(chunk, unknown, value)
    elif kind == "content_block_start":
        _block_start(chunk, unknown, value)
    elif kind == "content_block_delta":
        _block_delta(chunk, unknown, value)
    elif kind == "content_block_stop":
        _block_stop(chunk, unknown, value, withheld)
    elif kind == "message_delta":
        _message_delta(chunk, unknown, value)
    else:
        chunk.choices = []
        clean_label(unknown, value, "type", "", None)
        unknown.strip("", value, frozenset({"type"}))
    chunk.blocked = unknown.blocked
    chunk.passed = unknown.passed
    if changed or unknown.blocked or not chunk.raw:
        chunk.raw = data_event(dumps_exact(value), event.head)
    return chunk


def _message_start(chunk: Chunk, unknown: Unknown, value: dict[str, Any]) -> None:
    unknown.strip("", value, frozenset({"type", "message"}), prose=True)
    message = _object(value, "message")
    clean_message(unknown, message)
    for key in ("stop_reason", "stop_sequence", "stop_details"):
        # It has not stopped: nothing here would be scanned.
        if unknown.removes("message", key, message.get(key)):
            message[key] = None
    content = message.get("content")
    parts = content if isinstance(content, list) else []
    blocks = [part for part in parts if isinstance(part, dict)]
    if blocks != content:
        unknown.removes("message", "content", [part for part in parts if part not in blocks] or content)
        message["content"] = blocks
        chunk.raw = b""
    if message["content"]:
        # Calls that a program on the server has made: they come whole.
        chunk.whole.append((0, "content", whole_value(message["content"])))
    _usage(chunk, message)


def clean_message(unknown: Unknown, message: dict[str, Any]) -> None:
    """Take what the codec does not know out of what is said of a message: everything but its content and why it
    stopped."""
    unknown.strip("message", message, _MESSAGE, prose=True)
    for key in message.keys() & {*PASSED, "type", "role"}:
        if not isinstance(message[key], str) and unknown.removes("message", key, message[key]):
            message[key] = ""
    for key in ("type", "role"):
        clean_label(unknown, message, key, "message", {"type": "message", "role": "assistant"}[key])


def _usage(chunk: Chunk, owner: dict[str, Any]) -> None:
    chunk.usage = owner["usage"] if isinstance(owner.get("usage"), dict) else None


def _block_start(chunk: Chunk, unknown: Unknown, value: dict[str, Any]) -> None:
    part = part_of(_index(value.get("index")))
    unknown.strip("", value, frozenset({"type", "index", "content_block"}), prose=True)
    said = _object(value, "content_block")
    clean_block(unknown, said, "content_block")
    kind = said.get("type")
    if is_tool(kind):
        chunk.tools.append((0, part, said))
        return
    if is_result(kind) and said.get("content"):
        chunk.whole.append((0, f"{part}.content", whole_value(said["content"])))
        return
    chunk.opened.append((0, part))
    field = TEXT_FIELD.get(str(kind), "")
    text = said.get(field)
    if kind in ("text", "thinking") and not isinstance(text, str) and not unknown.passed:
        said[field] = ""
        chunk.raw = b""
    if isinstance(text, str) and text:
        chunk.texts.append((0, f"{part}.{field}", text))
    if kind == "text" and isinstance(said.get("citations"), list):
        chunk.whole += [(0, f"{part}.citations", whole_value(citation)) for citation in said["citations"]]


def _block_delta(chunk: Chunk, unknown: Unknown, value: dict[str, Any]) -> None:
    part = part_of(_index(value.get("index")))
    unknown.strip("", value, frozenset({"type", "index", "delta"}), prose=True)
    delta = _object(value, "delta")
    clean_label(unknown, delta, "type", "delta", "text_delta")
    kind = str(delta.get("type"))
    known = {"type"}
    if kind in DELTA_FIELD:
        field = DELTA_FIELD[kind]
        known = {"type", field, "encrypted_content"} if kind == "compaction_delta" else {"type", field}
        clean_text(unknown, delta, field, "delta")
        if "encrypted_content" in known:
            clean_opaque(unknown, delta, "encrypted_content", "delta")
        if isinstance(delta.get(field), str) and delta[field]:
            chunk.texts.append((0, f"{part}.{field}", delta[field]))
    elif kind == "input_json_delta":
        known = {"type", "partial_json"}
        clean_text(unknown, delta, "partial_json", "delta")
        said = delta.get("partial_json")
        chunk.tools.append((0, part, said if isinstance(said, str) else ""))
    elif kind == "citations_delta":
        known = {"type", "citation"}
        if delta.get("citation") is not None:
            chunk.whole.append((0, f"{part}.citations", whole_value(delta["citation"])))
    elif kind == "signature_delta":
        known = {"type", "signature"}
        clean_opaque(unknown, delta, "signature", "delta")
        if delta.get("signature"):
            chunk.closed.append((0, f"{part}.thinking"))  # what is signed is whole
    unknown.strip("delta", delta, frozenset(known))
    if (needed := _NEEDED.get(kind)) and not isinstance(delta.get(needed), str) and not unknown.passed:
        # Clients add it up without asking whether it is a text.
        delta[needed] = ""
        chunk.raw = b""


def _block_stop(chunk: Chunk, unknown: Unknown, value: dict[str, Any], withheld: Container[str]) -> None:
    part = part_of(_index(value.get("index")))
    unknown.strip("", value, frozenset({"type", "index"}), prose=True)
    chunk.closed.append((0, part))
    if part in withheld:
        chunk.tools.append((0, part, None))


def _message_delta(chunk: Chunk, unknown: Unknown, value: dict[str, Any]) -> None:
    unknown.strip("", value, frozenset({"type", "delta"}), prose=True)
    delta = _object(value, "delta")
    reason = clean_stop(unknown, delta, "delta")
    unknown.strip("delta", delta, frozenset({"stop_reason", "stop_sequence", "stop_details"}), prose=True)
    if reason is not None:
        chunk.finished.append((0, reason))
    _usage(chunk, value)
    usage = chunk.usage or {}
    if type(usage.get("output_tokens")) is not int:
        # Clients read it without asking whether it is there.
        value["usage"] = {**usage, "output_tokens": 0}
        chunk.raw = b""


def clean_stop(unknown: Unknown, owner: dict[str, Any], path: str) -> str | None:
    """Clean the fields that say why a message stopped: the reason, None for none yet. What may then be text is
    `stop_texts`; without a reason there is none."""
    clean_label(unknown, owner, "stop_reason", path, "end_turn")
    reason = owner.get("stop_reason")
    if reason is not None and not isinstance(reason, str):
        owner["stop_reason"] = reason = None
        unknown.blocked.append(f"{path}.stop_reason")
    details = owner.get("stop_details")
    if isinstance(details, dict):
        unknown.strip(f"{path}.stop_details", details, frozenset({"explanation"}), prose=True)
    elif unknown.removes(path, "stop_details", details):
        owner["stop_details"] = None
    for where, key in ((owner, "stop_sequence"), (details if isinstance(details, dict) else {}, "explanation")):
        text = where.get(key)
        if not (reason and isinstance(text, str)) and unknown.removes(path, key, text):
            where[key] = None
    return reason or None


def stop_texts(owner: dict[str, Any]) -> dict[str, str]:
    """The texts in what says why a message stopped: a stop sequence of the client's, an explanation of a refusal."""
    details = owner.get("stop_details")
    said = {"stop_sequence": owner.get("stop_sequence")}
    said["explanation"] = details.get("explanation") if isinstance(details, dict) else None
    return {key: text for key, text in said.items() if isinstance(text, str) and text}


def put_stop_texts(owner: dict[str, Any], texts: dict[str, str]) -> None:
    """Change them."""
    if "stop_sequence" in texts:
        owner["stop_sequence"] = texts["stop_sequence"]
    if "explanation" in texts:
        owner["stop_details"]["explanation"] = texts["explanation"]


# --- writing ----------------------------------------------------------------------------------------------------------


def written(value: dict[str, Any]) -> bytes:
    """An event with the name that its type says."""
    return data_event(dumps_exact(value), b"event: " + str(value["type"]).encode() + b"\n")


def stop_event(index: int) -> bytes:
    return written({"type": "content_block_stop", "index": index})


def explode(chunk: Chunk) -> list[bytes]:
    """A start of a block that carries more, as events that carry one thing each: the stop of a block that a server
    forgot to stop, the start, the text, the citations. A plain client adds them up to the same."""
    value = chunk.value
    index, said = value["index"], dict(value["content_block"])
    stops = [stop_event(int(part[len("content[") : -1])) for _, part in chunk.closed]
    if is_tool(said.get("type")) or is_result(said.get("type")):
        return [*stops, written(value)]
    deltas: list[dict[str, Any]] = []
    for _, path, text in chunk.texts:
        field = path.rpartition(".")[2]
        kind = next(kind for kind, found in DELTA_FIELD.items() if found == field)
        said[field] = ""
        deltas.append({"type": kind, field: text})
    if chunk.whole:
        deltas += [{"type": "citations_delta", "citation": citation} for citation in said["citations"]]
        said["citations"] = []
    events = [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
    return [*stops, *(written(event) for event in ({**value, "content_block": said}, *events))]


def with_text(raw: bytes, key: str, text: str, *, again: bool = False) -> bytes:
    """A delta with another text; b"" when nothing is left to say. `again`: another part of it has gone before."""
    event = parse_event(raw)
    assert event.data is not None
    value, _ = loads(event.data)
    field = key.rpartition(".")[2]
    delta = value["delta"]
    if again:
        delta = value["delta"] = {"type": delta["type"]}
    delta[field] = text
    if not text and not delta.get("encrypted_content"):
        return b""
    return data_event(dumps(value), event.head)


def with_value(chunk: Chunk, edited: str) -> bytes:
    """The event with its one whole value as it was edited (JSON text)."""
    event = parse_event(chunk.raw)
    value = chunk.value
    if value["type"] == "message_start":
        owner, key = value["message"], "content"
    elif value["type"] == "content_block_start":
        owner, key = value["content_block"], "content"
    else:
        owner, key = value["delta"], "citation"
    owner = dict(owner)
    owner[key] = restored(loads(edited)[0], owner[key])
    outer = {"content": "message" if value["type"] == "message_start" else "content_block", "citation": "delta"}[key]
    return data_event(dumps({**value, outer: owner}), event.head)


def template_of(chunk: Chunk) -> AnyTemplate | None:
    """The template of a delta that `read_event` marked, or None where the place of its text is not beyond doubt."""
    channel = chunk.texts[0][1]

    def reads_as(raw: bytes) -> str | None:
        event = parse_event(raw)
        if event.data is None or event.blocked or event.name not in (b"content_block_delta", b""):
            return None
        try:
            texts = _typed(event, _decode(event.data)).texts
        except msgspec.DecodeError:
            return None
        return texts[0][2] if len(texts) == 1 and texts[0][1] == channel else None

    return find_template(chunk.raw, channel.rpartition(".")[2], reads_as, slots=True)
