"""Versions, keys and figures, as an operator's program reads them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from time import time

from guardrail.governance.counters import Kind, count
from guardrail.policy.key_store import write_key
from guardrail.policy.keys import PURPOSE, new_key
from tests.proxy.operated import operated


async def test_keys_by_their_names(tmp_path: Path) -> None:
    async with operated(tmp_path) as operator:
        presented, made = new_key("acme", by="ann", now=time())
        desk = operator.desk
        await write_key(desk.store, made, desk.secret.derive(PURPOSE), now=time(), new=True)
        status, said = await operator.ask("/keys?tenant=acme")
        assert status == 200
        (row,) = said["keys"]
        assert (row["name"], row["tenant"], row["state"], row["by"]) == (made.name, "acme", "good", "ann")
        assert made.hash not in str(said)
        assert presented not in str(said)
        assert (await operator.ask("/keys?tenant=globex"))[1] == {"keys": []}


async def test_without_pushed_policies_there_are_no_versions(tmp_path: Path) -> None:
    async with operated(tmp_path) as operator:
        assert await operator.ask("/policies/versions") == (200, {"serial": 0, "policies": {}})


async def test_the_figures_of_a_report(tmp_path: Path) -> None:
    async with operated(tmp_path) as operator:
        await operator.desk.store.run([count("acme", (Kind.COMPLAINTS, "appeal"))] * 12)
        today = datetime.now(UTC).date().isoformat()
        _, said = await operator.ask(f"/report?first={today}&last={today}&exact=true&tenant=acme")
        (table,) = [table for table in said["tables"] if table["kind"] == "complaints"]
        assert "12" in str(table)
        assert (await operator.ask("/report"))[0] == 200
