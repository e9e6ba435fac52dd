"""Complaints from the receipt to the decision, in a real store."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec
import pytest

from guardrail.governance.complaint_terms import DEFAULTS, ComplaintRules
from guardrail.governance.complaints import (
    KIND,
    MOVES,
    OUTCOMES,
    WORDS,
    ComplaintError,
    Complaints,
    Filer,
    Move,
    Reused,
    Status,
    Words,
)
from guardrail.governance.counters import read
from guardrail.governance.filing import Filing
from guardrail.governance.keyring import KIND as SUBJECT
from guardrail.state.operations import Counts, Drop, Find
from guardrail.state.secret import Secret
from guardrail.state.sqlite import SqliteStore

RULES = ComplaintRules(**msgspec.structs.asdict(DEFAULTS))
SECRET = Secret("0123456789abcdef0123456789abcdef")
FILING = Filing("appeal", "I said nothing of the kind, ask canary-7.", "case-1", contact="me@canary.example")
ACME = Filer("acme", "5" * 32, vouched=True)
DAY = 86400.0


class Log:
    """Keeps what was taken down."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, Any]]] = []

    def write(self, kind: str, body: Mapping[str, Any]) -> None:
        self.lines.append((kind, dict(body)))

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.lines]


@contextlib.asynccontextmanager
async def complaining() -> AsyncIterator[tuple[Complaints, SqliteStore, Log]]:
    store, log = SqliteStore(None), Log()
    try:
        yield Complaints(store, log, SECRET), store, log
    finally:
        await store.close()


async def test_from_the_receipt_to_the_decision() -> None:
    async with complaining() as (complaints, store, log):
        filed = await complaints.file(FILING, ACME, RULES)
        id = filed.complaint.id
        assert filed.fresh
        assert filed.complaint.status == "received"
        assert await complaints.words(filed.complaint, "ann") == Words(FILING.text, FILING.contact)
        assert (await complaints.take(id, "ann")).reviewer == "ann"
        assert (await complaints.take(id, "bob")).reviewer == "bob"
        decided = await complaints.decide(id, "bob", "upheld", " You are right. ", ["lift case-1"])
        assert (decided.outcome, decided.reasons, decided.effects) == ("upheld", "You are right.", ("lift case-1",))
        assert (await complaints.close(id, "bob")).status == "closed"
        assert [step.move for step in (await complaints.find(id) or decided).history] == [
            *("file", "take", "take", "decide", "close")
        ]
        assert log.kinds == [
            *("complaint.received", "complaint.read", "complaint.taken", "complaint.taken"),
            *("complaint.decided", "complaint.closed"),
        ]
        (counts,) = await store.run([Counts("2000-01-01", "2100-01-01")])
        assert [(str(one.kind), one.details, one.tenant) for one in read(counts)][:2] == [
            ("complaints", ("appeal",), "acme"),
            ("decisions", ("appeal", "upheld"), "acme"),
        ]


async def test_what_a_person_wrote_is_sealed_and_in_no_log() -> None:
    async with complaining() as (complaints, store, log):
        filed = await complaints.file(FILING, ACME, RULES, idempotency="canary-key")
        await complaints.words(filed.complaint, "ann")
        await complaints.decide(filed.complaint.id, "ann", "rejected", "No.")
        kept = (await store.run([Find(KIND), Find(WORDS), Find(SUBJECT)])) + [log.lines]
        assert all(kept)
        assert "canary" not in str(kept)
        assert filed.receipt not in str(kept)


async def test_words_cannot_be_read_once_the_persons_key_is_gone() -> None:
    async with complaining() as (complaints, store, _):
        filed = await complaints.file(FILING, ACME, RULES)
        nobody = await complaints.file(FILING, Filer("acme"), RULES)
        await store.run([Drop(SUBJECT, ACME.subject)])
        assert await complaints.words(filed.complaint, "ann") is None
        assert await complaints.words(nobody.complaint, "ann") == Words(FILING.text, FILING.contact)


async def test_the_receipt_is_all_that_is_needed_and_nothing_else_will_do() -> None:
    async with complaining() as (complaints, _, _):
        first = await complaints.file(FILING, ACME, RULES)
        second = await complaints.file(FILING, ACME, RULES)
        assert await complaints.by_receipt(first.complaint.id, first.receipt) == first.complaint
        assert await complaints.of_receipt(second.receipt) == second.complaint
        assert await complaints.of_receipt("fr-none") is None
        for id, receipt in (
            (first.complaint.id, second.receipt),
            (first.complaint.id, ""),
            (first.complaint.id, "é"),
            (first.complaint.id, first.complaint.receipt_hash),
            ("f-none", first.receipt),
        ):
            assert await complaints.by_receipt(id, receipt) is None


async def test_the_same_idempotency_key_files_once() -> None:
    async with complaining() as (complaints, store, log):
        together = await asyncio.gather(
            *(complaints.file(FILING, ACME, RULES, idempotency="k-1", now=float(at)) for at in range(8))
        )
        assert len({(filed.complaint.id, filed.receipt, filed.complaint.received_at) for filed in together}) == 1
        assert [filed.fresh for filed in together].count(True) == 1
        assert {str(body["complaint"]) for _, body in log.lines} == {together[0].complaint.id}
        assert len((await store.run([Find(KIND)]))[0]) == 1
        with pytest.raises(Reused):
            await complaints.file(Filing("other", "else"), ACME, RULES, idempotency="k-1")
        elsewhere = await complaints.file(FILING, Filer("globex"), RULES, idempotency="k-1")
        assert elsewhere.fresh
        assert elsewhere.complaint.id != together[0].complaint.id


ALL: list[tuple[Status, Move]] = [
    (status, move) for status in ("received", "in_review", "decided", "closed") for move in ("take", "decide", "close")
]


@pytest.mark.parametrize(("status", "move"), ALL, ids=["-".join(each) for each in ALL])
async def test_every_move_in_every_state(status: Status, move: Move) -> None:
    async with complaining() as (complaints, _, log):
        id = (await complaints.file(FILING, ACME, RULES)).complaint.id
        before = {"received": (), "in_review": ("take",), "decided": ("decide",), "closed": ("decide", "close")}

        async def do(move: str) -> Status:
            if move == "decide":
                return (await complaints.decide(id, "ann", "partly", "So.")).status
            return (await (complaints.take if move == "take" else complaints.close)(id, "ann")).status

        for each in before[status]:
            await do(each)
        lines = len(log.lines)
        if (status, move) in MOVES:
            assert await do(move) == MOVES[status, move]
        else:
            with pytest.raises(ComplaintError, match=f"is {status}: it cannot be "):
                await do(move)
            assert len(log.lines) == lines
            found = await complaints.find(id)
            assert found is not None
            assert found.status == status


async def test_two_reviewers_decide_once() -> None:
    async with complaining() as (complaints, _, _):
        id = (await complaints.file(FILING, ACME, RULES)).complaint.id
        done = await asyncio.gather(
            *(complaints.decide(id, f"r{number}", outcome, "So.") for number, outcome in enumerate(OUTCOMES)),
            return_exceptions=True,
        )
        assert sum(isinstance(each, ComplaintError) for each in done) == len(OUTCOMES) - 1
        found = await complaints.find(id)
        assert found is not None
        assert [step.move for step in found.history] == ["file", "decide"]


async def test_no_decision_without_reasons_and_none_of_what_is_not_there() -> None:
    async with complaining() as (complaints, _, _):
        id = (await complaints.file(FILING, ACME, RULES)).complaint.id
        with pytest.raises(ComplaintError, match="needs reasons"):
            await complaints.decide(id, "ann", "upheld", " \n")
        with pytest.raises(ComplaintError, match="there is no complaint f-none"):
            await complaints.take("f-none", "ann")


async def test_the_list_is_sorted_by_when_a_decision_is_due() -> None:
    async with complaining() as (complaints, store, _):
        ids = {}
        for name, tenant, kind, day in (
            ("late", "acme", "appeal", 0),
            ("later", "acme", "other", 1),
            ("elsewhere", "globex", "other", 2),
            ("in time", "acme", "other", 40),
            ("done", "acme", "other", 0),
        ):
            filing = Filing(kind, "x", "case-1" if kind == "appeal" else "")  # type: ignore[arg-type]
            ids[(await complaints.file(filing, Filer(tenant), RULES, now=day * DAY)).complaint.id] = name
        done = next(id for id, name in ids.items() if name == "done")
        await complaints.decide(done, "ann", "rejected", "So.", now=35 * DAY)

        async def names(**filters: Any) -> list[str]:
            return [ids[one.id] for one in await complaints.listed(**filters)]

        now = 33 * DAY + 1
        assert await names(overdue=True, now=now) == ["late", "later", "elsewhere"]
        assert await names(overdue=True, now=now, tenant="acme") == ["late", "later"]
        assert await names(status="open") == ["late", "later", "elsewhere", "in time"]
        assert await names(status="decided") == ["done"]
        assert await names(kind="appeal") == ["late"]
        assert await names(status="open", tenant="acme", limit=2) == ["late", "later"]
        first = (await complaints.listed(status="open", limit=1))[0]
        assert await names(status="open", after=first.id) == ["later", "elsewhere", "in time"]
        (counts,) = await store.run([Counts("2000-01-01", "2100-01-01")])
        assert [one.number for one in read(counts) if one.kind == "late"] == [1]


async def test_overdue_begins_when_the_last_day_is_over() -> None:
    async with complaining() as (complaints, _, _):
        complaint = (await complaints.file(FILING, ACME, RULES, now=12 * 3600.0)).complaint
        assert complaint.due_at == 31 * DAY
        assert [complaint.overdue(at) for at in (31 * DAY, 31 * DAY + 1)] == [False, True]
        data = (await complaints.file(Filing("data_request", "", right="erase"), ACME, RULES)).complaint
        assert not (await complaints.decide(data.id, "ann", "upheld", "Done.")).overdue(data.due_at + DAY)


async def test_it_is_deleted_when_its_time_is_up_and_not_before_it_was_decided() -> None:
    now = [1_000_000.0]
    store, log = SqliteStore(None, clock=lambda: now[0]), Log()
    try:
        complaints = Complaints(store, log, SECRET)
        id = (await complaints.file(FILING, ACME, RULES)).complaint.id
        now[0] += 20 * 365 * DAY
        assert await complaints.find(id) is not None
        await complaints.decide(id, "ann", "upheld", "So.")
        now[0] += RULES.keep_days * DAY - 60
        assert [bool(page) for page in await store.run([Find(KIND), Find(WORDS)])] == [True, True]
        now[0] += 120
        assert await store.run([Find(KIND), Find(WORDS)]) == [[], []]
    finally:
        await store.close()
