"""One event of a Responses stream: what model text it carries, and how to say it again with less.

`Reader.read` names what an event says and takes out what the codec does not know (unless the policy lets it pass);
`with_text` writes a text delta again. Nothing here scans, holds or orders.

Two ways in, one result: text deltas through a typed decoder, anything else through `strict_json`. An event's `raw` is
what may be passed on as it is once its text is clean; a change made here is already in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from guardrail.wire.chunk import AnyTemplate, Chunk, find_template
from guardrail.wire.openai_responses_item import (
    READ,
    SHOWN,
    ItemText,
    Kind,
    check_item_logprobs,
    check_logprobs,
    is_id,
    item_path,
    item_texts,
    labels_only,
    part_path,
    part_texts,
    reason_of,
    strip_item,
    strip_part,
    strip_response,
    type_of,
)
from guardrail.wire.openai_responses_place import PARTS, TEXTS, Indexes, annotation_path
from guardrail.wire.sse import Event, data_event, parse_event
from guardrail.wire.strict_json import AN_EVENT, dumps, dumps_exact, has_all_keys, load_object, loads
from guardrail.wire.unknown_text import Unknown, is_prose

_NUMBERS = (
    *("sequence_number", "output_index", "content_index", "summary_index", "annotation_index", "command_index"),
    "partial_image_index",
)
_IDS = ("item_id", "call_id", "status")
_KNOWN = frozenset({"type", "obfuscation", *_NUMBERS, *_IDS})

_PIECES = {
    "response.apply_patch_call_operation_diff": ("diff", "operation.diff"),
    "response.code_interpreter_call_code": ("code", "code"),
    "response.custom_tool_call_input": ("input", "input"),
    "response.function_call_arguments": ("arguments", "arguments"),
    "response.mcp_call_arguments": ("arguments", "arguments"),
    "response.shell_call_command": ("command", "action.commands[]"),
    "response.shell_call_output_content": ("output", "output"),
}
"""Beginnings of the events of texts that are withheld: the key of the whole text, and where it stands in the item."""

_STATUS = re.compile(
    r"response\.(?:(code_interpreter_call|mcp_call)|\w+_call|mcp_list_tools|compaction)"
    r"\.(?:in_progress|searching|interpreting|generating|compacting|completed|failed)"
)
"""How the server's own tools get on; those in the group are withheld with their item."""

_ENDS = ("response.completed", "response.incomplete", "response.failed")
_STARTS = ("response.created", "response.in_progress", "response.queued")


class _Delta(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    type: Literal[
        "response.output_text.delta",
        "response.refusal.delta",
        "response.reasoning_text.delta",
        "response.reasoning_summary_text.delta",
    ]
    delta: str
    item_id: str | UnsetType = UNSET
    output_index: int | UnsetType = UNSET
    content_index: int | UnsetType = UNSET
    summary_index: int | UnsetType = UNSET
    sequence_number: int | UnsetType = UNSET
    logprobs: Annotated[list[None], Meta(max_length=0)] | UnsetType | None = UNSET
    obfuscation: str | UnsetType = UNSET  # random letters that hide the length of the text


_decode = msgspec.json.Decoder(_Delta).decode
_encode = msgspec.json.Encoder().encode


class Reader:
    """Reads the events of one stream. `block`: take unknown text out; else count it and let it pass. `clean`: says of a
    text that no rule would remove anything from it."""

    __slots__ = ("_block", "_clean", "_closed", "indexes")

    def __init__(self, *, block: bool, clean: Callable[[str], bool]) -> None:
        self._block = block
        self._clean = clean
        self.indexes = Indexes()
        self._closed: set[int] = set()
        """Items that were withheld and have ended."""

    def read(self, event: Event) -> Chunk:
        """Read an event that has data. Raises WireError for data that is no JSON object, or an index that cannot be."""
        data = event.data
        assert data is not None
        try:
            said = _decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return self._look(event)
        name = said.item_id
        plain = (said.obfuscation or "0").isascii() and (said.obfuscation or "0").isalnum()
        if name is not UNSET and name not in self.indexes and not is_id(name):
            plain = False
        if plain and has_all_keys(_encode(said), data) and event.name in (b"", said.type.encode()):
            return self._typed(event, said)
        return self._look(event)

    def _typed(self, event: Event, said: _Delta) -> Chunk:
        kind, key = TEXTS[said.type.removesuffix(".delta")]
        number = said.summary_index if kind == "summary" else said.content_index
        place = self.indexes.find(said.item_id, None if said.output_index is UNSET else said.output_index)
        path = f"{part_path(place, kind, None if number is UNSET else number)}.{key}"
        if not said.delta:
            return Chunk(event.raw, [0], [], [], [])
        return Chunk(event.raw, [0], [(0, path, said.delta)], [], [], template=True)

    def _look(self, event: Event) -> Chunk:
        assert event.data is not None
        value, changed = load_object(event.data, AN_EVENT)
        named = value.get("type")
        if named is None and event.name:
            value["type"] = named = event.name.decode()
        if value.get("error") or named == "error" or event.name == b"error":
            return Chunk(event.raw, [0], [], [], [], error=True)
        if not isinstance(named, str) or is_prose(named):
            named, changed = "unknown", True
            value["type"] = named
        if b"\\ud" in event.data.lower() and not named.endswith(".delta") and _is_broken(value):
            value, changed = loads(dumps(value))[0], True
        head = event.head
        if event.name and event.name != named.encode():
            head, changed = b"event: %b\n" % named.encode(), True
        chunk = Chunk(event.raw, [0], [], [], [], value=value)
        unknown = Unknown(self._block)
        changed |= self._take_apart(named, value, chunk, unknown)
        chunk.blocked, chunk.passed = unknown.blocked, unknown.passed
        if unknown.blocked and chunk.source == "unknown":
            chunk.raw, chunk.value, chunk.tools = b"", None, []
        elif changed or unknown.blocked:
            chunk.raw = data_event(dumps_exact(value), head)
        return chunk

    def _take_apart(self, named: str, value: dict[str, Any], chunk: Chunk, unknown: Unknown) -> bool:
        """Fill the chunk; whether the event was changed. `chunk.source` is "unknown" for one that is not to be said at
        all when something had to be taken out of it."""
        labels_only(value, _IDS, "", unknown)
        for key in _NUMBERS:
            if isinstance(value.get(key), str | dict | list) and unknown.removes("", key, value[key]):
                del value[key]
        padding = value.get("obfuscation")
        if padding and not (isinstance(padding, str) and padding.isascii() and padding.isalnum()):
            del value["obfuscation"]
            unknown.blocked.append("obfuscation")
        beginning, _, last = named.rpartition(".")
        if beginning in TEXTS and last in ("delta", "done"):
            return self._text(beginning, last, value, chunk, unknown)
        if beginning in PARTS and last in ("added", "done"):
            return self._part(PARTS[beginning], last, value, chunk, unknown)
        if beginning == "response.output_item" and last in ("added", "done"):
            return self._item(last, value, chunk, unknown)
        if beginning in _PIECES and last in ("added", "delta", "done"):
            return self._piece(beginning, value, chunk, unknown)
        if named == "response.output_text.annotation.added":
            unknown.strip("", value, _KNOWN | {"annotation"})
            chunk.closed.append((0, annotation_path(self.indexes.of(value), value)))
            return False
        if named in _ENDS or named in _STARTS:
            return self._response(named, value, chunk, unknown)
        chunk.source = "unknown"
        unknown.strip("", value, _KNOWN)
        if (status := _STATUS.fullmatch(named)) and status[1] and self.indexes.of(value) not in self._closed:
            chunk.tools.append((0, item_path(self.indexes.of(value)), []))
        return False

    def _text(self, beginning: str, last: str, value: dict[str, Any], chunk: Chunk, unknown: Unknown) -> bool:
        kind, key = TEXTS[beginning]
        path = f"{part_path(self.indexes.of(value), kind, value.get(f'{kind}_index'))}.{key}"
        field = "delta" if last == "delta" else key
        unknown.strip("", value, _KNOWN | {field, "logprobs"})
        text = value.get(field)
        if text is not None and not isinstance(text, str) and unknown.removes("", field, text):
            value[field] = ""
        changed = check_logprobs(value, field, self._clean)
        if last == "done":
            chunk.closed.append((0, path))
        elif isinstance(text, str) and text:
            chunk.texts.append((0, path, text))
        return changed

    def _part(self, kind: str, last: str, value: dict[str, Any], chunk: Chunk, unknown: Unknown) -> bool:
        path = part_path(self.indexes.of(value), kind, value.get(f"{kind}_index"))
        unknown.strip("", value, _KNOWN | {"part"})
        part = value.get("part")
        if not isinstance(part, dict):
            if part is not None and unknown.removes("", "part", part):
                del value["part"]
            return False
        strip_part(part, "part", unknown)
        if last == "added":
            gone = _blank(part_texts(part, "part"), "part", unknown)
            return check_logprobs(part, "text", self._clean) or gone
        chunk.closed.append((0, path))
        return check_logprobs(part, "text", self._clean)

    def _item(self, last: str, value: dict[str, Any], chunk: Chunk, unknown: Unknown) -> bool:
        unknown.strip("", value, _KNOWN | {"item"})
        item = value.get("item")
        if not isinstance(item, dict):
            if item is not None and unknown.removes("", "item", item):
                value["item"] = None
            return False
        strip_item(item, "item", unknown)
        number = self.indexes.of_item(item, value.get("output_index"), added=last == "added")
        path = item_path(number)
        kind = type_of(item)
        if kind in READ:
            if last == "added":
                gone = _blank(item_texts(item, "item"), "item", unknown)
                return check_item_logprobs(item, self._clean) or gone
            chunk.closed.append((0, path))
            return check_item_logprobs(item, self._clean)
        if kind in SHOWN:
            chunk.closed.append((0, path if last == "done" else f"{path}.added"))
            return False
        chunk.tools.append((0, path, list(item_texts(item, path))))
        if last == "done":
            chunk.closed.append((0, path))
            self._closed.add(number)
        return False

    def _piece(self, beginning: str, value: dict[str, Any], chunk: Chunk, unknown: Unknown) -> bool:
        field, where = _PIECES[beginning]
        path = item_path(self.indexes.of(value))
        unknown.strip("", value, _KNOWN | {field, "delta", "name"})
        number = value.get("command_index")
        where = where.replace("[]", f"[{number}]" if type(number) is int else "")
        texts: list[ItemText] = []
        for key, place, kind in ((field, where, Kind.WHOLE), ("name", "name", Kind.NAME)):
            if isinstance(value.get(key), str) or (value.get(key) and kind is Kind.WHOLE):
                texts.append(ItemText(value, key, f"{path}.{place}", kind))
            elif value.get(key) and unknown.removes("", key, value[key]):
                del value[key]
        delta = value.get("delta")
        if isinstance(delta, str):
            texts.append(ItemText(value, "delta", f"{path}.{where}", Kind.WHOLE))
        elif isinstance(delta, dict):
            unknown.strip("delta", delta, frozenset({"stdout", "stderr"}))
            for key in ("stdout", "stderr"):
                if isinstance(delta.get(key), str):
                    texts.append(ItemText(delta, key, f"{path}.{where}[{number}].{key}", Kind.WHOLE))
                elif delta.get(key) and unknown.removes("delta", key, delta[key]):
                    del delta[key]
        elif delta is not None and unknown.removes("", "delta", delta):
            value["delta"] = ""
        if value["type"].endswith(".delta"):
            texts = [text for text in texts if text.key in ("delta", "stdout", "stderr")]
            for key in (field, "name"):
                if value.get(key) and unknown.removes("", key, value[key]):
                    del value[key]
        chunk.tools.append((0, path, texts))
        return False

    def _response(self, named: str, value: dict[str, Any], chunk: Chunk, unknown: Unknown) -> bool:
        unknown.strip("", value, _KNOWN | {"response"})
        response = value.get("response")
        if not isinstance(response, dict):
            if response is not None and unknown.removes("", "response", response):
                del value["response"]
            response = {}
        ends = named in _ENDS
        changed = strip_response(response, unknown, self._clean, final=ends)
        usage = response.get("usage")
        chunk.usage = usage if isinstance(usage, dict) else None
        if ends:
            chunk.finished.append((0, reason_of(response) or named.removeprefix("response.")))
        return changed


def _blank(texts: Iterable[ItemText], path: str, unknown: Unknown) -> bool:
    """Take the text out of what only begins: its text is that of the deltas that follow. Whether there was any."""
    gone = [text for text in texts if unknown.removes(path, str(text.key), text.owner[text.key])]
    for text in gone:
        text.put("" if isinstance(text.owner[text.key], str) else "null")
    return bool(gone)


def _is_broken(value: object) -> bool:
    """Whether a string in it is no valid Unicode."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError):
        return True
    return False


# --- writing ----------------------------------------------------------------------------------------------------------


def with_text(raw: bytes, key: str, text: str, *, again: bool = False) -> bytes:
    """A text delta with another text; b"" when nothing is left to say. `again` makes no difference: such an event says
    nothing else."""
    if not text:
        return b""
    event = parse_event(raw)
    assert event.data is not None
    value, _ = loads(event.data)
    value["delta"] = text
    if value.get("logprobs"):
        value["logprobs"] = []
    return data_event(dumps(value), event.head)


def template_of(chunk: Chunk, reader: Reader) -> AnyTemplate | None:
    """The template of an event that `Reader.read` marked, or None where the place of its text is not beyond doubt."""
    _, path, _ = chunk.texts[0]

    def reads_as(raw: bytes) -> str | None:
        event = parse_event(raw)
        if event.data is None:
            return None
        said = reader.read(event)
        return said.texts[0][2] if said.template and said.texts[0][1] == path else None

    return find_template(chunk.raw, "delta", reads_as, slots=True)
