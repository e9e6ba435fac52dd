"""Whatever is asked, in whatever order, every store replies as the model does."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guardrail.state.operations import (
    Count,
    Counts,
    Drop,
    Find,
    Get,
    Give,
    Mark,
    Meter,
    Put,
    Renew,
    Seats,
    Session,
    Take,
    Taken,
    Visit,
)
from guardrail.state.redis import RedisStore
from guardrail.state.settings import RedisSettings
from guardrail.state.sqlite import SqliteStore
from guardrail.state.store import Store
from tests.state.contract import Clock
from tests.state.model import Model
from tests.state.servers import RedisServer, running

kinds = st.sampled_from(["case", "policy"])
ids = st.sampled_from(["a", "b", "é", "b}"])
tags = st.sampled_from(["t", "u:1"])
times = st.sampled_from([1.0, 2.5, 1_800_000_000.0])
groups = st.sampled_from(["acme", "other"])
leases = st.sampled_from(["l", "m", "n"])
keys = st.sampled_from(["streams", "u:1"])
names = st.sampled_from(["x", "y"])
days = st.dates(min_value=date(2027, 1, 10), max_value=date(2027, 1, 20))


def meters(costs: st.SearchStrategy[int]) -> st.SearchStrategy[Meter]:
    keys = st.sampled_from([("requests", 60.0), ("tokens", 3600.0), ("odd", 7.77), ("tiny", 0.5)])
    return st.builds(
        lambda key, limit, cost, spare: Meter(key[0], limit, key[1], cost, spare),
        keys,
        st.integers(0, 9),
        costs,
        st.booleans(),
    )


def distinct(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(strategy, max_size=3, unique_by=lambda one: one.key).map(tuple)


seats = distinct(st.builds(Seats, keys, st.integers(0, 3)))
pairs = st.lists(st.tuples(keys, leases), max_size=3, unique_by=lambda pair: pair[0])
operations = st.one_of(
    st.builds(Get, kinds, ids),
    st.builds(
        Put,
        kinds,
        ids,
        st.binary(max_size=5),
        st.frozensets(tags),
        st.sampled_from([10.0, 200.0, 1e7]),
        st.none() | st.integers(0, 3),
        st.none() | times,
    ),
    st.builds(Drop, kinds, ids),
    st.builds(
        Find,
        kinds,
        st.just("") | tags,
        st.just(0.0) | times,
        st.none() | times,
        st.integers(1, 3),
        st.booleans(),
        st.just("") | ids,
    ),
    st.builds(Take, groups, distinct(meters(st.integers(0, 12))), seats, leases, st.sampled_from([0.5, 30.0, 100.0])),
    st.builds(
        Give, groups, st.lists(keys, max_size=2, unique=True).map(tuple), leases, distinct(meters(st.integers(-9, 9)))
    ),
    st.builds(
        lambda group, pairs, seconds: Renew(group, tuple(p[0] for p in pairs), tuple(p[1] for p in pairs), seconds),
        groups,
        pairs,
        st.sampled_from([0.5, 30.0]),
    ),
    st.builds(Visit, groups, ids, st.sampled_from([1.0, 60.0, 1e6]), st.sampled_from([100.0, 1e6])),
    st.builds(Mark, groups, ids, tags),
    st.builds(Count, st.lists(st.tuples(names, st.integers(1, 9)), max_size=3).map(tuple)),
    st.builds(lambda a, b: Counts(min(a, b).isoformat(), max(a, b).isoformat()), days, days),
)
passing = st.sampled_from([0.0, 0.01, 0.5, 1.0, 7.77, 29.5, 60.0, 61.0, 3600.0, 90000.0])
steps = st.lists(st.tuples(passing, st.lists(operations, min_size=1, max_size=4)), min_size=1, max_size=30)

NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    folder: Path = tmp_path_factory.mktemp("redis")
    server = RedisServer(folder)
    with running(server):
        yield server


def rounded(reply: Any) -> Any:
    """The reply, without the last digits of times that were added up in different orders."""
    if isinstance(reply, Taken):
        levels = [(level.key, level.limit, level.used, round(level.reset, 4)) for level in reply.levels]
        return levels, reply.refused, round(reply.retry_after, 4)
    if isinstance(reply, Session):
        return round(reply.started, 4), round(reply.last, 4), round(reply.now, 4), reply.marks
    return reply


async def replay(store: Store, clock: Clock, steps: list[tuple[float, list[Any]]]) -> None:
    model = Model(clock)
    for seconds, batch in steps:
        clock.now += seconds
        expected = [rounded(model.tell(operation)) for operation in batch]
        assert [rounded(reply) for reply in await store.run(batch)] == expected
    await store.close()


BEGIN = 1_800_000_000.0
few = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@few
@given(steps)
def test_sqlite_replies_as_the_model(steps: list[tuple[float, list[Any]]]) -> None:
    clock = Clock(BEGIN)
    asyncio.run(replay(SqliteStore(None, clock=clock), clock, steps))


@few
@given(steps)
def test_redis_replies_as_the_model(server: RedisServer, steps: list[tuple[float, list[Any]]]) -> None:
    clock = Clock(BEGIN)
    given_ = RedisSettings(url=server.url, prefix=f"test{next(NUMBERS)}", timeout=10.0)
    asyncio.run(replay(RedisStore(given_, {}, clock=clock), clock, steps))
