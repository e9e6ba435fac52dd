"""What all requests have in common: their texts, and how they are edited."""

from __future__ import annotations

import json

import pytest

from guardrail.errors import WireError
from guardrail.wire import anthropic, gemini, ollama, openai_chat, openai_responses, openai_text
from guardrail.wire.protocol import Protocol
from guardrail.wire.request import InputText, ModelRequest, optional, read_object, token_cap, told, with_texts


def test_the_newest_user_turn_is_the_prompt_and_system_turns_are_instructions() -> None:
    inputs = (
        InputText(("system",), "system", -1, "Be kind."),
        InputText(("m", 0), "user", 0, "first"),
        InputText(("m", 1), "user", 1, "é"),
        InputText(("m", 2), "user", 1, "b"),
        InputText(("m", 3), "assistant", 2, "c"),
    )
    request = ModelRequest(**told(inputs))
    assert (request.prompt, request.instructions, request.prompt_bytes) == ("é\nb", ("Be kind.",), 17)
    assert request.prompt_tokens == 5
    assert request.inputs == inputs
    assert ModelRequest(**told(())) == ModelRequest()


def test_texts_are_edited_in_their_place() -> None:
    body = b'{"messages": [{"role": "user", "content": [{"text": "a"}, {"n": 1.50}]}], "model": "m"}'
    edited = with_texts(body, {("messages", 0, "content", 0, "text"): "[X]", ("model",): "n"})
    assert json.loads(edited) == {
        "messages": [{"role": "user", "content": [{"text": "[X]"}, {"n": 1.5}]}],
        "model": "n",
    }


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b"[]", b'{"a":1,"a":2}', b'{"a":{"b":1,"b":1}}'])
def test_what_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(WireError):
        read_object(body)


def test_a_field_of_another_kind_is_refused() -> None:
    assert optional({"n": None}, "n", int, "an integer") is None
    for odd in (True, "1", 1.0):
        with pytest.raises(WireError, match=r"^'n' must be an integer\.$"):
            optional({"n": odd}, "n", int, "an integer")


MESSAGES = b'"messages": [{"role": "user", "content": "Hi"}]'
CONTENTS = b'"contents": [{"parts": [{"text": "Hi"}]}]'
ASKED: list[tuple[Protocol, str, bytes, int | None, str]] = [
    (openai_chat.PROTOCOL, "/v1/chat/completions", MESSAGES, None, ""),
    (openai_chat.PROTOCOL, "/v1/chat/completions", MESSAGES + b', "max_tokens": 5, "user": "ann"', 5, "ann"),
    (
        openai_chat.PROTOCOL,
        "/v1/chat/completions",
        MESSAGES + b', "max_tokens": 5, "max_completion_tokens": 7, "user": "ann", "safety_identifier": "bob"',
        7,
        "bob",
    ),
    (openai_text.PROTOCOL, "/v1/completions", b'"prompt": "Hi", "max_tokens": 9, "user": "ann"', 9, "ann"),
    (
        openai_responses.PROTOCOL,
        "/v1/responses",
        b'"input": "Hi", "max_output_tokens": 3, "safety_identifier": "ann"',
        3,
        "ann",
    ),
    (
        anthropic.PROTOCOL,
        "/v1/messages",
        MESSAGES + b', "max_tokens": 4, "metadata": {"user_id": "ann"}',
        4,
        "ann",
    ),
    (
        gemini.PROTOCOL,
        "/v1beta/models/m:generateContent",
        CONTENTS + b', "generationConfig": {"maxOutputTokens": 6}',
        6,
        "",
    ),
    (
        gemini.PROTOCOL,
        "/v1beta/models/m:generateContent",
        CONTENTS + b', "generation_config": {"max_output_tokens": 6}',
        6,
        "",
    ),
    (ollama.PROTOCOL, "/api/chat", MESSAGES + b', "options": {"num_predict": 8}', 8, ""),
    (ollama.PROTOCOL, "/api/chat", MESSAGES + b', "options": {"num_predict": -1}', None, ""),
]


@pytest.mark.parametrize(("protocol", "path", "fields", "most", "user"), ASKED)
def test_who_asks_and_for_how_much(protocol: Protocol, path: str, fields: bytes, most: int | None, user: str) -> None:
    asked = protocol.read_request(b"{" + fields + b"}", path)
    assert (asked.max_tokens, asked.user) == (most, user)


def test_a_cap_that_is_none_is_left_to_the_upstream() -> None:
    for value in (None, True, "5", -1, 2**60, [5]):
        assert token_cap({"max_tokens": value}, "max_tokens") is None
    assert token_cap({"a": None, "b": 5.0}, "a", "b") == 5
