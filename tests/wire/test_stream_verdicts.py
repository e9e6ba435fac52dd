"""Streams under a policy with a classifier, as scripts: what goes when, where a stream stalls, and how it goes on."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from guardrail.errors import WireError
from guardrail.text.rules import Action
from guardrail.text.ruleset import with_scores
from guardrail.text.scores import Failure, Verdict
from guardrail.text.units import Window
from guardrail.wire.inserts import Inserts
from guardrail.wire.request import ModelRequest
from tests.wire.chat import DONE, NOTICE, call, chat, event, read, redact, says
from tests.wire.scored import Shell, evil, guard_scored, hate

ONE = "This is the first sentence."
TWO = " This is an evil one, the second."
THREE = " And this is the last one."


def shell(**settings: object) -> Shell:
    return Shell(hate(**settings), evil)  # type: ignore[arg-type]


def test_a_unit_is_due_when_it_ends_and_goes_with_its_verdict() -> None:
    it = shell()
    (first, second) = says(ONE, THREE)
    assert it.feed(first) == b""
    assert it.open == []
    assert it.feed(second) == b""
    assert [ask.window for ask in it.open] == [Window("", ONE)]
    assert it.answer() == first
    assert not it.stream.stalled


def test_the_finish_waits_for_the_verdicts() -> None:
    it = shell()
    events = chat(says(ONE, THREE))
    assert it.feed(b"".join(events)) == events[0]
    assert it.stream.stalled
    assert it.feed(b"") == it.stream.finish() == b""
    assert it.answer(1) == b""
    assert it.answer() == b"".join(events[1:])
    assert (it.stream.done, it.stream.stalled) == (True, False)


def test_a_halt_while_the_finish_waits() -> None:
    it = shell()
    it.feed(b"".join(chat(says(ONE, TWO))))
    it.answer(1)
    it.answer()
    reply = it.run.reply
    assert reply.text() == ONE + " " + NOTICE
    assert reply.finishes == {0: "content_filter"}
    assert reply.last[0]["content_filter_results"] == {"hate": {"filtered": True, "severity": "high"}}
    assert reply.guardrail == [{"case_id": "g-1", "action": "halt"}]
    assert it.stream.done
    assert it.stream.record.unit_failures == ()


def test_a_halt_in_mid_stream_aborts_upstream() -> None:
    it = shell()
    it.feed(b"".join(says(ONE, TWO, THREE, " More of it.")))
    it.answer()
    assert not it.stream.abort
    it.answer()
    assert (it.stream.abort, it.stream.done) == (True, True)
    assert it.open  # asked for before, and answered after the end
    assert it.answer() == b""
    record = it.stream.record
    assert record.received == record.released + record.removed + record.dropped


@pytest.mark.parametrize("fail", ["closed", "open"])
def test_without_scores_a_unit_halts_or_is_counted(fail: str) -> None:
    policy = hate()
    chosen = policy.classifier
    assert chosen is not None
    policy = replace(policy, rules=with_scores(policy.rules, replace(chosen, fail=fail)))  # type: ignore[arg-type]
    run = guard_scored(policy, lambda window: Verdict(None, Failure.QUEUE_FULL), chat(says(ONE)))
    if fail == "closed":
        assert run.reply.text() == NOTICE
        assert run.reply.last[0]["content_filter_results"] == {"unavailable": {"filtered": True, "severity": "high"}}
        assert run.record.unscanned == 0
    else:
        assert run.reply.text() == ONE
        assert run.record.unscanned == len(ONE)
    assert run.record.unit_failures == (("queue_full", 1),)


def test_another_channel_waits_for_the_verdicts_of_the_one_that_spoke() -> None:
    it = shell()
    thought, said = event({"reasoning_content": "An evil thought"}), event({"content": "A good word."})
    it.feed(thought)
    assert it.feed(said + event({}, "stop")) == b""
    assert it.stream.stalled
    assert [ask.window.text for ask in it.open] == ["An evil thought"]
    reply = read(it.answer())
    assert (reply.text("reasoning_content"), reply.text()) == ("", NOTICE)
    assert reply.guardrail == [{"case_id": "g-1", "action": "halt", "channel": "reasoning_content"}]


def test_within_a_lag_budget_another_channel_does_not_wait() -> None:
    it = shell(lag=100)
    thought, said = event({"reasoning_content": "A good thought"}), event({"content": "A good word."})
    assert it.feed(thought + said) == thought + said
    assert it.feed(event({}, "stop")) == b""
    assert it.stream.stalled
    it.answer()
    assert it.answer() == event({}, "stop")


def test_a_late_halt_withdraws() -> None:
    it = shell(lag=100)
    events = says("First: " + ONE, TWO, THREE, " Then")
    assert it.feed(b"".join(events)) == b"".join(events)
    it.answer()
    reply = read(it.answer())
    assert reply.text() == NOTICE
    assert reply.last[0]["content_filter_offsets"] == {"check_offset": 67, "start_offset": 35, "end_offset": 67}
    assert reply.guardrail == [
        {
            "case_id": "g-1",
            "action": "retract",
            "channel": "content",
            "start_offset": 35,
            "end_offset": 98,
            "erase": True,
        }
    ]
    assert it.stream.done


def test_what_is_withdrawn_is_counted_without_what_stands_in_front() -> None:
    notes = []
    for inserts in (Inserts(), Inserts(before="Said by an AI.\n\n")):
        it = Shell(hate(lag=100), evil, replace(ModelRequest(), said_with=inserts))
        it.feed(b"".join(says("First: " + ONE, TWO, THREE, " Then")))
        while it.open and not it.stream.done:
            it.answer()
        reply = it.run.reply
        assert reply.text().startswith(inserts.before + "First: ")
        notes += [note for note in reply.guardrail if note["action"] == "retract"]
    assert [(note["start_offset"], note["end_offset"]) for note in notes] == [(35, 98)] * 2


def test_tool_calls_wait_for_the_verdicts_of_their_strings() -> None:
    it = shell(action=Action.REDACT)
    calls = [call('{"q": "an evil', name="f"), call(' word", "n": 1}')]
    assert it.feed(b"".join(chat(calls))) == chat(calls)[0]
    assert [ask.window.text for ask in it.open] == ["q", "an evil word", "n"]
    while it.open:
        it.answer()
    reply = it.run.reply
    assert json.loads(reply.text("tool_calls[0].arguments")) == {"q": "[S]", "n": 1}
    assert it.stream.record.units == 3


def test_the_strings_of_tool_calls_are_each_asked_for_once_whatever_else_comes() -> None:
    it = Shell(hate(action=Action.REDACT), evil, ModelRequest(n=2))
    arguments = json.dumps([f"an evil word, number {number}" for number in range(20)])
    it.feed(says(ONE, index=1)[0] + call(arguments, name="f") + event({}, "tool_calls"))
    it.feed(says(THREE, index=1)[0])
    asked = 0
    while it.open:
        asked += 1
        it.answer(-1)
    assert asked == 21
    assert json.loads(it.run.reply.text("tool_calls[0].arguments")) == ["[S]"] * 20


def test_what_comes_while_the_stream_is_stalled_waits() -> None:
    it = shell()
    it.feed(b"".join(chat(says(ONE))[:-1]))
    assert it.feed(b"data: [DO") == it.feed(b"NE]\n\n") == it.finish() == b""
    assert it.answer() == b"".join(chat(says(ONE))[1:])
    assert it.stream.done


def test_a_fault_waits_for_the_verdicts_of_what_came_before_it() -> None:
    it = shell()
    it.feed(b"".join(says(ONE, " Half a")))
    assert it.fail() == b""
    assert [ask.window.text for ask in it.open] == [ONE, " Half a"]
    assert it.answer() == says(ONE)[0]
    reply = read(it.answer())
    assert (reply.text(), reply.errors[0]["code"], reply.done) == (" Half a", "shutdown", True)


def test_what_is_wrong_behind_a_stall_is_raised_when_it_is_reached() -> None:
    it = shell()
    it.feed(b"".join([*says(ONE), event({"refusal": "No."}), b"data: {\n\n"]))
    assert it.stream.stalled
    with pytest.raises(WireError):
        it.answer()
    assert not it.stream.stalled
    it.fail()
    while it.open:
        it.answer()
    reply = it.run.reply
    assert (reply.text(), reply.text("refusal"), reply.errors[0]["code"]) == (ONE, "No.", "shutdown")


def test_an_error_from_upstream_is_scored_before_it_is_told() -> None:
    it = shell()
    error = b'data: {"error": {"message": "an evil thing"}}\n\n'
    it.feed(says(ONE)[0] + error)
    assert [ask.window.text for ask in it.open] == [ONE, "error", "message", "an evil thing"]
    while it.open:
        it.answer()
    it.finish()
    reply = it.run.reply
    assert reply.text() == ONE
    assert reply.errors[0]["message"] == "Stopped by safety policy."


def test_an_event_that_carries_several_things_stalls_in_the_middle() -> None:
    it = shell()
    it.feed(event({"reasoning_content": ONE, "content": THREE}, "stop"))
    assert [ask.window.text for ask in it.open] == [ONE]
    it.answer()
    assert [ask.window.text for ask in it.open] == [THREE]
    it.answer()
    it.finish()
    reply = it.run.reply
    assert (reply.text("reasoning_content"), reply.text(), reply.finishes) == (ONE, THREE, {0: "stop"})


def test_the_other_choice_goes_on_after_a_halt() -> None:
    events = [*says(TWO + " Yes.", index=0), *says(ONE, index=1), event({}, "stop"), event({}, "stop", index=1), DONE]
    run = guard_scored(hate(), evil, events, request=ModelRequest(n=2))
    assert (run.reply.text(), run.reply.text(index=1)) == (" " + NOTICE, ONE)
    assert run.reply.finishes == {0: "content_filter", 1: "stop"}


def test_when_a_halt_ends_the_response_what_has_no_verdict_is_dropped() -> None:
    it = Shell(hate(halt_scope="response"), evil, ModelRequest(n=2))
    it.feed(b"".join([*says(TWO + " Yes.", index=0), *says(ONE, index=1)]))
    it.answer()
    reply = it.run.reply
    assert (reply.text(), reply.text(index=1)) == (" " + NOTICE, NOTICE)
    record = it.stream.record
    assert (record.dropped, record.held) == (len(ONE), 0)
    assert record.received == record.released + record.removed + record.dropped


def test_rules_and_scores_work_side_by_side() -> None:
    run = guard_scored(hate(redact("secret"), action=Action.REDACT), evil, chat(says(ONE, TWO, " A secret.")))
    assert run.reply.text() == ONE + " [S] A [X]."
    assert [finding.rule for finding in run.record.findings] == ["classifier.hate.high", "redact"]


def test_log_probabilities_are_not_scored() -> None:
    tokens = [{"token": "evil", "logprob": -1.0, "bytes": None, "top_logprobs": [{"token": "good", "logprob": -2.0}]}]
    it = shell(action=Action.LOG)
    said = event({"content": "evil"}, logprobs={"content": tokens})
    assert it.feed(said) == said
