"""Streamed Responses answers, as scripts: what a server says, what a client then has."""

from __future__ import annotations

import json
from typing import Any

import pytest

from guardrail.errors import WireError
from guardrail.wire.answer import Fault
from guardrail.wire.openai_responses import ResponsesStream
from guardrail.wire.request import ModelRequest
from tests.wire import chat
from tests.wire.openai_responses_client import Server, guard, guard_every_way, read, sse
from tests.wire.openai_responses_recorded import STREAMS
from tests.wire.scored import Shell, evil, guard_scored, hate

POLICY = chat.policy(chat.redact("secret"), chat.halt("forbidden"))
REFUSAL = "Stopped by safety policy."


def server(*said: tuple[str, ...]) -> Server:
    """Items, each said in these pieces: (name, piece, …)."""
    made = Server()
    for named, *pieces in said:
        if named == "call":
            made.call(*pieces)
        else:
            made.text(*pieces, named=named)
    return made


def withheld_behind(events: list[bytes]) -> Any:
    """llama.cpp ends all items at the end: its call goes when it is whole, behind what was said meanwhile."""
    whole = next((at for at, event in enumerate(events) if b"item.done" in event and b'"function_call"' in event), 0)
    calls = [event for event in events[:whole] if b"function_call" in event]
    return lambda event: whole - 0.5 if event in calls else events.index(event)


@pytest.mark.parametrize("events", STREAMS.values(), ids=STREAMS)
def test_what_real_servers_say_passes_as_it_came(events: list[bytes]) -> None:
    run = guard_every_way(POLICY, events)
    assert run.out == b"".join(sorted(events, key=withheld_behind(events)))
    assert (run.record.blocked, run.record.unscanned, run.record.removed) == ((), 0, 0)


@pytest.mark.parametrize("events", STREAMS.values(), ids=STREAMS)
def test_what_real_servers_say_is_edited_wherever_it_is_repeated(events: list[bytes]) -> None:
    terms = ("sunny", "Oslo", "Looking", "course", "Easy", "there", "well", "morning")
    run = guard_every_way(chat.policy(chat.redact(*terms)), events)
    assert not any(term in run.out.decode().replace("://example.org/oslo", "") for term in terms)


def test_every_repetition_says_the_edited_text() -> None:
    made = server(
        ("reasoning_summary_text", "a sec", "ret"), ("output_text", "the sec", "ret is"), ("call", '"secret"')
    )
    run = guard_every_way(POLICY, made.complete())
    assert b"secret" not in run.out
    assert run.reply.texts == {"output[0].summary[0].text": "a [X]", "output[1].content[0].text": "the [X] is"}
    assert run.reply.output_text == "the [X] is"
    assert run.reply.items[2]["arguments"] == '"[X]"'
    assert [found.channel for found in run.record.findings] == [
        "output[0].summary[0].text",
        "output[1].content[0].text",
        "output[2].arguments",
    ]


def test_a_halt_in_the_text() -> None:
    made = server(("output_text", "this is forb", "idden, as", " you know"), ("call", "{}"))
    run = guard_every_way(POLICY, made.complete())
    assert run.abort
    reply = run.reply
    assert reply.types[5:] == [
        "response.output_text.done",
        "response.content_part.done",
        "response.content_part.added",
        "response.refusal.delta",
        "response.refusal.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert reply.numbers == list(range(13))
    assert (reply.output_text, reply.refusal) == ("this is ", REFUSAL)
    assert reply.final is not None
    assert reply.final["guardrail"] == {
        "case_id": "g-1",
        "action": "halt",
        "channel": "output[0].content[0].text",
        "usage": "estimated",
    }
    assert [item["id"] for item in reply.final["output"]] == ["msg_0"]
    assert run.record.finish_reasons == ("content_filter",)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ([("reasoning_text", "it is forbidden")], ["reasoning", "message"]),
        ([("reasoning_summary_text", "it is forbidden")], ["reasoning", "message"]),
        ([("output_text", "well"), ("call", '{"a":', '"forbidden"}'), ("call", "{}")], ["message", "message"]),
        ([("call", '{"a":', '"forbidden"}')], ["message"]),
        ([("refusal", "it is forbidden")], ["message"]),
    ],
    ids=["reasoning", "summary", "call after text", "call", "refusal"],
)
def test_a_halt_elsewhere_has_its_notice_in_a_message(said: list[tuple[str, ...]], kept: list[str]) -> None:
    run = guard_every_way(POLICY, server(*said).complete())
    reply = run.reply
    assert reply.final is not None
    assert [item["type"] for item in reply.final["output"]] == kept
    assert reply.final["output"][-1]["content"][-1] == {"type": "refusal", "refusal": REFUSAL}
    assert b"forbidden" not in run.out


def test_where_json_was_asked_for_half_a_document_is_not_repeated() -> None:
    made = server(("output_text", '{"a": "', "forbidden"))
    reply = read(guard(POLICY, made.complete(), request=ModelRequest(json_output=True)).out, json_output=True)
    assert "response.output_text.done" not in reply.types
    assert (reply.output_text, reply.refusal) == ("", REFUSAL)


def test_the_usage_of_a_halt_is_an_estimate() -> None:
    made = server(("output_text", "a", " b", " forbidden"))
    reply = guard(POLICY, made.complete(), request=ModelRequest(prompt_bytes=9)).reply
    assert reply.final is not None
    usage = reply.final["usage"]
    assert (usage["input_tokens"], usage["total_tokens"]) == (3, 3 + usage["output_tokens"])


def test_a_text_that_only_its_end_says_is_scanned_there() -> None:
    made = Server()
    index = made.message()
    part = made.items[index]["content"]
    made.open_part(index)
    part[0]["text"] = "a secret"
    made.close_part(index)
    made.close(index)
    run = guard(POLICY, made.complete())
    assert b"secret" not in run.out
    assert run.out.count(b"a [X]") == 4
    assert len(run.record.findings) == 1
    assert (run.record.received, run.record.removed) == (8, 6)


def test_an_end_that_says_something_else_than_its_text_is_scanned_by_itself() -> None:
    made = Server()
    index = made.message()
    made.open_part(index)
    made.delta(index, "all is well")
    made.items[index]["content"][0]["text"] = "all is forbidden"
    made.close_part(index)
    run = guard(POLICY, made.complete())
    assert b"forbidden" not in run.out
    assert run.reply.output_text == "all is well"
    assert run.reply.refusal == REFUSAL


def test_text_in_what_begins_or_still_grows_is_taken_out() -> None:
    made = Server()
    index = made.message()
    where = made.where(index, "content", 0)
    part = {"type": "output_text", "text": "sec", "annotations": []}
    made.say("response.content_part.added", **where, part=part)
    made.items[index]["content"].append({**part, "text": ""})
    made.say("response.in_progress", response=made.response("in_progress", [{**made.items[index], "content": [part]}]))
    made.delta(index, "a secret")
    made.close_part(index)
    made.close(index)
    run = guard(POLICY, made.complete())
    assert b'"sec"' not in run.out
    assert run.record.blocked == ("part.text", "response.output")


def test_annotations_are_scanned_once_and_said_the_same_everywhere() -> None:
    made = Server()
    index = made.message()
    made.open_part(index)
    made.delta(index, "well")
    note = {"type": "url_citation", "title": "the secret", "url": "https://example.org", "start_index": 0}
    where = made.where(index, "content", 0)
    made.say("response.output_text.annotation.added", **where, annotation_index=0, annotation=note)
    made.items[index]["content"][0]["annotations"] = [note]
    made.close_part(index)
    made.close(index)
    run = guard_every_way(POLICY, made.complete())
    assert run.out.count(b"the [X]") == 4
    assert b"secret" not in run.out
    assert len(run.record.findings) == 1


def test_what_is_held_back_when_another_part_halts_is_settled_as_its_end() -> None:
    made = Server()
    index = made.message()
    made.open_part(index)
    made.delta(index, "well, sec")
    where = made.where(index, "content", 0)
    note = {"type": "url_citation", "title": "forbidden", "url": "https://example.org"}
    made.say("response.output_text.annotation.added", **where, annotation_index=0, annotation=note)
    run = guard_every_way(POLICY, made.complete())
    assert (run.reply.output_text, run.reply.refusal) == ("well, sec", REFUSAL)
    assert run.record.held == 0


@pytest.mark.parametrize(
    ("beginning", "field", "kind"),
    [
        ("function_call_arguments", "arguments", "function_call"),
        ("custom_tool_call_input", "input", "custom_tool_call"),
        ("mcp_call_arguments", "arguments", "mcp_call"),
        ("code_interpreter_call_code", "code", "code_interpreter_call"),
    ],
)
def test_what_a_client_may_run_comes_whole(beginning: str, field: str, kind: str) -> None:
    made = Server()
    index = made.add({"id": "t_1", "type": kind, field: ""})
    where = {"item_id": "t_1", "output_index": index}
    for piece in ("do the se", "cret ", "thing"):
        made.say(f"response.{beginning}.delta", **where, delta=piece)
    made.say(f"response.{beginning}.done", **where, **{field: "do the secret thing"})
    made.items[index] = {"id": "t_1", "type": kind, field: "do the secret thing"}
    held = len(made.events)
    made.close(index)
    events = made.complete()
    stream = ResponsesStream(POLICY, ModelRequest(), case_id="g-1")
    assert b"t_1" not in b"".join([stream.feed(event) for event in events[:held]])
    said = b"".join([stream.feed(event) for event in events[held:]]) + stream.finish()
    assert said.count(b"do the [X] thing") == 4  # the delta, its end, the item, the response
    assert b"secret" not in said
    assert (stream.record.received, stream.record.removed) == (19, 6)


def test_what_the_servers_own_tools_do_is_told_at_once() -> None:
    made = Server()
    index = made.add({"id": "fs_1", "type": "file_search_call", "queries": ["a secret"], "results": None})
    made.say("response.file_search_call.searching", item_id="fs_1", output_index=index)
    made.items[index] = {**made.items[index], "results": [{"file_id": "file-1", "text": "it says secret", "score": 1}]}
    held = len(made.events)
    made.close(index)
    events = made.complete()
    stream = ResponsesStream(POLICY, ModelRequest(), case_id="g-1")
    first = b"".join([stream.feed(event) for event in events[:held]])
    assert b"response.file_search_call.searching" in first
    assert b"a [X]" in first
    out = first + b"".join([stream.feed(event) for event in events[held:]]) + stream.finish()
    assert b"secret" not in out
    assert out.count(b"it says [X]") == 2


@pytest.mark.parametrize("unknown", ["block", "pass"])
def test_images_audio_and_what_nobody_knows_are_the_policys_decision(unknown: Any) -> None:
    made = Server()
    index = made.add({"id": "ig_1", "type": "image_generation_call", "result": None})
    where = {"item_id": "ig_1", "output_index": index}
    made.say("response.image_generation_call.partial_image", **where, partial_image_index=0, partial_image_b64="aGk=")
    made.items[index] = {**made.items[index], "result": "aGk="}
    made.close(index)
    made.say("response.audio.delta", delta="aGk=")
    made.say("response.new.thing", thought="aGk=")
    run = guard(chat.policy(chat.redact("secret"), unknown_text=unknown), made.complete())
    assert (b"aGk=" in run.out) == (unknown == "pass")
    assert run.record.unscanned == (20 if unknown == "pass" else 0)
    blocked = ("partial_image_b64", "item.result", "delta", "thought", "output[].result")
    assert run.record.blocked == (() if unknown == "pass" else blocked)
    assert b"response.new.thing" not in run.out or unknown == "pass"


def test_a_fault_is_an_error_event() -> None:
    made = server(("output_text", "half a sec"))
    events = made.events[:-3]
    run = guard_every_way(POLICY, events)
    assert run.reply.errors[0]["code"] == "upstream_closed"
    assert json.loads(run.out.split(b"data: ")[-1])["type"] == "error"
    assert run.reply.texts == {"output[0].content[0].text": "half a sec"}
    assert run.record.fault == "upstream_closed"


def test_an_error_from_upstream_is_scanned() -> None:
    for error, said in (
        ({"type": "error", "code": "x", "message": "secret!", "param": None}, "[X]!"),
        ({"type": "error", "error": {"message": "it is forbidden"}}, REFUSAL),
    ):
        run = guard_every_way(POLICY, [*server(("output_text", "hi")).events, sse(error)])
        assert run.reply.errors[0]["message"] == said
        assert run.record.fault == "upstream_error"


def test_a_response_that_failed_is_scanned() -> None:
    made = server(("output_text", "a secret"))
    events = made.complete("failed", error={"code": "server_error", "message": "on secret"})
    run = guard_every_way(POLICY, events)
    assert run.record.fault == "upstream_error"
    reply = run.reply
    assert reply.ending == "failed"
    assert reply.final is not None
    assert reply.final["error"]["message"] == "on [X]"


def test_nothing_follows_the_end_but_what_ends_some_streams() -> None:
    events = server(("output_text", "hi")).complete()
    more = [*events, events[-1], sse({"type": "keepalive"}), b"data: [DONE] secret\n\n"]
    assert guard_every_way(POLICY, more).out == b"".join(events) + b"data: [DONE]\n\n"


def test_text_after_its_end_is_a_fault() -> None:
    made = server(("output_text", "hi"))
    made.delta(0, "more")
    stream = ResponsesStream(POLICY, ModelRequest(), case_id="g-1")
    with pytest.raises(WireError):
        stream.feed(b"".join(made.events))
    assert read(stream.fail(Fault("upstream_malformed", "No.")), strict=False).errors


def test_what_an_unfinished_response_is_cut_off_with_is_no_half_call() -> None:
    made = server(("output_text", "hi"))
    index = made.add({"id": "fc_1", "type": "function_call", "name": "f", "arguments": ""})
    made.say("response.function_call_arguments.delta", item_id="fc_1", output_index=index, delta="{")
    run = guard_every_way(POLICY, made.events)
    assert b"fc_1" not in run.out
    assert run.record.dropped == 2  # the name, and the piece


def test_a_late_verdict_takes_the_text_out_of_all_that_repeats_it() -> None:
    made = server(("output_text", "An evil thing. ", "More of it, on and on and on. ", "And more."))
    run = guard_scored(hate(lag=1000), evil, made.complete(), late=9, reads_on=True, stream=ResponsesStream)
    reply = read(run.out, strict=False)
    assert reply.final is not None
    assert reply.texts["output[0].content[0].text"].startswith("An evil thing.")
    assert reply.output_text == ""
    note = reply.final["guardrail"]
    assert (note["action"], note["start_offset"], note["channel"]) == ("retract", 0, "output[0].content[0].text")


def test_an_annotation_waits_for_the_verdicts_of_the_text_before_it() -> None:
    made = Server()
    index = made.message()
    made.open_part(index)
    made.delta(index, "This is an evil thing. ")
    made.say(
        "response.output_text.annotation.added",
        item_id=made.items[index]["id"],
        output_index=index,
        content_index=0,
        annotation_index=0,
        annotation={"type": "url_citation", "title": "the page"},
    )
    it = Shell(hate(), evil, stream=ResponsesStream)
    it.feed(b"".join(made.events))
    assert it.stream.stalled
    it.answer()
    assert b"the page" not in it.out
    assert b"refusal" in it.out


def test_runs_of_deltas_take_the_short_way() -> None:
    made = Server(obfuscate=True)
    index = made.message()
    made.open_part(index)
    stream = ResponsesStream(POLICY, ModelRequest(), case_id="g-1")
    stream.feed(b"".join(made.events))
    for number in range(20):
        made.delta(index, f"word {number} ", logprobs=[])
        stream.feed(made.events[-1])
    assert stream._template is not None
    assert stream._template.text(made.events[-2]) == "word 18 "


def test_a_client_that_asks_is_told_what_was_checked() -> None:
    made = server(("output_text", "a secret, they say"))
    run = guard_every_way(POLICY, made.complete(), request=ModelRequest(annotate=True))
    said = [json.loads(event.partition(b"data: ")[2]) for event in run.out.split(b"\n\n") if event]
    notes = [value["guardrail"] for value in said if value.get("delta") == ""]
    assert [(note["channel"], note["checked"]) for note in notes] == [("output[0].content[0].text", 15)]
    assert run.reply.numbers == sorted(run.reply.numbers)


def test_numbers_go_on_behind_what_a_verdict_let_go() -> None:
    made = Server()
    index = made.message()
    made.open_part(index)
    for text in ("Nothing is wrong ", "with this one.\n", "An evil thing stands here.\n", "And more."):
        made.delta(index, text)
    it = Shell(hate(), evil, stream=ResponsesStream)
    it.feed(b"".join(made.events))
    assert b"Nothing is wrong" in it.answer()
    it.answer()
    numbers = read(it.out).numbers
    assert len(numbers) > len(made.events)
    assert numbers == sorted(set(numbers))
