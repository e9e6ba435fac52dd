"""One event of a Responses stream: what it says, what is taken out of it, how it is said again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from guardrail.errors import WireError
from guardrail.wire.chunk import Chunk, SlotTemplate
from guardrail.wire.openai_responses_event import Reader, template_of, with_text
from guardrail.wire.sse import parse_event
from tests.wire.openai_responses_client import sse

DELTA = {
    "type": "response.output_text.delta",
    "sequence_number": 7,
    "item_id": "msg_1",
    "output_index": 1,
    "content_index": 0,
    "delta": "hello",
    "logprobs": [],
    "obfuscation": "aB3x",
}


def read(value: object, *, block: bool = True, reader: Reader | None = None) -> Chunk:
    raw = value if isinstance(value, bytes) else sse(value)  # type: ignore[arg-type]
    return (reader or Reader(block=block, clean=lambda text: "secret" not in text)).read(parse_event(raw))


def data(chunk: Chunk) -> Any:
    return json.loads(parse_event(chunk.raw).data or b"null")


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({}, "output[1].content[0].text"),
        ({"content_index": 2}, "output[1].content[2].text"),
        ({"type": "response.refusal.delta"}, "output[1].content[0].refusal"),
        ({"type": "response.reasoning_text.delta"}, "output[1].content[0].text"),
        ({"type": "response.reasoning_summary_text.delta", "summary_index": 3}, "output[1].summary[3].text"),
    ],
)
def test_a_delta_is_text_of_its_channel(change: dict[str, Any], path: str) -> None:
    for more in ({}, {"extra": 1}):  # both ways of reading
        chunk = read({**DELTA, **change, **more})
        assert chunk.texts == [(0, path, "hello")]
        assert chunk.template == (not more)


SPELLED = [{"token": "hel", "logprob": -0.1, "top_logprobs": []}, {"token": "lo", "logprob": -0.2, "top_logprobs": []}]

CHANGED: list[tuple[str, dict[str, Any], dict[str, Any], list[str]]] = [
    ("log probabilities that spell the text", {"logprobs": SPELLED}, {"logprobs": SPELLED}, []),
    ("log probabilities of another text", {"logprobs": SPELLED[:1]}, {"logprobs": []}, []),
    (
        "an alternative that a rule removes",
        {"logprobs": [{**SPELLED[0], "top_logprobs": [{"token": "secret", "logprob": -9}]}, SPELLED[1]]},
        {"logprobs": []},
        [],
    ),
    ("padding that could be words", {"obfuscation": "a b"}, {"obfuscation": None}, ["obfuscation"]),
    ("an unknown field", {"more": "x"}, {"more": None}, ["more"]),
    ("a delta that is no text", {"delta": ["x"]}, {"delta": ""}, ["delta"]),
    ("a number that is none", {"sequence_number": "x"}, {"sequence_number": None}, ["sequence_number"]),
    ("an id with blanks", {"item_id": "some words"}, {"item_id": None}, ["item_id"]),
]


@pytest.mark.parametrize(
    ("change", "now", "blocked"), [case[1:] for case in CHANGED], ids=[case[0] for case in CHANGED]
)
def test_what_may_not_pass_is_taken_out(change: dict[str, Any], now: dict[str, Any], blocked: list[str]) -> None:
    chunk = read({**DELTA, **change})
    said = data(chunk)
    assert {key: said.get(key) for key in now} == now
    assert chunk.blocked == blocked


def test_the_line_before_the_data_says_the_type() -> None:
    raw = b"event: the secret\ndata: " + json.dumps(DELTA).encode() + b"\n\n"
    chunk = read(raw)
    assert chunk.raw.startswith(b"event: response.output_text.delta\n")
    assert chunk.texts


@pytest.mark.parametrize(
    "value",
    [
        b"data: {\n\n",
        b"data: [1]\n\n",
        b"data: NaN\n\n",
        {**DELTA, "output_index": -1},
        {**DELTA, "content_index": 1.5},
    ],
)
def test_what_is_no_event(value: object) -> None:
    with pytest.raises(WireError):
        read(value)


@pytest.mark.parametrize(
    "value", [{"type": "error", "message": "m"}, {"error": {"message": "m"}}, {**DELTA, "error": "m"}]
)
def test_errors(value: dict[str, Any]) -> None:
    assert read(value).error


def test_a_key_twice_is_said_once() -> None:
    for first in (b'"delta":"the secret"', b'"delta" : "the secret"'):
        raw = b"data: " + json.dumps(DELTA).encode().replace(b'"delta":', first + b',"delta":') + b"\n\n"
        chunk = read(raw)
        assert chunk.texts[0][2] == "hello"
        assert b"secret" not in chunk.raw


def test_what_begins_has_no_log_probabilities_of_a_text() -> None:
    part = {"type": "output_text", "text": "", "annotations": [], "logprobs": SPELLED}
    item = {"type": "message", "id": "msg_9", "content": [part]}
    begun = data(read({"type": "response.content_part.added", "item_id": "msg_1", "output_index": 0, "part": part}))
    assert begun["part"]["logprobs"] == []
    begun = data(read({"type": "response.output_item.added", "output_index": 0, "item": item}))
    assert begun["item"]["content"][0]["logprobs"] == []


def test_how_a_tool_gets_on_is_not_told_with_unknown_text() -> None:
    value = {"type": "response.code_interpreter_call.interpreting", "item_id": "ci_1", "output_index": 0}
    assert read(value).tools
    unknown = read({**value, "note": "so it is"})
    assert (unknown.raw, unknown.tools, unknown.blocked) == (b"", [], ["note"])


def test_an_event_that_nobody_knows_goes_without_text_only() -> None:
    assert read({"type": "response.new", "count": 1}).raw
    assert read({"type": "response.new", "words": "x"}).raw == b""
    passed = read({"type": "response.new", "words": "x"}, block=False)
    assert (passed.passed, data(passed)["words"]) == (1, "x")


def test_tools_are_withheld_from_their_beginning_to_their_end() -> None:
    reader = Reader(block=True, clean=lambda text: True)
    item = {"id": "ci_1", "type": "code_interpreter_call", "code": "", "container_id": "c"}
    where = {"item_id": "ci_1", "output_index": 2}
    added = read({"type": "response.output_item.added", "output_index": 2, "item": item}, reader=reader)
    status = read({"type": "response.code_interpreter_call.interpreting", **where}, reader=reader)
    done = read({"type": "response.output_item.done", "output_index": 2, "item": item}, reader=reader)
    late = read({"type": "response.code_interpreter_call.completed", **where}, reader=reader)
    assert [[part for _, part, _ in chunk.tools] for chunk in (added, status, done, late)] == [["output[2]"]] * 3 + [[]]
    assert done.closed == [(0, "output[2]")]


def test_a_template_leaves_numbers_and_padding_free() -> None:
    reader = Reader(block=True, clean=lambda text: True)
    found = template_of(read(DELTA, reader=reader), reader)
    assert isinstance(found, SlotTemplate)
    assert found.text(sse({**DELTA, "sequence_number": 8, "obfuscation": "", "delta": 'a "b"\n'})) == 'a "b"\n'
    assert found.text(sse({**DELTA, "obfuscation": "a b"})) is None
    assert found.text(sse({**DELTA, "item_id": "msg_2"})) is None


def test_a_delta_is_said_with_another_text() -> None:
    raw = sse({**DELTA, "logprobs": SPELLED})
    assert json.loads(with_text(raw, "", "[X]").partition(b"data: ")[2]) == {**DELTA, "delta": "[X]"}
    assert with_text(raw, "", "") == b""
