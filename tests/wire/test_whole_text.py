"""Complete texts: what is asked for, and that the second pass is the last."""

from __future__ import annotations

import json

import pytest

from guardrail.text.rules import Action
from guardrail.text.scores import Failure, Verdict
from guardrail.text.units import Window
from guardrail.wire.openai_chat_body import guard_body
from guardrail.wire.request import ModelRequest
from guardrail.wire.tool_arguments import guard_arguments, guard_whole
from guardrail.wire.whole_text import Unscored, Verdicts, rules_for, scan_whole
from tests.wire.chat import policy, redact
from tests.wire.scored import BAD, GOOD, evil, guard_body_scored, hate

TWO = "This is the first sentence. This is an evil one, the second."


def test_what_is_missing_is_asked_for_once_and_then_known() -> None:
    verdicts = Verdicts()
    scanner, _ = scan_whole(hate().rules, TWO, "content", verdicts)
    assert scanner.waiting
    first, second = verdicts.missing
    assert (first, second) == (Window("", TWO[:27]), Window(TWO[:27], TWO[27:]))
    verdicts.known = {first: GOOD, second: BAD}
    verdicts.missing.clear()
    scanner, edits = scan_whole(hate().rules, TWO, "content", verdicts)
    assert scanner.halt is not None
    assert (scanner.halt.cut, edits, verdicts.missing) == (28, [], {})


def test_a_lag_budget_has_no_meaning_for_a_whole_text() -> None:
    verdicts = Verdicts()
    scan_whole(hate(lag=1000).rules, TWO, "content", verdicts)
    verdicts.known = {window: evil(window) for window in verdicts.missing}
    scanner, _ = scan_whole(hate(lag=1000).rules, TWO, "content", verdicts)
    assert scanner.halt is not None
    assert (scanner.halt.cut, scanner.halt.behind) == (28, 0)


def test_without_verdicts_the_classifier_is_left_out() -> None:
    assert guard_whole(hate(redact("evil")).rules, "evil", "name").text == "[X]"


def test_arguments_are_read_string_by_string_and_numbers_not_at_all() -> None:
    verdicts = Verdicts()
    guard_arguments(hate().rules, '{"q": "evil \\u4f60", "n": 12345, "q2": "q"}', "arguments", verdicts)
    assert [window.text for window in verdicts.missing] == ["q", "evil 你", "n", "q2"]
    verdicts.known = {window: evil(window) for window in verdicts.missing}
    verdicts.missing.clear()
    masking = hate(action=Action.REDACT).rules
    outcome = guard_arguments(masking, '{"q": "evil \\u4f60", "n": 12345}', "arguments", verdicts)
    assert outcome.text == '{"q": "[S]", "n": 12345}'
    assert outcome.tally.units == 3


@pytest.mark.parametrize(("context", "prompt"), [("answer", ""), ("prompt", "What is evil?")])
def test_the_question_is_shown_when_the_policy_says_so(context: str, prompt: str) -> None:
    rules = rules_for(hate(context=context), ModelRequest(prompt="What is evil?"))
    verdicts = Verdicts()
    scan_whole(rules, "Short.", "content", verdicts)
    assert list(verdicts.missing) == [Window("", "Short.", prompt)]
    plain = policy(redact("a"))
    assert rules_for(plain, ModelRequest(prompt="What?")) is plain.rules


BODY = json.dumps(
    {"choices": [{"index": 0, "message": {"role": "assistant", "content": TWO}, "finish_reason": "stop"}]}
).encode()


def test_a_body_says_what_it_needs() -> None:
    verdicts = Verdicts()
    with pytest.raises(Unscored):
        guard_body(hate(), ModelRequest(), BODY, "g-1", verdicts)
    assert len(verdicts.missing) == 2


def test_a_body_that_is_clean_passes_as_it_came() -> None:
    out, record = guard_body_scored(hate(), lambda window: GOOD, BODY, ModelRequest())
    assert out == BODY
    assert (record.classifier, record.units, record.unit_failures, record.unscanned) == ("fake@1", 2, (), 0)


def test_a_body_halts_as_a_stream_does() -> None:
    out, record = guard_body_scored(hate(), evil, BODY, ModelRequest())
    choice = json.loads(out)["choices"][0]
    assert choice["message"]["content"] == "This is the first sentence. \n[Stopped by safety policy. Case g-1]"
    assert choice["finish_reason"] == "content_filter"
    assert choice["content_filter_offsets"] == {"check_offset": 28, "start_offset": 28, "end_offset": 28}
    assert record.halted


def test_an_error_body_is_read_too() -> None:
    body = json.dumps({"error": {"message": "choked on evil"}}).encode()
    out, record = guard_body_scored(hate(), evil, body, ModelRequest())
    assert json.loads(out)["error"]["message"] == "Stopped by safety policy."
    assert record.fault == "upstream_error"


def test_without_scores_a_body_is_halted_or_counted() -> None:
    late = Verdict(None, Failure.DEADLINE)
    _, record = guard_body_scored(hate(), lambda window: late, BODY, ModelRequest())
    assert [finding.rule for finding in record.findings] == ["classifier.unavailable"]
    assert record.unit_failures == (("deadline", 1),)
