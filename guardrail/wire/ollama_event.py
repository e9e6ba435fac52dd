"""One line of an Ollama answer (`/api/chat`, `/api/generate`): what model text it carries, and how to say it with less.

`read_line` names every piece of model text in a line and takes out what the codec does not know (unless the policy lets
it pass); `explode`, `with_text` and `with_call` write a line again. Nothing here scans, holds or orders.

A line of `/api/chat` has its texts in `message`, one of `/api/generate` at its top level, which is then its message.
Tool calls come whole, with their arguments as an object. Source: the types of Ollama's API and of its Python client.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from guardrail.wire import logprobs
from guardrail.wire.chunk import AnyTemplate, Chunk, find_template
from guardrail.wire.ndjson import data_line, parse_line
from guardrail.wire.sse import Event
from guardrail.wire.strict_json import dumps, dumps_exact, has_all_keys, load_object, loads
from guardrail.wire.unknown_text import ROLES, Unknown, is_prose

ENVELOPE = ("model", "remote_model", "remote_host", "created_at")
"""What every line says of its answer. The remote ones: the cloud model that a local server asks."""

COUNTERS = (
    "total_duration",
    "load_duration",
    "prompt_eval_count",
    "prompt_eval_duration",
    "eval_count",
    "eval_duration",
)
"""The numbers of the last line: nanoseconds and tokens."""

_CHAT_TEXTS = ("thinking", "content")
_GENERATE_TEXTS = ("thinking", "response")
_TOP = frozenset({*ENVELOPE, *COUNTERS, "message", "done", "done_reason", "context", "logprobs"})
_MESSAGE = frozenset({"role", "tool_calls", *_CHAT_TEXTS})
_KNOWN = {*_TOP, *_CHAT_TEXTS, *_GENERATE_TEXTS, "role", "tool_calls"}


class _Message(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    role: Literal["assistant"]
    content: str | UnsetType = UNSET
    thinking: str | UnsetType = UNSET
    tool_calls: UnsetType | None = UNSET
    images: UnsetType | None = UNSET


class _Line(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    done: bool
    model: str | UnsetType = UNSET
    created_at: str | UnsetType = UNSET
    message: _Message | UnsetType = UNSET
    response: str | UnsetType = UNSET
    thinking: str | UnsetType = UNSET
    remote_model: str | UnsetType = UNSET
    remote_host: str | UnsetType = UNSET


_decode = msgspec.json.Decoder(_Line).decode
_encode = msgspec.json.Encoder().encode


def is_generated(chunk: Chunk) -> bool:
    """Whether a line is one of `/api/generate`."""
    if isinstance(chunk.source, dict):
        return "message" not in chunk.source
    return chunk.source.message is UNSET


def envelope(chunk: Chunk) -> dict[str, Any]:
    """What a line says of the answer it belongs to."""
    source = chunk.source if isinstance(chunk.source, dict) else msgspec.structs.asdict(chunk.source)
    return {key: source[key] for key in ENVELOPE if source.get(key)}


def read_line(event: Event, *, block: bool, clean: Callable[[str], bool]) -> Chunk:
    """Read a line. `block`: take unknown text out; else count it and let it pass. `clean`: says of a text that no rule
    would remove anything from it.

    Raises WireError for what is no JSON object."""
    data = event.data
    assert data is not None
    try:
        line = _decode(data)
        if not line.done and has_all_keys(_encode(line), data):
            texts = _texts(line)
            if texts is not None:
                return Chunk(event.raw, [0], texts, [], [], source=line, template=len(texts) == 1)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    return _look(event, block, clean)


def _texts(line: _Line) -> list[tuple[int, str, str]] | None:
    """None: it has texts of both kinds, which is no known shape."""
    message = line.message
    if message is UNSET:
        said = (("thinking", line.thinking), ("response", line.response))
    elif line.response is UNSET and line.thinking is UNSET:
        said = (("thinking", message.thinking), ("content", message.content))
    else:
        return None
    return [(0, key, text) for key, text in said if text is not UNSET and text]


def _look(event: Event, block: bool, clean: Callable[[str], bool]) -> Chunk:
    assert event.data is not None
    value, changed = load_object(event.data, "The model server sent a line that")
    result = Chunk(event.raw, [0], [], [], [], source=value, value=value)
    if value.get("error"):
        result.error = True
        return result
    unknown = Unknown(block)
    message = strip(value, unknown)
    result.texts = [
        (0, key, message[key]) for key in text_keys(value) if message.get(key) and isinstance(message[key], str)
    ]
    result.whole = [(0, path, dumps(call_value(function)).decode()) for path, function in calls(message)]
    if not logprobs_pass(value, clean):
        del value["logprobs"]
        changed = True
    if value.get("done"):
        result.finished.append((0, value.get("done_reason") or "stop"))
        result.usage = {key: value[key] for key in COUNTERS if isinstance(value.get(key), int)} or None
    result.blocked = unknown.blocked
    result.passed = unknown.passed
    if changed or unknown.blocked:
        result.raw = data_line(dumps_exact(value))
    return result


def strip(value: dict[str, Any], unknown: Unknown) -> dict[str, Any]:
    """Take what is unknown out of a line or body; its message."""
    if "message" in value:
        path = "message"
        unknown.strip("", value, _TOP, prose=True)
        if not isinstance(value["message"], dict) and unknown.removes("", "message", value["message"]):
            value["message"] = {"role": "assistant", "content": ""}
        message = message_of(value)
        unknown.strip(path, message, _MESSAGE)
        role = message.get("role")
        if role is not None and not (isinstance(role, str) and role in ROLES) and unknown.removes(path, "role", role):
            message["role"] = "assistant"
    else:
        message, path = value, ""
        unknown.strip("", value, _TOP | {"tool_calls", *_GENERATE_TEXTS}, prose=True)
    for key in text_keys(value):
        text = message.get(key)
        if text is not None and not isinstance(text, str) and unknown.removes(path, key, text):
            message[key] = ""
    for key in ENVELOPE:
        if isinstance(value.get(key), dict | list) and unknown.removes("", key, value[key]):
            del value[key]
    # What is no word that a client could know goes; that the answer has ended must still be said.
    if "done" in value and not isinstance(value["done"], bool):
        unknown.blocked.append("done")
        value["done"] = False
    reason = value.get("done_reason")
    if reason is not None and (not isinstance(reason, str) or is_prose(reason)):
        unknown.blocked.append("done_reason")
        value["done_reason"] = "stop"
    for key in (*COUNTERS, "context"):
        if key in value and unknown.removes("", key, value[key]):
            del value[key]
    entries = message.get("tool_calls")
    if isinstance(entries, list):
        message["tool_calls"] = [entry for entry in entries if _strip_call(f"{path}.tool_calls[]", entry, unknown)]
    elif entries is not None and unknown.removes(path, "tool_calls", entries):
        del message["tool_calls"]
    return message


def _strip_call(path: str, entry: object, unknown: Unknown) -> bool:
    """Clean one tool call; whether it may stay."""
    if not isinstance(entry, dict):
        return not unknown.removes(path, "", entry)
    unknown.strip(path, entry, frozenset({"id", "type", "function"}))
    for key in ("id", "type"):
        # Ids are not scanned (a random one may look like a secret), so they must look like ids.
        if key in entry and unknown.removes(path, key, entry[key], prose=True):
            del entry[key]
    function = entry.get("function")
    if not isinstance(function, dict):
        return function is None or not unknown.removes(path, "function", function)
    unknown.strip(f"{path}.function", function, frozenset({"name", "arguments"}))
    for key, kind in (("name", str), ("arguments", dict)):
        found = function.get(key)
        if found is not None and not isinstance(found, kind) and unknown.removes(f"{path}.function", key, found):
            del function[key]
    return True


def message_of(value: dict[str, Any]) -> dict[str, Any]:
    """Where a line or body has its texts; {} where it is a message of no known kind."""
    message = value.get("message", value)
    return message if isinstance(message, dict) else {}


def text_keys(value: dict[str, Any]) -> tuple[str, str]:
    """The keys of its texts, in the order in which a model speaks; the last one is what people read."""
    return _CHAT_TEXTS if "message" in value else _GENERATE_TEXTS


def calls(message: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The calls of a message: (path, function)."""
    found: list[tuple[str, dict[str, Any]]] = []
    entries = message.get("tool_calls")
    for position, entry in enumerate(entries if isinstance(entries, list) else ()):
        function = entry.get("function") if isinstance(entry, dict) else None
        if isinstance(function, dict) and (function.get("name") or function.get("arguments")):
            index = function.get("index", position)
            found.append((f"tool_calls[{index if type(index) is int else position}].function", function))
    return found


def call_value(function: dict[str, Any]) -> list[Any]:
    """What is scanned of a call: a list, so that nothing but what the model said is in it."""
    return [function.get("name"), function.get("arguments")]


def put_call(function: dict[str, Any], value: list[Any]) -> None:
    for key, said in zip(("name", "arguments"), value, strict=True):
        if key in function:
            function[key] = said


def logprobs_pass(value: dict[str, Any], clean: Callable[[str], bool]) -> bool:
    """Whether the log probabilities of a line or body spell nothing but its text, or there are none."""
    found = value.get("logprobs")
    message = message_of(value)
    thinking, answer = (message.get(key) if isinstance(message.get(key), str) else "" for key in text_keys(value))
    return found is None or any(
        logprobs.may_pass({"content": found}, {"content": text}, clean)
        for text in dict.fromkeys((answer, f"{thinking}{answer}"))
    )


# --- writing ----------------------------------------------------------------------------------------------------------


def explode(raw: bytes) -> list[bytes]:
    """A line that carries several things, as lines that carry one each: texts, calls, the end. A plain client adds them
    up to the same; log probabilities are left out."""
    value = _value(raw)
    head = {key: value[key] for key in ENVELOPE if key in value}
    chat = "message" in value
    message = message_of(value)
    *_, main = text_keys(value)

    def line(**said: Any) -> dict[str, Any]:
        said = {main: "", **said}
        return (
            {**head, "message": {"role": "assistant", **said}, "done": False}
            if chat
            else {**head, **said, "done": False}
        )

    parts: list[dict[str, Any]] = []
    for key in text_keys(value):
        text = message.pop(key, None)
        if isinstance(text, str) and text:
            parts.append(line(**{key: text}))
    entries = message.pop("tool_calls", None)
    parts += [line(tool_calls=[entry]) for entry in entries or ()]
    message[main] = ""
    value.pop("logprobs", None)
    if (
        value.get("done")
        or not parts
        or any(found for key, found in (*value.items(), *message.items()) if key not in _KNOWN)
    ):
        parts.append(value)
    # Exact: half a surrogate pair may be waiting for the other.
    return [data_line(dumps_exact(said)) for said in parts]


def with_text(raw: bytes, key: str, text: str, *, again: bool = False) -> bytes:
    """A line with the one text in it changed; b"" when nothing is left to say. `again`: another part of the line has
    gone before; nothing else is in it that would then be said twice but what every line says."""
    value = _value(raw)
    message = message_of(value)
    message[key] = text
    value.pop("logprobs", None)
    if not text and not any(found for name, found in (*value.items(), *message.items()) if name not in _KNOWN):
        return b""
    return data_line(dumps(value))


def with_call(raw: bytes, said: str) -> bytes:
    """A line with its one call changed; `said`: JSON text of what `call_value` gives."""
    value = _value(raw)
    (_, function), *_ = calls(message_of(value))
    put_call(function, loads(said)[0])
    value.pop("logprobs", None)
    return data_line(dumps(value))


def without_context(raw: bytes) -> bytes:
    """A last line without the tokens of the conversation, which spell the answer as the model gave it."""
    value = _value(raw)
    if value.pop("context", None) is None:
        return raw
    return data_line(dumps(value))


def _value(raw: bytes) -> dict[str, Any]:
    value, _ = loads(raw)
    assert isinstance(value, dict)
    return value


def template_of(chunk: Chunk) -> AnyTemplate | None:
    """The template of a line that `read_line` marked, or None where the place of its text is not beyond doubt."""
    _, channel, _ = chunk.texts[0]

    def reads_as(raw: bytes) -> str | None:
        """Said of another text, it must read as that text in that channel."""
        try:
            line = _decode(parse_line(raw).data or b"")
        except msgspec.DecodeError:
            return None
        texts = _texts(line)
        return texts[0][2] if texts and len(texts) == 1 and texts[0][1] == channel and not line.done else None

    return find_template(chunk.raw, channel, reads_as, slots=True)
