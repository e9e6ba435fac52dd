"""Bodies that are not streamed: the same outcome as the stream of them, byte for byte when clean."""

from __future__ import annotations

import json
from typing import Any

import pytest

from guardrail.errors import WireError
from guardrail.policy.policy import Policy
from guardrail.wire.openai_chat_body import guard_body
from guardrail.wire.record import StreamRecord
from guardrail.wire.request import ModelRequest
from tests.wire.chat import NOTICE, halt, policy, redact

POLICY = policy(redact("secret"), halt("forbidden phrase"))


def body(*messages: dict[str, Any], finish: str = "stop", **top: Any) -> bytes:
    choices = [
        {"index": i, "message": {"role": "assistant", **m}, "logprobs": None, "finish_reason": finish}
        for i, m in enumerate(messages)
    ]
    said = {"id": "c-1", "object": "chat.completion", "created": 1, "model": "m", "choices": choices, **top}
    return json.dumps(said, indent=1, ensure_ascii=False).encode()


def guard(raw: bytes, rules: Policy = POLICY) -> tuple[Any, StreamRecord]:
    out, record = guard_body(rules, ModelRequest(), raw, "g-1")
    assert record.received == record.released + record.removed + record.dropped
    return json.loads(out), record


def call(name: str, arguments: str) -> dict[str, Any]:
    return {"id": "call_1", "type": "function", "function": {"name": name, "arguments": arguments}}


@pytest.mark.parametrize(
    "raw",
    [
        body({"content": "Hello 😀\n"}),
        body({"content": "one"}, {"content": "two"}, usage={"total_tokens": 3, "details": {"cached": 0}}),
        body({"content": None, "tool_calls": [call("f", '{"a": 1}')]}, finish="tool_calls"),
        body({"content": None, "reasoning_content": "hm", "refusal": None, "annotations": [], "audio": None}),
        body({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}),
        body({"content": "x"}, system_fingerprint="fp", timings={"ms": 1.5}),
        b'{"choices": []}',
        b"{}",
    ],
)
def test_a_clean_body_passes_byte_for_byte(raw: bytes) -> None:
    out, record = guard_body(POLICY, ModelRequest(), raw, "g-1")
    assert out == raw
    assert record.released == record.received


def test_every_channel_of_every_choice_is_scanned() -> None:
    value, record = guard(
        body(
            {"content": "a secret", "reasoning_content": "secret b", "refusal": "secret"},
            {"content": None, "tool_calls": [call("secret", '{"k": "secret"}')]},
        )
    )
    first, second = (c["message"] for c in value["choices"])
    assert (first["content"], first["reasoning_content"], first["refusal"]) == ("a [X]", "[X] b", "[X]")
    assert second["tool_calls"][0]["function"] == {"name": "[X]", "arguments": '{"k": "[X]"}'}
    assert [c["finish_reason"] for c in value["choices"]] == ["stop", "stop"]
    assert [f.channel for f in record.findings] == [
        "reasoning_content",
        "content",
        "refusal",
        "choices[1].tool_calls[0].function.name",
        "choices[1].tool_calls[0].function.arguments",
    ]


def test_a_text_in_parts_is_one_text() -> None:
    value, _ = guard(body({"content": [{"type": "text", "text": "a sec"}, {"type": "text", "text": "ret b"}]}))
    assert [p["text"] for p in value["choices"][0]["message"]["content"]] == ["a [X]", " b"]


def test_a_halt_ends_its_choice_and_no_other() -> None:
    value, record = guard(
        body({"content": "fine"}, {"content": "a forbidden phrase.", "tool_calls": [call("f", "{}")]})
    )
    assert value["choices"][0]["message"]["content"] == "fine"
    assert value["choices"][1] == {
        "index": 1,
        "message": {"role": "assistant", "content": "a " + NOTICE},
        "logprobs": None,
        "finish_reason": "content_filter",
        "content_filter_results": {"violence": {"filtered": True, "severity": "high"}},
        "content_filter_offsets": {"check_offset": 2, "start_offset": 2, "end_offset": 2},
    }
    assert value["guardrail"] == {"case_id": "g-1", "action": "halt"}
    assert (record.halted, record.finish_reasons) == (True, ("stop", "content_filter"))


def test_where_json_was_asked_for_a_halt_is_told_as_a_refusal() -> None:
    asked = ModelRequest(json_output=True)
    out, _ = guard_body(POLICY, asked, body({"content": '{"a": "forbidden phrase"}'}), "g-1")
    message = json.loads(out)["choices"][0]["message"]
    assert (message["content"], message["refusal"]) == ('{"a": "', "Stopped by safety policy.")
    legacy = {"choices": [{"index": 0, "text": '{"a": "forbidden phrase"}', "finish_reason": "stop"}]}
    out, _ = guard_body(POLICY, asked, json.dumps(legacy).encode(), "g-1")
    assert json.loads(out)["choices"][0]["text"] == '{"a": "'


def test_a_halt_in_reasoning_or_in_a_call_leaves_the_notice_alone() -> None:
    value, _ = guard(body({"reasoning_content": "a forbidden phrase", "content": "answer"}))
    message = value["choices"][0]["message"]
    assert (message["reasoning_content"], message["content"]) == ("a ", NOTICE)
    assert value["guardrail"]["channel"] == "reasoning_content"
    value, _ = guard(body({"content": None, "tool_calls": [call("f", '{"q":"forbidden phrase"}')]}))
    message = value["choices"][0]["message"]
    assert (message["content"], "tool_calls" in message) == (NOTICE, False)


def test_a_halt_ends_the_response_where_the_policy_says_so() -> None:
    rules = policy(halt("forbidden phrase"), halt_scope="response")
    value, _ = guard(body({"content": "fine"}, {"content": "a forbidden phrase."}), rules)
    assert [c["message"]["content"] for c in value["choices"]] == [NOTICE, "a " + NOTICE]
    assert {c["finish_reason"] for c in value["choices"]} == {"content_filter"}


def test_log_probabilities_go_with_changed_text() -> None:
    raw = json.loads(body({"content": "a secret"}))
    raw["choices"][0]["logprobs"] = {"content": [{"token": "a secret", "logprob": -1.0}]}
    value, _ = guard(json.dumps(raw).encode())
    assert value["choices"][0]["logprobs"] is None


def test_text_in_an_unknown_shape_is_removed() -> None:
    value, record = guard(body({"content": "a", "details": [{"text": "hidden"}]}, summary="hidden text"))
    assert "hidden" not in json.dumps(value)
    assert record.blocked == ("summary", "choices[].message.details")
    value, record = guard(body({"content": "a", "x": "hidden"}), policy(unknown_text="pass"))
    assert (value["choices"][0]["message"]["x"], record.unscanned) == ("hidden", 6)


def test_an_error_body_is_scanned_too() -> None:
    value, record = guard(b'{"error": {"message": "bad input: my secret"}}')
    assert value == {"error": {"message": "bad input: my [X]"}}
    assert record.fault == "upstream_error"


@pytest.mark.parametrize(
    "raw", [b"", b"<html>", b"[]", b'"text"', b'{"a":', b'{"a":"\xff"}', b'{"choices":[{"x":NaN}]}']
)
def test_what_is_no_json_object_is_refused(raw: bytes) -> None:
    with pytest.raises(WireError, match=r"^The model server's answer is not (valid JSON|a JSON object)\.$"):
        guard_body(POLICY, ModelRequest(), raw, "g-1")
