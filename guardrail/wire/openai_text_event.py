"""One event of a legacy Completions stream: a choice has its piece of text in `text`, not in a delta.

The shapes that come token by token are read here; all others, and how events are said again, are those of
`openai_chat_chunk`, which knows `text` too. Source: OpenAI's API reference, and vLLM's for what it adds.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec import UNSET, UnsetType

from guardrail.wire.chunk import AnyTemplate, Chunk, find_template
from guardrail.wire.openai_chat_chunk import Reason, index_of, read_chunk
from guardrail.wire.sse import Event, parse_event
from guardrail.wire.strict_json import has_all_keys


class _Choice(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    text: str
    index: int | UnsetType = UNSET
    finish_reason: Reason | UnsetType | None = UNSET
    logprobs: UnsetType | None = UNSET
    stop_reason: UnsetType | None = UNSET
    matched_stop: UnsetType | None = UNSET
    token_ids: UnsetType | None = UNSET
    prompt_token_ids: UnsetType | None = UNSET
    prompt_logprobs: UnsetType | None = UNSET


class _Chunk(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    choices: list[_Choice]
    id: str | UnsetType = UNSET
    object: str | UnsetType = UNSET
    created: int | UnsetType = UNSET
    model: str | UnsetType = UNSET
    system_fingerprint: str | UnsetType | None = UNSET
    usage: UnsetType | None = UNSET


_decode = msgspec.json.Decoder(_Chunk).decode
_encode = msgspec.json.Encoder().encode


def read_event(event: Event, *, block: bool, clean: Callable[[str], bool]) -> Chunk:
    """See `openai_chat_chunk.read_chunk`."""
    data = event.data
    assert data is not None
    if not event.name:
        try:
            chunk = _decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return read_chunk(event, block=block, clean=clean)
        if has_all_keys(_encode(chunk), data):
            return _typed(event, chunk)
    return read_chunk(event, block=block, clean=clean)


def _typed(event: Event, chunk: _Chunk) -> Chunk:
    result = Chunk(event.raw, [], [], [], [], source=chunk)
    for choice in chunk.choices:
        index = index_of(choice.index) if choice.index else 0
        result.choices.append(index)
        if choice.text:
            result.texts.append((index, "text", choice.text))
        if choice.finish_reason:
            result.finished.append((index, choice.finish_reason))
    result.template = len(result.texts) == len(chunk.choices) == 1 and not result.finished
    return result


def template_of(chunk: Chunk) -> AnyTemplate | None:
    """The template of an event that `read_event` marked, or None where the place of its text is not beyond doubt."""
    index, *_ = chunk.texts[0]

    def reads_as(raw: bytes) -> str | None:
        """Said of another text, it must read as that text in that choice."""
        event = parse_event(raw)
        if event.data is None or event.name:
            return None
        try:
            texts = _typed(event, _decode(event.data)).texts
        except msgspec.DecodeError:
            return None
        return texts[0][2] if len(texts) == 1 and texts[0][0] == index else None

    return find_template(chunk.raw, "text", reads_as, slots=True)
