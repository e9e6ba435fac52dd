"""One event of a Gemini stream: what model text it carries, and how to say it again with less.

`read_chunk` names every piece of model text in an event and takes out what the codec does not know (unless the policy
lets it pass); the others write an event again. Nothing here scans, holds or orders.

A candidate is a choice, and its parts follow each other in stretches (see `gemini_parts`). Where a candidate is, is
told by its last `Stretch`, which the stream keeps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from guardrail.errors import WireError
from guardrail.wire import gemini_logprobs, json_array, sse
from guardrail.wire.chunk import AnyTemplate, Chunk, find_template
from guardrail.wire.gemini_parts import (
    CALL,
    GROUNDING,
    MAX_STRETCHES,
    UNSPECIFIED,
    VALUES,
    WHOLE,
    Stretch,
    kind_of,
    next_stretch,
    parts_of,
    said_by,
)
from guardrail.wire.gemini_unknown import strip_response
from guardrail.wire.request import MAX_CHOICES
from guardrail.wire.sse import Event
from guardrail.wire.strict_json import AN_EVENT, dumps, dumps_exact, load_object, loads
from guardrail.wire.unknown_text import Unknown, is_prose


class Framing(NamedTuple):
    """How events stand in the bytes."""

    parse: Callable[[bytes], Event]
    write: Callable[[bytes, bytes], bytes]
    """(data, head) -> event."""

    def say(self, value: object, head: bytes = b"") -> bytes:
        return self.write(dumps(value), head)


SSE = Framing(sse.parse_event, sse.data_event)
ARRAY = Framing(json_array.parse_element, json_array.element)


def stretch_of(chunk: Chunk) -> tuple[int, Stretch] | None:
    """(candidate, stretch) that the one thing in a chunk is a part of; None when it is no part."""
    said: list[tuple[int, str, Any]] = [*chunk.texts, *chunk.tools, *chunk.whole]
    if not said or not said[0][1].startswith("parts["):
        return None
    number, _, kind = said[0][1][len("parts[") :].partition("].")
    goes_on = not chunk.whole and not (chunk.tools and chunk.closed)
    return said[0][0], Stretch(int(number), kind.partition(".")[0], goes_on)


# --- reading ----------------------------------------------------------------------------------------------------------


def read_chunk(event: Event, stretches: Mapping[int, Stretch], *, block: bool, clean: Callable[[str], bool]) -> Chunk:
    """Read an event that has data. `stretches`: where each candidate is. `block`: take unknown text out; else count it
    and let it pass. `clean`: says of a text that no rule would remove anything from it.

    Raises WireError for data that is no JSON object, or an index that cannot be."""
    assert event.data is not None
    value, changed = load_object(event.data, AN_EVENT)
    result = Chunk(event.raw, [], [], [], [], source=value, value=value, closed=[], whole=[])
    if value.get("error") or event.name == b"error":
        result.error = True
        return result
    unknown = Unknown(block)
    candidates, altered = strip_response(unknown, value, clean)
    changed = changed or altered
    quiet = True
    for position, candidate in enumerate(candidates):
        index = index_of(candidate.get("index"), position)
        result.choices.append(index)
        quiet = _read_parts(result, index, candidate, stretches.get(index)) and quiet
        for key in WHOLE:
            if candidate.get(key):
                result.whole.append((index, key, dumps(candidate[key]).decode()))
        if candidate.get(GROUNDING):
            result.tools.append((index, GROUNDING, candidate[GROUNDING]))
        reason = candidate.get("finishReason")
        if reason not in UNSPECIFIED:
            if isinstance(reason, bool) or not isinstance(reason, str | int) or is_prose(str(reason)):
                # No word that a client could know; but that the candidate has ended must still be said.
                candidate["finishReason"] = reason = "OTHER"
                changed = True
            result.finished.append((index, str(reason)))
        logprobs = candidate.get("logprobsResult")
        if logprobs is not None and not gemini_logprobs.may_pass(logprobs, said_by(candidate), clean):
            del candidate["logprobsResult"]
            changed = True
    usage = value.get("usageMetadata")
    result.usage = usage if isinstance(usage, dict) else None
    result.blocked = unknown.blocked
    result.passed = unknown.passed
    if changed or unknown.blocked:
        result.raw = (ARRAY if event.head == json_array.SEPARATOR else SSE).write(dumps_exact(value), event.head)
    result.template = quiet and len(result.choices) == len(result.texts) == result.things == 1 and not unknown.passed
    return result


def index_of(value: object, position: int) -> int:
    """The index of a candidate; where it is not given (Vertex leaves out the 0 of a lone one), its position."""
    if value is None:
        value = position
    if type(value) is int and 0 <= value < MAX_CHOICES:
        return value
    raise WireError(f"The model server sent an index that is not an integer from 0 to {MAX_CHOICES - 1}.")


def _read_parts(result: Chunk, index: int, candidate: dict[str, Any], now: Stretch | None) -> bool:
    """Note the parts of a candidate; whether nothing in it changes from event to event but its text."""
    quiet = "logprobsResult" not in candidate
    for part in parts_of(candidate):
        quiet = quiet and "thoughtSignature" not in part
        kind = kind_of(part)
        if not kind:
            continue
        now = next_stretch(now, kind)
        if now.number >= MAX_STRETCHES:
            raise WireError(f"The model server sent more than {MAX_STRETCHES} parts that no client adds up to one.")
        if kind in ("text", "thought"):
            result.texts.append((index, now.key, part["text"]))
        elif kind == CALL:
            result.tools.append((index, now.key, part[CALL]))
            if part[CALL].get("willContinue") is not True:
                result.closed.append((index, now.key))
                now = now._replace(open=False)
        else:
            key = VALUES[kind]
            result.whole.append((index, f"{now.key}.{key}", dumps(part[kind][key]).decode()))
            now = now._replace(open=False)
    return quiet


# --- writing ----------------------------------------------------------------------------------------------------------


def explode(raw: bytes, framing: Framing) -> list[bytes]:
    """An event that carries several things, as events that carry one each: by candidate its parts, what is said of it,
    its finish. A plain client adds them up to the same; log probabilities are left out, the usage comes last."""
    event = framing.parse(raw)
    assert event.data is not None
    value, _ = loads(event.data)
    top = {key: found for key, found in value.items() if key not in ("candidates", "usageMetadata")}
    said = [
        {**top, "candidates": [one]}
        for position, candidate in enumerate(value["candidates"])
        if isinstance(candidate, dict)
        for one in _single(candidate, position)
    ]
    if said and "usageMetadata" in value:
        said[-1]["usageMetadata"] = value["usageMetadata"]
    # Exact: half a surrogate pair may be waiting for the other.
    return [framing.write(dumps_exact(one), event.head) for one in said]


def _single(candidate: dict[str, Any], position: int) -> Iterator[dict[str, Any]]:
    """A candidate, as candidates that say one thing each. Each has a part: chats of google-genai forget a turn in which
    one had none."""
    index = {"index": candidate["index"]} if "index" in candidate else {"index": position} if position else {}
    content = candidate.get("content")
    about = {key: found for key, found in content.items() if key != "parts"} if isinstance(content, dict) else {}
    parts = parts_of(candidate)
    speaking = [at for at, part in enumerate(parts) if kind_of(part)]
    after = speaking[-1] + 1 if speaking else 0
    for at, part in enumerate(parts[:after]):
        if kind_of(part):
            before = parts[next((n + 1 for n in range(at - 1, -1, -1) if kind_of(parts[n])), 0) : at]
            yield {**index, "content": {**about, "parts": [*before, part]}}
    empty = {**about, "parts": [{"text": ""}]}
    for key in (*WHOLE, GROUNDING):
        if candidate.get(key):
            yield {**index, "content": empty, key: candidate[key]}
    done = {*WHOLE, GROUNDING, "index", "content", "logprobsResult"}
    last = {key: found for key, found in candidate.items() if key not in done}
    if parts[after:] or last:
        yield {**index, "content": {**about, "parts": parts[after:]} if parts[after:] else empty, **last}


def with_text(raw: bytes, key: str, text: str, *, again: bool = False, framing: Framing) -> bytes:
    """An event with the one text in it changed; b"" when nothing is left to say (usage is said by later ones too).
    `again`: another part of the event has gone before, so that only the text is said."""
    event = framing.parse(raw)
    assert event.data is not None
    value, _ = loads(event.data)
    candidate = next(c for c in value["candidates"] if isinstance(c, dict))
    parts = candidate["content"]["parts"]
    part = next(part for part in parts if isinstance(part, dict) and kind_of(part) in ("text", "thought"))
    part["text"] = text
    for said in ("logprobsResult", "avgLogprobs"):
        candidate.pop(said, None)
    if again:
        value.pop("usageMetadata", None)
        part.pop("thoughtSignature", None)
        candidate["content"]["parts"] = [part]
    if not text and not part.get("thoughtSignature") and len(candidate["content"]["parts"]) == 1:
        return b""
    return framing.say(value, event.head)


def with_value(raw: bytes, path: str, value: str, framing: Framing) -> bytes:
    """An event with another value (JSON text) in the place of its one whole value."""
    event = framing.parse(raw)
    assert event.data is not None
    said, _ = loads(event.data)
    candidate = next(c for c in said["candidates"] if isinstance(c, dict))
    now, _ = loads(value)
    if path in candidate:
        candidate[path] = now
    else:
        kind, _, key = path.partition("].")[2].partition(".")
        next(part for part in parts_of(candidate) if kind_of(part) == kind)[kind][key] = now
    return framing.say(said, event.head)


def template_of(
    chunk: Chunk, stretches: Mapping[int, Stretch], framing: Framing, clean: Callable[[str], bool]
) -> AnyTemplate | None:
    """The template of an event that `read_chunk` marked, or None where the place of its text is not beyond doubt."""
    index, channel, _ = chunk.texts[0]

    def reads_as(raw: bytes) -> str | None:
        """Said of another text, it must read as that text in that channel."""
        read = read_chunk(framing.parse(raw), stretches, block=True, clean=clean)
        return read.texts[0][2] if read.template and read.texts[0][:2] == (index, channel) else None

    return find_template(chunk.raw, "text", reads_as, slots=True)
