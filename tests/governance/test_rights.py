"""What a person may ask: what is held is shown, put right, forgotten; and the audit log still verifies."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from guardrail.governance import ladder
from guardrail.governance.cases import CASE, CONDUCT, case_put, conduct_put
from guardrail.governance.complaint_terms import ComplaintTerms, rules_of
from guardrail.governance.complaints import WORDS, Complaints, Filer
from guardrail.governance.filing import Filing
from guardrail.governance.keyring import KIND, Keyring, creation
from guardrail.governance.ladder import Conduct, ConductTerms, Strike, ladder_of
from guardrail.governance.rights import EXCERPT, PAGE, Rights, RightsError
from guardrail.observe.audit import AuditLog
from guardrail.observe.audit_segments import lines, segments
from guardrail.observe.audit_verify import verify
from guardrail.settings import AuditSettings
from guardrail.state.operations import Document, Find, Put
from guardrail.state.secret import Secret
from guardrail.state.sqlite import SqliteStore
from guardrail.state.store import Store, get, put
from tests.governance.test_cases import a_case

NOW = 1_800_000_000.0
WHO, OTHER = "5b" * 16, "6c" * 16
SECRET = Secret("0123456789abcdef" * 2)
KEYRING = Keyring(SECRET)


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    store = SqliteStore(None)
    yield store
    await store.close()


@pytest.fixture
def audit(tmp_path: Path) -> AuditLog:
    return AuditLog(tmp_path / "audit", AuditSettings())


@pytest.fixture
def rights(store: Store, audit: AuditLog) -> Rights:
    return Rights(store, audit, KEYRING)


async def known(store: Store, audit: AuditLog, who: str = WHO, *, suspended: bool = False) -> str:
    """Somebody of whom a bit of everything is held; their pseudonym."""
    document = KEYRING.fresh(who, "acme", "2027-01-01")
    await put(store, creation(who, document))
    pseudonym = KEYRING.key_of(who, document).pseudonym
    for n in range(3):
        audit.write("response", {"actor": "system", "tenant": "acme", "request_id": f"g-{n}", "subject": pseudonym})
    case = f"c-{who[:4]}"
    strike = Strike("g-1", NOW, 8.0 if suspended else 0.5, "illicit", "high", "r", "halt", "prompt", "p@1", case)
    conduct, measure = ladder.struck(Conduct(tenant="acme"), [strike], ladder_of(ConductTerms()), NOW, case)
    await put(store, conduct_put(who, conduct, NOW, 0))
    opened = a_case(id=case, subject=who, measure=measure.step if measure else "warn", until=NOW + 86400)
    await put(store, case_put(opened, NOW, 0))
    audit.write("measure", {"actor": "system", "tenant": "acme", "case": case})
    excerpt = {"id": f"x-{who[:4]}", "tenant": "acme", "subject": who}
    sealed = await KEYRING.seal(store, "the words around it", f"{EXCERPT}:{excerpt['id']}", subject=who)
    body = msgspec.json.encode({**excerpt, "sealed": sealed})
    await put(store, Put(EXCERPT, excerpt["id"], body, frozenset((f"subject:{who}",))))
    return pseudonym


async def filed(store: Store, audit: AuditLog, who: str = WHO) -> str:
    filing = Filing("complaint", "it was rude to me", about="g-1", contact="me@example.com")
    rules = rules_of(ComplaintTerms())
    assert rules is not None
    done = await Complaints(store, audit, SECRET).file(filing, Filer("acme", who), rules)
    return done.complaint.id


def everything(audit: AuditLog) -> bytes:
    return b"".join(line for file in segments(audit.path) for line in lines(file))


async def held(store: Store, kind: str) -> list[Document]:
    (found,) = await store.run([Find(kind)])
    return list(found)


async def test_all_that_is_held_is_shown(store: Store, audit: AuditLog, rights: Rights) -> None:
    pseudonym = await known(store, audit)
    complaint = await filed(store, audit)
    await known(store, audit, OTHER)
    shown = await rights.export("acme", WHO, actor="ann")
    assert shown["pseudonym"] == pseudonym
    assert shown["seen"] == "2027-01-01"
    assert shown["conduct"]["strikes"][0]["request"] == "g-1"
    assert [case["id"] for case in shown["documents"][CASE]] == ["c-5b5b"]
    assert [(one["id"], one["words"]) for one in shown["documents"]["complaint"]] == [
        (complaint, {"text": "it was rude to me", "contact": "me@example.com"})
    ]
    assert [one["text"] for one in shown["documents"][EXCERPT]] == ["the words around it"]
    assert [(record["kind"], record["body"].get("subject", "")) for record in shown["records"]] == [
        *[("response", pseudonym)] * 3,
        ("measure", ""),
        ("complaint.received", ""),
    ]
    document = await get(store, KIND, WHO)
    assert document is not None
    key: str = msgspec.json.decode(document.body)["key"]
    assert key not in str(shown)


async def test_nothing_is_held(rights: Rights, store: Store) -> None:
    shown = await rights.export("acme", WHO, actor="ann")
    assert shown["documents"] == {"case": [], "complaint": [], "decision": [], "excerpt": []}
    assert (shown["pseudonym"], shown["conduct"], shown["records"]) == (None, None, [])
    receipt = await rights.erase("acme", WHO, actor="ann", now=NOW)
    assert not receipt.known
    assert await held(store, KIND) == []


async def test_what_is_wrong_is_put_right(store: Store, audit: AuditLog, rights: Rights) -> None:
    await known(store, audit)
    assert await rights.correct("acme", WHO, {"minor": True, "locale": "de"}, actor="ann") == {
        "minor": True,
        "locale": "de",
    }
    assert await rights.correct("acme", WHO, {"minor": None, "tz": "Europe/Berlin"}, actor="ann") == {
        "locale": "de",
        "tz": "Europe/Berlin",
    }
    assert (await rights.export("acme", WHO, actor="ann"))["attributes"] == {"locale": "de", "tz": "Europe/Berlin"}


async def test_somebody_who_was_never_there_may_be_known_to_be_a_minor(rights: Rights) -> None:
    await rights.correct("acme", WHO, {"minor": True}, actor="ann")
    assert (await rights.export("acme", WHO, actor="ann"))["attributes"] == {"minor": True}


@pytest.mark.parametrize(
    ("attributes", "told"),
    [
        ({"minor": "yes"}, "minor is true or false"),
        ({"locale": "a language"}, "locale is a language"),
        ({"tz": "Mars/Olympus"}, "tz is a time zone"),
        ({"name": "Ann"}, "no attribute 'name'"),
    ],
)
async def test_what_cannot_be_known_of_a_person(attributes: dict[str, Any], told: str, rights: Rights) -> None:
    with pytest.raises(RightsError, match=told):
        await rights.correct("acme", WHO, attributes, actor="ann")


async def test_whoever_is_erased_is_gone(store: Store, audit: AuditLog, rights: Rights) -> None:
    pseudonym = await known(store, audit)
    complaint = await filed(store, audit)
    await known(store, audit, OTHER)
    receipt = await rights.erase("acme", WHO, actor="ann", request=complaint, now=NOW)
    assert receipt.dropped == {"subject": 1, "conduct": 1, "case": 1, "excerpt": 1}
    assert receipt.unlinked == {"complaint": 1}
    assert receipt.kept == []
    for kind in (KIND, CONDUCT, CASE, EXCERPT):
        assert [document for document in await held(store, kind) if WHO in (document.id, str(document.body))] == []
        assert len(await held(store, kind)) == 1  # the other person's
    (left,) = await held(store, "complaint")
    assert WHO.encode() not in left.body
    assert not any(WHO in tag for tag in left.tags)
    assert await held(store, WORDS) == []
    # The log still has all of it, but nobody can tell whose it was.
    assert everything(audit).count(pseudonym.encode()) == 3
    assert WHO.encode() not in everything(audit)
    assert [chain.broken for chain in verify(audit.folder)] == [None]
    shown = await rights.export("acme", WHO, actor="ann")
    assert (shown["pseudonym"], shown["records"]) == (None, [])


async def test_a_complaint_that_was_decided_goes(store: Store, audit: AuditLog, rights: Rights) -> None:
    complaint = await filed(store, audit)
    await Complaints(store, audit, SECRET).decide(complaint, "ann", "rejected", "it was not")
    receipt = await rights.erase("acme", WHO, actor="ann")
    assert receipt.dropped == {"subject": 1, "complaint": 1}
    assert await held(store, "complaint") == []


async def test_a_measure_in_force_stays_until_it_ends(store: Store, audit: AuditLog, rights: Rights) -> None:
    await known(store, audit, suspended=True)
    receipt = await rights.erase("acme", WHO, actor="ann", now=NOW)
    assert [(kept.kind, kept.until is not None) for kept in receipt.kept] == [("conduct", True), ("case", True)]
    (document,) = await held(store, CONDUCT)
    left = msgspec.json.decode(document.body, type=Conduct)
    assert left.strikes == ()
    assert len(left.measures) == 1
    assert [case.id for case in await held(store, CASE)] == ["c-5b5b"]
    # Once it has ended, all of it goes.
    again = await rights.erase("acme", WHO, actor="ann", now=NOW + 400 * 86400)
    assert (again.dropped, again.kept) == ({"conduct": 1, "case": 1}, [])


async def test_what_was_cut_off_is_completed(store: Store, audit: AuditLog, rights: Rights) -> None:
    await known(store, audit)
    for n in range(PAGE + 5):
        await put(store, Put(EXCERPT, f"x-{n}", b'{"id": "x"}', frozenset((f"subject:{WHO}",))))
    await rights.erase("acme", WHO, actor="ann", now=NOW)
    assert await held(store, EXCERPT) == []
    await put(store, Put(EXCERPT, "x-late", b'{"id": "x"}', frozenset((f"subject:{WHO}",))))
    assert (await rights.erase("acme", WHO, actor="ann", now=NOW)).dropped == {"excerpt": 1}


async def test_each_step_is_in_the_audit_log(store: Store, audit: AuditLog, rights: Rights) -> None:
    await rights.export("acme", WHO, actor="ann", request="f-1")
    await rights.correct("acme", WHO, {"locale": "de"}, actor="ann", request="f-2")
    await rights.erase("acme", WHO, actor="ann", request="f-3", now=NOW)
    told = [msgspec.json.decode(line) for file in segments(audit.path) for line in lines(file)]
    assert [(one["kind"], one["body"].get("complaint"), one["body"]["actor"]) for one in told[1:]] == [
        ("subject.exported", "f-1", "ann"),
        ("subject.corrected", "f-2", "ann"),
        ("subject.erasing", "f-3", "ann"),
        ("subject.erased", "f-3", "ann"),
    ]
