"""Duties at work in a proxy: what is asked before a request and written after it, also while the state is away."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from guardrail.governance.duty import Done, Duty, Entering, Finished, Refused, Standing, Use
from guardrail.governance.identity import SubjectTerms
from guardrail.governance.terms import Terms
from guardrail.proxy import governor
from guardrail.state.operations import Count, Document, Get, Give, Meter, Operation, Put, Seats, Take, Taken
from guardrail.state.sqlite import SqliteStore
from guardrail.state.store import StateError, Store
from tests.proxy.harness import BODY, Guarded, guarding, raw_client
from tests.proxy.scripted import says, until

PEOPLE = Terms(subjects=SubjectTerms())


class Watched:
    """A store in memory that says what it was asked, and that can be away."""

    def __init__(self) -> None:
        self.store = SqliteStore(None)
        self.batches: list[list[Operation]] = []
        self.away = False
        self.full = False
        """It can be read."""
        self.slow = asyncio.Event()
        self.slow.set()

    async def run(self, operations: Sequence[Operation]) -> list[Any]:
        await self.slow.wait()
        if self.away:
            raise StateError("nobody answers", "down")
        if self.full and not all(isinstance(operation, Get) for operation in operations):
            raise StateError("no room", "full")
        self.batches.append(list(operations))
        return await self.store.run(operations)

    @property
    def round_trips(self) -> int:
        return len(self.batches)

    def changes(self) -> Any:
        return self.store.changes()

    async def ping(self) -> None:
        if self.away or self.full:
            raise StateError("nobody answers", "down")

    async def close(self) -> None:
        await self.store.close()


class Greets(Duty):
    """Asks for a document, writes one after, and one more for which it has to read first."""

    use: Use = "records"

    def __init__(self, name: str, use: Use = "records") -> None:
        self.name, self.use = name, use
        self.told: list[Any] = []

    def asks(self, entering: Entering) -> Sequence[Operation]:
        return [Get("case", self.name)]

    def judge(self, entering: Entering, replies: Sequence[Any], standing: Standing) -> None:
        (found,) = replies
        self.told.append(found)
        standing.headers[f"x-guardrail-{self.name}"] = found.body.decode() if found else "nothing"

    def after(self, finished: Finished) -> Sequence[Operation]:
        return [Put("case", self.name, b"seen"), Count(((f"{self.name}", 1),))]

    async def follow(self, finished: Finished, store: Store) -> None:
        (found,) = await store.run([Get("case", "log")])
        body = found.body if isinstance(found, Document) else b""
        await store.run([Put("case", "log", body + self.name.encode())])


class Seated(Duty):
    """One seat for everybody."""

    use: Use = "limits"

    def asks(self, entering: Entering) -> Sequence[Operation]:
        return [Take("t", seats=(Seats("all", 1),), lease=entering.request_id)]

    def judge(self, entering: Entering, replies: Sequence[Taken], standing: Standing) -> None:
        if replies[0].refused >= 0:
            raise Refused(429, "rate_limit_exceeded", "No seat.", type="rate_limit_error")

    def undo(self, entering: Entering, replies: Sequence[Taken]) -> Sequence[Operation]:
        return [Give("t", ("all",), entering.request_id)]

    def after(self, finished: Finished) -> Sequence[Operation]:
        return [Give("t", ("all",), finished.entering.request_id)]


class Looks(Duty):
    """Asks, and writes nothing."""

    def asks(self, entering: Entering) -> Sequence[Operation]:
        return [Get("case", "any")]


class Refuses(Duty):
    def judge(self, entering: Entering, replies: Sequence[Any], standing: Standing) -> None:
        raise Refused(403, "access_denied", "Not today.", type="permission_error", retry_after=1.5)


async def settled(guarded: Guarded) -> None:
    assert guarded.proxy.governor is not None
    await guarded.proxy.governor.settle(5)


async def seats_taken(store: Watched) -> int:
    (taken,) = await store.store.run([Take("t", seats=(Seats("all", 100),), lease="probe")])
    await store.store.run([Give("t", ("all",), "probe")])
    return int(taken.levels[0].used) - 1


async def test_all_duties_ask_in_one_batch_and_write_in_another() -> None:
    store = Watched()
    duties = [Greets("one"), Greets("two", "sessions")]
    async with guarding(says("hi"), duties=duties, store=store) as guarded:
        got = await guarded.ask()
        assert (got.status, got.text) == (200, "hi")
        assert (got.headers["x-guardrail-one"], got.headers["x-guardrail-two"]) == ("nothing", "nothing")
        await settled(guarded)
        before, after, *follow = store.batches
        assert before == [Get("case", "one"), Get("case", "two")]
        assert [type(each) for each in after] == [Put, Count, Put, Count]
        assert len(follow) == 4
        assert (await guarded.ask()).headers["x-guardrail-two"] == "seen"
        assert guarded.metric("guardrail_state_asked_total") == 2
    await store.close()


async def test_where_no_duty_asks_nobody_waits_for_the_state() -> None:
    store = Watched()
    async with guarding(says("hi"), duties=[Duty()], store=store) as guarded:
        store.slow.clear()
        assert (await guarded.ask()).text == "hi"
        await settled(guarded)
        assert store.batches == []
        assert guarded.metric("guardrail_state_asked_total") == 0
        store.slow.set()
    await store.close()


async def test_what_was_taken_is_given_back_when_another_duty_refuses() -> None:
    store = Watched()
    async with guarding(says("hi"), duties=[Seated(), Refuses()], store=store) as guarded:
        for _ in range(3):
            got = await guarded.ask()
            assert (got.status, got.error["code"], got.error["type"]) == (403, "access_denied", "permission_error")
            assert got.headers["retry-after"] == "2"
        assert (await guarded.record()).outcome == "refused"
        await settled(guarded)
        assert await seats_taken(store) == 0
    await store.close()


async def test_what_was_taken_is_given_back_when_another_duty_fails() -> None:
    class Fails(Duty):
        def judge(self, entering: Entering, replies: Sequence[Any], standing: Standing) -> None:
            raise RuntimeError

    store = Watched()
    async with guarding(says("hi"), duties=[Seated(), Fails()], store=store) as guarded:
        assert (await guarded.ask()).status == 500
        await settled(guarded)
        assert await seats_taken(store) == 0
    await store.close()


async def test_what_was_taken_for_a_client_that_left_meanwhile_is_given_back() -> None:
    store = Watched()
    async with guarding(says("hi"), duties=[Seated()], store=store) as guarded:
        store.slow.clear()
        async with raw_client(guarded):
            await until(lambda: guarded.proxy.admission.in_flight == 1)
        await until(lambda: guarded.proxy.admission.in_flight == 0)
        store.slow.set()
        await until(lambda: len(store.batches) == 2)
        await settled(guarded)
        assert await seats_taken(store) == 0
        assert (await guarded.ask()).text == "hi"
    await store.close()


@pytest.mark.parametrize("ending", ["whole", "halted", "gone"])
async def test_a_seat_is_free_again_however_an_answer_ends(ending: str) -> None:
    store = Watched()
    texts = {"whole": ("a",), "halted": ("the forbidden recipe ", "b"), "gone": ("a",)}[ending]
    async with guarding(says(*texts), duties=[Seated()], store=store) as guarded:
        for count in range(1, 4):
            if ending == "gone":
                async with raw_client(guarded) as (reader, _):
                    await reader.read(10)
            else:
                assert (await guarded.ask()).status == 200
            await guarded.record(count)
            await settled(guarded)
        assert await seats_taken(store) == 0
    await store.close()


CASES: list[tuple[Done, int, str]] = [("open", 200, "-"), ("closed", 503, "-"), ("local", 200, "seen")]


@pytest.mark.parametrize(("done", "status", "told"), CASES)
async def test_while_the_state_is_away__conduct(done: Done, status: int, told: str) -> None:
    """`local`: what this process last knew of the person."""
    store = Watched()
    duty = Greets("duty", "conduct")
    async with guarding(says("hi"), duties=[duty], store=store, on_failure={"conduct": done}, terms=PEOPLE) as guarded:
        body = {**BODY, "user": "ann"}
        await guarded.ask(body)
        await settled(guarded)
        assert (await guarded.ask(body)).headers["x-guardrail-duty"] == "seen"
        await settled(guarded)
        store.away = True
        got = await guarded.ask(body)
        assert got.status == status
        assert got.headers.get("x-guardrail-duty", "-") == told
        record = await guarded.record(3)
        if status == 200:
            assert record.without_state == ["conduct"]
        assert guarded.metric("guardrail_state_failures_total", use="conduct", done=done) == 1
        if done == "local":
            stranger = await guarded.ask({**BODY, "user": "bob"})
            assert "x-guardrail-duty" not in stranger.headers
        store.away = False
        await until(lambda: guarded.metric("guardrail_state_up") == 1)
        assert (await guarded.ask(body)).headers["x-guardrail-duty"] == "seen"
    await store.close()


async def test_while_the_state_is_away__limits_on_this_replica() -> None:
    store = Watched()
    async with guarding(says("hi"), duties=[Seated()], store=store, on_failure={"limits": "local"}) as guarded:
        store.away = True
        answers = [await guarded.ask() for _ in range(3)]
        assert [got.status for got in answers] == [200, 200, 200]
        assert guarded.metric("guardrail_state_failures_total", use="limits", done="local") == 3
        store.away = False
        await until(lambda: guarded.metric("guardrail_state_up") == 1)
        assert await seats_taken(store) == 0
    await store.close()


async def test_one_use_refuses_while_the_others_would_go_on() -> None:
    store = Watched()
    duties = [Greets("one", "sessions"), Seated()]
    async with guarding(says("hi"), duties=duties, store=store, on_failure={"limits": "closed"}) as guarded:
        store.away = True
        got = await guarded.ask()
        assert (got.status, got.error["code"]) == (503, "state_unavailable")
        assert guarded.proxy.governor is not None
        assert guarded.proxy.governor.refusing() == ["limits"]
        store.away = False
    await store.close()


async def test_uses_fail_apart_where_the_state_does_some_of_it() -> None:
    store = Watched()
    duties = [Greets("one", "conduct"), Seated()]
    async with guarding(says("hi"), duties=duties, store=store, on_failure={"limits": "open"}) as guarded:
        store.full = True
        got = await guarded.ask()
        assert (got.status, got.headers["x-guardrail-one"]) == (200, "nothing")
        assert (await guarded.record()).without_state == ["limits"]
        store.full = False
    await store.close()


async def test_where_nothing_can_be_written_no_request_begins_when_records_are_closed() -> None:
    store = Watched()
    async with guarding(says("hi"), duties=[Duty()], store=store, on_failure={"records": "closed"}) as guarded:
        assert (await guarded.ask()).status == 200
        store.full = True
        assert guarded.proxy.governor is not None
        await guarded.proxy.governor.look()
        assert (await guarded.ask()).error["code"] == "state_unavailable"
        store.full = False
        await until(lambda: guarded.metric("guardrail_state_up") == 1)
        assert (await guarded.ask()).status == 200
    await store.close()


async def test_what_could_not_be_written_is_written_when_the_state_is_back(caplog: pytest.LogCaptureFixture) -> None:
    store = Watched()
    async with guarding(says("hi"), duties=[Greets("one"), Greets("two")], store=store, terms=PEOPLE) as guarded:
        store.away = True
        for _ in range(5):
            assert (await guarded.ask({**BODY, "user": "ann"})).status == 200
        assert guarded.metric("guardrail_state_backlog") == 5
        assert caplog.text.count("the state cannot be asked") == 1
        store.away = False
        await settled(guarded)
        assert guarded.metric("guardrail_state_backlog") == 0
        (log,) = await store.store.run([Get("case", "log")])
        assert log.body == b"onetwo" * 5  # in order, for one person
        assert guarded.metric("guardrail_state_lost_total") == 0
    await store.close()


async def test_many_finished_requests_share_a_batch() -> None:
    store = Watched()
    async with guarding(says("hi"), duties=[Seated()], store=store, on_failure={"limits": "open"}) as guarded:
        store.away = True
        await asyncio.gather(*(guarded.ask() for _ in range(20)))
        store.batches.clear()
        store.away = False
        await settled(guarded)
        assert store.batches == []  # what was never taken is not given back
    await store.close()


async def test_a_backlog_is_bounded_and_what_it_loses_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(governor, "BACKLOG", 3)
    store = Watched()
    async with guarding(says("hi"), duties=[Greets("one")], store=store) as guarded:
        store.away = True
        for _ in range(5):
            await guarded.ask()
        assert guarded.metric("guardrail_state_lost_total") == 2
        assert guarded.metric("guardrail_state_backlog") == 3
        store.away = False
    await store.close()


async def test_what_is_given_back_again_gives_no_units_twice() -> None:
    given = Give("t", ("s",), "lease", (Meter("a", 1, 60, -5), Meter("b", 1, 60, 5)))
    (again,) = governor._repeated([given])
    assert again == Give("t", ("s",), "lease", (Meter("b", 1, 60, 5),))


async def test_a_request_waits_for_one_round_trip_and_no_token_for_any() -> None:
    store = Watched()
    words = [f" word{number}" for number in range(500)]
    async with guarding(says(*words), duties=[Seated(), Looks()], store=store) as guarded:
        got = await guarded.ask()
        assert got.text == "".join(words)
        await settled(guarded)
        assert [len(batch) for batch in store.batches] == [2, 1]
        assert guarded.metric("guardrail_state_asked_total") == 1
    await store.close()
