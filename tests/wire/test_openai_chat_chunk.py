"""One event: what it carries by either way of reading, and how it is said again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from guardrail.errors import WireError
from guardrail.wire.chunk import Chunk
from guardrail.wire.openai_chat_chunk import (
    call_entries,
    envelope,
    explode,
    read_chunk,
    template_of,
    with_text,
)
from guardrail.wire.sse import parse_event
from tests.wire.chat import ENVELOPE, event, sse


def chunk(raw: bytes, *, block: bool = True) -> Chunk:
    return read_chunk(parse_event(raw), block=block, clean=lambda text: "secret" not in text)


def value(raw: bytes) -> Any:
    return json.loads(raw[6:])


def test_both_ways_of_reading_say_the_same() -> None:
    for delta in (
        {"content": "a"},
        {"role": "assistant", "content": ""},
        {"content": "a", "reasoning": "b", "reasoning_content": "c", "refusal": "d"},
        {"content": None, "refusal": None, "tool_calls": None},
    ):
        for finish in (None, "stop"):
            common, odd = chunk(event(delta, finish, 1)), chunk(event(delta, finish, 1, top={"odd": 1}))
            assert (common.value, odd.value is None) == (None, False)
            for key in ("choices", "texts", "tools", "finished", "error"):
                assert getattr(common, key) == getattr(odd, key)
            assert envelope(common) == envelope(odd)


def test_what_is_zero_or_empty_is_said_again_as_it_came() -> None:
    top = {"id": "", "created": 0, "service_tier": None}
    for odd in ({}, {"odd": 1}):
        said = envelope(chunk(event({"content": "a"}, top={**top, **odd})))
        assert said == {"id": "", "object": "chat.completion.chunk", "created": 0, "model": "m"}


def test_texts_come_in_the_order_in_which_models_say_them() -> None:
    said = chunk(event({"refusal": "d", "content": "c", "reasoning": "b", "reasoning_content": "a"}))
    assert said.texts == [
        (0, "reasoning_content", "a"),
        (0, "reasoning", "b"),
        (0, "content", "c"),
        (0, "refusal", "d"),
    ]


@pytest.mark.parametrize("index", [-1, 128, True, "0", 1.0])
def test_an_index_that_cannot_be_is_refused(index: Any) -> None:
    for top in ({}, {"odd": 1}):
        with pytest.raises(WireError, match=r"^The model server sent an index that is not an integer from 0 to 127\.$"):
            chunk(event({"content": "a"}, index=index, top=top))


@pytest.mark.parametrize(("data", "what"), [(b"{nope}", "not valid JSON"), (b"[1]", "not a JSON object")])
def test_who_sent_what_cannot_be_read_is_said(data: bytes, what: str) -> None:
    with pytest.raises(WireError, match=rf"^The model server sent an event that is {what}\.$"):
        chunk(b"data: " + data + b"\n\n")


def test_a_finish_reason_that_is_no_word_is_replaced() -> None:
    assert value(chunk(event({}, "my secret text")).raw)["choices"][0]["finish_reason"] == "stop"
    assert chunk(event({}, "eos_token")).finished == [(0, "eos_token")]


def test_what_is_no_choice_says_nothing() -> None:
    said = {"index": 0, "delta": {"reasoning_details": [{"type": "reasoning.text", "text": "a"}]}}
    for choices in ([said, None], [None, said]):
        assert chunk(sse({**ENVELOPE, "choices": choices})).texts == [(0, "reasoning_details", "a")]
    assert len(explode(sse({**ENVELOPE, "choices": [said, {"index": 1, "delta": 1}]}))) == 2


def test_call_entries() -> None:
    delta = {"tool_calls": [{"index": 3, "id": "x"}, {"id": "y"}, None], "function_call": {"name": "f"}}
    assert [(key, entry.get("id")) for key, entry in call_entries(delta)] == [(3, "x"), (1, "y"), (None, None)]


def test_explode_gives_one_thing_an_event() -> None:
    call = {"index": 0, "function": {"name": "f", "arguments": "{}"}}
    first = {"role": "assistant", "content": "a", "reasoning": "b", "tool_calls": [call]}
    raw = sse(
        {
            **ENVELOPE,
            "choices": [
                {"index": 0, "delta": first, "logprobs": None, "finish_reason": "stop", "stop_reason": 7},
                {"index": 1, "delta": {"content": "c"}},
            ],
            "usage": {"total_tokens": 1},
        }
    )
    assert [(v["choices"], v.get("usage")) for v in map(value, explode(raw))] == [
        ([{"index": 0, "delta": {"role": "assistant", "reasoning": "b"}, "finish_reason": None}], None),
        ([{"index": 0, "delta": {"content": "a"}, "finish_reason": None}], None),
        ([{"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": None}], None),
        ([{"index": 0, "finish_reason": "stop", "stop_reason": 7, "delta": {}}], None),
        ([{"index": 1, "delta": {"content": "c"}, "finish_reason": None}], {"total_tokens": 1}),
    ]


def test_with_text_changes_the_text_alone() -> None:
    raw = event({"role": "assistant", "content": "a", "x": 1}, top={"y": [1.5]}, logprobs={"content": []})
    changed = value(with_text(raw, "content", "b"))
    expected = value(raw)
    expected["choices"][0]["delta"]["content"] = "b"
    expected["choices"][0]["logprobs"] = None
    assert changed == expected


def test_with_text_again_says_the_text_alone() -> None:
    raw = event({"role": "assistant", "content": "a"}, top={"usage": {"total_tokens": 1}}, stop_reason=None)
    assert value(with_text(raw, "content", "b", again=True)) == {
        **ENVELOPE,
        "choices": [{"index": 0, "finish_reason": None, "delta": {"content": "b"}}],
    }
    legacy = sse({"choices": [{"index": 0, "text": "a", "logprobs": None}]})
    assert value(with_text(legacy, "text", "b", again=True)) == {"choices": [{"index": 0, "text": "b"}]}


def test_with_no_text_and_nothing_else_there_is_no_event() -> None:
    assert with_text(event({"content": "a"}), "content", "") == b""
    for kept in (
        event({"role": "assistant", "content": "a"}),
        event({"content": "a"}, "stop"),
        event({"content": "a"}, top={"usage": {"total_tokens": 1}}),
    ):
        assert value(with_text(kept, "content", ""))["choices"][0]["delta"]["content"] == ""


def test_a_template_is_found_for_the_channels_of_a_delta() -> None:
    for raw, text in (
        (event({"content": "a"}), "a"),
        (event({"role": "assistant", "content": 'say \\"\n'}), 'say \\"\n'),
        (event({"reasoning_content": "content"}, index=5), "content"),
        (b'data: {"choices": [{"delta": {"content" : "a"}}]}\n\n', "a"),
        (event({"content": "a"}, top={"obfuscation": "x1"}), "a"),
    ):
        said = chunk(raw)
        found = template_of(said)
        assert found is not None
        assert chunk(found.event(raw, '"\n')).texts == [(*said.texts[0][:2], '"\n')]
        run = found.run(raw, 0, len(raw))
        assert run is not None
        assert (run.text, run.after) == (text, len(raw))
    assert template_of(chunk(event({"content": "a"}, top={"id": "\n"}))) is None
