"""One event of a Chat Completions stream: what model text it carries, and how to say it again with less.

`read_chunk` names every piece of model text in an event and takes out what the codec does not know (unless the policy
lets it pass); `explode` and `with_text` write an event again. Nothing here scans, holds or orders.

Two ways in, one result: the common shapes through a typed decoder, anything else through `strict_json`. An event's
`raw` is what may be passed on as it is once its text is clean; a change made here is already in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from guardrail.errors import WireError
from guardrail.wire import logprobs
from guardrail.wire.chunk import AnyTemplate, Chunk, find_template
from guardrail.wire.openai_chat_delta import SPELLING, drop_spelling, places, put, without_texts
from guardrail.wire.openai_chat_unknown import CHOICE_PASSED, strip_choice, strip_top
from guardrail.wire.request import MAX_CHOICES
from guardrail.wire.sse import Event, data_event, parse_event
from guardrail.wire.strict_json import AN_EVENT, dumps, dumps_exact, has_all_keys, load_object, loads
from guardrail.wire.unknown_text import Unknown

ENVELOPE = ("id", "object", "created", "model", "system_fingerprint", "service_tier")
"""What every chunk of a response says of it; our own chunks repeat the upstream's."""

CALLS = "tool_calls"
"""The part that all tool calls of a choice are withheld in, the legacy `function_call` too."""

ANNOTATIONS = "annotations"
"""Citations, which come whole."""


Reason = Literal["stop", "length", "tool_calls", "content_filter", "function_call"]


_Nothing = Annotated[list[None], msgspec.Meta(max_length=0)] | UnsetType | None


class _Delta(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    role: Literal["assistant"] | UnsetType | None = UNSET
    content: str | UnsetType | None = UNSET
    reasoning_content: str | UnsetType | None = UNSET
    reasoning: str | UnsetType | None = UNSET
    refusal: str | UnsetType | None = UNSET
    tool_calls: _Nothing = UNSET
    function_call: _Nothing = UNSET
    annotations: _Nothing = UNSET
    audio: _Nothing = UNSET
    reasoning_details: _Nothing = UNSET


Category = Literal["hate", "self_harm", "sexual", "violence"]


class _Filtered(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """Azure's finding about the text of an event."""

    filtered: bool
    severity: Literal["safe", "low", "medium", "high"]


class _Choice(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    delta: _Delta
    index: int | UnsetType = UNSET
    finish_reason: Reason | UnsetType | None = UNSET
    logprobs: UnsetType | None = UNSET
    stop_reason: UnsetType | None = UNSET
    matched_stop: UnsetType | None = UNSET
    native_finish_reason: UnsetType | None = UNSET
    token_ids: UnsetType | None = UNSET
    content_filter_results: dict[Category, _Filtered] | UnsetType = UNSET


class _Timings(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """llama.cpp's, with every event where the client asks for it."""

    cache_n: float | UnsetType = UNSET
    prompt_n: float | UnsetType = UNSET
    prompt_ms: float | UnsetType = UNSET
    prompt_per_token_ms: float | UnsetType = UNSET
    prompt_per_second: float | UnsetType = UNSET
    predicted_n: float | UnsetType = UNSET
    predicted_ms: float | UnsetType = UNSET
    predicted_per_token_ms: float | UnsetType = UNSET
    predicted_per_second: float | UnsetType = UNSET
    draft_n: float | UnsetType = UNSET
    draft_n_accepted: float | UnsetType = UNSET


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
    provider: str | UnsetType = UNSET
    timings: _Timings | UnsetType = UNSET
    obfuscation: str | UnsetType = UNSET  # OpenAI: random letters that hide the length of the text
    p: str | UnsetType = UNSET  # Mistral: the same


_decode = msgspec.json.Decoder(_Chunk).decode
_encode = msgspec.json.Encoder().encode


def envelope(chunk: Chunk) -> dict[str, Any]:
    """What a chunk says of the response it belongs to."""
    source = chunk.source if isinstance(chunk.source, dict) else msgspec.structs.asdict(chunk.source)
    return {key: found for key in ENVELOPE if (found := source.get(key, UNSET)) is not UNSET and found is not None}


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
        padding = f"0{chunk.obfuscation or ''}{chunk.p or ''}"
        if has_all_keys(_encode(chunk), data) and padding.isascii() and padding.isalnum():
            return _typed(event, chunk)
    return _look(event, block, clean)


def _typed(event: Event, chunk: _Chunk) -> Chunk:
    result = Chunk(event.raw, [], [], [], [], source=chunk)
    texts = result.texts
    copied = False
    for choice in chunk.choices:
        index = index_of(choice.index) if choice.index else 0
        result.choices.append(index)
        delta = choice.delta
        if delta.reasoning_content:
            texts.append((index, "reasoning_content", delta.reasoning_content))
            copied = copied or delta.reasoning == delta.reasoning_content
        if delta.reasoning and delta.reasoning != delta.reasoning_content:
            texts.append((index, "reasoning", delta.reasoning))
        if delta.content:
            texts.append((index, "content", delta.content))
        if delta.refusal:
            texts.append((index, "refusal", delta.refusal))
        if choice.finish_reason:
            result.finished.append((index, choice.finish_reason))
    result.template = len(texts) == len(chunk.choices) == 1 and not (result.finished or copied)
    return result


def index_of(value: object) -> int:
    """The index of a choice or call. Raises WireError for one that cannot be."""
    if value is None or value is UNSET:
        return 0
    if type(value) is int and 0 <= value < MAX_CHOICES:
        return value
    raise WireError(f"The model server sent an index that is not an integer from 0 to {MAX_CHOICES - 1}.")


def _look(event: Event, block: bool, clean: Callable[[str], bool]) -> Chunk:
    assert event.data is not None
    value, changed = load_object(event.data, AN_EVENT)
    result = Chunk(event.raw, [], [], [], [], source=value, value=value)
    if value.get("error") or event.name == b"error":
        result.error = True
        return result
    unknown = Unknown(block)
    for choice in strip_top(unknown, value):
        index = index_of(choice.get("index"))
        result.choices.append(index)
        delta = strip_choice(unknown, choice, "delta")
        result.texts += [(index, place.channel, place.text) for place in places(delta)]
        if choice.get("text") and isinstance(choice["text"], str):
            result.texts.append((index, "text", choice["text"]))
        if delta.get("tool_calls") or delta.get("function_call"):
            result.tools.append((index, CALLS, delta))
        if delta.get("annotations"):
            result.whole.append((index, ANNOTATIONS, dumps(delta[ANNOTATIONS]).decode()))
        if choice.get("finish_reason"):
            result.finished.append((index, choice["finish_reason"]))
        changed = check_logprobs(choice, delta, clean) or changed
        check_extras(choice, "choices[]", CHOICE_PASSED, unknown, clean)
    check_extras(value, "", (), unknown, clean)
    result.usage = value["usage"] if isinstance(value.get("usage"), dict) else None
    result.blocked = unknown.blocked
    result.passed = unknown.passed
    if changed or unknown.blocked:
        result.raw = data_event(dumps_exact(value), event.head)
    elif len(result.texts) == result.things == len(result.choices) == 1 and not result.passed and not result.usage:
        choice = value["choices"][0]
        if isinstance(choice, dict):
            result.template = not any(choice.get(key) for key in SPELLING) and _key_of(choice) is not None
    return result


def _key_of(choice: dict[str, Any]) -> str | None:
    """The key of the one text of a choice; None when it is said several times."""
    if choice.get("text"):
        return "text"
    (place,) = places(choice["delta"])
    return None if len(place.alone) > 1 else place.key


def check_logprobs(choice: dict[str, Any], message: dict[str, Any], clean: Callable[[str], bool]) -> bool:
    """Take log probabilities out of a choice that may not pass; whether any were. `message`: its delta or message."""
    found = choice.get("logprobs")
    said = {"content": choice["text"]} if "text" in choice else message
    if found is None or logprobs.may_pass(found, said, clean):
        return False
    choice["logprobs"] = None
    return True


def check_extras(
    value: dict[str, Any], path: str, keys: Iterable[str], unknown: Unknown, clean: Callable[[str], bool]
) -> None:
    """Take out of a choice, or of the top level, what servers add for programs and a rule would remove something of."""
    unknown.strip_unclean(path, value, [key for key in keys if key != "prompt_logprobs"], clean)
    if not logprobs.prompt_may_pass(value.get("prompt_logprobs"), clean):
        value["prompt_logprobs"] = None
        unknown.blocked.append(f"{path}.prompt_logprobs".lstrip("."))


def call_entries(delta: dict[str, Any]) -> list[tuple[int | None, dict[str, Any]]]:
    """The tool calls of a delta or message: (index, entry); None for the legacy `function_call`, whose entry is shaped
    like the others. Raises WireError for an index that cannot be."""
    entries: list[tuple[int | None, dict[str, Any]]] = []
    calls = delta.get("tool_calls")
    for position, call in enumerate(calls if isinstance(calls, list) else ()):
        if isinstance(call, dict):
            entries.append((index_of(call.get("index", position)), call))
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
    said = choice.get("delta")
    delta = said if isinstance(said, dict) else {}
    rest = without_texts(delta)
    parts: list[dict[str, Any]] = []

    def say(said: dict[str, Any]) -> None:
        parts.append({**index, "delta": {**rest, **said}, "finish_reason": None})
        rest.clear()

    for place in places(delta):
        say(place.alone)
    if choice.get("text"):
        parts.append({**index, "text": choice["text"], "finish_reason": None})
    if calls := {key: delta[key] for key in ("tool_calls", "function_call") if delta.get(key)}:
        say(calls)
    if delta.get(ANNOTATIONS):
        say({ANNOTATIONS: delta[ANNOTATIONS]})
    last = {key: found for key, found in choice.items() if key not in ("delta", *SPELLING)}
    if "text" in choice:
        last["text"] = ""
    else:
        last["delta"] = rest
    if not parts or rest or any(found for key, found in last.items() if key not in ("index", "text", "delta")):
        parts.append(last)
    return parts


def with_text(raw: bytes, key: str, text: str, *, again: bool = False) -> bytes:
    """An event with the one text in it, that of channel `key`, changed; b"" when nothing is left to say. `again`:
    another part of the event has gone before, so that only the text is said."""
    event = parse_event(raw)
    assert event.data is not None
    value, _ = loads(event.data)
    choice = next(c for c in value["choices"] if isinstance(c, dict))
    if again:
        value.pop("usage", None)
        kept = {name: choice[name] for name in ("index", "finish_reason") if name in choice}
        if key == "text":
            choice = {**kept, "text": text}
        else:
            (place, *_) = places(choice["delta"])
            choice = {**kept, "delta": place.alone}
        value["choices"] = [choice]
    rest: list[Any] = []
    if key == "text":
        choice["text"] = text
    else:
        (place, *_) = places(choice["delta"])
        put(choice["delta"], place, text)
        rest = list(without_texts(choice["delta"]).values())
    drop_spelling(choice)
    if not text:
        rest += [found for name, found in choice.items() if name not in ("text", "delta", "index")]
        if not any(rest) and not value.get("usage"):
            return b""
    return data_event(dumps(value), event.head)


def with_annotations(raw: bytes, said: str) -> bytes:
    """An event with its annotations changed; `said`: JSON text."""
    event = parse_event(raw)
    assert event.data is not None
    value, _ = loads(event.data)
    choice = next(c for c in value["choices"] if isinstance(c, dict))
    choice["delta"][ANNOTATIONS] = loads(said)[0]
    return data_event(dumps(value), event.head)


def template_of(chunk: Chunk) -> AnyTemplate | None:
    """The template of an event that `read_chunk` marked, or None where the place of its text is not beyond doubt."""
    index, channel, _ = chunk.texts[0]
    typed = isinstance(chunk.source, _Chunk)
    key = channel if typed else _key_of(chunk.source["choices"][0])
    if key is None:
        return None

    def reads_as(raw: bytes) -> str | None:
        """Said of another text, it must read as that text in that channel."""
        event = parse_event(raw)
        if event.data is None or event.name:
            return None
        try:
            read = _typed(event, _decode(event.data)) if typed else _look(event, True, lambda text: True)
        except (msgspec.DecodeError, WireError):
            return None
        found = read.texts
        return found[0][2] if read.template and read.raw == raw and found[0][:2] == (index, channel) else None

    return find_template(chunk.raw, key, reads_as, slots=True)
