from typing import Any

from guardrail.text.scores import CATEGORIES
from models.training.card import SETS, STAGES, card
from models.training.corpus import SHARE_ALIKE


def figures() -> dict[str, Any]:
    entry = {"rows": 10, "positive": 4, **dict.fromkeys(STAGES, 0.5)}
    precision = {lang: dict.fromkeys(CATEGORIES, entry) for lang in ("en", "zh")}
    recall = {c: {"rows": 4, "own": 0.25, "any": 0.75} for c in CATEGORIES}
    found = {
        "answers": 900,
        "false_halts": 1,
        "per_thousand": 1.11,
        "recall": recall,
        "recall_of_harmful_replies": 0.625,
    }
    return {
        "average_precision": precision,
        "average_precision_written": {"en": precision["en"], "zh": {}},
        "points": {"precise": {"en": found, "zh": found}},
        "points_tune": {"precise": {"en": 0.4, "zh": 0.6}},
        "first_stage": {"en": {"asked": 0.123, "recall_lost": {"precise": 0.011}}},
    }


def test_the_card_has_the_figures_and_every_set_with_its_licence() -> None:
    text = card(figures(), {"stormfront": 10_411}, None)
    assert "| precise | English | 1 of 900 | 1.11 | 0.4 | 0.75 | 0.625 |" in text
    assert "12.3%" in text
    assert "| stormfront | Vicomtech/hate-speech-dataset | CC-BY-SA-3.0-ES (share-alike) | 10411 |" in text
    for name in SETS:
        assert f"| {name} |" in text


def test_share_alike_sets_are_those_whose_licence_says_so() -> None:
    assert {name for name, (_, licence) in SETS.items() if "-SA-" in licence} == set(SHARE_ALIKE)
