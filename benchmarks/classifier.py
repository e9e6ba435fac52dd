"""What a classifier costs: CPU per token, encoder calls, time from a unit's end to its verdict, memory.

The bundled English and Chinese answers, which are harmless, go through the whole proxy with the classifier and without
(see `scored`). Then the classifier alone: they are cut into tokens and units as streams would be; every unit goes
through the first stage and, where that is not sure, through the queue and the thread to the encoder.
"""

from __future__ import annotations

import asyncio
import itertools
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import scored
from benchmarks.material import TRAFFIC, Traffic, answer_tokens, answers
from guardrail.classify.classifier import LocalClassifier
from guardrail.classify.model import load_model
from guardrail.text.scores import Verdict
from guardrail.text.units import UnitCutter, Window

STREAMS = 200
TOKENS_A_SECOND = 30.0
"""Of one stream."""
SECONDS = 30.0
"""That the paced streams go on for."""
UNITS = 1_000_000
READINGS = 10
PATIENCE = 60.0
"""Deadline of every unit: what is measured here is how long it takes, not whether it is in time."""
MOST_OPEN = 32
"""Units that wait at a time while CPU is measured: as many as streams would have waiting, and no queue to manage."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one kind of traffic."""

    traffic: str
    units_per_1000_tokens: float
    calls_per_1000_tokens: float
    """Units that the encoder was asked about."""
    cutting_us: float
    """Microseconds of CPU per token to cut units, of which the next is more."""
    classifier_us: float
    """Microseconds of CPU per token to cut and score, on all threads."""
    loop_us: float
    """The part of it on the event loop."""
    spread: float


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds from the end of a unit to its verdict, of the units that the encoder scored and of all."""

    streams: int
    tokens_a_second: float
    units: int
    encoder_units: int
    encoder_p50: float
    encoder_p99: float
    p50: float
    p99: float
    worst: float
    failures: int
    cpu: float
    """Share of one core that was used."""


@dataclass(frozen=True, slots=True)
class Memory:
    """MiB of the process after so many units."""

    units: int
    mib: float


@dataclass(frozen=True, slots=True)
class Results:
    model: str
    added: list[scored.Added]
    costs: list[Cost]
    latencies: list[Latency]
    memory: list[Memory]


def measure_classifier(folder: Path, rounds: int, *, seconds: float = SECONDS, units: int = UNITS) -> Results:
    """Raises ModelError."""
    model = load_model(folder)

    def run(measure: Callable[[LocalClassifier], Awaitable[object]]) -> object:
        async def whole() -> object:
            classifier = LocalClassifier(model)
            try:
                return await measure(classifier)
            finally:
                await classifier.close()

        return asyncio.run(whole())

    added = scored.measure_added(folder, rounds)
    costs = [_cost(traffic, [run(_scored(traffic)) for _ in range(rounds + 1)][1:]) for traffic in TRAFFIC]
    latencies = [run(lambda classifier: _latency(classifier, STREAMS, seconds))]
    memory = run(lambda classifier: _memory(classifier, units))
    return Results(f"{model.name}@{model.digest[:12]}", added, costs, latencies, memory)  # type: ignore[arg-type]


def _each(traffic: Traffic) -> list[tuple[str, ...]]:
    """The tokens of every answer."""
    return [answer_tokens(traffic, number) for number in range(len(answers(traffic)))]


def _windows(traffic: Traffic) -> list[Window]:
    """What there is to score in all answers, each cut by itself."""
    found = []
    for pieces in _each(traffic):
        cutter = UnitCutter()
        cuts = [*itertools.chain.from_iterable(map(cutter.feed, pieces)), *cutter.finish()]
        found += [cut.window for cut in cuts if cut.window is not None]
    return found


def _cost(traffic: str, found: list[object]) -> Cost:
    runs: list[tuple[float, float, float, float, float]] = found  # type: ignore[assignment]
    per_token = [each[1] for each in runs]
    middle = statistics.median(per_token)
    _, _, _, units, calls = runs[0]
    return Cost(
        traffic,
        units * 1000,
        calls * 1000,
        statistics.median(each[0] for each in runs),
        middle,
        statistics.median(each[2] for each in runs),
        (max(per_token) - min(per_token)) / middle,
    )


def _scored(traffic: Traffic) -> Callable[[LocalClassifier], Awaitable[object]]:
    async def measure(classifier: LocalClassifier) -> tuple[float, float, float, float, float]:
        """Per token: seconds to cut, seconds to cut and score, those on the loop, units, encoder calls."""
        tokens = sum(map(len, _each(traffic)))
        before = time.process_time()
        windows = _windows(traffic)
        cutting = time.process_time() - before
        open_units = 0
        fewer = asyncio.Event()

        def done(_: Verdict) -> None:
            nonlocal open_units
            open_units -= 1
            fewer.set()

        whole, loop = time.process_time(), time.thread_time()
        for window in windows:
            if classifier.quick(window) is None:
                open_units += 1
                classifier.submit(window, done, PATIENCE)
                while open_units >= MOST_OPEN:
                    fewer.clear()
                    await fewer.wait()
        while open_units:
            fewer.clear()
            await fewer.wait()
        whole, loop = time.process_time() - whole + cutting, time.thread_time() - loop + cutting
        per_token = (each / tokens for each in (cutting, whole, loop, len(windows), classifier.counters.submitted))
        cutting, whole, loop, units, calls = per_token
        return cutting * 1e6, whole * 1e6, loop * 1e6, units, calls

    return measure


async def _latency(classifier: LocalClassifier, streams: int, seconds: float) -> Latency:
    loop = asyncio.get_running_loop()
    quick: list[float] = []
    slow: list[float] = []
    waiting = 0

    def submit(window: Window) -> None:
        nonlocal waiting
        ended = loop.time()

        def done(_: Verdict) -> None:
            nonlocal waiting
            waiting -= 1
            slow.append(loop.time() - ended)

        if classifier.quick(window) is not None:
            quick.append(loop.time() - ended)
        else:
            waiting += 1
            classifier.submit(window, done, PATIENCE)

    async def stream(number: int) -> None:
        """One answer after another, from somewhere in the first one on."""
        pace = 1 / TOKENS_A_SECOND
        at = loop.time() + number / streams * pace
        until = at + seconds
        every = _each(TRAFFIC[number % len(TRAFFIC)])
        for turn in itertools.count(number // len(TRAFFIC)):
            pieces = every[turn % len(every)]
            cutter = UnitCutter()
            for piece in pieces[number % len(pieces) :] if turn == number // len(TRAFFIC) else pieces:
                await asyncio.sleep(at - loop.time())
                at += pace
                for cut in cutter.feed(piece):
                    if cut.window is not None:
                        submit(cut.window)
                if at > until:
                    return
            for cut in cutter.finish():
                if cut.window is not None:
                    submit(cut.window)

    began, cpu = time.monotonic(), time.process_time()
    await asyncio.gather(*(stream(number) for number in range(streams)))
    used = (time.process_time() - cpu) / (time.monotonic() - began)
    while waiting:  # noqa: ASYNC110 (every verdict is told to its own callback)
        await asyncio.sleep(0.01)
    every = sorted(quick + slow)
    slow.sort()
    return Latency(
        streams=streams,
        tokens_a_second=TOKENS_A_SECOND,
        units=len(every),
        encoder_units=len(slow),
        encoder_p50=1000 * _quantile(slow, 0.5),
        encoder_p99=1000 * _quantile(slow, 0.99),
        p50=1000 * _quantile(every, 0.5),
        p99=1000 * _quantile(every, 0.99),
        worst=1000 * _quantile(every, 1.0),
        failures=sum(classifier.counters.failures.values()),
        cpu=used,
    )


def _quantile(ordered: list[float], share: float) -> float:
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else 0.0


async def _memory(classifier: LocalClassifier, units: int) -> list[Memory]:
    """Units of all lengths, none the same as another."""
    windows = [window for traffic in TRAFFIC for window in _windows(traffic)]
    found = [Memory(0, _resident())]
    open_units = 0
    fewer = asyncio.Event()

    def done(_: Verdict) -> None:
        nonlocal open_units
        open_units -= 1
        fewer.set()

    for number, window in enumerate(itertools.islice(itertools.cycle(windows), units), 1):
        changed = Window(window.context, f"{window.text[: number % 400]} {number}", window.prompt)
        if classifier.quick(changed) is None:
            open_units += 1
            classifier.submit(changed, done, PATIENCE)
            while open_units >= MOST_OPEN:
                fewer.clear()
                await fewer.wait()
        if number % (units // READINGS) == 0:
            found.append(Memory(number, _resident()))
    return found


def _resident() -> float:
    """MiB of this process. Linux only."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def show(results: Results, console: Console) -> None:
    scored.show(results.added, console)
    table = Table(title=f"CPU of the classifier {results.model} alone, harmless text")
    table.add_column("traffic")
    for heading in ("units", "encoder calls", "cutting", "cut and scored", "of it on the loop", "spread"):
        table.add_column(heading, justify="right")
    for c in results.costs:
        table.add_row(
            c.traffic,
            f"{c.units_per_1000_tokens:.1f} /1,000 tokens",
            f"{c.calls_per_1000_tokens:.2f} /1,000 tokens",
            f"{c.cutting_us:.2f} µs/token",
            f"{c.classifier_us:.1f} µs/token",
            f"{c.loop_us:.1f} µs/token",
            f"±{c.spread / 2:.0%}",
        )
    console.print(table)
    for one in results.latencies:
        console.print(
            f"{one.streams} streams of {one.tokens_a_second:.0f} tokens/s, English and Chinese: {one.units:,} units, "
            f"{one.encoder_units:,} by the encoder. From a unit's end to its verdict: p50 {one.p50:.2f} ms, "
            f"p99 {one.p99:.1f} ms, worst {one.worst:.1f} ms; by the encoder p50 {one.encoder_p50:.1f} ms, "
            f"p99 {one.encoder_p99:.1f} ms. {one.cpu:.0%} of a core, {one.failures} without scores."
        )
    console.print("Memory: " + ", ".join(f"{m.mib:.1f} MiB after {m.units:,} units" for m in results.memory))


def as_json(results: Results) -> dict[str, object]:
    return asdict(results)
