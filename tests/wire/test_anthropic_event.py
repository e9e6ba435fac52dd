"""Events of Anthropic Messages: what they say, and how they are said again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from guardrail.errors import WireError
from guardrail.wire.anthropic_event import MAX_INDEX, explode, read_event, template_of, with_text, with_value
from guardrail.wire.chunk import Chunk, SlotTemplate, Template
from guardrail.wire.sse import parse_event
from tests.wire.anthropic_client import MESSAGE, PING, START, begin, delta, end, read, says, sse, stopped

CITED = {"type": "char_location", "cited_text": "a b", "document_index": 0}


def started(**message: Any) -> bytes:
    return sse({"type": "message_start", "message": {**MESSAGE, **message}})


def chunk(raw: bytes, *, block: bool = True, withheld: Any = ()) -> Chunk:
    return read_event(parse_event(raw), block=block, withheld=withheld)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (says("a b")[0], {"texts": [(0, "content[0].text", "a b")]}),
        (says("a b", index=3, key="thinking")[0], {"texts": [(0, "content[3].thinking", "a b")]}),
        (delta(0, "compaction_delta", content="a b"), {"texts": [(0, "content[0].content", "a b")]}),
        (says("")[0], {}),
        (delta(0, "input_json_delta", partial_json='{"a'), {"tools": [(0, "content[0]", '{"a')]}),
        (delta(0, "signature_delta", signature="YQ=="), {"closed": [(0, "content[0].thinking")]}),
        (delta(0, "signature_delta", signature=""), {}),
        (delta(0, "citations_delta", citation="a b"), {"whole": [(0, "content[0].citations", '"a b"')]}),
        (begin(), {"opened": [(0, "content[0]")]}),
        (begin(0, "redacted_thinking", data="YQ=="), {"opened": [(0, "content[0]")]}),
        (begin(text="a b"), {"opened": [(0, "content[0]")], "texts": [(0, "content[0].text", "a b")]}),
        (begin(0, "x_tool_result", content="a b"), {"whole": [(0, "content[0].content", '"a b"')]}),
        (end(), {"closed": [(0, "content[0]")]}),
        (stopped(), {"finished": [(0, "end_turn")]}),
        (PING, {}),
        (START, {}),
    ],
)
def test_what_an_event_says(raw: bytes, expected: dict[str, Any]) -> None:
    said = chunk(raw)
    for key in ("texts", "tools", "closed", "whole", "opened", "finished"):
        assert getattr(said, key) == expected.get(key, []), key
    assert said.raw == raw
    assert (said.blocked, said.error) == ([], False)


def test_the_stop_of_what_is_withheld_is_withheld() -> None:
    said = chunk(end(2), withheld={"content[2]"})
    assert (said.tools, said.closed, said.things) == ([(0, "content[2]", None)], [(0, "content[2]")], 1)


@pytest.mark.parametrize("text", ["a b", 'é "\n\\', ""])
def test_both_ways_in_say_the_same(text: str) -> None:
    fast = chunk(says(text)[0])
    slow = chunk(
        sse({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}, "n": 1})
    )
    assert (fast.texts, fast.value) == (slow.texts, None)
    for first in (b'"text":"secret"', b'"text" : "secret"'):
        assert b"secret" not in chunk(says(text)[0].replace(b'"text":', first + b',"text":')).raw


@pytest.mark.parametrize(
    "raw",
    [
        *(sse({"type": "content_block_stop", "index": index}) for index in (-1, "0", True, None, 1.0, MAX_INDEX + 1)),
        delta(-1, "text_delta", text="a"),
        sse({"type": "content_block_delta", "index": 0, "delta": []}),
        sse({"type": "content_block_start", "index": 0, "content_block": "a"}),
        sse({"type": "message_start"}),
        sse({"type": "message_delta", "delta": None}),
        b"data: []\n\n",
        b"data: NaN\n\n",
        b"data: \xff\n\n",
    ],
)
def test_what_is_no_event_is_a_fault(raw: bytes) -> None:
    with pytest.raises(WireError):
        chunk(raw)


@pytest.mark.parametrize(
    ("raw", "left"),
    [
        (delta(0, "text_delta", text=["a"]), delta(0, "text_delta", text="")),
        (delta(0, "text_delta", text=None), delta(0, "text_delta", text="")),
        (delta(0, "new", said="a"), delta(0, "new")),
        (delta(0, "text_delta", text="a b", also="a b"), says("a b")[0]),
        (begin(0, "text", text=None), begin()),
        (sse({"type": "new", "said": "a", "n": 1}), sse({"type": "new", "n": 1})),
        (stopped(more="a b"), stopped()),
        (stopped("a b"), stopped("end_turn")),
        (stopped(stop_details={"type": "refusal", "more": "a b"}), stopped(stop_details={"type": "refusal"})),
        (sse({"type": "ping", "said": "a"}), PING),
        (started(stop_reason="a", stop_sequence="a b"), START),
        (started(stop_details={"type": "refusal", "explanation": "a b"}), started(stop_details=None)),
    ],
)
def test_unknown_text_is_taken_out(raw: bytes, left: bytes) -> None:
    assert chunk(raw).raw == left


def test_half_a_character_stays_only_where_its_other_half_may_come() -> None:
    assert b"\\ud83d" in chunk(says("\ud83d")[0]).raw
    assert b"\\ud83d" in chunk(delta(0, "input_json_delta", partial_json="\ud83d")).raw
    for raw in (
        delta(0, "citations_delta", citation=["\ud83d"]),
        begin(text="\ud83d"),
        stopped(stop_sequence="\ud83d"),
    ):
        assert "\ufffd".encode() in chunk(raw).raw


def test_usage_is_there_for_clients_that_do_not_ask() -> None:
    said = chunk(sse({"type": "message_delta", "delta": {"stop_reason": "end_turn"}}))
    assert json.loads(parse_event(said.raw).data or b"")["usage"] == {"output_tokens": 0}
    assert said.usage is None


def test_errors_are_told_by_name_or_type_or_key() -> None:
    for raw in (sse({"type": "error"}), sse({"a": 1}, name="error"), sse({"error": "a"})):
        assert chunk(raw).error


def test_a_start_is_taken_apart_into_what_it_carries() -> None:
    raw = begin(0, "text", text="a b", citations=[CITED])
    parts = explode(chunk(raw))
    assert [chunk(part).things for part in parts] == [1, 1, 1]
    assert read(START + raw).content == read(START + b"".join(parts)).content


def test_an_event_is_said_with_another_text() -> None:
    raw = says("a b")[0]
    assert with_text(raw, "content[0].text", "c") == says("c")[0]
    assert with_text(raw, "content[0].text", "") == b""
    both = delta(0, "compaction_delta", content="a", encrypted_content="YQ==")
    assert with_text(both, "content[0].content", "") == delta(
        0, "compaction_delta", content="", encrypted_content="YQ=="
    )
    assert with_text(both, "content[0].content", "b", again=True) == delta(0, "compaction_delta", content="b")


def test_an_event_is_said_with_another_value() -> None:
    raw = delta(0, "citations_delta", citation={**CITED, "encrypted_index": "YQ=="})
    said = chunk(raw)
    edited = json.dumps({**CITED, "type": None, "cited_text": "c", "encrypted_index": None})
    assert with_value(said, edited) == delta(
        0, "citations_delta", citation={**CITED, "cited_text": "c", "encrypted_index": "YQ=="}
    )
    assert with_value(chunk(begin(0, "x_tool_result", content="a")), '"b"') == begin(0, "x_tool_result", content="b")


def test_deltas_of_text_have_a_template() -> None:
    plain = template_of(chunk(says("a", index=7, key="thinking")[0]))
    assert isinstance(plain, Template)
    assert plain.text(says("b", index=7, key="thinking")[0]) == "b"
    assert plain.text(says("b", index=8, key="thinking")[0]) is None
    value = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "a"}}
    padded = template_of(chunk(sse(value, pad=3)))
    assert isinstance(padded, SlotTemplate)
    assert [padded.text(sse(value, pad=pad)) for pad in (0, 9)] == ["a", "a"]
