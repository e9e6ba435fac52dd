"""Legacy Completions streams as scripts."""

from __future__ import annotations

import json

import pytest

from guardrail.wire.openai_chat_body import guard_body
from guardrail.wire.openai_text import PROTOCOL
from guardrail.wire.request import ModelRequest
from tests.wire.chat import DONE, NOTICE, halt, policy, redact
from tests.wire.openai_text_client import ENVELOPE, event, guard, guard_every_way, says
from tests.wire.openai_text_recorded import BODIES, STREAMS

RULES = policy(redact("secret"), halt("forbidden"))
END = [event("", "stop"), DONE]


@pytest.mark.parametrize("name", STREAMS)
def test_recorded_streams_pass_as_they_came(name: str) -> None:
    events = [said + b"\n\n" for said in STREAMS[name].split(b"\n\n")[:-1]]
    run = guard_every_way(RULES, events)
    assert run.out == STREAMS[name]
    assert (run.record.blocked, run.record.unscanned) == ((), 0)
    whole = guard(RULES, [STREAMS[name]])
    assert whole.out == STREAMS[name]


@pytest.mark.parametrize("name", BODIES)
def test_recorded_bodies_pass_as_they_came(name: str) -> None:
    body, record = guard_body(RULES, ModelRequest(), BODIES[name], "g-1")
    assert body == BODIES[name]
    assert (record.blocked, record.unscanned) == ((), 0)


def test_text_is_edited_across_events() -> None:
    run = guard_every_way(RULES, [*says("my sec", "ret", " is ok"), *END])
    assert run.reply.text("text") == "my [X] is ok"
    assert run.record.findings[0].channel == "text"


def test_a_halt_speaks_in_text() -> None:
    run = guard_every_way(RULES, [*says("it is ", "forbidden "), *END], request=ModelRequest(include_usage=True))
    reply = run.reply
    assert reply.text("text") == "it is " + NOTICE
    assert reply.finishes == {0: "content_filter"}
    assert reply.last[0]["content_filter_offsets"]["start_offset"] == len("it is ")
    assert {key: reply.chunks[-1][key] for key in ENVELOPE} == ENVELOPE
    assert reply.guardrail[0] == {"case_id": "g-1", "action": "halt"}
    assert reply.guardrail[1]["usage"] == "estimated"
    assert run.abort


def test_a_halt_ends_only_the_choice_of_its_prompt() -> None:
    events = [*says("so forbidden "), *says("fine", index=1), event("", "stop"), event("", "stop", 1), DONE]
    run = guard_every_way(RULES, events, request=ModelRequest(n=2))
    assert run.reply.finishes == {0: "content_filter", 1: "stop"}
    assert run.reply.text("text", 1) == "fine"
    assert not run.abort


def test_an_echoed_prompt_is_guarded_like_the_rest() -> None:
    run = guard_every_way(RULES, [*says("the secret", " is out"), *END])
    assert run.reply.text("text") == "the [X] is out"


def test_what_repeats_an_edited_text_goes() -> None:
    logprobs = {"tokens": ["a", " secret"], "token_logprobs": [0, 0], "top_logprobs": None, "text_offset": [0, 1]}
    run = guard_every_way(RULES, [event("a secret", logprobs=logprobs, token_ids=[1, 2]), *END])
    (first, *_) = run.reply.chunks
    assert first["choices"][0]["text"] == "a [X]"
    assert first["choices"][0]["logprobs"] is None
    assert first["choices"][0].get("token_ids") is None


def test_log_probabilities_of_another_text_go() -> None:
    logprobs = {"tokens": ["secret"], "token_logprobs": [0]}
    run = guard_every_way(RULES, [event("fine", logprobs=logprobs), *END])
    assert b"secret" not in run.out
    assert run.reply.text("text") == "fine"


def test_a_delta_where_text_should_be_is_scanned_too() -> None:
    said = {"index": 0, "delta": {"content": "my secret "}, "finish_reason": None}
    raw = b"data: " + json.dumps({**ENVELOPE, "choices": [said]}).encode() + b"\n\n"
    assert b"secret" not in guard(RULES, [raw, *END]).out


def test_annotations_speak_in_text() -> None:
    run = guard(RULES, [*says("fine"), *END], request=ModelRequest(annotate=True))
    assert all("text" in choice for chunk in run.reply.chunks for choice in chunk["choices"])
    assert run.reply.guardrail[-1]["checked"] == 4


def test_the_protocol() -> None:
    assert (PROTOCOL.name, PROTOCOL.prompt_field) == ("openai_text", "prompt")
