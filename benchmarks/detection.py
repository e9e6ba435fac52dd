"""What seeing through disguises costs: CPU per token of the scanner and of the whole proxy, and characters held.

Policies beside one plain keyword rule, in the same run: what is asked is at most twice its cost with everything on,
and at most 1.3 times for 100,000 terms what 1,000 cost.
"""

from __future__ import annotations

import asyncio
import json
import statistics
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from benchmarks.engine import once
from benchmarks.material import keywords, mixed_tokens
from benchmarks.processes import Listener
from benchmarks.speed import SCENARIOS, measure
from guardrail.policy.compile import load_policy
from guardrail.text.entities import ENTITIES
from guardrail.text.scanner import Scanner

TOKENS = 10_000
PLAIN = "one plain keyword rule"
FEW, MANY = "1,000 terms", "100,000 terms"


@dataclass(frozen=True, slots=True)
class Result:
    policy: str
    scanner_us: float
    """Per token, one token a call."""
    proxy_us: tuple[float, ...]
    """Per token, for each scenario of the speed benchmark."""
    held_mean: float
    held_max: int


def policies() -> dict[str, list[dict[str, object]]]:
    """The rules of each policy, as its file has them."""
    off = dict.fromkeys(("marks", "lookalikes", "simplified", "numbers", "leet"), False)
    disguised = {"fold": {"noise": True, "repeats": True}}
    everything: list[dict[str, object]] = [
        {"id": "terms", "lexicon": "terms-1000.txt", "action": "redact", **disguised},
        {
            "id": "near",
            "near": {"first": ["detonate"], "second": ["crowd"], "sentence": True},
            "action": "redact",
            **disguised,
        },
        *({"entity": name, "action": "redact"} for name in ENTITIES if name != "url"),
        *({"output": name, "action": "redact"} for name in ("terminal_escapes", "links", "html", "invisible")),
    ]
    return {
        PLAIN: [{"id": "terms", "keywords": ["qwertz"], "action": "redact", "fold": off}],
        FEW: [{"id": "terms", "lexicon": "terms-1000.txt", "action": "redact"}],
        MANY: [{"id": "terms", "lexicon": "terms-100000.txt", "action": "redact"}],
        "everything on": everything,
    }


def _config(folder: Path, upstream: str, rules: list[dict[str, object]]) -> Path:
    (folder / "policies").mkdir(parents=True)
    for count in (1000, 100_000):
        (folder / "policies" / f"terms-{count}.txt").write_text("\n".join(keywords(count)) + "\n", encoding="utf-8")
    policy = {"policy": "bench", "rules": rules}
    (folder / "policies" / "bench.yaml").write_text(json.dumps(policy), encoding="utf-8")
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


async def _proxied(guarded: dict[str, Listener], upstream: Listener, rounds: int) -> dict[str, tuple[float, ...]]:
    """Microseconds per token of each proxy in each scenario, taking turns."""
    taken: dict[str, list[list[float]]] = {name: [[] for _ in SCENARIOS] for name in guarded}
    for number, scenario in enumerate(SCENARIOS):
        for turn in range(rounds + 1):
            for name, target in guarded.items():
                measured = await measure(scenario, target, upstream)
                if turn:  # the first warms caches and pools
                    taken[name][number].append(measured.cpu_per_token * 1e6)
    return {name: tuple(map(statistics.median, costs)) for name, costs in taken.items()}


def measure_detection(rounds: int) -> list[Result]:
    tokens = mixed_tokens(TOKENS)
    with TemporaryDirectory() as folder, ExitStack() as stack:
        upstream = stack.enter_context(Listener("upstream", ["benchmarks.load_upstream"]))
        configs = {
            name: _config(Path(folder) / str(number), upstream.url, rules)
            for number, (name, rules) in enumerate(policies().items())
        }
        loaded = {name: load_policy("bench", config=path) for name, path in configs.items()}
        alone: dict[str, list[float]] = {name: [] for name in loaded}
        held: dict[str, list[int]] = {}
        for name, policy in loaded.items():
            scanner = Scanner(policy.rules)
            held[name] = []
            for piece in tokens:
                scanner.feed(piece)
                held[name].append(scanner.received - scanner.settled)
        for _ in range(rounds):
            for name, policy in loaded.items():
                alone[name].append(once(policy, tokens) / TOKENS * 1e6)
        guarded = {
            name: stack.enter_context(Listener(name, ["guardrail", "serve", "--config", str(path)]))
            for name, path in configs.items()
        }
        proxied = asyncio.run(_proxied(guarded, upstream, rounds))
    return [
        Result(name, statistics.median(alone[name]), proxied[name], sum(held[name]) / TOKENS, max(held[name]))
        for name in loaded
    ]


def show(results: Iterable[Result], console: Console) -> None:
    results = list(results)
    by_name = {r.policy: r for r in results}
    table = Table(title="CPU per token and characters held, by what the policy looks for")
    table.add_column("policy")
    for heading in ("scanner µs", "× plain", *(f"proxy {s.name[0]} µs" for s in SCENARIOS), "held mean", "max"):
        table.add_column(heading, justify="right")
    plain = by_name[PLAIN]
    for r in results:
        proxied = [f"{us:.2f} ({us / base:.2f}×)" for us, base in zip(r.proxy_us, plain.proxy_us, strict=True)]
        table.add_row(
            r.policy,
            f"{r.scanner_us:.2f}",
            f"{r.scanner_us / plain.scanner_us:.2f}",
            *proxied,
            f"{r.held_mean:.2f}",
            str(r.held_max),
        )
    console.print(table)
    ratios = [
        f"{many / few:.2f}"
        for many, few in zip(
            (by_name[MANY].scanner_us, *by_name[MANY].proxy_us),
            (by_name[FEW].scanner_us, *by_name[FEW].proxy_us),
            strict=True,
        )
    ]
    console.print(f"{MANY} beside {FEW}: {', '.join(ratios)} times (scanner, then the scenarios).")


def as_json(results: Iterable[Result]) -> list[dict[str, object]]:
    return [asdict(r) for r in results]
