"""`messages.stream()` of anthropic: what its deltas add up to is told of the guarded ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from guardrail.simulate.script import BRAND, HALT
from guardrail.stream import guard_stream
from tests.sdk.streams import anthropic_of, async_anthropic_of, claude
from tests.wire.chat import halt, policy, redact

POLICY = policy(redact("Acme Cola", "deploy.env"), halt("the vault code is"))
THINKING = {"model": "m-reasoning", "thinking": {"type": "enabled", "budget_tokens": 1024}}


def guarded(url: str, ask: str, came: list[Any], **more: Any) -> Iterator[Any]:
    with anthropic_of(url).messages.stream(**{**claude(ask), **more}) as stream:

        def watched() -> Iterator[Any]:
            for event in stream:
                came.append(event)
                yield event

        yield from guard_stream(watched(), POLICY)


@pytest.mark.parametrize(("ask", "more"), [("sky", {}), ("weather", {}), ("sky", THINKING)])
def test_clean_events_are_those_that_came(url: str, ask: str, more: dict[str, Any]) -> None:
    came: list[Any] = []
    told = list(guarded(url, ask, came, **more))
    # Of a tool call all comes at its end, so the order is another there.
    assert sorted(map(id, told)) == sorted(map(id, came))
    assert [event.type for event in told] == [event.type for event in came]


def test_edited_text_adds_up(url: str) -> None:
    told = list(guarded(url, "picnic", []))
    texts = [event for event in told if event.type == "text"]
    text = BRAND.replace("Acme Cola", "[X]")
    assert "".join(event.text for event in texts) == texts[-1].snapshot == text
    deltas = [event.delta.text for event in told if event.type == "content_block_delta"]
    assert deltas == [event.text for event in texts]
    kinds = [event.type for event in told]
    assert all(kinds[at + 1] == "text" for at, kind in enumerate(kinds) if kind == "content_block_delta")
    stop, last = told[-3], told[-1]
    assert stop.content_block.text == last.message.content[0].text == text
    assert "Acme" not in str(told)


def test_a_tool_call_adds_up(url: str) -> None:
    told = list(guarded(url, "deploy", []))
    last = [event for event in told if event.type == "input_json"][-1]
    assert last.snapshot["file"] == "[X]"
    assert told[-1].message.content[1].input == last.snapshot
    assert told[-1].message.stop_reason == "tool_use"
    assert "deploy.env" not in str(told)


def test_a_halt_adds_up(url: str) -> None:
    came: list[Any] = []
    told = list(guarded(url, "vault", came))
    message = told[-1].message
    assert message.stop_reason == "refusal"
    assert message.content[0].text.startswith(HALT.partition("the vault code")[0] + "\n[Stopped by safety policy.")
    assert [event for event in told if event.type == "text"][-1].snapshot == message.content[0].text
    assert came[-1].type != "message_stop"


async def test_asynchronous_and_beta(url: str) -> None:
    async with async_anthropic_of(url).messages.stream(**claude("picnic")) as stream:
        told: list[Any] = [event async for event in guard_stream(stream, POLICY)]
        assert told[-1].message.content[0].text == BRAND.replace("Acme Cola", "[X]")
    async with async_anthropic_of(url).beta.messages.stream(**claude("picnic")) as beta:
        told = [event async for event in guard_stream(beta, POLICY)]
        assert told[-1].message.content[0].text == BRAND.replace("Acme Cola", "[X]")
        assert type(told[-1]).__name__.startswith("ParsedBeta")
    raw = await async_anthropic_of(url).beta.messages.create(**claude("vault"), stream=True)
    told = [event async for event in guard_stream(raw, POLICY)]
    assert told[-2].delta.stop_reason == "refusal"


def test_an_sdk_that_adds_up_otherwise_is_refused() -> None:
    class Stop:
        type = "text"

        def model_dump(self, **_: Any) -> dict[str, Any]:
            return {"type": "message_start"}

    from guardrail.sdk.anthropic import _adder

    with pytest.raises(TypeError, match="does not know how"):
        _adder(Stop())
