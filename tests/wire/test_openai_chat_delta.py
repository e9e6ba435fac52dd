"""Where the texts of a delta stand, and how it is said with less."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from guardrail.wire.openai_chat_delta import drop_spelling, places, put, without_texts

DETAIL = {"type": "reasoning.text", "text": "a", "index": 0}
THINKING = {"type": "thinking", "thinking": [{"type": "text", "text": "a"}]}

CASES: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
    ({"content": "a", "reasoning": "b", "refusal": "c"}, [("reasoning", "b"), ("content", "a"), ("refusal", "c")]),
    ({"content": "", "reasoning": None}, []),
    ({"content": [{"type": "text", "text": "a"}, {"type": "x"}, 1]}, [("content", "a")]),
    ({"content": [THINKING, {"type": "text", "text": "b"}]}, [("thinking", "a"), ("content", "b")]),
    ({"reasoning": "a", "reasoning_content": "a"}, [("reasoning_content", "a")]),
    ({"reasoning": "a", "reasoning_content": "b"}, [("reasoning_content", "b"), ("reasoning", "a")]),
    ({"reasoning": "a", "reasoning_details": [DETAIL]}, [("reasoning", "a")]),
    ({"reasoning": "b", "reasoning_details": [DETAIL]}, [("reasoning", "b"), ("reasoning_details", "a")]),
    ({"reasoning_details": [{"summary": "a"}, DETAIL]}, [("reasoning_details", "a"), ("reasoning_details", "a")]),
    ({"audio": {"id": "1", "transcript": "a"}}, [("audio.transcript", "a")]),
    ({"audio": "a", "reasoning_details": "a", "content": {"text": "a"}}, []),
]


@pytest.mark.parametrize(("delta", "texts"), CASES)
def test_places(delta: dict[str, Any], texts: list[tuple[str, str]]) -> None:
    found = places(delta)
    assert [(place.channel, place.text) for place in found] == texts
    for place in found:
        ((channel, text),) = [(alone.channel, alone.text) for alone in places(place.alone)]
        assert (channel, text) == (place.channel, place.text)


def test_without_repetitions_every_text_is_a_place() -> None:
    delta = {"reasoning": "a", "reasoning_content": "a", "reasoning_details": [DETAIL]}
    assert [place.channel for place in places(delta, repeated=False)] == [
        "reasoning_content",
        "reasoning",
        "reasoning_details",
    ]


@pytest.mark.parametrize(("delta", "texts"), [(delta, texts) for delta, texts in CASES if texts])
def test_another_text_stands_wherever_it_was_said(delta: dict[str, Any], texts: list[tuple[str, str]]) -> None:
    delta = copy.deepcopy(places(delta)[0].alone)
    put(delta, places(delta)[0], "X")
    assert {place.text for place in places(delta, repeated=False)} == {"X"}


@pytest.mark.parametrize(
    ("delta", "rest"),
    [
        ({"role": "assistant", "content": "a", "tool_calls": [{}], "n": 1}, {"role": "assistant", "n": 1}),
        (
            {"content": [THINKING, {"type": "reference", "reference_ids": [1]}]},
            {"content": [{"type": "reference", "reference_ids": [1]}]},
        ),
        ({"reasoning_details": [DETAIL, {"data": "x"}]}, {"reasoning_details": [{"data": "x"}]}),
        ({"audio": {"id": "1", "transcript": "a"}, "annotations": [{}]}, {"audio": {"id": "1"}}),
        ({"audio": {"transcript": "a"}}, {}),
    ],
)
def test_what_is_no_text(delta: dict[str, Any], rest: dict[str, Any]) -> None:
    assert without_texts(delta) == rest


def test_what_spells_a_changed_text_goes() -> None:
    choice: dict[str, Any] = {"text": "a", "logprobs": {"tokens": ["a"]}, "token_ids": [1]}
    assert drop_spelling(choice)
    assert choice == {"text": "a", "logprobs": None, "token_ids": None}
    assert not drop_spelling(choice)
