"""What stands on the loop: each window answered once, and counted; what is a verdict and what is not."""

from __future__ import annotations

import asyncio
from math import nan

import pytest

from guardrail.classify.intake import Intake, verdict_of
from guardrail.text.scores import CATEGORIES, Failure, Verdict
from guardrail.text.units import Window
from tests.classify.faulty import FINE
from tests.classify.waiting import until

LONG = 600.0
OK = Verdict(FINE)
BROKEN = Verdict(None, Failure.BROKEN)


@pytest.mark.parametrize(
    ("scores", "labels", "expected"),
    [
        (FINE, CATEGORIES, OK),
        (None, CATEGORIES, BROKEN),
        ((), CATEGORIES, BROKEN),
        (FINE[1:], CATEGORIES, BROKEN),
        ((*FINE[1:], 1.0000001), CATEGORIES, BROKEN),
        ((*FINE[1:], -0.1), CATEGORIES, BROKEN),
        ((*FINE[1:], float("inf")), (), BROKEN),
        ((*FINE[1:], nan), CATEGORIES, BROKEN),
    ],
)
def test_what_is_a_verdict(scores: tuple[float, ...] | None, labels: tuple[str, ...], expected: Verdict) -> None:
    assert verdict_of(scores, labels) == expected


def test_where_there_is_no_label_no_number_is_right() -> None:
    assert verdict_of((*FINE[1:], nan), CATEGORIES[:-1]).failure is None


class Desk:
    """An intake, and what its windows were answered, by their text."""

    def __init__(self, capacity: int = 9) -> None:
        self.intake = Intake(capacity)
        self.seen: list[tuple[str, Verdict]] = []

    def take(self, text: str, deadline: float = LONG, *, refuse: bool = False) -> bool:
        return self.intake.take(Window("", text), lambda v: self.seen.append((text, v)), deadline, refuse=refuse)

    async def answered(self) -> list[tuple[str, Verdict]]:
        await asyncio.sleep(0)
        found, self.seen = self.seen, []
        return found


async def test_a_window_is_answered_once_and_not_at_once() -> None:
    desk = Desk()
    assert desk.take("a")
    (job,) = desk.intake.next(8)
    desk.intake.answer(job, OK)
    assert desk.seen == []
    assert await desk.answered() == [("a", OK)]
    desk.intake.answer(job, BROKEN)
    desk.intake.fail([job], Failure.BROKEN)
    assert await desk.answered() == []
    assert desk.intake.counters.submitted == desk.intake.counters.scored == 1
    assert sum(desk.intake.counters.failures.values()) == 0


async def test_what_is_refused_or_finds_no_room_is_answered_with_why() -> None:
    desk = Desk(capacity=1)
    assert [desk.take("a", refuse=True), desk.take("b"), desk.take("c")] == [False, True, False]
    assert await desk.answered() == [("a", BROKEN), ("c", Verdict(None, Failure.QUEUE_FULL))]
    assert desk.intake.waiting == 1


async def test_deadlines_in_any_order() -> None:
    desk = Desk()
    for text, deadline in [("late", 0.03), ("early", 0.01), ("never", LONG), ("middle", 0.02)]:
        desk.take(text, deadline)
    await until(lambda: len(desk.seen) == 3)
    assert [text for text, _ in desk.seen] == ["early", "middle", "late"]
    assert {verdict for _, verdict in desk.seen} == {Verdict(None, Failure.DEADLINE)}
    desk.intake.close()
    assert (await desk.answered())[3:] == [("never", BROKEN)]


async def test_the_first_stage_is_counted() -> None:
    intake = Desk().intake
    assert intake.quick(OK) is OK
    assert intake.quick(BROKEN) is BROKEN
    assert (intake.counters.quick, intake.counters.failures[Failure.BROKEN], intake.counters.submitted) == (1, 1, 0)
