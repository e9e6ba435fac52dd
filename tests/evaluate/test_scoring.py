"""Texts to scores: cut as the stream cuts, each stage by itself, the same with any number of threads."""

from __future__ import annotations

import math

import numpy as np
import pytest

from guardrail.errors import ModelFault
from guardrail.evaluate.scoring import Stage, score_texts, stages_of
from guardrail.text.scores import CATEGORIES
from guardrail.text.units import Unit, Window, cut_text
from tests.evaluate.fake import GATE_SAYS, LOW, FakeModel

HATE, HARASSMENT = CATEGORIES.index("hate"), CATEGORIES.index("harassment")
TEXT = "The weather was fine all day long. This is an awful thing to say. What a grim and awful day it was."


def test_the_stages() -> None:
    assert stages_of(FakeModel()) == (Stage.GATE, Stage.ENCODER, Stage.CASCADE)
    assert stages_of(FakeModel(gate=False)) == (Stage.ENCODER,)


def test_every_unit_by_every_stage() -> None:
    (found,) = score_texts(FakeModel(), [TEXT], list(Stage))
    assert [TEXT[unit.start : unit.end].strip() for unit in found.units] == [
        "The weather was fine all day long.",
        "This is an awful thing to say.",
        "What a grim and awful day it was.",
    ]
    assert found.scores[Stage.GATE][:, HATE].tolist() == [LOW, GATE_SAYS, GATE_SAYS]
    assert found.scores[Stage.ENCODER][:, HATE].tolist() == [LOW, 0.95, 0.6]
    assert found.scores[Stage.CASCADE][:, HATE].tolist() == [LOW, 0.95, 0.6]
    assert found.asked == 2


def test_the_cascade_asks_only_where_the_gate_is_not_sure() -> None:
    model = FakeModel()
    (found,) = score_texts(model, [TEXT], [Stage.CASCADE])
    assert [text.strip() for text in model.asked] == [
        "This is an awful thing to say.",
        "What a grim and awful day it was.",
    ]
    assert found.scores[Stage.CASCADE][:, HATE].tolist() == [LOW, 0.95, 0.6]
    assert found.asked == 2


def test_the_gate_alone_asks_nothing() -> None:
    model = FakeModel()
    (found,) = score_texts(model, [TEXT], [Stage.GATE])
    assert model.asked == []
    assert list(found.scores) == [Stage.GATE]


def test_the_greatest_and_the_first_unit_that_has_it() -> None:
    (found,) = score_texts(FakeModel(), [TEXT], [Stage.ENCODER])
    scores, units = found.greatest(Stage.ENCODER)
    assert (scores[HATE], units[HATE]) == (0.95, found.units[1])
    assert (scores[HARASSMENT], units[HARASSMENT]) == (LOW, found.units[0])


@pytest.mark.parametrize("text", ["", "  \n \n"])
def test_a_text_of_blanks(text: str) -> None:
    (found,) = score_texts(FakeModel(), [text], list(Stage))
    assert (found.units, found.asked) == ([], 0)
    scores, units = found.greatest(Stage.CASCADE)
    assert scores.tolist() == [0.0] * len(CATEGORIES)
    assert units == [None] * len(CATEGORIES)


def test_a_label_that_the_model_does_not_have() -> None:
    (found,) = score_texts(FakeModel(["hate"]), ["You idiot, you awful one."], [Stage.ENCODER])
    scores, _ = found.greatest(Stage.ENCODER)
    assert scores[HATE] == 0.95
    assert math.isnan(scores[HARASSMENT])


def test_threads_and_groups_change_nothing() -> None:
    texts = ["", TEXT * 40, "You idiot. ", *[f"{TEXT[:index]} damn" for index in range(80)], TEXT * 1500, "ok"]
    alone = [next(score_texts(FakeModel(), [text], list(Stage))) for text in texts]
    done: list[int] = []
    together = list(score_texts(FakeModel(), texts, list(Stage), threads=3, done=done.append))
    assert sum(done) == len(texts) == len(together)
    assert len(done) > 1
    for one, other in zip(alone, together, strict=True):
        assert (one.units, one.asked) == (other.units, other.asked)
        for stage in Stage:
            np.testing.assert_array_equal(one.scores[stage], other.scores[stage])


def test_units_are_those_of_the_stream() -> None:
    (found,) = score_texts(FakeModel(), [TEXT * 3], [Stage.ENCODER])
    assert found.units == [cut.unit for cut in cut_text(TEXT * 3)]
    assert found.units[0] == Unit(0, found.units[1].start)


def test_a_model_that_fails() -> None:
    class Broken(FakeModel):
        def score(self, windows: object) -> list[tuple[float, ...]]:
            raise ModelFault("the model failed")

    with pytest.raises(ModelFault, match="the model failed"):
        list(score_texts(Broken(), [TEXT], [Stage.CASCADE]))
    assert len(list(score_texts(Broken(), [TEXT], [Stage.GATE]))) == 1


def test_a_first_stage_that_fails() -> None:
    class Broken(FakeModel):
        def gate(self, window: Window) -> tuple[float, ...] | None:
            raise RuntimeError(window.text)

    with pytest.raises(ModelFault, match=r"^the first stage failed: RuntimeError$"):
        list(score_texts(Broken(), [TEXT], [Stage.CASCADE]))


@pytest.mark.parametrize("stage", Stage)
def test_what_is_no_number(stage: Stage) -> None:
    class Broken(FakeModel):
        def _scores(self, window: Window, known: float | None) -> tuple[float, ...]:
            return (math.nan,) * len(CATEGORIES)

    with pytest.raises(ModelFault, match=f"^the {stage.value} answered what is no number$"):
        list(score_texts(Broken(), [TEXT], [stage]))


def test_the_context_goes_with_the_unit() -> None:
    seen: list[Window] = []

    class Seeing(FakeModel):
        def gate(self, window: Window) -> tuple[float, ...] | None:
            seen.append(window)
            return super().gate(window)

    list(score_texts(Seeing(), [TEXT], [Stage.CASCADE]))
    assert seen == [cut.window for cut in cut_text(TEXT)]
