"""Complaints and requests of data subjects, as an operator's program asks for them."""

from __future__ import annotations

from pathlib import Path

import aiohttp

from guardrail.governance.cases import Case, Cases
from guardrail.governance.complaint_terms import ComplaintTerms, rules_of
from guardrail.governance.complaints import Complaints, Filer
from guardrail.governance.filing import Filing
from guardrail.governance.keyring import KIND as SUBJECT
from guardrail.state.store import get
from tests.proxy.operated import Operator, operated
from tests.proxy.program import configure, program
from tests.proxy.scripted import says, scripted

SUBJECT_ID = "5" * 32


async def filed(operator: Operator, filing: Filing, *, subject: str = "", now: float | None = None) -> str:
    desk, rules = operator.desk, rules_of(ComplaintTerms())
    assert rules is not None
    complaints = Complaints(desk.store, desk.audit, desk.secret)
    return (await complaints.file(filing, Filer("acme", subject, vouched=True), rules, now=now)).complaint.id


async def test_the_queue(tmp_path: Path) -> None:
    async with operated(tmp_path) as operator:
        late = await filed(operator, Filing("other", "x"), now=1.0)
        later = await filed(operator, Filing("complaint", "x", "g-1"), now=2e5)
        data = await filed(operator, Filing("data_request", "", right="export"))

        async def ids(query: str) -> list[str]:
            status, said = await operator.ask(f"/complaints?{query}")
            assert status == 200
            return [each["id"] for each in said["complaints"]]

        assert await ids("status=open") == [late, later, data]
        assert await ids("overdue=true") == [late, later]
        assert await ids("kind=complaint&tenant=acme") == [later]
        assert await ids("status=decided") == []
        _, said = await operator.ask("/complaints?limit=2")
        assert said["next"] == later
        assert await ids(f"after={later}") == [data]
        assert [each["id"] for each in (await operator.ask("/data-requests"))[1]["complaints"]] == [data]


async def test_from_the_queue_to_the_decision(tmp_path: Path) -> None:
    async with operated(tmp_path) as operator:
        cases = Cases(operator.desk.store, operator.desk.audit)
        await cases.open(Case(id="c-1", origin="manual", tenant="acme", at=1.0, measure="remove", begun=1.0))
        id = await filed(operator, Filing("appeal", "<b>No!</b>", "c-1"))
        assert (await operator.ask(f"/complaints/{id}"))[1]["words"] is None
        assert (await operator.ask(f"/complaints/{id}?actor=ann"))[1]["words"] == {"text": "<b>No!</b>", "contact": ""}
        assert (await operator.ask(f"/complaints/{id}/take", {"actor": "ann"}))[1]["reviewer"] == "ann"
        decision = {"outcome": "upheld", "reasons": "Right.", "actor": "ann", "lift": True}
        status, said = await operator.ask(f"/complaints/{id}/decision", decision)
        assert (status, said["status"], said["effects"]) == (200, "decided", ["lift c-1"])
        assert (await operator.ask(f"/complaints/{id}/decision", decision)) == (
            409,
            {"error": f"{id} is decided: it cannot be decided"},
        )
        assert (await operator.ask(f"/complaints/{id}/close", {"actor": "ann"}))[1]["status"] == "closed"
        assert (await operator.ask(f"/complaints/{id}/close", {"actor": " "}))[0] == 400
        assert (await operator.ask("/complaints/f-none"))[0] == 404


async def test_what_a_data_subject_asks_for_is_carried_out(tmp_path: Path) -> None:
    async with operated(tmp_path) as operator:
        correct = await filed(operator, Filing("data_request", "I am 15.", right="correct"), subject=SUBJECT_ID)
        export = await filed(operator, Filing("data_request", "", right="export"), subject=SUBJECT_ID)
        erase = await filed(operator, Filing("data_request", "", right="erase"), subject=SUBJECT_ID)
        nobody = await filed(operator, Filing("data_request", "", right="erase"))
        other = await filed(operator, Filing("other", "x"), subject=SUBJECT_ID)
        ann = {"actor": "ann"}
        path = "/data-requests/{}/carry-out"
        assert await operator.ask(path.format(correct), ann | {"attributes": {"minor": True}}) == (
            200,
            {"correct": {"minor": True}},
        )
        _, said = await operator.ask(path.format(export), ann)
        assert said["export"]["attributes"] == {"minor": True}
        assert len(said["export"]["documents"]["complaint"]) == 4
        assert (await operator.ask(path.format(nobody), ann))[0] == 409
        assert (await operator.ask(path.format(other), ann))[0] == 409
        assert (await operator.ask(path.format(erase), {"actor": ""}))[0] == 400
        assert (await operator.ask(path.format(erase), ann))[0] == 200
        assert await get(operator.desk.store, SUBJECT, SUBJECT_ID) is None


async def test_over_several_workers(tmp_path: Path) -> None:
    async with scripted(says("hi")) as upstream:
        main = configure(tmp_path, upstream.url)
        main.write_text(main.read_text() + "terms: {complaints: {due_days: 3}}\n")
        async with program("--config", str(main), "--workers", "2") as running:
            numbers = set()
            for _ in range(4):
                async with aiohttp.ClientSession() as session:
                    url = f"{running.url}/v1/guardrail/complaints"
                    async with session.post(url, json={"text": "x"}) as answer:
                        assert answer.status == 201
                        numbers.add((await answer.json())["id"])
            listed = await running.json("/complaints?status=open")
            assert {each["id"] for each in listed["complaints"]} == numbers
