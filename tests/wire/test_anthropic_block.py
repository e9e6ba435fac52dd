"""What a content block holds, and what passes of it."""

from __future__ import annotations

from typing import Any

import pytest

from guardrail.errors import WireError
from guardrail.wire.anthropic_block import MAX_DEPTH, clean_block, is_result, is_tool, restored, scannable, whole_value
from guardrail.wire.unknown_text import Unknown

KNOWN: list[dict[str, Any]] = [
    {"type": "text", "text": "a b", "citations": None},
    {"type": "thinking", "thinking": "a b", "signature": "YWI="},
    {"type": "redacted_thinking", "data": "YWI="},
    {"type": "tool_use", "id": "toolu_1", "name": "a b", "input": {"a": "b c"}, "caller": {"type": "direct"}},
    {"type": "server_tool_use", "id": "srv_1", "name": "f", "input": {}, "caller": {"type": "x", "tool_id": "srv_0"}},
    {"type": "mcp_tool_use", "id": "mcp_1", "name": "f", "server_name": "s", "input": {}},
    {"type": "web_search_tool_result", "tool_use_id": "srv_1", "content": [{"title": "a b"}]},
    {"type": "mcp_tool_result", "tool_use_id": "mcp_1", "is_error": True, "content": "a b"},
    {"type": "compaction", "content": None, "encrypted_content": "YWI="},
    {"type": "container_upload", "file_id": "file_1"},
    {"type": "fallback", "from": {"model": "m"}, "to": {"model": "n"}, "trigger": {"type": "refusal"}},
]


@pytest.mark.parametrize("block", KNOWN, ids=lambda block: str(block["type"]))
def test_what_is_known_stays(block: dict[str, Any]) -> None:
    unknown = Unknown(block=True)
    now = dict(block)
    clean_block(unknown, now, "b")
    assert (now, unknown.blocked) == (block, [])


@pytest.mark.parametrize(
    ("block", "left"),
    [
        ({"type": "text", "text": ["a"], "more": "b"}, {"type": "text", "text": ""}),
        ({"type": "a b"}, {"type": "text"}),
        ({"type": ["a b"]}, {"type": None}),
        ({"type": "new", "text": "a", "n": 1}, {"type": "new", "n": 1}),
        ({"type": "tool_use", "id": "a b", "name": {"a": "b"}}, {"type": "tool_use", "id": "", "name": ""}),
        ({"type": "tool_use", "caller": {"why": "a b"}}, {"type": "tool_use", "caller": None}),
        ({"type": "thinking", "signature": "a b"}, {"type": "thinking", "signature": ""}),
        ({"type": "redacted_thinking", "data": ["a"]}, {"type": "redacted_thinking", "data": ""}),
        ({"type": "mcp_tool_result", "is_error": "a b"}, {"type": "mcp_tool_result", "is_error": False}),
        ({"type": "text", "text": "", "citations": "a"}, {"type": "text", "text": "", "citations": None}),
    ],
)
def test_what_is_not_is_removed_or_counted(block: dict[str, Any], left: dict[str, Any]) -> None:
    blocked, passed = Unknown(block=True), Unknown(block=False)
    now = dict(block)
    clean_block(blocked, now, "b")
    assert now == left
    assert blocked.blocked
    clean_block(passed, now := dict(block), "b")
    assert now == block
    assert passed.passed > 0


def test_kinds_are_told_by_their_names() -> None:
    assert [is_tool(kind) for kind in ("tool_use", "x_tool_use", "tool_result", None)] == [True, True, False, False]
    assert [is_result(kind) for kind in ("x_tool_result", "tool_use", 1)] == [True, False, False]


VALUE = {
    "type": "document",
    "title": "a secret",
    "file_id": "file_1",
    "source": [{"type": "base64", "data": "c2VjcmV0"}, {"type": "text", "data": "c2VjcmV0"}],
    "encrypted_content": "c2VjcmV0",
    "encrypted_index": "not opaque",
}


def test_what_is_opaque_or_an_id_is_put_back_after_the_scan() -> None:
    assert scannable(VALUE) == {
        "type": None,
        "title": "a secret",
        "file_id": None,
        "source": [{"type": None, "data": None}, {"type": None, "data": "c2VjcmV0"}],
        "encrypted_content": None,
        "encrypted_index": "not opaque",
    }
    assert whole_value(["é"]) == '["é"]'
    edited = {**scannable(VALUE), "title": "[X]"}
    assert restored(edited, VALUE) == {**VALUE, "title": "[X]"}
    assert restored(scannable(VALUE), VALUE) == VALUE


def test_keys_may_be_edited_too() -> None:
    assert restored({"[X]": 1, "id": None}, {"secret": 1, "id": "i"}) == {"[X]": 1, "id": "i"}
    assert restored({"[X]": 2}, {"secret": 1, "forbidden": 2}) == {"[X]": 2}


def test_what_is_nested_too_deep_is_a_fault() -> None:
    value: Any = "x"
    for _ in range(MAX_DEPTH):
        value = [value]
    assert scannable(value) == value
    with pytest.raises(WireError, match="levels"):
        scannable([value])
