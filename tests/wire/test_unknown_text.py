"""What counts as text in a shape that nobody knows."""

from __future__ import annotations

from typing import Any

import pytest

from guardrail.wire.unknown_text import Unknown, is_opaque, is_prose, strings


def test_strings_at_any_depth() -> None:
    assert sorted(strings({"a": ["b", {"c": "d"}], "e": 1, "f": None})) == [
        ("a", True),
        ("b", False),
        ("c", True),
        ("d", False),
        ("e", True),
        ("f", True),
    ]


@pytest.mark.parametrize(
    ("text", "prose"), [("", False), ("req_01", False), ("a b", True), (" a", True), ("a" * 65, True), ("隐", True)]
)
def test_prose(text: str, prose: bool) -> None:
    assert is_prose(text) == prose


@pytest.mark.parametrize(
    ("value", "opaque"), [("", True), ("Ab+/-_==", True), ("a b", False), ("é", False), ("a=b", False), (1, False)]
)
def test_what_only_its_server_can_read_is_base64(value: object, opaque: bool) -> None:
    assert is_opaque(value) == opaque


@pytest.mark.parametrize("value", [None, 1, 1.5, True, "", [], {}, [None, 2], {"a": {"b": ""}}])
def test_what_is_no_text_stays(value: Any) -> None:
    unknown = Unknown(block=True)
    choice = {"delta": {"x": value}, "y": value}
    unknown.strip_choice(choice, "delta")
    assert choice == {"delta": {"x": value}, "y": value}
    assert unknown.blocked == []


def test_calls_keep_their_known_fields() -> None:
    call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    odd = {"id": "not an id", "custom": {"input": "text"}, "function": {"name": "f", "x": "text"}}
    message: dict[str, Any] = {"tool_calls": [call, odd, "text"]}
    unknown = Unknown(block=True)
    unknown.strip_choice({"message": message}, "message")
    assert message == {"tool_calls": [call, {"function": {"name": "f"}}]}
    assert unknown.blocked == [
        "choices[].message.tool_calls[].custom",
        "choices[].message.tool_calls[].id",
        "choices[].message.tool_calls[].function.x",
        "choices[].message.tool_calls[].",
    ]


def test_paths_do_not_repeat_text() -> None:
    unknown = Unknown(block=True)
    value = {"my secret key": "x"}
    unknown.strip_top(value)
    assert (value, unknown.blocked) == ({}, ["?"])


def test_what_passes_is_counted() -> None:
    unknown = Unknown(block=False)
    value = {"x": "some text", "choices": [{"delta": {"y": ["abc"]}}]}
    for choice in unknown.strip_top(value):
        unknown.strip_choice(choice, "delta")
    assert (value["x"], unknown.passed, unknown.blocked) == ("some text", 12, [])
