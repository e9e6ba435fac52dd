"""One choice: its channels end together."""

from __future__ import annotations

import json

import pytest

from guardrail.errors import WireError
from guardrail.text.scanner import compile_rules
from guardrail.wire.choice import Choice
from guardrail.wire.halt import Stop
from guardrail.wire.openai_chat_chunk import with_text
from guardrail.wire.tool_calls import ToolCalls
from guardrail.wire.whole_text import Verdicts
from tests.wire.chat import call, event, halt, read, redact

RULES = compile_rules([redact("secret"), halt("forbidden")])


def choice(index: int, **texts: str) -> Choice:
    made = Choice(index, with_text)
    for order, (key, text) in enumerate(texts.items()):
        made.channel(RULES, key).take(event({key: text}, index=index), text, order)
    return made


def test_channels_have_paths() -> None:
    it = choice(2, content="a")
    assert it.channel(RULES, "content") is it.channels["content"]
    assert it.channels["content"].scanner.channel == "choices[2].content"


def test_all_channels_settle_and_the_first_halt_counts() -> None:
    it = choice(1, reasoning="is it forbidden", content="my secret", refusal="forbidden")
    items: list[tuple[int, bytes]] = []
    halted = it.settle(items)
    assert halted is not None
    assert halted.channel == "choices[1].reasoning"
    assert [read(raw).texts for _, raw in sorted(items)] == [{(1, "reasoning"): "is it "}, {(1, "content"): "my [X]"}]
    assert it.stop_of(halted.channel, "content") == Stop(6, 6, 6)
    assert it.stop_of("choices[1].tool_calls[0].function.arguments", "content") == Stop(len("my [X]"))
    assert it.settle(items) is None


def calls(raw: bytes) -> ToolCalls:
    made = ToolCalls(0)
    value = json.loads(raw[6:])
    made.take(raw, value, value["choices"][0]["delta"])
    return made


def test_a_part_is_settled_and_closed_by_itself() -> None:
    it = choice(0, **{"out[0].text": "a sec", "out[10].text": "b sec"})
    items: list[tuple[int, bytes]] = []
    assert it.settle(items, "out[0]") is None
    assert len(items) == 1
    assert [channel.key for channel in it.close("out[0]")] == ["out[0].text"]
    assert list(it.channels) == ["out[10].text"]
    for key in ("out[0]", "out[0].text", "out[0].more"):
        with pytest.raises(WireError, match="that it had ended"):
            it.channel(RULES, key)
    assert it.channel(RULES, "out[1]").key == "out[1]"
    assert it.known("out[0].text") is it.past[0]
    assert it.known("out[10].text") is it.channels["out[10].text"]
    assert it.known("out[0].more") is None


def test_when_one_withheld_part_halts_none_is_delivered() -> None:
    it = choice(0)
    first, second = calls(call("{}", name="f")), calls(call('"forbidden"', name="g"))
    assert it.part("a", first) is first
    assert it.part("a", second) is first
    it.part("b", second)
    released = it.release(RULES, Verdicts())
    assert released is not None
    events, halted = released
    assert (events, halted and halted.rule) == ([], "halt")
    it.drop_withheld()
    assert (second.removed, first.dropped, len(it.over)) == (second.received, first.received, 2)


def test_parts_are_released_one_by_one() -> None:
    it = choice(0)
    it.part("a[0]", calls(call("{}", name="f")))
    it.part("a[1]", calls(call("[]", name="f")))
    released = it.release(RULES, Verdicts(), "a[1]")
    assert released == ([call("[]", name="f")], None)
    assert list(it.withheld) == ["a[0]"]
