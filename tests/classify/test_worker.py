"""Threads that run a model: what they report, and that nothing ends one in silence."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from guardrail.classify.batcher import Job
from guardrail.classify.worker import Losses, Scorer, Worker
from guardrail.errors import ModelFault
from guardrail.text.units import Window
from tests.classify.faulty import FINE, FaultyModel


class Reports:
    """What a worker said, in order."""

    def __init__(self) -> None:
        self.seen: asyncio.Queue[Any] = asyncio.Queue()

    def worker(self, make: Callable[[], Scorer]) -> Worker:
        return Worker(
            make,
            lambda _: self.seen.put_nowait("ready"),
            lambda _, found: self.seen.put_nowait(found),
            lambda _: self.seen.put_nowait("lost"),
        )

    async def next(self) -> Any:
        return await asyncio.wait_for(self.seen.get(), 20)


def batch(*texts: str) -> list[Job]:
    return [Job(Window("", text), print, 0.0, 1) for text in texts]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["a", "b"], [[FINE, FINE]]),
        (["raise"], [[None]]),
        (["a", "raise", "b"], [[FINE, None, FINE]]),
        (["exit"], ["lost"]),
        (["a", "exit"], ["lost"]),
        (["few"], [[]]),
    ],
)
async def test_a_batch_and_what_is_reported(texts: list[str], expected: list[Any]) -> None:
    reports = Reports()
    worker = reports.worker(FaultyModel)
    assert await reports.next() == "ready"
    worker.give(batch(*texts))
    assert [await reports.next() for _ in expected] == expected
    worker.leave()
    worker.join(20)
    assert not worker.alive


async def test_a_window_that_fails_alone_is_the_windows_fault_unless_a_harmless_one_fails_too() -> None:
    reports, model = Reports(), FaultyModel()
    worker = reports.worker(lambda: model)
    await reports.next()
    worker.give(batch("raise"))
    assert await reports.next() == [None]
    worker.give(batch("fine"))
    assert await reports.next() == [FINE]
    model.dead = True
    worker.give(batch("fine"))
    assert await reports.next() == [None]
    assert await reports.next() == "lost"


async def test_a_model_that_does_not_load_loses_the_thread() -> None:
    def make() -> Scorer:
        raise ModelFault("no model")

    reports = Reports()
    reports.worker(make)
    assert await reports.next() == "lost"


async def test_what_a_thread_says_after_it_was_left_is_not_heard() -> None:
    reports, model = Reports(), FaultyModel()
    worker = reports.worker(lambda: model)
    await reports.next()
    worker.give(batch("wait"))
    await asyncio.to_thread(model.waiting.wait, 20)
    worker.leave()
    model.release.set()
    await asyncio.to_thread(worker.join, 20)
    assert not worker.alive
    await asyncio.sleep(0)
    assert reports.seen.empty()


def test_a_thread_ends_when_its_loop_is_gone() -> None:
    async def start(model: FaultyModel) -> Worker:
        reports = Reports()
        worker = reports.worker(lambda: model)
        await reports.next()
        worker.give(batch("wait"))
        return worker

    model = FaultyModel()
    worker = asyncio.run(start(model))
    model.release.set()
    worker.join(20)
    assert not worker.alive


def test_so_many_losses_are_made_good_at_once() -> None:
    losses = Losses(2, 60.0)
    assert [losses.replace(now) for now in (0.0, 1.0, 2.0)] == [True, True, False]
    assert [losses.replace(now) for now in (3.0, 62.9, 63.0, 64.0)] == [True, True, True, False]
