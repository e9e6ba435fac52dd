"""Requests of Gemini."""

from __future__ import annotations

import json
from typing import Any

import pytest

from guardrail.errors import WireError
from guardrail.wire.gemini_request import read_request
from guardrail.wire.request import ModelRequest, with_texts

GENERATE = "/v1beta/models/gemini-m:generateContent"


def read(value: Any, target: str = GENERATE) -> ModelRequest:
    return read_request(json.dumps(value).encode(), target)


HI = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}

PATHS: list[tuple[str, str, bool, bool]] = [
    (GENERATE, "gemini-m", False, False),
    ("/v1beta/models/gemini-m:streamGenerateContent?alt=sse", "gemini-m", True, False),
    ("/v1/models/gemini-m:streamGenerateContent", "gemini-m", True, True),
    ("/v1beta/models/gemini-m:streamGenerateContent?$alt=json;enum-encoding=int", "gemini-m", True, True),
    ("/v1beta/tunedModels/mine-7:generateContent?key=k", "tunedModels/mine-7", False, False),
    (
        "/v1/projects/p/locations/europe-west1/publishers/google/models/gemini-m:streamGenerateContent?alt=sse",
        "gemini-m",
        True,
        False,
    ),
    ("/v1beta1/projects/p/locations/global/endpoints/123:generateContent", "endpoints/123", False, False),
    ("/v1beta1/publishers/google/models/gemini-m:generateContent", "gemini-m", False, False),
]


@pytest.mark.parametrize(("target", "model", "stream", "array"), PATHS)
def test_the_path_says_model_and_stream(target: str, model: str, stream: bool, array: bool) -> None:
    request = read(HI, target)
    assert (request.model, request.stream, request.array) == (model, stream, array)


def test_every_text_that_the_model_reads() -> None:
    value = {
        "system_instruction": {"parts": {"text": "Be kind."}},
        "contents": [
            {"parts": [{"text": "one"}, {"text": "two"}]},
            {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {"q": ["deep"]}}}]},
            {"role": "user", "parts": [{"function_response": {"name": "f", "response": {"result": "cold"}}}]},
            {"role": "user", "parts": [{"text": "and now?"}, {"inlineData": {"data": "QQ=="}}]},
        ],
        "generationConfig": {"candidateCount": 3, "response_mime_type": "application/json"},
    }
    request = read(value)
    assert [(said.role, said.turn, said.text) for said in request.inputs] == [
        ("system", -1, "Be kind."),
        ("user", 0, "one"),
        ("user", 0, "two"),
        ("assistant", 1, "deep"),
        ("tool", 2, "cold"),
        ("user", 3, "and now?"),
    ]
    assert request.instructions == ("Be kind.",)
    assert request.prompt == "and now?"
    assert (request.n, request.json_output) == (3, True)
    edited = json.loads(
        with_texts(json.dumps(value).encode(), {said.path: said.text.upper() for said in request.inputs})
    )
    assert [said.text for said in read(edited).inputs] == [said.text.upper() for said in request.inputs]


def test_a_lone_content_counts_as_a_list() -> None:
    request = read({"contents": {"parts": [{"text": "hi"}]}})
    assert [(said.path, said.text) for said in request.inputs] == [(("contents", "parts", 0, "text"), "hi")]


REFUSED: list[tuple[str, Any, str]] = [
    ("no contents", {}, "contents"),
    ("empty contents", {"contents": []}, "contents"),
    ("contents of text", {"contents": "hi"}, "contents"),
    ("both spellings", {**HI, "systemInstruction": {}, "system_instruction": {}}, "both"),
    ("too many candidates", {**HI, "generationConfig": {"candidateCount": 1000}}, "between 1 and"),
    ("a configuration of text", {**HI, "generationConfig": "x"}, "generationConfig"),
    ("no object", [], "object"),
]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case[0])
def test_what_is_refused(case: tuple[str, Any, str]) -> None:
    _, value, message = case
    with pytest.raises(WireError, match=message):
        read(value)


def test_other_paths_are_refused() -> None:
    for target in ("/v1beta/models/m:countTokens", "/v1beta/models:generateContent", "/v1/chat/completions"):
        with pytest.raises(WireError, match="path"):
            read(HI, target)
