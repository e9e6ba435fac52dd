"""Complaints, appeals and requests of data subjects: from the receipt to the decision.

Each has a number that nobody can guess, a receipt by which its status can be asked without a key, and a time at which
its decision is due. Its states are a table (`MOVES`); every step is in its history, in the audit log and in the counts.

Promises: what a person wrote, and how to reach them, is sealed, apart from all else, and never in a log; of the receipt
only a hash is kept; the same `Idempotency-Key` files once; nobody's decision is overwritten. Nothing is deleted before
it was decided; afterwards all of it is, when its time is up.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from time import time
from typing import Literal, get_args

import msgspec

from guardrail.errors import GuardrailError
from guardrail.governance.complaint_terms import ComplaintRules, due_at
from guardrail.governance.counters import Kind as Counted
from guardrail.governance.counters import count
from guardrail.governance.filing import Filing, Kind, Right
from guardrail.governance.keyring import Keyring, Sealed
from guardrail.observe.audit import Audit
from guardrail.state.operations import Conflict, Document, Find, Put
from guardrail.state.secret import Secret
from guardrail.state.store import Store, get

KIND = "complaint"
WORDS = "complaint_words"

OPEN = "open"
"""The tag of those that are not decided yet."""

UNDECIDED_KEEP = 100 * 365 * 86400.0
"""Seconds that one is kept which nobody decides: nobody gets rid of a complaint by letting it lie."""

PAGE = 200

Status = Literal["received", "in_review", "decided", "closed"]
Move = Literal["take", "decide", "close"]
Outcome = Literal["upheld", "rejected", "partly"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)

MOVES: dict[tuple[Status, Move], Status] = {
    ("received", "take"): "in_review",
    ("in_review", "take"): "in_review",  # somebody else takes it over
    ("received", "decide"): "decided",
    ("in_review", "decide"): "decided",
    ("decided", "close"): "closed",
}
"""What may be done in which state, and the state after it."""


class ComplaintError(GuardrailError):
    """What was asked of a complaint cannot be done; the message says why, and is for the operator."""


class Reused(GuardrailError):
    """An `Idempotency-Key` came again with something else."""


class Step(msgspec.Struct, frozen=True):
    """One line of the history."""

    at: float
    move: Literal["file", "take", "decide", "close"]
    actor: str


class Complaint(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One complaint, without the words of whoever filed it. Times are unix seconds."""

    id: str
    tenant: str
    kind: Kind
    status: Status
    received_at: float
    due_at: float
    receipt_hash: str
    """SHA-256 of the receipt, hex."""
    digest: str
    """A keyed hash of what was filed, by which a repetition is told from something else."""
    keep: float
    """Seconds from the decision until all of it is deleted."""
    about: str = ""
    """Id of the request or of the case."""
    right: Right | Literal[""] = ""
    """Of a data request."""
    subject: str = ""
    """A keyed hash of the person, as far as the application told who it is."""
    vouched: bool = False
    """It came with the tenant's key: the application stands for who the person is."""
    locale: str = ""
    history: tuple[Step, ...] = ()
    reviewer: str = ""
    outcome: Outcome | Literal[""] = ""
    reasons: str = ""
    """The operator's, for the person."""
    effects: tuple[str, ...] = ()
    """What the decision changed, in words of this project: "lift case-1"."""
    decided_at: float = 0.0

    @property
    def open(self) -> bool:
        return self.status in ("received", "in_review")

    def overdue(self, now: float) -> bool:
        """Whether the decision is late."""
        return self.open and now > self.due_at


class Words(msgspec.Struct, frozen=True):
    """What a person wrote."""

    text: str
    contact: str = ""


@dataclass(frozen=True, slots=True)
class Filed:
    """What comes of filing."""

    complaint: Complaint
    receipt: str
    """To be shown to who filed it, once."""
    fresh: bool
    """False: it had been filed before."""


@dataclass(frozen=True, slots=True)
class Filer:
    """Who files."""

    tenant: str
    subject: str = ""
    vouched: bool = False


class Complaints:
    """What can be done with complaints. Raises StateError wherever the state is asked."""

    def __init__(self, store: Store, audit: Audit, secret: Secret) -> None:
        self._store = store
        self._audit = audit
        self._keyring = Keyring(secret)
        self._key = secret.derive("complaints")

    async def file(
        self, filing: Filing, filer: Filer, rules: ComplaintRules, *, idempotency: str = "", now: float | None = None
    ) -> Filed:
        """Take a complaint. `idempotency`: the client's name for this attempt, "" for none. Raises Reused."""
        received = time() if now is None else now
        filed = msgspec.json.encode((filing, filer))
        digest = self._hash("filed", filed)
        if idempotency:
            id = "f-" + self._hash("id", msgspec.json.encode((filer.tenant, idempotency)))[:32]
            # Of the client's own key too, which is kept nowhere: the state and the secret do not give it away.
            receipt = "fr-" + self._hash("receipt", msgspec.json.encode((filer.tenant, idempotency, digest)))
        else:
            id, receipt = "f-" + secrets.token_hex(16), "fr-" + secrets.token_hex(32)
        days = rules.data_due_days if filing.kind == "data_request" else rules.due_days
        complaint = Complaint(
            id=id,
            tenant=filer.tenant,
            kind=filing.kind,
            status="received",
            received_at=received,
            due_at=due_at(received, days, rules.timezone),
            receipt_hash=sha256(receipt.encode()).hexdigest(),
            digest=digest,
            keep=rules.keep_days * 86400.0,
            about=filing.about,
            right=filing.right,
            subject=filer.subject,
            vouched=filer.vouched,
            locale=filing.locale,
            history=(Step(received, "file", "person"),),
        )
        earlier = await get(self._store, KIND, id) if idempotency else None
        if earlier is None:
            sealed = await self._sealed(complaint, Words(filing.text, filing.contact))
            words = Put(WORDS, id, msgspec.json.encode(sealed), keep=UNDECIDED_KEEP, expect=0)
            self._audit.write("complaint.received", _received(complaint))
            # The words first: a complaint that was acknowledged has them.
            replies = await self._store.run([words, _put(complaint, 0)])
            if not isinstance(replies[1], Conflict):
                if isinstance(replies[0], Conflict):  # of an attempt that got no further
                    await self._store.run([replace(words, expect=None)])
                await self._count(complaint)
                return Filed(complaint, receipt, fresh=True)
            earlier = replies[1].found
            assert earlier is not None
        known = _decoded(earlier)
        if known.digest != digest:
            raise Reused("This Idempotency-Key was used for something else.")
        return Filed(known, receipt, fresh=False)

    async def find(self, id: str) -> Complaint | None:
        """The complaint with this number."""
        found = await get(self._store, KIND, id)
        return None if found is None else _decoded(found)

    async def by_receipt(self, id: str, receipt: str) -> Complaint | None:
        """The complaint, for whoever has its receipt."""
        found = await self.find(id)
        presented = sha256(receipt.encode("utf-8", "surrogatepass")).hexdigest()
        return found if found is not None and hmac.compare_digest(presented, found.receipt_hash) else None

    async def of_receipt(self, receipt: str) -> Complaint | None:
        """The complaint that this is the receipt of."""
        hashed = sha256(receipt.encode("utf-8", "surrogatepass")).hexdigest()
        (found,) = await self._store.run([Find(KIND, f"receipt:{hashed}", limit=1)])
        return _decoded(found[0]) if found else None

    async def words(self, complaint: Complaint, actor: str) -> Words | None:
        """What the person wrote, for a reviewer; None when the person's data was erased."""
        found = await get(self._store, WORDS, complaint.id)
        if found is None:
            return None
        sealed = msgspec.json.decode(found.body, type=Sealed)
        opened = await self._keyring.unseal(self._store, sealed, _place(complaint.id))
        if opened is None:
            return None
        self._audit.write("complaint.read", {"actor": actor, "complaint": complaint.id, "tenant": complaint.tenant})
        return msgspec.json.decode(opened, type=Words)

    async def listed(
        self,
        *,
        tenant: str = "",
        status: Status | Literal["open", ""] = "",
        kind: Kind | Literal[""] = "",
        overdue: bool = False,
        limit: int = PAGE,
        after: str = "",
        now: float | None = None,
    ) -> list[Complaint]:
        """Those that fit, the one that is due first at the head. `after`: the id of the last one of the page before."""
        until = (time() if now is None else now) if overdue else None
        if overdue:
            status = "open"
        tag = f"tenant:{tenant}" if tenant else OPEN if status == "open" else f"status:{status}" if status else ""
        out: list[Complaint] = []
        async for found in self._all(tag, until, after):
            fits = (not tenant or found.tenant == tenant) and (not kind or found.kind == kind)
            if fits and (not status or found.status == status or (status == "open" and found.open)):
                out.append(found)
                if len(out) >= limit:
                    break
        return out

    async def take(self, id: str, actor: str) -> Complaint:
        """Begin to review it. Raises ComplaintError."""
        return await self._move(id, "take", actor, reviewer=actor)

    async def decide(
        self, id: str, actor: str, outcome: Outcome, reasons: str, effects: Sequence[str] = (), now: float | None = None
    ) -> Complaint:
        """Decide it; `reasons` are told to the person. Raises ComplaintError."""
        if not reasons.strip():
            raise ComplaintError("a decision needs reasons")
        at = time() if now is None else now
        changes = {"outcome": outcome, "reasons": reasons.strip(), "effects": tuple(effects), "decided_at": at}
        return await self._move(id, "decide", actor, now=at, **changes)

    async def close(self, id: str, actor: str) -> Complaint:
        """Put it away: the person was told, and all that the decision changes was changed. Raises ComplaintError."""
        return await self._move(id, "close", actor)

    async def _move(self, id: str, move: Move, actor: str, now: float | None = None, **changes: object) -> Complaint:
        at = time() if now is None else now
        noted = False
        while True:
            document = await get(self._store, KIND, id)
            if document is None:
                raise ComplaintError(f"there is no complaint {id}")
            before = _decoded(document)
            status = MOVES.get((before.status, move))
            if status is None:
                raise ComplaintError(f"{id} is {before.status}: it cannot be {_DONE[move]}")
            history = (*before.history, Step(at, move, actor))
            after = msgspec.structs.replace(before, status=status, history=history, **changes)
            if not noted:
                self._audit.write(_EVENTS[move], _moved(after, actor))
                noted = True
            (reply,) = await self._store.run([_put(after, document.version)])
            if isinstance(reply, Conflict):
                continue
            if move == "decide":
                await self._keep_words(after)
                await self._count(after)
            return after

    async def _count(self, complaint: Complaint) -> None:
        """Count what was just received, or just decided."""
        data = complaint.kind == "data_request"
        name = complaint.right if data else complaint.kind
        counted: list[tuple[Counted | str | int, ...]] = []
        if complaint.open:
            counted.append((Counted.DATA_REQUESTS if data else Counted.COMPLAINTS, name))
        elif data:
            counted.append((Counted.DATA_ANSWERS, name))
        else:
            counted.append((Counted.DECISIONS, name, complaint.outcome))
            counted.append((Counted.DECISION_SECONDS, name, int(complaint.decided_at - complaint.received_at)))
        if complaint.decided_at > complaint.due_at:
            counted.append((Counted.LATE, name))
        await self._store.run([count(complaint.tenant, *counted)])

    async def _sealed(self, complaint: Complaint, words: Words) -> Sealed:
        said, place = msgspec.json.encode(words).decode(), _place(complaint.id)
        return await self._keyring.seal(self._store, said, place, subject=complaint.subject, tenant=complaint.tenant)

    async def _keep_words(self, complaint: Complaint) -> None:
        """From the decision on the words live as long as all else of it."""
        found = await get(self._store, WORDS, complaint.id)
        if found is not None:
            await self._store.run([Put(WORDS, complaint.id, found.body, keep=complaint.keep, expect=found.version)])

    async def _all(self, tag: str, until: float | None, after: str) -> AsyncIterator[Complaint]:
        while True:
            (page,) = await self._store.run([Find(KIND, tag, until=until, limit=PAGE, after=after)])
            for document in page:
                yield _decoded(document)
            if len(page) < PAGE:
                return
            after = page[-1].id

    def _hash(self, purpose: str, data: bytes) -> str:
        return hmac.digest(self._key, purpose.encode() + b"\0" + data, "sha256").hex()


def _put(complaint: Complaint, expect: int) -> Put:
    tags = {f"tenant:{complaint.tenant}", f"status:{complaint.status}", f"kind:{complaint.kind}"}
    tags |= {f"subject:{complaint.subject}"} if complaint.subject else set()
    tags |= {f"about:{complaint.about}"} if complaint.about else set()
    tags.add(f"receipt:{complaint.receipt_hash}")
    tags |= {OPEN} if complaint.open else set()
    keep = UNDECIDED_KEEP if complaint.open else max(1.0, complaint.decided_at + complaint.keep - time())
    body = msgspec.json.encode(complaint)
    return Put(KIND, complaint.id, body, frozenset(tags), keep=keep, expect=expect, at=complaint.due_at)


def _decoded(document: Document) -> Complaint:
    return msgspec.json.decode(document.body, type=Complaint)


def _place(id: str) -> str:
    return f"{KIND}:{id}"


_DONE = {"take": "taken", "decide": "decided", "close": "closed"}
_EVENTS = {"take": "complaint.taken", "decide": "complaint.decided", "close": "complaint.closed"}


def _received(complaint: Complaint) -> dict[str, object]:
    return _named(complaint) | {"actor": "person", "vouched": complaint.vouched, "due_at": complaint.due_at}


def _moved(complaint: Complaint, actor: str) -> dict[str, object]:
    more: dict[str, object] = {"actor": actor, "status": complaint.status}
    if complaint.status == "decided":
        more |= {"outcome": complaint.outcome, "effects": list(complaint.effects)}
    return _named(complaint) | more


def _named(complaint: Complaint) -> dict[str, object]:
    said = {"complaint": complaint.id, "tenant": complaint.tenant, "kind": complaint.kind}
    said |= {"about": complaint.about} if complaint.about else {}
    said |= {"right": complaint.right} if complaint.right else {}
    return dict(said)
