"""An order to remove an answer: its case, its message, and what all processes are told."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from guardrail.governance.cases import Case, Cases, new_case_id
from guardrail.governance.complaint_terms import ComplaintTerms
from guardrail.governance.counters import read
from guardrail.governance.deliveries import deliveries
from guardrail.governance.excerpts import KIND as EXCERPT
from guardrail.governance.removal import Order, RemovalError, Removals, Removed, completed, removed_since
from guardrail.governance.terms import Terms
from guardrail.state.operations import Counts, Find, Put
from guardrail.state.sqlite import SqliteStore

REQUEST = "g-0123456789abcdef"
ORDER = Order("It names a person who is not public.", ("privacy",), tenant="acme", request=REQUEST, message="msg_7")


class Log:
    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, Any]]] = []

    def write(self, kind: str, body: Mapping[str, Any]) -> None:
        self.lines.append((kind, dict(body)))


@contextlib.asynccontextmanager
async def removing() -> AsyncIterator[tuple[Removals, SqliteStore, Log]]:
    store, log = SqliteStore(None), Log()
    terms = Terms(complaints=ComplaintTerms(contact="help@example.com"))
    try:
        yield Removals(store, log, lambda tenant: terms), store, log
    finally:
        await store.close()


async def test_an_order() -> None:
    async with removing() as (removals, store, log):
        case, delivery = await removals.order(replace(ORDER, start=3, end=9, ground="GDPR 17"), "ann")
        assert (case.origin, case.measure, case.request, case.actor) == ("removal", "remove", REQUEST, "ann")
        assert (case.unlawful, case.ground, case.contact) == (True, "GDPR 17", "help@example.com")
        assert await Cases(store, log).get(case.id) == case
        assert await deliveries(store, status="pending") == [delivery]
        data = json.loads(delivery.body)["data"]
        assert data.pop("statement")["case"] == case.id
        assert data == {
            "case_id": case.id,
            "request_id": REQUEST,
            "message_id": "msg_7",
            "channel": "content",
            "start": 3,
            "end": 9,
            "unit": "code_point",
            "categories": ["privacy"],
        }
        assert [kind for kind, _ in log.lines] == ["case.opened", "answer.removed"]
        assert log.lines[1][1]["actor"] == "ann"
        ((_, removed),) = await removed_since(store, 0)
        assert removed == Removed(case.id, "acme", REQUEST, "msg_7")
        assert await removed_since(store, case.at + 60) == []
        (counts,) = await store.run([Counts("2000-01-01", "2100-01-01")])
        assert ("removals", ("ordered",)) in [(str(one.kind), one.details) for one in read(counts)]


def test_the_record_of_another_tenant_tells_nothing() -> None:
    record = {"tenant": "globex", "answer_id": "msg_9", "policy": "p@1", "policy_digest": "ab"}
    assert completed(ORDER, record) == ORDER
    assert completed(ORDER, None) == ORDER
    told = completed(replace(ORDER, tenant="", message=""), record)
    assert (told.tenant, told.message, told.policy) == ("globex", "msg_9", "p@1")


async def test_what_reviewers_could_read_of_it_is_deleted() -> None:
    async with removing() as (removals, store, _):
        kept = [Put(EXCERPT, f"x-{of}", b"{}", frozenset({f"request:{of}"})) for of in (REQUEST, "g-other")]
        await store.run(kept)
        await removals.order(replace(ORDER, request=""), "ann")
        assert len((await store.run([Find(EXCERPT)]))[0]) == 2
        await removals.order(ORDER, "ann")
        assert [document.id for document in (await store.run([Find(EXCERPT)]))[0]] == ["x-g-other"]


@pytest.mark.parametrize("by", ["case", "request"])
async def test_an_earlier_case_tells_whose_answer_it_is(by: str) -> None:
    async with removing() as (removals, store, log):
        earlier = Case(
            id=new_case_id(),
            origin="conduct",
            tenant="globex",
            subject="5" * 32,
            locale="zh",
            at=1.0,
            measure="warn",
            begun=1.0,
            request=REQUEST,
            policy="p@1",
        )
        await Cases(store, log).open(earlier)
        named = {"case": earlier.id} if by == "case" else {"request": REQUEST}
        case, delivery = await removals.order(Order("So.", ("privacy",), **named), "ann")
        assert (case.tenant, case.subject, case.locale, case.policy) == ("globex", "5" * 32, "zh", "p@1")
        assert (delivery.tenant, json.loads(delivery.body)["data"]["request_id"]) == ("globex", REQUEST)
        # A case of another tenant tells nothing of this one's answer.
        case, _ = await removals.order(replace(ORDER, **named), "ann")
        assert (case.tenant, case.subject) == ("acme", "")


UNFIT = {
    "no reason": ({"reason": " "}, "needs a reason"),
    "no category": ({"categories": ()}, "needs a category"),
    "no tenant": ({"tenant": ""}, "name the tenant"),
    "no answer": ({"request": "", "message": ""}, "which answer"),
    "no such case": ({"case": "c-none"}, "no case c-none"),
    "below 0": ({"start": -1}, "neither below 0"),
    "the wrong way round": ({"start": 5, "end": 5}, "behind the start"),
    "nothing at all": ({"end": 0}, "behind the start"),
}


@pytest.mark.parametrize(("changes", "message"), UNFIT.values(), ids=UNFIT)
async def test_what_cannot_be_ordered_changes_nothing(changes: dict[str, Any], message: str) -> None:
    async with removing() as (removals, store, log):
        with pytest.raises(RemovalError, match=message):
            await removals.order(replace(ORDER, **changes), "ann")
        assert log.lines == []
        assert await deliveries(store) == []
