"""Cases, orders to remove and messages, as an operator's program asks for them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from guardrail.governance.cases import Case, Cases
from tests.observe.test_records import record
from tests.proxy.operated import Operator, operated

REQUEST = "g-0123456789abcdef"
ORDER = {"actor": "ann", "reason": "So.", "categories": ["privacy"]}


async def opened(operator: Operator, id: str, at: float, tenant: str = "acme") -> Case:
    plain: dict[str, Any] = {"origin": "manual", "measure": "remove", "begun": at, "request": REQUEST}
    return await Cases(operator.desk.store, operator.desk.audit).open(Case(id=id, tenant=tenant, at=at, **plain))


async def test_lists_go_on_where_they_ended(tmp_path: Path) -> None:
    async with operated(tmp_path) as operator:
        for number in range(5):
            await opened(operator, f"c-{number}", float(number), "acme" if number else "globex")
        ids: list[str] = []
        after = ""
        for _ in range(3):
            status, said = await operator.ask(f"/cases?limit=2&after={after}")
            assert status == 200
            ids += [case["id"] for case in said["cases"]]
            after = said["next"] or ""
        assert ids == ["c-4", "c-3", "c-2", "c-1", "c-0"]
        assert after == ""
        _, said = await operator.ask("/cases?tenant=globex&status=open")
        assert [case["id"] for case in said["cases"]] == ["c-0"]
        assert len((await operator.ask(f"/cases?request={REQUEST}"))[1]["cases"]) == 5


async def test_a_case_and_its_decision(tmp_path: Path) -> None:
    async with operated(tmp_path) as operator:
        await opened(operator, "c-1", 1.0)
        _, said = await operator.ask("/cases/c-1?locale=zh")
        assert (said["case"]["id"], said["statement"]["language"]) == ("c-1", "zh")
        lifted = {"verdict": "lift", "actor": "ann", "reason": "A quotation.", "allow": [{"rule": "r", "phrase": "p"}]}
        _, said = await operator.ask("/cases/c-1/decision", lifted)
        assert (said["status"], said["decisions"][0]["actor"]) == ("lifted", "ann")
        assert await operator.ask("/cases/c-1/decision", lifted | {"verdict": "uphold"}) == (
            409,
            {"error": "the case 'c-1' is lifted: what can be decided is lift"},
        )
        assert (await operator.ask("/cases/c-none"))[0] == 404
        assert (await operator.ask("/cases/c-none/decision", lifted))[0] == 404


async def test_a_removal_knows_whose_answer_it_is_from_the_record(tmp_path: Path) -> None:
    kept = record(REQUEST, tenant="acme", answer_id="msg_7", policy="p@0123456789ab", policy_digest="ab")
    async with operated(tmp_path, kept) as operator:
        status, said = await operator.ask("/removals", ORDER | {"request_id": REQUEST, "start": 1, "end": 4})
        assert status == 200
        case, delivery = said["case"], said["delivery"]
        assert (case["tenant"], case["policy"], case["measure"]) == ("acme", "p@0123456789ab", "remove")
        data = json.loads(delivery["body"])["data"]
        assert (data["message_id"], data["start"], data["end"]) == ("msg_7", 1, 4)
        assert await operator.ask(f"/deliveries/{delivery['id']}") == (200, delivery)
        assert (await operator.ask("/deliveries?status=pending&tenant=acme"))[1]["deliveries"] == [delivery]
        assert (await operator.ask("/deliveries?status=acknowledged"))[1] == {"deliveries": [], "next": None}
        assert (await operator.ask("/deliveries/msg_none"))[0] == 404
        assert (await operator.ask("/removals", ORDER | {"request_id": "g-none"}))[0] == 409
        assert (await operator.ask("/removals", ORDER | {"request_id": REQUEST, "actor": " "}))[0] == 400
