"""Gemini's API as the simulated server says it."""

import json
from typing import Any

import pytest

from guardrail.simulate.dialect import Target
from guardrail.simulate.gemini import DIALECT, counted, error
from guardrail.simulate.script import SKY
from tests.simulate import saying

SSE = Target({"model": "sim", "method": "streamGenerateContent"}, {"alt": "sse"})
ARRAY = Target({"model": "sim", "method": "streamGenerateContent"}, {})
ONE = Target({"model": "sim", "method": "generateContent"}, {})
TOOLS = [{"functionDeclarations": [{"name": "get_weather"}]}]


def ask(text: str, **fields: Any) -> dict[str, Any]:
    return {"contents": [{"role": "user", "parts": [{"text": text}]}], **fields}


def parts(events: list[dict[str, Any]], index: int = 0) -> list[dict[str, Any]]:
    candidates = [candidate for event in events for candidate in event["candidates"] if candidate["index"] == index]
    return [part for candidate in candidates for part in candidate["content"]["parts"]]


def test_a_stream_of_events() -> None:
    data = saying.stream(DIALECT, ask("sky"), SSE)
    assert data.startswith(b"data: {")
    events = saying.plain(data, "\r\n")
    assert events[0]["candidates"] == [{"content": {"parts": [{"text": "Sunl"}], "role": "model"}, "index": 0}]
    assert "".join(part["text"] for part in parts(events)) == SKY
    assert events[-1]["candidates"][0]["finishReason"] == "STOP"
    assert events[-1]["usageMetadata"]["candidatesTokenCount"] == -(-len(SKY) // 4)
    assert list(events[0]) == ["candidates", "usageMetadata", "modelVersion", "responseId"]


def test_without_alt_a_stream_is_one_array() -> None:
    answer = saying.answer(DIALECT, ask("sky"), ARRAY)
    assert answer.media_type.startswith("application/json")
    events = json.loads(saying.stream(DIALECT, ask("sky"), ARRAY))
    assert "".join(part["text"] for part in parts(events)) == SKY


def test_one_body() -> None:
    answer = saying.answer(DIALECT, ask("weather", tools=TOOLS), ONE)
    whole: Any = answer.body()
    assert not answer.ask.stream
    assert parts([whole]) == [{"functionCall": {"name": "get_weather", "args": {"city": "Lisbon", "days": 3}}}]
    assert whole["candidates"][0]["finishReason"] == "STOP"


def test_a_function_call_comes_whole() -> None:
    events = saying.plain(saying.stream(DIALECT, ask("weather", tools=TOOLS), SSE), "\r\n")
    calls = [part for part in parts(events) if "functionCall" in part]
    assert calls == [{"functionCall": {"name": "get_weather", "args": {"city": "Lisbon", "days": 3}}}]


@pytest.mark.parametrize("config", [{"thinkingConfig": {"includeThoughts": True}}])
def test_thoughts_are_marked(config: dict[str, Any]) -> None:
    events = saying.plain(saying.stream(DIALECT, ask("sky", generationConfig=config), SSE), "\r\n")
    thoughts = "".join(part["text"] for part in parts(events) if part.get("thought"))
    assert thoughts.startswith("The user asks")
    assert "".join(part["text"] for part in parts(events) if not part.get("thought")) == SKY
    assert events[-1]["usageMetadata"]["thoughtsTokenCount"] > 0


def test_candidates_take_turns() -> None:
    events = saying.plain(saying.stream(DIALECT, ask("picnic", generationConfig={"candidateCount": 2}), SSE), "\r\n")
    assert "Acme Cola" in "".join(part["text"] for part in parts(events, 0))
    assert "lemonade" in "".join(part["text"] for part in parts(events, 1))


def test_keys_may_be_in_snake_case() -> None:
    fields = {"tools": [{"function_declarations": []}], "generation_config": {"max_output_tokens": 2}}
    read = saying.answer(DIALECT, ask("sky", **fields), ONE).ask
    assert (read.tools, read.limit) == (True, 2)


def test_no_function_is_called_when_the_request_says_so() -> None:
    config = {"functionCallingConfig": {"mode": "NONE"}}
    whole: Any = saying.answer(DIALECT, ask("weather", tools=TOOLS, toolConfig=config), ONE).body()
    assert parts([whole]) == []


def test_tokens_are_counted() -> None:
    target = Target({"model": "sim", "method": "countTokens"}, {})
    assert counted(saying.answer(DIALECT, ask("x" * 40), target).ask)["totalTokens"] == 11


def test_an_error_has_its_status_by_name() -> None:
    assert error(429, "no") == {"error": {"code": 429, "message": "no", "status": "RESOURCE_EXHAUSTED"}}
    assert error(502, "no")["error"]["status"] == "INTERNAL"
