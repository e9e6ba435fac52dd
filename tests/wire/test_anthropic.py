"""Anthropic Messages, streamed: what the client gets, event by event."""

from __future__ import annotations

from typing import Any

import pytest

from guardrail.errors import WireError
from guardrail.wire.answer import Fault
from guardrail.wire.anthropic import PROTOCOL, AnthropicStream
from guardrail.wire.request import ModelRequest
from guardrail.wire.stream import WireLimits
from tests.wire.anthropic_client import (
    PING,
    START,
    STOP,
    begin,
    block,
    call,
    delta,
    end,
    guard,
    guard_every_way,
    message,
    read,
    says,
    sse,
    stopped,
)
from tests.wire.anthropic_recorded import RECORDED
from tests.wire.chat import NOTICE, halt, policy, redact
from tests.wire.scored import evil as evil_model
from tests.wire.scored import guard_scored, hate

RULES = policy(redact("secret"), halt("forbidden"))
RESULT = {"type": "web_search_result", "title": "t", "url": "https://a.b", "encrypted_content": "YWJj"}


@pytest.mark.parametrize("stream", RECORDED.values(), ids=RECORDED)
@pytest.mark.parametrize("size", [1, 7, 100, 1 << 20])
def test_what_real_servers_send_passes_byte_for_byte(stream: bytes, size: int) -> None:
    assert guard(RULES, [stream[at : at + size] for at in range(0, len(stream), size)]).out == stream


def test_text_and_thinking_are_edited_in_their_deltas() -> None:
    run = guard_every_way(RULES, message(block("a sec", "ret.", key="thinking"), block("my se", "cret is", index=1)))
    assert (run.reply.texts("thinking"), run.reply.texts()) == ("a [X].", "my [X] is")
    assert run.reply.content[0]["signature"] == "c2ln"
    assert [finding.channel for finding in run.record.findings] == ["content[0].thinking", "content[1].text"]


def test_a_call_goes_when_its_block_has_stopped_and_not_before() -> None:
    events = call('{"q": "ok', '"}')
    stream = AnthropicStream(RULES, ModelRequest(), case_id="g-1")
    assert stream.feed(START) == START
    assert [stream.feed(event) for event in events] == [b"", b"", b"", b"".join(events)]


def test_an_edited_call_is_said_in_one_delta() -> None:
    run = guard_every_way(RULES, message(call('{"q": "a sec', 'ret", "n": 1}', name="secret")))
    called = run.reply.content[0]
    assert (called["name"], called["input"], called["json"]) == ("[X]", {}, '{"q": "a [X]", "n": 1}')
    assert [finding.channel for finding in run.record.findings] == ["content[0].name", "content[0].input"]


def test_an_input_that_stands_in_the_start_is_scanned_there() -> None:
    run = guard_every_way(RULES, message([begin(0, "tool_use", id="t", name="f", input={"q": "secret"}), end()]))
    assert run.reply.content[0]["input"] == {"q": "[X]"}


@pytest.mark.parametrize("kind", ["text", "thinking"])
def test_a_start_may_carry_text(kind: str) -> None:
    start = begin(0, kind, **{kind: "it is"})
    clean = message([start, *says(" it.", key=kind), end()])
    assert guard_every_way(RULES, clean).reply.texts(kind) == "it is it."
    held = guard_every_way(RULES, message([begin(0, kind, **{kind: "my sec"}), *says("ret", key=kind), end()]))
    assert held.reply.texts(kind) == "my [X]"
    halted = guard_every_way(RULES, message([begin(0, kind, **{kind: "forbidden"}), end()]))
    assert halted.reply.texts(kind).removesuffix(NOTICE) == ""
    assert halted.reply.stop_reason == "refusal"


# --- values that come whole -------------------------------------------------------------------------------------------


def test_quotations_are_edited_but_for_what_is_opaque() -> None:
    cited = {"type": "char_location", "cited_text": "a secret", "document_title": "t", "encrypted_index": "secret"}
    run = guard_every_way(RULES, message([begin(), *says("so"), delta(0, "citations_delta", citation=cited), end()]))
    assert run.reply.content[0]["citations"] == [{**cited, "cited_text": "a [X]"}]


def test_results_of_tools_are_edited_whole() -> None:
    results: list[tuple[str, Any, Any]] = [
        ("web_search_tool_result", [{**RESULT, "title": "a secret"}], [{**RESULT, "title": "a [X]"}]),
        ("code_execution_tool_result", {"type": "r", "stdout": "secret"}, {"type": "r", "stdout": "[X]"}),
        ("mcp_tool_result", [{"type": "text", "text": "secret"}], [{"type": "text", "text": "[X]"}]),
        ("mcp_tool_result", "secret", "[X]"),
    ]
    for kind, came, gone in results:
        run = guard_every_way(RULES, message([begin(0, kind, tool_use_id="srv_1", content=came), end()]))
        assert run.reply.content == [{"type": kind, "tool_use_id": "srv_1", "content": gone}]


def test_calls_that_stand_in_the_start_of_a_message_come_whole() -> None:
    def start(text: str) -> bytes:
        content = [{"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"q": text}}]
        return START.replace(b'"content":[]', b'"content":' + sse(content, name="")[6:].strip())

    edited = guard_every_way(RULES, [start("secret"), *block("ok", index=1), stopped(), STOP])
    assert edited.reply.content[0]["input"] == {"q": "[X]"}
    halted = guard_every_way(RULES, [start("forbidden"), *block("ok", index=1), stopped(), STOP])
    assert [halted.reply.kinds, halted.reply.texts()] == [["text"], NOTICE]


# --- a halt ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("events", "kinds", "texts"),
    [
        ([block("it is forb", "idden.")], ["text"], "it is " + NOTICE),
        ([block("forbidden")], ["text"], NOTICE),
        ([block("it is forbidden", key="thinking")], ["thinking", "text"], NOTICE),
        ([block("ok"), block("forbidden", index=1)], ["text", "text"], "ok" + NOTICE),
        ([block("ok"), call('{"q":"forbidden"}', index=1)], ["text", "text"], "ok" + NOTICE),
        ([call("{}"), call("{}", index=1, name="forbidden")], ["tool_use", "text"], NOTICE),
        ([begin(0, "web_search_tool_result", tool_use_id="s", content="forbidden"), end()], ["text"], NOTICE),
        (
            [begin(), *says("so"), delta(0, "citations_delta", citation={"cited_text": "forbidden"}), end()],
            ["text"],
            "so" + NOTICE,
        ),
    ],
)
def test_a_halt_closes_the_block_says_the_notice_and_refuses(events: Any, kinds: list[str], texts: str) -> None:
    run = guard_every_way(RULES, message(*events, block("more", index=9)))
    reply = run.reply
    assert (reply.kinds, reply.texts()) == (kinds, texts)
    assert reply.stop == {
        "stop_reason": "refusal",
        "stop_sequence": None,
        "stop_details": {"type": "refusal", "category": None, "explanation": NOTICE.strip()},
    }
    assert reply.done
    assert run.abort
    assert run.record.finish_reasons == ("refusal",)
    [note] = reply.guardrail
    assert (note["action"], note["category"], note["usage"]) == ("halt", "violence", "estimated")
    assert reply.open < 0, "every block has stopped"


def test_a_halt_at_the_end_keeps_the_usage_of_upstream() -> None:
    run = guard_every_way(RULES, message(block("x"), reason="a forbidden"), request=ModelRequest())
    assert run.reply.stop_reason == "end_turn"
    assert run.record.blocked == ("delta.stop_reason",)
    last = stopped("stop_sequence", stop_sequence="forbidden")
    halted = guard_every_way(RULES, [START, *block("x"), last, STOP])
    assert (halted.reply.stop_reason, halted.reply.usage["output_tokens"]) == ("refusal", 7)
    assert "usage" not in halted.reply.guardrail[0]
    assert halted.out.endswith(STOP)
    assert not halted.abort


def test_where_json_is_asked_for_the_notice_stays_out_of_the_text() -> None:
    run = guard_every_way(RULES, message(block('{"a": "forbidden"}')), request=ModelRequest(json_output=True))
    assert run.reply.texts() == '{"a": "'
    assert run.reply.stop["stop_details"]["explanation"] == NOTICE.strip()


def test_what_was_delivered_before_a_late_verdict_is_withdrawn() -> None:
    events = message(block("A long and good sentence. ", "This is evil, all of it. ", "More text follows."))
    run = guard_scored(hate(lag=1000, notice=""), evil_model, events, late=9, reads_on=True, stream=AnthropicStream)
    reply = read(run.out)
    [note] = reply.guardrail
    assert (note["action"], note["channel"], note["erase"]) == ("retract", "content[0].text", True)
    assert reply.texts()[: note["start_offset"]] == "A long and good sentence. "
    assert note["end_offset"] == len(reply.texts())


def test_why_a_message_stopped_is_scanned() -> None:
    details = {"type": "refusal", "category": "bio", "explanation": "a secret"}
    last = stopped("refusal", stop_sequence="secret", stop_details=details)
    run = guard_every_way(RULES, [START, *block("x"), last, STOP])
    assert run.reply.stop["stop_sequence"] == "[X]"
    assert run.reply.stop["stop_details"] == {**details, "explanation": "a [X]"}


# --- faults -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "events",
    [
        [START, START],
        [begin()],
        [START, *says("a")],
        [START, begin(1)],
        [START, *block("a"), begin()],
        [START, begin(), *says("a", index=1)],
        [START, begin(), end(), end()],
        [START, begin(), delta(0, "input_json_delta", partial_json="1")],
        [START, begin(0, "tool_use", id="t", name="f", input={}), *says("a")],
        [START, begin(), delta(0, "signature_delta", signature="YQ=="), *says("a", key="thinking")],
        [START, *block("a"), begin(2)],
        [START, stopped(), begin()],
        [START, stopped(), stopped()],
        [START, begin(-1)],
        [START, sse({"type": "content_block_start", "index": 0})],
        [b"data: [1]\n\n"],
        [b"data: {\n\n"],
    ],
)
def test_what_clients_could_not_add_up_is_a_fault(events: list[bytes]) -> None:
    stream = AnthropicStream(RULES, ModelRequest(), case_id="g-1")
    out = b"".join([stream.feed(event) for event in events[:-1]])
    with pytest.raises(WireError):
        stream.feed(events[-1])
    read(out + stream.fail(Fault("upstream_malformed", "No.")))


def test_a_block_that_a_server_forgot_to_stop_ends_where_the_next_begins() -> None:
    forgot = [begin(), *says("a secret")]
    run = guard_every_way(RULES, message(forgot, block("ok", index=1)))
    assert (run.reply.kinds, run.reply.texts()) == (["text", "text"], "a [X]ok")
    called = guard_every_way(RULES, message(call('{"q":"secret"}')[:-1], call("{}", index=1)))
    assert [found["json"] for found in called.reply.content] == ['{"q":"[X]"}', "{}"]
    halted = guard_every_way(RULES, message(call('{"q":"forbidden"}')[:-1], call("{}", index=1)))
    assert (halted.reply.kinds, halted.reply.texts()) == (["text"], NOTICE)
    cut = guard_every_way(RULES, message([begin(), *says("it is forbidden")], call("{}", index=1)))
    assert (cut.reply.kinds, cut.reply.texts()) == (["text"], "it is " + NOTICE)


def test_a_fault_is_an_error_event_behind_all_that_could_be_delivered() -> None:
    stream = AnthropicStream(RULES, ModelRequest(), case_id="g-1")
    out = stream.feed(b"".join([START, *block("a sec"), *call('{"q":1}', index=1)[:-1]]))
    out += stream.fail(Fault("upstream_timeout", "Too slow."))
    reply = read(out)
    assert reply.texts() == "a sec"
    assert reply.kinds == ["text"]
    assert reply.errors == [{"type": "api_error", "message": "Too slow.", "code": "upstream_timeout"}]
    assert not reply.done
    assert stream.record.dropped == len('{"q":1}') + len("f")


def test_an_end_too_soon_is_a_fault_and_a_missing_stop_is_not() -> None:
    assert read(guard(RULES, b"".join([START, *block("x")])).out).errors
    whole = b"".join([START, *block("x"), stopped()])
    assert guard(RULES, whole).out == whole
    stream = AnthropicStream(RULES, ModelRequest(), case_id="g-1")
    stream.feed(whole)
    assert stream.fail(Fault("shutdown", "Going down.")) == STOP


def test_an_error_of_upstream_is_scanned() -> None:
    error = sse({"type": "error", "error": {"type": "overloaded_error", "message": "your secret is out"}})
    run = guard_every_way(RULES, [START, *block("x"), error])
    assert run.reply.errors == [{"type": "overloaded_error", "message": "your [X] is out"}]
    assert run.record.fault == "upstream_error"
    bad = guard_every_way(RULES, [START, sse({"type": "error", "error": {"message": "forbidden"}})])
    assert b"forbidden" not in bad.out
    assert bad.reply.errors[0]["type"] == "api_error"


def test_a_call_too_long_to_hold_is_a_fault() -> None:
    stream = AnthropicStream(RULES, ModelRequest(), case_id="g-1", limits=WireLimits(4096, 2000))
    with pytest.raises(WireError):
        stream.feed(b"".join([START, *call(*["x" * 100] * 9)]))


# --- unknown text -----------------------------------------------------------------------------------------------------


def test_text_that_nobody_knows_is_removed_or_counted() -> None:
    events = [
        begin(0, "news", headline="a secret", id="n_1"),
        delta(0, "news_delta", headline="a secret"),
        end(),
        sse({"type": "summary", "text": "secret"}),
    ]
    run = guard_every_way(RULES, message(events))
    assert b"secret" not in run.out
    assert run.record.blocked == ("content_block.headline", "content_block.id", "delta.headline", "text")
    passed = guard_every_way(policy(redact("secret"), unknown_text="pass"), message(events))
    assert passed.out == b"".join(message(events))
    assert passed.record.unscanned == len("a secret" * 2 + "secret" + "n_1")


def test_opaque_data_must_look_like_it() -> None:
    events = [begin(0, "thinking"), delta(0, "signature_delta", signature="my secret"), end()]
    run = guard_every_way(RULES, message(events, [begin(1, "redacted_thinking", data="a secret"), end(1)]))
    assert [found.get("signature", found.get("data")) for found in run.reply.content] == ["", ""]


def test_a_client_that_asks_is_told_how_far_its_text_was_checked() -> None:
    run = guard_every_way(RULES, message(block("a secret thing")), request=ModelRequest(annotate=True))
    assert run.reply.texts() == "a [X] thing"
    assert run.reply.guardrail == [
        {"action": "annotate", "channel": "content[0].text", "checked": 11, "categories": {"pii": "medium"}}
    ]


def test_silence_is_filled_with_pings() -> None:
    assert AnthropicStream(RULES, ModelRequest(), case_id="g-1").keep_alive() == PING
    assert (PROTOCOL.name, PROTOCOL.key_header) == ("anthropic", "x-api-key")
