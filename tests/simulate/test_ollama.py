"""Ollama's API as the simulated server says it."""

import json
from typing import Any

import pytest

from guardrail.simulate.ollama import CHAT, GENERATE
from guardrail.simulate.script import SKY
from tests.simulate import saying

TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}]


def chat(text: str, **fields: Any) -> dict[str, Any]:
    return {"model": "sim", "messages": [{"role": "user", "content": text}], **fields}


def lines(data: bytes) -> list[dict[str, Any]]:
    assert data.endswith(b"}\n")
    return [json.loads(line) for line in data.splitlines()]


def test_a_chat_is_lines_of_json() -> None:
    *said, end = lines(saying.stream(CHAT, chat("sky")))
    assert list(said[0]) == ["model", "created_at", "message", "done"]
    assert said[0]["created_at"].endswith("Z")
    assert "".join(line["message"]["content"] for line in said) == SKY
    assert {line["done"] for line in said} == {False}
    assert end["message"] == {"role": "assistant", "content": ""}
    assert (end["done"], end["done_reason"], end["eval_count"]) == (True, "stop", -(-len(SKY) // 4))


def test_streams_are_the_default() -> None:
    assert saying.answer(CHAT, chat("sky")).ask.stream
    assert not saying.answer(CHAT, chat("sky", stream=False)).ask.stream


def test_thinking_has_its_own_key() -> None:
    said = lines(saying.stream(CHAT, chat("sky", think=True)))
    assert "".join(line["message"].get("thinking", "") for line in said).startswith("The user asks")
    whole: Any = saying.answer(CHAT, chat("sky", think=True)).body()
    assert whole["message"]["thinking"].startswith("The user asks")


def test_a_tool_call_comes_whole_with_its_arguments_decoded() -> None:
    said = lines(saying.stream(CHAT, chat("weather", tools=TOOLS)))
    (call,) = [call for line in said for call in line["message"].get("tool_calls", ())]
    assert call["function"] == {"index": 0, "name": "get_weather", "arguments": {"city": "Lisbon", "days": 3}}
    whole: Any = saying.answer(CHAT, chat("weather", tools=TOOLS)).body()
    assert whole["message"]["tool_calls"][0]["function"] == call["function"]
    assert (whole["message"]["content"], whole["done"], whole["done_reason"]) == ("", True, "stop")


def test_generate_has_response_and_context() -> None:
    *said, end = lines(saying.stream(GENERATE, {"model": "sim", "prompt": "sky", "think": True}))
    assert "".join(line["response"] for line in said) == SKY
    assert said[0]["thinking"] == "The "
    assert (end["response"], end["done"], end["context"]) == ("", True, [1, 2, 3])
    whole: Any = saying.answer(GENERATE, {"model": "sim", "prompt": "sky", "stream": False}).body()
    assert (whole["response"], whole["done"]) == (SKY, True)


@pytest.mark.parametrize("limit", [2, -1])
def test_num_predict_cuts(limit: int) -> None:
    whole: Any = saying.answer(CHAT, chat("sky", options={"num_predict": limit})).body()
    assert whole["done_reason"] == ("length" if limit > 0 else "stop")


def test_a_chat_without_messages_is_refused() -> None:
    with pytest.raises(ValueError, match="messages"):
        saying.answer(CHAT, {"model": "sim"})
