"""What is read of a legacy Completions request."""

from __future__ import annotations

import json
from typing import Any

import pytest

from guardrail.errors import WireError
from guardrail.wire.openai_text_request import read_request
from guardrail.wire.request import InputText, ModelRequest

TARGET = "/v1/completions"


def read(**value: Any) -> ModelRequest:
    return read_request(json.dumps(value).encode(), TARGET)


def test_a_prompt_and_its_suffix() -> None:
    request = read(model="m", prompt="def f(", suffix="return x", stream=True, user="u", best_of=4, n=2, echo=True)
    assert (request.model, request.stream, request.n, request.user) == ("m", True, 2, "u")
    assert request.inputs == (
        InputText(("prompt",), "user", 0, "def f("),
        InputText(("suffix",), "user", 0, "return x"),
    )
    assert request.prompt == "def f(\nreturn x"


@pytest.mark.parametrize(
    ("prompt", "count", "texts"),
    [
        (None, 1, []),
        ("a", 1, ["a"]),
        (["a", "b"], 2, ["a", "b"]),
        ([1, 2, 3], 1, []),
        ([[1, 2], [3]], 2, []),
        ([], 1, []),
        (["a", [1]], 2, ["a"]),
    ],
)
def test_prompts(prompt: Any, count: int, texts: list[str]) -> None:
    request = read(prompt=prompt, n=3, stream_options={"include_usage": True})
    assert (request.n, request.include_usage) == (count * 3, True)
    assert [said.text for said in request.inputs] == texts
    assert all(said.turn == 0 for said in request.inputs)


def test_json_is_asked_for() -> None:
    assert read(prompt="a", response_format={"type": "json_object"}).json_output
    assert not read(prompt="a").json_output


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"prompt": {"a": 1}}, "'prompt' must be"),
        ({"prompt": 3}, "'prompt' must be"),
        ({"prompt": ["a", None]}, "'prompt' must be"),
        ({"prompt": [["a"]]}, "'prompt' must be"),
        ({"prompt": ["a"] * 65, "n": 2}, "at most 128"),
        ({"prompt": "a", "n": 0}, "'n' must be between"),
        ({"prompt": "a", "suffix": 1}, "'suffix' must be"),
    ],
)
def test_what_is_no_request_is_refused(value: dict[str, Any], message: str) -> None:
    with pytest.raises(WireError, match=message):
        read(**value)
