"""A term is added to a long lexicon: when it is live, and how long the event loop was kept from running streams.

A registry watches a configuration on disk. A task sleeps a millisecond at a time and notes how late it wakes, first
while nothing happens, then from the moment at which the list is written until the term is found. The difference is
what a stream of the same process feels.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from benchmarks.material import keywords
from guardrail.policy.registry import Registry
from guardrail.stream import guard_text

TICK = 0.001
"""Seconds between two looks at the clock."""
QUIET = 3.0
"""Seconds that are watched while nothing happens."""
LATE = 0.010
"""Seconds from which on a wake is counted as late: about a token of a fast model."""
NEW = "an entirely new term of the list"

_ROOT = 'version: 1\nupstreams: {default: {url: "http://127.0.0.1:8000"}}\ncache: cache\n'
_POLICY = "policy: default\nrules: [{id: list, lexicon: ../lexicons/list.txt, action: redact}]\n"


@dataclass(frozen=True, slots=True)
class Result:
    """Seconds, but for the counts."""

    terms: int
    change: str
    live: float
    """From the change of the file to the first answer that is guarded by the new list."""
    longest: float
    """The longest time that the event loop woke late by."""
    late: int
    """How often it woke late by LATE or more."""


class Lateness:
    """How late a sleeping task wakes, while `watched`."""

    def __init__(self) -> None:
        self.late: list[float] = []

    @contextlib.asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._tick())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _tick(self) -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(TICK)
            self.late.append(time.perf_counter() - before - TICK)

    def result(self, terms: int, change: str, live: float) -> Result:
        return Result(terms, change, live, max(self.late), sum(late >= LATE for late in self.late))


async def _measure(folder: Path, terms: Sequence[str]) -> list[Result]:
    for name, content in {
        "guardrail.yaml": _ROOT,
        "policies/default.yaml": _POLICY,
        "lexicons/list.txt": "\n".join(terms),
    }.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8")
    results = []
    started = time.perf_counter()
    registry = Registry.load(folder / "guardrail.yaml", environ={})
    results.append(Result(len(terms), "start", time.perf_counter() - started, 0, 0))
    watch = asyncio.create_task(registry.watch())
    await asyncio.sleep(QUIET)  # until the watch is in place and has looked once
    quiet = Lateness()
    async with quiet.watched():
        await asyncio.sleep(QUIET)
    results.append(quiet.result(len(terms), "none", 0))
    busy = Lateness()
    async with busy.watched():
        (folder / "new").write_text("\n".join([*terms, NEW]), encoding="utf-8")
        (folder / "new").replace(folder / "lexicons/list.txt")
        started = time.perf_counter()
        while not guard_text(NEW, registry.current.policies["default"]).findings:  # noqa: ASYNC110 (nothing tells)
            await asyncio.sleep(TICK)
        live = time.perf_counter() - started
        await asyncio.sleep(QUIET / 10)  # what is put off until after it counts as well
    results.append(busy.result(len(terms), "one term more", live))
    watch.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watch
    return results


def measure_reload(sizes: Iterable[int]) -> list[Result]:
    results = []
    for size in sizes:
        with TemporaryDirectory() as folder:
            results += asyncio.run(_measure(Path(folder), keywords(size)))
    return results


def show(results: Iterable[Result], console: Console) -> None:
    table = Table(title="A lexicon changes under running streams")
    for heading in ("terms", "change", "live after", "longest stall", f"stalls ≥ {LATE * 1000:.0f} ms"):
        table.add_column(heading, justify="left" if heading == "change" else "right")
    for each in results:
        stalls = (f"{each.longest * 1000:.1f} ms", str(each.late)) if each.change != "start" else ("", "")
        table.add_row(f"{each.terms:,}", each.change, f"{each.live:.2f} s" if each.live else "", *stalls)
    console.print(table)


def as_json(results: Iterable[Result]) -> list[dict[str, object]]:
    return [asdict(result) for result in results]
