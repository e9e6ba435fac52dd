"""What a person may ask about themselves, carried out: see all that is held, have it put right, have it erased.

Erasing destroys the person's key first: at that moment the pseudonym in records and in the audit log is nobody's, and
what was sealed opens no more, while every chain still verifies. Then the documents go. A measure in force stays until
it ends, under the hash by which the person is recognised, since whoever is suspended could lift it by asking to be
forgotten otherwise; the receipt says so. Promises: each step is in the audit log before it is taken; what was cut off
half way is completed when it is asked for again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from time import time
from typing import Any
from zoneinfo import available_timezones

import msgspec

from guardrail.errors import GuardrailError
from guardrail.governance import keyring as keys
from guardrail.governance.cases import CASE, CONDUCT, Case, conduct_in, conduct_put
from guardrail.governance.complaints import KIND as COMPLAINT
from guardrail.governance.complaints import UNDECIDED_KEEP, WORDS, Complaint
from guardrail.governance.excerpts import KIND as EXCERPT
from guardrail.governance.keyring import Keyring, Sealed, decoded, renewal
from guardrail.governance.ladder import Conduct, Measure, in_force
from guardrail.governance.restrictions import KIND as DECISION
from guardrail.observe.audit import Audit, AuditLog
from guardrail.observe.audit_export import Wanted
from guardrail.observe.audit_export import find as find_records
from guardrail.state.operations import KEEP, Conflict, Document, Drop, Find, Put
from guardrail.state.store import Store, get, put

TAGGED = (CASE, COMPLAINT, DECISION, EXCERPT)
"""Kinds of documents that name a person by the tag `subject:<id>`."""

PAGE = 200

LOCALE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}")

Attributes = Mapping[str, Any]
"""By name; None: nothing is to be known of it any more."""


class RightsError(GuardrailError):
    """It cannot be carried out; the message is for the operator."""


class Kept(msgspec.Struct, frozen=True):
    """What was not erased, and why."""

    kind: str
    why: str
    until: float | None
    """Unix seconds; None: without end."""


class Erasure(msgspec.Struct, frozen=True):
    """The receipt of an erasure: for the person as well."""

    tenant: str
    at: float
    known: bool
    """False: nothing was held."""
    dropped: dict[str, int]
    """Documents that are gone, by kind."""
    unlinked: dict[str, int]
    """Documents that go on without the person and without their words: complaints that nobody has decided yet."""
    kept: list[Kept]


class Rights:
    """Of one installation. Every method raises StateError."""

    def __init__(self, store: Store, audit: Audit, keyring: Keyring) -> None:
        self._store = store
        self._audit = audit
        self._keyring = keyring

    async def export(self, tenant: str, subject: str, *, actor: str, request: str = "") -> dict[str, Any]:
        """All that is held of the person with this id: JSON values. `request`: the complaint by which it was asked
        for. Raises SealError when it was sealed with another secret."""
        self._audit.write("subject.exported", _told(tenant, actor, request))
        found = await get(self._store, keys.KIND, subject)
        key = self._keyring.key_of(subject, decoded(found)) if found is not None else None
        conduct = await get(self._store, CONDUCT, subject)
        documents = {kind: [_body(document) for document in await self._tagged(kind, subject)] for kind in TAGGED}
        for complaint in documents[COMPLAINT]:
            complaint["words"] = await self._words(complaint["id"])
        for excerpt in documents[EXCERPT]:
            sealed = msgspec.convert(excerpt.pop("sealed"), Sealed)
            excerpt["text"] = await self._keyring.unseal(self._store, sealed, f"{EXCERPT}:{excerpt['id']}")
        mentioned = {each["id"] for kind in (CASE, COMPLAINT) for each in documents[kind]}
        return {
            "tenant": tenant,
            "subject": subject,
            "pseudonym": key.pseudonym if key is not None else None,
            "seen": decoded(found).seen if found is not None else None,
            "attributes": decoded(found).attributes if found is not None else {},
            "conduct": _body(conduct) if conduct is not None else None,
            "documents": documents,
            "records": self._records(key.pseudonym if key is not None else "", mentioned),
        }

    async def correct(
        self, tenant: str, subject: str, attributes: Attributes, *, actor: str, request: str = ""
    ) -> Attributes:
        """Put right what is known of the person; what is known then. Raises RightsError."""
        problem = next((problem for name, value in attributes.items() if (problem := _problem(name, value))), "")
        if problem:
            raise RightsError(problem)
        self._audit.write("subject.corrected", _told(tenant, actor, request) | {"attributes": sorted(attributes)})
        while True:
            found = await get(self._store, keys.KIND, subject)
            if found is None:
                # Somebody whom no request has named yet may be known already: a minor whose parents wrote.
                fresh = self._keyring.fresh(subject, tenant, keys.today())
                await put(self._store, keys.creation(subject, fresh))
                continue
            document = decoded(found)
            known = {**document.attributes, **attributes}
            known = {name: value for name, value in known.items() if value is not None}
            reply = await put(self._store, renewal(found, msgspec.structs.replace(document, attributes=known)))
            if not isinstance(reply, Conflict):
                return known

    async def erase(
        self, tenant: str, subject: str, *, actor: str, request: str = "", now: float | None = None
    ) -> Erasure:
        """Forget the person. Repeated, it completes what was cut off."""
        at = time() if now is None else now
        self._audit.write("subject.erasing", _told(tenant, actor, request))
        (known,) = await self._store.run([Drop(keys.KIND, subject)])
        dropped = {keys.KIND: 1} if known else {}
        unlinked: dict[str, int] = {}
        kept: list[Kept] = []
        measure = await self._reduce(subject, at, dropped, kept)
        for kind in TAGGED:
            for document in await self._tagged(kind, subject):
                if kind == CASE and measure is not None and document.id == measure.case:
                    await self._keep_case(document, at, kept)
                elif kind == COMPLAINT and msgspec.json.decode(document.body, type=Complaint).open:
                    await self._unlink(document)
                    unlinked[kind] = unlinked.get(kind, 0) + 1
                else:
                    await self._store.run([Drop(kind, document.id)])
                    dropped[kind] = dropped.get(kind, 0) + 1
                if kind == COMPLAINT:
                    await self._store.run([Drop(WORDS, document.id)])
        receipt = Erasure(tenant, at, bool(dropped or unlinked or kept), dropped, unlinked, kept)
        told = {"dropped": dropped, "unlinked": unlinked, "kept": [each.kind for each in kept]}
        self._audit.write("subject.erased", _told(tenant, actor, request) | told)
        return receipt

    async def _reduce(self, subject: str, at: float, dropped: dict[str, int], kept: list[Kept]) -> Measure | None:
        """Drop the person's conduct but for the measure in force, and return that."""
        while True:
            found = await get(self._store, CONDUCT, subject)
            conduct, version = conduct_in(found)
            if conduct is None:
                return None
            measure = in_force(conduct, at)
            if measure is None:
                await self._store.run([Drop(CONDUCT, subject)])
                dropped[CONDUCT] = 1
                return None
            left = Conduct(conduct.tenant, conduct.half_life, measures=(measure,))
            if not isinstance(await put(self._store, conduct_put(subject, left, at, version)), Conflict):
                why = f"the measure in force, {measure.step}, without what it rests on"
                kept.append(Kept(CONDUCT, why, measure.until))
                return measure

    async def _keep_case(self, document: Document, at: float, kept: list[Kept]) -> None:
        """A case is kept as long as its measure holds, or an appeal is possible."""
        case = msgspec.json.decode(document.body, type=Case)
        until = None if case.until is None else max(case.until, case.appeal_until)
        keep = KEEP if until is None else max(until - at, 1.0)
        await put(self._store, Put(CASE, case.id, document.body, document.tags, keep, document.version))
        kept.append(Kept(CASE, "the case of the measure in force, for an appeal", until))

    async def _unlink(self, document: Document) -> None:
        """Take the person out of a complaint that is still to be decided."""
        while True:
            body = _body(document)
            body.pop("subject", None)
            tags = frozenset(tag for tag in document.tags if not tag.startswith("subject:"))
            written = Put(document.kind, document.id, msgspec.json.encode(body), tags, UNDECIDED_KEEP, document.version)
            reply = await put(self._store, written)
            if not isinstance(reply, Conflict) or reply.found is None:
                return
            document = reply.found

    async def _tagged(self, kind: str, subject: str) -> list[Document]:
        """Every document of a kind that names the person."""
        out: list[Document] = []
        while True:
            after = out[-1].id if out else ""
            (page,) = await self._store.run([Find(kind, f"subject:{subject}", limit=PAGE, after=after)])
            out += page
            if len(page) < PAGE:
                return out

    async def _words(self, complaint: str) -> Any:
        """What the person wrote; None: it cannot be read any more."""
        found = await get(self._store, WORDS, complaint)
        if found is None:
            return None
        sealed = msgspec.json.decode(found.body, type=Sealed)
        words = await self._keyring.unseal(self._store, sealed, f"{COMPLAINT}:{complaint}")
        return None if words is None else msgspec.json.decode(words)

    def _records(self, pseudonym: str, mentioned: set[str]) -> list[dict[str, Any]]:
        """What the audit log of this machine says of the person."""
        if not isinstance(self._audit, AuditLog) or not (pseudonym or mentioned):
            return []
        wanted = Wanted(subject=pseudonym, mentioned=mentioned)
        return [msgspec.json.decode(found.row) for found in find_records(self._audit.folder, wanted)]


def _told(tenant: str, actor: str, request: str) -> dict[str, Any]:
    """What the audit log has of a step: not whom it is about, since it is to outlive what names them."""
    return {"actor": actor, "tenant": tenant} | ({"complaint": request} if request else {})


def _problem(name: str, value: object) -> str:
    """What is wrong with an attribute; "": nothing."""
    if value is None:
        return ""
    if name == "minor":
        return "" if isinstance(value, bool) else "minor is true or false"
    if name == "locale":
        fits = isinstance(value, str) and LOCALE.fullmatch(value)
        return "" if fits else "locale is a language, such as en or zh-CN"
    if name == "tz":
        return "" if value in available_timezones() else "tz is a time zone, such as Europe/Berlin"
    return f"there is no attribute {name!r}, expected minor, locale or tz"


def _body(document: Document) -> dict[str, Any]:
    body = msgspec.json.decode(document.body)
    assert isinstance(body, dict)
    return body
