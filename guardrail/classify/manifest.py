"""`manifest.yaml`: what a model folder says about its model, and whether the folder is what it says.

A manifest pins every file by its sha256, names what each output of the model means in guardrail's categories, and
gives the calibration and the thresholds that were found for it. Keys that are not known are for people (data,
licences, figures) and are not read, but one that looks like a misspelt known one is a problem.

Promises: every problem in one run, each with its file, line and column; of the folder only files that the manifest
pins are read, and what is handed on is the very bytes that were hashed. Whether the bytes are a model is the business
of `session`.
"""

from __future__ import annotations

import difflib
import hashlib
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from guardrail.classify.detector import NONE
from guardrail.classify.folders import SHIPPED
from guardrail.errors import ConfigProblem, ModelError
from guardrail.policy.document import Document, Place, read_document
from guardrail.policy.problems import one_of, suggestion, validated
from guardrail.policy.salvage import salvaged
from guardrail.settings import Name
from guardrail.text.scores import CATEGORIES

MANIFEST = "manifest.yaml"
CONFIG = "config.json"
"""Of a Hugging Face export; names its outputs under `id2label`."""
POINTS = ("precise", "balanced", "sensitive")
"""Operating points, from few false alarms to few misses: at most 1, 10 and 50 false halts per 1,000 harmless
answers."""

MAX_FILE = 2 * 2**30 - 1
"""Bytes; what a protocol buffer, and so an ONNX graph, can have at most."""

FileName = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}(/[A-Za-z0-9_][A-Za-z0-9._-]{0,127}){0,4}$(?!\n)",
        title="the name of a file inside the model's folder",
    ),
]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)", title="the 64 hex digits of a sha256, in lower case")]
Probability = Annotated[float, Meta(gt=0, le=1, title="a probability above 0 and at most 1")]


class EncoderEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """The model that is asked when the gate is not sure, or always when there is no gate."""

    file: FileName
    """ONNX; inputs `input_ids`, `attention_mask`, `token_type_ids` as the graph asks for them, output logits."""
    tokenizer: FileName
    """`tokenizer.json` of Hugging Face's `tokenizers`."""
    max_tokens: Annotated[int, Meta(ge=8, le=2048)] = 128
    """Of a longer window the beginning is cut off."""
    activation: Literal["sigmoid", "softmax"] = "sigmoid"
    """`sigmoid`: every output by itself. `softmax`: exactly one of the outputs is true of a text."""


class GateEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """The first stage: a small net over hashed n-grams (see `gate`), with the outputs of the encoder."""

    file: FileName
    bits: Annotated[int, Meta(ge=8, le=24)]
    """Of the hash table, which has `2 ** bits` rows."""
    ask_from: dict[str, Probability]
    """For each label, the probability from which the encoder is asked."""
    han_ask_from: dict[str, Probability] = {}
    """The same for a window that is Chinese for the most part; a label that is not there has that of `ask_from`."""


class Calibration(Struct, frozen=True, forbid_unknown_fields=True):
    """probability = sigmoid(scale * logit + bias): Platt scaling."""

    scale: Annotated[float, Meta(gt=0, le=100, title="a number above 0 and at most 100")] = 1.0
    bias: Annotated[float, Meta(ge=-100, le=100)] = 0.0
    han_bias: Annotated[float, Meta(ge=-100, le=100)] = 0.0
    """Added to the bias for a window that is Chinese for the most part: a model is not equally sure in two languages,
    and one threshold is to mean the same in both."""


class Manifest(Struct, frozen=True):
    """The part of a manifest that is read by programs."""

    name: Name
    version: Annotated[str, Meta(min_length=1, max_length=64)]
    files: Annotated[dict[FileName, Sha256], Meta(min_length=1)]
    encoder: EncoderEntry
    labels: list[str] | dict[str, str]
    """What each output stands for, in their order; or by the model's own names, whose order `config.json` has."""
    gate: GateEntry | None = None
    calibration: dict[str, Calibration] = {}
    thresholds: dict[str, dict[str, Probability]] = {}


class _Draft(Manifest, frozen=True):
    """A manifest of which any part may be missing: what is wrong with one does not hide what is wrong with others."""

    name: Name = ""
    version: str = ""
    files: dict[FileName, Sha256] = {}
    encoder: EncoderEntry = EncoderEntry("", "")
    labels: list[str] | dict[str, str] = []


@dataclass(frozen=True, slots=True)
class Folder:
    """A model folder that is what its manifest says."""

    path: Path
    document: Document
    manifest: Manifest
    outputs: tuple[int | None, ...]
    """For each output of the encoder the index of its category; None: it is no harm of ours."""

    @property
    def digest(self) -> str:
        """sha256 over all that decides a score and what it means, in hex."""
        return hashlib.sha256(msgspec.json.encode(self.manifest, order="deterministic")).hexdigest()

    def read(self, name: str) -> bytes:
        """The bytes of a pinned file. Raises ModelError when they are not there or not those of the manifest."""
        data, problem = _read(self.document, self.path, name, self.manifest.files[name])
        if problem is not None:
            raise ModelError([problem])
        return data


def read_folder(path: Path) -> Folder:
    """Read and check a model folder but for the graphs in it. Raises ModelError with every problem."""
    if not path.is_dir():
        expected = f"one with a {MANIFEST}, or {SHIPPED!r}, the name of the model that comes with guardrail"
        raise ModelError([ConfigProblem(str(path), 0, 0, f"found no folder here, expected {expected}")])
    document, problems = read_document(path / MANIFEST)
    if document.data is None:
        raise ModelError(problems)
    manifest, faults = validated(document, Manifest)
    problems += faults + _misspelt(document)
    if manifest is None:
        draft = salvaged(document, _Draft)
        if draft is not None:
            check = _Check(path, draft.document, draft.file, draft.cut)
            check.all()
            problems += check.problems
        raise ModelError(sorted(problems))
    check = _Check(path, document, manifest)
    outputs = check.all()
    if problems or check.problems:
        raise ModelError(problems + check.problems)
    return Folder(path, document, manifest, outputs)


def _misspelt(document: Document) -> list[ConfigProblem]:
    """Keys at the top that are unknown, but nearly known."""
    known = Manifest.__struct_fields__
    found = []
    for key in document.data if isinstance(document.data, dict) else ():
        near = difflib.get_close_matches(key, known, n=1, cutoff=0.8)
        if near and key not in known:
            message = f"found the unknown key {key!r}, expected {near[0]!r} (did you mean that?)"
            found.append(document.problem((key,), message, key=True))
    return found


class _Check:
    """What the parts of one manifest mean together, and whether its files are there.

    `cut`: what is missing of a draft and has problems of its own; nothing is told that may follow from its absence."""

    def __init__(self, path: Path, document: Document, manifest: Manifest, cut: frozenset[Place] = frozenset()) -> None:
        self._path = path
        self._document = document
        self._manifest = manifest
        self._cut = cut
        self.problems: list[ConfigProblem] = []

    def all(self) -> tuple[int | None, ...]:
        self._files()
        outputs = self._outputs()
        if not self._manifest.labels or any(place[0] == "labels" for place in self._cut):
            outputs = ()
        if outputs:
            self._meaning(outputs)
        has = {CATEGORIES[index] for index in outputs if index is not None}
        self._categories(("calibration",), self._manifest.calibration, has)
        self._categories(("thresholds",), self._manifest.thresholds, has)
        for category, points in self._manifest.thresholds.items():
            self._points(category, points)
        if self._manifest.gate is not None:
            self._categories(("gate", "ask_from"), self._manifest.gate.ask_from, has)
            self._categories(("gate", "han_ask_from"), self._manifest.gate.han_ask_from, has)
            for category in sorted(has - self._manifest.gate.ask_from.keys()):
                if ("gate", "ask_from", category) not in self._cut:
                    self._complain(("gate", "ask_from"), f"found no key {category!r}, a label; expected one", key=True)
        return outputs

    def _complain(self, place: Place, message: str, *, key: bool = False) -> None:
        self.problems.append(self._document.problem(place, message, key=key))

    def _files(self) -> None:
        manifest = self._manifest
        used = {("encoder", "file"): manifest.encoder.file, ("encoder", "tokenizer"): manifest.encoder.tokenizer}
        if manifest.gate is not None:
            used["gate", "file"] = manifest.gate.file
        for place, name in used.items():
            if name and name not in manifest.files and not self._unpinned(name):
                self._complain(place, f"found {name!r}, expected a file that stands with its sha256 under `files`")
        for name, sha256 in manifest.files.items():
            _, problem = _read(self._document, self._path, name, sha256)
            if problem is not None:
                self.problems.append(problem)

    def _unpinned(self, name: str) -> bool:
        """Whether a file may have been under `files`, with something that is no sha256."""
        return bool({("files",), ("files", name)} & self._cut)

    def _outputs(self) -> tuple[int | None, ...]:
        """The category of each output; empty, with a problem, where that cannot be told."""
        labels = self._manifest.labels
        known = (*CATEGORIES, NONE)
        items = enumerate(labels) if isinstance(labels, list) else labels.items()
        wrong = [(step, label) for step, label in items if label not in known]
        for step, label in wrong:
            self._complain(("labels", step), f"found {label!r}, expected {suggestion(label, known)}")
        if isinstance(labels, list):
            ordered = labels
        else:
            own = self._own_labels()
            unnamed = [name for name in own if name not in labels and ("labels", name) not in self._cut]
            for name in unnamed:
                self._complain(("labels",), f"found no key {name!r}, an output by {CONFIG}, expected one", key=True)
            for name in labels if own else ():
                if name not in own:
                    message = f"found {name!r}, expected {one_of(own)}: the outputs by {CONFIG}"
                    self._complain(("labels", name), message, key=True)
            ordered = [labels[name] for name in own if name in labels]
            if unnamed:
                return ()
        if wrong:
            return ()
        return tuple(None if label == NONE else CATEGORIES.index(label) for label in ordered)

    def _own_labels(self) -> list[str]:
        """The model's own names of its outputs, in their order; empty, with a problem, where there are none."""
        if self._unpinned(CONFIG):
            return []
        if CONFIG not in self._manifest.files:
            message = f"found the model's own names, expected {CONFIG} under `files`, or a list in the outputs' order"
            self._complain(("labels",), message, key=True)
            return []
        data, problem = _read(self._document, self._path, CONFIG, self._manifest.files[CONFIG])
        if problem is not None:
            return []  # which has been told
        try:
            by_index = msgspec.json.decode(data, type=_Config, strict=False).id2label
            return [by_index[index] for index in range(len(by_index))]
        except (msgspec.DecodeError, KeyError):
            message = f"found no numbered names under `id2label` in {CONFIG}, expected one for each output"
            self._complain(("files", CONFIG), message)
            return []

    def _meaning(self, outputs: tuple[int | None, ...]) -> None:
        if all(index is None for index in outputs):
            self._complain(("labels",), "found no category among the labels, expected at least one", key=True)
        if len(outputs) == 1 and self._manifest.encoder.activation == "softmax":
            message = "found softmax over a single output, which is always certain; expected sigmoid"
            self._complain(("encoder", "activation"), message)

    def _categories(self, section: Place, found: dict[str, Any], has: set[str]) -> None:
        for category in found:
            if category not in CATEGORIES:
                message = f"found {category!r}, expected {suggestion(category, CATEGORIES)}"
            elif has and category not in has:
                message = f"found {category!r}, which is none of the labels, expected one of them"
            else:
                continue
            self._complain((*section, category), message, key=True)

    def _points(self, category: str, points: dict[str, float]) -> None:
        for point in points:
            if point not in POINTS:
                message = f"found the operating point {point!r}, expected {suggestion(point, POINTS)}"
                self._complain(("thresholds", category, point), message, key=True)
        given = [(point, points[point]) for point in POINTS if point in points]
        for (_, above), (point, at) in pairwise(given):
            if at > above:
                message = f"found {at}, expected at most {above}, the threshold of the point with fewer alarms"
                self._complain(("thresholds", category, point), message)


class _Config(Struct):
    id2label: dict[int, str]


def _read(document: Document, folder: Path, name: str, sha256: str) -> tuple[bytes, ConfigProblem | None]:
    """The bytes of a file of the folder, or what is wrong with it, told at its line of the manifest."""
    path = folder / name
    try:
        if not path.is_file():
            return b"", document.problem(("files", name), f"found no file {name!r} in the folder, expected one")
        if path.stat().st_size > MAX_FILE:
            return b"", document.problem(("files", name), f"found a file of more than {MAX_FILE} bytes: {name!r}")
        data = path.read_bytes()
    except OSError as error:
        return b"", document.problem(("files", name), f"{name!r} cannot be read: {error.strerror}")
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        message = f"found {name!r} with the sha256 {found}, expected {sha256}: it is another file, or was changed"
        return b"", document.problem(("files", name), message)
    return data, None
