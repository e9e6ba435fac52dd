"""manifest.yaml: what a folder says of its model, every problem at its place, and that files are the pinned ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from guardrail.classify.manifest import read_folder
from guardrail.errors import ModelError
from guardrail.text.scores import CATEGORIES
from tests.classify.tiny import hugging_face, ours, write_folder

ENCODER = {"file": "model.onnx", "tokenizer": "tokenizer.json", "max_tokens": 64, "activation": "sigmoid"}
OWN = {"toxic": "harassment", "ok": "none"}
OWN_WEIGHTS = {"bad": {"toxic": 3.0, "ok": -3.0}}


def problems(folder: Path) -> list[str]:
    """What is wrong with a folder, each as `key of the manifest at whose line it is told: message`."""
    with pytest.raises(ModelError) as raised:
        read_folder(folder)
    lines = (folder / "manifest.yaml").read_text().splitlines()
    told = []
    for problem in raised.value.problems:
        assert problem.file == str(folder / "manifest.yaml")
        told.append(f"{lines[problem.line - 1].strip(' -').partition(':')[0]}: {problem.message}")
    return told


def test_a_folder_of_ours(tmp_path: Path) -> None:
    folder = read_folder(ours(tmp_path))
    assert folder.manifest.name == "tiny"
    assert folder.outputs == tuple(range(len(CATEGORIES)))
    assert folder.manifest.thresholds["hate"] == {"precise": 0.9, "balanced": 0.5, "sensitive": 0.1}
    assert folder.read("model.onnx") == (tmp_path / "model.onnx").read_bytes()


def test_an_export_has_its_order_from_config_json_and_none_for_what_is_no_harm(tmp_path: Path) -> None:
    folder = read_folder(hugging_face(tmp_path, OWN_WEIGHTS, {"ok": "none", "toxic": "harassment"}))
    assert folder.outputs == (None, CATEGORIES.index("harassment"))


def test_ten_lines_are_enough_for_an_export(tmp_path: Path) -> None:
    hugging_face(tmp_path, OWN_WEIGHTS, OWN)
    assert len((tmp_path / "manifest.yaml").read_text().splitlines()) <= 13


def test_the_digest_tells_what_decides_a_score_and_not_what_people_read(tmp_path: Path) -> None:
    plain = read_folder(ours(tmp_path / "plain")).digest
    assert read_folder(ours(tmp_path / "noted", languages=["en"], figures={"auprc": 0.7})).digest == plain
    assert read_folder(ours(tmp_path / "moved", calibration={"hate": {"bias": 0.5}})).digest != plain
    assert read_folder(ours(tmp_path / "other", files={"tokenizer.json": b"{}"})).digest != plain


CASES: list[tuple[str, dict[str, Any], list[str]]] = [
    ("no labels", {"labels": None}, ["files: found no key 'labels', expected one"]),
    (
        "a misspelt label",
        {"labels": ["hat", *CATEGORIES[1:]], "thresholds": {}},
        ["hat: found 'hat', expected 'hate' (did you mean that?)"],
    ),
    (
        "an unknown label",
        {"labels": ["opinions", *CATEGORIES[1:]], "thresholds": {}},
        [f"opinions: found 'opinions', expected one of {', '.join(CATEGORIES)}, none"],
    ),
    (
        "nothing but none",
        {"labels": ["none", "none"], "thresholds": {}},
        ["labels: found no category among the labels, expected at least one"],
    ),
    (
        "names of the model's own without config.json",
        {"labels": OWN, "thresholds": {}},
        ["labels: found the model's own names, expected config.json under `files`, or a list in the outputs' order"],
    ),
    (
        "thresholds of a category that the model does not know",
        {"labels": ["hate"], "thresholds": {"violence": {"precise": 0.9}, "insults": {"precise": 0.9}}},
        [
            "violence: found 'violence', which is none of the labels, expected one of them",
            f"insults: found 'insults', expected one of {', '.join(CATEGORIES)}",
        ],
    ),
    (
        "thresholds that are no probabilities",
        {"thresholds": {"hate": {"precise": 1.5, "balanced": 0}}},
        [
            "precise: found 1.5, expected a probability above 0 and at most 1",
            "balanced: found 0, expected a probability above 0 and at most 1",
        ],
    ),
    (
        "thresholds the wrong way round",
        {"thresholds": {"hate": {"precise": 0.5, "sensitive": 0.7}}},
        ["sensitive: found 0.7, expected at most 0.5, the threshold of the point with fewer alarms"],
    ),
    (
        "an unknown operating point",
        {"thresholds": {"hate": {"exact": 0.5}}},
        ["exact: found the operating point 'exact', expected one of precise, balanced, sensitive"],
    ),
    (
        "a calibration out of range",
        {"calibration": {"hate": {"scale": 0}, "sexual": {"bias": 1000.0}}},
        [
            "scale: found 0, expected a number above 0 and at most 100",
            "bias: found 1000.0, expected a number from -100 to 100",
        ],
    ),
    (
        "softmax over one output",
        {"labels": ["hate"], "encoder": {**ENCODER, "activation": "softmax"}, "thresholds": {}},
        ["activation: found softmax over a single output, which is always certain; expected sigmoid"],
    ),
    (
        "a file that is not pinned",
        {"encoder": {**ENCODER, "file": "other.onnx"}},
        ["file: found 'other.onnx', expected a file that stands with its sha256 under `files`"],
    ),
    (
        "a file outside the folder",
        {"encoder": {**ENCODER, "tokenizer": "../tokenizer.json"}},
        ['tokenizer: found "../tokenizer.json", expected the name of a file inside the model\'s folder'],
    ),
    (
        "a misspelt key beside free ones",
        {"treshholds": {}, "languages": ["en", "zh"]},
        ["treshholds: found the unknown key 'treshholds', expected 'thresholds' (did you mean that?)"],
    ),
    (
        "a first stage without a file and without limits",
        {
            "labels": ["hate", "sexual"],
            "gate": {"file": "gate.onnx", "bits": 10, "ask_from": {"sexual": 0.1, "sexuel": 0.2}},
        },
        [
            "file: found 'gate.onnx', expected a file that stands with its sha256 under `files`",
            "sexuel: found 'sexuel', expected 'sexual' (did you mean that?)",
            "ask_from: found no key 'hate', a label; expected one",
        ],
    ),
    (
        "all that is wrong, whatever else is",
        {
            "name": "a name",
            "version": None,
            "encoder": {"file": "model.onnx", "activation": "relu"},
            "labels": ["hat", "sexual"],
            "thresholds": {"hate": {"precise": 2}, "insults": {"precise": 0.9}},
            "gate": {"file": "gate.onnx", "bits": 10, "ask_from": {"sexual": 0}},
        },
        [
            'name: found "a name", expected a name of letters, digits, ".", "_" and "-"',
            "files: found no key 'version', expected one",
            "file: found no key 'tokenizer', expected one",
            'activation: found "relu", expected one of sigmoid, softmax',
            "hat: found 'hat', expected 'hate' (did you mean that?)",
            "precise: found 2, expected a probability above 0 and at most 1",
            f"insults: found 'insults', expected one of {', '.join(CATEGORIES)}",
            "file: found 'gate.onnx', expected a file that stands with its sha256 under `files`",
            "sexual: found 0, expected a probability above 0 and at most 1",
        ],
    ),
    (
        "a wrong activation hides nothing, and gives rise to nothing",
        {"encoder": {**ENCODER, "activation": "relu"}, "labels": ["opinions", *CATEGORIES[1:]]},
        [
            'activation: found "relu", expected one of sigmoid, softmax',
            f"opinions: found 'opinions', expected one of {', '.join(CATEGORIES)}, none",
        ],
    ),
    (
        "a label that is no text, and what is right beside it",
        {"labels": [3, "hate"], "thresholds": {"sexual": {"precise": 0.9}}},
        ["3: found 3, expected a text; put it in quotes"],
    ),
    (
        "a file that stands with no sha256",
        {"files": {"model.onnx": "abc"}},
        [
            'model.onnx: found "abc", expected the 64 hex digits of a sha256, in lower case',
            "tokenizer: found 'tokenizer.json', expected a file that stands with its sha256 under `files`",
        ],
    ),
    (
        "several at once",
        {"version": 1, "encoder": {**ENCODER, "max_tokens": 4}},
        [
            "version: found 1, expected a text of 1 to 64 characters; put it in quotes",
            "max_tokens: found 4, expected a whole number from 8 to 2048",
        ],
    ),
]


@pytest.mark.parametrize(("changes", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_is_wrong_with_a_manifest(tmp_path: Path, changes: dict[str, Any], expected: list[str]) -> None:
    labels = {"labels": list(CATEGORIES)}
    write_folder(ours(tmp_path), {}, {"files": _pinned(tmp_path), **BASE, **labels, **changes})
    assert sorted(problems(tmp_path)) == sorted(expected)


BASE = {"name": "tiny", "version": "1", "encoder": ENCODER, "thresholds": {}}


def _pinned(folder: Path) -> dict[str, str]:
    pinned: dict[str, str] = read_folder(folder).manifest.files
    return pinned


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"absent: found no folder here, expected one with a manifest\.yaml"):
        read_folder(tmp_path / "absent")
    with pytest.raises(ModelError, match=r"manifest\.yaml:1:1: found no file here, expected one"):
        read_folder(tmp_path)


def test_a_missing_file_and_a_changed_one_are_told_together(tmp_path: Path) -> None:
    ours(tmp_path)
    (tmp_path / "model.onnx").unlink()
    (tmp_path / "tokenizer.json").write_bytes(b"changed")
    missing, changed = problems(tmp_path)
    assert missing == "model.onnx: found no file 'model.onnx' in the folder, expected one"
    assert changed.startswith("tokenizer.json: found 'tokenizer.json' with the sha256 d67e2e94")
    assert changed.endswith(": it is another file, or was changed")


def test_a_file_that_changes_after_the_check_is_not_handed_on(tmp_path: Path) -> None:
    folder = read_folder(ours(tmp_path))
    (tmp_path / "model.onnx").write_bytes(b"changed")
    with pytest.raises(ModelError, match="it is another file, or was changed"):
        folder.read("model.onnx")


@pytest.mark.parametrize(
    ("config", "labels", "expected"),
    [
        (
            {"id2label": {"0": "toxic", "1": "fine"}},
            OWN,
            [
                "labels: found no key 'fine', an output by config.json, expected one",
                "ok: found 'ok', expected one of toxic, fine: the outputs by config.json",
            ],
        ),
        (
            {"id2label": {"0": "toxic", "2": "ok"}},
            OWN,
            ["config.json: found no numbered names under `id2label` in config.json, expected one for each output"],
        ),
        (
            {},
            OWN,
            ["config.json: found no numbered names under `id2label` in config.json, expected one for each output"],
        ),
        (
            {"id2label": {"0": "toxic", "1": "ok"}},
            {"toxic": "harrassment", "ok": "none"},
            ["toxic: found 'harrassment', expected 'harassment' (did you mean that?)"],
        ),
    ],
)
def test_labels_of_the_models_own(
    tmp_path: Path, config: dict[str, Any], labels: dict[str, str], expected: list[str]
) -> None:
    files = {"model.onnx": b"graph", "tokenizer.json": b"{}", "config.json": json.dumps(config).encode()}
    write_folder(tmp_path, files, {**BASE, "labels": labels})
    assert sorted(problems(tmp_path)) == sorted(expected)
