"""Queue and batch choice, as scripts: what is put in, taken, settled and late."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from guardrail.classify.batcher import LIKE, LOOK_AHEAD, Batcher, Job, length_of
from guardrail.text.units import Window


def job(length: int = 10, deadline: float = 9.0, done: Callable[..., Any] = print) -> Job:
    return Job(Window("", "x"), done, deadline, length)


def filled(*lengths: int, capacity: int = 1000) -> tuple[Batcher, list[Job]]:
    batcher = Batcher(capacity)
    jobs = [job(length) for length in lengths]
    assert all(batcher.put(each) for each in jobs)
    return batcher, jobs


def lengths(batch: list[Job]) -> list[int]:
    return [each.length for each in batch]


def test_the_longest_waiting_goes_first_with_others_as_long() -> None:
    batcher, _ = filled(10, 100, 12, 15, 16, 90, 7, 6)
    assert lengths(batcher.take(8)) == [10, 12, 15, 7]
    assert lengths(batcher.take(8)) == [100, 90]
    assert lengths(batcher.take(8)) == [16]
    assert lengths(batcher.take(8)) == [6]
    assert batcher.take(8) == []


def test_a_batch_has_its_most() -> None:
    batcher, jobs = filled(*[10] * 5)
    assert batcher.take(1) == jobs[:1]
    assert batcher.take(3) == jobs[1:4]
    assert batcher.take(3) == jobs[4:]


def test_only_so_far_back_is_looked_for_like_ones() -> None:
    batcher, jobs = filled(10, *[100] * LOOK_AHEAD, 10)
    assert batcher.take(8) == jobs[:1]


def test_no_more_wait_than_there_is_room_for() -> None:
    batcher, _ = filled(10, 10, capacity=2)
    assert not batcher.put(job())
    batcher.take(1)  # what is under way waits no more
    assert batcher.put(job())
    assert batcher.waiting == 2


def test_a_job_is_answered_once() -> None:
    batcher, (first, second, third) = filled(10, 10, 10)
    assert batcher.take(1) == [first]
    assert batcher.open(first)
    assert batcher.settle(first)
    assert not batcher.open(first)
    assert not batcher.settle(first)
    assert batcher.settle(second)  # while it waits: it is not taken any more
    assert batcher.take(8) == [third]
    assert batcher.drain() == [third]
    assert not batcher.settle(third)


def test_what_is_late_is_open_no_more() -> None:
    batcher = Batcher(9)
    early, late, under_way = job(deadline=1.0), job(deadline=5.0), job(deadline=0.5)
    assert batcher.put(under_way)
    batcher.take(1)
    assert batcher.earliest == 0.5
    assert batcher.put(late)
    assert batcher.put(early)
    assert batcher.expire(0.4) == []
    assert batcher.expire(1.0) == [under_way, early]
    assert not batcher.settle(under_way)
    assert batcher.earliest == 5.0
    assert batcher.take(8) == [late]
    assert batcher.drain() == [late]
    assert batcher.earliest is None


@given(st.lists(st.integers(1, 400), max_size=80), st.integers(1, 9))
def test_every_job_is_taken_once_and_none_is_overtaken_for_ever(found: list[int], most: int) -> None:
    batcher, jobs = filled(*found)
    left = list(jobs)
    while batch := batcher.take(most):
        assert batch[0] is left[0]
        assert len(batch) <= most
        assert all(each.length <= LIKE * batch[0].length <= LIKE * LIKE * each.length for each in batch)
        left = [each for each in left if each not in batch]
    assert left == []


def test_length_is_that_of_all_that_is_read() -> None:
    assert length_of(Window("ab", "cd", "e")) == 5
    assert length_of(Window("", "你好")) == 6
    assert length_of(Window("", "\ud83d")) == 3
