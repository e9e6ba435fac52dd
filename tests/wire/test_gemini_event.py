"""One event of Gemini: read, taken apart, said again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from guardrail.errors import WireError
from guardrail.wire.chunk import Chunk
from guardrail.wire.gemini_event import (
    ARRAY,
    SSE,
    explode,
    index_of,
    read_chunk,
    stretch_of,
    template_of,
    with_text,
    with_value,
)
from guardrail.wire.gemini_parts import Stretch
from tests.wire.gemini_client import call, chunk, sse, text


def read(raw: bytes, at: Stretch | None = None) -> Chunk:
    stretches = {} if at is None else {0: at}
    return read_chunk(SSE.parse(raw), stretches, block=True, clean=lambda said: True)


def candidates(raw: bytes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(raw.removeprefix(b"data: "))["candidates"]
    return found


def test_what_an_event_says() -> None:
    raw = chunk(
        text("hm", thought=True),
        text("a"),
        text("b"),
        call({"q": 1}),
        {"executableCode": {"language": "PYTHON", "code": "x"}},
        finish="STOP",
        citationMetadata={"citations": []},
        groundingMetadata={"webSearchQueries": ["q"]},
    )
    said = read(raw)
    assert said.texts == [(0, "parts[0].thought", "hm"), (0, "parts[1].text", "a"), (0, "parts[1].text", "b")]
    assert [(index, key) for index, key, _ in said.tools] == [(0, "parts[2].functionCall"), (0, "groundingMetadata")]
    assert said.closed == [(0, "parts[2].functionCall")]
    assert [(path, value) for _, path, value in said.whole] == [
        ("parts[3].executableCode.code", '"x"'),
        ("citationMetadata", '{"citations":[]}'),
    ]
    assert said.finished == [(0, "STOP")]
    assert not said.template
    parts = explode(raw, SSE)
    assert [len(candidates(part)[0]["content"]["parts"]) for part in parts] == [1] * 8
    assert [read(part).things for part in parts] == [1, 1, 1, 1, 1, 1, 1, 1]
    assert b"usageMetadata" in parts[-1]
    assert not any(b"usageMetadata" in part for part in parts[:-1])


def test_what_is_no_part_says_nothing() -> None:
    raw = chunk(text("a"), None, 1, True, "", finish="STOP")  # type: ignore[arg-type]
    assert read(raw).texts == [(0, "parts[0].text", "a")]
    assert [read(part).things for part in explode(raw, SSE)] == [1, 1]
    assert len(explode(chunk(finish="STOP", content=[1], finishMessage="x"), SSE)) == 2


def test_where_a_candidate_is_goes_on() -> None:
    assert read(chunk(text("a")), Stretch(3, "text", True)).texts == [(0, "parts[3].text", "a")]
    assert read(chunk(text("a")), Stretch(3, "thought", True)).texts == [(0, "parts[4].text", "a")]
    assert stretch_of(read(chunk(text("a")))) == (0, Stretch(0, "text", True))
    assert stretch_of(read(chunk(call({})))) == (0, Stretch(0, "functionCall", False))
    assert stretch_of(read(chunk({"executableCode": {"code": "x"}}))) == (0, Stretch(0, "executableCode", False))
    assert stretch_of(read(chunk(finish="STOP"))) is None


def test_the_text_of_an_event_changes_alone() -> None:
    raw = chunk(text("abc"), index=2, avgLogprobs=-1, logprobsResult={"chosenCandidates": [{"token": "abc"}]})
    assert candidates(with_text(raw, "parts[0].text", "x", framing=SSE)) == [
        {"content": {"parts": [{"text": "x"}], "role": "model"}, "index": 2}
    ]
    assert with_text(chunk(text("abc")), "parts[0].text", "", framing=SSE) == b""
    signed = chunk({"text": "abc", "thoughtSignature": "QQ=="})
    assert b"QQ==" in with_text(signed, "parts[0].text", "", framing=SSE)
    again = with_text(signed, "parts[0].text", "c", again=True, framing=SSE)
    assert b"usageMetadata" not in again
    assert candidates(again)[0]["content"]["parts"] == [{"text": "c"}]


def test_a_whole_value_goes_back_where_it_stood() -> None:
    raw = chunk({"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "a"}})
    said = with_value(raw, "parts[7].codeExecutionResult.output", '"[X]"', SSE)
    result = candidates(said)[0]["content"]["parts"][0]["codeExecutionResult"]
    assert result == {"outcome": "OUTCOME_OK", "output": "[X]"}
    raw = chunk(citationMetadata={"citations": [{"title": "a"}]})
    assert candidates(with_value(raw, "citationMetadata", "{}", SSE))[0]["citationMetadata"] == {}


def test_elements_of_an_array_are_said_as_elements() -> None:
    raw = b",\r\n" + chunk(text("abc")).removeprefix(b"data: ").strip()
    assert with_text(raw, "parts[0].text", "x", framing=ARRAY).startswith(b",\n{")


def test_a_template_is_of_a_text_and_its_counts() -> None:
    raw = chunk(text("abc"))
    template = template_of(read(raw), {}, SSE, lambda said: True)
    assert template is not None
    assert template.text(raw.replace(b'"totalTokenCount":9', b'"totalTokenCount":12').replace(b"abc", b"de")) == "de"
    for other in (
        chunk(text("abc", thought=True)),
        chunk(text("abc"), finish="STOP"),
        chunk({"text": "abc", "thoughtSignature": "QQ=="}),
    ):
        assert template.text(other) is None
    assert not read(chunk({"text": "abc", "thoughtSignature": "QQ=="})).template


@pytest.mark.parametrize("data", [b"data: [1]\n\n", b"data: {\n\n", b'data: {"candidates":[{"index":-1}]}\n\n'])
def test_what_is_no_event(data: bytes) -> None:
    with pytest.raises(WireError):
        read(data)


def test_candidates_without_an_index_are_numbered_by_place() -> None:
    assert read(sse({"candidates": [{}, {}]})).choices == [0, 1]
    assert index_of(None, 3) == 3
    for index in (True, -1, 128, "0", 1.0):
        with pytest.raises(WireError):
            index_of(index, 0)


def test_a_reason_that_may_be_text_is_not_passed_on() -> None:
    said = read(chunk(text("a"), finish="it was told to"))
    assert said.finished == [(0, "OTHER")]
    assert b"told" not in said.raw
