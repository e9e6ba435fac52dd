"""Ollama's streams as scripts: what comes from the server, what the client has of it."""

from __future__ import annotations

import json

import pytest

from guardrail.text.rules import Action
from guardrail.wire.answer import Fault
from guardrail.wire.ollama import PROTOCOL, OllamaStream
from guardrail.wire.protocol import Refusal
from guardrail.wire.request import ModelRequest
from tests.wire.chat import NOTICE, halt, policy, redact
from tests.wire.ollama_client import answer, call, end, guard, guard_every_way, line, read, says
from tests.wire.ollama_recorded import STREAMS
from tests.wire.scored import Shell, evil, hate

RULES = policy(redact("secret"), halt("forbidden"))
BOTH = pytest.mark.parametrize(("chat", "key"), [(True, "content"), (False, "response")])


@pytest.mark.parametrize("name", STREAMS)
def test_recorded_streams_pass_as_they_came(name: str) -> None:
    run = guard_every_way(RULES, STREAMS[name].splitlines(keepends=True))
    assert run.out == STREAMS[name]
    assert run.record.unscanned == 0
    assert run.record.blocked == ()
    assert run.record.finish_reasons[0] in ("stop", "length", "load", "unload")


@BOTH
def test_text_is_edited_across_lines(chat: bool, key: str) -> None:
    lines = answer(says("my sec", "ret", " is ok", key=key, chat=chat), chat=chat)
    run = guard_every_way(RULES, lines)
    assert run.reply.texts == {key: "my [X] is ok"}
    assert run.out.endswith(lines[-1])
    assert run.record.usage is not None
    assert run.record.usage["eval_count"] == 4


@BOTH
def test_a_halt_ends_with_a_notice_and_a_last_line(chat: bool, key: str) -> None:
    request = ModelRequest(prompt_bytes=9)
    run = guard_every_way(
        RULES, answer(says("it is ", "forbidden", " x", key=key, chat=chat), chat=chat), request=request
    )
    reply = run.reply
    assert reply.text(key) == "it is " + NOTICE
    assert run.abort
    assert reply.reason == "content_filter"
    assert (reply.last["prompt_eval_count"], reply.last["model"]) == (3, "m")
    assert reply.last["eval_count"] > 0
    assert reply.guardrail == [{"case_id": "g-1", "action": "halt", "usage": "estimated"}]


def test_time_does_not_run_backwards_at_the_notice() -> None:
    run = guard_every_way(RULES, answer(says("it", " is", " so", " forbidden", " x")))
    times = [json.loads(each)["created_at"] for each in run.out.splitlines()]
    assert len(times) > 4
    assert times == sorted(times)
    assert times[-1] == times[-3] > times[0]


def test_a_halt_by_what_is_held_at_the_end_keeps_the_counters() -> None:
    run = guard_every_way(policy(halt("forbid")), answer(says("it is for", "bid")))
    assert not run.abort
    assert run.reply.last["eval_count"] == 4
    assert run.reply.guardrail == [{"case_id": "g-1", "action": "halt"}]


def test_a_halt_in_the_thinking_names_it() -> None:
    run = guard_every_way(RULES, answer(says("so forbidden ", key="thinking"), says("Well.")))
    assert run.reply.texts == {"thinking": "so ", "content": NOTICE}
    assert run.reply.guardrail[0]["channel"] == "thinking"


def test_without_a_notice_only_the_last_line_is_ours() -> None:
    run = guard_every_way(policy(halt("forbidden"), notice=""), says("forbidden"))
    assert run.reply.texts == {"content": ""}
    assert run.reply.reason == "content_filter"


def test_json_is_cut_without_a_notice() -> None:
    run = guard_every_way(RULES, answer(says('{"a":', '"forbidden"}')), request=ModelRequest(json_output=True))
    assert run.reply.text() == '{"a":"'
    assert run.reply.reason == "content_filter"


def test_the_tokens_of_an_edited_conversation_are_taken_out() -> None:
    last = end(chat=False, context=[1, 2, 3])
    assert guard(RULES, [*says("fine", key="response", chat=False), last]).out.endswith(last)
    edited = guard(RULES, [*says("a secret", key="response", chat=False), last])
    assert "context" not in edited.reply.last
    assert edited.reply.last["eval_count"] == 4
    called = guard(RULES, [call("f", {"q": "secret"}, chat=False), last])
    assert "context" not in called.reply.last


def test_calls_are_scanned_where_they_stand() -> None:
    clean = call("f", {"q": "fine", "n": 12}, id="call_1")
    run = guard_every_way(RULES, answer(says("Look"), clean, call("g", {"secret": [1, "my secret"]}), says("done")))
    assert clean in run.out
    assert run.reply.calls == [
        {"name": "f", "arguments": {"q": "fine", "n": 12}},
        {"name": "g", "arguments": {"[X]": [1, "my [X]"]}},
    ]
    assert [finding.channel for finding in run.record.findings] == ["tool_calls[0].function"] * 2


def test_a_call_goes_at_once() -> None:
    stream = OllamaStream(RULES, ModelRequest(), case_id="g-1")
    assert stream.feed(call("f", {"q": "fine"})) == call("f", {"q": "fine"})


def test_a_halt_in_a_call_delivers_none_of_it() -> None:
    lines = answer(says("Look"), call("f", {"q": 1}), call("g", {"q": "forbidden"}), call("h", {"q": 2}))
    run = guard_every_way(RULES, lines)
    assert [found["name"] for found in run.reply.calls] == ["f"]
    assert run.reply.text() == "Look" + NOTICE
    assert run.reply.guardrail[0]["channel"] == "tool_calls[0].function"
    assert run.abort


def test_several_calls_in_one_line_are_each_scanned() -> None:
    said = (("f", "a"), ("g", "secret"))
    functions = [{"function": {"index": at, "name": f, "arguments": {"q": q}}} for at, (f, q) in enumerate(said)]
    run = guard_every_way(RULES, answer(line({"tool_calls": functions})))
    assert [found["arguments"] for found in run.reply.calls] == [{"q": "a"}, {"q": "[X]"}]
    assert run.record.findings[0].channel == "tool_calls[1].function"


def test_thinking_text_and_the_end_in_one_line() -> None:
    last = line({"thinking": "hm", "content": "no secret."}, done=True, done_reason="stop", eval_count=2)
    run = guard_every_way(RULES, [last])
    assert run.reply.texts == {"thinking": "hm", "content": "no [X]."}
    assert run.reply.last["eval_count"] == 2
    clean = line({"thinking": "hm", "content": "fine."}, done=True, done_reason="stop", eval_count=2)
    assert guard_every_way(RULES, [clean]).out == clean


def test_log_probabilities_pass_only_with_the_text_they_spell() -> None:
    def spelled(text: str, token: str) -> bytes:
        return line({"content": text}, logprobs=[{"token": token, "logprob": -1.0}])

    assert guard(RULES, answer(spelled("Hi", "Hi"))).out == b"".join(answer(spelled("Hi", "Hi")))
    for text, token in (("Hi", "Ho"), ("my secret", "my secret"), ("", "secret")):
        run = guard_every_way(RULES, answer(spelled(text, token)))
        assert run.reply.logprobs == []
        assert b"secret" not in run.out


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        (says("a"), "upstream_closed"),
        ([*says("a"), end()[:-20]], "upstream_closed"),
        ([*says("my secret"), b'{"error":"no secret memory left"}\n'], "upstream_error"),
    ],
)
def test_faults_are_told_in_the_key_that_clients_raise_on(lines: list[bytes], fault: str) -> None:
    run = guard_every_way(RULES, lines)
    assert len(run.reply.errors) == 1
    assert run.record.fault == fault
    assert b"secret" not in run.out


def test_an_error_that_would_halt_is_replaced() -> None:
    run = guard_every_way(RULES, [*says("a"), b'{"error":"forbidden"}\n'])
    assert run.reply.errors == [RULES.refusal]


def test_the_shell_gives_up() -> None:
    stream = OllamaStream(RULES, ModelRequest(), case_id="g-1")
    out = b"".join(stream.feed(one) for one in says("my ", "sec"))
    out += stream.fail(Fault("shutdown", "Going down."))
    assert read(out).texts == {"content": "my sec"}
    assert read(out).errors == ["Going down."]
    assert stream.done


def test_what_clients_would_choke_on_is_not_sent() -> None:
    lines = [b"\n", *says("a"), b" \n", b"\r\n", *says("b"), end(), b"\n", *says("late secret")]
    run = guard_every_way(RULES, lines)
    assert run.reply.text() == "ab"
    stream = OllamaStream(RULES, ModelRequest(), case_id="g-1")
    assert stream.keep_alive() == b""


def test_what_is_said_anew_is_one_line_for_every_reader() -> None:
    run = guard_every_way(RULES, answer(line({"content": "secret\x1e"}), says("a\\u2028 secret")))
    assert run.reply.text() == "[X]\x1ea\\u2028 [X]"
    escaped = line({"content": "a? secret"}).replace(b"?", b"\\u2028")
    run = guard_every_way(RULES, [*answer(escaped)])
    assert run.reply.text() == "a\u2028 [X]"


def test_unknown_text_is_taken_out_and_named() -> None:
    odd = line({"content": "a", "notes": "my secret"}, summary="a long secret")
    run = guard_every_way(RULES, answer(odd))
    assert b"secret" not in run.out
    assert set(run.record.blocked) == {"message.notes", "summary"}
    passed = guard(policy(redact("secret"), unknown_text="pass"), answer(odd))
    assert passed.out.startswith(odd)
    assert passed.record.unscanned == len("my secret") + len("a long secret")


def test_a_call_waits_for_the_verdicts_of_the_text_before_it() -> None:
    it = Shell(hate(), evil, stream=OllamaStream)
    said = says("This is an evil one.")[0]
    assert it.feed(said + call("f", {"q": 1})) == b""
    assert it.stream.stalled
    it.answer()
    reply = read(it.out)
    assert reply.calls == []
    assert reply.reason == "content_filter"


def test_nothing_comes_behind_the_last_line_of_a_halt_that_it_waited_for() -> None:
    it = Shell(hate(), evil, stream=OllamaStream)
    it.feed(b"".join((*says("This is an evil thing."), end(), b'{"error":"late"}\n')))
    assert it.stream.stalled
    it.answer()
    assert it.stream.done
    assert read(it.out).reason == "content_filter"


def test_the_strings_of_a_call_are_scored() -> None:
    it = Shell(hate(action=Action.HALT), evil, stream=OllamaStream)
    assert it.feed(call("f", {"q": "an evil thing"})) == b""
    while it.open:
        it.answer()
    assert read(it.out).calls == []
    assert read(it.out).reason == "content_filter"


def test_annotations_are_lines_without_text() -> None:
    request = ModelRequest(annotate=True)
    run = guard(RULES, answer(says("a secret")), request=request)
    note = run.reply.guardrail[-1]
    assert (note["action"], note["channel"], note["checked"]) == ("annotate", "content", 5)


def test_the_errors_of_the_protocol() -> None:
    body = PROTOCOL.error_body(Refusal(400, "invalid_request_error", "No.", "content_filter"))
    assert json.loads(body) == {"error": "No."}
    assert PROTOCOL.media_type == "application/x-ndjson"
