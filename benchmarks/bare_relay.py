"""The yardstick: an aiohttp + uvloop relay that copies bytes and looks at none of them.

`python -m benchmarks.bare_relay UPSTREAM`. No policy, no records, no timeouts: what any Python proxy built on
the same libraries has to pay before it does anything useful.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Final

import aiohttp
import uvloop
from aiohttp import web

SESSION: Final = web.AppKey("session", aiohttp.ClientSession)


async def relay(request: web.Request) -> web.StreamResponse:
    body = await request.read()
    headers = {"content-type": request.headers.get("content-type", "application/json")}
    url = sys.argv[1] + request.path_qs
    async with request.app[SESSION].request(request.method, url, data=body, headers=headers) as upstream:
        response = web.StreamResponse(
            status=upstream.status, headers={"content-type": upstream.headers["content-type"]}
        )
        await response.prepare(request)
        async for block in upstream.content.iter_any():
            await response.write(block)
        await response.write_eof()
        return response


async def serve() -> None:
    connector = aiohttp.TCPConnector(limit=0)
    session = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=None))
    app = web.Application()
    app[SESSION] = session
    app.router.add_route("*", "/{path:.*}", relay)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=4096).start()
    print(f"bare relay on http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve())
