"""The units of a channel on their way to a verdict: order, failures, and what is counted."""

from __future__ import annotations

from collections import Counter
from typing import Literal

from guardrail.text.rules import Action
from guardrail.text.scores import CATEGORIES, Failure, ScoreRule, ScoreSettings, Verdict
from guardrail.text.scoring import Fired, Scoring, Tally
from guardrail.text.units import Window

ONE = "The first sentence of three here."
TWO = " The second one, as long as it."
THREE = " And the third one is the last."
BAD = Verdict((1.0, *[0.0] * 7))
GOOD = Verdict((0.0,) * 8)
LATE = Verdict(None, Failure.DEADLINE)


def scoring(action: Action = Action.HALT, fail: Literal["closed", "open"] = "closed") -> Scoring:
    rule = ScoreRule(id="hate", category="hate", action=action, label=0, at=0.5)
    return Scoring(ScoreSettings(model="m", labels=CATEGORIES, rules=(rule,), fail=fail), "")


def test_verdicts_take_effect_in_the_order_of_the_units() -> None:
    units = scoring()
    units.feed(ONE + TWO + THREE + " ")
    assert units.take_due() == [(0, Window("", ONE)), (1, Window(ONE, TWO)), (2, Window(ONE + TWO, THREE))]
    assert units.take_due() == []
    assert units.score(2, BAD) == []
    assert units.score(1, GOOD) == []
    assert (units.open, units.waiting) == (0, True)
    assert units.score(0, BAD) == [Fired(0, 0, 33), Fired(0, 65, 95)]
    assert (units.open, units.waiting) == (95, False)
    assert units.tally == Tally(3)


def test_a_verdict_counts_once_and_only_when_it_is_waited_for() -> None:
    units = scoring()
    units.feed(ONE + TWO + " ")
    assert units.score(7, BAD) == []
    assert units.score(1, BAD) == []
    assert units.score(1, GOOD) == []
    assert units.score(0, GOOD) == [Fired(0, 34, 64)]
    assert units.score(0, BAD) == []
    assert units.tally.units == 2


def test_blanks_are_passed_over() -> None:
    units = scoring()
    units.feed(" " * 30 + "\n")
    assert (units.take_due(), units.waiting, units.open) == ([], False, 31)
    units.feed(ONE + "\n" + " " * 30 + "\n")
    assert (units.waiting, units.open) == (True, 31)
    assert units.score(1, GOOD) == []
    assert (units.waiting, units.open) == (False, 96)


def test_a_cut_ends_the_open_unit() -> None:
    units = scoring()
    units.feed("Half a")
    units.cut()
    units.feed(" sentence")
    units.cut()
    units.cut()
    assert units.take_due() == [(0, Window("", "Half a")), (1, Window("Half a", " sentence"))]


def test_a_failure_fires_the_halt_that_stands_behind_the_levels() -> None:
    units = scoring()
    units.feed(ONE + " ")
    assert units.score(0, LATE) == [Fired(1, 0, 33)]
    assert units.tally == Tally(1, Counter({Failure.DEADLINE: 1}))


def test_a_failure_passes_and_is_counted_when_the_policy_says_so_or_nothing_is_held() -> None:
    for units in (scoring(fail="open"), scoring(Action.LOG)):
        units.feed(ONE + TWO + " ")
        assert units.score(0, LATE) == []
        assert units.score(1, LATE) == []
        assert units.tally.unscanned == len(ONE + TWO)
        assert units.open == len(ONE + TWO)


def test_nothing_is_waited_for_after_a_stop() -> None:
    units = scoring()
    units.feed(ONE + " ")
    units.stop()
    assert (units.take_due(), units.waiting, units.score(0, BAD)) == ([], False, [])


def test_tallies_add_up() -> None:
    whole = Tally(2)
    whole.add(Tally(1, {Failure.BROKEN: 1}, 9))  # type: ignore[arg-type]
    whole.add(Tally(1, Counter({Failure.BROKEN: 1, Failure.DEADLINE: 1}), 1))
    assert whole == Tally(4, Counter({Failure.BROKEN: 2, Failure.DEADLINE: 1}), 10)
