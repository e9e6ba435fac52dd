"""What is read of a request of Ollama's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from guardrail.errors import WireError
from guardrail.wire.ollama_request import read_request
from guardrail.wire.request import InputText, ModelRequest

CHAT, GENERATE = "/api/chat", "/api/generate"


def read(value: dict[str, Any], target: str = CHAT) -> ModelRequest:
    return read_request(json.dumps(value).encode(), target)


def test_a_chat() -> None:
    request = read(
        {
            "model": "llama3.2",
            "messages": [
                {"role": "system", "content": "Be kind."},
                {"role": "user", "content": "Hi", "images": ["aGk="]},
                {"role": "assistant", "content": "Well", "thinking": "Hm", "tool_calls": []},
                {"role": "tool", "content": "12", "tool_name": "f"},
                {"role": "user", "content": "Why?"},
            ],
            "options": {"num_predict": 3},
        }
    )
    assert (request.model, request.stream, request.n, request.json_output) == ("llama3.2", True, 1, False)
    assert (request.instructions, request.prompt) == (("Be kind.",), "Why?")
    assert [(said.path, said.role, said.turn) for said in request.inputs] == [
        (("messages", 0, "content"), "system", 0),
        (("messages", 1, "content"), "user", 1),
        (("messages", 2, "thinking"), "assistant", 2),
        (("messages", 2, "content"), "assistant", 2),
        (("messages", 3, "content"), "tool", 3),
        (("messages", 4, "content"), "user", 4),
    ]


def test_a_prompt() -> None:
    request = read({"model": "m", "system": "Be kind.", "prompt": "def f(", "suffix": "return x"}, GENERATE + "?a=1")
    assert request.inputs == (
        InputText(("system",), "system", 0, "Be kind."),
        InputText(("prompt",), "user", 2, "def f("),
        InputText(("suffix",), "user", 2, "return x"),
    )
    assert (request.instructions, request.prompt) == (("Be kind.",), "def f(\nreturn x")


def test_a_model_is_loaded_by_a_request_without_text() -> None:
    for target in (CHAT, GENERATE):
        assert read({"model": "m"}, target) == ModelRequest(model="m", stream=True)
    assert read({"model": "m", "messages": [], "keep_alive": 0}).inputs == ()


@pytest.mark.parametrize(
    ("wants", "is_json"), [(None, False), ("", False), ("json", True), ({"type": "object"}, True), ({}, False)]
)
def test_json_is_asked_for(wants: object, is_json: bool) -> None:
    assert read({"format": wants}).json_output == is_json


@pytest.mark.parametrize(("said", "streams"), [({}, True), ({"stream": None}, True), ({"stream": False}, False)])
def test_an_answer_streams_unless_it_is_told_not_to(said: dict[str, Any], streams: bool) -> None:
    assert read(said).stream == streams


@pytest.mark.parametrize(
    ("body", "target", "message"),
    [
        (b"{", CHAT, "not valid JSON"),
        (b"[]", CHAT, "must be a JSON object"),
        (b'{"model":"a","model":"b"}', CHAT, "same key twice"),
        (b'{"messages":"hi"}', CHAT, "'messages' must be an array"),
        (b'{"prompt":["hi"]}', GENERATE, "'prompt' must be a string"),
        (b'{"stream":"false"}', GENERATE, "'stream' must be a boolean"),
    ],
)
def test_what_is_no_request_is_refused(body: bytes, target: str, message: str) -> None:
    with pytest.raises(WireError, match=message):
        read_request(body, target)
