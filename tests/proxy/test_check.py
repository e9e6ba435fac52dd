"""The Check API over real sockets: whose sessions, how many, how long, and what a client is told."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from typing import Any

import pytest

from guardrail.policy.policy import InputSection
from guardrail.policy.registry import Registry, Tenant
from guardrail.proxy.check import Sessions
from guardrail.proxy.faults import Failed
from guardrail.settings import Limits
from guardrail.text.rules import Action
from guardrail.whole_texts import OFF_LOOP_CHARACTERS
from tests.proxy.harness import OPEN_POLICY, POLICY, Answer, Guarded, guarding, hashed, serving, settings, snapshot
from tests.proxy.scored import Gated, scored_policy
from tests.proxy.scripted import answer, plays, scripted, until

PATH = "/v1/guardrail/check"
NOTHING = plays(*answer("never asked"))


async def check(guarded: Guarded, key: str | None = None, **value: Any) -> Any:
    got = await guarded.ask(value, path=PATH, key=key)
    assert got.status == 200, got.body
    return json.loads(got.body)


async def refused(guarded: Guarded, **value: Any) -> Answer:
    got = await guarded.ask(value, path=PATH)
    assert got.status >= 400
    return got


@pytest.mark.parametrize("padding", ["", "x " * OFF_LOOP_CHARACTERS])
async def test_a_text_alone(padding: str) -> None:
    async with guarding(NOTHING, policy=POLICY) as guarded:
        got = await check(guarded, text=padding + "I like Acme Cola.")
        assert (got["text"], got["action"], got["halted"]) == (padding + "I like [X].", "redact", False)
        assert got["released_up_to"] == got["received"] == len(padding) + 17
        (found,) = got["findings"]
        assert (found["rule"], found["start"] - len(padding)) == ("mask", 7)
        record = await guarded.record()
        assert (record.outcome, record.received, record.removed, record.upstream) == (
            "complete",
            got["received"],
            9,
            "",
        )
        assert (record.request_id, record.path, record.policy) == (got["case_id"], PATH, POLICY.tag)
        assert guarded.upstream.requests == []


async def test_slices_are_joined_and_a_halt_stays() -> None:
    async with guarding(NOTHING, policy=POLICY) as guarded:
        first = await check(guarded, text="I like Acme", session="s", offset=0)
        second = await check(guarded, text=" Cola, the forbidden", session="s", offset=11)
        third = await check(guarded, text=" recipe is", session="s", offset=31)
        later = await check(guarded, text="harmless", session="s", offset=41, final=True)
        assert [each["text"] for each in (first, second, third, later)] == ["I like ", "[X], the ", "", ""]
        assert [each["released_up_to"] for each in (first, second, third)] == [7, 22, 22]
        assert [each["halted"] for each in (first, second, third, later)] == [False, False, True, True]
        assert third["case_id"] == later["case_id"] != first["case_id"]
        assert third["notice"] == f"\n[Stopped by safety policy. Case {third['case_id']}]"
        assert len(guarded.proxy.checks.sessions) == 1
        records = [guarded.proxy.records.newest(4)[::-1][at] for at in range(4)]
        assert [record.outcome for record in records] == ["complete", "complete", "halted", "complete"]
        assert sum(r.received for r in records) == sum(r.released + r.removed + r.dropped for r in records)


async def test_a_session_ends_with_its_text() -> None:
    async with guarding(NOTHING, policy=POLICY) as guarded:
        await check(guarded, text="Acme", session="s", channel="a")
        await check(guarded, text="Acme", session="s", channel="b", final=True)
        assert len(guarded.proxy.checks.sessions) == 1
        assert (await check(guarded, text=" Cola", session="s", channel="a", final=True))["text"] == "[X]"
        assert len(guarded.proxy.checks.sessions) == 0


async def test_a_slice_that_does_not_follow_is_refused() -> None:
    async with guarding(NOTHING, policy=POLICY) as guarded:
        unknown = await refused(guarded, text="b", session="s", offset=1)
        assert (unknown.status, unknown.error["code"]) == (400, "session_unknown")
        await check(guarded, text="ab", session="s", offset=0)
        for offset in (0, 1, 3):
            got = await refused(guarded, text="c", session="s", offset=offset)
            assert (got.status, got.error["code"]) == (400, "session_offset")
        assert (await check(guarded, text="c", session="s", offset=2))["received"] == 3
        await check(guarded, text="d", session="s", final=True)


async def test_sessions_of_two_tenants_with_one_name_are_two() -> None:
    async with scripted(NOTHING) as upstream:
        tenants = [Tenant(name, POLICY, "default", (hashed(name),)) for name in ("one", "two")]
        registry = Registry(snapshot(settings(upstream.url), tenants=tenants))
        async with serving(registry, upstream, {}) as guarded:
            await check(guarded, "one", text="secret start, forbidden", session="s")
            assert (await check(guarded, "two", text=" recipe", session="s"))["text"] == " recipe"
            assert (await check(guarded, "one", text=" recipe.", session="s"))["halted"]
            assert not (await check(guarded, "two", text=" for all", session="s", final=True))["halted"]
            assert len(guarded.proxy.checks.sessions) == 1


async def test_limits() -> None:
    limits: dict[str, Any] = {"check_sessions": 3, "check_sessions_per_tenant": 2, "check_session_characters": 10}
    async with guarding(NOTHING, policy=POLICY, **limits) as guarded:
        await check(guarded, text="12345678", session="a")
        await check(guarded, text="1", session="b")
        busy = await refused(guarded, text="1", session="c")
        assert (busy.status, busy.error["code"], busy.headers["Retry-After"]) == (429, "tenant_busy", "1")
        long = await refused(guarded, text="90abc", session="a")
        assert (long.status, long.error["code"]) == (413, "request_too_large")
        assert (await check(guarded, text="90", session="a"))["received"] == 10
        assert (await check(guarded, text="a text alone has no such cap"))["received"] == 28


def test_what_is_not_used_is_forgotten() -> None:
    now = [0.0]
    sessions = Sessions(lambda: now[0])
    limits = Limits(check_session_idle=10, check_sessions=3, check_sessions_per_tenant=2)
    sessions.open("t", "a", POLICY, limits)
    now[0] = 5
    kept = sessions.open("t", "b", POLICY, limits)
    with pytest.raises(Failed, match="check_sessions_per_tenant"):
        sessions.open("t", "c", POLICY, limits)
    sessions.open("u", "a", POLICY, limits)
    with pytest.raises(Failed, match=r"limits\.check_sessions\)"):
        sessions.open("u", "b", POLICY, limits)
    now[0] = 11
    assert sessions.find("t", "a", limits) is None
    assert sessions.find("t", "b", limits) is kept
    now[0] = 16
    sessions.sweep(limits)
    assert len(sessions) == 1
    kept.waiting = 1
    now[0] = 100
    sessions.sweep(limits)
    assert len(sessions) == 1
    kept.waiting = 0
    sessions.sweep(limits)
    assert len(sessions) == 0


async def test_a_session_is_forgotten_with_a_request_that_brought_a_slice_of_it() -> None:
    async with guarding(NOTHING) as guarded:
        first = await guarded.ask({"session": "a", "text": "One "}, path="/v1/guardrail/check")
        await guarded.ask({"session": "a", "text": "two "}, path="/v1/guardrail/check")
        await guarded.ask({"session": "b", "text": "three "}, path="/v1/guardrail/check")
        sessions = guarded.proxy.checks.sessions
        assert sessions.forget("g-none") == 0
        assert sessions.forget(first.headers["x-guardrail-request-id"]) == 1
        assert len(sessions) == 1


async def test_verdicts_are_waited_for() -> None:
    first, second = "This is the first plain sentence.", " This is an evil one, the second."
    async with guarding(NOTHING, policy=scored_policy(Gated(), lag_budget=1000)) as guarded:
        got = await check(guarded, text=first, session="s")
        assert (got["text"], got["released_up_to"]) == ("", 0)
        got = await check(guarded, text=second, session="s", final=True)
        assert (got["text"], got["halted"]) == (first + " ", True)
        record = await guarded.record(2)
        assert record.classifier is not None
        assert (record.classifier.units, record.classifier.encoder_calls) == (2, 1)


async def test_a_client_that_leaves_leaves_no_half_slice() -> None:
    model = Gated()
    async with guarding(NOTHING, policy=scored_policy(model)) as guarded:
        model.open.clear()
        text = "This is the first sentence. And this is the second one."
        asking = asyncio.ensure_future(check(guarded, text=text, session="s"))
        await until(lambda: len(model.seen) > 0)
        asking.cancel()
        waiting = asyncio.ensure_future(check(guarded, text="", session="s", final=True))
        await asyncio.sleep(0)
        model.open.set()
        assert (await waiting)["received"] == len(text)
        assert (await waiting)["released_up_to"] == len(text)


ASKING = dataclasses.replace(OPEN_POLICY, input=InputSection(POLICY))


async def test_the_messages_of_a_prompt() -> None:
    async with guarding(NOTHING, policy=ASKING) as guarded:
        messages = [{"role": "user", "content": "What is Acme Cola?"}]
        got = await check(guarded, messages=messages)
        assert got["messages"] == [{"role": "user", "content": "What is [X]?"}]
        got = await check(guarded, messages=[{"role": "user", "content": "The forbidden recipe!"}])
        assert (got["action"], "messages" in got) == ("halt", False)
        record = await guarded.record(2)
        assert record.input is not None
        assert (record.outcome, record.status, record.input.findings_total) == ("refused_input", 200, 1)


async def test_a_text_for_the_model() -> None:
    async with guarding(NOTHING, policy=ASKING) as guarded:
        assert (await check(guarded, text="Acme Cola"))["text"] == "Acme Cola"
        assert (await check(guarded, text="Acme Cola", direction="input"))["text"] == "[X]"
        got = await check(guarded, text="Acme Cola, forbidden recipe", direction="input")
        assert (got["text"], got["notice"]) == ("", f"This prompt was stopped by safety policy. Case {got['case_id']}.")


@pytest.mark.parametrize(
    "value", [{"text": "a", "direction": "input"}, {"messages": [{"role": "user", "content": "a"}]}]
)
async def test_a_policy_that_looks_at_no_prompts_says_so(value: dict[str, Any]) -> None:
    async with guarding(NOTHING, policy=POLICY) as guarded:
        got = await refused(guarded, **value)
        assert (got.status, "no section 'input'" in got.error["message"]) == (400, True)


async def test_who_has_no_key_is_refused_and_so_is_what_is_no_request() -> None:
    async with guarding(NOTHING, policy=POLICY, anonymous=False) as guarded:
        assert (await guarded.ask({"text": "a"}, path=PATH)).status == 401
        got = await guarded.ask({"txt": "a"}, path=PATH, key="sk-test-tenant")
        assert (got.status, got.error["code"]) == (400, "bad_request")
        assert (await guarded.ask(b"", path=PATH, method="GET", key="sk-test-tenant")).status == 405


async def test_a_reload_leaves_a_session_its_policy() -> None:
    async with guarding(NOTHING, policy=POLICY) as guarded:
        await check(guarded, text="Acme", session="s")
        registry = guarded.proxy.registry
        registry.current = snapshot(registry.current.settings, policy=scored_policy(Gated(), action=Action.LOG))
        got = await check(guarded, text=" Cola", session="s", final=True)
        assert (got["text"], got["policy"]) == ("[X]", POLICY.tag)
        assert (await check(guarded, text="Acme Cola"))["text"] == "Acme Cola"
