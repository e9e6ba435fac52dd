"""Memory of one stream that is idle in the middle of its answer, in guardrail and in the bare relay.

All streams have received half an answer and wait. What the process tree has more than it had idle, divided by
the number of streams, is the cost of one; a batch of streams before the first reading fills pools and caches.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from benchmarks.load_client import Stream, run
from benchmarks.material import keywords, write_config
from benchmarks.processes import Listener

TOKENS = 200
QUIET = 2.0
"""Seconds after which everything that was under way has arrived."""
WARM_UP = 100


@dataclass(frozen=True, slots=True)
class Result:
    """KiB."""

    target: str
    streams: int
    idle: int
    loaded: int
    per_stream: float
    """Growth of the private memory of the process tree, for each stream."""
    per_stream_pss: float


async def measure(target: Listener, name: str, streams: int) -> Result:
    await run(target.port, [f"unpaced-{TOKENS}-{number}" for number in range(WARM_UP)])
    await asyncio.sleep(QUIET)
    idle = target.memory()
    opened: list[Stream] = []
    try:
        for start in range(0, streams, 100):
            models = [f"half-{TOKENS}-{number}" for number in range(start, min(start + 100, streams))]
            opened += await asyncio.gather(*(Stream.open(target.port, model) for model in models))
            await asyncio.sleep(0.1)
        await asyncio.gather(*(stream.begun() for stream in opened))
        await asyncio.sleep(QUIET)
        loaded = target.memory()
    finally:
        for stream in opened:
            stream.close()
    return Result(
        target=name,
        streams=streams,
        idle=idle["uss"],
        loaded=loaded["uss"],
        per_stream=(loaded["uss"] - idle["uss"]) / streams,
        per_stream_pss=(loaded["pss"] - idle["pss"]) / streams,
    )


def measure_memory(streams: int = 1000, terms: int = 10_000) -> list[Result]:
    with TemporaryDirectory() as folder, ExitStack() as stack:
        upstream = stack.enter_context(Listener("upstream", ["benchmarks.load_upstream"]))
        config = write_config(Path(folder) / "config", upstream.url, keywords(terms))
        bare = stack.enter_context(Listener("bare relay", ["benchmarks.bare_relay", upstream.url]))
        guarded = stack.enter_context(Listener("guardrail", ["guardrail", "serve", "--config", str(config)]))
        return [
            asyncio.run(measure(bare, "bare relay", streams)),
            asyncio.run(measure(guarded, "guardrail", streams)),
        ]


def show(results: Iterable[Result], console: Console) -> None:
    table = Table(title="Memory of one stream that waits in the middle of its answer")
    table.add_column("target")
    for heading in ("streams", "idle MiB", "loaded MiB", "KiB/stream", "above bare", "by PSS"):
        table.add_column(heading, justify="right")
    bare = 0.0
    for r in results:
        bare = bare or r.per_stream
        table.add_row(
            r.target,
            f"{r.streams:,}",
            f"{r.idle / 1024:.1f}",
            f"{r.loaded / 1024:.1f}",
            f"{r.per_stream:.1f}",
            f"{r.per_stream - bare:.1f}" if r.per_stream != bare else "",
            f"{r.per_stream_pss:.1f}",
        )
    console.print(table)


def as_json(results: Iterable[Result]) -> list[dict[str, object]]:
    return [asdict(r) for r in results]
