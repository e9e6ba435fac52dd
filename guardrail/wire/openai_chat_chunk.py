"""One event of a Chat Completions stream: what model text it carries, and how to say it again with less.

`read_chunk` names every piece of model text in an event and takes out what the codec does not know (unless the policy
lets it pass); `explode`, `with_text` and `Template` write an event again. Nothing here scans, holds or orders.

Two ways in, one result: the common shapes through a typed decoder, anything else through `strict_json`. An event's
`raw` is what may be passed on as it is once its text is clean; a change made here is already in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from guardrail.errors import WireError
from guardrail.wire import logprobs
from guardrail.wire.request import MAX_CHOICES
from guardrail.wire.sse import Event, data_event, parse_event
from guardrail.wire.strict_json import dumps, dumps_exact, loads
from guardrail.wire.unknown_text import TEXT_KEYS, Unknown, is_prose

ENVELOPE = ("id", "object", "created", "model", "system_fingerprint", "service_tier")
"""What every chunk of a response says of it; our own chunks repeat the upstream's."""


class _Delta(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    role: Literal["assistant"] | UnsetType | None = UNSET
    content: str | UnsetType | None = UNSET
    reasoning_content: str | UnsetType | None = UNSET
    reasoning: str | UnsetType | None = UNSET
    refusal: str | UnsetType | None = UNSET
    tool_calls: UnsetType | None = UNSET
    function_call: UnsetType | None = UNSET


class _Choice(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    delta: _Delta
    index: int | UnsetType = UNSET
    finish_reason: Literal["stop", "length", "tool_calls", "content_filter", "function_call"] | UnsetType | None = UNSET
    logprobs: UnsetType | None = UNSET
    stop_reason: UnsetType | None = UNSET
    token_ids: UnsetType | None = UNSET


class _Chunk(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    choices: list[_Choice]
    id: str | UnsetType = UNSET
    object: str | UnsetType = UNSET
    created: int | UnsetType = UNSET
    model: str | UnsetType = UNSET
    system_fingerprint: str | UnsetType | None = UNSET
    service_tier: str | UnsetType | None = UNSET
    usage: UnsetType | None = UNSET
    prompt_token_ids: UnsetType | None = UNSET
    obfuscation: str | UnsetType = UNSET  # OpenAI: random letters that hide the length of the text


_decode = msgspec.json.Decoder(_Chunk).decode
_encode = msgspec.json.Encoder().encode


class Chunk(msgspec.Struct, gc=False):
    """What one event says."""

    raw: bytes
    choices: list[int]
    """The indexes of its choices."""
    texts: list[tuple[int, str, str]]
    """(choice, channel, text), text not empty, in the order in which they are to be taken."""
    tools: list[tuple[int, dict[str, Any]]]
    """(choice, delta) of each delta with tool calls."""
    finished: list[tuple[int, str]]
    """(choice, finish reason) of each choice that it finishes."""
    source: msgspec.Struct | dict[str, Any]
    """The decoded event, which `envelope` is taken from."""
    usage: dict[str, Any] | None = None
    value: dict[str, Any] | None = None
    """The decoded event, where it was looked at field by field."""
    error: bool = False
    """An error from upstream, not a chunk; `value` is set and nothing else was looked at."""
    blocked: list[str] = []
    """Paths of what was taken out."""
    passed: int = 0
    """Code points of unknown text let through."""
    template: bool = False
    """One choice with one text and nothing else: worth a `Template`."""

    @property
    def envelope(self) -> dict[str, Any]:
        """What it says of the response it belongs to."""
        source = self.source if isinstance(self.source, dict) else msgspec.structs.asdict(self.source)
        return {key: source[key] for key in ENVELOPE if source.get(key)}


def read_chunk(event: Event, *, block: bool, clean: Callable[[str], bool]) -> Chunk:
    """Read an event that has data. `block`: take unknown text out; else count it and let it pass. `clean`: says of a
    text that no rule would remove anything from it.

    Raises WireError for data that is no JSON object, or an index that cannot be."""
    data = event.data
    assert data is not None
    if not event.name:
        try:
            chunk = _decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return _look(event, block, clean)
        # A key that came twice is lost in decoding, so that what is left has fewer keys than the data.
        obfuscation = chunk.obfuscation or "0"
        if data.count(b'":') == _encode(chunk).count(b'":') and obfuscation.isascii() and obfuscation.isalnum():
            return _typed(event, chunk)
    return _look(event, block, clean)


def _typed(event: Event, chunk: _Chunk) -> Chunk:
    result = Chunk(event.raw, [], [], [], [], chunk)
    texts = result.texts
    for choice in chunk.choices:
        index = _index(choice.index) if choice.index else 0
        result.choices.append(index)
        delta = choice.delta
        if delta.reasoning_content:
            texts.append((index, "reasoning_content", delta.reasoning_content))
        if delta.reasoning:
            texts.append((index, "reasoning", delta.reasoning))
        if delta.content:
            texts.append((index, "content", delta.content))
        if delta.refusal:
            texts.append((index, "refusal", delta.refusal))
        if choice.finish_reason:
            result.finished.append((index, choice.finish_reason))
    result.template = len(texts) == len(chunk.choices) == 1 and not result.finished
    return result


def _index(value: object) -> int:
    if value is None or value is UNSET:
        return 0
    if type(value) is int and 0 <= value < MAX_CHOICES:
        return value
    raise WireError(f"The model server sent an index that is not an integer from 0 to {MAX_CHOICES - 1}.")


def _look(event: Event, block: bool, clean: Callable[[str], bool]) -> Chunk:
    assert event.data is not None
    try:
        value, changed = loads(event.data)
    except WireError:
        raise WireError("The model server sent an event that is not valid JSON.") from None
    if not isinstance(value, dict):
        raise WireError("The model server sent an event that is not a JSON object.")
    result = Chunk(event.raw, [], [], [], [], value, value=value)
    if value.get("error") or event.name == b"error":
        result.error = True
        return result
    unknown = Unknown(block)
    for choice in unknown.strip_top(value):
        index = _index(choice.get("index"))
        result.choices.append(index)
        delta = unknown.strip_choice(choice, "delta")
        result.texts += [
            (index, key, owner[key])
            for owner, keys in ((delta, TEXT_KEYS), (choice, ("text",)))
            for key in keys
            if owner.get(key) and isinstance(owner[key], str)
        ]
        if delta.get("tool_calls") or delta.get("function_call"):
            result.tools.append((index, delta))
        reason = choice.get("finish_reason")
        if reason and (not isinstance(reason, str) or is_prose(reason)):
            # No word that a client could know; but that the choice has ended must still be said.
            choice["finish_reason"] = reason = "stop"
            changed = True
        if reason:
            result.finished.append((index, reason))
        if choice.get("logprobs") is not None and not logprobs.may_pass(choice["logprobs"], delta, clean):
            choice["logprobs"] = None
            changed = True
    result.usage = value["usage"] if isinstance(value.get("usage"), dict) else None
    result.blocked = unknown.blocked
    result.passed = unknown.passed
    if changed or unknown.blocked:
        result.raw = data_event(dumps_exact(value), event.head)
    return result


def call_entries(delta: dict[str, Any]) -> list[tuple[int | None, dict[str, Any]]]:
    """The tool calls of a delta or message: (index, entry); None for the legacy `function_call`, whose entry is shaped
    like the others. Raises WireError for an index that cannot be."""
    entries: list[tuple[int | None, dict[str, Any]]] = []
    calls = delta.get("tool_calls")
    for position, call in enumerate(calls if isinstance(calls, list) else ()):
        if isinstance(call, dict):
            entries.append((_index(call.get("index", position)), call))
    if isinstance(delta.get("function_call"), dict):
        entries.append((None, {"function": delta["function_call"]}))
    return entries


# --- writing ----------------------------------------------------------------------------------------------------------


def explode(raw: bytes) -> list[bytes]:
    """An event that carries several things, as events that carry one each: texts, then tool calls, then the finish, by
    choice. A plain client adds them up to the same; log probabilities are left out."""
    event = parse_event(raw)
    assert event.data is not None
    value, _ = loads(event.data)
    envelope = {key: found for key, found in value.items() if key not in ("choices", "usage")}
    parts = [part for choice in value["choices"] if isinstance(choice, dict) for part in _parts(choice)]
    events = [{**envelope, "choices": [part]} for part in parts]
    if value.get("usage") is not None:
        events[-1]["usage"] = value["usage"]
    # Exact: half a surrogate pair may be waiting for the other.
    return [data_event(dumps_exact(said), event.head) for said in events]


def _parts(choice: dict[str, Any]) -> list[dict[str, Any]]:
    index = {"index": choice.get("index", 0)}
    delta = choice.get("delta") or {}
    rest = {key: found for key, found in delta.items() if key not in (*TEXT_KEYS, "tool_calls", "function_call")}
    parts: list[dict[str, Any]] = []
    for key in TEXT_KEYS:
        if delta.get(key):
            parts.append({**index, "delta": {**rest, key: delta[key]}, "finish_reason": None})
            rest = {}
    if choice.get("text"):
        parts.append({**index, "text": choice["text"], "finish_reason": None})
    calls = {key: delta[key] for key in ("tool_calls", "function_call") if delta.get(key)}
    if calls:
        parts.append({**index, "delta": {**rest, **calls}, "finish_reason": None})
        rest = {}
    last = {key: found for key, found in choice.items() if key not in ("delta", "logprobs")}
    if "text" in choice:
        last["text"] = ""
    else:
        last["delta"] = rest
    if not parts or rest or any(found for key, found in last.items() if key not in ("index", "text", "delta")):
        parts.append(last)
    return parts


def with_text(raw: bytes, channel: str, text: str, *, again: bool = False) -> bytes:
    """An event with the one text in it changed; b"" when nothing is left to say. `again`: another part of the event has
    gone before, so that only the text is said."""
    event = parse_event(raw)
    assert event.data is not None
    value, _ = loads(event.data)
    choice = next(c for c in value["choices"] if isinstance(c, dict))
    owner = choice if channel == "text" else choice["delta"]
    if again:
        value.pop("usage", None)
        kept = {key: choice[key] for key in ("index", "finish_reason") if key in choice}
        owner = {} if channel != "text" else kept
        choice = kept if channel == "text" else {**kept, "delta": owner}
        value["choices"] = [choice]
    owner[channel] = text
    if choice.get("logprobs") is not None:
        choice["logprobs"] = None
    if not text:
        rest = [found for key, found in owner.items() if key not in (channel, "index")]
        if not any(rest) and not choice.get("finish_reason") and not value.get("usage"):
            return b""
    return data_event(dumps(value), event.head)


class Template(msgspec.Struct, frozen=True, gc=False):
    """What the events of one channel have around their text: they differ in nothing else, as a rule.

    Bytes that start with `prefix`, end with `suffix` and hold a valid JSON string's inside between them are an event
    of this channel with that text, and need no parsing."""

    prefix: bytes
    suffix: bytes
    """With the event's line ends."""
    joint: bytes
    """`suffix + prefix`: what stands between two texts."""

    def event(self, text: str) -> bytes:
        return b"".join((self.prefix, _encode(text)[1:-1], self.suffix))

    def text(self, data: bytes) -> str | None:
        """The text of what is just one event that fits the template and holds no escape; None for anything else."""
        if not (data.startswith(self.prefix) and data.endswith(self.suffix)):
            return None
        part = data[len(self.prefix) : -len(self.suffix)]
        if len(part.translate(None, _NOT_PLAIN)) != len(part):
            return None
        try:
            return part.decode()
        except UnicodeDecodeError:
            return None

    def texts(self, window: bytes) -> tuple[list[bytes], list[str] | str]:
        """`window` begins behind a prefix. The insides of the texts of the events that fit the template, one behind the
        other and whole, as they stand there; and the texts, one by one, or joined where none holds an escape."""
        parts = window.split(self.joint)
        suffix = self.suffix
        last = parts[-1]
        if last.endswith(suffix):
            parts[-1] = last[: -len(suffix)]
        elif (end := last.find(suffix)) >= 0:
            parts[-1] = last[:end]
        else:
            parts.pop()
        run = b"".join(parts)
        if len(run.translate(None, _NOT_PLAIN)) == len(run):
            if run.isascii():
                return parts, run.decode()
            try:
                # Joined by what none of them holds, so that each must be valid UTF-8 by itself.
                return parts, b"\n".join(parts).decode().replace("\n", "")
            except UnicodeDecodeError:
                pass
        texts: list[str] = []
        for position, part in enumerate(parts):
            text = _inside(part)
            if text is None:
                # Another event stands before the next one that fits; no text can hold the suffix, it has line ends.
                end = part.find(suffix)
                text = _inside(part[:end]) if end >= 0 else None
                if text is not None:
                    texts.append(text)
                    parts[position] = part[:end]
                del parts[len(texts) :]
                break
            texts.append(text)
        return parts, texts


def _inside(part: bytes) -> str | None:
    """The text of what stands between the quotes of a JSON string; None when it is none."""
    try:
        return _decode_text(b'"%b"' % part)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


_decode_text = msgspec.json.Decoder(str).decode
_NOT_PLAIN = bytes([*range(0x20), 0x22, 0x5C])
"""Bytes that do not stand for themselves inside a JSON string."""
_VALUE = {key: re.compile(rb'"' + key.encode() + rb'"\s*:\s*"((?:[^"\\]|\\.)*)"') for key in TEXT_KEYS}


def find_template(chunk: Chunk) -> Template | None:
    """The template of an event that `read_chunk` marked, or None where the place of its text is not beyond doubt."""
    raw = chunk.raw
    index, channel, _ = chunk.texts[0]
    line_end = b"\r\n" if raw.endswith(b"\r\n") else b"\n"
    found = _VALUE[channel].search(raw)
    if found is None or not raw.startswith(b"data: ") or raw.find(line_end) != len(raw) - 2 * len(line_end):
        return None
    prefix, suffix = raw[: found.start(1)], raw[found.end(1) :]
    around = prefix + suffix
    if b"\\" in around or around.count(b'"%b"' % channel.encode()) != 1:
        return None
    # Said of another text, it must read as that text in that channel.
    data = parse_event(prefix + b"?" + suffix).data
    if data is None or _typed(Event(b"", data, b"", b"", False), _decode(data)).texts != [(index, channel, "?")]:
        return None
    return Template(prefix, suffix, suffix + prefix)
