"""The demo's picture: which parts are marked, how they read without colour, and that 80 columns are enough."""

import dataclasses
import io
import json
from typing import Any

import pytest
from rich.console import Console

from guardrail.demo_view import Outcome, Part, show_intro, show_outcome, show_stay, show_summary, sides


def hit(text: str, part: str, action: str = "redact", channel: str = "content") -> dict[str, Any]:
    start = text.index(part)
    return {
        "rule": "entity.email_address",
        "action": action,
        "start": start,
        "end": start + len(part),
        "channel": channel,
    }


def same(text: str) -> Part:
    return Part("same", text)


def removed(text: str) -> Part:
    return Part("removed", text)


def mask(text: str) -> Part:
    return Part("mask", text)


MAIL = "Write to a@b.example today."
TWO = "x a@b.example c@d.example y"
HALT = "So the code is 1234, and more."


@pytest.mark.parametrize(
    ("sent", "received", "findings", "left", "right"),
    [
        ("Hello.", "Hello.", [], [same("Hello.")], [same("Hello.")]),
        (
            MAIL,
            "Write to [EMAIL] today.",
            [hit(MAIL, "a@b.example")],
            [same("Write to "), removed("a@b¦.exa¦mple"), same(" today.")],
            [same("Write to "), mask("[EMAIL]"), same(" today.")],
        ),
        (
            TWO,
            "x [E] [E] y",
            [hit(TWO, "c@d.example"), hit(TWO, "a@b.example")],
            [same("x "), removed("a@¦b.ex¦ampl¦e"), same(" "), removed("c@¦d.ex¦ampl¦e"), same(" y")],
            [same("x "), mask("[E]"), same(" "), mask("[E]"), same(" y")],
        ),
        (
            HALT,
            "So the [Stopped.]",
            [hit(HALT, "code is", "halt")],
            [same("So the "), removed("c¦ode ¦is 1234, and more.")],
            [same("So the "), mask("[Stopped.]")],
        ),
        (MAIL, MAIL, [hit(MAIL, "a@b.example", "log")], [same(MAIL)], [same(MAIL)]),
        ("a@b.example", "[E]", [hit("a@b.example", "a@b.example")], [removed("a@b.¦exam¦ple")], [mask("[E]")]),
    ],
)
def test_both_sides_are_cut_at_the_findings(
    sent: str, received: str, findings: list[dict[str, Any]], left: list[Part], right: list[Part]
) -> None:
    assert sides(sent, received, findings) == [left, right]


def outcome(**fields: Any) -> Outcome:
    given: dict[str, Any] = {
        "title": "A title",
        "prompt": "A prompt?",
        "sent": {"content": MAIL},
        "received": {"content": "Write to [EMAIL] today."},
        "findings": [hit(MAIL, "a@b.example")],
        "finish": "stop",
        "added_first": 0.0012,
        "added_total": -0.0003,
        "held_max": 11,
        "generated": 7,
        "planned": 7,
    }
    return Outcome(**{**given, **fields})


def printed(*outcomes: Outcome, width: int = 80, colour: bool = False) -> str:
    console = Console(
        file=io.StringIO(), width=width, force_terminal=colour, color_system="standard" if colour else None
    )
    show_intro(console, "http://127.0.0.1:1", "http://127.0.0.1:2")
    for number, one in enumerate(outcomes, 1):
        show_outcome(console, number, one)
    show_summary(console, outcomes)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_without_colour_the_parts_stand_in_marks() -> None:
    text = printed(outcome())
    assert "[-a@b¦.exa¦mple-]" in text
    assert "{+[EMAIL]+}" in text
    assert "\x1b" not in text


def test_in_colour_no_marks_are_needed() -> None:
    text = printed(outcome(), colour=True)
    assert "[-" not in text
    assert "\x1b[1;31ma@b¦.exa¦mple" in text


def test_the_facts_of_an_answer() -> None:
    text = " ".join(printed(outcome(), width=200).split())
    assert "finish stop · first token +1.2 ms · whole answer ±0 ms · held at most 11 characters" in text
    assert "entity.email_address redact" in text


def test_a_halted_answer_says_where_the_model_server_stopped() -> None:
    halted = outcome(
        sent={"content": HALT + " It goes on and on."},
        received={"content": "So the [Stopped.]"},
        findings=[hit(HALT, "code is", "halt")],
        finish="content_filter",
        generated=5,
        planned=13,
    )
    text = printed(halted, width=200)
    assert "model server stopped after 5 of 13 tokens" in text
    assert "is 1234,-]" in text
    assert "It goes on" not in text
    ended = printed(dataclasses.replace(halted, generated=13), width=200)
    assert "model server had said all 13 tokens" in ended
    assert "stopped after" not in ended


def test_a_tool_call_that_never_came_is_said_to_be_withheld() -> None:
    call = '{"key": "a@b.example"}'
    text = printed(
        outcome(
            sent={"content": "Done.", "tool_calls[0]": call},
            received={"content": "Done.[Stopped.]"},
            findings=[hit(call, "a@b.example", "halt", "tool_calls[0].function.arguments")],
        )
    )
    assert "(withheld)" in text
    assert "tool call: " in text


@pytest.mark.parametrize("width", [60, 80, 140])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    long = outcome(sent={"content": "x" * 500}, received={"content": "x" * 500}, findings=[])
    assert max(map(len, printed(long, outcome(), width=width).splitlines())) <= width


def test_the_lines_to_copy_are_never_wrapped() -> None:
    console = Console(file=io.StringIO(), width=40)
    show_stay(console, "http://127.0.0.1:2", "http://127.0.0.1:1", "What is [b]new[/b]?", "http://127.0.0.1:3", "tok")
    assert isinstance(console.file, io.StringIO)
    curl, operator = [line for line in console.file.getvalue().splitlines() if line.startswith("curl")]
    assert operator == "curl -H 'authorization: Bearer tok' 'http://127.0.0.1:3/records?limit=3'"
    body = json.loads(curl.split(" -d '")[1].removesuffix("'"))
    assert body["messages"] == [{"role": "user", "content": "What is [b]new[/b]?"}]
