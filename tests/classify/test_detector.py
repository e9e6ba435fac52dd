"""Detectors over HTTP: what is asked, and what an answer means."""

from __future__ import annotations

import json
from math import isnan
from typing import Any

import msgspec
import pytest

from guardrail.classify.detector import DetectorEntry, request_of, scores_of
from guardrail.errors import ModelFault
from guardrail.text.scores import CATEGORIES

OPENAI = DetectorEntry(format="openai", url="http://host")
FMS = DetectorEntry(
    format="fms", url="http://host", detector="hap", labels={"toxic": "harassment", "threat": "violence", "ok": "none"}
)
ZEROS = {"hate": 0, "harassment": 0, "sexual": 0, "violence": 0, "self-harm": 0, "illicit": 0}


def by_name(scores: tuple[float, ...]) -> dict[str, float]:
    return {name: x for name, x in zip(CATEGORIES, scores, strict=True) if not isnan(x)}


def moderation(*scores: dict[str, Any]) -> bytes:
    results = [{"flagged": False, "categories": {}, "category_scores": each} for each in scores]
    return json.dumps({"id": "modr-1", "model": "m", "results": results}).encode()


def test_what_the_moderation_api_is_asked() -> None:
    path, headers, body = request_of(msgspec.structs.replace(OPENAI, model="m"), ["a", "你\ud800"])
    assert (path, headers) == ("/v1/moderations", {"Content-Type": "application/json"})
    assert json.loads(body) == {"input": ["a", "你?"], "model": "m"}
    assert json.loads(request_of(OPENAI, ["a"])[2]) == {"input": ["a"]}


def test_what_a_detector_of_the_fms_api_is_asked() -> None:
    path, headers, body = request_of(msgspec.structs.replace(FMS, params={"threshold": 0.0}), ["a", "b"])
    assert path == "/api/v1/text/contents"
    assert headers == {"Content-Type": "application/json", "detector-id": "hap"}
    assert json.loads(body) == {"contents": ["a", "b"], "detector_params": {"threshold": 0.0}}
    assert json.loads(request_of(FMS, ["a"])[2]) == {"contents": ["a"]}


def test_moderation_scores() -> None:
    assert OPENAI.categories == ("hate", "harassment", "sexual", "violence", "self_harm", "illicit", "unsafe")
    first, second = scores_of(
        OPENAI,
        moderation(
            {**ZEROS, "violence": 0.1, "violence/graphic": 0.4, "self-harm/intent": 0.2, "illicit/violent": None},
            {**ZEROS, "hate": 1, "brand-new": 0.7},
        ),
        2,
    )
    zero = dict.fromkeys(OPENAI.categories, 0.0)
    assert by_name(first) == {**zero, "violence": 0.4, "self_harm": 0.2, "unsafe": 0.4}
    assert by_name(second) == {**zero, "hate": 1.0, "unsafe": 1.0}


def test_moderation_with_labels_of_ones_own() -> None:
    entry = msgspec.structs.replace(OPENAI, labels={"toxicity": "harassment", "spam": "none"})
    assert entry.categories == ("harassment", "unsafe")
    (found,) = scores_of(entry, moderation({"toxicity": 0.3, "spam": 0.9, "other": 0.5}), 1)
    assert by_name(found) == {"harassment": 0.3, "unsafe": 0.5}


def test_detections() -> None:
    def detection(kind: str, score: float, name: str | None = None) -> dict[str, Any]:
        return {"start": 0, "end": 3, "text": "abc", "detection_type": kind, "detection": name, "score": score}

    assert FMS.categories == ("harassment", "violence")
    answer = [
        [],
        [
            detection("toxic", 0.6),
            detection("toxic", 0.4),
            detection("ok", 0.9),
            detection("other", 0.3, "threat"),
        ],
    ]
    none, some = scores_of(FMS, json.dumps(answer).encode(), 2)
    assert by_name(none) == {"harassment": 0.0, "violence": 0.0}
    assert by_name(some) == {"harassment": 0.6, "violence": 0.3}


@pytest.mark.parametrize(
    ("entry", "body", "expected"),
    [
        (OPENAI, b"", "not of its format"),
        (OPENAI, b"<html>", "not of its format"),
        (OPENAI, b'{"error": {"message": "no"}}', "not of its format"),
        (OPENAI, moderation(), "answered 0 texts, expected 1"),
        (OPENAI, moderation(ZEROS, ZEROS), "answered 2 texts, expected 1"),
        (OPENAI, moderation({**ZEROS, "hate": 1.2}), "no probability"),
        (OPENAI, moderation({**ZEROS, "brand-new": -1}), "no probability"),
        (OPENAI, moderation({**ZEROS, "hate": "high"}), "not of its format"),
        (OPENAI, moderation({**ZEROS, "illicit": None}), "left a category out"),
        (OPENAI, moderation({"hate": 0.1}), "left a category out"),
        (FMS, b"{}", "not of its format"),
        (FMS, b"[]", "answered 0 texts, expected 1"),
        (FMS, b'[[{"detection_type": "toxic"}]]', "not of its format"),
        (FMS, b'[[{"detection_type": "toxic", "score": 2}]]', "no probability"),
        (FMS, b'[[{"detection_type": "insult", "score": 0.5}]]', "not among those of the policy"),
    ],
)
def test_answers_that_are_useless(entry: DetectorEntry, body: bytes, expected: str) -> None:
    with pytest.raises(ModelFault, match=expected):
        scores_of(entry, body, 1)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (OPENAI, []),
        (FMS, []),
        (
            DetectorEntry(format="fms", url="http://h", model="m"),
            [
                ("format", "found no key 'detector', expected the id of the detector"),
                ("format", "found no key 'labels', expected the detector's labels"),
                ("model", "found a model, expected none: `fms` has a detector"),
            ],
        ),
        (
            DetectorEntry(format="openai", url="http://h", detector="d", params={"a": 1}, labels={"a": "none"}),
            [
                ("detector", "found a detector, expected none: `openai` has a model"),
                ("params", "found parameters, expected none: `openai` has none"),
                ("labels", "found no category among the labels, expected at least one"),
            ],
        ),
    ],
)
def test_entries_that_make_no_sense(entry: DetectorEntry, expected: list[tuple[str, str]]) -> None:
    assert entry.faults() == expected


def test_the_shape_of_an_entry() -> None:
    good = {"format": "openai", "url": "https://host/v1"}
    assert msgspec.convert(good, DetectorEntry).timeout == 2
    for wrong in ({"url": "host"}, {"labels": {"a": "harm"}}, {"concurrency": 0}, {"key": "secret"}):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({**good, **wrong}, DetectorEntry)


def test_names_and_digests() -> None:
    assert (OPENAI.name, FMS.name) == ("openai:host", "fms:hap")
    assert msgspec.structs.replace(OPENAI, model="m").name == "openai:m"
    assert OPENAI.digest != msgspec.structs.replace(OPENAI, url="http://other").digest
    assert OPENAI.digest == DetectorEntry(format="openai", url="http://host").digest
