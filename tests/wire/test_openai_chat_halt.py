"""What is said of a halt, and the usage."""

from __future__ import annotations

from guardrail.text.rules import Action, Finding
from guardrail.wire.halt import Stop
from guardrail.wire.openai_chat_halt import halt_chunks, usage_chunk
from guardrail.wire.request import ModelRequest
from tests.wire.chat import policy

FINDING = Finding(3, 9, "rule", "self_harm", "critical", Action.HALT, "content")


def test_the_last_chunks_of_a_choice() -> None:
    said, last = halt_chunks(policy(), "g-1", FINDING, index=1, stop=Stop(3), legacy=False, said="Stop.")
    assert said == {"choices": [{"index": 1, "delta": {"content": "Stop."}, "finish_reason": None}]}
    assert last["choices"][0]["content_filter_results"] == {"self_harm": {"filtered": True, "severity": "critical"}}
    (last,) = halt_chunks(policy(), "g-1", FINDING, index=0, stop=Stop(3), legacy=True, said="")
    assert last["choices"][0]["text"] == ""


def test_where_json_was_asked_for_the_notice_is_a_refusal() -> None:
    said, _ = halt_chunks(policy(), "g-1", FINDING, index=0, stop=Stop(3), legacy=False, said="Stop.", json_output=True)
    assert said["choices"][0]["delta"] == {"refusal": "Stopped by safety policy."}
    for text, legacy in (("", False), ("Stop.", True)):
        chunks = halt_chunks(
            policy(), "g-1", FINDING, index=0, stop=Stop(3), legacy=legacy, said=text, json_output=True
        )
        assert len(chunks) == 1


def test_a_late_verdict_withdraws_what_was_delivered() -> None:
    (last,) = halt_chunks(policy(), "g-1", FINDING, index=0, stop=Stop(40, 12, 30), legacy=False, said="")
    assert last["choices"][0]["content_filter_offsets"] == {"check_offset": 30, "start_offset": 12, "end_offset": 30}
    assert last["guardrail"] == {
        "case_id": "g-1",
        "action": "retract",
        "channel": "content",
        "start_offset": 12,
        "end_offset": 40,
        "erase": True,
    }


def test_usage_is_upstreams_where_it_came_and_else_an_estimate_that_says_so() -> None:
    assert usage_chunk(ModelRequest(), "g-1", {"total_tokens": 1}, 5) == {"choices": [], "usage": {"total_tokens": 1}}
    assert usage_chunk(ModelRequest(prompt_bytes=9), "g-1", None, 5) == {
        "choices": [],
        "usage": {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8},
        "guardrail": {"case_id": "g-1", "usage": "estimated"},
    }
