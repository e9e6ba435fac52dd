"""Responses requests: what is read, what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from guardrail.errors import WireError
from guardrail.wire.openai_responses_request import read_request
from guardrail.wire.request import ModelRequest, with_texts


def ask(**fields: Any) -> ModelRequest:
    return read_request(json.dumps({"model": "m", "input": "hi", **fields}).encode(), "/v1/responses")


def test_what_is_read() -> None:
    said = ask(stream=True, instructions="Be kind.", safety_identifier="u1", user="u2")
    assert (said.model, said.stream, said.user, said.prompt) == ("m", True, "u1", "hi")
    assert said.instructions == ("Be kind.",)
    assert said.prompt_bytes == len("hiBe kind.")
    assert not said.json_output


@pytest.mark.parametrize("kind", ["json_schema", "json_object"])
def test_json_output(kind: str) -> None:
    assert ask(text={"format": {"type": kind}}).json_output


ITEMS: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
    ({"role": "user", "content": "a"}, [("user", "a")]),
    ({"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "a"}]}, [("system", "a")]),
    (
        {"role": "assistant", "content": [{"type": "output_text", "text": "a"}, {"type": "refusal", "refusal": "r"}]},
        [("assistant", "a"), ("assistant", "r")],
    ),
    (
        {
            "role": "user",
            "content": [{"type": "input_image", "image_url": "data:…"}, {"type": "input_text", "text": "a"}],
        },
        [("user", "a")],
    ),
    (
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        [("assistant", "f"), ("assistant", "{}")],
    ),
    ({"type": "function_call_output", "call_id": "c", "output": "a"}, [("tool", "a")]),
    (
        {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "a"}]},
        [("tool", "a")],
    ),
    ({"type": "custom_tool_call_output", "output": "a"}, [("tool", "a")]),
    (
        {"type": "reasoning", "id": "rs", "summary": [{"type": "summary_text", "text": "a"}], "encrypted_content": "x"},
        [("assistant", "a")],
    ),
    ({"type": "mcp_call", "arguments": "{}", "output": "a"}, [("assistant", "{}"), ("tool", "a")]),
    ({"type": "shell_call_output", "output": [{"stdout": "a", "stderr": "b"}]}, [("tool", "a"), ("tool", "b")]),
    ({"type": "item_reference", "id": "msg_1"}, []),
]


@pytest.mark.parametrize(("item", "texts"), ITEMS)
def test_every_text_that_the_model_reads(item: dict[str, Any], texts: list[tuple[str, str]]) -> None:
    body = json.dumps({"input": [item]}).encode()
    said = read_request(body, "/v1/responses")
    assert [(text.role, text.text) for text in said.inputs] == texts
    edited = json.loads(with_texts(body, {text.path: "[X]" for text in said.inputs}))
    assert json.dumps(edited).count("[X]") == len(texts)


def test_the_variables_of_a_stored_prompt_are_the_users() -> None:
    variables = {"city": "Oslo", "note": {"type": "input_text", "text": "a"}, "picture": {"type": "input_image"}}
    body = json.dumps({"prompt": {"id": "pmpt_1", "variables": variables}}).encode()
    said = read_request(body, "/v1/responses")
    assert [(text.path, text.role, text.text) for text in said.inputs] == [
        (("prompt", "variables", "city"), "user", "Oslo"),
        (("prompt", "variables", "note", "text"), "user", "a"),
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"{}",
        b'{"input":1}',
        b'{"input":"a","model":1}',
        b'{"input":"a","stream":"yes"}',
        b'{"input":"a","input":"b"}',
    ],
)
def test_what_is_no_request(body: bytes) -> None:
    with pytest.raises(WireError):
        read_request(body, "/v1/responses")


@pytest.mark.parametrize("query", ["", "?include[]=reasoning.encrypted_content", "?stream=false"])
def test_an_answer_is_fetched(query: str) -> None:
    assert read_request(b"", f"/v1/responses/resp_1{query}") == ModelRequest()
    assert read_request(b"{}", f"/v1/responses/resp_1/cancel{query}") == ModelRequest()


@pytest.mark.parametrize("query", ["?stream=true", "?stream=True&starting_after=3", "?st%72eam=1", "?starting_after=3"])
def test_a_stream_cannot_be_taken_up_again(query: str) -> None:
    with pytest.raises(WireError, match="cannot be guarded"):
        read_request(b"", f"/v1/responses/resp_1{query}")
