"""Chat Completions as the simulated server says it."""

import json
from typing import Any

from guardrail.simulate.openai_chat import DIALECT, error
from guardrail.simulate.script import SKY
from tests.simulate import saying

TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}]


def ask(text: str, **fields: Any) -> dict[str, Any]:
    return {"model": "sim", "messages": [{"role": "user", "content": text}], "stream": True, **fields}


def stream(request: dict[str, Any], **how: Any) -> list[dict[str, Any]]:
    data = saying.stream(DIALECT, request, **how)
    assert data.endswith(b"data: [DONE]\n\n")
    return saying.plain(data)


def body(request: dict[str, Any]) -> Any:
    return saying.answer(DIALECT, request).body()


def joined(chunks: list[dict[str, Any]], field: str, index: int = 0) -> str:
    choices = [choice for chunk in chunks for choice in chunk["choices"] if choice["index"] == index]
    return "".join(choice["delta"].get(field) or "" for choice in choices)


def test_a_stream_has_the_shape_of_the_real_service() -> None:
    chunks = stream(ask("Why is the sky blue?"))
    head, *middle, tail = chunks
    assert list(head) == [
        "id", "object", "created", "model", "service_tier", "system_fingerprint", "choices",
    ]  # fmt: skip
    assert head["object"] == "chat.completion.chunk"
    assert head["choices"] == [
        {
            "index": 0,
            "delta": {"role": "assistant", "content": "", "refusal": None},
            "logprobs": None,
            "finish_reason": None,
        }
    ]
    assert all(len(chunk["choices"][0]["delta"]["content"]) <= 4 for chunk in middle)
    assert tail["choices"] == [{"index": 0, "delta": {}, "logprobs": None, "finish_reason": "stop"}]
    assert joined(chunks, "content") == SKY
    assert len({chunk["id"] for chunk in chunks}) == 1


def test_without_streaming_the_same_text_comes_in_one_body() -> None:
    whole = body(ask("sky", logprobs=True))
    assert whole["object"] == "chat.completion"
    (choice,) = whole["choices"]
    assert choice["message"] == {"role": "assistant", "content": SKY, "refusal": None}
    assert "".join(part["token"] for part in choice["logprobs"]["content"]) == SKY
    assert whole["usage"]["total_tokens"] == whole["usage"]["prompt_tokens"] + whole["usage"]["completion_tokens"]


def test_usage_comes_last_with_no_choices_if_it_was_asked_for() -> None:
    chunks = stream(ask("sky", stream_options={"include_usage": True}))
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["completion_tokens"] == -(-len(SKY) // 4)
    assert {chunk["usage"] for chunk in chunks[:-1]} == {None}


def test_choices_take_turns() -> None:
    chunks = stream(ask("picnic", n=2))
    assert "Acme Cola" in joined(chunks, "content", 0)
    assert "lemonade" in joined(chunks, "content", 1)
    assert [chunk["choices"][0]["index"] for chunk in chunks[:6]] == [0, 1, 0, 1, 0, 1]


def test_logprobs_spell_each_delta() -> None:
    for chunk in stream(ask("sky", logprobs=True))[1:-1]:
        (choice,) = chunk["choices"]
        assert [part["token"] for part in choice["logprobs"]["content"]] == [choice["delta"]["content"]]


def test_a_reasoning_model_reasons_first() -> None:
    chunks = stream({**ask("sky"), "model": "sim-reasoning"})
    kinds = [next(iter(chunk["choices"][0]["delta"]), "") for chunk in chunks[1:-1]]
    assert kinds == sorted(kinds, reverse=True)
    assert joined(chunks, "reasoning_content").startswith("The user asks")
    assert joined(chunks, "content") == SKY


def test_a_tool_call_comes_in_fragments() -> None:
    chunks = stream(ask("weather", tools=TOOLS))
    parts = [p for chunk in chunks for p in chunk["choices"][0]["delta"].get("tool_calls", ())]
    assert parts[0]["function"] == {"name": "get_weather", "arguments": ""}
    assert parts[0]["id"].startswith("call_")
    assert len(parts) > 3
    assert json.loads("".join(p["function"]["arguments"] for p in parts)) == {"city": "Lisbon", "days": 3}
    assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_a_tool_call_in_one_body() -> None:
    (choice,) = body(ask("weather", tools=TOOLS))["choices"]
    assert choice["message"]["content"] is None
    (call,) = choice["message"]["tool_calls"]
    assert json.loads(call["function"]["arguments"]) == {"city": "Lisbon", "days": 3}


def test_no_tool_is_called_unless_the_request_offers_one() -> None:
    for fields in ({}, {"tools": TOOLS, "tool_choice": "none"}):
        chunks = stream(ask("deploy", **fields))
        assert joined(chunks, "content") == "I will write the file."
        assert chunks[-1]["choices"][0]["finish_reason"] == "stop"


def test_max_tokens_cuts_the_answer() -> None:
    chunks = stream(ask("sky", max_tokens=5))
    assert joined(chunks, "content") == SKY[:20]
    assert chunks[-1]["choices"][0]["finish_reason"] == "length"


def test_an_error_has_a_type_by_whose_fault_it_is() -> None:
    assert error(400, "no")["error"]["type"] == "invalid_request_error"
    assert error(503, "no")["error"]["type"] == "server_error"
