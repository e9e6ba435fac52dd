"""What is read of a Messages request."""

from __future__ import annotations

import json
from typing import Any

import pytest

from guardrail.errors import WireError
from guardrail.wire.anthropic_request import read_request
from guardrail.wire.request import ModelRequest, with_texts


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said}


ASK = {"role": "user", "content": "Hello?"}


def read(**fields: Any) -> ModelRequest:
    return read_request(json.dumps({"model": "m", "max_tokens": 9, "messages": [ASK], **fields}).encode())


def test_the_fields_that_decide() -> None:
    request = read(stream=True, metadata={"user_id": "u-1"}, system="Be kind.")
    assert (request.model, request.stream, request.user) == ("m", True, "u-1")
    assert (request.instructions, request.prompt) == (("Be kind.",), "Hello?")
    assert request.prompt_bytes == len("Be kind.Hello?")
    assert not request.json_output
    assert read(output_config={"format": {"type": "json_schema"}}).json_output
    assert read(output_format={"type": "json_schema"}).json_output


def test_every_text_that_the_model_reads_is_an_input() -> None:
    messages = [
        {"role": "user", "content": [text("Look:"), {"type": "image", "source": {"type": "base64", "data": "YWI="}}]},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": "YWI="},
                {"type": "tool_use", "id": "t", "name": "f", "input": {"q": ["x y"]}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "t", "content": [text("found")]},
                {"type": "tool_result", "tool_use_id": "t", "content": "more"},
                {"type": "document", "title": "T", "context": "C", "source": {"type": "text", "data": "long text"}},
                {"type": "document", "source": {"type": "content", "content": [text("part")]}},
                {"type": "search_result", "source": "s", "title": "R", "content": [text("hit")]},
                text("So?"),
            ],
        },
    ]
    request = read(
        system=[{"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}], messages=messages
    )
    assert [(said.role, said.turn, said.text) for said in request.inputs] == [
        ("system", 0, "Be kind."),
        ("user", 1, "Look:"),
        ("assistant", 2, "hm"),
        ("assistant", 2, "x y"),
        ("tool", 3, "found"),
        ("tool", 3, "more"),
        *(("user", 4, text) for text in ("T", "C", "long text", "part", "s", "R", "hit", "So?")),
    ]
    assert request.prompt == "T\nC\nlong text\npart\ns\nR\nhit\nSo?"


def test_every_input_can_be_edited_where_it_stands() -> None:
    body = json.dumps(
        {"system": "a", "messages": [{"role": "user", "content": [{"type": "text", "text": "b"}]}]}
    ).encode()
    inputs = read_request(body).inputs
    edited = json.loads(with_texts(body, {said.path: said.text.upper() for said in inputs}))
    assert edited == {"system": "A", "messages": [{"role": "user", "content": [{"type": "text", "text": "B"}]}]}


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"[]", b"{}", b'{"messages":[]}', b'{"messages":"a"}', b'{"messages":[1],"model":1}'),
        *(b'{"messages":[1],"stream":"a"}', b'{"messages":[1],"messages":[2]}', b'{"messages":[1],"metadata":"a"}'),
    ],
)
def test_what_is_no_request_is_refused(body: bytes) -> None:
    with pytest.raises(WireError):
        read_request(body)


def test_what_it_does_not_look_at_may_be_anything() -> None:
    assert read(messages=[1, {"role": 5, "content": [None, {"type": []}, {"text": 1}]}], system=3).inputs == ()
