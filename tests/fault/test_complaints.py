"""Two replicas and a real Redis: a complaint is known to both and filed once; a removal is told once, and seen by both;
while Redis is away nothing is acknowledged that is not kept."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from tests.governance.test_deliveries import SECRET, Receiver, receiving
from tests.proxy.program import Program, program
from tests.proxy.scripted import says, scripted, until
from tests.state.servers import RedisServer, running

MAIN = """\
version: 1
listen: {{port: 0}}
admin: {{port: 0}}
upstreams: {{default: {{url: "{upstream}", retries: 0}}}}
anonymous: {{}}
state: {{store: redis, redis: {{url: "{redis}"}}}}
terms:
  complaints: {{per_address: 1000}}
  removal: {{webhook: "{hook}/hook", secret_env: HOOK}}
"""

ENVIRON = {"GUARDRAIL_SECRET": "3f9c0e5b7a1d4826c95e0f7b3a6d18c2", "HOOK": SECRET}
PATH = "/v1/guardrail/complaints"


@dataclass
class Service:
    replicas: tuple[Program, Program]
    config: Path
    redis: RedisServer
    receiver: Receiver


@contextlib.asynccontextmanager
async def service(folder: Path) -> AsyncIterator[Service]:
    redis = RedisServer(folder / "redis")
    with running(redis):
        async with scripted(says("hi")) as upstream, receiving(204) as receiver:
            config = folder / "guardrail.yaml"
            config.write_text(MAIN.format(upstream=upstream.url, redis=redis.url, hook=receiver.url))
            async with (
                program("--config", str(config), environ=ENVIRON) as one,
                program("--config", str(config), environ=ENVIRON) as other,
            ):
                yield Service((one, other), config, redis, receiver)


async def ask(replica: Program, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    method = "GET" if body is None else "POST"
    async with (
        aiohttp.ClientSession(headers=sent) as session,
        session.request(method, replica.url + path, json=body) as answer,
    ):
        return answer.status, await answer.json()


async def test_what_one_replica_takes_the_other_knows(tmp_path: Path) -> None:
    async with service(tmp_path) as at:
        answers = await asyncio.gather(
            *(ask(at.replicas[turn % 2], PATH, {"text": "x"}, idempotency_key="k-1") for turn in range(16))
        )
        assert {status for status, _ in answers} == {201}
        (number,) = {said["id"] for _, said in answers}
        (receipt,) = {said["receipt"] for _, said in answers}
        for replica in at.replicas:
            status, said = await ask(replica, f"{PATH}/{number}", x_guardrail_receipt=receipt)
            assert (status, said["status"]) == (200, "received")
            assert [each["id"] for each in (await replica.json("/complaints"))["complaints"]] == [number]


async def test_a_removal_is_told_once_and_seen_by_both(tmp_path: Path) -> None:
    async with service(tmp_path) as at:
        requests = [(await replica.ask()).headers["x-guardrail-request-id"] for replica in at.replicas]
        for request in requests:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "guardrail", "cases", "remove", request, "--tenant", "anonymous"),
                *("--reason", "So.", "--category", "privacy", "--actor", "ann", "--config", str(at.config)),
                env={**os.environ, **ENVIRON},
                stdout=asyncio.subprocess.DEVNULL,
            )
            assert await process.wait() == 0
        await until(lambda: len(at.receiver.got) >= 2, 30)
        for replica, request in zip(at.replicas, requests, strict=True):

            async def settled(replica: Program = replica, request: str = request) -> bool:
                (record,) = (await replica.json(f"/records?id={request}"))["records"]
                pending = await replica.json("/deliveries?status=pending")
                return bool(record["removed_by"]) and not pending["deliveries"]

            await replica.until(settled)
        assert len(at.receiver.got) == len({headers["webhook-id"] for _, headers, _ in at.receiver.got}) == 2


async def test_without_redis_nothing_is_acknowledged(tmp_path: Path) -> None:
    async with service(tmp_path) as at:
        at.redis.kill()
        status, said = await ask(at.replicas[0], PATH, {"text": "x"})
        assert (status, said["error"]["code"]) == (503, "state_unavailable")
        at.redis.start()

        async def taken() -> bool:
            return (await ask(at.replicas[0], PATH, {"text": "x"}))[0] == 201

        await at.replicas[0].until(taken)

        async def known() -> bool:
            return bool((await at.replicas[1].json("/complaints")).get("complaints"))

        await at.replicas[1].until(known)
