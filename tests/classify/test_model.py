"""Loaded models: calibrated probabilities in the fixed order, for folders of ours and for exports."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from guardrail.classify.manifest import read_folder
from guardrail.classify.model import load_model, text_of
from guardrail.errors import ModelError, ModelFault
from guardrail.text.scores import CATEGORIES
from guardrail.text.units import Window
from tests.classify.tiny import WEIGHTS, gate, gated, graph, hugging_face, ours, quantised, tokenizer


def logit(p: float) -> float:
    return math.log(p / (1 - p))


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def by_name(scores: tuple[float, ...]) -> dict[str, float]:
    """The scores that are there, rounded."""
    return {name: round(x, 6) for name, x in zip(CATEGORIES, scores, strict=True) if not math.isnan(x)}


def window(text: str, context: str = "", prompt: str = "") -> Window:
    return Window(context, text, prompt)


def test_a_model_of_ours(tmp_path: Path) -> None:
    model = load_model(ours(tmp_path))
    assert (model.name, model.labels) == ("tiny", CATEGORIES)
    assert model.digest == read_folder(tmp_path).digest
    assert model.thresholds["hate"]["precise"] == 0.9
    harmless, idiot, kill = (by_name(scores) for scores in model.score([window("x"), window("idiot"), window("kill")]))
    low = round(sigmoid(-4), 6)
    assert harmless == dict.fromkeys(CATEGORIES, low)
    assert idiot == {**harmless, "harassment": round(sigmoid(4), 6), "unsafe": round(sigmoid(4), 6)}
    assert kill == {**harmless, "violence": round(sigmoid(2), 6), "unsafe": round(sigmoid(2), 6)}
    assert model.score([]) == []
    assert model.gate(window("idiot")) is None


def test_the_prompt_and_the_context_are_read_and_the_text_is_normalised(tmp_path: Path) -> None:
    model = load_model(ours(tmp_path))
    assert text_of(window("text", "context ")) == "context text"
    assert text_of(window("text", "context ", "prompt")) == "prompt\ncontext text"
    same = [
        window("idiot"),
        window("x", "idiot "),
        window("x", "", "idiot"),
        window("ｉｄ\u200bｉｏｔ"),
        window("iԁiot"),
    ]
    assert {by_name(scores)["harassment"] for scores in model.score(same)} == {round(sigmoid(4), 6)}
    assert by_name(model.score([window("壞")])[0]) == by_name(model.score([window("坏")])[0])
    assert by_name(model.score([window("\ud800 idiot")])[0])["harassment"] == round(sigmoid(4), 6)


def test_calibration_moves_probabilities(tmp_path: Path) -> None:
    model = load_model(ours(tmp_path, calibration={"harassment": {"scale": 0.5, "bias": 1.0}, "hate": {"bias": -100}}))
    scores = by_name(model.score([window("idiot")])[0])
    assert scores["harassment"] == round(sigmoid(4 * 0.5 + 1), 6)
    assert scores["hate"] == 0
    assert scores["unsafe"] == round(sigmoid(4), 6)


def test_calibration_can_differ_for_chinese(tmp_path: Path) -> None:
    plain = load_model(ours(tmp_path / "plain"))
    model = load_model(ours(tmp_path / "moved", calibration={"harassment": {"han_bias": -1.5}}))
    windows = [window("idiot"), window("坏")]
    before, after = ([by_name(scores)["harassment"] for scores in each.score(windows)] for each in (plain, model))
    assert after[0] == before[0]
    assert logit(after[1]) == pytest.approx(logit(before[1]) - 1.5, abs=1e-3)


def test_an_export_of_a_softmax_classifier(tmp_path: Path) -> None:
    weights = {"bad": {"toxic": 3.0}, "worse": {"toxic": 2.0, "insult": 2.0}}
    labels = {"ok": "none", "toxic": "harassment", "insult": "harassment", "fine": "none"}
    model = load_model(hugging_face(tmp_path, weights, labels))
    assert model.labels == ("harassment",)
    assert model.thresholds == {}
    found = [by_name(scores)["harassment"] for scores in model.score([window("x"), window("bad"), window("worse")])]
    e = math.exp
    assert found == [0.5, round((e(3) + 1) / (e(3) + 3), 6), round(2 * e(2) / (2 * e(2) + 2), 6)]


def test_a_softmax_that_is_certain_is_still_a_probability(tmp_path: Path) -> None:
    model = load_model(hugging_face(tmp_path, {"bad": {"toxic": 500.0}}, {"ok": "none", "toxic": "unsafe"}))
    certain, *_ = model.score([window("bad")])
    assert by_name(certain) == {"unsafe": 1.0}
    assert certain[-1] <= 1


def test_of_several_outputs_of_one_category_the_greatest_counts(tmp_path: Path) -> None:
    labels = {"toxic": "harassment", "insult": "harassment", "threat": "violence"}
    encoder = {"file": "model.onnx", "tokenizer": "tokenizer.json"}
    model = load_model(hugging_face(tmp_path, {"bad": {"insult": 3.0, "toxic": 1.0}}, labels, encoder=encoder))
    found = by_name(model.score([window("bad")])[0])
    assert found == {"harassment": round(sigmoid(3), 6), "violence": 0.5}


def test_a_window_has_the_same_scores_alone_and_in_a_batch(tmp_path: Path) -> None:
    model = load_model(ours(tmp_path))
    windows = [window("idiot"), window("damn " * 9), window("x"), window("你坏")]
    assert model.score(windows) == [model.score([each])[0] for each in windows]


def test_so_has_one_of_a_dynamically_quantised_model(tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    made = quantised(list(WEIGHTS), list(CATEGORIES), tmp_path / "made")
    model = load_model(ours(tmp_path, files={"model.onnx": made}))
    assert not model.batches
    windows = [window("idiot"), window("broken"), window("kill you"), window("x")]
    assert model.score(windows) == [model.score([each])[0] for each in windows]


def test_a_renewed_model_is_the_same_unless_the_folder_changed(tmp_path: Path) -> None:
    model = load_model(ours(tmp_path))
    again = model.renewed()
    assert again is not model
    assert again.digest == model.digest
    assert again.score([window("idiot")]) == model.score([window("idiot")])
    (tmp_path / "model.onnx").write_bytes(b"changed")
    with pytest.raises(ModelError, match="it is another file, or was changed"):
        model.renewed()


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (
            {"model.onnx": graph(WEIGHTS, list(CATEGORIES))[:-100]},
            ["model.onnx: found no graph that ONNX Runtime can run"],
        ),
        ({"model.onnx": graph(WEIGHTS, ["hate", "unsafe"])}, ["['texts', 2], expected [texts, 8], one for each label"]),
        ({"tokenizer.json": b"{}"}, ["tokenizer.json: found no tokenizer"]),
        (
            {"model.onnx": b"", "tokenizer.json": b""},
            ["model.onnx: found no graph", "tokenizer.json: found no tokenizer"],
        ),
        (
            {"model.onnx": graph(WEIGHTS, ["unsafe"], per_token=True, shape=["texts", "tokens"])},
            ["model.onnx, tried on short texts: the model answered the shape"],
        ),
        (
            {"model.onnx": graph({"[UNK]": {}}, list(CATEGORIES), bias=float("nan"))},
            ["model.onnx, tried on short texts: the model answered what is no number"],
        ),
        (
            {"tokenizer.json": tokenizer([*WEIGHTS, "weather"]), "model.onnx": graph(WEIGHTS, list(CATEGORIES))},
            ["model.onnx, tried on short texts: the model failed: InvalidArgument"],
        ),
    ],
)
def test_what_does_not_load_is_told_at_its_line(tmp_path: Path, files: dict[str, bytes], expected: list[str]) -> None:
    ours(tmp_path, files=files)
    with pytest.raises(ModelError) as raised:
        load_model(tmp_path)
    lines = (tmp_path / "manifest.yaml").read_text().splitlines()
    assert len(raised.value.problems) == len(expected)
    for problem, message in zip(raised.value.problems, expected, strict=True):
        assert message in problem.message
        assert lines[problem.line - 1].strip().startswith(("file:", "tokenizer:"))


def test_a_graph_with_fewer_positions_than_tokens_does_not_load(tmp_path: Path) -> None:
    made = {"model.onnx": graph(WEIGHTS, list(CATEGORIES), positions=64)}
    assert load_model(ours(tmp_path / "as many", files=made)).score([window("word " * 100)])
    entry = {"file": "model.onnx", "tokenizer": "tokenizer.json", "max_tokens": 65}
    with pytest.raises(
        ModelError, match=r"model\.onnx, tried on a text of 65 tokens \(`max_tokens`\): the model failed"
    ):
        load_model(ours(tmp_path / "fewer", files=made, encoder=entry))


def test_what_is_no_number_raises(tmp_path: Path) -> None:
    with pytest.raises(ModelFault, match="no number"):
        load_model(ours(tmp_path)).score([window("idiot"), window("broken")])


def test_a_first_stage_answers_where_it_is_sure(tmp_path: Path) -> None:
    model = load_model(gated(tmp_path))
    low, high = round(sigmoid(-6), 6), round(sigmoid(6), 6)
    harmless, dubious = window("harmless words"), window("dubious idiot")
    sure = model.gate(harmless)
    assert sure is not None
    assert by_name(sure) == dict.fromkeys(CATEGORIES, low)
    assert model.first_stage(harmless) == sure
    assert model.gate(dubious) is None
    assert model.gate(window("harmless words", "dubious ")) is None
    assert by_name(model.first_stage(dubious) or ()) == dict.fromkeys(CATEGORIES, high)
    assert by_name(model.score([dubious])[0])["harassment"] == round(sigmoid(4), 6)
    again = model.renewed()
    assert again.gate(harmless) == sure


def test_a_first_stage_with_labels_in_another_order(tmp_path: Path) -> None:
    model = load_model(gated(tmp_path, ["unsafe", "none", "hate", "hate"], ask_from={"unsafe": 0.5, "hate": 0.001}))
    assert model.gate(window("harmless words")) is None  # 0.0025 is too much for hate
    found = model.first_stage(window("harmless words"))
    assert found is not None
    assert by_name(found) == {"hate": round(sigmoid(-6), 6), "unsafe": round(sigmoid(-6), 6)}


def test_without_a_first_stage_the_encoder_is_always_asked(tmp_path: Path) -> None:
    model = load_model(ours(tmp_path))
    assert model.gate(window("harmless words")) is None
    assert model.first_stage(window("harmless words")) is None


@pytest.mark.parametrize(
    ("made", "entry", "expected"),
    [
        (b"garbage", {}, "gate.onnx: found no graph that ONNX Runtime can run"),
        (gate(7), {}, "gate.onnx: found 7 outputs, expected 8, one for each label"),
        (gate(8), {"bits": 20}, "gate.onnx, tried on short texts: the first stage failed: InvalidArgument"),
        (gate(8, inputs=("a", "b")), {}, "gate.onnx, tried on short texts: the first stage failed: "),
        (gate(8, at=2), {}, "gate.onnx: found a score that is no number"),
    ],
)
def test_a_first_stage_that_does_not_load(tmp_path: Path, made: bytes, entry: dict[str, Any], expected: str) -> None:
    gated(tmp_path, made=made, **entry)
    with pytest.raises(ModelError) as raised:
        load_model(tmp_path)
    assert [problem.message.startswith(expected) for problem in raised.value.problems] == [True]


def test_a_bad_encoder_and_a_bad_first_stage_are_told_together(tmp_path: Path) -> None:
    entry = {"file": "gate.onnx", "bits": 10, "ask_from": dict.fromkeys(CATEGORIES, 0.5)}
    ours(tmp_path, files={"model.onnx": b"garbage", "gate.onnx": b"garbage"}, gate=entry)
    with pytest.raises(ModelError) as raised:
        load_model(tmp_path)
    assert {problem.message.partition(":")[0] for problem in raised.value.problems} == {"model.onnx", "gate.onnx"}
