from __future__ import annotations

import json
from typing import Any

import pytest

from guardrail.wire import anthropic, gemini, ollama, openai_chat, openai_responses, openai_text
from guardrail.wire.request import InputText, ModelRequest
from tests.wire import anthropic_client, chat, gemini_client, ollama_client
from tests.wire.openai_responses_client import read as read_response

TEXT = "Help is near: call 112.\nYou are not alone."


def whole(said: bytes) -> dict[str, Any]:
    value = json.loads(said)
    assert value["guardrail"] == {"case_id": "g-1", "action": "answer"}
    return dict(value)


def test_chat_completions_say_it_in_every_choice() -> None:
    request = ModelRequest("m", n=2)
    value = whole(openai_chat.PROTOCOL.say(request, TEXT, "g-1").body)
    assert [(c["index"], c["message"]["content"], c["finish_reason"]) for c in value["choices"]] == [
        (0, TEXT, "stop"),
        (1, TEXT, "stop"),
    ]
    said = openai_chat.PROTOCOL.say(ModelRequest("m", stream=True, n=2, include_usage=True), TEXT, "g-1")
    assert (said.status, said.media_type) == (200, "text/event-stream")
    reply = chat.read(said.body)
    assert (reply.text(), reply.text(index=1), reply.finishes) == (TEXT, TEXT, {0: "stop", 1: "stop"})
    assert reply.done
    assert reply.usage == {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


def test_where_json_was_asked_for_it_is_a_refusal() -> None:
    for stream in (False, True):
        request = ModelRequest("m", stream=stream, json_output=True)
        said = openai_chat.PROTOCOL.say(request, TEXT, "g-1").body
        if stream:
            assert (chat.read(said).text("refusal"), chat.read(said).text()) == (TEXT, "")
        else:
            message = whole(said)["choices"][0]["message"]
            assert (message["refusal"], message["content"]) == (TEXT, None)
        said = openai_responses.PROTOCOL.say(request, TEXT, "g-1").body
        final = read_response(said).final if stream else whole(said)
        assert final is not None
        assert final["output"][0]["content"] == [{"type": "refusal", "refusal": TEXT}]
        said = anthropic.PROTOCOL.say(request, TEXT, "g-1").body
        stop = anthropic_client.read(said).stop if stream else whole(said)
        assert (stop["stop_reason"], stop["stop_details"]["explanation"]) == ("refusal", TEXT)


def test_completions() -> None:
    value = whole(openai_text.PROTOCOL.say(ModelRequest("m"), TEXT, "g-1").body)
    assert value["choices"][0]["text"] == TEXT
    reply = chat.read(openai_text.PROTOCOL.say(ModelRequest("m", stream=True), TEXT, "g-1").body)
    assert (reply.text("text"), reply.finishes, reply.done) == (TEXT, {0: "stop"}, True)


def test_responses() -> None:
    value = whole(openai_responses.PROTOCOL.say(ModelRequest("m"), TEXT, "g-1").body)
    assert value["output"][0]["content"][0]["text"] == TEXT
    reply = read_response(openai_responses.PROTOCOL.say(ModelRequest("m", stream=True), TEXT, "g-1").body)
    assert (reply.output_text, reply.ending) == (TEXT, "completed")
    assert reply.numbers == list(range(9))


def test_anthropic() -> None:
    value = whole(anthropic.PROTOCOL.say(ModelRequest("m"), TEXT, "g-1").body)
    assert (value["content"], value["stop_reason"]) == ([{"type": "text", "text": TEXT}], "end_turn")
    reply = anthropic_client.read(anthropic.PROTOCOL.say(ModelRequest("m", stream=True), TEXT, "g-1").body)
    assert (reply.texts(), reply.stop_reason, reply.done) == (TEXT, "end_turn", True)


def test_gemini() -> None:
    value = whole(gemini.PROTOCOL.say(ModelRequest("m", n=2), TEXT, "g-1").body)
    assert [candidate["content"]["parts"][0]["text"] for candidate in value["candidates"]] == [TEXT, TEXT]
    reply = gemini_client.read(gemini.PROTOCOL.say(ModelRequest("m", stream=True), TEXT, "g-1").body)
    assert (reply.text(), reply.finishes) == (TEXT, {0: "STOP"})
    array = gemini.PROTOCOL.say(ModelRequest("m", stream=True, array=True), TEXT, "g-1")
    assert array.media_type == "application/json"
    assert gemini_client.read_array(array.body).text() == TEXT


@pytest.mark.parametrize(("place", "key"), [("messages", "content"), ("prompt", "response")])
def test_ollama_says_it_at_either_path(place: str, key: str) -> None:
    asked = (InputText((place,), "user", 0, "hi"),)
    value = whole(ollama.PROTOCOL.say(ModelRequest("m", inputs=asked), TEXT, "g-1").body)
    assert (value.get("message") or value)[key] == TEXT
    said = ollama.PROTOCOL.say(ModelRequest("m", stream=True, inputs=asked), TEXT, "g-1")
    assert said.media_type == "application/x-ndjson"
    reply = ollama_client.read(said.body)
    assert (reply.text(key), reply.reason) == (TEXT, "stop")
