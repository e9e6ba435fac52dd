"""The operator's listener: cases, orders to remove, and the messages to applications."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, get_args

import msgspec
from aiohttp import web

from guardrail.governance import restriction_statements, restrictions
from guardrail.governance.cases import Allowed, Case, Cases, Status, Verdict
from guardrail.governance.deliveries import deliveries, find
from guardrail.governance.desk import Desk
from guardrail.governance.ladder import Step
from guardrail.governance.removal import Order, Removals, completed
from guardrail.governance.statements import statement, statement_text
from guardrail.proxy.admin_areas import Area, Wrong, body_of, choice_of, limit_of, page

RecordsOf = Callable[[int, str | None], Awaitable[list[dict[str, Any]]]]
"""See `Source.records`."""


class Decided(msgspec.Struct, forbid_unknown_fields=True):
    """What is decided about a case."""

    verdict: Verdict
    actor: str
    reason: str
    to: Step | None = None
    until: float | None = None
    about: str = ""
    allow: tuple[Allowed, ...] = ()


class Ordered(msgspec.Struct, forbid_unknown_fields=True):
    """An answer that has to be removed."""

    actor: str
    reason: str
    categories: tuple[str, ...]
    request_id: str = ""
    case_id: str = ""
    message_id: str = ""
    tenant: str = ""
    channel: str = "content"
    start: int | None = None
    end: int | None = None
    ground: str = ""
    unlawful: bool = True


def add_cases(area: Area, desk: Desk, records: RecordsOf) -> None:
    """Add the paths. `records`: where the record of a request is looked up, which tells whose answer it was."""
    cases = Cases(desk.store, desk.audit)
    removals = Removals(desk.store, desk.audit, desk.terms)

    async def listed(request: web.Request) -> Any:
        limit, query = limit_of(request), request.query
        status = msgspec.convert(choice_of(request, "status", get_args(Status)) or None, Status | None)
        found = await cases.find(
            tenant=query.get("tenant", ""),
            subject=query.get("subject", ""),
            request=query.get("request", ""),
            status=status or "",
            limit=limit,
            after=query.get("after", ""),
        )
        return page("cases", found, limit, lambda case: case.id)

    async def shown(request: web.Request) -> Any:
        id, locale = request.match_info["id"], request.query.get("locale", "")
        if await cases.get(id) is None and (decision := await restrictions.find(desk.store, id)) is not None:
            text = restriction_statements.statement_text(decision, locale)
            said = restriction_statements.statement(decision, locale) | {"text": text}
            return {"decision": decision, "statement": said}
        return _with_statement(await known(request), locale)

    async def decided(request: web.Request) -> Any:
        said = await body_of(request, Decided)
        return await cases.decide(
            (await known(request)).id,
            said.verdict,
            actor=said.actor,
            reason=said.reason,
            to=said.to or "",
            until=said.until,
            about=said.about,
            allow=said.allow,
        )

    async def known(request: web.Request) -> Case:
        found = await cases.get(request.match_info["id"])
        if found is None:
            raise Wrong(404, "there is no such case")
        return found

    async def ordered(request: web.Request) -> Any:
        said = await body_of(request, Ordered)
        if not said.actor.strip():
            raise Wrong(400, "an order needs who gives it")
        order = Order(
            said.reason,
            said.categories,
            tenant=said.tenant,
            request=said.request_id,
            message=said.message_id,
            case=said.case_id,
            channel=said.channel,
            start=said.start,
            end=said.end,
            ground=said.ground,
            unlawful=said.unlawful,
        )
        if said.request_id:
            order = completed(order, next(iter(await records(1, said.request_id)), None))
        case, delivery = await removals.order(order, said.actor)
        return {"case": case, "delivery": delivery}

    async def messages(request: web.Request) -> Any:
        limit = limit_of(request)
        pending = choice_of(request, "status", ("pending", "acknowledged"))
        found = await deliveries(
            desk.store,
            tenant=request.query.get("tenant", ""),
            status="pending" if pending == "pending" else "acknowledged" if pending else "",
            limit=limit,
            after=request.query.get("after", ""),
        )
        return page("deliveries", found, limit, lambda delivery: delivery.id)

    async def message(request: web.Request) -> Any:
        found = await find(desk.store, request.match_info["id"])
        if found is None:
            raise Wrong(404, "there is no such message")
        return found

    area.get("/cases", listed)
    area.get("/cases/{id}", shown)
    area.post("/cases/{id}/decision", decided)
    area.post("/removals", ordered)
    area.get("/deliveries", messages)
    area.get("/deliveries/{id}", message)


def _with_statement(case: Case, locale: str) -> dict[str, Any]:
    return {"case": case, "statement": statement(case, locale) | {"text": statement_text(case, locale)}}
