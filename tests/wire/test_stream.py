"""The codec of a stream, as scripts: events from upstream in, what a client reads out.

`guard_every_way` reads each script whole, event by event and byte by byte, and requires the same of all three. The
tests named `lesson_` are the faults of other proxies.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from guardrail.errors import WireError
from guardrail.text.rules import Action, KeywordRule, PatternRule
from guardrail.wire.answer import Fault
from guardrail.wire.chunk import SlotTemplate, Template
from guardrail.wire.openai_chat import ChatStream
from guardrail.wire.request import ModelRequest
from guardrail.wire.stream import WireLimits
from tests.wire.chat import (
    DONE,
    ENVELOPE,
    NOTICE,
    call,
    chat,
    event,
    guard,
    guard_every_way,
    halt,
    policy,
    read,
    redact,
    says,
    sse,
)

POLICY = policy(redact("secret"), halt("forbidden phrase"))
TWO = ModelRequest(n=2)


# --- clean -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "events",
    [
        chat(says("Hello", ", ", "world")),
        chat(says("你好", "，世界", "😀")),
        chat(says('He said "no"', "\n\n", "\\", "\t")),
        chat(says("thinking", key="reasoning_content"), says("answer")),
        chat(says("thinking", key="reasoning"), says("I cannot", key="refusal")),
        chat(event({"content": "Hi"}, finish=None, logprobs=None, stop_reason=None)),
        chat(event({"content": "Hi"}, top={"usage": None, "system_fingerprint": "fp", "timings": {"ms": 1.5}})),
        chat(event({"content": "Hi"}, top={"obfuscation": "aZ09xy"})),
        chat(call('{"city": "Pa', name="weather"), call('ris"}'), finish="tool_calls"),
        chat(call("{}", name="a"), call('{"x"', at=1, name="b"), call(":1}", at=1), finish="tool_calls"),
        [event({"role": "assistant"}), event({"content": "all at once"}, "stop"), DONE],
        [sse({**ENVELOPE, "choices": [], "prompt_filter_results": []}), *chat(says("Azure"))],
        [*chat(says("Hi"))[:-1], sse({**ENVELOPE, "choices": [], "usage": {"total_tokens": 9}}), DONE],
        [b": OPENROUTER PROCESSING\n\n", *chat(says("Hi"))],
        [e.replace(b"\n\n", b"\r\n\r\n") for e in chat(says("Hello", ", ", "world"))],
        [e.replace(b"data: ", b"data:") for e in chat(says("Hello", ", ", "world"))],
        [b"event: message\nid: 1\n" + e for e in chat(says("Hello", ", ", "world"))],
        [json.dumps(json.loads(e[6:])).join(("data: ", "\n\n")).encode() for e in chat(says("Hello"))[:-1]] + [DONE],
        [sse({"choices": [{"index": 0, "text": "legacy", "finish_reason": None}]}), DONE],
        [sse({"choices": [{"index": i, "delta": {"content": "x"}} for i in (0, 1)]}), DONE],
    ],
)
def test_clean_streams_pass_byte_for_byte(events: list[bytes]) -> None:
    run = guard_every_way(POLICY, events)
    assert run.out == b"".join(events)
    assert run.done
    assert not run.abort
    assert run.record.released == run.record.received


def test_a_short_event_is_kept_whole_and_a_long_one_is_split() -> None:
    short = guard(POLICY, [event({"content": "is it a sec"})])
    assert short.writes[0] == b""
    long = guard(POLICY, [event({"content": "a" * 30 + " is it a sec"})])
    assert read(long.writes[0]).text() == "a" * 30 + " is it a "
    assert long.reply.text() == "a" * 30 + " is it a sec"


def test_events_before_the_held_one_go_at_once() -> None:
    events = says("one ", "two ", "sec")
    run = guard(POLICY, [b"".join(events), *says("ond")])
    assert run.writes[0] == b"".join(events[:2])
    assert run.writes[1] == events[2] + says("ond")[0]
    assert (run.record.events_delayed, run.record.held_max) == (1, 3)


# --- redaction -------------------------------------------------------------------------------------------------------


def test_a_redaction_is_plain_text_and_changes_nothing_else() -> None:
    top = {"system_fingerprint": "fp", "unknown": {"count": 3}}
    run = guard_every_way(POLICY, chat(event({"content": "the secret!"}, top=top, stop_reason=None)))
    assert run.reply.text() == "the [X]!"
    assert run.reply.chunks[1] == {
        **ENVELOPE,
        "choices": [{"index": 0, "delta": {"content": "the [X]!"}, "stop_reason": None, "finish_reason": None}],
        **top,
    }


def test_lesson_a_value_split_over_chunks_is_found() -> None:
    run = guard_every_way(POLICY, chat(says("a s", "ec", "re", "t b")))
    assert run.reply.text() == "a [X] b"


def test_lesson_no_part_of_a_value_is_sent_before_it_is_known() -> None:
    run = guard(POLICY, chat(says("a ", "sec", "ret", " b")))
    assert run.writes[2:4] == [b"", b""]
    assert b"sec" not in run.out


def test_lesson_words_stay_apart() -> None:
    run = guard_every_way(POLICY, chat(says("one", " two", " secret", " three", "\n", "  four")))
    assert run.reply.text() == "one two [X] three\n  four"


def test_an_event_that_has_nothing_left_is_not_sent() -> None:
    run = guard_every_way(POLICY, chat(says("a ", "sec", "ret", " b")))
    assert [c["choices"][0]["delta"] for c in run.reply.chunks[1:-1]] == [
        {"content": "a "},
        {"content": "[X]"},
        {"content": " b"},
    ]


def test_an_emptied_event_with_a_role_is_sent() -> None:
    run = guard_every_way(
        POLICY, [event({"role": "assistant", "content": "sec"}), *says("ret"), event({}, "stop"), DONE]
    )
    assert run.reply.chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": "[X]"}
    assert run.reply.text("role") == "assistant"


def test_reasoning_and_refusal_are_scanned_apart_from_content() -> None:
    run = guard_every_way(
        POLICY,
        chat(says("a sec", key="reasoning_content"), says("ret b"), says("secret", key="refusal"), says("x secret")),
    )
    assert run.reply.texts == {
        (0, "role"): "assistant",
        (0, "reasoning_content"): "a sec",
        (0, "content"): "ret bx [X]",
        (0, "refusal"): "[X]",
    }
    assert [f.channel for f in run.record.findings] == ["content", "refusal"]


def test_a_held_channel_does_not_hold_the_others() -> None:
    run = guard(POLICY, chat(says("sec", key="reasoning_content"), says("hello")))
    assert run.writes[1] == b""
    assert run.writes[2] == says("hello")[0]


def test_lesson_choices_are_not_merged() -> None:
    events = chat(says("a sec"), says("ret b", index=1), says("ret"), says(" secret", index=1))
    run = guard_every_way(POLICY, [*events[:-1], event({}, "stop", 1), DONE], request=TWO)
    assert run.reply.text() == "a [X]"
    assert run.reply.text(index=1) == "ret b [X]"
    assert [f.channel for f in run.record.findings] == ["content", "choices[1].content"]


def test_a_held_choice_does_not_hold_the_other_even_in_one_event() -> None:
    both = sse({**ENVELOPE, "choices": [{"index": i, "delta": {"content": t}} for i, t in enumerate(["sec", "free"])]})
    run = guard(POLICY, [both, *says("ond")])
    assert read(run.writes[0]).texts == {(1, "content"): "free"}
    assert run.reply.text() == "second"


def test_text_in_the_event_that_finishes() -> None:
    run = guard_every_way(POLICY, [event({"content": "a sec"}), event({"content": "ret"}, "stop"), DONE])
    assert run.reply.text() == "a [X]"
    assert run.reply.finishes == {0: "stop"}


def test_text_after_the_finish_is_dropped_and_counted() -> None:
    run = guard_every_way(POLICY, [*chat(says("a"))[:-1], *says("more"), DONE])
    assert run.reply.text() == "a"
    assert run.record.dropped == 4


def test_an_allow_phrase_beats_the_shorter_word_across_events() -> None:
    rule = KeywordRule(id="r", category="c", terms=("大麻",), allow=("大麻烦",), action=Action.HALT)
    run = guard_every_way(policy(rule), chat(says("是大", "麻", "烦了")))
    assert run.reply.text() == "是大麻烦了"


def test_lesson_a_log_rule_neither_delays_nor_changes() -> None:
    rule = KeywordRule(id="r", category="c", terms=("secret",), action=Action.LOG)
    events = chat(says("a ", "sec", "ret", " b"))
    run = guard(policy(rule), events)
    assert run.writes[:-1] == events
    assert [f.rule for f in run.record.findings] == ["r"]


def test_lesson_full_width_digits_are_digits() -> None:
    rule = PatternRule(id="r", category="c", expressions=(r"\d{3}-\d{4}",))
    run = guard_every_way(policy(rule), chat(says("call ５", "５５-０１", "９９ now")))
    assert run.reply.text() == "call [REDACTED] now"


# --- halts -----------------------------------------------------------------------------------------------------------


def test_a_halt_says_so_in_the_protocol_and_aborts() -> None:
    run = guard_every_way(POLICY, chat(says("😀 a forb", "idden phr", "ase and more", " and more")))
    assert run.reply.text() == "😀 a " + NOTICE
    assert run.reply.chunks[-1] == {
        **ENVELOPE,
        "choices": [
            {
                "index": 0,
                "delta": {},
                "finish_reason": "content_filter",
                "content_filter_results": {"violence": {"filtered": True, "severity": "high"}},
                "content_filter_offsets": {"check_offset": 4, "start_offset": 4, "end_offset": 4},
            }
        ],
        "guardrail": {"case_id": "g-1", "action": "halt"},
    }
    assert run.out.endswith(DONE)
    assert run.out.count(DONE) == 1
    assert run.abort
    assert run.record.halted
    assert run.record.finish_reasons == ("content_filter",)


def test_a_halt_stops_at_the_event_that_decides_it() -> None:
    stream = ChatStream(POLICY, ModelRequest(), case_id="g-1")
    stream.feed(b"".join(says("a forbidden ")))
    assert not stream.abort
    assert read(stream.feed(says("phrase ")[0])).finishes == {0: "content_filter"}
    assert stream.abort
    assert (stream.feed(says("more")[0]), stream.finish(), stream.keep_alive()) == (b"", b"", b"")


def test_offsets_count_code_points_of_what_was_delivered() -> None:
    run = guard_every_way(POLICY, chat(says("é😀 secret forbidden phrase.")))
    assert run.reply.text() == "é😀 [X] " + NOTICE
    assert run.reply.last[0]["content_filter_offsets"]["end_offset"] == len("é😀 [X] ")


def test_no_notice_when_the_policy_has_none() -> None:
    run = guard_every_way(policy(halt("forbidden phrase"), notice=""), chat(says("a forbidden phrase.")))
    assert run.reply.text() == "a "


def test_a_halt_at_the_very_start_and_at_the_very_end() -> None:
    assert guard_every_way(POLICY, [*says("forbidden phrase "), DONE]).reply.text() == NOTICE
    run = guard_every_way(POLICY, chat(says("a forbidden phrase")))
    assert run.reply.text() == "a " + NOTICE
    assert run.reply.finishes == {0: "content_filter"}
    assert not run.abort  # upstream had finished


def test_a_halt_in_reasoning_ends_the_choice() -> None:
    run = guard_every_way(POLICY, chat(says("a forbidden phrase.", key="reasoning_content"), says("answer")))
    assert run.reply.texts == {(0, "role"): "assistant", (0, "reasoning_content"): "a ", (0, "content"): NOTICE}
    assert run.reply.guardrail == [{"case_id": "g-1", "action": "halt", "channel": "reasoning_content"}]
    assert run.abort


def test_with_several_choices_only_the_one_that_halted_ends() -> None:
    events = [
        *says("forbidden phrase."),
        *says("fine", index=1),
        *says("more"),
        event({}, "stop", 1),
        event({}, "stop"),
        DONE,
    ]
    run = guard_every_way(POLICY, events, request=TWO)
    assert run.reply.text() == NOTICE
    assert run.reply.text(index=1) == "fine"
    assert run.reply.finishes == {0: "content_filter", 1: "stop"}
    assert run.abort  # choice 0 was still being generated when nothing else was left


def test_a_halt_does_not_abort_choices_that_have_not_begun() -> None:
    stream = ChatStream(POLICY, TWO, case_id="g-1")
    stream.feed(says("forbidden phrase.")[0])
    assert not stream.abort
    stream.feed(says("fine", index=1)[0] + event({}, "stop", 1))
    assert stream.abort


def test_a_halt_ends_the_response_where_the_policy_says_so() -> None:
    events = [*says("fine", index=1), *says("forbidden phrase."), *says("more", index=1), DONE]
    run = guard_every_way(policy(halt("forbidden phrase"), halt_scope="response"), events, request=TWO)
    assert run.reply.text() == NOTICE
    assert run.reply.text(index=1) == "fine" + NOTICE
    assert run.reply.finishes == {0: "content_filter", 1: "content_filter"}
    assert run.abort


def test_lesson_a_halted_answer_reports_usage() -> None:
    request = ModelRequest(include_usage=True, prompt_bytes=10)
    run = guard_every_way(POLICY, chat(says("a ", "forbidden phrase.")), request=request)
    assert run.reply.chunks[-1] == {
        **ENVELOPE,
        "choices": [],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
        "guardrail": {"case_id": "g-1", "usage": "estimated"},
    }


def test_usage_from_upstream_is_kept_after_a_halt() -> None:
    usage = {"prompt_tokens": 1, "completion_tokens": 7, "total_tokens": 8}
    request = ModelRequest(include_usage=True)
    events = [*says("a forbidden phrase"), event({}, "stop"), sse({**ENVELOPE, "choices": [], "usage": usage}), DONE]
    run = guard_every_way(POLICY, events, request=request)
    assert (run.reply.usage, run.reply.finishes) == (usage, {0: "content_filter"})
    assert len(run.reply.guardrail) == 1
    in_finish = [*says("a forbidden phrase"), event({}, "stop", top={"usage": usage}), DONE]
    assert guard_every_way(POLICY, in_finish).reply.usage == usage
    so_far = [event({"content": "a forbidden phrase."}, top={"usage": usage}), *says("more"), DONE]
    assert guard_every_way(POLICY, so_far, request=request).reply.usage == usage


def test_legacy_completions_are_answered_in_their_own_shape() -> None:
    texts = ["a forb", "idden phrase."]
    events = [sse({"id": "cmpl-1", "choices": [{"index": 0, "text": t, "finish_reason": None}]}) for t in texts]
    run = guard_every_way(POLICY, [*events, DONE])
    assert run.reply.text("text") == "a " + NOTICE
    assert "delta" not in run.reply.last[0]


# --- tool calls ------------------------------------------------------------------------------------------------------


def test_lesson_tool_arguments_are_scanned() -> None:
    run = guard_every_way(POLICY, chat(call('{"to": "sec', name="send"), call('ret", "n": 1}'), finish="tool_calls"))
    assert run.reply.text("tool_calls[0].arguments") == '{"to": "[X]", "n": 1}'
    assert run.reply.text("tool_calls[0].name") == "send"
    assert run.reply.finishes == {0: "tool_calls"}
    assert [(f.channel, f.start, f.end) for f in run.record.findings] == [("tool_calls[0].function.arguments", 8, 14)]


def test_tool_calls_wait_for_the_finish_and_hold_nothing_else() -> None:
    events = chat(call('{"a"', name="f"), says("text"), call(":1}"), finish="tool_calls")
    run = guard(POLICY, events)
    assert run.writes[:4] == [events[0], b"", events[2], b""]
    assert run.writes[4] == events[1] + events[3] + events[4]
    assert run.record.held_max == 0


def test_a_halt_in_a_tool_call_delivers_no_call() -> None:
    calls = [call("{}", name="safe"), call('{"q":"forbidden \\u0070hrase"}', at=1, name="f")]
    run = guard_every_way(POLICY, chat(says("Let me see."), calls, finish="tool_calls"))
    assert run.reply.texts == {(0, "role"): "assistant", (0, "content"): "Let me see." + NOTICE}
    assert run.reply.finishes == {0: "content_filter"}
    assert run.reply.guardrail[0]["channel"] == "tool_calls[1].function.arguments"


def test_parallel_calls_in_any_order_with_one_edited() -> None:
    calls = [
        event(
            {"tool_calls": [{"index": i, "id": f"c{i}", "type": "function", "function": {"name": n, "arguments": ""}}]}
        )
        for i, n in enumerate("ab")
    ]
    fragments = [call('{"x":"sec', at=1), call("[1,", at=0), call('ret"}', at=1), call("2]", at=0)]
    run = guard_every_way(POLICY, chat(calls, fragments, finish="tool_calls"))
    assert run.reply.text("tool_calls[0].arguments") == "[1,2]"
    assert run.reply.text("tool_calls[1].arguments") == '{"x":"[X]"}'
    said = [c["choices"][0]["delta"]["tool_calls"][0] for c in run.reply.chunks[1:-1]]
    assert [(e["index"], e["id"], e["type"], e["function"]["name"]) for e in said] == [
        (0, "c0", "function", "a"),
        (1, "c1", "function", "b"),
    ]


def test_a_whole_call_in_the_event_that_finishes() -> None:
    delta = {"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": '{"a":"secret"}'}}]}
    run = guard_every_way(POLICY, [event({"role": "assistant", "content": "ok", **delta}, "tool_calls"), DONE])
    assert run.reply.text("tool_calls[0].arguments") == '{"a":"[X]"}'
    assert (run.reply.text(), run.reply.text("role"), run.reply.finishes) == ("ok", "assistant", {0: "tool_calls"})


def test_the_legacy_function_call() -> None:
    delta = [{"function_call": {"name": "f", "arguments": '{"a":'}}, {"function_call": {"arguments": '"secret"}'}}]
    run = guard_every_way(POLICY, chat([event(d) for d in delta], finish="function_call"))
    assert run.reply.text("function_call.name") == "f"
    assert run.reply.text("function_call.arguments") == '{"a":"[X]"}'


def test_tool_calls_that_are_not_complete_are_not_delivered() -> None:
    events = [*says("hello"), call('{"a"', name="f")]
    run = guard(POLICY, events)
    assert run.reply.texts == {(0, "content"): "hello"}
    assert (run.record.dropped, run.record.fault) == (5, "upstream_closed")


def test_tool_calls_are_capped() -> None:
    stream = ChatStream(POLICY, ModelRequest(), case_id="g-1", limits=WireLimits(withheld_bytes=1000))
    fragment = call("x" * 50)
    assert [stream.feed(fragment) for _ in range(1000 // len(fragment))] == [b""] * (1000 // len(fragment))
    with pytest.raises(WireError, match="1000 bytes"):
        stream.feed(fragment)


# --- fields that nobody knows ----------------------------------------------------------------------------------------


UNKNOWN: list[tuple[bytes, str]] = [
    (event({"content": "a", "details": [{"text": "hidden"}]}), "choices[].delta.details"),
    (event({"content": "a", "audio": {"id": "1", "data": "hidden"}}), "choices[].delta.audio.data"),
    (event({"content": "a", "new": {"hidden text": 1}}), "choices[].delta.new"),
    (event({"content": "a"}, message={"content": "hidden"}), "choices[].message"),
    (event({"content": "a"}, top={"summary": "hidden text"}), "summary"),
    (event({"content": "a"}, top={"x": {"y": ["hidden" * 11]}}), "x"),
    (event({"content": "a"}, top={"x": "隐藏"}), "x"),
    (event({"content": "a", "role": "hidden"}), "choices[].delta.role"),
    (event({"content": "a", "refusal": ["hidden"]}), "choices[].delta.refusal"),
    (event({"content": "a", "tool_calls": "hidden"}), "choices[].delta.tool_calls"),
    (b": " + b"hidden" * 20 + b"\n" + says("a")[0], "(event field)"),
    (b"hidden: x\n" + says("a")[0], "(event field)"),
]


@pytest.mark.parametrize(("said", "path"), UNKNOWN, ids=[path + str(i) for i, (_, path) in enumerate(UNKNOWN)])
def test_text_in_an_unknown_shape_is_removed_and_named(said: bytes, path: str) -> None:
    run = guard_every_way(POLICY, chat(said))
    assert b"hidden" not in run.out
    assert "隐藏" not in run.out.decode()
    assert run.reply.text() == "a"
    assert run.record.blocked == (path,)


def test_text_in_an_unknown_shape_passes_and_is_counted_where_the_policy_says_so() -> None:
    events = chat(event({"content": "a", "details": [{"text": "hidden"}]}))
    run = guard_every_way(policy(redact("secret"), unknown_text="pass"), events)
    assert run.out == b"".join(events)
    assert (run.record.unscanned, run.record.blocked) == (6, ())


@pytest.mark.parametrize(
    "said",
    [
        event({"content": "a", "annotations": [], "audio": None, "n": 1, "provider_specific_fields": {"x": ""}}),
        event({"content": "a"}, stop_reason="###", matched_stop=7, native_finish_reason="stop", seed=1),
        event({"content": "a"}, content_filter_results={"hate": {"filtered": False, "severity": "safe"}}),
        event({"content": "a"}, top={"provider": "Some Cloud", "x_groq": {"id": "req_01"}, "timings": {"ms": 0.5}}),
    ],
)
def test_what_is_no_text_passes(said: bytes) -> None:
    events = chat(said)
    run = guard_every_way(POLICY, events)
    assert run.out == b"".join(events)


def test_a_key_that_comes_twice_is_not_a_way_past() -> None:
    said = event({"content": "a"}).replace(b'"content":', b'"content":"secret","content":')
    run = guard_every_way(POLICY, chat(said))
    assert b"secret" not in run.out
    assert run.reply.text() == "a"


# --- log probabilities -----------------------------------------------------------------------------------------------


def tokens(*texts: str, **extra: Any) -> dict[str, Any]:
    return {
        "content": [
            {"token": t, "logprob": -0.5, "bytes": list(t.encode()), "top_logprobs": [], **extra} for t in texts
        ]
    }


def test_log_probabilities_pass_with_clean_text() -> None:
    odd = [
        {"token": "\\xe4\\xbd", "logprob": 0, "bytes": [0xE4, 0xBD]},
        {"token": "\\xa0", "logprob": 0, "bytes": [0xA0]},
    ]
    other = [{"token": "b", "logprob": -1.5, "bytes": [98]}]
    events = chat(
        event({"content": "a b"}, logprobs=tokens("a", " b")),
        event({"content": "你"}, logprobs={"content": odd, "refusal": None}),
        event({"content": "a"}, logprobs=tokens("a", top_logprobs=other)),
    )
    assert guard_every_way(POLICY, events).out == b"".join(events)


@pytest.mark.parametrize(
    "said",
    [
        event({"content": "the secret"}, logprobs=tokens("the", " secret")),
        event({"content": "x" * 40 + " sec"}, logprobs=tokens("x" * 40, " sec")),
        event({"content": "the"}, logprobs=tokens("the", " secret")),
        event({"content": "the"}, logprobs={"content": [{"token": "secret", "logprob": 0, "bytes": list(b"the")}]}),
        event({"content": "the"}, logprobs=tokens("the", top_logprobs=[{"token": "secret", "logprob": -1}])),
        event({"content": "the"}, logprobs={"tokens": ["secret"]}),
        event({"content": "the"}, logprobs=tokens("the", note="secret")),
    ],
)
def test_log_probabilities_that_say_anything_else_are_removed(said: bytes) -> None:
    run = guard_every_way(POLICY, chat(said, says("!")))
    assert b"secret" not in run.out
    assert {c["choices"][0].get("logprobs") for c in run.reply.chunks[1:-2]} == {None}


# --- text that is hard to decode -------------------------------------------------------------------------------------


def escaped(text: str) -> bytes:
    return event({"content": "?"}).replace(b"?", text.encode())


def test_surrogate_halves_in_two_events_are_joined_before_scanning() -> None:
    run = guard_every_way(policy(redact("😀")), chat(escaped("a \\ud83d"), escaped("\\ude00 b")))
    assert run.reply.text() == "a [X] b"
    run = guard_every_way(POLICY, chat(escaped("a \\ud83d"), escaped("\\ude00 b")))
    assert run.reply.text() == "a 😀 b"


@pytest.mark.parametrize(
    "events", [[escaped("a \\ud83d")], [escaped("a \\ud83d"), escaped("x")], [escaped("a \\ude00")]]
)
def test_a_lone_surrogate_neither_crashes_nor_passes(events: list[bytes]) -> None:
    run = guard_every_way(POLICY, chat(events))
    assert run.reply.text().startswith("a \ufffd")
    assert run.reply.finishes == {0: "stop"}


def test_escapes_hide_nothing() -> None:
    run = guard_every_way(POLICY, chat(escaped("a \\u0073ecr"), escaped("\\u0065t b\\n")))
    assert run.reply.text() == "a [X] b\n"


def test_nul_and_control_characters_are_text() -> None:
    events = chat(escaped("a\\u0000b\\u001b[31m"))
    assert guard_every_way(POLICY, events).out == b"".join(events)


# --- ends and faults -------------------------------------------------------------------------------------------------


def test_nothing_after_done_and_done_once() -> None:
    run = guard(POLICY, b"".join([*chat(says("a")), *says("more"), DONE]))
    assert run.out == b"".join(chat(says("a")))


def test_done_without_a_finish_reason_settles_everything() -> None:
    run = guard_every_way(POLICY, [*says("a sec"), call('{"a":"secret"}', name="f"), DONE])
    assert run.reply.text() == "a sec"
    assert run.reply.text("tool_calls[0].arguments") == '{"a":"[X]"}'
    assert run.reply.done
    assert run.record.fault is None


def test_an_end_without_done_after_the_finish_is_complete() -> None:
    events = chat(says("a"))[:-1]
    run = guard_every_way(POLICY, events)
    assert run.out == b"".join(events)
    assert run.record.fault is None


def test_the_last_blank_line_may_be_missing() -> None:
    events = chat(says("a"))
    for missing in (1, 2):
        assert guard(POLICY, b"".join(events)[:-missing]).out == b"".join(events)


@pytest.mark.parametrize(
    "cut",
    [says("a sec"), [*says("a sec"), b"data: {"], [*says("a sec"), says("ret")[0][:-9]], []],
    ids=["between events", "in JSON", "in an event", "at once"],
)
def test_an_upstream_that_breaks_off_is_a_fault(cut: list[bytes]) -> None:
    run = guard_every_way(POLICY, cut)
    assert run.reply.text() == ("a sec" if cut else "")
    assert [error["code"] for error in run.reply.errors] == ["upstream_closed"]
    assert run.reply.done
    assert run.record.fault == "upstream_closed"


def test_a_fault_delivers_what_was_held_as_the_end_of_its_text() -> None:
    rule = KeywordRule(id="r", category="c", terms=("secret",), edges="always")
    stream = ChatStream(policy(rule), ModelRequest(), case_id="g-1")
    assert stream.feed(says("a secret")[0]) == b""
    reply = read(stream.fail(Fault("upstream_timeout", "The model server was silent for too long.")))
    assert reply.text() == "a [REDACTED]"
    assert reply.errors == [
        {
            "message": "The model server was silent for too long.",
            "type": "upstream_error",
            "param": None,
            "code": "upstream_timeout",
        }
    ]
    assert reply.done
    assert stream.done


def test_a_fault_that_uncovers_a_halt_ends_as_a_halt() -> None:
    stream = ChatStream(POLICY, ModelRequest(), case_id="g-1")
    stream.feed(says("a forbidden phrase")[0])
    reply = read(stream.fail(Fault("shutdown", "Going down.")))
    assert (reply.text(), reply.finishes, reply.errors) == ("a " + NOTICE, {0: "content_filter"}, [])


def test_a_fault_after_the_finish_costs_nothing() -> None:
    stream = ChatStream(POLICY, ModelRequest(), case_id="g-1")
    out = stream.feed(b"".join(chat(says("a"))[:-1])) + stream.fail(Fault("upstream_timeout", "Silent."))
    assert out == b"".join(chat(says("a")))


def test_what_was_decided_before_malformed_bytes_is_delivered() -> None:
    stream = ChatStream(POLICY, ModelRequest(), case_id="g-1")
    with pytest.raises(WireError):
        stream.feed(b"".join(says("a ", "secret ", "b")) + b"data: nonsense\n\n" + says("more")[0])
    reply = read(stream.fail(Fault("upstream_malformed", "Not an event stream.")))
    assert (reply.text(), len(reply.errors)) == ("a [X] b", 1)


@pytest.mark.parametrize(
    "data",
    [
        *(
            b"data: nonsense\n\n",
            b"data: [1]\n\n",
            b"data: 1\n\n",
            b'data: {"a":\n\n',
            b"data: \xff\n\n",
            b'data: "\x00"\n\n',
        ),
        *(b"data: {}{}\n\n", b'data: {"a":NaN}\n\n', b"data: " + b"[" * 5000 + b"\n\n", b"x" * 2000),
        says("a", index=-1)[0],
        says("a", index=128)[0],
        event({"content": "a"}, index="0"),  # type: ignore[arg-type]
        b'data: {"choices":[]}\ndata: {"choices":[]}\n\n',
    ],
)
def test_malformed_streams_are_wire_errors_that_hold_no_text(data: bytes) -> None:
    stream = ChatStream(POLICY, ModelRequest(), case_id="g-1", limits=WireLimits(event_bytes=1000))
    with pytest.raises(WireError) as error:
        stream.feed(data if len(data) < 5000 else data[:999] + b"\n\n")
    assert len(str(error.value)) < 80
    assert str(error.value).startswith("The model server sent ")


def test_lesson_one_odd_event_does_not_end_a_good_stream() -> None:
    odd = [
        *(b"data:\n\n", b": comment\n\n", b"retry: 5\n\n", b"<html>\n\n", b"event: ping\n\n"),
        *(sse({}), sse({"choices": None}), sse({"choices": [None]}), sse({"object": ""}), sse({"error": None})),
        *(event(None), event({"content": None}), event({"content": 1}), event({}), event([])),
        sse({"choices": [{"finish_reason": None}]}),
    ]
    run = guard_every_way(POLICY, chat(says("a sec"), odd, says("ret b")))
    assert run.reply.text() == "a [X] b"
    assert run.record.fault is None


def test_lesson_an_endless_line_is_refused_at_the_cap() -> None:
    stream = ChatStream(POLICY, ModelRequest(), case_id="g-1", limits=WireLimits(event_bytes=10_000))
    assert [stream.feed(b"x" * 1000) for _ in range(10)] == [b""] * 10
    with pytest.raises(WireError, match="10000 bytes"):
        stream.feed(b"x")


def test_an_error_from_upstream_passes_scanned_and_ends_the_response() -> None:
    error = sse({"error": {"message": "bad token in: my secret", "code": 500, "type": "server"}})
    run = guard_every_way(POLICY, [*says("a sec"), error, *says("more"), DONE])
    assert run.reply.text() == "a sec"
    assert run.reply.errors == [{"message": "bad token in: my [X]", "code": 500, "type": "server"}]
    assert run.reply.done
    assert (run.record.fault, [f.channel for f in run.record.findings]) == ("upstream_error", ["error"])


def test_an_error_from_upstream_that_would_halt_is_replaced() -> None:
    run = guard_every_way(POLICY, [*says("a"), sse({"error": "a forbidden phrase"})])
    assert run.reply.errors[0]["message"] == POLICY.refusal


def test_a_clean_error_passes_byte_for_byte() -> None:
    error = b'event: error\ndata: {"message": "overloaded"}\n\n'
    assert guard_every_way(POLICY, [*says("a"), error, DONE]).out == says("a")[0] + error + DONE


def test_keep_alives_are_comments() -> None:
    stream = ChatStream(POLICY, ModelRequest(), case_id="g-1")
    assert stream.feed(says("sec")[0]) == b""
    assert stream.keep_alive() == b": keep-alive\n\n"


# --- cost ------------------------------------------------------------------------------------------------------------


def test_lesson_text_that_has_gone_is_forgotten() -> None:
    stream = ChatStream(POLICY, ModelRequest(), case_id="g-1")
    for _ in range(1000):
        stream.feed(b"".join(says("hello ", "world ")))
    (choice,) = stream._choices.values()
    (channel,) = choice.channels.values()
    assert channel.queue == []
    assert stream.record.released == 12_000


def test_the_record_names_what_happened() -> None:
    record = guard(POLICY, chat(says("a secret ", "and a forbidden phrase."))).record
    assert (record.case_id, record.policy, record.choices, record.events, record.tokens) == ("g-1", POLICY.tag, 1, 3, 2)
    assert [(f.rule, f.start, f.end) for f in record.findings] == [("redact", 2, 8), ("halt", 15, 31)]
    assert (record.received, record.released, record.removed, record.dropped) == (32, 9, 23, 0)
    assert (record.halted, record.fault, record.unscanned) == (True, None, 0)


def test_events_that_differ_in_numbers_take_the_short_way_once_they_do() -> None:
    stream = ChatStream(POLICY, ModelRequest(), case_id="g-1")
    same = [event({"content": f"word{i} "}) for i in range(4)]
    assert [stream.feed(raw) for raw in same] == same
    assert isinstance(stream._template, Template)
    later = [event({"content": f"word{i} "}, top={"created": i + 2}) for i in range(4)]
    assert [stream.feed(raw) for raw in later] == later
    assert isinstance(stream._template, SlotTemplate)
