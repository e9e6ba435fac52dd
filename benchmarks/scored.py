"""What a classifier adds to the proxy: CPU per streamed token with it and without, in the same run.

Two proxies with the policy `default`: one as it is shipped, one with every category of the model halting at its
`precise` threshold, strictly. Both stream the same harmless answers, taking turns, all processes on one CPU. How often
the encoder was asked and how long verdicts took is what the proxy's own metrics say.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import statistics
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console
from rich.table import Table

from benchmarks.load_client import Received, Stream
from benchmarks.material import TRAFFIC, Traffic, answer_tokens, answers
from benchmarks.processes import Listener
from benchmarks.speed import text_of
from guardrail.classify.model import Model, load_model

TOKEN = "bench"
"""Of the admin listeners."""
STAGGER = 3.0
"""Seconds over which paced streams begin, so that those with the same answer are not in step."""
WITHIN = 0.05
"""Seconds: a bound of the metric's buckets, nearest below the 60 ms that are asked for."""
UNREACHED = 1.0
"""Threshold where a model has none of its own: its scores are computed, and nothing is found."""


@dataclass(frozen=True, slots=True)
class Scenario:
    name: str
    mode: str
    streams: int
    repeats: int
    """Runs in one round."""

    def tokens(self, traffic: Traffic) -> int:
        return self.repeats * sum(len(answer_tokens(traffic, number)) for number in range(self.streams))


def scenarios() -> tuple[Scenario, ...]:
    once = len(answers("english"))
    return (
        Scenario(f"{once}, unpaced", "unpaced", once, 4),
        Scenario("200, 30 tokens/s", "slow", 200, 1),
    )


@dataclass(frozen=True, slots=True)
class Added:
    """CPU of the proxy's process tree in microseconds per token, and what the classifier did."""

    scenario: str
    traffic: str
    without_us: float
    with_us: float
    spread_us: float
    """Of the difference, greatest less smallest of the rounds."""
    units_per_1000_tokens: float
    calls_per_1000_tokens: float
    """Units that the encoder scored."""
    within: float
    """Share of verdicts that came within `WITHIN`."""
    halted: int
    """Answers that the classifier ended, of so many:"""
    answered: int

    @property
    def added_us(self) -> float:
        return self.with_us - self.without_us


@dataclass(slots=True)
class _Counts:
    """Read from the metrics."""

    gate: float = 0.0
    encoder: float = 0.0
    failures: float = 0.0
    halts: float = 0.0
    verdicts: float = 0.0
    quick: float = 0.0
    """Verdicts within `WITHIN`."""


class Guarded:
    """A proxy with its metrics."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        found = re.search(rb"admin on (http://[^\s)]+)", listener.output())
        assert found is not None
        self._admin = found[1].decode()

    def counts(self) -> _Counts:
        asked = urllib.request.Request(f"{self._admin}/metrics", headers={"authorization": f"Bearer {TOKEN}"})
        with urllib.request.urlopen(asked) as answer:
            text = answer.read().decode()
        counts = _Counts()
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                match sample.name, sample.labels:
                    case "guardrail_classifier_units_total", {"stage": "gate"}:
                        counts.gate += sample.value
                    case "guardrail_classifier_units_total", _:
                        counts.encoder += sample.value
                    case "guardrail_classifier_failures_total", _:
                        counts.failures += sample.value
                    case "guardrail_halts_total", _:
                        counts.halts += sample.value
                    case "guardrail_classifier_verdict_seconds_count", _:
                        counts.verdicts += sample.value
                    case "guardrail_classifier_verdict_seconds_bucket", {"le": le} if float(le) == WITHIN:
                        counts.quick += sample.value
        return counts


def write_config(folder: Path, upstream: str, model: Model | None, place: Path) -> Path:
    """A configuration with the policy `default`, scored by the model in the folder `place` if there is a model."""
    policies = folder / "policies"
    policies.mkdir(parents=True)
    policy: dict[str, object] = {"policy": "bench", "extends": "default"}
    if model is not None:
        policy["classifier"] = {
            "model": str(place.resolve()),
            "deadline": 60,
            "categories": {
                name: {
                    "at": "precise" if "precise" in model.thresholds.get(name, {}) else UNREACHED,
                    "action": "halt",
                    "severity": "high",
                }
                for name in model.labels
            },
        }
    (policies / "bench.yaml").write_text(json.dumps(policy), encoding="utf-8")
    settings = {
        "version": 1,
        "listen": {"host": "127.0.0.1", "port": 0},
        "admin": {"host": "127.0.0.1", "port": 0},
        "upstreams": {"default": {"url": upstream}},
        "limits": {"streams": 5000, "streams_per_tenant": 5000},
        "anonymous": {"policy": "bench", "upstream": "default"},
        "policies": "policies/",
    }
    path = folder / "guardrail.yaml"
    path.write_text(json.dumps(settings), encoding="utf-8")
    return path


async def _answered(port: int, model: str, after: float) -> Received:
    await asyncio.sleep(after)
    stream = await Stream.open(port, model)
    try:
        return await stream.received()
    finally:
        stream.close()


async def _run(target: Guarded, scenario: Scenario, traffic: Traffic) -> tuple[float, int]:
    """Seconds of CPU per token, and how many answers did not come whole."""
    before = target.listener.cpu()
    batches = []
    step = STAGGER / scenario.streams if scenario.mode != "unpaced" else 0.0
    for _ in range(scenario.repeats):
        names = [f"{scenario.mode}-{traffic}-{number}" for number in range(scenario.streams)]
        batches.append(
            await asyncio.gather(*(_answered(target.listener.port, name, step * at) for at, name in enumerate(names)))
        )
    used = target.listener.cpu() - before
    short = 0
    for batch in batches:
        for number, received in enumerate(batch):
            body = received.body()
            if b'"error":' in body:
                raise RuntimeError(f"a fault: {body[-600:].decode(errors='replace')}")
            short += text_of(body) != "".join(answer_tokens(traffic, number))
    return used / scenario.tokens(traffic), short


async def _measure(targets: tuple[Guarded, Guarded], scenario: Scenario, traffic: Traffic, rounds: int) -> Added:
    """The proxy without a classifier, and that with it. Raises RuntimeError when text is missing for no good reason."""
    before = targets[1].counts()
    costs: list[tuple[float, float]] = []
    shortened = 0
    for _ in range(rounds + 1):
        plain, lost = await _run(targets[0], scenario, traffic)
        scored, short = await _run(targets[1], scenario, traffic)
        costs.append((plain * 1e6, scored * 1e6))
        shortened += short
        if lost:
            raise RuntimeError(f"{lost} answers are not whole, without a classifier")
    after = targets[1].counts()
    if after.failures > before.failures:
        raise RuntimeError(f"{after.failures - before.failures:.0f} units got no scores")
    halted, answered = int(after.halts - before.halts), (rounds + 1) * scenario.streams * scenario.repeats
    if shortened != halted:
        raise RuntimeError(f"{shortened} answers are not whole, {halted} were halted")
    costs = costs[1:]  # the first round warms caches and pools
    tokens = scenario.tokens(traffic) * (rounds + 1) / 1000
    units, calls = after.gate + after.encoder - before.gate - before.encoder, after.encoder - before.encoder
    differences = [scored - plain for plain, scored in costs]
    return Added(
        scenario=scenario.name,
        traffic=traffic,
        without_us=statistics.median(plain for plain, _ in costs),
        with_us=statistics.median(scored for _, scored in costs),
        spread_us=max(differences) - min(differences),
        units_per_1000_tokens=units / tokens,
        calls_per_1000_tokens=calls / tokens,
        within=(after.quick - before.quick) / max(after.verdicts - before.verdicts, 1),
        halted=halted,
        answered=answered,
    )


def measure_added(place: Path, rounds: int) -> list[Added]:
    """`place`: the folder of the model. Paced runs are long, so there are fewer rounds of them. Raises ModelError."""
    with TemporaryDirectory() as folder, ExitStack() as stack:
        # A copy: a proxy loads a model again when its files change.
        copied = Path(shutil.copytree(place, Path(folder) / "model"))
        model = load_model(copied)
        upstream = stack.enter_context(Listener("upstream", ["benchmarks.load_upstream"]))

        def guarded(name: str, scorer: Model | None) -> Guarded:
            config = write_config(Path(folder) / name, upstream.url, scorer, copied)
            command = ["guardrail", "serve", "--config", str(config)]
            return Guarded(stack.enter_context(Listener(name, command, {"GUARDRAIL_ADMIN_TOKEN": TOKEN})))

        targets = (guarded("without", None), guarded("with", model))
        return [
            asyncio.run(
                _measure(targets, scenario, traffic, rounds if scenario.mode == "unpaced" else (rounds + 1) // 2)
            )
            for scenario in scenarios()
            for traffic in TRAFFIC
        ]


def show(results: list[Added], console: Console) -> None:
    table = Table(title="CPU of the proxy's process tree per token, policy `default` and the same with a classifier")
    for heading in ("streams", "traffic"):
        table.add_column(heading, no_wrap=True)
    for heading in ("without", "with", "added", "ratio", "units", "calls", "≤ 50 ms", "halted"):
        table.add_column(heading, justify="right", no_wrap=True)
    for r in results:
        table.add_row(
            r.scenario,
            r.traffic,
            f"{r.without_us:.2f} µs",
            f"{r.with_us:.2f} µs",
            f"{r.added_us:.1f} ±{r.spread_us / 2:.1f}",
            f"{r.with_us / r.without_us:.2f}×",
            f"{r.units_per_1000_tokens:.1f}",
            f"{r.calls_per_1000_tokens:.2f}",
            f"{r.within:.1%}",
            f"{r.halted} of {r.answered:,}",
        )
    console.print(table)
    console.print(
        "Added: µs per token. Units, and calls of the encoder: per 1,000 tokens. ≤ 50 ms: verdicts that came so soon "
        "after their unit's end. Tokens of halted answers are counted whether or not they flowed, which flatters the "
        "figures if there are many."
    )
