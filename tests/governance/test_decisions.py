"""What follows from a decision about a complaint."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec
import pytest

from guardrail.governance.cases import Allowed, Case, CaseError, Cases
from guardrail.governance.complaint_terms import DEFAULTS, ComplaintRules
from guardrail.governance.complaints import Complaint, ComplaintError, Complaints, Filer
from guardrail.governance.decisions import Decisions
from guardrail.governance.filing import Filing
from guardrail.state.secret import Secret
from guardrail.state.sqlite import SqliteStore

RULES = ComplaintRules(**msgspec.structs.asdict(DEFAULTS))
REQUEST = "g-0123456789abcdef"


class Log:
    def write(self, kind: str, body: Mapping[str, Any]) -> None:
        pass


class Office:
    """Complaints and cases over one store."""

    def __init__(self, store: SqliteStore) -> None:
        self.complaints = Complaints(store, Log(), Secret("0123456789abcdef0123456789abcdef"))
        self.cases = Cases(store, Log())
        self.decisions = Decisions(self.complaints, self.cases)

    async def filed(self, filing: Filing, tenant: str = "acme", vouched: bool = True) -> Complaint:
        return (await self.complaints.file(filing, Filer(tenant, vouched=vouched), RULES)).complaint

    async def status(self, case: str) -> str:
        found = await self.cases.get(case)
        assert found is not None
        return found.status


@contextlib.asynccontextmanager
async def office() -> AsyncIterator[Office]:
    """Two cases that one request led to."""
    store = SqliteStore(None)
    try:
        made = Office(store)
        for number in (1, 2):
            plain = {"origin": "manual", "tenant": "acme", "at": 1.0, "measure": "remove", "begun": 1.0}
            await made.cases.open(Case(id=f"c-{number}", request=REQUEST, **plain))  # type: ignore[arg-type]
        yield made
    finally:
        await store.close()


async def test_an_appeal_that_is_upheld_lifts_the_case() -> None:
    async with office() as at:
        appeal = await at.filed(Filing("appeal", "No!", "c-1"))
        allow = [Allowed("bombs", "bath bomb")]
        decided = await at.decisions.decide(appeal.id, "upheld", "You are right.", "ann", lift=True, allow=allow)
        assert decided.effects == ("lift c-1", "allow in bombs: bath bomb")
        assert [await at.status(case) for case in ("c-1", "c-2")] == ["lifted", "open"]
        case = await at.cases.get("c-1")
        assert case is not None
        assert [(each.about, each.allow) for each in case.decisions] == [(appeal.id, tuple(allow))]


async def test_an_appeal_that_is_rejected_upholds_the_case() -> None:
    async with office() as at:
        appeal = await at.filed(Filing("appeal", "No!", "c-1"))
        assert (await at.decisions.decide(appeal.id, "rejected", "No.", "ann")).effects == ("uphold c-1",)
        assert await at.status("c-1") == "upheld"


async def test_a_complaint_about_an_answer_lifts_all_that_the_request_led_to() -> None:
    async with office() as at:
        complaint = await at.filed(Filing("complaint", "No!", REQUEST))
        decided = await at.decisions.decide(complaint.id, "partly", "So.", "ann", lift=True)
        assert sorted(decided.effects) == ["lift c-1", "lift c-2"]


async def test_whoever_needs_no_key_appeals_by_the_id_that_they_were_told() -> None:
    async with office() as at:
        appeal = await at.filed(Filing("appeal", "No!", "c-1"), "anonymous", vouched=False)
        assert (await at.decisions.decide(appeal.id, "upheld", "So.", "ann", lift=True)).effects == ("lift c-1",)


REFUSED: dict[str, tuple[Filing, dict[str, Any], str]] = {
    "about nothing": (Filing("other", "x"), {"lift": True}, "about no case"),
    "about a case of somebody else": (Filing("appeal", "x", "c-none"), {"lift": True}, "about no case"),
    "rejected with effect": (Filing("appeal", "x", "c-1"), {"outcome": "rejected", "lift": True}, "changes nothing"),
    "no reasons": (Filing("appeal", "x", "c-1"), {"reasons": " ", "lift": True}, "and reasons"),
    "nobody": (Filing("appeal", "x", "c-1"), {"actor": "", "lift": True}, "who made it"),
}


@pytest.mark.parametrize(("filing", "changes", "message"), REFUSED.values(), ids=REFUSED)
async def test_what_cannot_be_decided_changes_nothing(filing: Filing, changes: dict[str, Any], message: str) -> None:
    async with office() as at:
        filed = await at.filed(filing)
        said = {"outcome": "upheld", "reasons": "So.", "actor": "ann"} | changes
        with pytest.raises(ComplaintError, match=message):
            await at.decisions.decide(filed.id, **said)
        assert await at.status("c-1") == "open"
        found = await at.complaints.find(filed.id)
        assert found is not None
        assert found.status == "received"


async def test_a_tenant_lifts_nothing_of_another_and_nothing_is_decided_twice() -> None:
    async with office() as at:
        appeal = await at.filed(Filing("appeal", "No!", "c-1"), "globex")
        with pytest.raises(ComplaintError, match="about no case"):
            await at.decisions.decide(appeal.id, "upheld", "So.", "ann", lift=True)
        await at.decisions.decide(appeal.id, "upheld", "So.", "ann")
        with pytest.raises((ComplaintError, CaseError), match="is decided"):
            await at.decisions.decide(appeal.id, "upheld", "So.", "ann")
        with pytest.raises(ComplaintError, match="no complaint f-none"):
            await at.decisions.decide("f-none", "upheld", "So.", "ann")
