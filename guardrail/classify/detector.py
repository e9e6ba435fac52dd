"""What detectors that are reached over HTTP are asked, and what their answers mean. Pure: no connection is made here.

Two formats:
- `openai`: `POST {url}/v1/moderations` of the OpenAI API, `{"input": [texts], "model": ...}`; the answer has one result
  a text, with `category_scores`. A label `self-harm/intent` counts for what `self-harm` is.
- `fms`: `POST {url}/api/v1/text/contents` of the FMS Guardrails detector API, `{"contents": [texts],
  "detector_params": ...}` with the header `detector-id`; the answer has one list a text, of detections with a
  `detection_type`, `detection` and `score`. What is not detected scores 0.

Promises: scores come from a complete answer or not at all; what is missing, is no probability or is called what the
labels do not name (`fms`: the operator knows the detector's labels) makes the answer useless. `openai` may name new
categories, which count for `unsafe` alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from math import nan
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct
from yarl import URL

from guardrail.errors import ModelFault
from guardrail.settings import Seconds, Url, Variable
from guardrail.text.scores import CATEGORIES

if TYPE_CHECKING:
    from guardrail.classify.model import Scores

NONE = "none"
"""Stands for an output that is no harm of ours, such as a class `safe`."""
OPENAI_LABELS: Mapping[str, str] = {
    "hate": "hate",
    "harassment": "harassment",
    "sexual": "sexual",
    "violence": "violence",
    "self-harm": "self_harm",
    "illicit": "illicit",
}
"""What the categories of OpenAI's moderation are here."""
UNSAFE = CATEGORIES.index("unsafe")
CONTENT = "application/json"

DetectorLabel = Annotated[str, Meta(min_length=1, max_length=128)]
OurLabel = Annotated[
    str, Meta(pattern=f"^({'|'.join((*CATEGORIES, NONE))})$(?!\\n)", title=f"one of {', '.join((*CATEGORIES, NONE))}")
]
"""A category, or `none` for what is no harm."""


class DetectorEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """A detector over HTTP, as a policy names it."""

    format: Annotated[Literal["openai", "fms"], Meta(description="Which API it speaks.")]
    url: Annotated[Url, Meta(description="Its address, without the path of the API.")]
    model: Annotated[
        Annotated[str, Meta(min_length=1, max_length=128)] | None,
        Meta(description="For `openai`: the model; by default the server's."),
    ] = None
    detector: Annotated[
        Annotated[str, Meta(pattern=r"^[\x21-\x7e]{1,128}$(?!\n)", title="an id of printable characters")] | None,
        Meta(description="For `fms`: the id of the detector. Needed."),
    ] = None
    labels: Annotated[
        dict[DetectorLabel, OurLabel],
        Meta(description="Its labels, each with the category it stands for or `none`. Needed for `fms`."),
    ] = {}
    params: Annotated[
        dict[str, bool | int | float | str],
        Meta(description="For `fms`: parameters of the detector, such as `threshold`."),
    ] = {}
    api_key_env: Annotated[Variable | None, Meta(description="Environment variable with the key to send.")] = None
    timeout: Annotated[Seconds, Meta(description="Seconds for one request.")] = 2.0
    concurrency: Annotated[int, Meta(ge=1, le=256, description="Requests at a time.")] = 8

    @property
    def name(self) -> str:
        """What records call it."""
        return f"{self.format}:{self.model or self.detector or URL(self.url).host}"

    @property
    def digest(self) -> str:
        """sha256 over the entry, in hex; what the detector itself is cannot be told."""
        return hashlib.sha256(msgspec.json.encode(self, order="deterministic")).hexdigest()

    @property
    def mapping(self) -> Mapping[str, str]:
        """Their labels and ours."""
        return self.labels or (OPENAI_LABELS if self.format == "openai" else {})

    @property
    def categories(self) -> tuple[str, ...]:
        """What the detector tells apart, in the order of `CATEGORIES`."""
        known = set(self.mapping.values()) | ({"unsafe"} if self.format == "openai" else set())
        return tuple(name for name in CATEGORIES if name in known)

    def faults(self) -> list[tuple[str, str]]:
        """(key, message) for each thing that is wrong with the entry as a whole."""
        found = []
        if self.format == "fms":
            if self.detector is None:
                found.append(("format", "found no key 'detector', expected the id of the detector"))
            if not self.labels:
                found.append(("format", "found no key 'labels', expected the detector's labels"))
            if self.model is not None:
                found.append(("model", "found a model, expected none: `fms` has a detector"))
        else:
            if self.detector is not None:
                found.append(("detector", "found a detector, expected none: `openai` has a model"))
            if self.params:
                found.append(("params", "found parameters, expected none: `openai` has none"))
        if self.labels and not set(self.labels.values()) - {NONE}:
            found.append(("labels", "found no category among the labels, expected at least one"))
        return found


class _Moderation(Struct):
    category_scores: dict[str, float | None]


class _Moderations(Struct):
    results: list[_Moderation]


class _Detection(Struct):
    detection_type: str
    score: float
    detection: str | None = None


_moderations = msgspec.json.Decoder(_Moderations)
_contents = msgspec.json.Decoder(list[list[_Detection]])


def request_of(entry: DetectorEntry, texts: Sequence[str]) -> tuple[str, dict[str, str], bytes]:
    """(path, headers, body) of the request that has texts scored. Lone surrogates, which are no text, are replaced."""
    sound = [text.encode("utf-8", "replace").decode() for text in texts]
    body: dict[str, Any]
    if entry.format == "openai":
        body = {"input": sound} | ({"model": entry.model} if entry.model else {})
        return "/v1/moderations", {"Content-Type": CONTENT}, msgspec.json.encode(body)
    body = {"contents": sound} | ({"detector_params": entry.params} if entry.params else {})
    headers = {"Content-Type": CONTENT, "detector-id": entry.detector or ""}
    return "/api/v1/text/contents", headers, msgspec.json.encode(body)


def scores_of(entry: DetectorEntry, body: bytes, texts: int) -> list[Scores]:
    """The scores of each of the texts that were asked about. Raises ModelFault."""
    try:
        if entry.format == "openai":
            found = [_moderated(entry, each.category_scores) for each in _moderations.decode(body).results]
        else:
            found = [_detected(entry, each) for each in _contents.decode(body)]
    except msgspec.DecodeError as error:
        raise ModelFault(f"the detector's answer is not of its format: {type(error).__name__}") from error
    if len(found) != texts:
        raise ModelFault(f"the detector answered {len(found)} texts, expected {texts}")
    return found


def _moderated(entry: DetectorEntry, given: Mapping[str, float | None]) -> Scores:
    scores = [nan] * len(CATEGORIES)
    mapping = entry.mapping
    for label in mapping:
        if mapping[label] != NONE and not isinstance(given.get(label), float):
            raise ModelFault("the detector left a category out")
    for label, score in given.items():
        if score is None:
            continue
        ours = mapping.get(label) or mapping.get(label.partition("/")[0])
        if ours != NONE:
            _raise_to(scores, UNSAFE, score)
        if ours is not None and ours != NONE:
            _raise_to(scores, CATEGORIES.index(ours), score)
    return tuple(scores)


def _detected(entry: DetectorEntry, found: Sequence[_Detection]) -> Scores:
    mapping = entry.mapping
    scores = [0.0 if name in entry.categories else nan for name in CATEGORIES]
    for each in found:
        ours = mapping.get(each.detection_type) or mapping.get(each.detection or "")
        if ours is None:
            raise ModelFault("the detector named a label that is not among those of the policy")
        if ours != NONE:
            _raise_to(scores, CATEGORIES.index(ours), each.score)
    return tuple(scores)


def _raise_to(scores: list[float], index: int, score: float) -> None:
    if not 0 <= score <= 1:
        raise ModelFault("the detector's score is no probability")
    if not scores[index] >= score:  # NaN too
        scores[index] = score
