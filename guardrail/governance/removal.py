"""Removal: an answer that was delivered turns out to be unlawful, and the application that has it must take it down.

An order makes a case with a statement of reasons, a message to the application (`guardrail.governance.deliveries`) and
a notice to all processes, which mark the record and forget what they keep of the request. Promises: the case is there
before the message; the message says which answer and where in it, by ids and offsets in code points, never its text.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from time import time
from typing import Any

import msgspec

from guardrail.errors import GuardrailError
from guardrail.governance.cases import Case, Cases, new_case_id
from guardrail.governance.complaint_terms import rules_of
from guardrail.governance.counters import Kind, count
from guardrail.governance.deliveries import Delivery, new_delivery, posted
from guardrail.governance.excerpts import KIND as EXCERPT
from guardrail.governance.statements import statement, statement_text
from guardrail.governance.terms import Terms
from guardrail.observe.audit import Audit, AuditLog
from guardrail.observe.audit_export import Wanted
from guardrail.observe.audit_export import find as find_records
from guardrail.state.operations import Document, Drop, Find, Put
from guardrail.state.store import Store

KIND = "removal"
"""Documents that tell every process of a removal; sorted by time."""

EVENT = "answer.removed"

APPEAL_DAYS = 184
"""Days in which the person may object: the six months of the Digital Services Act, article 20(1)."""


class RemovalError(GuardrailError):
    """What was ordered cannot be done; the message is for the operator."""


@dataclass(frozen=True, slots=True)
class Order:
    """What an operator orders. Offsets are code points of the channel's text as the client got it."""

    reason: str
    categories: Sequence[str]
    tenant: str = ""
    """"": that of the case."""
    request: str = ""
    """Id of the request whose answer it is."""
    message: str = ""
    """The upstream's id of the answer, as the client saw it."""
    case: str = ""
    """An earlier case about the request."""
    channel: str = "content"
    start: int | None = None
    """None: the whole channel."""
    end: int | None = None
    ground: str = ""
    """The law or the clause."""
    unlawful: bool = True
    policy: str = ""
    """`name@digest` of the policy that the answer was under, cut to 12 hex digits."""
    policy_digest: str = ""
    """The whole SHA-256, hex."""


class Removed(msgspec.Struct, frozen=True):
    """What all processes are told of a removal."""

    case: str
    tenant: str
    request: str
    message: str = ""


class Removals:
    """Removals of an installation. Raises StateError wherever the state is asked."""

    def __init__(
        self, store: Store, audit: Audit, terms: Callable[[str], Terms], clock: Callable[[], float] = time
    ) -> None:
        self._store = store
        self._audit = audit
        self._terms = terms
        self._clock = clock
        self._cases = Cases(store, audit, clock)

    async def order(self, order: Order, actor: str) -> tuple[Case, Delivery]:
        """Have an answer removed: the case, and the message that is on its way. Raises RemovalError."""
        order, earlier = await self._completed(order)
        if order.request and not (order.tenant and order.message):
            order = completed(order, await asyncio.to_thread(recorded, self._audit, order.request))
        _check(order)
        now = self._clock()
        rules = rules_of(self._terms(order.tenant).complaints)
        case = await self._cases.open(
            Case(
                id=new_case_id(),
                origin="removal",
                tenant=order.tenant,
                subject=earlier.subject if earlier is not None else "",
                locale=earlier.locale if earlier is not None else "en",
                at=now,
                actor=actor,
                measure="remove",
                begun=now,
                request=order.request,
                policy=order.policy or (earlier.policy if earlier is not None else ""),
                policy_digest=order.policy_digest or (earlier.policy_digest if earlier is not None else ""),
                facts=order.reason,
                ground=order.ground,
                unlawful=order.unlawful,
                detected_by="person",
                decided_by="person",
                appeal_until=now + APPEAL_DAYS * 86400.0,
                contact=rules.contact if rules is not None else "",
            )
        )
        delivery = new_delivery(order.tenant, EVENT, case.id, message_of(order, case), now)
        removed = Removed(case.id, order.tenant, order.request, order.message)
        told = Put(KIND, case.id, msgspec.json.encode(removed), frozenset({f"tenant:{order.tenant}"}), expect=0)
        self._audit.write("answer.removed", _taken_down(order, case, delivery) | {"actor": actor})
        await self._forget_excerpts(order.request)
        await self._store.run([posted(delivery), told, count(order.tenant, (Kind.REMOVALS, "ordered"))])
        return case, delivery

    async def _forget_excerpts(self, request: str) -> None:
        """Delete what reviewers could read of the request."""
        if request:
            (found,) = await self._store.run([Find(EXCERPT, f"request:{request}")])
            if found:
                await self._store.run([Drop(EXCERPT, document.id) for document in found])

    async def _completed(self, order: Order) -> tuple[Order, Case | None]:
        """The order with what an earlier case about the request tells."""
        found = await self._cases.get(order.case) if order.case else None
        if order.case and found is None:
            raise RemovalError(f"there is no case {order.case}")
        if found is None and order.request:
            found = next(iter(await self._cases.find(request=order.request, limit=1)), None)
        if found is not None and order.tenant in ("", found.tenant):
            return replace(order, tenant=found.tenant, request=order.request or found.request), found
        return order, None


def completed(order: Order, record: Mapping[str, Any] | None) -> Order:
    """The order with what the record of the request tells, if that is the tenant's."""
    if record is None or order.tenant not in ("", record["tenant"]):
        return order
    return replace(
        order,
        tenant=record["tenant"],
        message=order.message or record.get("answer_id", ""),
        policy=record["policy"],
        policy_digest=record["policy_digest"],
    )


def recorded(audit: Audit, request: str) -> dict[str, Any] | None:
    """The record of a request in the audit log of this machine, all of which is read for it."""
    if not isinstance(audit, AuditLog):
        return None
    name = request.encode("utf-8", "surrogatepass")
    for found in find_records(audit.folder, Wanted(kinds=("response",))):
        if name in found.line.raw and (body := found.line.body()).get("request_id") == request:
            return body
    return None


async def removed_since(store: Store, since: float, limit: int = 1000) -> list[tuple[Document, Removed]]:
    """Removals that were ordered at this time or later. Raises StateError."""
    out: list[tuple[Document, Removed]] = []
    after = ""
    while True:
        (page,) = await store.run([Find(KIND, since=since, limit=limit, after=after)])
        out += [(document, msgspec.json.decode(document.body, type=Removed)) for document in page]
        if len(page) < limit:
            return out
        after = page[-1].id


def _check(order: Order) -> None:
    if not order.reason.strip():
        raise RemovalError("a removal needs a reason")
    if not order.tenant:
        raise RemovalError("whose answer it is cannot be told from the id: name the tenant")
    if not (order.request or order.message):
        raise RemovalError("which answer it is must be told: by the request, or by the message's own id")
    if not order.categories:
        raise RemovalError("a removal needs a category")
    start, end = order.start, order.end
    if (start is not None and start < 0) or (end is not None and end <= (start or 0)):
        raise RemovalError("the end must be behind the start, and neither below 0")


def message_of(order: Order, case: Case) -> dict[str, Any]:
    """The message's data."""
    return {
        "case_id": case.id,
        "request_id": order.request or None,
        "message_id": order.message or None,
        "channel": order.channel,
        "start": order.start,
        "end": order.end,
        "unit": "code_point",
        "categories": list(order.categories),
        "statement": statement(case) | {"text": statement_text(case)},
    }


def _taken_down(order: Order, case: Case, delivery: Delivery) -> dict[str, object]:
    """What the audit log has of it."""
    return {
        "case": case.id,
        "tenant": order.tenant,
        "request": order.request,
        "message": order.message,
        "channel": order.channel,
        "start": order.start,
        "end": order.end,
        "categories": list(order.categories),
        "delivery": delivery.id,
    }
