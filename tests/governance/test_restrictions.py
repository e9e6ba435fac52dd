"""Decisions about single requests: which are kept, for whom, as what, and that another replica can tell them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from guardrail.governance.complaint_terms import ComplaintTerms
from guardrail.governance.restrictions import Restrictions, find
from guardrail.governance.terms import Terms
from guardrail.policy.policy import InputSection
from guardrail.state.redis import RedisStore
from guardrail.state.settings import RedisSettings
from guardrail.state.sqlite import SqliteStore
from guardrail.state.store import Store
from tests.proxy.harness import BODY, POLICY, guarding
from tests.proxy.scripted import says, until
from tests.state.servers import RedisServer, running

ASKED = replace(POLICY, input=InputSection(POLICY))
TERMS = Terms(complaints=ComplaintTerms(contact="help@example.com"))


async def left(store: Store, other: Store, answer: str, asked: str = "Hi", terms: Terms = TERMS) -> Any:
    """What `other` finds of a request that a guardrail on `store` served."""
    body = BODY | {"messages": [{"role": "user", "content": asked}]}
    async with guarding(says(answer), policy=ASKED, terms=terms, duties=[Restrictions()], store=store) as guarded:
        got = await guarded.ask(body)
        await until(lambda: guarded.metric("guardrail_state_backlog") == 0)
        return await find(other, got.headers["x-guardrail-request-id"])


@pytest.mark.parametrize(
    ("answer", "asked", "terms", "what"),
    [
        ("the forbidden recipe is", "Hi", TERMS, ("halted", "answer", "halt")),
        ("fine", "the forbidden recipe", TERMS, ("refused", "prompt", "halt")),
        ("drink Acme Cola now", "Hi", TERMS, None),
        ("fine", "Hi", TERMS, None),
        ("the forbidden recipe is", "Hi", Terms(), None),
    ],
    ids=["halted", "refused", "masked", "clean", "no-terms"],
)
async def test_what_leaves_a_decision(answer: str, asked: str, terms: Terms, what: tuple[str, ...] | None) -> None:
    store = SqliteStore(None)
    found = await left(store, store, answer, asked, terms)
    assert (found and (found.what, found.side, found.found[0].rule)) == what
    if found:
        assert (found.contact, found.automated, found.policy) == ("help@example.com", True, ASKED.tag)
        assert found.appeal_until - found.at == 184 * 86400
        assert "forbidden" not in str(found)
    await store.close()


async def test_another_replica_can_tell_it(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    with running(server):
        one, other = (RedisStore(RedisSettings(url=server.url), {}) for _ in range(2))
        found = await left(one, other, "the forbidden recipe is")
        assert found.what == "halted"
        await one.close()
        await other.close()
