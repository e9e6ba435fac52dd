"""An operator's listener over a real state, and an operator, for tests."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from aiohttp import web

from guardrail.governance.complaint_terms import ComplaintTerms
from guardrail.governance.desk import Desk, desk_of
from guardrail.governance.terms import Terms
from guardrail.observe.records import Record
from guardrail.proxy.admin import admin_application
from guardrail.settings import AuditSettings
from guardrail.state.settings import State
from tests.proxy.harness import settings

TOKEN = "t0ken"
TERMS = Terms(complaints=ComplaintTerms())


class Kept:
    """A source of records, and of nothing else."""

    def __init__(self, *records: Record) -> None:
        self._records = records

    async def metrics(self) -> bytes:
        return b""

    async def readiness(self) -> dict[str, Any]:
        return {"ready": True}

    async def policies(self) -> dict[str, Any]:
        return {}

    async def records(self, limit: int, request_id: str | None) -> list[dict[str, Any]]:
        return [msgspec.to_builtins(each) for each in self._records if each.request_id == request_id][:limit]


@dataclass
class Operator:
    """Who asks."""

    desk: Desk
    url: str
    session: aiohttp.ClientSession

    async def ask(self, path: str, body: Any = None, *, token: str = TOKEN) -> tuple[int, Any]:
        """Status and JSON; POST with a body, else GET."""
        headers = {"Authorization": f"Bearer {token}"}
        data = body if isinstance(body, bytes | type(None)) else msgspec.json.encode(body)
        method = "GET" if body is None else "POST"
        async with self.session.request(method, self.url + path, data=data, headers=headers) as answer:
            return answer.status, msgspec.json.decode(await answer.read())


@contextlib.asynccontextmanager
async def operated(folder: Path, *records: Record, **changes: Any) -> AsyncIterator[Operator]:
    configured = settings(
        "http://127.0.0.1:9", state=State(folder=str(folder)), audit=AuditSettings(enabled=False), **changes
    )
    async with desk_of(configured, {}, lambda tenant: TERMS) as desk:
        runner = web.AppRunner(admin_application(Kept(*records), TOKEN, desk))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            async with aiohttp.ClientSession() as session:
                yield Operator(desk, f"http://127.0.0.1:{runner.addresses[0][1]}", session)
        finally:
            await runner.cleanup()
