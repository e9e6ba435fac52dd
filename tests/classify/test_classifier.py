"""The classifier of a process: one verdict for each window, whatever the model does."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from guardrail.classify import classifier as module
from guardrail.classify.classifier import LocalClassifier
from guardrail.classify.model import load_model
from guardrail.text.scores import CATEGORIES, Failure, Verdict
from guardrail.text.units import Window
from tests.classify.faulty import FINE, FaultyModel
from tests.classify.tiny import ours
from tests.classify.waiting import until

LONG = 600.0
"""A deadline that no test reaches."""
OK = Verdict(FINE)
BROKEN = Verdict(None, Failure.BROKEN)
DEADLINE = Verdict(None, Failure.DEADLINE)
FULL = Verdict(None, Failure.QUEUE_FULL)


@asynccontextmanager
async def running(model: FaultyModel, **options: Any) -> AsyncIterator[LocalClassifier]:
    made = LocalClassifier(model, **options)
    try:
        yield made
    finally:
        model.release.set()
        await made.close()


def submit(classifier: LocalClassifier, text: str, deadline: float = LONG) -> asyncio.Future[Verdict]:
    future: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
    classifier.submit(Window("", text), future.set_result, deadline)
    assert not future.done(), "an answer never comes inside of `submit`"
    return future


async def answers(classifier: LocalClassifier, *texts: str) -> list[Verdict]:
    return await asyncio.wait_for(asyncio.gather(*(submit(classifier, text) for text in texts)), 30)


CASES: list[tuple[str, list[str], list[Verdict]]] = [
    ("fine", ["a", "b", "c"], [OK] * 3),
    ("one raises", ["a", "raise", "b"], [OK, BROKEN, OK]),
    ("one is no number", ["a", "nan", "b"], [OK, BROKEN, OK]),
    ("one is no probability", ["a", "high", "b"], [OK, BROKEN, OK]),
    ("too few answers", ["few"], [BROKEN]),
    ("the thread ends, and there is another", ["exit", "a"], [BROKEN, OK]),
]


@pytest.mark.parametrize("batches", [True, False])
@pytest.mark.parametrize(("texts", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
async def test_a_verdict_for_each(texts: list[str], expected: list[Verdict], batches: bool) -> None:
    async with running(FaultyModel(batches=batches)) as classifier:
        # One after the other: what a thread that ends takes with it is its batch.
        assert [(await answers(classifier, text))[0] for text in texts] == expected
        scored = expected.count(OK)
        assert classifier.counters.submitted == len(texts)
        assert classifier.counters.scored == scored
        assert classifier.counters.failures == {
            Failure.QUEUE_FULL: 0,
            Failure.DEADLINE: 0,
            Failure.BROKEN: len(texts) - scored,
        }


async def test_windows_that_wait_are_scored_together_where_the_model_may() -> None:
    for batches, expected in [(True, [["wait"], ["a", "b", "c"]]), (False, [["wait"], ["a"], ["b"], ["c"]])]:
        model = FaultyModel(batches=batches)
        async with running(model) as classifier:
            all_of_them = [submit(classifier, text) for text in ("wait", "a", "b", "c")]
            await asyncio.to_thread(model.waiting.wait, 30)
            model.release.set()
            assert await asyncio.gather(*all_of_them) == [OK] * 4
            assert classifier.counters.calls == len(expected)
        assert model.batches_seen == expected


async def test_the_first_stage_answers_at_once() -> None:
    async with running(FaultyModel()) as classifier:
        assert classifier.quick(Window("", "sure")) == OK
        assert classifier.quick(Window("", "unsure")) is None
        assert classifier.quick(Window("", "gate-nan")) == BROKEN
        assert classifier.quick(Window("", "gate-raise")) == BROKEN
        assert (classifier.counters.quick, classifier.counters.failures[Failure.BROKEN]) == (1, 2)
        assert classifier.counters.submitted == 0


async def test_a_deadline_is_kept_while_the_thread_hangs_and_the_late_answer_is_dropped() -> None:
    model = FaultyModel()
    async with running(model) as classifier:
        first, second, later = (
            submit(classifier, text, deadline) for text, deadline in [("wait", 0.02), ("a", 0.01), ("b", LONG)]
        )
        assert await first == await second == DEADLINE
        model.release.set()
        assert await later == OK
        assert model.batches_seen == [["wait"], ["b"]]
        assert classifier.counters.failures[Failure.DEADLINE] == 2


async def test_an_earlier_deadline_is_kept_before_one_that_was_there_first() -> None:
    async with running(FaultyModel()) as classifier:
        patient = submit(classifier, "wait", LONG)
        assert await submit(classifier, "a", 0.01) == DEADLINE
        assert not patient.done()


async def test_a_full_queue_says_so() -> None:
    model = FaultyModel()
    async with running(model, capacity=2) as classifier:
        under_way = submit(classifier, "wait")
        await asyncio.to_thread(model.waiting.wait, 30)
        waiting = [submit(classifier, "a"), submit(classifier, "b")]
        assert classifier.waiting == 2
        assert await submit(classifier, "c") == FULL
        model.release.set()
        assert await asyncio.gather(under_way, *waiting) == [OK] * 3
        assert await submit(classifier, "d") == OK


async def test_a_thread_that_hangs_is_left_and_replaced() -> None:
    model = FaultyModel()
    async with running(model, hang=0.02) as classifier:
        assert await answers(classifier, "wait", "b") == [BROKEN, OK]
        assert model.renewals == classifier.counters.replaced == 1
        assert not classifier.broken


async def test_of_several_threads_one_that_hangs_stops_nobody() -> None:
    model = FaultyModel(batches=False)
    async with running(model, threads=2) as classifier:
        hung = submit(classifier, "wait")
        assert await answers(classifier, *"abcdef") == [OK] * 6
        assert not hung.done()


async def test_a_model_that_goes_on_failing_is_broken_until_a_probe_succeeds() -> None:
    model = FaultyModel()
    async with running(model, probe=0.02) as classifier:
        for number in range(module.LOST + 1):
            assert not classifier.broken
            assert await answers(classifier, "exit") == [BROKEN]
            await until(lambda wanted=number: classifier.broken or model.renewals > wanted)  # type: ignore[misc]
        assert classifier.broken
        assert await answers(classifier, "a") == [BROKEN]
        model.sick = 2  # the first probes fail
        await until(lambda: not classifier.broken)
        assert model.sick == 0
        assert await answers(classifier, "a") == [OK]


async def test_what_waits_when_a_model_breaks_is_answered() -> None:
    model = FaultyModel(sick=module.LOST)
    async with running(model) as classifier:
        assert await answers(classifier, "exit", "b", "c") == [BROKEN] * 3
        assert model.renewals == module.LOST


async def test_no_more_threads_are_started_while_many_hang() -> None:
    model = FaultyModel()
    module_threads = {thread for thread in threading.enumerate() if thread.name == "guardrail-classifier"}
    async with running(model, hang=0.01, probe=0.01) as classifier:
        hung = 0
        while hung < module.MAX_STUCK:
            await until(lambda: not classifier.broken)
            hung += 1
            assert await submit(classifier, "wait") == BROKEN
        await asyncio.sleep(0.1)  # time for ten probes
        assert classifier.broken
        now = {thread for thread in threading.enumerate() if thread.name == "guardrail-classifier"}
        assert len(now - module_threads) == module.MAX_STUCK
        model.release.set()
        await until(lambda: not classifier.broken)
        assert await answers(classifier, "a") == [OK]


@contextmanager
def no_thread_to_be_had() -> Iterator[None]:
    """No thread can be started: each wants a stack larger than any address space."""
    usual = threading.stack_size(1 << 50)
    try:
        yield
    finally:
        threading.stack_size(usual)


async def test_a_thread_that_cannot_be_started_is_tried_again() -> None:
    model = FaultyModel()
    with no_thread_to_be_had():
        made = LocalClassifier(model, probe=0.02)
        assert made.broken
        assert await answers(made, "a") == [BROKEN]
    await until(lambda: not made.broken)
    assert await answers(made, "a") == [OK]
    replaced = made.counters.replaced
    with no_thread_to_be_had():
        assert await answers(made, "exit", "b") == [BROKEN] * 2
        assert made.broken
        await asyncio.sleep(0.1)  # time for several attempts
        assert await answers(made, "a") == [BROKEN]
        assert made.counters.replaced == replaced
    await until(lambda: not made.broken)
    assert await answers(made, "a") == [OK]
    await made.close()


async def test_closing_answers_what_is_open_and_ends_the_threads() -> None:
    before = set(threading.enumerate())
    model = FaultyModel()
    classifier = LocalClassifier(model)
    open_ones = [submit(classifier, text) for text in ("a", "wait", "wait b")]
    await asyncio.to_thread(model.waiting.wait, 30)
    closing = asyncio.ensure_future(classifier.close())
    await asyncio.sleep(0)
    model.release.set()
    await closing
    assert (await asyncio.gather(*open_ones))[1:] == [BROKEN] * 2
    assert not any(thread.name == "guardrail-classifier" for thread in set(threading.enumerate()) - before)
    assert await submit(classifier, "late") == BROKEN


async def test_a_callback_that_raises_takes_no_other_with_it() -> None:
    loop = asyncio.get_running_loop()
    raised: list[Any] = []
    loop.set_exception_handler(lambda _, context: raised.append(context["exception"]))

    def bad(verdict: Verdict) -> None:
        raise RuntimeError("a caller's")

    model = FaultyModel()
    async with running(model) as classifier:
        submit(classifier, "wait")
        classifier.submit(Window("", "a"), bad, LONG)
        last = submit(classifier, "b")
        model.release.set()
        assert await last == OK
    assert [str(error) for error in raised] == ["a caller's"]


async def test_a_real_model_end_to_end(tmp_path: Path) -> None:
    model = load_model(ours(tmp_path))
    classifier = LocalClassifier(model)
    assert (classifier.name, classifier.digest, classifier.labels) == ("tiny", model.digest, CATEGORIES)
    verdicts = await answers(classifier, "you idiot", "fine weather", "broken", "damn")
    await classifier.close()
    assert [verdict.failure for verdict in verdicts] == [None, None, Failure.BROKEN, None]
    whole: Sequence[Any] = model.score([Window("", "you idiot"), Window("", "fine weather"), Window("", "damn")])
    assert [verdict.scores for verdict in verdicts if verdict.scores] == whole


WORDS = ("a", "raise", "nan", "high", "few", "exit", "sick")


@pytest.mark.parametrize("seed", range(12))
async def test_whatever_happens_each_window_is_answered_once_and_only_fine_ones_with_scores(seed: int) -> None:
    dice = random.Random(seed)
    model = FaultyModel(batches=seed % 2 == 0)
    seen: list[tuple[int, str, Verdict]] = []
    async with running(model, threads=1 + seed % 3, capacity=20, probe=0.002) as classifier:
        texts = [dice.choices(WORDS, (20, 2, 2, 2, 1, 1, 1))[0] for _ in range(300)]
        for number, text in enumerate(texts):
            if text == "sick":
                model.sick = 1
            deadline = 0.001 if dice.random() < 0.05 else LONG
            classifier.submit(
                Window("", text), lambda verdict, at=number, of=text: seen.append((at, of, verdict)), deadline
            )
            if dice.random() < 0.2:
                await asyncio.sleep(0)
            if dice.random() < 0.1:
                await asyncio.sleep(0.001)
        await until(lambda: len(seen) >= len(texts))
        assert sorted(at for at, _, _ in seen) == list(range(len(texts)))
        assert {of for _, of, verdict in seen if verdict.failure is None} <= {"a", "sick"}
        assert any(verdict == OK for _, _, verdict in seen)
        counters = classifier.counters
        assert counters.submitted == len(texts) == counters.scored + sum(counters.failures.values())
        async with asyncio.timeout(30):
            while await answers(classifier, "a") != [OK]:
                await asyncio.sleep(0.001)
