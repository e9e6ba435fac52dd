"""The items of a response: their texts, and what is no known shape in them."""

from __future__ import annotations

from typing import Any

import pytest

from guardrail.errors import WireError
from guardrail.wire.openai_responses_item import (
    MAX_INDEX,
    ItemText,
    Kind,
    index,
    item_texts,
    joined_text,
    reason_of,
    strip_item,
    strip_response,
)
from guardrail.wire.unknown_text import Unknown

NOTE = {"type": "url_citation", "title": "t"}

TEXTS: list[tuple[dict[str, Any], dict[str, str]]] = [
    (
        {
            "type": "message",
            "content": [
                {"type": "output_text", "text": "a", "annotations": [NOTE]},
                {"type": "refusal", "refusal": "b"},
            ],
        },
        {"o.content[0].text": "text", "o.content[0].annotations[0]": "whole", "o.content[1].refusal": "text"},
    ),
    (
        {
            "type": "reasoning",
            "content": [{"type": "reasoning_text", "text": "b"}],
            "summary": [{"type": "summary_text", "text": "a"}],
        },
        {"o.summary[0].text": "text", "o.content[0].text": "text"},
    ),
    (
        {"type": "function_call", "arguments": "{}", "name": "f", "call_id": "c"},
        {"o.name": "name", "o.arguments": "whole"},
    ),
    ({"type": "custom_tool_call", "input": "x", "name": "f"}, {"o.name": "name", "o.input": "whole"}),
    (
        {"type": "mcp_call", "server_label": "s", "output": "x", "error": {"message": "m"}},
        {"o.server_label": "name", "o.output": "whole", "o.error": "whole"},
    ),
    (
        {"type": "code_interpreter_call", "code": "x", "outputs": [{"type": "logs", "logs": "l"}]},
        {"o.code": "whole", "o.outputs": "whole"},
    ),
    ({"type": "web_search_call", "action": {"query": "q"}}, {"o.action": "whole"}),
    ({"type": "file_search_call", "queries": ["q"], "results": None}, {"o.queries": "whole"}),
    (
        {"type": "computer_call", "action": {"type": "type", "text": "t"}, "pending_safety_checks": []},
        {"o.action": "whole"},
    ),
    ({"type": "local_shell_call", "action": {"command": ["ls"]}}, {"o.action": "whole"}),
    ({"type": "shell_call", "action": {"commands": ["ls"]}}, {"o.action": "whole"}),
    ({"type": "apply_patch_call", "operation": {"diff": "d"}}, {"o.operation": "whole"}),
    ({"type": "image_generation_call", "revised_prompt": "p", "result": None}, {"o.revised_prompt": "whole"}),
    ({"type": "nobody_knows", "text": "t"}, {}),
    ({"type": ["message"]}, {}),
]


@pytest.mark.parametrize(("item", "texts"), TEXTS)
def test_where_texts_stand(item: dict[str, Any], texts: dict[str, str]) -> None:
    assert {text.path: text.kind.value for text in item_texts(item, "o")} == texts


UNKNOWN: list[tuple[dict[str, Any], list[str]]] = [
    ({"type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "phase": "final_answer"}, []),
    ({"type": "message", "id": "an id with blanks"}, ["i.id"]),
    ({"type": "message", "id": "Zm9v" * 100}, []),
    ({"type": "message", "more": "x"}, ["i.more"]),
    ({"type": "message", "content": "not a list"}, ["i.content"]),
    (
        {"type": "message", "content": ["no part", {"type": "output_text", "text": ["x"], "more": "x"}]},
        ["i.content[].", "i.content[].more", "i.content[].text"],
    ),
    ({"type": "message", "content": [{"type": "new", "words": "x"}]}, ["i.content[].words"]),
    ({"type": "reasoning", "encrypted_content": "gAAA-_" * 50 + "=="}, []),
    ({"type": "reasoning", "encrypted_content": "not opaque"}, ["i.encrypted_content"]),
    ({"type": "image_generation_call", "result": "aGk=", "size": "1024x1024"}, ["i.result"]),
    ({"type": "function_call", "name": ["f"]}, ["i.name"]),
    ({"type": "function_call", "caller": {"type": "program", "caller_id": "c"}}, []),
    ({"type": "new_call", "arguments": "x", "count": 1}, ["i.arguments"]),
    ({"type": "web_search_call", "action": {"query": "any words"}}, []),
    ({"type": "message", "action": {"query": "x"}}, ["i.action"]),
]


@pytest.mark.parametrize(("item", "blocked"), UNKNOWN)
def test_what_is_taken_out(item: dict[str, Any], blocked: list[str]) -> None:
    unknown = Unknown(True)
    strip_item(item, "i", unknown)
    assert sorted(unknown.blocked) == sorted(blocked)
    passed = Unknown(False)
    strip_item(item, "i", passed)
    assert passed.passed == 0


def test_a_text_that_is_put_takes_its_log_probabilities_away() -> None:
    part: dict[str, Any] = {"text": "a", "logprobs": [{"token": "a"}]}
    text = ItemText(part, "text", "p", Kind.TEXT)
    text.put("a")
    assert part["logprobs"]
    text.put("b")
    assert part == {"text": "b", "logprobs": []}


def test_a_value_is_put_as_json() -> None:
    item = {"action": {"query": "a"}}
    text = ItemText(item, "action", "p", Kind.WHOLE)
    assert text.raw == '{"query":"a"}'
    assert not text.differs(text.raw)
    text.put('{"query":"[X]"}')
    assert item == {"action": {"query": "[X]"}}


def test_names_of_the_server_that_hold_what_a_rule_removes_are_taken_out() -> None:
    response: dict[str, Any] = {"id": "resp_secret", "model": "the secret one", "created_at": "a day", "tools": ["a b"]}
    response["usage"] = {"output_tokens": 1, "note": "it is secret"}
    unknown = Unknown(False)
    strip_response(response, unknown, lambda text: "secret" not in text, final=True)
    assert unknown.blocked == ["response.model", "response.usage"]
    assert response == {"id": "resp_secret", "created_at": "a day", "tools": ["a b"]}


def test_a_response_that_still_grows_shows_no_output() -> None:
    response: dict[str, Any] = {"id": "r", "output": [{"type": "message"}], "instructions": "any words", "words": "x"}
    unknown = Unknown(True)
    strip_response(response, unknown, lambda text: True, final=False)
    assert (response["output"], unknown.blocked) == ([], ["response.words", "response.output"])


def test_what_ended_a_response() -> None:
    assert reason_of({"status": "completed"}) == "completed"
    assert (
        reason_of({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}})
        == "max_output_tokens"
    )
    assert reason_of({}) is None


def test_the_text_of_a_response_is_that_of_its_messages() -> None:
    part = {"type": "output_text", "text": "a"}
    output = [{"type": "reasoning", "content": [part]}, {"type": "message", "content": [part, None, part]}, 1]
    assert joined_text({"output": output}) == "aa"
    assert joined_text({"output": 1}) == ""


@pytest.mark.parametrize("value", [-1, MAX_INDEX, True, "0", None, 1.0, []])
def test_indexes_that_cannot_be(value: object) -> None:
    with pytest.raises(WireError):
        index(value)
