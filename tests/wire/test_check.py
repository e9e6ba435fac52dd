"""The Check API's requests are read strictly, its answers say what may be shown."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from guardrail.errors import WireError
from guardrail.policy.policy import InputSection
from guardrail.text.rules import Action, Finding
from guardrail.wire.check import CheckedText, CheckRequest, action_of, answer_prompt, answer_text, read_check
from guardrail.wire.prompt import guard_prompt
from guardrail.wire.whole_text import Verdicts
from tests.wire.chat import halt, policy, redact

MESSAGES = [{"role": "user", "content": "Acme"}]


def read(**value: Any) -> CheckRequest:
    return read_check(json.dumps(value).encode())


def test_a_text_alone_is_complete() -> None:
    assert read(text="a") == CheckRequest(text="a", final=True)
    assert read(text="a", direction="input").prompt
    assert read(text="", channel="reasoning").channel == "reasoning"


def test_a_slice_is_not_complete_unless_it_says_so() -> None:
    assert read(text="a", session="s") == CheckRequest(text="a", session="s", final=False)
    assert read(text="a", session="s", offset=0, final=True, channel="c") == CheckRequest(
        text="a", session="s", offset=0, final=True, channel="c"
    )


def test_messages_are_those_of_a_chat() -> None:
    found = read(messages=MESSAGES).messages
    assert found is not None
    assert [said.text for said in found.inputs] == ["Acme"]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "Give either 'text' or 'messages'."),
    ({"text": "a", "messages": MESSAGES}, "Give either"),
    ({"text": "a", "sesion": "s"}, "The key 'sesion' is not known"),
    ({"text": 3}, "'text' must be a string"),
    ({"messages": []}, "'messages' must be a non-empty array"),
    ({"messages": MESSAGES, "session": "s"}, "'session' goes with 'text'"),
    ({"text": "a", "final": False}, "A text that goes on needs a 'session'."),
    ({"text": "a", "offset": 3}, "A text that goes on needs a 'session'."),
    ({"text": "a", "session": "s", "offset": -1}, "'offset' must not be negative"),
    ({"text": "a", "session": "s", "offset": True}, "'offset' must be an integer"),
    ({"text": "a", "session": "a b"}, "'session' must be 1 to 128 ASCII characters without blanks"),
    ({"text": "a", "session": "s" * 129}, "'session' must be"),
    ({"text": "a", "channel": "é"}, "'channel' must be"),
    ({"text": "a", "direction": "both"}, "'direction' must be"),
    ({"text": "a", "direction": "input", "session": "s"}, "A prompt is checked whole"),
]


@pytest.mark.parametrize(("value", "message"), WRONG, ids=[message for _, message in WRONG])
def test_what_is_no_request(value: dict[str, Any], message: str) -> None:
    with pytest.raises(WireError) as caught:
        read(**value)
    assert str(caught.value).startswith(message)


def found(action: Action = Action.REDACT, document: str = "") -> Finding:
    return Finding(2, 6, "r", "c", "low", action, "content", document)


def test_what_is_told_of_a_text() -> None:
    chosen = policy(redact("Acme"))
    told = json.loads(answer_text(chosen, "g-1", CheckedText("a [X]", 6, 6, [found(document="d")], 0)))
    assert told == {
        "case_id": "g-1",
        "policy": chosen.tag,
        "action": "redact",
        "text": "a [X]",
        "received": 6,
        "released_up_to": 6,
        "halted": False,
        "findings": [
            {
                "rule": "r",
                "category": "c",
                "severity": "low",
                "action": "redact",
                "channel": "content",
                "start": 2,
                "end": 6,
                "document": "d",
            }
        ],
        "unscanned": 0,
    }


def test_a_halt_names_the_case_it_happened_in() -> None:
    told = json.loads(answer_text(policy(), "g-2", CheckedText("", 9, 3, [], 0, halted="g-1")))
    assert (told["case_id"], told["action"], told["halted"]) == ("g-1", "halt", True)
    assert told["notice"].endswith("Case g-1]")


@pytest.mark.parametrize(
    ("actions", "expected"),
    [([], "pass"), ([Action.LOG], "log"), ([Action.REDACT, Action.LOG, Action.REPLACE], "replace")],
)
def test_the_gravest_action_counts(actions: list[Action], expected: str) -> None:
    assert action_of([found(action) for action in actions]) == expected


def test_what_is_told_of_a_prompt() -> None:
    section = InputSection(policy(redact("Acme"), halt("open sesame")))
    chosen = dataclasses.replace(policy(), input=section)

    def told(text: str) -> Any:
        body = json.dumps({"messages": [{"role": "user", "content": text, "name": "n"}]}).encode()
        request = read_check(body).messages
        assert request is not None
        return json.loads(answer_prompt(chosen, "g-1", guard_prompt(section, request, body, Verdicts())))

    edited = told("My Acme")
    assert edited["messages"] == [{"role": "user", "content": "My [X]", "name": "n"}]
    assert (edited["action"], edited["findings"][0]["channel"]) == ("redact", "messages[0].content")
    refused = told("Open Sesame!")
    assert "messages" not in refused
    assert (refused["action"], refused["notice"]) == ("halt", "This prompt was stopped by safety policy. Case g-1.")
