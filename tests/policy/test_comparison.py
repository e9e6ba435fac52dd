"""What a shadow would have done, from the counters."""

from __future__ import annotations

import asyncio

from guardrail.governance.counters import Kind, count
from guardrail.policy.comparison import compared, rows
from guardrail.state.sqlite import SqliteStore


def test_the_counts_of_one_version() -> None:
    mine, others = (Kind.SHADOW, "p", "3"), (Kind.SHADOW, "p", "4")

    async def scenario() -> None:
        store = SqliteStore(None)
        counted = (
            (*mine, "answers", "same", 5),
            (*mine, "answers", "differs", 2),
            (*mine, "answers", "over_budget"),
            (*mine, "halts", "shadow", 2),
            (*mine, "removed", "live", 1200),
            (*mine, "rule_live", "a.b", 7),
            (*mine, "rule_shadow", "c", 8),
            (*mine, "category_live", "brand", 7),
            (*others, "answers", "same", 9),
        )
        await store.run([count("", *counted), count("acme", (Kind.HALTS,))])
        found = await compared(store, "p", 3, "2000-01-01", "2999-01-01")
        assert found["answers"] == {"same": 5, "differs": 2, "over_budget": 1}
        assert found["rules"] == {"a.b": {"live": 7, "shadow": 0}, "c": {"live": 0, "shadow": 8}}
        assert found["categories"] == {"brand": {"live": 7, "shadow": 0}}
        said = "\n".join(rows(found))
        assert "7, of which 2 would have come out otherwise" in said
        assert "0 by both, 0 live only, 2 shadow only" in said
        assert "1,200 live, 0 shadow" in said
        assert "1 over_budget" in said
        await store.close()

    asyncio.run(scenario())
