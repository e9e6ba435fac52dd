"""How much of an answer is out when it is halted."""

from __future__ import annotations

from itertools import pairwise

import pytest

from guardrail.evaluate.early_stop import BUDGETS, Halted, delivered
from guardrail.text.units import Unit


@pytest.mark.parametrize(
    ("name", "unit", "budget", "prompt", "late"),
    [
        ("strict: up to the unit", Unit(200, 260), 0, 0.2, 0.2),
        ("strict, at the start", Unit(0, 60), 0, 0.0, 0.0),
        ("the unit is out before the budget is used", Unit(200, 260), 100, 0.26, 0.3),
        ("a unit longer than the budget", Unit(200, 400), 100, 0.3, 0.3),
        ("no more than there is", Unit(900, 1000), 1000, 1.0, 1.0),
        ("a large budget and a quick verdict", Unit(200, 260), 1000, 0.26, 1.0),
        ("never halted, strict", None, 0, 1.0, 1.0),
        ("never halted", None, 100, 1.0, 1.0),
    ],
)
def test_share(name: str, unit: Unit | None, budget: int, prompt: float, late: float) -> None:
    answer = Halted(1000, unit)
    assert (answer.prompt(budget), answer.late(budget)) == (prompt, late)


def test_over_many_answers() -> None:
    answers = [Halted(100, Unit(10, 30)), Halted(100, Unit(40, 60)), Halted(100, None)]
    strict = delivered(answers, 0)
    assert strict is not None
    assert (strict.median_prompt, strict.median_late) == (0.4, 0.4)
    assert strict.mean_prompt == pytest.approx(0.5)
    assert (strict.percentiles[0], strict.percentiles[10], strict.percentiles[20]) == (0.1, 0.4, 1.0)
    lagging = delivered(answers, 15)
    assert lagging is not None
    assert (lagging.median_prompt, lagging.median_late) == (0.55, 0.55)
    assert delivered([], 0) is None


def test_more_budget_never_delivers_less() -> None:
    answers = [Halted(700, Unit(start, start + 50)) for start in range(0, 650, 50)]
    for low, high in pairwise(BUDGETS):
        fewer, more = delivered(answers, low), delivered(answers, high)
        assert fewer is not None
        assert more is not None
        assert fewer.mean_prompt <= more.mean_prompt <= more.mean_late
