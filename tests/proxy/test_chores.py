"""Chores of a process: what was removed is marked and forgotten, once; what waits is counted."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from guardrail.governance.complaint_terms import ComplaintTerms, rules_of
from guardrail.governance.complaints import Complaints, Filer
from guardrail.governance.desk import Desk, desk_of
from guardrail.governance.filing import Filing
from guardrail.governance.removal import Order, Removals, Removed
from guardrail.governance.terms import Terms
from guardrail.policy.registry import Registry
from guardrail.proxy.app import Proxy
from guardrail.proxy.chores import Chores
from guardrail.settings import AuditSettings
from guardrail.state.settings import State
from tests.observe.test_records import record
from tests.proxy.harness import settings, snapshot

TERMS = Terms(complaints=ComplaintTerms())
ORDER = Order("So.", ("privacy",), tenant="acme", request="g-1")
DAY = 86400.0


class Log:
    def write(self, kind: str, body: Mapping[str, Any]) -> None:
        pass


@contextlib.asynccontextmanager
async def desk(folder: Path) -> AsyncIterator[Desk]:
    configured = settings("http://127.0.0.1:9", state=State(folder=str(folder)), audit=AuditSettings(enabled=False))
    async with desk_of(configured, {}, lambda tenant: TERMS) as opened:
        yield opened


async def test_a_removal_reaches_every_process_once(tmp_path: Path) -> None:
    async with desk(tmp_path) as one, desk(tmp_path) as other:
        seen: list[tuple[str, Removed]] = []
        replicas = [
            Chores(each, {}, lambda removed, name=name: seen.append((name, removed)))  # type: ignore[misc]
            for name, each in (("one", one), ("other", other))
        ]
        removals = Removals(one.store, Log(), lambda tenant: TERMS)
        case, _ = await removals.order(ORDER, "ann")
        for chores in (*replicas, *replicas):
            await chores.follow()
        assert seen == [(name, Removed(case.id, "acme", "g-1")) for name in ("one", "other")]
        await removals.order(ORDER, "ann")
        await replicas[0].follow()
        assert len(seen) == 3


async def test_the_record_is_marked(tmp_path: Path) -> None:
    async with desk(tmp_path) as opened:
        proxy = Proxy(Registry(snapshot(opened.settings)), {}, None, opened)
        proxy.records.add(record("g-1"))
        case, _ = await Removals(opened.store, Log(), lambda tenant: TERMS).order(ORDER, "ann")
        assert proxy.chores is not None
        await proxy.chores.follow()
        assert [each.removed_by for each in proxy.records.newest(1)] == [case.id]
        await proxy.chores.count()
        assert proxy.metrics.registry.get_sample_value("guardrail_deliveries_pending") == 1
        await proxy.close()


async def test_what_waits_is_counted(tmp_path: Path) -> None:
    async with desk(tmp_path) as opened:
        complaints = Complaints(opened.store, opened.audit, opened.secret)
        rules = rules_of(ComplaintTerms())
        assert rules is not None
        for now in (0.0, None):
            await complaints.file(Filing("other", "x"), Filer("acme"), rules, now=now)
        taken = await complaints.file(Filing("appeal", "x", "c-1"), Filer("acme"), rules, now=DAY)
        await complaints.take(taken.complaint.id, "ann")
        await Removals(opened.store, Log(), lambda tenant: TERMS, clock=lambda: 1.0).order(ORDER, "ann")
        chores = Chores(opened, {}, lambda removed: None)
        await chores.count()
        backlog = chores.backlog
        assert backlog.complaints == {("other", "received"): 2, ("appeal", "in_review"): 1}
        assert (backlog.overdue, backlog.pending, backlog.late, backlog.read) == (2, 1, 1, True)
