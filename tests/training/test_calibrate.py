import numpy as np
import pytest

from models.training.calibrate import Platt, ask_from, operating_point, platt, probabilities, shifted

RANDOM = np.random.default_rng(1)
CATEGORIES = 3


def scores(rows: int, mean: float) -> np.ndarray:
    return 1 / (1 + np.exp(-RANDOM.normal(mean, 1.5, (rows, CATEGORIES))))


def test_platt_finds_the_scale_and_bias_that_made_the_labels() -> None:
    logits = RANDOM.normal(0, 2, 20_000).astype(np.float32)
    happened = RANDOM.random(20_000) < 1 / (1 + np.exp(-(1.7 * logits - 0.8)))
    found = platt(logits, happened.astype(np.float32), np.ones(20_000, np.float32))
    assert found.scale == pytest.approx(1.7, abs=0.1)
    assert found.bias == pytest.approx(-0.8, abs=0.1)


def test_without_both_kinds_of_rows_nothing_is_changed() -> None:
    ones = np.ones(5, np.float32)
    found = platt(np.arange(5, dtype=np.float32), ones, ones)
    assert probabilities(np.zeros((1, 1), np.float32), [found], np.array([False]))[0, 0] == 0.5


def test_chinese_is_moved_to_the_thresholds_of_english() -> None:
    at = np.array([0.9, 0.5])
    moved = shifted([Platt(1.0, 0.0), Platt(2.0, 1.0)], [at], [np.array([0.7, 0.6])])
    logits = np.array([[np.log(0.7 / 0.3), (np.log(0.6 / 0.4) - 1) / 2]] * 2, np.float32)
    english, chinese = probabilities(logits, moved, np.array([False, True]))
    assert english == pytest.approx([0.7, 0.6], abs=1e-4)
    assert chinese == pytest.approx(at, abs=1e-3)


@pytest.mark.parametrize("per_thousand", [1.0, 10.0, 50.0])
def test_an_operating_point_keeps_the_false_halts_in_every_language(per_thousand: float) -> None:
    english, chinese = scores(3000, -4), scores(2000, -3)
    labels = RANDOM.random((1000, CATEGORIES)) < 0.3
    harmful = 1 / (1 + np.exp(-(RANDOM.normal(-3, 1.5, (1000, CATEGORIES)) + 4 * labels)))
    thresholds = operating_point([english, chinese], harmful, labels, per_thousand)
    for harmless in (english, chinese):
        assert (harmless >= thresholds).any(1).sum() <= per_thousand * len(harmless) / 1000
    assert (harmful >= thresholds)[labels].mean() > 0.2


def test_more_false_halts_find_more() -> None:
    english, chinese = scores(3000, -4), scores(2000, -4)
    labels = RANDOM.random((1000, CATEGORIES)) < 0.3
    harmful = 1 / (1 + np.exp(-(RANDOM.normal(-3, 1.5, (1000, CATEGORIES)) + 4 * labels)))
    few, many = (operating_point([english, chinese], harmful, labels, aim) for aim in (1.0, 20.0))
    assert (many <= few).all()
    assert (many < few).any()


def test_the_encoder_is_asked_about_no_more_than_the_share() -> None:
    gate = scores(5000, -3)
    for share in (0.01, 0.1, 0.3):
        asked = (gate >= ask_from(gate, share)).any(1).mean()
        assert 0.6 * share < asked <= share + 0.005
