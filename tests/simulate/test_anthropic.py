"""Anthropic Messages as the simulated server says them."""

from typing import Any

import pytest

from guardrail.simulate.anthropic import DIALECT, counted, error
from guardrail.simulate.script import SKY
from tests.simulate import saying

TOOLS = [{"name": "write_file", "input_schema": {"type": "object"}}]
FILE = {"file": "deploy.env", "content": "AWS_ACCESS_KEY_ID=AKIA2VAVWETPFOYSCXS4", "mode": 420}


def ask(text: str, **fields: Any) -> dict[str, Any]:
    return {"model": "sim", "max_tokens": 1000, "messages": [{"role": "user", "content": text}], **fields}


def stream(request: dict[str, Any]) -> list[dict[str, Any]]:
    return saying.named(saying.stream(DIALECT, {**request, "stream": True}))


def deltas(events: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    found = [event["delta"] for event in events if event["type"] == "content_block_delta"]
    return [delta for delta in found if delta["type"] == kind]


def test_a_stream_is_one_message_with_a_block_of_text() -> None:
    events = stream(ask("sky"))
    assert [event["type"] for event in events[:4]] == [
        "message_start",
        "ping",
        "content_block_start",
        "content_block_delta",
    ]
    assert events[0]["message"]["content"] == []
    assert events[2] == {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    assert "".join(delta["text"] for delta in deltas(events, "text_delta")) == SKY
    assert events[-3:] == [
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": -(-len(SKY) // 4)},
        },
        {"type": "message_stop"},
    ]


@pytest.mark.parametrize("fields", [{"model": "sim-reasoning"}, {"thinking": {"type": "enabled", "budget_tokens": 9}}])
def test_thinking_is_a_block_of_its_own_that_is_signed(fields: dict[str, Any]) -> None:
    events = stream(ask("sky", **fields))
    starts = [event["content_block"]["type"] for event in events if event["type"] == "content_block_start"]
    assert starts == ["thinking", "text"]
    assert "".join(delta["thinking"] for delta in deltas(events, "thinking_delta")).startswith("The user asks")
    (signature,) = deltas(events, "signature_delta")
    whole: Any = saying.answer(DIALECT, ask("sky", **fields)).body()
    assert whole["content"][0]["signature"] == signature["signature"]
    assert [block["type"] for block in whole["content"]] == ["thinking", "text"]


def test_a_tool_call_is_a_block_whose_input_comes_in_pieces() -> None:
    events = stream(ask("deploy", tools=TOOLS))
    (start,) = [e["content_block"] for e in events if e.get("content_block", {}).get("type") == "tool_use"]
    assert start["name"] == "write_file"
    assert start["input"] == {}
    pieces = [delta["partial_json"] for delta in deltas(events, "input_json_delta")]
    assert pieces[0] == ""
    assert "".join(pieces).startswith('{"file"')
    assert events[-2]["delta"]["stop_reason"] == "tool_use"


def test_one_body() -> None:
    whole: Any = saying.answer(DIALECT, ask("deploy", tools=TOOLS)).body()
    text, call = whole["content"]
    assert text == {"type": "text", "text": "I will write the file."}
    assert call["input"] == FILE
    assert whole["stop_reason"] == "tool_use"


def test_no_tool_is_called_when_the_request_says_so() -> None:
    whole: Any = saying.answer(DIALECT, ask("deploy", tools=TOOLS, tool_choice={"type": "none"})).body()
    assert [block["type"] for block in whole["content"]] == ["text"]


def test_max_tokens_cuts_also_a_call() -> None:
    whole: Any = saying.answer(DIALECT, {**ask("deploy", tools=TOOLS), "max_tokens": 8}).body()
    assert whole["stop_reason"] == "max_tokens"
    assert [block["type"] for block in whole["content"]] == ["text"]


def test_tokens_are_counted() -> None:
    assert counted(saying.answer(DIALECT, ask("x" * 40, system="y" * 40)).ask) == {"input_tokens": 21}


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, "invalid_request_error"), (404, "not_found_error"), (429, "rate_limit_error"), (500, "api_error")],
)
def test_an_error_has_a_type_by_its_status(status: int, kind: str) -> None:
    assert error(status, "no") == {
        "type": "error",
        "error": {"type": kind, "message": "no"},
        "request_id": "req_simulated",
    }
