"""One choice: its channels end together."""

from __future__ import annotations

from guardrail.text.scanner import compile_rules
from guardrail.wire.openai_chat_choice import Choice
from guardrail.wire.openai_chat_halt import Stop
from tests.wire.chat import event, halt, read, redact

RULES = compile_rules([redact("secret"), halt("forbidden")])


def choice(index: int, **texts: str) -> Choice:
    made = Choice(index)
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
    assert it.stop_of(halted.channel) == Stop(6, 6, 6)
    assert it.stop_of("choices[1].tool_calls[0].function.arguments") == Stop(len("my [X]"))
    assert it.settle(items) is None
