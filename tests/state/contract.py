"""What every store does, whichever it is: the tests that `test_sqlite.py` and `test_redis.py` run over each of theirs.

A module that imports these gives a fixture `backend`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import pytest

from guardrail.state.operations import (
    Conflict,
    Count,
    Counts,
    Document,
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
from guardrail.state.store import CHANGES, StateError, Store, get, put


class Clock:
    """A clock that stands still until it is set forward."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Backend(Protocol):
    """One state, and as many stores on it as wanted."""

    def open(self, clock: Callable[[], float] | None = None) -> Store:
        """Another store on the same state, as another process has one; of memory: the same one."""


async def reply(store: Store, operation: Any) -> Any:
    (found,) = await store.run([operation])
    return found


async def until(condition: Callable[[], Any], seconds: float = 10.0) -> None:
    """Wait until it holds."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def store(backend: Backend, clock: Clock) -> AsyncIterator[Store]:
    opened = backend.open(clock)
    yield opened
    await opened.close()


# Documents


async def test_a_document_is_what_was_put(store: Store, clock: Clock) -> None:
    body = bytes(range(256))
    assert await get(store, "case", "a") is None
    assert await put(store, Put("case", "a", body, frozenset({"status:open", "tenant:é"}))) == 1
    expected = Document("case", "a", 1, body, clock.now, frozenset({"status:open", "tenant:é"}))
    assert await get(store, "case", "a") == expected
    assert await get(store, "complaint", "a") is None


async def test_a_document_keeps_its_time_unless_it_is_given_one(store: Store, clock: Clock) -> None:
    await put(store, Put("case", "a", b"1"))
    first = clock.now
    clock.now += 10
    assert await put(store, Put("case", "a", b"2", frozenset({"t"}))) == 2
    found = await get(store, "case", "a")
    assert found is not None
    assert (found.version, found.body, found.at) == (2, b"2", first)
    await put(store, Put("case", "a", b"3", at=17.25))
    assert (await reply(store, Find("case")))[0].at == 17.25
    assert await reply(store, Find("case", "t")) == []


async def test_a_document_at_another_version_is_not_written(store: Store) -> None:
    assert await put(store, Put("case", "a", b"1", expect=1)) == Conflict(None)
    assert await put(store, Put("case", "a", b"1", expect=0)) == 1
    conflict = await put(store, Put("case", "a", b"2", expect=0))
    assert isinstance(conflict, Conflict)
    assert conflict.found is not None
    assert conflict.found.body == b"1"
    assert await put(store, Put("case", "a", b"2", expect=1)) == 2
    conflict = await put(store, Put("case", "a", b"3", expect=1))
    assert isinstance(conflict, Conflict)
    assert conflict.found is not None
    assert conflict.found.version == 2
    assert await put(store, Put("case", "a", b"3")) == 3


async def test_a_dropped_document_is_gone_with_its_tags(store: Store) -> None:
    await put(store, Put("case", "a", b"1", frozenset({"t"})))
    assert await reply(store, Drop("case", "a")) is True
    assert await reply(store, Drop("case", "a")) is False
    assert await store.run([Get("case", "a"), Find("case"), Find("case", "t")]) == [None, [], []]
    assert await put(store, Put("case", "a", b"2", expect=0)) == 1


async def test_documents_are_found_by_tag_and_time(store: Store) -> None:
    for name, at, tags in (("b", 1.0, "xy"), ("a", 1.0, "x"), ("c", 2.5, "y"), ("d", 3.0, "x")):
        await put(store, Put("case", name, name.encode(), frozenset(tags), at=at))
    await put(store, Put("other", "e", b"e", frozenset("x"), at=1.0))

    async def ids(**which: Any) -> str:
        return "".join(document.id for document in await reply(store, Find("case", **which)))

    assert await ids() == "abcd"
    assert await ids(tag="x") == "abd"
    assert await ids(tag="y") == "bc"
    assert await ids(tag="z") == ""
    assert await ids(newest=True) == "dcba"
    assert await ids(since=1.0, until=2.5) == "ab"
    assert await ids(since=2.5) == "cd"
    assert await ids(until=3.0, newest=True) == "cba"
    assert await ids(limit=2) == "ab"
    assert await ids(after="a") == "bcd"
    assert await ids(after="b", newest=True) == "a"
    assert await ids(after="c", newest=True, until=2.0) == "ba"
    assert await ids(after="a", since=2.0) == "cd"
    assert await ids(tag="x", after="c") == "d"
    assert await ids(after="gone") == "abcd"


@pytest.mark.parametrize("newest", [False, True])
async def test_pages_hold_every_document_once(store: Store, newest: bool) -> None:
    ids = [f"{number:03}" for number in range(250)]
    await store.run([Put("case", name, b"", frozenset({"t"}), at=float(int(name) // 90)) for name in ids])
    found: list[str] = []
    while page := await reply(store, Find("case", "t", limit=40, newest=newest, after=found[-1] if found else "")):
        found += [document.id for document in page]
    assert found == (ids[::-1] if newest else ids)


async def test_a_document_is_forgotten_after_its_time(store: Store, clock: Clock) -> None:
    await put(store, Put("case", "a", b"1", frozenset({"t"}), keep=60))
    await put(store, Put("case", "b", b"1", frozenset({"t"}), keep=120))
    clock.now += 59.5
    assert len(await reply(store, Find("case", "t"))) == 2
    clock.now += 0.5
    assert await get(store, "case", "a") is None
    assert [document.id for document in await reply(store, Find("case", "t"))] == ["b"]
    assert await reply(store, Drop("case", "a")) is False
    assert await put(store, Put("case", "a", b"2", expect=0)) == 1
    found = await get(store, "case", "a")
    assert found is not None
    assert found.at == clock.now
    assert [document.id for document in await reply(store, Find("case", "t"))] == ["b"]


async def test_of_two_who_write_the_same_version_one_does(backend: Backend) -> None:
    one, other = backend.open(), backend.open()
    await put(one, Put("case", "a", b"0"))

    async def add(store: Store) -> None:
        while True:
            found = await get(store, "case", "a")
            assert found is not None
            next_ = str(int(found.body) + 1).encode()
            if not isinstance(await put(store, Put("case", "a", next_, expect=found.version)), Conflict):
                return

    await asyncio.gather(*(add(store) for store in (one, other) for _ in range(20)))
    found = await get(one, "case", "a")
    assert found is not None
    assert (found.body, found.version) == (b"40", 41)
    await one.close()
    await other.close()


# Limits


def meter(limit: int, window: float = 60.0, **more: Any) -> Meter:
    return Meter("requests", limit, window, **more)


async def take(store: Store, *meters: Meter, **more: Any) -> Taken:
    found = await reply(store, Take("acme", meters, **more))
    assert isinstance(found, Taken)
    return found


async def test_a_window_takes_what_it_has_room_for(store: Store, clock: Clock) -> None:
    for used in (1, 2, 3):
        taken = await take(store, meter(3))
        assert (taken.refused, taken.retry_after, taken.levels[0].used) == (-1, 0.0, used)
    taken = await take(store, meter(3))
    assert (taken.refused, taken.levels[0].used, taken.levels[0].limit) == (0, 3, 3)
    # It was taken in a step of a second, and counts until the window is over for all of that second.
    assert taken.retry_after == taken.levels[0].reset == pytest.approx(61.0)
    clock.now += 60.999
    assert (await take(store, meter(3))).refused == 0
    clock.now += 0.001
    assert (await take(store, meter(3))).refused == -1


async def test_room_comes_as_it_was_taken(store: Store, clock: Clock) -> None:
    for _ in range(3):
        await take(store, meter(6, cost=2))
        clock.now += 10
    taken = await take(store, meter(6, cost=1))
    assert taken.retry_after == pytest.approx(31.0)
    assert taken.levels[0].reset == pytest.approx(51.0)
    assert (await take(store, meter(6, cost=3))).retry_after == pytest.approx(41.0)
    assert (await take(store, meter(6, cost=6))).retry_after == pytest.approx(51.0)
    assert (await take(store, meter(6, cost=7))).retry_after == 60.0
    clock.now += 31
    assert (await take(store, meter(6, cost=2))).refused == -1
    assert (await take(store, meter(6, cost=1))).refused == 0


async def test_a_window_that_can_be_overdrawn_takes_one_large_request(store: Store, clock: Clock) -> None:
    assert (await take(store, meter(5, cost=50))).refused == 0
    assert (await take(store, meter(5, cost=50, spare=True))).refused == -1
    refused = await take(store, meter(5, cost=50, spare=True))
    assert refused.refused == 0
    assert refused.levels[0].used == 50
    assert refused.retry_after == pytest.approx(61.0)


async def test_all_is_taken_or_nothing(store: Store) -> None:
    small, large = Meter("small", 1, 60.0), Meter("large", 10, 60.0)
    assert (await take(store, large, small, seats=(Seats("streams", 9),), lease="1")).refused == -1
    taken = await take(store, large, small, seats=(Seats("streams", 9),), lease="2")
    assert taken.refused == 1
    assert [(level.key, level.used) for level in taken.levels] == [("large", 1), ("small", 1), ("streams", 1)]


async def test_what_is_given_back_can_be_taken_again(store: Store, clock: Clock) -> None:
    await take(store, meter(10, cost=8))
    clock.now += 5
    await reply(store, Give("acme", corrections=(meter(10, cost=-6),)))
    assert (await take(store, meter(10, cost=8))).levels[0].used == 10
    clock.now += 56  # the two that are left of the first are over
    assert (await take(store, meter(10, cost=0))).levels[0].used == 8
    await reply(store, Give("acme", corrections=(meter(10, cost=-100),)))
    taken = await take(store, meter(10, cost=0))
    assert (taken.levels[0].used, taken.levels[0].reset) == (0, 0.0)


async def test_more_can_be_counted_than_there_is_room_for(store: Store) -> None:
    await take(store, meter(10, cost=1))
    await reply(store, Give("acme", corrections=(meter(10, cost=20),)))
    taken = await take(store, meter(10))
    assert (taken.refused, taken.levels[0].used) == (0, 21)


async def test_windows_of_one_name_and_several_lengths_do_not_mix(store: Store) -> None:
    await take(store, meter(5, window=60.0, cost=3))
    assert (await take(store, meter(5, window=86400.0, cost=1))).levels[0].used == 1
    other = await reply(store, Take("other", (meter(5),)))
    assert other.levels[0].used == 1


async def test_a_long_window_counts_by_the_minute(store: Store, clock: Clock) -> None:
    day = 86400.0
    for _ in range(24):
        await take(store, meter(24, window=day))
        clock.now += 3600
    assert (await take(store, meter(24, window=day))).refused == 0
    clock.now += 1440
    taken = await take(store, meter(24, window=day))
    assert (taken.refused, taken.levels[0].used) == (-1, 24)


async def test_seats_are_leased_given_back_and_run_out(store: Store, clock: Clock) -> None:
    seats = (Seats("streams", 2),)
    for name in "ab":
        assert (await take(store, seats=seats, lease=name, lease_seconds=30)).refused == -1
        clock.now += 10
    taken = await take(store, seats=seats, lease="c", lease_seconds=30)
    assert (taken.refused, taken.levels[0].used, taken.retry_after) == (0, 2, pytest.approx(10.0))
    await reply(store, Give("acme", ("streams",), "a"))
    await reply(store, Give("acme", ("streams",), "a"))
    assert (await take(store, seats=seats, lease="c", lease_seconds=30)).refused == -1
    assert (await take(store, seats=seats, lease="d", lease_seconds=30)).refused == 0
    clock.now += 20  # b is over
    assert (await take(store, seats=seats, lease="d", lease_seconds=30)).levels[0].used == 2


async def test_a_lease_that_is_renewed_goes_on(store: Store, clock: Clock) -> None:
    seats = (Seats("streams", 1), Seats("u:1", 5))
    await take(store, seats=seats, lease="a", lease_seconds=30)
    for _ in range(3):
        clock.now += 20
        await reply(store, Renew("acme", ("streams", "u:1"), ("a", "a"), 30))
    assert (await take(store, seats=seats, lease="b")).refused == 0
    clock.now += 40
    await reply(store, Renew("acme", ("streams",), ("a",), 30))  # late: it was over, and lives again
    assert (await take(store, seats=seats, lease="b")).refused == 0
    assert (await take(store, seats=seats, lease="a")).refused == -1


async def test_no_seats_at_all(store: Store) -> None:
    taken = await take(store, seats=(Seats("streams", 0),), lease="a", lease_seconds=7)
    assert (taken.refused, taken.retry_after) == (0, 7.0)


async def test_of_many_who_take_at_once_exactly_as_many_get_it_as_there_is_room_for(backend: Backend) -> None:
    stores = [backend.open() for _ in range(3)]
    takes = [
        reply(store, Take("acme", (meter(37, 3600.0),), (Seats("streams", 50),), f"{index}.{number}"))
        for index, store in enumerate(stores)
        for number in range(60)
    ]
    taken = await asyncio.gather(*takes)
    assert sum(one.refused < 0 for one in taken) == 37
    assert sorted(one.levels[0].used for one in taken if one.refused < 0) == list(range(1, 38))
    for store in stores:
        await store.close()


# Sessions


async def test_a_session_goes_on_until_somebody_is_away(store: Store, clock: Clock) -> None:
    visit = Visit("acme", "u", gap=1800)
    begun = clock.now
    assert await reply(store, visit) == Session(begun, begun, begun)
    clock.now += 1799.5
    assert await reply(store, visit) == Session(begun, begun, clock.now)
    last = clock.now
    clock.now += 100
    assert await reply(store, visit) == Session(begun, last, clock.now)
    clock.now += 1800
    assert await reply(store, visit) == Session(clock.now, clock.now, clock.now)
    assert (await reply(store, Visit("acme", "other", 1800))).started == clock.now


async def test_a_session_is_marked_once(store: Store, clock: Clock) -> None:
    visit, mark = Visit("acme", "u", gap=60), Mark("acme", "u", "reminded:é")
    assert await store.run([visit, mark, mark]) == [Session(clock.now, clock.now, clock.now), True, False]
    assert (await reply(store, visit)).marks == {"reminded:é"}
    clock.now += 60
    assert (await reply(store, visit)).marks == frozenset()
    assert await reply(store, mark) is True


async def test_a_mark_begins_a_session_where_there_is_none(store: Store, clock: Clock) -> None:
    assert await reply(store, Mark("acme", "u", "m")) is True
    assert await reply(store, Visit("acme", "u", 60)) == Session(clock.now, clock.now, clock.now, frozenset({"m"}))


async def test_a_session_is_forgotten(store: Store, clock: Clock) -> None:
    await store.run([Visit("acme", "u", gap=1e6, keep=100), Mark("acme", "u", "m")])
    clock.now += 100
    assert await reply(store, Visit("acme", "u", gap=1e6)) == Session(clock.now, clock.now, clock.now)


async def test_one_of_many_marks_a_session(backend: Backend) -> None:
    stores = [backend.open(), backend.open()]
    await reply(stores[0], Visit("acme", "u", 60))
    marked = await asyncio.gather(*(reply(stores[number % 2], Mark("acme", "u", "m")) for number in range(20)))
    assert sum(marked) == 1
    for store in stores:
        await store.close()


# Counts


async def test_counts_are_kept_by_day(store: Store, clock: Clock) -> None:
    clock.now = datetime(2028, 2, 28, 23, 59, 59, tzinfo=UTC).timestamp()
    await reply(store, Count((("a", 2), ("b", 1))))
    clock.now += 1
    await reply(store, Count((("a", 5),)))
    clock.now += 86400
    await store.run([Count((("a", 10),)), Count((("a", 10),)), Count(())])
    assert await reply(store, Counts("2028-02-28", "2028-02-28")) == {"a": 2, "b": 1}
    assert await reply(store, Counts("2028-02-29", "2028-03-01")) == {"a": 25}
    assert await reply(store, Counts("2027-12-31", "2028-03-31")) == {"a": 27, "b": 1}
    assert await reply(store, Counts("2028-03-02", "2028-03-31")) == {}


async def test_every_day_is_called_as_the_calendar_does(store: Store, clock: Clock) -> None:
    first = datetime(2027, 12, 25, 12, tzinfo=UTC)
    days = [first + timedelta(days=97 * number) for number in range(40)]
    for day in days:
        clock.now = day.timestamp()
        await reply(store, Count(((day.date().isoformat(), 1),)))
    for day in days:
        name = day.date().isoformat()
        assert await reply(store, Counts(name, name)) == {name: 1}


# The whole


async def test_replies_come_in_order(store: Store) -> None:
    replies = await store.run([Put("a", "1", b"x"), Get("a", "1"), Drop("a", "1"), Get("a", "1"), Find("a")])
    assert [type(one).__name__ for one in replies] == ["int", "Document", "bool", "NoneType", "list"]
    assert await store.run([]) == []


async def test_calls_at_once_get_each_their_own(store: Store) -> None:
    async def both(number: int) -> Any:
        return await store.run([Put("case", str(number), str(number).encode()), Get("case", str(number))])

    for number, (version, document) in enumerate(await asyncio.gather(*(both(number) for number in range(600)))):
        assert (version, document.body) == (1, str(number).encode())


async def test_a_call_that_asks_what_cannot_be_does_not_take_others_with_it(store: Store) -> None:
    impossible = store.run([Put("case", "b", b""), Put("case", "bad", object())])  # type: ignore[arg-type]
    outcomes = await asyncio.gather(impossible, put(store, Put("case", "a", b"")), return_exceptions=True)
    assert isinstance(outcomes[0], Exception)
    assert outcomes[1] == 1
    assert await get(store, "case", "b") is None
    assert await put(store, Put("case", "a", b"")) == 2


async def test_a_call_that_is_given_up_does_not_take_others_with_it(store: Store) -> None:
    given_up = asyncio.ensure_future(store.run([Get("case", "a")]))
    await asyncio.sleep(0)
    given_up.cancel()
    assert await put(store, Put("case", "a", b"")) == 1


async def test_the_clock_is_the_stores_own_unless_one_is_given(backend: Backend) -> None:
    store = backend.open()
    await put(store, Put("case", "a", b""))
    found = await get(store, "case", "a")
    assert found is not None
    assert abs(found.at - time.time()) < 60
    await store.close()


async def test_one_store_sees_what_another_wrote(backend: Backend) -> None:
    one, other = backend.open(), backend.open()
    await put(one, Put("case", "a", b"1"))
    assert (await get(other, "case", "a")) == (await get(one, "case", "a")) is not None
    await one.close()
    await other.close()


async def test_what_was_written_outlives_the_store(backend: Backend) -> None:
    store = backend.open()
    await put(store, Put("case", "a", b"1"))
    kept = backend.open()
    await store.close()
    assert (await get(kept, "case", "a")) is not None
    await kept.close()


async def test_changes_are_told_to_every_process_within_a_second(backend: Backend) -> None:
    one, other = backend.open(), backend.open()
    heard: list[tuple[str, str]] = []

    async def hear(name: str, store: Store) -> None:
        async for kind in store.changes():
            heard.append((name, kind))

    def both(*kinds: str) -> set[tuple[str, str]]:
        return {(name, kind) for name in ("one", "other") for kind in kinds}

    tasks = [asyncio.create_task(hear("one", one)), asyncio.create_task(hear("other", other))]
    await until(lambda: set(heard) == both(*CHANGES))  # at first, since nobody knows what happened before
    for operation in (*(Put(kind, "a", b"") for kind in CHANGES), Drop("key", "a")):
        heard.clear()
        await one.run([Put("case", "a", b""), operation])
        await until(lambda: len(heard) >= 2, 1.5)
        assert set(heard) == both(operation.kind)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await one.close()
    await other.close()


async def test_a_closed_store_says_so(backend: Backend) -> None:
    store, kept = backend.open(), backend.open()
    await store.ping()
    await store.close()
    await store.close()
    await kept.close()
    with pytest.raises(StateError):
        await store.ping()
    with pytest.raises(StateError):
        await store.run([Get("case", "a")])
