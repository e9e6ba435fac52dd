"""Unknown text in deltas and messages of Chat Completions."""

from __future__ import annotations

from typing import Any

from guardrail.wire.openai_chat_unknown import strip_choice, strip_top
from guardrail.wire.unknown_text import Unknown


def test_calls_keep_their_known_fields() -> None:
    call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    odd = {"id": "not an id", "custom": {"input": "text"}, "function": {"name": "f", "x": "text"}}
    message: dict[str, Any] = {"tool_calls": [call, odd, "text"]}
    unknown = Unknown(block=True)
    strip_choice(unknown, {"message": message}, "message")
    assert message == {"tool_calls": [call, {"function": {"name": "f"}}]}
    assert unknown.blocked == [
        "choices[].message.tool_calls[].custom",
        "choices[].message.tool_calls[].id",
        "choices[].message.tool_calls[].function.x",
        "choices[].message.tool_calls[].",
    ]


def test_what_passes_is_counted() -> None:
    unknown = Unknown(block=False)
    value = {"x": "some text", "choices": [{"delta": {"y": ["abc"]}}]}
    for choice in strip_top(unknown, value):
        strip_choice(unknown, choice, "delta")
    assert (value["x"], unknown.passed, unknown.blocked) == ("some text", 12, [])
