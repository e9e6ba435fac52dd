"""Streams of real SDKs, guarded: clean items are those that came, others are of the same classes."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import Any

import pytest

from guardrail.sdk.items import items_of
from guardrail.simulate.script import BRAND, HALT, SKY
from guardrail.stream import guard_stream
from tests.proxy.scored import Gated, scored_policy
from tests.sdk.streams import STREAMS, Stream, openai_of
from tests.wire.chat import halt, policy, redact

POLICY = policy(redact("Acme Cola"), halt("the vault code is"))

each = pytest.mark.parametrize("stream", STREAMS, ids=[stream.name for stream in STREAMS])


def watched(items: Iterable[Any], seen: list[Any]) -> Iterator[Any]:
    for item in items:
        seen.append(item)
        yield item


async def watched_async(items: AsyncIterable[Any], seen: list[Any]) -> AsyncIterator[Any]:
    async for item in items:
        seen.append(item)
        yield item


async def both(stream: Stream, url: str, ask: str, rules: Any = POLICY) -> tuple[list[Any], list[Any]]:
    """What came and what was told, which must say the same in both ways."""
    came: list[Any] = []
    told = list(guard_stream(watched(stream.sync(url, ask), came), rules))
    later: list[Any] = []
    source = watched_async(await stream.asynchronous(url, ask), later)
    told_later = [item async for item in guard_stream(source, rules)]
    notice = "\n[Stopped"
    assert said(stream, told).partition(notice)[0] == said(stream, told_later).partition(notice)[0]
    assert [type(item) for item in told] == [type(item) for item in told_later]
    return came, told


def said(stream: Stream, items: list[Any]) -> str:
    return "".join(map(stream.text, items))


@each
async def test_clean_items_are_those_that_came(stream: Stream, url: str) -> None:
    came, told = await both(stream, url, "sky")
    assert len(came) == len(told)
    assert all(one is other for one, other in zip(came, told, strict=True))
    assert said(stream, told) == SKY


@each
async def test_edited_items(stream: Stream, url: str) -> None:
    came, told = await both(stream, url, "picnic")
    assert said(stream, told) == BRAND.replace("Acme Cola", "[X]")
    assert stream.ending(told) == stream.ending(came)
    assert {type(item) for item in told} <= {type(item) for item in came}
    assert "Acme" not in str(told)


@each
async def test_a_halt(stream: Stream, url: str) -> None:
    came, told = await both(stream, url, "vault")
    before = HALT.partition("the vault code")[0]
    assert said(stream, told).startswith(before)
    assert "topped by safety policy." in said(stream, told)
    assert stream.ending(told) == stream.halted
    assert "vault" not in str(told)
    assert said(stream, came) != HALT, "the source was read to its end"


@each
async def test_verdicts(stream: Stream, url: str) -> None:
    rules = scored_policy(Gated())
    came, told = await both(
        stream, url, "a long enough sentence. This one is not evil but it says so. And more.", rules
    )
    assert "evil" in said(stream, came)
    assert said(stream, told).startswith("You wrote: a long enough sentence.")
    assert "evil" not in str(told)
    assert stream.ending(told) == stream.halted


DICTS: list[tuple[str, dict[str, Any], str]] = [
    ("chat", {"id": "1", "choices": [{"index": 0, "delta": {"content": "Acme Cola"}}]}, "openai_chat"),
    ("text", {"object": "text_completion", "choices": [{"index": 0, "text": "Acme Cola"}]}, "openai_text"),
    ("Responses", {"type": "response.created", "response": {"id": "r", "output": []}}, "openai_responses"),
    ("Anthropic", {"type": "message_start", "message": {"id": "m", "content": []}}, "anthropic"),
    ("Gemini", {"candidates": [{"content": {"parts": [{"text": "Acme Cola"}]}}]}, "gemini"),
    ("Ollama", {"model": "m", "message": {"role": "assistant", "content": "Acme Cola"}, "done": False}, "ollama"),
]


@pytest.mark.parametrize(("value", "name"), [case[1:] for case in DICTS], ids=[case[0] for case in DICTS])
def test_dicts_are_told_by_their_fields(value: dict[str, Any], name: str) -> None:
    assert items_of(value).protocol.name == name
    told = list(guard_stream(iter([value]), POLICY))
    assert all(type(item) is dict for item in told)
    assert "Acme" not in str(told)


def test_other_items_are_refused(url: str) -> None:
    for item in ({"text": "Hello"}, {"type": "chunk"}, object()):
        with pytest.raises(TypeError, match="guard_stream"):
            items_of(item)
    with (
        openai_of(url).responses.stream(model="m", input="sky") as events,
        pytest.raises(TypeError, match=r"not of responses\.stream\(\)"),
    ):
        list(guard_stream(events, POLICY))
    with (
        openai_of(url).chat.completions.stream(model="m", messages=[{"role": "user", "content": "sky"}]) as chunks,
        pytest.raises(TypeError, match=r"create\(stream=True\), not the events of chat\.completions\.stream\(\)"),
    ):
        list(guard_stream(chunks, POLICY))
