"""People are known by pseudonyms: one for each person, the same in every process, another after they were erased."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from guardrail.governance import records as records_file
from guardrail.governance.duty import Entering, Finished, Standing, Subject, attributes
from guardrail.governance.keyring import KIND, Keyring, decoded, renewal
from guardrail.governance.records import Records
from guardrail.policy.registry import load_snapshot
from guardrail.state.operations import Drop
from guardrail.state.secret import Secret
from guardrail.state.sqlite import SqliteStore
from guardrail.state.store import Store, get, put
from tests.governance.test_tally import record

SNAPSHOT = load_snapshot(None, environ={})
TENANT = SNAPSHOT.anonymous
KEYRING = Keyring(Secret("0123456789abcdef" * 2))
WHO = "3f" * 16


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    store = SqliteStore(None)
    yield store
    await store.close()


def entering(who: str | None = WHO, now: float = 1e9, **claims: Any) -> Entering:
    assert TENANT is not None
    subject = Subject(who, claims) if who is not None else None
    return Entering("g-1", now, TENANT, SNAPSHOT, subject, None, None, {})


async def judged(duty: Records, store: Store, request: Entering) -> Standing:
    standing = Standing(request.tenant.policy)
    asked = duty.asks(request)
    duty.judge(request, await store.run(asked) if asked else [], standing)
    return standing


async def test_two_processes_agree_on_a_pseudonym(store: Store) -> None:
    one, two = Records(KEYRING), Records(KEYRING)
    first, second = entering(), entering()
    asked = [*one.asks(first), *two.asks(second)]  # at the same moment: both think that they met the person first
    replies = await store.run(asked)
    standings = [Standing(first.tenant.policy) for _ in range(2)]
    one.judge(first, replies[:2], standings[0])
    two.judge(second, replies[2:], standings[1])
    names = {standing.record["subject"] for standing in standings}
    assert len(names) == 1
    assert names.pop() not in ("", WHO)


async def test_after_the_first_request_one_document_is_read(store: Store) -> None:
    duty = Records(KEYRING)
    before = await judged(duty, store, entering())
    assert len(duty.asks(entering())) == 1
    after = await judged(duty, store, entering())
    assert after.record == before.record


async def test_nobody_is_asked_about_nobody(store: Store) -> None:
    duty = Records(KEYRING)
    assert duty.asks(entering(None)) == ()
    assert (await judged(duty, store, entering(None))).record == {}


async def test_whoever_was_erased_comes_back_as_somebody_else(store: Store) -> None:
    duty = Records(KEYRING)
    before = await judged(duty, store, entering())
    await store.run([Drop(KIND, WHO)])
    assert (await judged(duty, store, entering())).record == {}
    after = await judged(duty, store, entering())
    assert after.record["subject"] not in ("", before.record["subject"])


async def test_what_was_put_right_stands_above_the_claims(store: Store) -> None:
    duty = Records(KEYRING)
    await judged(duty, store, entering())
    found = await get(store, KIND, WHO)
    assert found is not None
    await put(store, renewal(found, msgspec.structs.replace(decoded(found), attributes={"minor": True})))
    request = entering(minor=False, locale="de")
    assert attributes(request, await judged(duty, store, request)) == {"minor": True, "locale": "de"}
    assert attributes(entering(None), Standing(request.tenant.policy)) == {}


@pytest.mark.parametrize(("days", "again"), [(29, False), (31, True)])
async def test_a_key_is_kept_while_its_person_is_there(days: int, again: bool, store: Store) -> None:
    duty = Records(KEYRING)
    first = entering()
    await judged(duty, store, first)
    later = replace(first, now=first.now + days * 86400)
    for _ in range(2):  # the second time nothing is left to do
        await duty.follow(Finished(later, await judged(duty, store, later), record()), store)
    found = await get(store, KIND, WHO)
    assert found is not None
    assert found.version == (2 if again else 1)


async def test_a_key_of_another_secret_names_nobody(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    await judged(Records(KEYRING), store, entering())
    other = Records(Keyring(Secret("fedcba9876543210" * 2)))
    for _ in range(2):
        assert (await judged(other, store, entering())).record == {}
    assert [line.name for line in caplog.records] == ["guardrail.records"]


async def test_a_process_remembers_no_more_people_than_it_may(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records_file, "MET", 2)
    duty = Records(KEYRING)
    for who in ("01" * 16, "02" * 16, "03" * 16):
        await judged(duty, store, entering(who))
    assert [len(duty.asks(entering(who))) for who in ("01" * 16, "02" * 16, "03" * 16)] == [2, 1, 1]
