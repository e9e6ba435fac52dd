"""What Chat Completions adds to a stream: its end, its envelope, its padding."""

from __future__ import annotations

import json

import pytest

from guardrail.wire.openai_chat_body import guard_body
from guardrail.wire.request import ModelRequest
from tests.wire.chat import DONE, ENVELOPE, NOTICE, event, guard, guard_every_way, halt, policy, redact, says
from tests.wire.openai_chat_recorded import BODIES, STREAMS

RULES = policy(redact("secret"), halt("forbidden"))


def test_what_ends_a_stream_says_nothing_else() -> None:
    start = [*says("a"), event({}, "stop")]
    for last in (DONE, b"data: [DONE]\r\n\r\n", b"data:[DONE] \n\n"):
        assert guard(RULES, b"".join([*start, last])).out.endswith(last)
    run = guard(RULES, b"".join([*start, b"data: [DONE] my secret\n\n"]))
    assert run.out.endswith(DONE)
    assert b"secret" not in run.out


def test_our_own_chunks_repeat_the_upstreams_head() -> None:
    run = guard_every_way(RULES, [*says("it is ", "forbidden"), DONE])
    assert run.reply.text() == "it is " + NOTICE
    for chunk in run.reply.chunks[-2:]:
        assert {key: chunk[key] for key in ENVELOPE} == ENVELOPE


@pytest.mark.parametrize("size", [1, 7])
def test_events_with_padding_pass_as_they_came(size: int) -> None:
    events = [event({"content": f"word{i} "}, top={"obfuscation": "aB3" * (i % size)}) for i in range(40)]
    run = guard_every_way(RULES, [event({"role": "assistant", "content": ""}), *events, event({}, "stop"), DONE])
    assert all(raw in run.out for raw in events)
    edited = guard_every_way(RULES, [*events, event({"content": "sec"}), event({"content": "ret."}), *events, DONE])
    assert edited.reply.text().count("[X]") == 1
    assert edited.record.removed == len("secret")


@pytest.mark.parametrize("name", STREAMS)
def test_recorded_streams_pass_as_they_came(name: str) -> None:
    events = [said + b"\n\n" for said in STREAMS[name].split(b"\n\n")[:-1]]
    run = guard_every_way(RULES, events)
    assert run.out == STREAMS[name]
    assert (run.record.blocked, run.record.unscanned) == ((), 0)
    assert guard(RULES, STREAMS[name]).out == STREAMS[name]


@pytest.mark.parametrize("name", BODIES)
def test_recorded_bodies_pass_as_they_came(name: str) -> None:
    said, record = guard_body(RULES, ModelRequest(), BODIES[name], "g-1")
    assert said == BODIES[name]
    assert (record.blocked, record.unscanned) == ((), 0)


@pytest.mark.parametrize("name", [name for name in STREAMS if b'"Hm"' in STREAMS[name]])
def test_reasoning_is_edited_wherever_a_dialect_says_it(name: str) -> None:
    events = [said + b"\n\n" for said in STREAMS[name].split(b"\n\n")[:-1]]
    for text in ("a secret thought", "forbidden "):
        said = [event.replace(b'"Hm"', json.dumps(text).encode()) for event in events]
        run = guard_every_way(RULES, said)
        assert b"secret" not in run.out
        assert b"forbidden" not in run.out
        assert run.record.halted == (text == "forbidden ")
        assert run.record.findings
    assert run.reply.text().endswith(NOTICE)


@pytest.mark.parametrize("name", [name for name in BODIES if b'"Hm' in BODIES[name]])
def test_reasoning_of_a_body_is_edited_wherever_a_dialect_says_it(name: str) -> None:
    value = json.loads(BODIES[name].replace(b'"Hm', b'"my secret'))
    said, record = guard_body(RULES, ModelRequest(), json.dumps(value).encode(), "g-1")
    assert b"secret" not in said
    assert b"[X]" in said
    assert record.received == record.released + record.removed + record.dropped


EXTRAS: list[tuple[bytes, str]] = [
    (event({"content": "a"}, "stop", stop_reason="secret"), "choices[].stop_reason"),
    (event({"content": "a"}, native_finish_reason="secret"), "choices[].native_finish_reason"),
    (event({"content": "a"}, content_filter_results={"x": {"citation": {"license": "a secret"}}}),
     "choices[].content_filter_results"),
    (event({"content": "a"}, finish_reason_detail="secret"), "choices[].finish_reason_detail"),
    (event({"content": "a"}, top={"__verbose": {"content": "secret", "tokens": [1]}}), "__verbose"),
    (event({"content": "a"}, top={"prompt_logprobs": [{"1": {"logprob": 0, "decoded_token": "secret"}}]}),
     "prompt_logprobs"),
    (event({"content": "a"}, token_ids=["secret"]), "choices[].token_ids"),
    (event({"content": "a", "reasoning_details": [{"type": "reasoning.encrypted", "data": "a secret"}]}),
     "choices[].delta.reasoning_details[].data"),
    (event({"content": "a", "reasoning_details": [{"type": "a secret"}]}), "choices[].delta.reasoning_details[].type"),
    (event({"content": "a", "audio": {"id": "a secret"}}), "choices[].delta.audio.id"),
    (event({"content": [{"type": "text", "text": "a"}, {"type": "thinking", "thinking": "secret"}]}),
     "choices[].delta.content[].thinking"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "path"), EXTRAS, ids=[path for _, path in EXTRAS])
def test_no_rule_is_passed_by_what_servers_add(said: bytes, path: str) -> None:
    run = guard_every_way(RULES, [said, event({}, "stop"), DONE])
    assert b"secret" not in run.out
    assert run.record.blocked == (path,)
    assert run.reply.text() in ("a", "")


def test_citations_are_scanned_where_they_stand() -> None:
    def cites(title: str) -> bytes:
        cited = {"title": title, "url": "https://a.example", "start_index": 0, "end_index": 2}
        return event({"annotations": [{"type": "url_citation", "url_citation": cited}]})

    run = guard_every_way(RULES, [*says("Hi"), cites("A secret page"), event({}, "stop"), DONE])
    assert b"A [X] page" in run.out
    assert run.record.findings[0].channel == "annotations"
    run = guard_every_way(RULES, [*says("Hi"), cites("forbidden"), event({}, "stop"), DONE])
    assert run.reply.text() == "Hi" + NOTICE
    assert b"url_citation" not in run.out


def test_the_tokens_of_an_edited_text_go() -> None:
    run = guard_every_way(RULES, [event({"content": "a secret"}, token_ids=[7, 8]), event({}, "stop"), DONE])
    assert b"[7,8]" not in run.out
    message = {"role": "assistant", "content": "a secret"}
    body = {"choices": [{"index": 0, "message": message, "token_ids": [7, 8], "finish_reason": "stop"}]}
    said, _ = guard_body(RULES, ModelRequest(), json.dumps(body).encode(), "g-1")
    assert json.loads(said)["choices"][0]["token_ids"] is None


def test_annotations_of_a_body_are_scanned() -> None:
    for title, goes in (("a secret", "a [X]"), ("forbidden", None)):
        cited = [{"type": "url_citation", "url_citation": {"title": title}}]
        message = {"role": "assistant", "content": "Hi", "annotations": cited}
        body = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
        said, record = guard_body(RULES, ModelRequest(), json.dumps(body).encode(), "g-1")
        found = json.loads(said)["choices"][0]["message"].get("annotations")
        assert (found and found[0]["url_citation"]["title"]) == goes
        assert record.received == record.released + record.removed + record.dropped
