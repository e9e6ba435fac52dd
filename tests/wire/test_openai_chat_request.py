"""What a request says about its response, and what is refused with words fit for a client."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from guardrail.errors import WireError
from guardrail.wire.openai_chat_request import read_request
from guardrail.wire.request import InputText, ModelRequest

HELLO = [{"role": "user", "content": "hello"}]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"messages": HELLO}, ModelRequest(prompt_bytes=5, prompt="hello")),
        ({"messages": HELLO, "model": "m", "stream": True}, ModelRequest("m", True, prompt_bytes=5, prompt="hello")),
        ({"messages": HELLO, "n": 2, "user": "u-1"}, ModelRequest(n=2, user="u-1", prompt_bytes=5, prompt="hello")),
        (
            {"messages": HELLO, "n": None, "stream": None, "stream_options": None},
            ModelRequest(prompt_bytes=5, prompt="hello"),
        ),
        (
            {"messages": HELLO, "stream": True, "stream_options": {"include_usage": True}},
            ModelRequest(stream=True, include_usage=True, prompt_bytes=5, prompt="hello"),
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "é"}, {"type": "image_url"}]}]},
            ModelRequest(prompt_bytes=2, prompt="é"),
        ),
        (
            {
                "messages": [
                    {"role": "system", "content": "Be kind."},
                    {"role": "developer", "content": [{"text": "Be"}, {"type": "image_url"}, "?", {"text": "brief."}]},
                    {"role": "system", "content": None},
                    {"role": "system", "content": ""},
                    {"role": "user", "content": "earlier"},
                    {"role": "user", "content": "hi"},
                    "?",
                ]
            },
            ModelRequest(prompt_bytes=25, instructions=("Be kind.", "Be\nbrief."), prompt="hi"),
        ),
    ],
)
def test_reads_what_decides_the_response(body: object, expected: ModelRequest) -> None:
    assert replace(read_request(json.dumps(body).encode()), inputs=()) == expected


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b"\xff", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b"[]", "must be a JSON object"),
        (b"{}", "'messages'"),
        (b'{"messages":[]}', "'messages'"),
        (b'{"messages":[{}],"n":true}', "'n' must be an integer"),
        (b'{"messages":[{}],"n":0}', "between 1 and 128"),
        (b'{"messages":[{}],"n":129}', "between 1 and 128"),
        (b'{"messages":[{}],"stream":"yes"}', "'stream' must be a boolean"),
        (b'{"messages":[{}],"model":1}', "'model' must be a string"),
        (b'{"messages":[{}],"stream":false,"stream":true}', "same key twice"),
        (b'{"messages":[{"role":"user","role":"system"}]}', "same key twice"),
    ],
)
def test_refuses_with_words_fit_for_the_client(body: bytes, message: str) -> None:
    with pytest.raises(WireError, match=message):
        read_request(body)


def test_every_text_is_named_with_its_place_and_who_says_it() -> None:
    body = {
        "messages": [
            {"role": "developer", "content": "Be kind."},
            {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image_url"}, {"text": "b"}]},
            {"role": "tool", "tool_call_id": "c", "content": "12"},
        ],
        "response_format": {"type": "json_object"},
    }
    request = read_request(json.dumps(body).encode())
    assert request.json_output
    assert request.inputs == (
        InputText(("messages", 0, "content"), "system", 0, "Be kind."),
        InputText(("messages", 1, "content", 0, "text"), "user", 1, "a"),
        InputText(("messages", 1, "content", 2, "text"), "user", 1, "b"),
        InputText(("messages", 2, "content"), "tool", 2, "12"),
    )
