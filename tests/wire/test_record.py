"""The account of a response: every character is somewhere."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from guardrail.text.rules import Action, Finding
from guardrail.text.scores import Failure
from guardrail.text.scoring import Tally
from guardrail.wire import anthropic, gemini, ollama, openai_chat, openai_responses, openai_text
from guardrail.wire.openai_chat import ChatStream
from guardrail.wire.protocol import Protocol
from guardrail.wire.record import answer_id_of, classifier_part, excerpts_of
from guardrail.wire.request import ModelRequest
from guardrail.wire.stream import WireLimits
from tests.wire.chat import call, halt, policy, redact, says
from tests.wire.scored import hate

POLICY = policy(redact("secret"), halt("forbidden"))


@pytest.mark.parametrize(
    ("text", "start", "end", "said"),
    [
        ("0123456789", 4, 6, "23" + "45" + "67"),
        ("0123456789", 0, 2, "0123"),
        ("0123456789", 8, 10, "6789"),
        ("0123456789", 2, 8, "0123 … 6789"),
        ("0123", 0, 4, "0123"),
    ],
)
def test_an_excerpt_is_what_stands_around_a_finding(text: str, start: int, end: int, said: str) -> None:
    found = Finding(start, end, "rule", "category", "low", Action.LOG)
    (excerpt,) = excerpts_of([found], text, 2)
    assert (excerpt.text, excerpt.start) == (said, max(start - 2, 0))
    assert said not in repr(excerpt)


def test_text_is_kept_where_the_request_asks_for_it() -> None:
    for around, expected in ((0, []), (3, [" a secret, a"])):
        stream = ChatStream(POLICY, ModelRequest(around=around), case_id="g-1")
        for raw in says("here is a sec", "ret, and more"):
            stream.feed(raw)
        stream.finish()
        assert [excerpt.text for excerpt in stream.record.excerpts] == expected


def test_the_account_holds_at_every_moment() -> None:
    stream = ChatStream(POLICY, ModelRequest(n=2), case_id="g-1")
    script = [*says("a secret, a sec"), call('{"a":1}', name="f"), *says("ond"), *says("is forbidden.", index=1)]
    seen = []
    for raw in [*script, *says("more", index=1)]:
        stream.feed(raw)
        record = stream.record
        assert record.received == record.released + record.removed + record.dropped + record.held
        seen.append((record.received, record.scanned, record.released, record.removed, record.dropped, record.held))
    assert seen == [
        (15, 15, 0, 0, 0, 15),
        (23, 15, 0, 0, 0, 23),
        (26, 18, 12, 6, 0, 8),
        (39, 31, 15, 16, 0, 8),
        (43, 31, 15, 16, 4, 8),
    ]


def test_what_a_classifier_did() -> None:
    tally = Tally(7, Counter({Failure.DEADLINE: 2, Failure.BROKEN: 1}), 30)
    assert classifier_part(hate(), tally) == {
        "classifier": "fake@1",
        "units": 7,
        "unit_failures": (("broken", 1), ("deadline", 2)),
    }
    assert classifier_part(POLICY, Tally()) == {"classifier": "", "units": 0, "unit_failures": ()}


CHOICE = {"index": 0, "finish_reason": "stop"}
ANSWERS: list[tuple[Protocol, str, dict[str, Any], list[dict[str, Any]]]] = [
    (
        openai_chat.PROTOCOL,
        "chatcmpl-7",
        {"id": "chatcmpl-7", "choices": [{**CHOICE, "message": {"role": "assistant", "content": "hi"}}]},
        [  # Azure's first event has none yet
            {"id": "", "choices": [], "prompt_filter_results": []},
            {"id": "chatcmpl-7", "choices": [{"index": 0, "delta": {"content": "hi"}}]},
        ],
    ),
    (
        openai_text.PROTOCOL,
        "cmpl-7",
        {"id": "cmpl-7", "choices": [{**CHOICE, "text": "hi"}]},
        [{"id": "cmpl-7", "choices": [{"index": 0, "text": "hi"}]}],
    ),
    (
        openai_responses.PROTOCOL,
        "resp_7",
        {"id": "resp_7", "object": "response", "status": "completed", "output": []},
        [{"type": "response.created", "response": {"id": "resp_7", "status": "in_progress", "output": []}}],
    ),
    (
        anthropic.PROTOCOL,
        "msg_7",
        {"id": "msg_7", "type": "message", "role": "assistant", "content": [{"type": "text", "text": "hi"}]},
        [{"type": "message_start", "message": {"id": "msg_7", "type": "message", "role": "assistant", "content": []}}],
    ),
    (
        gemini.PROTOCOL,
        "r7",
        {"responseId": "r7", "candidates": [{"content": {"role": "model", "parts": [{"text": "hi"}]}}]},
        [{"responseId": "r7", "candidates": [{"content": {"role": "model", "parts": [{"text": "hi"}]}}]}],
    ),
    (
        ollama.PROTOCOL,
        "",
        {"model": "m", "message": {"role": "assistant", "content": "hi"}, "done": True},
        [{"model": "m", "message": {"role": "assistant", "content": "hi"}, "done": False}],
    ),
]


@pytest.mark.parametrize(("protocol", "id", "body", "events"), ANSWERS, ids=[each[0].name for each in ANSWERS])
def test_the_servers_own_id_of_an_answer(
    protocol: Protocol, id: str, body: dict[str, Any], events: list[dict[str, Any]]
) -> None:
    _, record = protocol.guard_body(POLICY, ModelRequest(), json.dumps(body).encode(), "g-1", None)
    assert record.answer_id == id
    stream = protocol.stream(POLICY, ModelRequest(), case_id="g-1", limits=WireLimits())
    for event in events:
        line = json.dumps(event).encode()
        named = b"event: " + event["type"].encode() + b"\n" if "type" in event else b""
        stream.feed(line + b"\n" if protocol is ollama.PROTOCOL else named + b"data: " + line + b"\n\n")
    assert stream.record.answer_id == id


@pytest.mark.parametrize("said", [{}, {"id": None}, {"id": 7}, {"id": "two words"}, {"id": "x" * 129}, {"id": "a\nb"}])
def test_what_is_no_id_is_not_kept(said: dict[str, Any]) -> None:
    assert answer_id_of(said) == ""
