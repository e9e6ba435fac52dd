"""Microseconds per token of the scanner alone: one token a call, and all tokens of a read in one call."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table

from benchmarks.holdback import policies
from benchmarks.material import mixed_tokens
from guardrail.policy.policy import Policy
from guardrail.text.scanner import Scanner

TOKENS = 10_000
BATCHES = (1, 10, 400)
"""Tokens in one call: a paced stream, a busy one, a whole answer at once."""


@dataclass(frozen=True, slots=True)
class Result:
    policy: str
    batch: int
    us_per_token: float
    spread: float


def once(policy: Policy, pieces: Sequence[str]) -> float:
    """Seconds of CPU to scan the pieces."""
    scanner = Scanner(policy.rules)
    before = time.process_time()
    for piece in pieces:
        scanner.feed(piece)
    scanner.finish()
    return time.process_time() - before


def measure_engine(rounds: int, sizes: Iterable[int] = (10_000, 100_000)) -> list[Result]:
    results = []
    all_tokens = mixed_tokens(TOKENS)
    for name, policy in policies(sizes):
        for batch in BATCHES:
            pieces = ["".join(all_tokens[i : i + batch]) for i in range(0, TOKENS, batch)]
            once(policy, pieces)
            costs = [once(policy, pieces) / TOKENS * 1e6 for _ in range(rounds)]
            middle = statistics.median(costs)
            results.append(Result(name, batch, middle, (max(costs) - min(costs)) / middle))
    return results


def show(results: Iterable[Result], console: Console) -> None:
    table = Table(title="CPU of the scanner alone, English and Chinese mixed")
    table.add_column("policy")
    for heading in ("tokens a call", "µs/token", "spread"):
        table.add_column(heading, justify="right")
    for r in results:
        name = r.policy if r.batch == BATCHES[0] else ""
        table.add_row(name, str(r.batch), f"{r.us_per_token:.2f}", f"±{r.spread / 2:.0%}")
    console.print(table)


def as_json(results: Iterable[Result]) -> list[dict[str, object]]:
    return [asdict(r) for r in results]
