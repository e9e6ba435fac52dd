"""A model folder at work: windows in, calibrated probabilities out.

Two stages. The *gate* is cheap and answers at once where it is sure; the *encoder* is asked about the rest. Both answer
in the order of `CATEGORIES`, with NaN where the model has no such label.

Promises: the same window gets the same scores, whatever it is scored with; every score is a probability or NaN. Never
answers with less than it was asked: what fails raises.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan, nan
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from guardrail.classify.features import is_chinese, normalise
from guardrail.classify.gate import Gate
from guardrail.classify.manifest import Calibration, Folder, Manifest, read_folder
from guardrail.classify.session import BadGraph, BadTokenizer, Encoding, Graph, Session, opened
from guardrail.errors import ConfigProblem, ModelError, ModelFault
from guardrail.text.scores import CATEGORIES
from guardrail.text.units import Window

Scores = tuple[float, ...]
"""Probabilities in the order of `CATEGORIES`; NaN: no such label."""

TRIAL = (Window("", "The weather is fine today."), Window("", "今天天气很好。"), Window("", "ok"))
"""What a session is tried on: that it answers at all, whatever it says."""
_FILLER = "word "
"""Repeated, a text of at least as many tokens as repetitions: a graph may have fewer positions than `max_tokens`."""

_CERTAIN = 1e-12
"""Nearest to 0 and 1 that a softmax is taken for, to have a logit."""


class Model:
    """A loaded model. `score` may be called by several threads at once."""

    def __init__(self, folder: Folder, session: Session, gate: Gate | None = None) -> None:
        self.name = folder.manifest.name
        self.digest = folder.digest
        """sha256 of all that decides a score, in hex."""
        self.labels = tuple(name for index, name in enumerate(CATEGORIES) if index in folder.outputs)
        """The categories that the model tells apart, in the order of `CATEGORIES`."""
        self.thresholds = folder.manifest.thresholds
        """By category and operating point."""
        self.batches = session.batches
        """Whether windows may be scored together."""
        self._folder = folder
        self._session = session
        self._gate = gate
        self._outputs = folder.outputs
        self._in_order = folder.outputs == tuple(range(len(CATEGORIES)))
        """Whether the outputs are the categories, as those of the shipped model are."""
        self._probabilities = _Probabilities(folder.manifest, folder.outputs)

    def score(self, windows: Sequence[Window]) -> list[Scores]:
        """The encoder's scores of each window. Raises ModelFault."""
        if not windows:
            return []
        texts = [normalise(text_of(window)) for window in windows]
        if self.batches:
            return self._probabilities(self._session.logits(texts), texts)
        return [scores for text in texts for scores in self._probabilities(self._session.logits([text]), [text])]

    def gate(self, window: Window) -> Scores | None:
        """The first stage's scores; None when it is not sure, or there is none. Raises whatever goes wrong."""
        found = None if self._gate is None else self._gate(window)
        return found if found is None or self._in_order else self._ordered(found)

    def first_stage(self, window: Window) -> Scores | None:
        """The first stage's scores, sure or not, to measure it by; None: there is none. Raises whatever goes wrong."""
        return None if self._gate is None else self._ordered(self._gate.probabilities(window))

    def _ordered(self, found: Sequence[float]) -> Scores:
        """The gate's probabilities, one per output of the model, as scores."""
        by_category = [nan] * len(CATEGORIES)
        for index, probability in zip(self._outputs, found, strict=True):
            if index is not None and not by_category[index] >= probability:
                by_category[index] = probability
        return tuple(by_category)

    def renewed(self) -> Model:
        """The same model with a new session, read again from its folder. Raises ModelError."""
        return Model(self._folder, _open(self._folder), self._gate)


def load_model(folder: Path) -> Model:
    """The model in a folder, tried once. Raises ModelError with everything that is wrong with the folder."""
    found = read_folder(folder)
    problems: list[ConfigProblem] = []
    session, gate = None, None
    try:
        session = _open(found)
    except ModelError as error:
        problems += error.problems
    try:
        gate = _open_gate(found)
    except ModelError as error:
        problems += error.problems
    if session is None or problems:
        raise ModelError(problems)
    return Model(found, session, gate)


def text_of(window: Window) -> str:
    """What an encoder reads of a window, before it is normalised."""
    return f"{window.prompt}\n{window.context}{window.text}" if window.prompt else window.context + window.text


def _open(folder: Folder) -> Session:
    """A session of the encoder that has been tried. Raises ModelError."""
    entry = folder.manifest.encoder
    encoding: Encoding | None = None
    graph: Graph | None = None
    problems = []
    try:
        encoding = Encoding(folder.read(entry.tokenizer), entry.max_tokens)
    except BadTokenizer as error:
        problems.append(folder.document.problem(("encoder", "tokenizer"), f"{entry.tokenizer}: {error}"))
    try:
        graph = Graph(folder.read(entry.file), len(folder.outputs))
    except BadGraph as error:
        problems.append(folder.document.problem(("encoder", "file"), f"{entry.file}: {error}"))
    if graph is None or encoding is None:
        raise ModelError(problems)
    session = Session(graph, encoding)
    tried = "short texts"
    try:
        session.logits([normalise(text_of(window)) for window in TRIAL])
        tried = f"a text of {entry.max_tokens} tokens (`max_tokens`)"
        session.logits([_FILLER * entry.max_tokens])
    except ModelFault as error:
        message = f"{entry.file}, tried on {tried}: {error}"
        raise ModelError([folder.document.problem(("encoder", "file"), message)]) from error
    return session


def _open_gate(folder: Folder) -> Gate | None:
    """The first stage, tried, or None when the model has none. Raises ModelError."""
    entry = folder.manifest.gate
    if entry is None:
        return None
    names = [None if index is None else CATEGORIES[index] for index in folder.outputs]
    limits = [1.0 if name is None else entry.ask_from[name] for name in names]
    han_limits = [1.0 if name is None else entry.han_ask_from.get(name, entry.ask_from[name]) for name in names]
    try:
        gate = Gate(opened(folder.read(entry.file)), entry.bits, limits, han_limits)
        for window in TRIAL:
            found = gate.probabilities(window)
            if len(found) != len(limits):
                raise BadGraph(f"found {len(found)} outputs, expected {len(limits)}, one for each label")
            if any(isnan(each) for each in found):
                raise BadGraph("found a score that is no number, tried on short texts")
    except BadGraph as error:
        message = f"{entry.file}: {error}"
    except Exception as error:  # what ONNX Runtime raises for wrong inputs, and what comes of odd outputs
        message = f"{entry.file}, tried on short texts: the first stage failed: {type(error).__name__}"
    else:
        return gate
    raise ModelError([folder.document.problem(("gate", "file"), message)])


class _Probabilities:
    """Logits of the model's outputs to calibrated probabilities of categories."""

    def __init__(self, manifest: Manifest, outputs: Sequence[int | None]) -> None:
        self._softmax = manifest.encoder.activation == "softmax"
        columns = {index: [at for at, of in enumerate(outputs) if of == index] for index in range(len(CATEGORIES))}
        self._columns = [(index, found) for index, found in columns.items() if found]
        calibration = [manifest.calibration.get(name, Calibration()) for name in CATEGORIES]
        self._scale = np.array([each.scale for each in calibration])
        self._bias = np.array([each.bias for each in calibration])
        self._han_bias = np.array([each.han_bias for each in calibration])

    def __call__(self, logits: NDArray[np.float32], texts: Sequence[str]) -> list[Scores]:
        """[n, outputs] of n normalised texts to n tuples. Of several outputs of one category the greatest counts, or,
        where only one of the outputs can be true, their sum."""
        found = logits.astype(np.float64)
        if self._softmax:
            found = np.exp(found - found.max(1, keepdims=True))
            found /= found.sum(1, keepdims=True)
        by_category = np.full((len(found), len(CATEGORIES)), np.nan)
        for index, columns in self._columns:
            if self._softmax:
                share = np.clip(found[:, columns].sum(1), _CERTAIN, 1 - _CERTAIN)
                by_category[:, index] = np.log(share / (1 - share))
            else:
                by_category[:, index] = found[:, columns].max(1)
        chinese = np.array([is_chinese(text) for text in texts])[:, None]
        bias = self._bias + self._han_bias * chinese
        # The logistic function, written so that nothing overflows.
        calibrated = 0.5 + 0.5 * np.tanh((by_category * self._scale + bias) / 2)
        return cast("list[Scores]", [tuple(row) for row in calibrated.tolist()])
