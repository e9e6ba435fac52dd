"""One event: what it carries by either way of reading, and how it is said again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from guardrail.errors import WireError
from guardrail.wire.openai_chat_chunk import (
    Chunk,
    Template,
    call_entries,
    explode,
    find_template,
    read_chunk,
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
            for key in ("choices", "texts", "tools", "finished", "envelope", "error"):
                assert getattr(common, key) == getattr(odd, key)


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


def template(raw: bytes) -> Template:
    found = find_template(chunk(raw))
    assert found is not None
    return found


@pytest.mark.parametrize(
    "raw",
    [
        event({"content": "a"}),
        event({"role": "assistant", "content": 'say \\"\n'}),
        event({"reasoning_content": "content"}, index=5),
        event({"content": "a"}).replace(b"\n\n", b"\r\n\r\n"),
        b'data: {"choices": [{"delta": {"content" : "a"}}]}\n\n',
    ],
)
def test_a_template_is_what_stands_around_the_text(raw: bytes) -> None:
    found = template(raw)
    (text,) = chunk(raw).texts
    assert parse_event(found.event("b")).data is not None
    assert chunk(found.event('"\n')).texts == [(*text[:2], '"\n')]
    assert found.texts(raw[len(found.prefix) :])[1] == [text[2]] or found.texts(raw[len(found.prefix) :])[1] == text[2]


@pytest.mark.parametrize(
    "raw",
    [
        b'data:{"choices":[{"delta":{"content":"a"}}]}\n\n',
        b'data: {"id":"\\n","choices":[{"delta":{"content":"a"}}]}\n\n',
        b'data: {"choices":[{"delta":{"content":"a"}}],\ndata: "id":"x"}\n\n',
        b'id: 1\ndata: {"choices":[{"delta":{"content":"a"}}]}\n\n',
    ],
)
def test_no_template_where_the_place_of_the_text_is_in_doubt(raw: bytes) -> None:
    said = chunk(raw)
    assert said.texts == [(0, "content", "a")]
    assert find_template(said) is None


WINDOWS = [
    ("one", ["a"], "a"),
    ("several", ["a", "", "é", "你"], "aé你"),
    ("escapes", ["a", "\\n", '\\"', "\\u00e9"], ["a", "\n", '"', "é"]),
]


@pytest.mark.parametrize(("insides", "texts"), [w[1:] for w in WINDOWS], ids=[w[0] for w in WINDOWS])
def test_a_window_of_events_is_read_in_one_go(insides: list[str], texts: Any) -> None:
    found = template(event({"content": "?"}))
    parts = [inside.encode() for inside in insides]
    window = found.joint.join(parts) + found.suffix
    assert found.texts(window) == (parts, texts)
    for after in (b"data: [DONE]\n\n", event({}, "stop"), found.prefix + b"half", event({"content": "x"}, index=1)):
        assert found.texts(window + after)[0] == parts


def test_a_window_stops_at_the_first_event_that_does_not_fit() -> None:
    found = template(event({"content": "?"}))
    other = event({"content": "x"}, index=1)
    fits = found.event("a")
    for odd in (other, found.event("a").replace(b'"a"', b'"a","refusal":"b"'), found.event("a").replace(b"a", b"\xff")):
        window = (fits + odd + fits)[len(found.prefix) :]
        parts, texts = found.texts(window)
        assert (parts, "".join(texts)) == ([b"a"], "a")


@pytest.mark.parametrize("inside", [b'"', b"\\", b"\x00", b"\n", b"\xe4\xbd", b"\\ud83d", b'"},{"'])
def test_what_is_no_inside_of_a_string_never_fits(inside: bytes) -> None:
    found = template(event({"content": "?"}))
    assert found.texts(inside + found.suffix)[0] == []
    # Halves that would be whole if they were read together.
    assert found.texts(b"\xe4\xbd" + found.joint + b"\xa0" + found.suffix)[0] == []
