"""CPU per token of the proxy process, beside a bare relay and no proxy at all, and the time that each adds.

The three scenarios are many tokens at once in one stream, in fifty streams, and 200 streams at the pace of a
real model. Proxy, load and upstream share one CPU; targets take turns in each round, and the medians of the
rounds are shown with their spread. Every response is checked to be complete.
"""

from __future__ import annotations

import asyncio
import bisect
import json
import statistics
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from benchmarks.load_client import Received, get_json, run
from benchmarks.load_upstream import events
from benchmarks.material import keywords, mixed_tokens, write_config
from benchmarks.processes import Listener

NOISE = 0.15
"""A difference under this is called noise."""
CROWDED = 1.1
"""Events per write of the bare relay above which a paced run was not paced: a relay that keeps up writes each."""


@dataclass(frozen=True, slots=True)
class Scenario:
    name: str
    mode: str
    streams: int
    tokens: int
    repeats: int
    """Runs in one round, so that a round costs the proxy enough CPU to be measured."""

    @property
    def all_tokens(self) -> int:
        return self.streams * self.tokens * self.repeats


SCENARIOS = (
    Scenario("a: 1 x 2000", "unpaced", 1, 2000, 40),
    Scenario("b: 50 x 400", "unpaced", 50, 400, 6),
    Scenario("c: 200 x 100, 20 ms", "paced", 200, 100, 1),
)


@dataclass(slots=True)
class Round:
    """One round of one scenario through one target. Times in seconds."""

    cpu_per_token: float
    events_per_write: float
    identical: bool
    """Whether every byte came as the upstream sent it."""
    waits: list[float]
    """Of each event of a paced run, from the upstream's write of it to the client's read."""
    passages: list[float]
    """The same from the upstream's latest write before the client's read: the wait without what hold-back added."""
    delayed: int
    """Events that arrived only when the next one had been sent: what hold-back does to a paced stream."""


@dataclass(frozen=True, slots=True)
class Result:
    """What the table shows; microseconds and shares."""

    scenario: str
    target: str
    cpu_us_per_token: float
    spread: float
    events_per_write: float
    identical: bool
    event_us: tuple[float, float] | None
    """p50 and p99 of the time of an event, hold-back included."""
    passage_us: tuple[float, float] | None
    """p50 and p99 of the time that the last hop took, hold-back left out."""
    delayed: float | None

    @property
    def paced(self) -> bool:
        return self.event_us is not None


def text_of(body: bytes) -> str:
    lines = [line.removeprefix(b"data: ") for line in body.split(b"\n") if line.startswith(b"data: {")]
    deltas = (choice["delta"] for line in lines for choice in json.loads(line)["choices"])
    return "".join(delta.get("content") or "" for delta in deltas)


def complete(received: Received, tokens: int) -> bool:
    """Raise RuntimeError unless all of the text came; return whether the very bytes did."""
    body = received.body()
    if body == b"".join(events(tokens)):
        return True
    if text_of(body) != "".join(mixed_tokens(tokens)) or not body.endswith(b"data: [DONE]\n\n"):
        raise RuntimeError(f"incomplete or altered: {body[-600:].decode(errors='replace')}")
    return False


async def measure(scenario: Scenario, target: Listener, upstream: Listener) -> Round:
    outcome = Round(0.0, 0.0, True, [], [], 0)
    writes = seen = 0
    before = target.cpu()
    batches: list[list[Received]] = []
    for _ in range(scenario.repeats):
        models = [f"{scenario.mode}-{scenario.tokens}-{number}" for number in range(scenario.streams)]
        batches.append(await run(target.port, models))
    outcome.cpu_per_token = (target.cpu() - before) / scenario.all_tokens
    for batch in batches:
        for received in batch:
            outcome.identical &= complete(received, scenario.tokens)
            writes += len(received.chunks())
            seen += len(received.event_times())
    outcome.events_per_write = seen / writes
    if scenario.mode == "paced":
        sent = await get_json(upstream.port, "/times")
        for number, received in enumerate(batches[-1]):
            went, came = sent[str(number)], received.event_times()
            if len(went) == len(came):
                outcome.waits += [b - a for a, b in zip(went, came, strict=True)]
                outcome.passages += [b - went[bisect.bisect_right(went, b) - 1] for b in came]
                outcome.delayed += sum(b > later for b, later in zip(came, went[1:], strict=False))
    return outcome


def summary(scenario: Scenario, target: str, rounds: list[Round]) -> Result:
    costs = [r.cpu_per_token * 1e6 for r in rounds]
    middle = statistics.median(costs)
    count = sum(len(r.waits) for r in rounds)
    return Result(
        scenario=scenario.name,
        target=target,
        cpu_us_per_token=middle,
        spread=(max(costs) - min(costs)) / middle if middle else 0.0,
        events_per_write=statistics.median(r.events_per_write for r in rounds),
        identical=all(r.identical for r in rounds),
        event_us=_percentiles([t for r in rounds for t in r.waits]),
        passage_us=_percentiles([t for r in rounds for t in r.passages]),
        delayed=sum(r.delayed for r in rounds) / count if count else None,
    )


def _percentiles(seconds: list[float]) -> tuple[float, float] | None:
    """p50 and p99 in microseconds."""
    ordered, count = sorted(seconds), len(seconds)
    return (ordered[count // 2] * 1e6, ordered[count * 99 // 100] * 1e6) if count else None


async def _rounds(targets: dict[str, Listener], upstream: Listener, rounds: int) -> list[Result]:
    results = []
    for scenario in SCENARIOS:
        taken: dict[str, list[Round]] = {name: [] for name in targets}
        for number in range(rounds + 1):
            for name, target in targets.items():
                measured = await measure(scenario, target, upstream)
                if number:  # the first round warms caches and pools
                    taken[name].append(measured)
        results += [summary(scenario, name, taken[name]) for name in targets]
    return results


def measure_speed(rounds: int, terms: int = 10_000) -> list[Result]:
    """Run all scenarios; `terms`: keywords of the policy."""
    with TemporaryDirectory() as folder, ExitStack() as stack:
        upstream = stack.enter_context(Listener("upstream", ["benchmarks.load_upstream"]))
        config = write_config(Path(folder) / "config", upstream.url, keywords(terms))
        bare = stack.enter_context(Listener("bare relay", ["benchmarks.bare_relay", upstream.url]))
        guarded = stack.enter_context(Listener("guardrail", ["guardrail", "serve", "--config", str(config)]))
        targets = {"no proxy": upstream, "bare relay": bare, "guardrail": guarded}
        return asyncio.run(_rounds(targets, upstream, rounds))


def show(results: Iterable[Result], console: Console) -> None:
    table = Table(title="CPU of the proxy's process tree per token, and the time of one event")
    for heading in ("scenario", "target"):
        table.add_column(heading, no_wrap=True)
    for heading in ("µs/token", "spread", "× bare", "ev./write", "event ms", "passage ms", "delayed"):
        table.add_column(heading, justify="right", no_wrap=True)
    bare: dict[str, float] = {r.scenario: r.cpu_us_per_token for r in results if r.target == "bare relay"}
    for r in results:
        times = [f"{t[0] / 1e3:.1f} / {t[1] / 1e3:.1f}" if t else "" for t in (r.event_us, r.passage_us)]
        table.add_row(
            r.scenario if r.target == "no proxy" else "",
            r.target,
            "" if r.target == "no proxy" else f"{r.cpu_us_per_token:.2f}",
            "" if r.target == "no proxy" else f"±{r.spread / 2:.0%}",
            f"{r.cpu_us_per_token / bare[r.scenario]:.2f}" if r.target == "guardrail" else "",
            f"{r.events_per_write:.1f}",
            *times,
            f"{r.delayed:.1%}" if r.delayed is not None else "",
        )
    console.print(table)
    console.print(
        f"A difference under {NOISE:.0%} is noise. ev./write: events per write of the target. Times are p50 / p99. "
        "event: from the upstream's write of an event to the client's read of it. passage: the same without the wait "
        "for later tokens that hold-back asks for."
    )
    if not all(r.identical for r in results):
        console.print("Some events came as other bytes than the upstream sent, with the same text.")
    if any(r.paced and r.target == "bare relay" and r.events_per_write > CROWDED for r in results):
        console.print("The bare relay did not keep up with the pace: the CPU was busy otherwise, and c says little.")


def as_json(results: Iterable[Result]) -> list[dict[str, object]]:
    return [asdict(r) for r in results]
