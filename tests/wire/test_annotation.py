"""What clients that ask for it are told of text that passed."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from guardrail.errors import WireError
from guardrail.text.rules import Action, Finding
from guardrail.wire.annotation import annotated, wants_annotations, worst
from guardrail.wire.openai_chat_body import guard_body
from guardrail.wire.request import ModelRequest
from tests.wire.chat import chat, event, guard, halt, policy, read, redact, says
from tests.wire.scored import Shell, evil, hate

ASKS = ModelRequest(annotate=True)
ONE, TWO, THREE = "This is the first sentence.", " This is an evil one, the second.", " And this is the last one."
BODY = json.dumps({"choices": [{"index": 0, "message": {"content": "my secret"}, "finish_reason": "stop"}]}).encode()


def test_the_worst_of_each_category_counts() -> None:
    found = [
        Finding(0, 1, "a", "pii", severity, Action.LOG, "content")  # type: ignore[arg-type]
        for severity in ("low", "critical", "medium")
    ]
    assert worst([*found, replace(found[0], category="hate")]) == {"pii": "critical", "hate": "low"}
    assert worst([]) == {}


def test_a_stream_says_before_its_finish_how_far_it_was_checked() -> None:
    run = guard(policy(redact("secret")), chat(says("my ", "secret", " is out")), request=ASKS)
    (note,) = run.reply.guardrail
    assert note == {"action": "annotate", "channel": "content", "checked": 13, "categories": {"pii": "medium"}}
    said = [chunk for chunk in run.reply.chunks if "guardrail" in chunk]
    assert said[0]["choices"][0]["content_filter_offsets"] == {"check_offset": 13, "start_offset": 0, "end_offset": 13}
    assert said[0]["choices"][0]["content_filter_results"] == {"pii": {"filtered": False, "severity": "medium"}}
    assert run.reply.chunks.index(said[0]) == len(run.reply.chunks) - 2
    assert run.reply.finishes == {0: "stop"}


def test_who_does_not_ask_is_told_nothing_and_a_halt_says_its_own() -> None:
    events = chat(says("all is fine"))
    assert guard(policy(redact("secret")), events).out == b"".join(events)
    run = guard(policy(halt("forbidden")), chat(says("it is forbidden.")), request=ASKS)
    assert run.reply.guardrail == [{"case_id": "g-1", "action": "halt", "categories": {"violence": "high"}}]


def test_a_halt_says_what_was_found_before_it_too() -> None:
    rules = policy(redact("secret"), halt("forbidden"))
    run = guard(rules, chat(says("a secret, and it is forbidden.")), request=ASKS)
    assert run.reply.guardrail[-1]["categories"] == {"pii": "medium", "violence": "high"}
    assert "categories" not in guard(rules, chat(says("a secret, forbidden."))).reply.guardrail[-1]


def test_the_last_note_of_a_choice_covers_its_tool_calls_and_whole_values() -> None:
    call = [{"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": '{"q":"secret"}'}}]
    events = chat([*says("fine"), event({"tool_calls": call})], finish="tool_calls")
    run = guard(policy(redact("secret")), events, request=ASKS)
    own, last = run.reply.guardrail
    assert (own["channel"], own["categories"]) == ("content", {})
    assert last == {"action": "annotate", "categories": {"pii": "medium"}}
    said = next(chunk for chunk in run.reply.chunks if chunk.get("guardrail") == last)
    assert said["choices"][0]["content_filter_results"] == {"pii": {"filtered": False, "severity": "medium"}}
    assert run.reply.chunks.index(said) == len(run.reply.chunks) - 2

    cited = event({"annotations": [{"type": "url_citation", "title": "secret"}]})
    run = guard(
        policy(redact("secret")), chat([cited, event({"content": "fine"}, None, 1)]), request=replace(ASKS, n=2)
    )
    assert [note["categories"] for note in run.reply.guardrail] == [{"pii": "medium"}, {}]


def test_with_a_classifier_each_verdict_moves_the_mark() -> None:
    it = Shell(hate(action=Action.LOG), evil, ASKS)
    it.feed(b"".join(says(ONE, TWO, THREE, " More.")))
    marks = [read(it.answer()).guardrail for _ in range(2)]
    assert [[note["checked"] for note in notes] for notes in marks] == [[len(ONE)], [len(ONE + TWO)]]
    assert [notes[0]["categories"] for notes in marks] == [{}, {"hate": "high"}]


def test_within_a_lag_budget_the_mark_stays_behind_the_text() -> None:
    it = Shell(hate(redact("first"), lag=1000), evil, ASKS)
    out = it.feed(b"".join(says(ONE, THREE, " More.")))
    assert read(out).text() == "This is the [X] sentence." + THREE + " More."
    (note,) = read(it.answer()).guardrail
    assert note["checked"] == len("This is the [X] sentence.")


def test_a_body_has_one_note_for_all_of_it() -> None:
    body, record = guard_body(policy(redact("secret")), ASKS, BODY, "g-1")
    assert json.loads(annotated(body, record))["guardrail"] == {"action": "annotate", "categories": {"pii": "medium"}}
    body, record = guard_body(policy(halt("secret")), ASKS, BODY, "g-1")
    said = json.loads(annotated(body, record))["guardrail"]
    assert said == {"case_id": "g-1", "action": "halt", "categories": {"violence": "high"}}


@pytest.mark.parametrize("said", ["1", " true", "TRUE", "Yes"])
def test_yes_in_any_of_its_words_asks_for_annotations(said: str) -> None:
    assert wants_annotations(said)


@pytest.mark.parametrize("said", ["", "0", "false", "No"])
def test_no_does_not(said: str) -> None:
    assert not wants_annotations(said)


@pytest.mark.parametrize("said", ["on", "2", "1, 1", "\u0130"])
def test_what_is_neither_is_refused(said: str) -> None:
    with pytest.raises(WireError, match="takes 1, true or yes"):
        wants_annotations(said)
