"""The operator's listener: complaints, appeals and requests of data subjects."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
from aiohttp import web

from guardrail.governance import restrictions
from guardrail.governance.cases import Allowed, Cases
from guardrail.governance.complaints import Complaint, Complaints, Outcome, Status
from guardrail.governance.decisions import Decisions
from guardrail.governance.desk import Desk
from guardrail.governance.filing import Kind
from guardrail.governance.keyring import Keyring
from guardrail.governance.rights import Rights
from guardrail.proxy.admin_areas import Area, Wrong, body_of, choice_of, limit_of, page


class Acted(msgspec.Struct, forbid_unknown_fields=True):
    """Who does it."""

    actor: str


class Decided(msgspec.Struct, forbid_unknown_fields=True):
    """How it is decided."""

    outcome: Outcome
    reasons: str
    actor: str
    lift: bool = False
    allow: tuple[Allowed, ...] = ()


class Carried(msgspec.Struct, forbid_unknown_fields=True):
    """Have done what a data subject asks for."""

    actor: str
    attributes: dict[str, Any] = {}
    """Of `correct`: what is right."""


def add_complaints(area: Area, desk: Desk) -> None:
    """Add the paths."""
    complaints = Complaints(desk.store, desk.audit, desk.secret)
    decisions = Decisions(complaints, Cases(desk.store, desk.audit))
    rights = Rights(desk.store, desk.audit, Keyring(desk.secret))

    async def listed(request: web.Request, kind: Kind | None = None) -> Any:
        limit, query = limit_of(request), request.query
        status = choice_of(request, "status", ("open", *get_args(Status)))
        asked = choice_of(request, "kind", get_args(Kind))
        found = await complaints.listed(
            tenant=query.get("tenant", ""),
            status="open" if status == "open" else msgspec.convert(status, Status) if status else "",
            kind=kind or (msgspec.convert(asked, Kind) if asked else ""),
            overdue=choice_of(request, "overdue", ("true", "false")) == "true",
            limit=limit,
            after=query.get("after", ""),
        )
        return page("complaints", found, limit, lambda each: each.id)

    async def data_requests(request: web.Request) -> Any:
        return await listed(request, "data_request")

    async def known(request: web.Request) -> Complaint:
        found = await complaints.find(request.match_info["id"])
        if found is None:
            raise Wrong(404, "there is no such complaint")
        return found

    async def shown(request: web.Request) -> Any:
        found, actor = await known(request), request.query.get("actor", "").strip()
        # What a person wrote is read by somebody, and the audit log says by whom.
        words = await complaints.words(found, actor) if actor else None
        decision = await restrictions.concerned(desk.store, found)
        return {"complaint": found, "words": words, "decision": decision}

    async def taken(request: web.Request) -> Any:
        return await complaints.take((await known(request)).id, await _actor(request))

    async def closed(request: web.Request) -> Any:
        return await complaints.close((await known(request)).id, await _actor(request))

    async def decided(request: web.Request) -> Any:
        said, found = await body_of(request, Decided), await known(request)
        return await decisions.decide(
            found.id, said.outcome, said.reasons, said.actor, lift=said.lift, allow=said.allow
        )

    async def carried_out(request: web.Request) -> Any:
        said, found = await body_of(request, Carried), await known(request)
        if found.kind != "data_request":
            raise Wrong(409, f"{found.id} is no request of a data subject")
        if not found.subject:
            raise Wrong(409, f"who filed {found.id} is not known by the application: guardrail subject, with their id")
        if not found.open:
            raise Wrong(409, f"{found.id} is {found.status}")
        if not said.actor.strip():
            raise Wrong(400, "who does it must be told")
        who = (found.tenant, found.subject)
        if found.right == "export":
            return {"export": await rights.export(*who, actor=said.actor, request=found.id)}
        if found.right == "correct":
            return {"correct": await rights.correct(*who, said.attributes, actor=said.actor, request=found.id)}
        return {"erase": await rights.erase(*who, actor=said.actor, request=found.id)}

    area.get("/complaints", listed)
    area.get("/data-requests", data_requests)
    area.get("/complaints/{id}", shown)
    area.post("/complaints/{id}/take", taken)
    area.post("/complaints/{id}/decision", decided)
    area.post("/complaints/{id}/close", closed)
    area.post("/data-requests/{id}/carry-out", carried_out)


async def _actor(request: web.Request) -> str:
    said = await body_of(request, Acted)
    if not said.actor.strip():
        raise Wrong(400, "who does it must be told")
    return said.actor
