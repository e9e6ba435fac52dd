"""Answers of Ollama's that are not streamed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from guardrail.errors import WireError
from guardrail.wire.ollama_body import guard_body
from guardrail.wire.record import StreamRecord
from guardrail.wire.request import ModelRequest
from guardrail.wire.whole_text import Unscored, Verdicts
from tests.wire.chat import NOTICE, halt, policy, redact
from tests.wire.ollama_client import COUNTS
from tests.wire.ollama_recorded import BODIES
from tests.wire.scored import BAD, evil, hate

RULES = policy(redact("secret"), halt("forbidden"))


def guard(value: dict[str, Any]) -> tuple[dict[str, Any], StreamRecord]:
    body, record = guard_body(RULES, ModelRequest(), json.dumps(value).encode(), "g-1")
    assert record.received == record.released + record.removed + record.dropped
    return json.loads(body), record


def chat(message: dict[str, Any], **more: Any) -> dict[str, Any]:
    said = {"role": "assistant", "content": "", **message}
    return {"model": "m", "created_at": "2024", "message": said, "done": True, "done_reason": "stop", **COUNTS, **more}


@pytest.mark.parametrize("name", BODIES)
def test_recorded_bodies_pass_as_they_came(name: str) -> None:
    body, record = guard_body(RULES, ModelRequest(), BODIES[name], "g-1")
    assert body == BODIES[name]
    assert (record.blocked, record.unscanned, record.halted) == ((), 0, False)
    assert record.usage is not None


def test_every_text_is_edited_in_its_place() -> None:
    calls = [{"id": "call_1", "function": {"name": "f", "arguments": {"q": "secret"}}}]
    message = {"thinking": "a secret", "content": "my secret", "tool_calls": calls}
    value, record = guard(chat(message, logprobs=[{"token": "my secret", "logprob": -1}], context=[1]))
    assert value["message"]["thinking"] == "a [X]"
    assert value["message"]["content"] == "my [X]"
    assert value["message"]["tool_calls"][0] == {"id": "call_1", "function": {"name": "f", "arguments": {"q": "[X]"}}}
    assert value["eval_count"] == 4
    assert not {"context", "logprobs", "guardrail"} & value.keys()
    assert [finding.channel for finding in record.findings] == ["thinking", "content", "tool_calls[0].function"]


def test_a_generated_answer() -> None:
    value, record = guard({"model": "m", "response": "my secret", "done": True, "context": [1, 2], "eval_count": 2})
    assert value == {"model": "m", "response": "my [X]", "done": True, "eval_count": 2}
    assert record.usage == {"eval_count": 2}


@pytest.mark.parametrize(
    ("message", "content"),
    [
        ({"content": "it is forbidden. So"}, "it is " + NOTICE),
        ({"thinking": "forbidden", "content": "fine"}, NOTICE),
        (
            {"content": "fine", "tool_calls": [{"function": {"name": "f", "arguments": {"q": "forbidden"}}}]},
            "fine" + NOTICE,
        ),
    ],
)
def test_a_halt(message: dict[str, Any], content: str) -> None:
    calls = [{"function": {"name": "g", "arguments": {"q": 1}}}, *message.get("tool_calls", [])]
    value, record = guard(chat({**message, "tool_calls": calls}, context=[1]))
    assert value["message"]["content"] == content
    assert "tool_calls" not in value["message"]
    assert (value["done"], value["done_reason"], value["eval_count"]) == (True, "content_filter", 4)
    assert value["guardrail"]["action"] == "halt"
    assert "context" not in value
    assert record.finish_reasons == ("content_filter",)


def test_json_is_cut_without_a_notice() -> None:
    body = json.dumps(chat({"content": '{"a":"forbidden"}'})).encode()
    said, _ = guard_body(RULES, ModelRequest(json_output=True), body, "g-1")
    assert json.loads(said)["message"]["content"] == '{"a":"'


def test_log_probabilities_that_spell_something_else_are_taken_out() -> None:
    value, record = guard(chat({"content": "Hi"}, logprobs=[{"token": "secret", "logprob": -1}]))
    assert "logprobs" not in value
    assert record.findings == ()


def test_errors_are_scanned() -> None:
    value, record = guard({"error": "no secret"})
    assert value == {"error": "no [X]"}
    assert record.fault == "upstream_error"


def test_a_classifier_is_asked_first() -> None:
    body = json.dumps(chat({"content": "This is evil."})).encode()
    verdicts = Verdicts()
    with pytest.raises(Unscored):
        guard_body(hate(), ModelRequest(), body, "g-1", verdicts)
    assert [evil(window) for window in verdicts.missing] == [BAD]
    verdicts.known |= {window: evil(window) for window in verdicts.missing}
    verdicts.missing.clear()
    said, record = guard_body(hate(), ModelRequest(), body, "g-1", verdicts)
    assert json.loads(said)["message"]["content"] == NOTICE
    assert record.units == 1


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"a"', b"\xff"])
def test_what_is_no_answer(body: bytes) -> None:
    with pytest.raises(WireError):
        guard_body(RULES, ModelRequest(), body, "g-1")
