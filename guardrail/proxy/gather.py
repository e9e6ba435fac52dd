"""The operator's answers over all workers: each is asked on its unix socket, and what they say is put together.

Nothing is summed: metrics keep a `worker` label, so that a counter that a restart set back is seen as that worker's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import aiohttp
import msgspec
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

ASK_TIMEOUT = 5.0
"""Seconds a worker may take to answer; one that takes longer is told as not answering."""


class Asked(Protocol):
    """A worker as seen from here."""

    index: int
    socket: Path
    restarts: int

    @property
    def alive(self) -> bool: ...


class Gathered:
    """The source of a supervisor's admin listener."""

    def __init__(self, workers: Sequence[Asked], stopping: Callable[[], bool]) -> None:
        self._workers = workers
        self._stopping = stopping
        self._sessions: dict[int, aiohttp.ClientSession] = {}

    async def metrics(self) -> bytes:
        texts = await self._ask_all("/metrics")
        return generate_latest(_Merged(texts, self._workers))

    async def readiness(self) -> dict[str, Any]:
        answers = await self._ask_all("/readyz")
        reasons = [f"worker {w.index} does not answer" for w in self._workers if w.index not in answers]
        states = [_decode(text) for text in answers.values()]
        for state in states:
            reasons.extend(state["reasons"])
        if self._stopping():
            reasons.append("draining")
        return {
            "ready": not reasons,
            "config": "refused" if any(state["config"] == "refused" for state in states) else "ok",
            "policies": "refused" if any(state["policies"] == "refused" for state in states) else "ok",
            "state": "down" if any(state["state"] == "down" for state in states) else "ok",
            "generation": min((state["generation"] for state in states), default=0),
            "workers": len(answers),
            "reasons": sorted(set(reasons)),
        }

    async def records(self, limit: int, request_id: str | None) -> list[dict[str, Any]]:
        query = f"?limit={limit}" + (f"&id={request_id}" if request_id and request_id.isascii() else "")
        answers = await self._ask_all(f"/records{query}")
        records = [
            {**record, "worker": index} for index, text in answers.items() for record in _decode(text)["records"]
        ]
        records.sort(key=lambda record: record["time"], reverse=True)
        return records[:limit]

    async def policies(self) -> dict[str, Any]:
        answers = await self._ask_all("/policies")
        return {"workers": {str(index): _decode(text) for index, text in answers.items()}}

    async def close(self) -> None:
        """Close the connections to the workers."""
        for session in self._sessions.values():
            await session.close()

    async def _ask_all(self, path: str) -> dict[int, str]:
        """The answers by worker index, of those that answer."""
        texts = await asyncio.gather(*(self._ask(worker, path) for worker in self._workers))
        return {worker.index: text for worker, text in zip(self._workers, texts, strict=True) if text is not None}

    async def _ask(self, worker: Asked, path: str) -> str | None:
        session = self._sessions.get(worker.index)
        if session is None:
            session = self._sessions[worker.index] = aiohttp.ClientSession(
                connector=aiohttp.UnixConnector(str(worker.socket)),
                timeout=aiohttp.ClientTimeout(total=ASK_TIMEOUT),
            )
        try:
            async with session.get(f"http://worker{path}") as answer:
                return await answer.text()
        except (aiohttp.ClientError, OSError, TimeoutError):
            return None


class _Merged(Collector):
    """Every worker's samples, each with its worker's label, and the workers' own state."""

    def __init__(self, texts: dict[int, str], workers: Iterable[Asked]) -> None:
        self._texts = texts
        self._workers = workers

    def collect(self) -> Iterator[Metric]:
        merged: dict[str, Metric] = {}
        for index, text in self._texts.items():
            for family in text_string_to_metric_families(text):
                into = merged.setdefault(family.name, Metric(family.name, family.documentation, family.type))
                for sample in family.samples:
                    into.add_sample(sample.name, {**sample.labels, "worker": str(index)}, sample.value)
        yield from merged.values()
        up = GaugeMetricFamily("guardrail_worker_up", "1: the worker runs.", labels=["worker"])
        restarts = CounterMetricFamily(
            "guardrail_worker_restarts", "Times a worker was started again.", labels=["worker"]
        )
        for worker in self._workers:
            up.add_metric([str(worker.index)], 1 if worker.alive else 0)
            restarts.add_metric([str(worker.index)], worker.restarts)
        yield up
        yield restarts


def _decode(text: str) -> dict[str, Any]:
    decoded: dict[str, Any] = msgspec.json.decode(text)
    return decoded
