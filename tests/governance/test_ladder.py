"""The ladder: strikes, decay, steps, and what lifting a case takes back."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrail.governance import ladder
from guardrail.governance.ladder import (
    DAY,
    FOREVER,
    MOST_STRIKES,
    STEPS,
    Conduct,
    ConductTerms,
    Measure,
    Side,
    Step,
    Strike,
    in_force,
    keep_of,
    ladder_of,
    lifted,
    points_of,
    strikes_of,
    struck,
)
from guardrail.text.rules import Action, Finding, Severity
from guardrail.text.scores import UNAVAILABLE

NOW = 1_800_000_000.0
FULL = msgspec.convert({"restrict": {}, "terminate": {}}, ConductTerms)


def strike(points: float, request: str = "g-1", at: float = NOW, category: str = "illicit") -> Strike:
    return Strike(request, at, points, category, "high", "weapons-drugs", "halt", "prompt", "default@0123456789ab")


def climbed(*points: float, terms: ConductTerms = FULL, apart: float = 0.0) -> tuple[Conduct, list[Measure]]:
    """Requests of so many points each, `apart` seconds from each other; the measures that began."""
    conduct, taken = Conduct(), list[Measure]()
    for number, each in enumerate(points):
        at = NOW + number * apart
        conduct, measure = struck(conduct, [strike(each, f"g-{number}", at)], ladder_of(terms), at, f"c-{number}")
        taken += [measure] if measure else []
    return conduct, taken


# fmt: off
CASES: list[tuple[str, list[float], list[Step]]] = [
    ("nothing below the first threshold", [2.9],          []),
    ("a warning at it",                   [3],            ["warn"]),
    ("no second warning",                 [3, 1, 1],      ["warn"]),
    ("one step after the other",          [3, 3, 4, 10],  ["warn", "restrict", "suspend", "terminate"]),
    ("the gravest that is due, alone",    [12],           ["suspend"]),
    ("none milder afterwards",            [10, 1],        ["suspend"]),
    ("straight to the last",              [25, 3],        ["terminate"]),
]
# fmt: on


@pytest.mark.parametrize(("name", "points", "steps"), CASES, ids=[case[0] for case in CASES])
def test_steps(name: str, points: list[float], steps: list[Step]) -> None:
    _, taken = climbed(*points)
    assert [measure.step for measure in taken] == steps


def test_by_default_nobody_is_restricted_or_refused_for_good() -> None:
    _, taken = climbed(3, 4, 30, 500, terms=ConductTerms())
    assert [measure.step for measure in taken] == ["warn", "suspend"]


def test_a_step_can_be_switched_off() -> None:
    terms = msgspec.convert({"warn": {"at": 0}, "suspend": {"at": 5, "duration": 60}}, ConductTerms)
    _, (measure,) = climbed(3, 4, terms=terms)
    assert (measure.step, measure.until) == ("suspend", NOW + 60)


def test_a_suspension_ends_and_the_next_strike_begins_another() -> None:
    conduct, (first,) = climbed(10)
    assert first.until == NOW + DAY
    assert in_force(conduct, NOW + DAY - 1) == first
    assert in_force(conduct, NOW + DAY) is None
    later = NOW + DAY + 1
    conduct, second = struck(conduct, [strike(2, "g-9", later)], ladder_of(FULL), later, "c-2")
    assert second is not None
    assert (second.step, second.case) == ("suspend", "c-2")


def test_a_measure_without_end_holds() -> None:
    conduct, _ = climbed(30)
    holding = in_force(conduct, NOW + 1e9)
    assert holding is not None
    assert (holding.step, holding.until) == ("terminate", None)
    assert keep_of(conduct, NOW) == FOREVER


def test_points_halve() -> None:
    conduct, _ = climbed(2)
    half_life = ladder_of(FULL).half_life
    assert [points_of(conduct, NOW + half_life * n) for n in range(3)] == pytest.approx([2, 1, 0.5])
    assert keep_of(conduct, NOW) > 7 * half_life


# What counts


def found(
    rule: str = "r", category: str = "illicit", severity: Severity = "high", action: Action = Action.HALT
) -> Finding:
    return Finding(0, 1, rule, category, severity, action)


def counted(terms: dict[str, Any], *findings: tuple[Side, Finding]) -> list[tuple[str, str, float]]:
    made = strikes_of(findings, ladder_of(msgspec.convert(terms, ConductTerms)), "g-1", NOW, "p@1")
    return [(one.category, one.rule, one.points) for one in made]


def test_of_each_category_the_gravest_counts_once() -> None:
    got = counted(
        {},
        ("prompt", found("a", severity="medium")),
        ("answer", found("b", severity="critical")),
        ("answer", found("c", "fraud")),
        ("answer", found("d", "fraud")),
    )
    assert got == [("fraud", "c", 2), ("illicit", "b", 4)]


OURS = found(UNAVAILABLE.id, UNAVAILABLE.category)

# fmt: off
COUNTS: list[tuple[str, dict[str, Any], Side, Finding, float]] = [
    ("what was halted",           {},                                 "answer", found(),                       2),
    ("a prompt that was refused", {},                                 "prompt", found(),                       2),
    ("not what was only masked",  {},                                 "answer", found(action=Action.REDACT),   0),
    ("not what was only seen",    {},                                 "prompt", found(action=Action.LOG),      0),
    ("not what is of low weight", {},                                 "prompt", found(severity="low"),         0),
    ("never who is in a crisis",  {},                                 "prompt", found(category="self_harm"),   0),
    ("nor what leaks",            {},                                 "answer", found(category="secret"),      0),
    ("nor a failure of ours",     {"categories": {"unavailable": 9}}, "answer", OURS,                          0),
    ("but for who says so",       {"categories": {"self_harm": 1}},   "prompt", found(category="self_harm"),   2),
    ("what is seen, when asked",  {"actions": ["log"]},               "prompt", found(action=Action.LOG),      2),
    ("then not what is halted",   {"actions": ["log"]},               "prompt", found(),                       0),
    ("prompts alone",             {"of": "prompts"},                  "answer", found(),                       0),
    ("answers alone",             {"of": "answers"},                  "prompt", found(),                       0),
    ("not a rule that is exempt", {"exempt": ["r"]},                  "prompt", found(),                       0),
    ("a category by its factor",  {"categories": {"illicit": 3}},     "prompt", found(),                       6),
    ("a severity by its weight",  {"weights": {"high": 0.5}},         "prompt", found(),                       0.5),
]
# fmt: on


@pytest.mark.parametrize(("name", "terms", "side", "finding", "points"), COUNTS, ids=[each[0] for each in COUNTS])
def test_what_counts(name: str, terms: dict[str, Any], side: Side, finding: Finding, points: float) -> None:
    got = counted(terms, (side, finding))
    assert [each[2] for each in got] == ([points] if points else [])


# Twice, in any order, very many


def test_a_strike_that_is_written_twice_counts_once() -> None:
    conduct, _ = climbed(3)
    again, measure = struck(conduct, [strike(3, "g-0")], ladder_of(FULL), NOW, "c-9")
    assert (again, measure) == (conduct, None)


weights = st.lists(st.floats(0.1, 8), min_size=1, max_size=6)


@settings(max_examples=60, deadline=None)
@given(weights, st.randoms(use_true_random=False), st.floats(0, 1e7))
def test_points_and_the_gravest_measure_do_not_depend_on_the_order(
    points: list[float], random: Any, age: float
) -> None:
    strikes = [strike(each, f"g-{number}", NOW + number) for number, each in enumerate(points)]
    end = NOW + len(points)
    totals, steps = [], []
    for _ in range(2):
        random.shuffle(strikes)
        conduct = Conduct()
        for each in strikes:
            conduct, _ = struck(conduct, [each], ladder_of(FULL), end, f"c-{each.request}")
        holding = in_force(conduct, end)
        totals.append(points_of(conduct, end + age))
        steps.append(holding.step if holding else None)
    assert totals[0] == pytest.approx(totals[1])
    assert steps[0] == steps[1]


@settings(max_examples=60, deadline=None)
@given(weights, st.floats(0, 1e8), st.floats(0, 1e8))
def test_points_only_ever_fall(points: list[float], one: float, other: float) -> None:
    conduct, _ = climbed(*points, apart=3600)
    last = NOW + len(points) * 3600
    assert points_of(conduct, last + one + other) <= points_of(conduct, last + one)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0.1, 8), min_size=1, max_size=12), st.floats(0, 3600))
def test_no_step_is_taken_while_one_as_grave_is_in_force(points: list[float], apart: float) -> None:
    conduct, taken = climbed(*points, apart=apart)
    grades = [STEPS.index(measure.step) for measure in taken]
    assert all(low < high for low, high in itertools.pairwise(grades))
    assert len({measure.case for measure in taken}) == len(taken)
    assert {each.case for each in conduct.strikes} - {""} <= {measure.case for measure in taken}


def test_the_document_stays_small_and_no_points_are_lost() -> None:
    points = [1.0] * (MOST_STRIKES * 3)
    conduct, _ = climbed(*points, apart=60)
    assert len(conduct.strikes) == MOST_STRIKES
    assert len(msgspec.json.encode(conduct)) < 8192
    end = NOW + len(points) * 60
    half_life = ladder_of(FULL).half_life
    every = sum(ladder.decayed(1.0, end - NOW - n * 60, half_life) for n in range(len(points)))
    assert points_of(conduct, end) == pytest.approx(every)


# Lifted, imposed


def own(conduct: Conduct, case: str) -> list[Strike]:
    return [each for each in conduct.strikes if each.case == case]


def test_a_case_that_is_lifted_takes_its_strikes_and_its_measure_back() -> None:
    conduct, (warned, suspended) = climbed(3, 8)
    after, ended = lifted(conduct, suspended.case, own(conduct, suspended.case), NOW)
    assert ended == (suspended,)
    assert points_of(after, NOW) == pytest.approx(3)
    assert in_force(after, NOW) == warned
    assert lifted(after, suspended.case, own(conduct, suspended.case), NOW) == (after, ())


def test_with_its_ground_a_graver_measure_goes_too() -> None:
    conduct, (warned, suspended) = climbed(3, 8)
    after, ended = lifted(conduct, warned.case, own(conduct, warned.case), NOW)
    assert ended == (warned, suspended)
    assert in_force(after, NOW) is None
    assert points_of(after, NOW) == pytest.approx(8)


def test_what_other_strikes_still_hold_stays() -> None:
    conduct, (warned, suspended) = climbed(3, 12)
    after, ended = lifted(conduct, warned.case, own(conduct, warned.case), NOW)
    assert ended == (warned,)
    assert in_force(after, NOW) == suspended


def test_that_strikes_faded_is_no_reason_to_end_another_measure() -> None:
    terms = msgspec.convert({"half_life": 60, "suspend": {"duration": 30 * DAY}}, ConductTerms)
    conduct, (_, suspended) = climbed(3, 20, terms=terms)
    later = NOW + DAY
    conduct, warned = struck(conduct, [strike(2, "g-8", later)], ladder_of(terms), later, "c-9")
    assert warned is None
    assert lifted(conduct, "c-other", [], later)[1] == ()
    assert in_force(conduct, later) == suspended


def test_strikes_that_are_not_listed_any_more_are_taken_back_from_the_sum() -> None:
    conduct, taken = climbed(*([1.0] * (MOST_STRIKES + 3)))
    first = [strike(1.0, f"g-{n}") for n in range(3)]
    after, _ = lifted(conduct, taken[0].case, first, NOW)
    assert points_of(after, NOW) == pytest.approx(points_of(conduct, NOW) - 3)


def test_what_a_person_imposed_rests_on_no_points() -> None:
    conduct, (suspended,) = climbed(10)
    milder = Measure("restrict", suspended.case, NOW, NOW + 60)
    conduct = ladder.imposed(conduct, milder)
    assert conduct.measures == (milder,)
    assert lifted(conduct, "c-other", conduct.strikes, NOW)[1] == ()
