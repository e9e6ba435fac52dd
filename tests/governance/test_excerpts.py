"""Excerpts: kept where both the terms and the policy say so, around what was found, sealed, and read under a name."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from guardrail.governance.desk import Desk, desk_of
from guardrail.governance.excerpts import KIND, MOST, Excerpts, ExcerptTerms, show
from guardrail.governance.keyring import Keyring
from guardrail.governance.records import Records
from guardrail.governance.terms import Terms
from guardrail.observe.audit import AuditLog
from guardrail.observe.audit_segments import lines, segments
from guardrail.policy.policy import InputSection, Policy
from guardrail.state.operations import Find
from guardrail.state.settings import State
from guardrail.text.rules import Action, KeywordRule, Label
from guardrail.text.scanner import compile_rules
from tests.proxy.harness import BODY, Guarded, guarding, settings
from tests.proxy.scripted import replies, response, says, until

RULES = (
    KeywordRule(id="halt", category="illicit", severity="high", action=Action.HALT, terms=("forbidden recipe",)),
    KeywordRule(id="mask", category="brand", action=Action.REDACT, mask=Label("[X]"), terms=("Acme Cola",)),
)
ASKED = Policy(name="asked", digest="12" * 32, rules=compile_rules(RULES))
POLICY = Policy(
    name="test",
    digest="ab" * 32,
    rules=compile_rules(RULES),
    store_text=True,
    input=InputSection(ASKED),
)
TERMS = Terms(excerpts=ExcerptTerms(enabled=True, characters=10))


@contextlib.asynccontextmanager
async def service(
    folder: Path, *words: str, terms: Terms = TERMS, policy: Policy = POLICY, stream: bool = True
) -> AsyncIterator[tuple[Guarded, Desk]]:
    kept = settings("http://unused", state=State(folder=str(folder)))
    async with desk_of(kept, {}, lambda _: terms) as desk:
        keyring = Keyring(desk.secret)
        duties = [Records(keyring), Excerpts(keyring)]
        async with guarding(
            says(*words) if stream else replies(response(body_of("".join(words)))),
            policy=policy,
            terms=terms,
            duties=duties,
            store=desk.store,
            desk=desk,
        ) as guarded:
            yield guarded, desk


def body_of(text: str) -> bytes:
    """A chat answer that is not streamed."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return msgspec.json.encode({"id": "c-1", "object": "chat.completion", "model": "m", "choices": [choice]})


async def read(desk: Desk, request: str, actor: str = "ann") -> list[tuple[str, str | None]]:
    found = await show(desk.store, desk.audit, Keyring(desk.secret), request, actor=actor)
    return [(each.rule, each.text) for each in found]


def asking(text: str, *, stream: bool = True, user: str = "u-1") -> dict[str, Any]:
    return BODY | {"messages": [{"role": "user", "content": text}], "stream": stream, "user": user}


async def settled(guarded: Guarded) -> None:
    await until(lambda: guarded.metric("guardrail_state_backlog") == 0)


def files_with(folder: Path, words: bytes) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and words in path.read_bytes()]


LONG = "It begins with many words. " * 5
ANSWER = (LONG, "Then drink Acme", " Cola, now. ", LONG)


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
async def test_the_text_around_a_finding_is_kept(stream: bool, tmp_path: Path) -> None:
    async with service(tmp_path, *ANSWER, stream=stream) as (guarded, desk):
        got = await guarded.ask(asking("hello", stream=stream))
        assert b"[X]" in got.body
        await settled(guarded)
        found = await read(desk, got.headers["x-guardrail-request-id"])
        assert found == [("mask", "hen drink Acme Cola, now. It ")]


async def test_so_is_that_of_a_prompt(tmp_path: Path) -> None:
    async with service(tmp_path, "fine") as (guarded, desk):
        got = await guarded.ask(asking("please tell me the forbidden recipe of this house"))
        assert guarded.upstream.requests == []
        await settled(guarded)
        assert await read(desk, got.headers["x-guardrail-request-id"]) == [
            ("halt", "ll me the forbidden recipe of this h")
        ]


@pytest.mark.parametrize(
    ("terms", "policy"),
    [
        (Terms(), POLICY),
        (Terms(excerpts=ExcerptTerms()), POLICY),
        (Terms(excerpts=ExcerptTerms(enabled=False)), POLICY),
        (TERMS, replace(POLICY, store_text=False)),
        (Terms(excerpts=ExcerptTerms(enabled=True, categories=("hate",))), POLICY),
    ],
    ids=["no terms", "not enabled", "switched off", "the policy does not allow it", "another category"],
)
async def test_nothing_is_kept_unless_both_say_so(terms: Terms, policy: Policy, tmp_path: Path) -> None:
    async with service(tmp_path, *ANSWER, terms=terms, policy=policy) as (guarded, desk):
        got = await guarded.ask(asking("hello"))
        assert "[X]" in got.text
        await settled(guarded)
        assert await read(desk, got.headers["x-guardrail-request-id"]) == []
        (held,) = await desk.store.run([Find(KIND)])
        assert held == []


async def test_no_more_than_ten_of_one_request(tmp_path: Path) -> None:
    async with service(tmp_path, *["Acme Cola, "] * 15) as (guarded, desk):
        got = await guarded.ask(asking("hello"))
        await settled(guarded)
        assert len(await read(desk, got.headers["x-guardrail-request-id"])) == MOST


async def test_who_reads_is_taken_down_and_nothing_is_in_clear(tmp_path: Path) -> None:
    async with service(tmp_path, *ANSWER) as (guarded, desk):
        got = await guarded.ask(asking("hello"))
        await settled(guarded)
        request = got.headers["x-guardrail-request-id"]
        await read(desk, request, actor="bob")
        assert isinstance(desk.audit, AuditLog)
        said = [msgspec.json.decode(line) for file in segments(desk.audit.path) for line in lines(file)]
        assert [(one["kind"], one["body"]["actor"], one["body"].get("request")) for one in said[-1:]] == [
            ("excerpt.read", "bob", request)
        ]
    assert files_with(tmp_path, b"drink Acme") == []
