"""Items as plain values and back, by nothing but their own classes."""

from __future__ import annotations

import subprocess
import sys

import pytest
from anthropic.types import RawContentBlockDeltaEvent, RawMessageStartEvent, TextDelta
from google.genai.types import GenerateContentResponse
from ollama import ChatResponse
from openai.types.chat import ChatCompletionChunk

from guardrail.sdk.models import built, classes_by_type, dumped

CHUNK = {"id": "1", "choices": [{"index": 0, "delta": {"content": "a"}, "x": 1}], "extra": {"y": 2}}


def test_what_is_inside_is_built_too_and_nothing_is_refused() -> None:
    chunk = built(ChatCompletionChunk, CHUNK)
    assert chunk.choices[0].delta.content == "a"
    assert dumped(chunk) == CHUNK
    event = built(RawContentBlockDeltaEvent, {"index": 0, "delta": {"type": "text_delta", "text": "a"}})
    assert isinstance(event.delta, TextDelta)


def test_classes_of_pydantic_alone() -> None:
    answer = built(ChatResponse, {"message": {"role": "assistant", "content": "a"}, "guardrail": {}})
    assert answer.message.content == "a"
    response = built(GenerateContentResponse, {"modelVersion": "m", "guardrail": {}}, strict=True)
    assert dumped(response, nulls=False) == {"modelVersion": "m"}
    assert dumped(response, without=frozenset({"model_version"})) == {}


def test_dicts_are_themselves() -> None:
    assert built(dict, CHUNK) is CHUNK
    assert dumped(CHUNK) is CHUNK


def test_the_classes_of_a_stream() -> None:
    first = RawMessageStartEvent.construct(type="message_start")
    classes = classes_by_type(first, ("RawMessageStreamEvent",))
    assert classes["content_block_delta"] is RawContentBlockDeltaEvent
    assert len(classes) == 6
    with pytest.raises(TypeError, match="found no Nothing beside RawMessageStartEvent"):
        classes_by_type(first, ("Nothing",))


def test_no_sdk_is_imported() -> None:
    code = "import sys, guardrail, guardrail.asgi, guardrail.sdk.anthropic;print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"anthropic", "openai", "google.genai", "ollama", "litellm", "pydantic", "starlette"} & set(loaded)
