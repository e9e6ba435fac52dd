"""The operator's listener: versions of pushed policies, keys by their names, and the figures of a report. To read only:
what is in effect is changed with the operator's own key, which no server has."""

from __future__ import annotations

from datetime import UTC, date, datetime
from time import time
from typing import Any

import msgspec
from aiohttp import web

from guardrail.governance.desk import Desk
from guardrail.governance.report import gather, month_before
from guardrail.policy.key_store import read_keys
from guardrail.policy.keys import PURPOSE
from guardrail.policy.publishing import Publisher
from guardrail.proxy.admin_areas import Area, Wrong, choice_of


def add_policies(area: Area, desk: Desk) -> None:
    """Add the paths."""

    async def versions(request: web.Request) -> Any:
        if desk.settings.pushed_policies is None:
            return {"serial": 0, "policies": {}}
        return await Publisher(desk, "").head()

    async def keys(request: web.Request) -> Any:
        now, tenant = time(), request.query.get("tenant", "")
        found, _, _ = await read_keys(desk.store, desk.secret.derive(PURPOSE))
        # A key's hash is enough to try keys against; its name is a part of it that is not.
        rows = [
            {name: value for name, value in msgspec.structs.asdict(each).items() if name != "hash"}
            | {"name": each.name, "state": each.state(now)}
            for each in found
            if tenant in ("", each.tenant)
        ]
        return {"keys": rows}

    async def report(request: web.Request) -> Any:
        first, last = month_before(datetime.now(UTC).date())
        first, last = _day(request, "first", first), _day(request, "last", last)
        if last < first:
            raise Wrong(400, "last must not be before first")
        exact = choice_of(request, "exact", ("true", "false")) == "true"
        return await gather(desk.store, first, last, tenant=request.query.get("tenant") or None, exact=exact)

    area.get("/policies/versions", versions)
    area.get("/keys", keys)
    area.get("/report", report)


def _day(request: web.Request, name: str, otherwise: date) -> date:
    said = request.query.get(name, "")
    try:
        return date.fromisoformat(said) if said else otherwise
    except ValueError:
        raise Wrong(400, f"{name} must be a day, such as 2026-03-01") from None
