"""Plans: which tokens an answer has, in which order, and how its choices end."""

import pytest

from guardrail.simulate.plan import Ask, Plan, last_user_text, pieces, text_of
from guardrail.simulate.script import Entry, Reply, Script, ToolCall

SCRIPT = Script(
    (
        Entry("two", (Reply("abcdef"), Reply("xy"))),
        Entry("call", (Reply("ab", "why", (ToolCall("f", '{"a":1}'), ToolCall("g", ""))),)),
    )
)


def plan(prompt: str, size: int = 2, **fields: object) -> Plan:
    return Plan.of(Ask("sim", [prompt], len(prompt), **fields), SCRIPT, size)  # type: ignore[arg-type]


def test_choices_take_turns() -> None:
    made = plan("two", n=2)
    assert [(step.choice, step.text) for step in made.steps] == [(0, "ab"), (1, "xy"), (0, "cd"), (0, "ef")]
    assert made.reasons == ["stop", "stop"]


def test_a_choice_reasons_then_speaks_then_calls() -> None:
    made = plan("call", size=4, tools=True, reasoning=True)
    kinds = [(step.kind, step.text, step.last) for step in made.steps]
    assert kinds == [
        ("reasoning", "why", False),
        ("content", "ab", False),
        ("call", "", False),
        ("call", '{"a"', False),
        ("call", ":1}", True),
        ("call", "", True),
    ]
    assert made.reasons == ["tool_calls"]
    assert made.reasoning_tokens == 1


def test_what_is_not_asked_for_is_left_out() -> None:
    (said,) = plan("call").said()
    assert (said.content, said.reasoning, said.calls, said.reason) == ("ab", "", {}, "stop")


def test_said_is_the_sum_of_the_steps() -> None:
    (said,) = plan("call", tools=True, reasoning=True).said()
    assert (said.content, said.reasoning) == ("ab", "why")
    assert [(call.name, arguments) for call, arguments in said.calls.items()] == [("f", '{"a":1}'), ("g", "")]
    assert said.complete == set(said.calls)


def test_a_limit_cuts_and_a_call_that_is_cut_is_not_complete() -> None:
    made = plan("call", tools=True, limit=3)
    (said,) = made.said()
    assert made.reasons == ["length"]
    assert len(made.steps) == 3
    assert [(call.name, call in said.complete) for call in said.calls] == [("f", False)]


def test_a_request_with_several_prompts_has_choices_for_each() -> None:
    made = Plan.of(Ask("sim", ["two", "hello"], 8, n=2), SCRIPT, 100)
    assert [said.content for said in made.said()] == ["abcdef", "xy", "You wrote: hello", "You wrote: hello"]


def test_four_characters_of_the_prompt_are_a_token() -> None:
    assert Ask("sim", [""], 0).read_tokens == 1
    assert Ask("sim", [""], 400).read_tokens == 101


def test_pieces_have_the_size_of_a_token() -> None:
    assert list(pieces("abcde", 2)) == ["ab", "cd", "e"]
    assert list(pieces("", 2)) == []


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("plain", "plain"),
        ([{"type": "text", "text": "a"}, {"type": "image"}, {"type": "input_text", "text": "b"}], "ab"),
        ([{"text": 1}, "c"], ""),
        (None, ""),
    ],
)
def test_the_text_of_a_content(content: object, text: str) -> None:
    assert text_of(content) == text


@pytest.mark.parametrize(
    ("messages", "text"),
    [
        ([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], "a"),
        ([{"role": "user", "content": "a"}, {"role": "user", "content": [{"type": "tool_result"}]}], "a"),
        ([{"content": "a"}], "a"),
        ([], ""),
    ],
)
def test_the_last_user_text(messages: list[object], text: str) -> None:
    assert last_user_text(messages) == text


def test_messages_that_are_no_objects_are_refused() -> None:
    with pytest.raises(ValueError, match="no object"):
        last_user_text(["hello"])
