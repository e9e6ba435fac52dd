"""The operator's listener: metrics, health, readiness, records, policies.

Promises: everything but `/healthz` and `/readyz` needs the bearer token, compared in constant time; those two reveal
nothing but that the process is up, whether its configuration is current and its state can be asked. Never shows model
text or keys.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import msgspec
from aiohttp import web

from guardrail.governance.desk import Desk
from guardrail.proxy.admin_areas import Area
from guardrail.proxy.admin_cases import add_cases
from guardrail.proxy.admin_complaints import add_complaints
from guardrail.proxy.admin_policies import add_policies
from guardrail.proxy.app import Proxy

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"

MAX_RECORDS = 10_000
"""Records in one answer."""


class Source(Protocol):
    """Where the listener's answers come from: one process, or all workers of a supervisor."""

    async def metrics(self) -> bytes:
        """Prometheus text."""

    async def readiness(self) -> dict[str, Any]:
        """`ready`, and what stands in its way or is worth knowing."""

    async def records(self, limit: int, request_id: str | None) -> list[dict[str, Any]]:
        """Records, newest first; of one response when `request_id` is given."""

    async def policies(self) -> dict[str, Any]:
        """The configuration in effect."""


class LocalSource:
    """This process's own state."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy

    async def metrics(self) -> bytes:
        return self._proxy.metrics.exposition()

    async def readiness(self) -> dict[str, Any]:
        state = self._proxy.config_state()
        governor = self._proxy.governor
        reasons = ["draining"] if self._proxy.draining else []
        if governor is not None and (refusing := governor.refusing()):
            reasons.append(f"the state cannot be asked, and without it requests are refused ({', '.join(refusing)})")
        if self._proxy.audit is not None and self._proxy.audit.refuses:
            reasons.append("the audit log cannot be written, and without it requests are refused")
        # A refused edit is told, but takes no healthy replica out: the last good configuration still guards.
        return {
            "ready": not reasons,
            "config": "ok" if state.last_reload_ok else "refused",
            "policies": "refused" if self._proxy.registry.pushed_problems else "ok",
            "state": "ok" if governor is None or governor.up else "down",
            "generation": state.generation,
            "reasons": reasons,
        }

    async def records(self, limit: int, request_id: str | None) -> list[dict[str, Any]]:
        if request_id is not None:
            found = self._proxy.records.find(request_id)
            return [] if found is None else [msgspec.to_builtins(found)]
        return [msgspec.to_builtins(record) for record in self._proxy.records.newest(limit)]

    async def policies(self) -> dict[str, Any]:
        registry = self._proxy.registry
        snapshot = registry.current
        return {
            "generation": registry.generation,
            "digest": snapshot.digest,
            "loaded_at": registry.loaded_at,
            "failed_at": registry.failed_at,
            "problems": [str(problem) for problem in registry.problems],
            "policies": [
                {"name": policy.name, "tag": policy.tag, "digest": policy.digest}
                for policy in snapshot.policies.values()
            ],
            "tenants": [
                {"name": tenant.name, "policy": tenant.policy.tag, "upstream": tenant.upstream, "locale": tenant.locale}
                for tenant in snapshot.tenants.values()
            ],
            "pushed": {
                "serial": snapshot.overlay.serial,
                "problems": [str(problem) for problem in registry.pushed_problems],
            },
            "anonymous": snapshot.anonymous.policy.tag if snapshot.anonymous else None,
        }


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def admin_application(source: Source, token: str | None, desk: Desk | None = None) -> web.Application:
    """The listener's application. `token` None: whoever can connect may ask (a private unix socket). `desk`: what
    operators' functions work with; None where there is no state (tests of other things)."""

    def guarded(handler: Handler) -> Handler:
        async def checked(request: web.Request) -> web.StreamResponse:
            if token is not None and not _bears(request, token):
                return web.json_response(
                    {"error": "A bearer token is needed."}, status=401, headers={"WWW-Authenticate": "Bearer"}
                )
            return await handler(request)

        return checked

    async def healthz(request: web.Request) -> web.StreamResponse:
        return web.json_response({"status": "ok"})

    async def readyz(request: web.Request) -> web.StreamResponse:
        ready = await source.readiness()
        return web.json_response(ready, status=200 if ready["ready"] else 503)

    async def metrics(request: web.Request) -> web.StreamResponse:
        return web.Response(body=await source.metrics(), headers={"Content-Type": PROMETHEUS})

    async def records(request: web.Request) -> web.StreamResponse:
        text = request.query.get("limit", "100")
        if not (text.isascii() and text.isdigit()):
            return web.json_response({"error": "limit must be a whole number."}, status=400)
        limit = min(int(text[:9]), MAX_RECORDS)
        return web.json_response({"records": await source.records(limit, request.query.get("id"))})

    async def policies(request: web.Request) -> web.StreamResponse:
        return web.json_response(await source.policies())

    app = web.Application()
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", guarded(metrics))
    app.router.add_get("/records", guarded(records))
    app.router.add_get("/policies", guarded(policies))
    if desk is not None:
        area = Area(app, guarded)
        add_cases(area, desk, source.records)
        add_complaints(area, desk)
        add_policies(area, desk)
    return app


def _bears(request: web.Request, token: str) -> bool:
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    presented = value.strip().encode("utf-8", "surrogateescape")
    return scheme.casefold() == "bearer" and hmac.compare_digest(presented, token.encode())
