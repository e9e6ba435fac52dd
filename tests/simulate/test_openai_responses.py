"""Responses as the simulated server says them."""

import json
from typing import Any

from guardrail.simulate.openai_responses import DIALECT
from guardrail.simulate.script import LEAKY_FILE, SKY
from tests.simulate import saying

TOOLS = [{"type": "function", "name": "write_file", "parameters": {"type": "object"}}]


def ask(text: Any, **fields: Any) -> dict[str, Any]:
    return {"model": "sim", "input": text, **fields}


def stream(request: dict[str, Any]) -> list[dict[str, Any]]:
    events = saying.named(saying.stream(DIALECT, {**request, "stream": True}))
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    return events


def kinds(events: list[dict[str, Any]]) -> list[str]:
    """The types of the events, without `response.`, each run of one type once."""
    names = [event["type"].removeprefix("response.") for event in events]
    return [name for i, name in enumerate(names) if i == 0 or name != names[i - 1]]


def test_a_stream_opens_and_closes_a_message_and_repeats_its_text() -> None:
    events = stream(ask("sky"))
    assert kinds(events) == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    assert "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta") == SKY
    done, part, item, completed = events[-4:]
    assert done["text"] == part["part"]["text"] == item["item"]["content"][0]["text"] == SKY
    assert completed["response"]["output"] == [item["item"]]
    assert completed["response"]["usage"]["output_tokens"] == -(-len(SKY) // 4)
    assert events[2]["item"]["content"] == []


def test_a_reasoning_item_comes_first() -> None:
    events = stream(ask("sky", reasoning={"summary": "auto"}))
    assert kinds(events)[2:9] == [
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
        "output_item.added",
    ]
    reasoning, message = events[-1]["response"]["output"]
    assert reasoning["summary"] == [
        {"type": "summary_text", "text": "The user asks something simple. I answer in a few words."}
    ]
    assert message["content"][0]["text"] == SKY


def test_a_function_call_is_an_item() -> None:
    events = stream(ask("deploy", tools=TOOLS))
    added = [event for event in events if event["type"] == "response.output_item.added"]
    assert [(event["output_index"], event["item"]["type"]) for event in added] == [(0, "message"), (1, "function_call")]
    (done,) = [event for event in events if event["type"] == "response.function_call_arguments.done"]
    assert done["arguments"] == LEAKY_FILE
    call = events[-1]["response"]["output"][1]
    assert (call["name"], call["arguments"], call["status"]) == ("write_file", LEAKY_FILE, "completed")


def test_one_body_has_the_output_of_the_stream() -> None:
    request = ask("deploy", tools=TOOLS, model="sim-reasoning")
    whole: Any = saying.answer(DIALECT, request).body()
    streamed = stream(request)[-1]["response"]
    assert [item["type"] for item in whole["output"]] == ["reasoning", "message", "function_call"]
    assert [list(item) for item in whole["output"]] == [list(item) for item in streamed["output"]]
    assert whole["status"] == "completed"
    assert list(whole) == list(streamed)
    assert json.dumps(whole)


def test_an_answer_that_is_cut_is_incomplete() -> None:
    events = stream(ask("sky", max_output_tokens=2))
    assert events[-1]["type"] == "response.incomplete"
    response = events[-1]["response"]
    assert response["incomplete_details"] == {"reason": "max_output_tokens"}
    assert response["output"][0]["status"] == "incomplete"


def test_items_are_read_for_the_last_user_text() -> None:
    items = [
        {"role": "user", "content": [{"type": "input_text", "text": "sky"}]},
        {"type": "function_call_output", "call_id": "c", "output": "vault"},
    ]
    whole: Any = saying.answer(DIALECT, ask(items)).body()
    assert whole["output"][0]["content"][0]["text"] == SKY
