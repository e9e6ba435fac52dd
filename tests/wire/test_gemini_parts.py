"""The stretches of a candidate's parts."""

from __future__ import annotations

from typing import Any

import pytest

from guardrail.wire.gemini_parts import Stretch, kind_of, next_stretch, parts_of, said_by

KINDS: list[tuple[dict[str, Any], str]] = [
    ({"text": "a"}, "text"),
    ({"text": "a", "thought": True}, "thought"),
    ({"text": ""}, ""),
    ({"text": "", "thoughtSignature": "QQ=="}, ""),
    ({"functionCall": {}}, "functionCall"),
    ({"executableCode": {"code": "x"}}, "executableCode"),
    ({"executableCode": {"language": "PYTHON"}}, ""),
    ({"codeExecutionResult": {"output": "x"}}, "codeExecutionResult"),
    ({}, ""),
]


@pytest.mark.parametrize(("part", "kind"), KINDS)
def test_what_a_part_is(part: dict[str, Any], kind: str) -> None:
    assert kind_of(part) == kind


def test_stretches_are_numbered_and_only_open_ones_go_on() -> None:
    first = next_stretch(None, "thought")
    assert (first, first.key) == (Stretch(0, "thought", True), "parts[0].thought")
    assert next_stretch(first, "thought") is first
    assert next_stretch(first, "text") == Stretch(1, "text", True)
    assert next_stretch(Stretch(1, "functionCall", False), "functionCall") == Stretch(2, "functionCall", True)


def test_the_text_of_a_candidate() -> None:
    candidate = {"content": {"parts": [{"text": "a", "thought": True}, {"functionCall": {}}, {"text": "b"}]}}
    assert said_by(candidate) == "ab"
    assert [parts_of(found) for found in ({}, {"content": None}, {"content": {"parts": "x"}})] == [[], [], []]
