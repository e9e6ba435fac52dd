"""Which readings of a window are looked at, and what a glance at them tells."""

from __future__ import annotations

import pytest

from guardrail.text.keywords import NOTHING
from guardrail.text.readings import glance_readings, readings
from guardrail.text.rules import Folds
from guardrail.text.ruleset import Disguises, compile_rules
from guardrail.text.terms import Way
from tests.text.script import word


def group(**folds: bool) -> Disguises:
    matchers = compile_rules([word("bomb", folds=Folds(**folds))]).removing
    assert matchers is not None
    return matchers.disguises[0]


CASES: list[tuple[str, dict[str, bool], str, list[tuple[Way, str]]]] = [
    ("nothing disguised", {"noise": True, "repeats": True}, "\nthe cat", []),
    ("a sign", {}, "\nb0", [(Way.LEET, "bo")]),
    ("the digit that is two letters", {}, "\nb1", [(Way.LEET, "bi"), (Way.LEET, "bl")]),
    ("without leet", {"leet": False}, "\nb0", []),
    ("noise", {"noise": True}, "\nbo*", [(Way.PLAIN, "bo")]),
    ("repeats", {"repeats": True}, "\nboo", [(Way.PLAIN, "bo")]),
]


@pytest.mark.parametrize(("name", "folds", "window", "expected"), CASES, ids=[case[0] for case in CASES])
def test_what_is_read(name: str, folds: dict[str, bool], window: str, expected: list[tuple[Way, str]]) -> None:
    found = readings(group(**folds), window, len(window), set(), final=False)
    assert [(way, reading.text[1:]) for _, _, reading, way in found] == expected


@pytest.mark.parametrize(
    ("window", "expected"),
    [("\nthe cat", NOTHING.keep), ("\na b0", 3), ("\na b*o*", 3), ("\na b*x*", 7), ("\na b*o*m*b", None)],
)
def test_a_glance(window: str, expected: int | None) -> None:
    alive = glance_readings(group(noise=True), window, known=True)
    assert (alive and alive.keep) == expected


def test_markup_that_may_yet_come_keeps_its_first_sign() -> None:
    alive = glance_readings(group(noise=True), "\nx<", known=True)
    assert alive is not None
    assert alive.keep == 2
