"""Round trips to the state for each request, as the governor makes them: those that it waits for, and all of them.

Requests of a thousand people come and go, so many at a time, each with an answer of a few milliseconds, under limits on
requests, tokens and answers at a time, with pseudonyms and the conduct ladder, and are counted for reports. What is
written behind is among all of them; the renewals of leases, one every few seconds whatever the load, are not made.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import random
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from benchmarks.audit import record
from benchmarks.state import AT_ONCE, SUBJECTS, redis_server
from guardrail.governance.conduct import ConductLadder
from guardrail.governance.duty import USES, Entering, Finished, Subject
from guardrail.governance.identity import Identity
from guardrail.governance.keyring import Keyring
from guardrail.governance.ladder import ConductTerms
from guardrail.governance.limits import Limits, LimitTerms, Quota
from guardrail.governance.records import Records
from guardrail.governance.tally import Tally
from guardrail.governance.terms import Terms
from guardrail.observe.audit import NoAudit
from guardrail.policy.registry import load_snapshot
from guardrail.proxy.governor import Governor
from guardrail.state.redis import RedisStore
from guardrail.state.secret import Secret
from guardrail.state.settings import RedisSettings
from guardrail.state.sqlite import SqliteStore
from guardrail.state.store import Store
from guardrail.wire.request import ModelRequest

ANSWER = 0.02
"""Seconds that an answer takes at most, and until its client asks again: one that asked in the same moment would share
the round trip of what is written behind, as no client over a network does."""

HIGH = 10**9
QUOTA = Quota(requests_per_minute=HIGH, requests_per_day=HIGH, tokens_per_day=HIGH, streams=HIGH)


@dataclass(frozen=True, slots=True)
class Result:
    """Round trips for each request."""

    store: str
    at_once: int
    waited: float
    """Batches that a request waited for."""
    total: float
    """With what is written behind; several requests' batches may share one."""


async def _driven(name: str, store: Store, at_once: int, requests: int) -> Result:
    secret = Secret("0123456789abcdef" * 2)
    audit = NoAudit()
    duties = (Records(Keyring(secret)), ConductLadder(audit), Limits(), Tally())
    governor = Governor(store, duties, Identity(secret, {}), on_failure=dict.fromkeys(USES, "closed"))
    snapshot = load_snapshot(None, environ={})
    assert snapshot.anonymous is not None
    terms = Terms(limits=LimitTerms(tenant=QUOTA, user=QUOTA), conduct=ConductTerms())
    tenant = dataclasses.replace(snapshot.anonymous, terms=terms)
    asked = ModelRequest(max_tokens=100, prompt_bytes=400)
    answered = record()
    lengths = random.Random(1)
    numbers = iter(range(requests))

    async def client() -> None:
        for number in numbers:
            subject = Subject(f"{number % SUBJECTS:032x}")
            entering = Entering(f"g-{at_once}-{number}", 1.8e9, tenant, snapshot, subject, None, asked, {})
            standing = await governor.enter(entering)
            await asyncio.sleep(lengths.random() * ANSWER)
            governor.finish(Finished(entering, standing, answered))
            await asyncio.sleep(lengths.random() * ANSWER)

    before = store.round_trips
    writing = asyncio.create_task(governor.tend())
    await asyncio.gather(*(client() for _ in range(at_once)))
    await governor.settle(30)
    total = store.round_trips - before
    writing.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await writing
    assert governor.up
    assert governor.counters.lost == 0
    return Result(name, at_once, governor.counters.asked / requests, total / requests)


async def _all(requests: int) -> list[Result]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        async with redis_server(folder) as (socket, _):
            stores: dict[str, Store] = {
                "sqlite": SqliteStore(folder / "governed.db"),
                "redis": RedisStore(RedisSettings(url=f"unix://{socket}", timeout=30.0), {}),
            }
            out = []
            for which, store in stores.items():
                out += [await _driven(which, store, at_once, requests) for at_once in AT_ONCE]
                await store.close()
            return out


def measure_governed(requests: int) -> list[Result]:
    """So many requests for each store, and each number at a time."""
    return asyncio.run(_all(requests))


def show(results: Iterable[Result], console: Console) -> None:
    table = Table(title="Round trips to the state for each request, through the governor")
    table.add_column("store")
    for heading in ("at once", "waited for", "in all"):
        table.add_column(heading, justify="right")
    for r in results:
        table.add_row(r.store, f"{r.at_once}", f"{r.waited:.2f}", f"{r.total:.2f}")
    console.print(table)


def as_json(results: Iterable[Result]) -> list[dict[str, object]]:
    return [asdict(r) for r in results]
