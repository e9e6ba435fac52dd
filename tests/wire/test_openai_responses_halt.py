"""How a Responses stream ends that a policy halts."""

from __future__ import annotations

import json
from typing import Any

from guardrail.text.rules import Action, Finding
from guardrail.wire.halt import Stop
from guardrail.wire.openai_responses_halt import Delivered, Ending, halted_response, refusing_message, usage_of
from guardrail.wire.request import ModelRequest
from tests.wire import chat
from tests.wire.openai_responses_client import USAGE

FOUND = Finding(3, 9, "halt", "violence", "high", Action.HALT, "output[0].content[0].text")
MESSAGE: dict[str, Any] = {"id": "msg_0", "type": "message", "role": "assistant", "content": []}


def ended(delivered: Delivered, texts: dict[str, str], *, json_output: bool = False) -> list[dict[str, Any]]:
    ending = Ending(delivered, texts.get, first=7, json_output=json_output)
    events = ending.events(chat.policy().refusal, "g-1", FOUND, Stop(3), {"id": "resp_1"}, USAGE)
    return [json.loads(event.partition(b"data: ")[2]) for event in events]


def test_text_of_a_part_that_nobody_announced_is_closed_without_its_part() -> None:
    delivered = Delivered()
    delivered.add(0, MESSAGE)
    delivered.heard("output[0].content[0].text")
    types = [event["type"] for event in ended(delivered, {"output[0].content[0].text": "abc"})]
    assert types[:2] == ["response.output_text.done", "response.content_part.added"]


def test_what_is_closed_already_is_not_closed_again() -> None:
    delivered = Delivered()
    delivered.add(0, MESSAGE)
    part = {"type": "output_text", "text": "abc", "annotations": []}
    delivered.spoke(0, "content", 0, "output_text").take("done", {"part": part})
    events = ended(delivered, {})
    assert events[0]["type"] == "response.content_part.added"
    assert events[-1]["response"]["output"][0]["content"][0] == part
    assert [event["sequence_number"] for event in events] == list(range(7, 7 + len(events)))


def test_tools_that_are_at_work_are_incomplete() -> None:
    delivered = Delivered()
    delivered.add(0, {"id": "ws_1", "type": "web_search_call", "status": "searching"})
    events = ended(delivered, {})
    assert events[0]["item"]["status"] == "incomplete"
    assert [item["type"] for item in events[-1]["response"]["output"]] == ["web_search_call", "message"]


def test_nothing_said_yet() -> None:
    events = ended(Delivered(), {})
    assert events[0]["type"] == "response.output_item.added"
    assert events[-1]["response"]["output"] == [refusing_message("g-1", "Stopped by safety policy.")]


def test_a_message_is_made_up_for_text_that_belongs_nowhere() -> None:
    delivered = Delivered()
    delivered.heard("output[2].content[1].text")
    delivered.heard("no channel of an item")
    output = ended(delivered, {"output[2].content[1].text": "abc"})[-1]["response"]["output"]
    assert [part.get("text", part.get("refusal")) for part in output[0]["content"]] == [
        "abc",
        "Stopped by safety policy.",
    ]


def test_half_a_document_is_not_repeated() -> None:
    delivered = Delivered()
    delivered.add(0, MESSAGE)
    delivered.heard("output[0].content[0].text")
    output = ended(delivered, {"output[0].content[0].text": "{"}, json_output=True)[-1]["response"]["output"]
    assert [part["type"] for part in output[0]["content"]] == ["refusal"]


def test_the_note_says_what_was_estimated_and_what_to_take_back() -> None:
    usage = usage_of(ModelRequest(prompt_bytes=5), None, 3)
    response = halted_response({}, [], usage, "g-1", FOUND, Stop(9, 3, 9))
    assert response["usage"]["total_tokens"] == 5
    assert response["guardrail"] == {
        "case_id": "g-1",
        "action": "retract",
        "channel": "output[0].content[0].text",
        "start_offset": 3,
        "end_offset": 9,
        "erase": True,
        "usage": "estimated",
    }
    assert (
        "usage" not in halted_response({}, [], usage_of(ModelRequest(), USAGE, 3), "g-1", FOUND, Stop(0))["guardrail"]
    )
