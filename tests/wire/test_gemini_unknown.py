"""What the codec of Gemini does not know is removed and named, or counted."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from guardrail.wire.gemini_unknown import is_partial, strip_response
from guardrail.wire.unknown_text import Unknown


def candidate(*parts: Any, **more: Any) -> dict[str, Any]:
    return {"candidates": [{"content": {"parts": list(parts), "role": "model"}, **more}]}


PART = "candidates[].content.parts[]"

CASES: list[tuple[dict[str, Any], list[str]]] = [
    ({"summary": "so far"}, ["summary"]),
    ({"usageMetadata": {"note": "two words"}}, ["usageMetadata"]),
    ({"responseId": "two words"}, ["responseId"]),
    ({"candidates": ["text"]}, ["candidates[]"]),
    ({"candidates": [{"output": "text"}]}, ["candidates[].output"]),
    ({"candidates": [{"content": "text"}]}, ["candidates[].content"]),
    ({"candidates": [{"safetyRatings": [{"why": "it is so"}]}]}, ["candidates[].safetyRatings"]),
    (candidate("text"), [PART]),
    (candidate({"text": ["a"]}), [f"{PART}.text"]),
    (candidate({"inlineData": {"mimeType": "image/png", "data": "QUJD"}}), [f"{PART}.inlineData"]),
    (candidate({"fileData": {"fileUri": "gs://a"}}), [f"{PART}.fileData"]),
    (candidate({"text": "a", "thoughtSignature": "not base64"}), [f"{PART}.thoughtSignature"]),
    (candidate({"text": "a", "functionCall": {"name": "f"}}), [f"{PART}.text"]),
    (candidate({"functionCall": {}, "executableCode": {"code": "x"}}), [f"{PART}.executableCode"]),
    (candidate({"functionCall": {"name": "f", "id": "an id"}}), [f"{PART}.functionCall.id"]),
    (candidate({"functionCall": {"partialArgs": [{"x": "y"}]}}), [f"{PART}.functionCall.partialArgs"]),
    (candidate({"executableCode": {"language": "a b", "code": "x"}}), [f"{PART}.executableCode.language"]),
]  # fmt: skip


@pytest.mark.parametrize(("value", "paths"), CASES)
def test_it_is_removed_and_named_or_counted(value: dict[str, Any], paths: list[str]) -> None:
    passing, passed = Unknown(False), copy.deepcopy(value)
    strip_response(passing, passed, lambda text: True)
    assert passed == value
    assert passing.passed > 0
    unknown = Unknown(True)
    strip_response(unknown, value, lambda text: True)
    assert unknown.blocked == paths
    again = Unknown(True)
    strip_response(again, value, lambda text: True)
    assert again.blocked == []


def test_what_is_known_stays() -> None:
    value = candidate({"text": "a", "thoughtSignature": "QUJD_-+/=="}, finishReason="STOP", avgLogprobs=-0.1)
    value["modelStatus"] = {"modelStage": "STABLE", "message": "It goes in June."}
    before = copy.deepcopy(value)
    unknown = Unknown(True)
    found, changed = strip_response(unknown, value, lambda text: True)
    assert (value, unknown.blocked, changed, len(found)) == (before, [], False, 1)


def test_the_servers_own_words_are_scanned() -> None:
    value: dict[str, Any] = {"promptFeedback": {"blockReason": "OTHER", "blockReasonMessage": "bad words"}}
    assert strip_response(Unknown(True), value, lambda text: "bad" not in text) == ([], True)
    assert value == {"promptFeedback": {"blockReason": "OTHER"}}


def test_values_at_a_path() -> None:
    assert is_partial({"jsonPath": "$.a", "stringValue": "x", "willContinue": True})
    assert is_partial({"jsonPath": "$.a", "nullValue": "NULL_VALUE"})
    for entry in (
        {},
        {"jsonPath": 1},
        {"jsonPath": "$.a", "nullValue": "text"},
        {"jsonPath": "$.a", "text": "x"},
        None,
    ):
        assert not is_partial(entry)
