"""The sliding window: nothing is let through that must not be, and nothing refused for long that need not be."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from guardrail.state.window import STEPS, Window, step_of

seconds = st.floats(0.001, 1e6, allow_nan=False)


@given(seconds)
def test_sixty_steps_are_a_window(window: float) -> None:
    assert step_of(window) * STEPS >= window * 1_000_000
    assert (step_of(window) - 1) * STEPS < window * 1_000_000


@given(
    st.sampled_from([1.0, 7.7, 60.0]),
    st.integers(1, 9),
    st.lists(st.tuples(st.integers(0, 5_000_000), st.integers(1, 4)), max_size=60),
)
def test_in_no_stretch_of_a_window_is_more_taken_than_its_limit(
    window: float, limit: int, asked: list[tuple[int, int]]
) -> None:
    step, now, flat = step_of(window), 1_800_000_000_000_000, []
    taken: list[tuple[int, int]] = []
    for later, cost in asked:
        now += later
        counted = Window(step, now, flat)
        if counted.fits(cost, limit, spare=False):
            counted.add(cost)
            taken.append((now, cost))
        flat = counted.flat()
        assert len(flat) <= 2 * (STEPS + 1)
    length = int(window * 1_000_000)
    for begin, _ in taken:
        assert sum(cost for at, cost in taken if begin <= at < begin + length) <= limit


@given(st.integers(1, 9), st.lists(st.tuples(st.integers(0, 9_000_000), st.integers(1, 9)), max_size=20))
def test_there_is_room_when_it_says_so_and_not_before(cost: int, events: list[tuple[int, int]]) -> None:
    step, now, limit = step_of(60.0), 1_800_000_000_000_000, 12
    flat: list[int] = []
    for later, count in events:
        now += later
        counted = Window(step, now, flat)
        counted.add(count)
        flat = counted.flat()
    wait = Window(step, now, flat).room_in(cost, limit, spare=False)
    assert wait is not None
    assert Window(step, now + wait, flat).fits(cost, limit, spare=False)
    assert wait == 0 or not Window(step, now + wait - 1, flat).fits(cost, limit, spare=False)


def test_what_can_never_fit() -> None:
    window = Window(step_of(60.0), 1_800_000_000_000_000)
    assert window.room_in(5, 4, spare=False) is None
    assert window.room_in(5, 4, spare=True) == 0
    assert window.reset == 0


def test_what_is_given_back_is_of_the_oldest() -> None:
    step, now = step_of(60.0), 1_800_000_000_000_000
    window = Window(step, now, [now // step - 10, 5, now // step - 5, 5])
    window.add(-7)
    assert window.flat() == [now // step - 5, 3]
    window.add(-7)
    assert (window.flat(), window.used) == ([], 0)
