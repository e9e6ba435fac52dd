"""A shadow policy sees what the live one sees, changes nothing, and tells what it would have done."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator
from typing import Any

import pytest

from guardrail.policy.comparison import compared, rows
from guardrail.policy.policy import Policy
from guardrail.policy.registry import Registry
from guardrail.policy.signing import new_key
from guardrail.policy.versions import Share
from guardrail.proxy import shadow
from guardrail.proxy.shadow import BURST, Budget
from guardrail.settings import PushedPolicies
from guardrail.state.sqlite import SqliteStore
from guardrail.text.rules import Action, KeywordRule, Label
from guardrail.text.scanner import compile_rules
from guardrail.wire.stream import Stream
from tests.proxy.harness import BODY, POLICY, Answer, Guarded, guarding, raw_client
from tests.proxy.scored import Gated, scored_policy
from tests.proxy.scripted import Connection, Script, Seen, delta, plays, replies, response, says

PUSHED = PushedPolicies(public_keys=(new_key()[1],))


def beside(*rules: KeywordRule) -> Policy:
    return Policy(name="test", digest="ee" * 32, rules=compile_rules(rules), version=7)


def finds(word: str, action: Action = Action.REDACT) -> KeywordRule:
    return KeywordRule(id=f"finds.{word}", category="brand", action=action, mask=Label("[S]"), terms=(word,))


def slowly(*pieces: str) -> Script:
    """Pieces that come apart, and then nothing more until the client has gone."""

    async def script(request: Seen, conn: Connection) -> None:
        await conn.begin_stream()
        await conn.stream(*map(delta, pieces), apart=True)
        await conn.wait_gone()

    return script


SAME = dataclasses.replace(POLICY, version=7)
HALTS = beside(finds("Cola", Action.HALT))
MASKS = beside(finds("Acme"))
NOTHING = beside()


@contextlib.asynccontextmanager
async def shadowing(
    script: Script, policy: Policy, *, percent: float = 100, live: Policy = POLICY
) -> AsyncIterator[Guarded]:
    """A guardrail whose clients without a key are shadowed with this policy."""
    async with guarding(script, policy=live, pushed_policies=PUSHED) as guarded:
        registry: Registry = guarded.proxy.registry
        tenant = registry.current.anonymous
        assert tenant is not None
        registry.current.anonymous = dataclasses.replace(tenant, shadow=(Share(7, percent), policy))
        await guarded.proxy.classifiers.follow(registry.current.compiled)
        yield guarded


async def counts(guarded: Guarded) -> dict[str, Any]:
    store = SqliteStore(None)
    await guarded.proxy.shadows.write(store)
    found = await compared(store, "test", 7, "2000-01-01", "2999-01-01")
    await store.close()
    return found


PIECES = ("I like ", "Acme ", "Cola ", "very much.")


@pytest.mark.parametrize(
    ("policy", "result", "halted", "removed", "halts"),
    [
        (SAME, "same", False, 9, {}),
        (NOTHING, "differs", False, 0, {}),
        (MASKS, "differs", False, 4, {}),
        (HALTS, "differs", True, 15, {"shadow": 1}),
    ],
)
async def test_what_it_would_have_done(
    policy: Policy, result: str, halted: bool, removed: int, halts: dict[str, int]
) -> None:
    async with guarding(says(*PIECES)) as plain:
        expected = await plain.ask()
    async with shadowing(says(*PIECES), policy) as guarded:
        answer = await guarded.ask()
        assert (answer.text, answer.events[-1]) == (expected.text, "[DONE]")
        assert answer.headers["x-guardrail-policy"] == POLICY.tag
        record = await guarded.record()
        assert record.policy_digest == POLICY.digest
        made = record.shadow
        assert made is not None
        assert (made.result, made.halted, made.removed) == (result, halted, removed)
        assert made.policy == policy.tag
        assert made.cpu_s > 0
        assert guarded.metric("guardrail_shadow_answers_total", policy="test", version="7", result=result) == 1
        found = await counts(guarded)
        assert found["answers"] == {result: 1}
        assert found["halts"] == halts
        assert found["rules"]["mask"]["live"] == 1
        assert "like" not in "".join(rows(found))


async def test_only_offsets_and_ids_leave_it() -> None:
    async with shadowing(says(*PIECES), HALTS) as guarded:
        await guarded.ask()
        record = await guarded.record()
        assert record.shadow is not None
        (finding,) = record.shadow.findings
        assert (finding.rule, finding.start, finding.end) == ("finds.Cola", 12, 16)


async def test_behind_a_live_halt_it_sees_nothing() -> None:
    async with shadowing(slowly("First ", "the forbidden recipe ", "and then ", "Acme Cola. "), HALTS) as guarded:
        answer = await guarded.ask()
        assert answer.finish == "content_filter"
        record = await guarded.record()
        assert record.shadow is not None
        assert (record.halted, record.shadow.halted, record.shadow.findings_total) == (True, False, 0)
        assert (await counts(guarded))["halts"] == {"live": 1}


async def test_an_error_in_it_touches_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    feed = Stream._feed

    def failing(self: Stream, data: bytes) -> None:
        if self._policy is MASKS:
            raise RuntimeError("Acme Cola, in an error")
        feed(self, data)

    async with shadowing(says(*PIECES), MASKS) as guarded:
        monkeypatch.setattr(Stream, "_feed", failing)
        answer = await guarded.ask()
        assert answer.text == "I like [X] very much."
        record = await guarded.record()
        assert record.outcome == "complete"
        assert record.shadow is not None
        assert record.shadow.result == "failed"


async def test_a_share_of_the_requests() -> None:
    async with shadowing(says(*PIECES), MASKS, percent=50) as guarded:
        for _ in range(40):
            await guarded.ask()
        await guarded.record(40)
        made = [record.shadow is not None for record in guarded.proxy.records.newest(40)]
        assert 5 <= sum(made) <= 35


async def test_beyond_its_budget_it_is_given_up() -> None:
    async with shadowing(says(*PIECES), MASKS) as guarded:
        budget = guarded.proxy.shadows._budget = Budget(lambda: 0.0)
        budget.spend(BURST - 1e-9)
        assert (await guarded.ask()).text == "I like [X] very much."
        record = await guarded.record()
        assert record.shadow is not None
        assert record.shadow.result == "over_budget"
        await guarded.ask()
        assert (await guarded.record(2)).shadow is None
        assert (await counts(guarded))["answers"] == {"over_budget": 2}


def test_a_budget_fills_with_time_up_to_a_burst() -> None:
    now = [0.0]
    budget = Budget(lambda: now[0])
    budget.spend(BURST + 1)
    assert budget.empty
    now[0] = 5.0
    budget.refill(0.1)
    assert budget.empty
    now[0] = 16.0
    budget.refill(0.1)
    assert not budget.empty
    now[0] = 1000.0
    budget.refill(0.1)
    budget.spend(BURST)
    assert budget.empty


async def test_whole_answers_are_not_shadowed() -> None:
    body = (
        b'{"id":"x","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"Cola"}}]}'
    )
    async with shadowing(replies(response(body)), HALTS) as guarded:
        await guarded.ask({**BODY, "stream": False})
        assert (await guarded.record()).shadow is None


async def test_a_client_that_leaves() -> None:
    async with shadowing(slowly("I like it. ", "Acme "), MASKS) as guarded:
        async with raw_client(guarded) as (reader, _):
            await reader.readuntil(b"like")
        record = await guarded.record()
        assert (record.outcome, record.fault) == ("disconnected", "")
        assert record.shadow is not None
        assert record.shadow.result in ("same", "differs")


class TestClassifier:
    async def test_its_verdicts_are_waited_for_when_the_client_has_all(self) -> None:
        scored = dataclasses.replace(scored_policy(Gated()), name="test", version=7)
        async with shadowing(says("What an evil thing. ", "So it is. ", "And more of it."), scored) as guarded:
            answer = await guarded.ask()
            assert answer.finish == "stop"
            record = await guarded.record()
            assert record.shadow is not None
            assert (record.shadow.result, record.shadow.halted) == ("differs", True)
            assert record.shadow.findings[0].rule == "classifier.hate.high"

    async def test_one_that_does_not_answer_is_given_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        model = Gated()
        model.open.clear()
        scored = dataclasses.replace(scored_policy(model, deadline=0.05, fail="open"), name="test", version=7)
        async with shadowing(says("What an evil thing. ", "So it is."), scored) as guarded:
            answer: Answer = await guarded.ask()
            assert answer.finish == "stop"
            record = await guarded.record()
            assert record.shadow is not None
            assert record.shadow.halted is False
            model.open.set()

    async def test_what_waits_for_it_is_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(shadow, "BACKLOG", 100)
        model = Gated()
        model.open.clear()
        scored = dataclasses.replace(scored_policy(model, deadline=5.0), name="test", version=7)
        pieces = [f"What an evil thing number {number}. " for number in range(100)]
        async with shadowing(plays(*[delta(piece) for piece in pieces], delta(None, finish="stop")), scored) as guarded:
            asking = asyncio.create_task(guarded.ask())
            answer = await asking
            model.open.set()
            assert "number 99" in answer.text
            record = await guarded.record()
            assert record.shadow is not None
            assert record.shadow.result in ("unfinished", "differs")
