"""Texts to scores: cut as a stream would cut them, each unit scored by the stages of a model.

The stages: the *gate* alone, the *encoder* alone, and the *cascade*, where the encoder is asked about those units only
that the gate is not sure of, which is what a stream gets. A text's score in a category is the greatest of its units.

Promises: the same scores whatever the number of threads; texts come back in their order, a few thousand units in
memory at a time. Raises ModelFault for a model that fails; never makes up a score.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from guardrail.errors import ModelFault
from guardrail.text.scores import CATEGORIES
from guardrail.text.units import Unit, Window, cut_text

UnitScores = NDArray[np.float64]
"""Shape [units, categories]; NaN where the model has no such label."""

_SHARE = 16
"""Units that a thread scores in one go: enough that handing them over costs nothing, few enough to share evenly."""
_ANY = Window("", "ok")
_AHEAD = 2048
"""Units that are cut and scored together; long texts are longer."""


class Stage(enum.StrEnum):
    GATE = "gate"
    ENCODER = "encoder"
    CASCADE = "cascade"


class Scorer(Protocol):
    """What is needed of a model (`guardrail.classify.model.Model`)."""

    @property
    def labels(self) -> Sequence[str]: ...
    @property
    def thresholds(self) -> Mapping[str, Mapping[str, float]]: ...
    def score(self, windows: Sequence[Window], /) -> Sequence[Sequence[float]]: ...
    def gate(self, window: Window, /) -> Sequence[float] | None: ...
    def first_stage(self, window: Window, /) -> Sequence[float] | None: ...


@dataclass(frozen=True, slots=True)
class Scored:
    """One text. Units of blanks alone are not among `units`: they need no score."""

    units: list[Unit]
    scores: dict[Stage, UnitScores]
    asked: int
    """Units that the cascade asks the encoder about; without the cascade among the stages all."""

    def greatest(self, stage: Stage) -> tuple[NDArray[np.float64], list[Unit | None]]:
        """Per category the text's score, and the first unit that has it. A text of blanks scores 0, with no unit."""
        scores = self.scores[stage]
        if not self.units:
            return np.zeros(len(CATEGORIES)), [None] * len(CATEGORIES)
        best = scores.argmax(0)
        return scores[best, np.arange(len(CATEGORIES))], [self.units[index] for index in best]


def stages_of(model: Scorer) -> tuple[Stage, ...]:
    """The stages that can be told apart: a model without a gate is its encoder."""
    return (Stage.ENCODER,) if model.first_stage(_ANY) is None else tuple(Stage)


def score_texts(
    model: Scorer,
    texts: Iterable[str],
    stages: Sequence[Stage],
    *,
    threads: int = 1,
    done: Callable[[int], object] = lambda texts: None,
) -> Iterator[Scored]:
    """The scores of texts, in their order. `done` is told how many more texts are scored. Raises ModelFault."""
    with ThreadPoolExecutor(threads) as pool:
        for group in _groups(texts):
            windows = [window for _, found in group for window in found]
            shares = [windows[at : at + _SHARE] for at in range(0, len(windows), _SHARE)]
            parts = list(pool.map(lambda share: _score(model, share, stages), shares))
            whole = {stage: np.concatenate([part[0][stage] for part in parts] or [_none()]) for stage in stages}
            asked = np.concatenate([part[1] for part in parts] or [np.zeros(0, bool)])
            at = 0
            for units, found in group:
                end = at + len(found)
                yield Scored(units, {stage: whole[stage][at:end] for stage in stages}, int(asked[at:end].sum()))
                at = end
            done(len(group))


def _groups(texts: Iterable[str]) -> Iterator[list[tuple[list[Unit], list[Window]]]]:
    """Texts as their units and windows, so many together as make a good number of units."""
    group: list[tuple[list[Unit], list[Window]]] = []
    waiting = 0
    for text in texts:
        cuts = [(cut.unit, cut.window) for cut in cut_text(text) if cut.window is not None]
        group.append(([unit for unit, _ in cuts], [window for _, window in cuts]))
        waiting += len(cuts)
        if waiting >= _AHEAD:
            yield group
            group, waiting = [], 0
    if group:
        yield group


def _score(
    model: Scorer, windows: Sequence[Window], stages: Sequence[Stage]
) -> tuple[dict[Stage, UnitScores], NDArray[np.bool_]]:
    """The scores of windows by each stage, and which the cascade asks the encoder about."""
    scores: dict[Stage, UnitScores] = {}
    try:
        sure = [model.gate(window) if Stage.CASCADE in stages else None for window in windows]
        if Stage.GATE in stages:
            scores[Stage.GATE] = np.array([model.first_stage(window) for window in windows], float)
    except Exception as error:  # the runtime's errors have no common base, and may quote the text
        raise ModelFault(f"the first stage failed: {type(error).__name__}") from error
    asked = np.array([found is None for found in sure])
    if Stage.ENCODER in stages:
        scores[Stage.ENCODER] = np.array(model.score(windows), float)
    if Stage.CASCADE in stages:
        encoded = scores.get(Stage.ENCODER)
        if encoded is None:
            encoded = np.full((len(windows), len(CATEGORIES)), np.nan)
            unsure = [window for window, certain in zip(windows, sure, strict=True) if certain is None]
            if unsure:
                encoded[asked] = np.array(model.score(unsure), float)
        cascade = encoded.copy()
        for index, certain in enumerate(sure):
            if certain is not None:
                cascade[index] = certain
        scores[Stage.CASCADE] = cascade
    columns = [CATEGORIES.index(label) for label in model.labels]
    for stage, found in scores.items():
        if np.isnan(found[:, columns]).any():
            raise ModelFault(f"the {stage.value} answered what is no number")
    return scores, asked


def _none() -> UnitScores:
    return np.zeros((0, len(CATEGORIES)))
