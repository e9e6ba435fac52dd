"""CPU of the codec alone for each token, protocol by protocol, beside Chat Completions.

The simulated server says the same tokens in every protocol; the codec reads them under the shipped default policy, one
event a read (a paced stream) and twenty (a busy one). No socket is in the figure.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

import msgspec
from rich.console import Console
from rich.table import Table

from benchmarks.material import mixed_tokens
from guardrail.policy.compile import load_policy
from guardrail.policy.policy import Policy
from guardrail.proxy.routes import GUARDED
from guardrail.simulate import anthropic, gemini, ollama, openai_chat, openai_responses, openai_text
from guardrail.simulate.dialect import Dialect, Target
from guardrail.simulate.plan import Plan, Step
from guardrail.wire.protocol import Protocol
from guardrail.wire.request import ModelRequest
from guardrail.wire.stream import WireLimits

TOKENS = 4_000
BATCHES = (1, 20)
"""Events in one read."""
BASELINE = "openai_chat"

MESSAGES = {"model": "sim", "stream": True, "max_tokens": TOKENS * 2, "messages": [{"role": "user", "content": "hi"}]}
PROMPT = {"model": "sim", "stream": True, "prompt": "hi", "max_tokens": TOKENS * 2}
SPEAKERS: dict[str, tuple[Dialect, dict[str, object]]] = {
    "openai_chat": (openai_chat.DIALECT, MESSAGES),
    "openai_text": (openai_text.DIALECT, PROMPT),
    "openai_responses": (openai_responses.DIALECT, {"model": "sim", "stream": True, "input": "hi"}),
    "anthropic": (anthropic.DIALECT, MESSAGES),
    "ollama_chat": (ollama.CHAT, MESSAGES),
    "ollama_generate": (ollama.GENERATE, PROMPT),
    "gemini": (gemini.DIALECT, {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}),
}
"""By the name of the protocol (`_chat` and `_generate` are two ways of one): who speaks it, and a request."""


@dataclass(frozen=True, slots=True)
class Result:
    protocol: str
    batch: int
    us_per_token: float
    spread: float
    ratio: float
    """To Chat Completions, in the same run."""


def events_of(dialect: Dialect, request: dict[str, object], tokens: Sequence[str]) -> list[bytes]:
    """A streamed answer, event by event."""
    target = Target({"model": "sim", "method": "streamGenerateContent"}, {"alt": "sse"})
    ask = dialect.read(msgspec.json.encode(request), target)
    answer = dialect.answer(ask, Plan([Step(0, "content", token) for token in tokens], ["stop"]))
    said = [*answer.opening()]
    for step in answer.plan.steps:
        said += answer.step(step)
    return [*said, *answer.closing()]


def once(protocol: Protocol, policy: Policy, reads: Sequence[bytes]) -> float:
    """Seconds of CPU to guard the reads, which are clean."""
    stream = protocol.stream(policy, ModelRequest(stream=True), case_id="g-1", limits=WireLimits())
    size = 0
    before = time.process_time()
    for data in reads:
        size += len(stream.feed(data))
    size += len(stream.finish())
    spent = time.process_time() - before
    if size != sum(map(len, reads)) or stream.record.fault is not None:
        raise RuntimeError(f"{protocol.name}: a clean stream did not pass as it came")
    return spent


def measure_protocols(rounds: int) -> list[Result]:
    """Every protocol in turn, round by round, so that noise hits all alike."""
    policy = load_policy("default")
    protocols = {protocol.name: protocol for _, protocol in GUARDED}
    tokens = mixed_tokens(TOKENS)
    events = {name: events_of(*how, tokens) for name, how in SPEAKERS.items() if _spoken(name, protocols)}
    results = []
    for batch in BATCHES:
        reads = {
            name: [b"".join(said[i : i + batch]) for i in range(0, len(said), batch)] for name, said in events.items()
        }
        costs: dict[str, list[float]] = {name: [] for name in reads}
        for number in range(rounds + 1):
            for name, pieces in reads.items():
                spent = once(_spoken(name, protocols) or protocols[BASELINE], policy, pieces) / TOKENS * 1e6
                if number:  # the first round warms up
                    costs[name].append(spent)
        base = statistics.median(costs[BASELINE])
        for name, found in costs.items():
            middle = statistics.median(found)
            results.append(Result(name, batch, middle, (max(found) - min(found)) / middle, middle / base))
    return results


def _spoken(name: str, protocols: dict[str, Protocol]) -> Protocol | None:
    return protocols.get(name) or protocols.get(name.partition("_")[0])


def show(results: Iterable[Result], console: Console) -> None:
    table = Table(title="CPU of the codec for each token, shipped default policy, English and Chinese mixed")
    table.add_column("protocol")
    for heading in ("events a read", "µs/token", "spread", "to chat"):
        table.add_column(heading, justify="right")
    for r in results:
        table.add_row(r.protocol, str(r.batch), f"{r.us_per_token:.2f}", f"±{r.spread / 2:.0%}", f"{r.ratio:.2f}×")
    console.print(table)


def as_json(results: Iterable[Result]) -> list[dict[str, object]]:
    return [asdict(result) for result in results]
