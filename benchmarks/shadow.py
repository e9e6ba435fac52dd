"""CPU of the codec for each token of a chat stream, alone and with a shadow policy beside it. No socket is in it."""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table

from benchmarks.material import mixed_tokens
from benchmarks.protocols import BASELINE, BATCHES, SPEAKERS, TOKENS, events_of
from guardrail.observe.policy_metrics import ShadowCounters
from guardrail.policy.compile import load_policy
from guardrail.policy.policy import Policy
from guardrail.proxy.routes import GUARDED
from guardrail.proxy.shadow import Budget, Shadow
from guardrail.wire.request import ModelRequest
from guardrail.wire.stream import Stream, WireLimits


@dataclass(frozen=True, slots=True)
class Result:
    batch: int
    alone: float
    """Microseconds for a token."""
    shadowed: float
    spread: float


def _codec(policy: Policy) -> Stream:
    (opens,) = (protocol.stream for _, protocol in GUARDED if protocol.name == BASELINE)
    return opens(policy, ModelRequest(stream=True), case_id="g-1", limits=WireLimits())


def once(policy: Policy, reads: Sequence[bytes], shadow_policy: Policy | None) -> float:
    """Seconds of CPU."""
    stream, shadow = _codec(policy), None
    if shadow_policy is not None:
        budget = Budget()
        budget.spend(-1e9)  # what it costs, not what it may
        shadow = Shadow(shadow_policy, _codec(shadow_policy), budget, ShadowCounters(), None, "g-1")
    before = time.process_time()
    for data in reads:
        stream.feed(data)
        if shadow is not None:
            shadow.feed(data)
    stream.finish()
    if shadow is not None:
        record, _ = shadow.cut(stream.record)
        if record.result != "same":
            raise RuntimeError(f"the same policy came out otherwise in the shadow: {record.result}")
    return time.process_time() - before


def measure_shadow(rounds: int) -> list[Result]:
    """Both in turn, round by round, so that noise hits both alike."""
    policy = load_policy("default")
    other = dataclasses.replace(policy, version=2)
    events = events_of(*SPEAKERS[BASELINE], mixed_tokens(TOKENS))
    results = []
    for batch in BATCHES:
        reads = [b"".join(events[at : at + batch]) for at in range(0, len(events), batch)]
        once(policy, reads, other)
        pairs = [(once(policy, reads, None), once(policy, reads, other)) for _ in range(rounds)]
        alone, shadowed = ([spent / TOKENS * 1e6 for spent in each] for each in zip(*pairs, strict=True))
        middle = statistics.median(shadowed)
        results.append(Result(batch, statistics.median(alone), middle, (max(shadowed) - min(shadowed)) / middle))
    return results


def show(results: Iterable[Result], console: Console) -> None:
    table = Table(title="CPU of the codec with a shadow policy beside it, Chat Completions, the policy `default` twice")
    for heading in ("events a read", "alone µs/token", "with a shadow", "ratio", "spread"):
        table.add_column(heading, justify="right")
    for r in results:
        ratio = f"{r.shadowed / r.alone:.2f}"
        table.add_row(str(r.batch), f"{r.alone:.2f}", f"{r.shadowed:.2f}", ratio, f"±{r.spread / 2:.0%}")
    console.print(table)


def as_json(results: Iterable[Result]) -> list[dict[str, object]]:
    return [asdict(r) for r in results]
