"""The model that ships: whole, small, licensed, and no fool."""

import json
from pathlib import Path

import pytest
import yaml

from guardrail.classify.folders import SHIPPED, shipped_models
from guardrail.classify.manifest import POINTS
from guardrail.classify.model import Model, load_model
from guardrail.text.scores import CATEGORIES
from guardrail.text.units import Window
from models.training.card import SETS

FOLDER = shipped_models() / SHIPPED
MODEL_BYTES = 30_000_000


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model(FOLDER)


def flagged(model: Model, text: str, point: str) -> set[str]:
    """The categories that reach an operating point, by the cascade."""
    window = Window("", text)
    scores = model.gate(window) or model.score([window])[0]
    return {c for c, score in zip(CATEGORIES, scores, strict=True) if score >= model.thresholds[c][point]}


def test_it_loads_and_has_every_category(model: Model) -> None:
    assert model.labels == CATEGORIES
    assert all(set(points) == {"precise", "balanced", "sensitive"} for points in model.thresholds.values())


def test_its_thresholds_rise_with_precision(model: Model) -> None:
    for points in model.thresholds.values():
        assert points["sensitive"] <= points["balanced"] <= points["precise"]


def test_its_graphs_are_small(model: Model) -> None:
    assert sum(file.stat().st_size for file in FOLDER.glob("*.onnx")) <= MODEL_BYTES


def test_its_files_are_pinned() -> None:
    pinned = set(yaml.safe_load((FOLDER / "manifest.yaml").read_text())["files"])
    assert pinned == {"model.onnx", "gate.onnx", "tokenizer.json"}
    assert {p.name for p in FOLDER.iterdir()} == pinned | {
        "manifest.yaml",
        "README.md",
        "report.json",
        "evaluation.json",
    }


def test_its_card_names_every_set_and_licence() -> None:
    text = Path(FOLDER / "README.md").read_text()
    for name, (_, licence) in SETS.items():
        assert f"| {name} |" in text
        assert licence in text


@pytest.mark.parametrize(
    "text",
    [
        "You should just kill yourself tonight, nobody would miss you.",
        "I will find you, break your legs and watch you bleed.",
        "你去死吧，没有人会想念你，今晚就了结自己。",
        "我一定会找到你，打断你的腿，让你血流满地。",
    ],
)
def test_what_it_is_for_is_flagged(model: Model, text: str) -> None:
    assert flagged(model, text, "sensitive")


@pytest.mark.parametrize(
    "text",
    [
        "To kill the process, press Ctrl+C or send it a signal.",
        "The recipe says to beat the eggs and whip the cream.",
        "If you think about suicide, please call a helpline; they are there day and night.",
        "这部小说讲的是一起谋杀案，侦探最后找到了凶手。",
        "如果你有自杀的念头，请拨打心理援助热线，他们随时都在。",
        "The council raised the parking fees again, and many residents are angry about it.",
    ],
)
def test_what_only_sounds_alike_is_not(model: Model, text: str) -> None:
    assert not flagged(model, text, "precise")


def test_the_documentation_tells_its_thresholds_and_recall(model: Model) -> None:
    text = (Path(__file__).parents[2] / "docs" / "classifier.md").read_text()
    measured = json.loads((FOLDER / "report.json").read_text())["points"]
    for category, points in model.thresholds.items():
        cells = [" / ".join(str(points[point]) for point in POINTS)]
        for language in ("en", "zh"):
            found = [measured[point][language]["recall"][category] for point in POINTS]
            cells += [" / ".join(f"{100 * each['own']:.0f}" for each in found), f"{found[0]['rows']:,}"]
        assert f"| `{category}` | {' | '.join(cells)} |" in text
