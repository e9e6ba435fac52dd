"""Policies and keys changed under load: two real replicas, a real Redis, 500 live streams.

Every stream is delivered whole, under the one policy that its header names, whatever is pushed meanwhile; replicas take
a new version, a revocation and the loss of Redis as the documentation says.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import sys
from collections.abc import AsyncIterator, Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import aiohttp
import msgspec
import pytest

from guardrail.policy.signing import new_key, write_private
from tests.proxy.harness import Answer
from tests.proxy.program import Program, program
from tests.state.servers import RedisServer, running

WORDS = 25
STREAMS = 500
SECRET = {"GUARDRAIL_SECRET": "0123456789abcdef0123456789abcdef"}

ROOT = """\
version: 1
listen: {{port: 0}}
admin: {{port: 0}}
upstreams:
  default: {{url: "{upstream}", retries: 0}}
anonymous: {{policy: p}}
limits: {{streams: 2000, streams_per_tenant: 2000, drain: 0}}
state: {{store: redis, folder: {folder}, redis: {{url: "{redis}", timeout: 2}}}}
pushed_policies: {{public_keys: ["{public}"]}}
"""


def policy(mask: str) -> str:
    return f'policy: p\nrules:\n  - {{id: r, keywords: [alpha], action: replace, with: "{mask}", category: brand}}\n'


@dataclass
class Fleet:
    """Two replicas, and the operator's command line."""

    folder: Path
    redis: RedisServer
    replicas: list[Program]
    session: aiohttp.ClientSession

    async def operator(self, *arguments: str, status: int = 0) -> str:
        """Run a command; what it printed."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "guardrail", *arguments, "--config", str(self.folder / "operator.yaml")),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, **SECRET},
        )
        said, _ = await process.communicate()
        assert process.returncode == status, said.decode()
        return said.decode()

    async def push(self, mask: str) -> None:
        pushed = self.folder / "pushed" / "p.yaml"
        pushed.parent.mkdir(exist_ok=True)
        pushed.write_text(policy(mask))
        await self.operator("policy", "push", str(pushed), "--key", str(self.folder / "sign.key"))

    async def change(self, *arguments: str) -> None:
        await self.operator("policy", *arguments, "--key", str(self.folder / "sign.key"))

    async def stream(self, replica: Program, *, delay: int = 0, key: str = "") -> Answer:
        """One chat stream, read to its end."""
        body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "alpha " * WORDS}]}
        sent = {"x-simulate-delay": str(delay), **({"Authorization": f"Bearer {key}"} if key else {})}
        url = replica.url + "/v1/chat/completions"
        async with self.session.post(url, data=msgspec.json.encode(body), headers=sent) as got:
            return Answer(got.status, got.headers, await got.read())

    async def version(self, replica: Program) -> int:
        """Of the policy that a new stream gets."""
        return version_of(await self.stream(replica))

    async def until_version(self, *wanted: int, seconds: float = 20) -> None:
        async with asyncio.timeout(seconds):
            for replica in self.replicas:
                while await self.version(replica) not in wanted:
                    await asyncio.sleep(0.02)


def version_of(answer: Answer) -> int:
    found = re.search(r";version=(\d+)$", answer.headers["x-guardrail-policy"])
    return int(found[1]) if found else 0


def whole(answer: Answer) -> bool:
    """Whether it is complete and all of it under the policy of its header."""
    mask = f"[v{version_of(answer)}]"
    text = answer.text  # "You wrote: …"
    return answer.status == 200 and answer.events[-1] == "[DONE]" and text.split()[2:] == [mask] * WORDS


@contextlib.asynccontextmanager
async def simulator() -> AsyncIterator[str]:
    """A simulated model server of its own process, that echoes."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "guardrail", "simulate", "--port", "0", "--token-size", "6"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(30):
            found = None
            while found is None:
                found = re.search(r"(http://\S+?)/v1", (await process.stdout.readline()).decode())
        yield found[1]
    finally:
        process.kill()
        await process.wait()


@contextlib.asynccontextmanager
async def fleet(folder: Path, files: Mapping[str, str] | None = None) -> AsyncIterator[Fleet]:
    private, public = new_key()
    for name in ("policies", "tenants"):
        (folder / name).mkdir()
    write_private(folder / "sign.key", private)
    for name, text in {"policies/p.yaml": policy("[v0]"), **(files or {})}.items():
        (folder / name).write_text(text)
    server = RedisServer(folder / "redis")
    with running(server):
        async with simulator() as upstream, contextlib.AsyncExitStack() as stack:
            for name in ("operator", "a", "b"):
                parts = {"upstream": upstream, "redis": server.url, "public": public, "folder": f"state-{name}"}
                (folder / f"{name}.yaml").write_text(ROOT.format(**parts))
            replicas = [
                await stack.enter_async_context(program("--config", str(folder / f"{name}.yaml"), environ=SECRET))
                for name in ("a", "b")
            ]
            connector = aiohttp.TCPConnector(limit=0)
            session = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
            yield Fleet(folder, server, replicas, session)


def run(scenario: Coroutine[None, None, None]) -> None:
    asyncio.run(scenario)


def test_push_during_500_live_streams(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with fleet(tmp_path) as both:
            for number in (1, 2, 3):
                await both.push(f"[v{number}]")
            await both.change("activate", "p@1")
            await both.until_version(1)
            streams: list[asyncio.Task[Answer]] = []

            def begin(more: int, delay: int) -> None:
                replicas = (both.replicas[number % 2] for number in range(more))
                streams.extend(asyncio.create_task(both.stream(replica, delay=delay)) for replica in replicas)

            begin(STREAMS - 200, 800)
            await both.change("activate", "p@2", "--percent", "50")
            begin(100, 500)
            await both.until_version(2)
            await both.change("activate", "p@2")
            begin(100, 300)
            await both.change("activate", "p@3")
            await both.until_version(3)
            assert sum(not stream.done() for stream in streams) >= STREAMS - 200
            answers = await asyncio.gather(*streams)
            broken = [answer for answer in answers if not whole(answer)]
            assert len(broken) == 0, (broken[0].headers["x-guardrail-policy"], broken[0].text)
            assert {version_of(answer) for answer in answers} == {1, 2}
            await both.change("rollback", "p")
            await both.until_version(2)
            for replica in both.replicas:
                records = (await replica.json("/records?limit=1000"))["records"]
                assert {record["policy_version"] for record in records} >= {1, 2, 3}
                assert {record["outcome"] for record in records} == {"complete"}

    run(scenario())


def test_within_a_second_in_both_replicas(tmp_path: Path) -> None:
    async def scenario() -> None:
        tenants = {"tenants/acme.yaml": "tenant: acme\npolicy: p\n"}
        async with fleet(tmp_path, tenants) as both:
            await both.push("[v1]")
            key = (await both.operator("key", "create", "--tenant", "acme")).split()[0]

            async def status(replica: Program) -> int:
                return (await both.stream(replica, key=key)).status

            for replica in both.replicas:
                assert await status(replica) == 200
                record = (await replica.json("/records?limit=1"))["records"][0]
                assert record["tenant"] == "acme"
            await both.operator("key", "revoke", (await both.operator("key", "list")).split()[0])
            revoked_at = monotonic()
            for replica in both.replicas:
                async with asyncio.timeout(20):
                    while await status(replica) != 401:
                        await asyncio.sleep(0.02)
                assert "was revoked" in (await both.stream(replica, key=key)).body.decode()
            assert monotonic() - revoked_at < 20

    run(scenario())


def test_redis_is_killed_and_a_replica_starts_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with fleet(tmp_path) as both:
            await both.push("[v1]")
            await both.change("activate", "p@1")
            await both.until_version(1)
            both.redis.kill()
            assert [await both.version(replica) for replica in both.replicas] == [1, 1]
            async with program("--config", str(both.folder / "a.yaml"), environ=SECRET) as again:
                assert await both.version(again) == 1
            both.redis.start()  # with nothing in it
            await both.push("[v2]")
            await both.change("activate", "p@2")
            await both.until_version(2)

    run(scenario())


@pytest.mark.parametrize("field", ["statement", "signature", "key"])
def test_a_head_that_was_tampered_with_in_redis(tmp_path: Path, field: str) -> None:
    async def scenario() -> None:
        async with fleet(tmp_path) as both:
            await both.push("[v1]")
            await both.change("activate", "p@1")
            await both.until_version(1)
            from guardrail.policy.distribution import read, write
            from guardrail.state.redis import RedisStore
            from guardrail.state.settings import RedisSettings

            store = RedisStore(RedisSettings(url=both.redis.url), {})
            found = await read(store)
            assert found is not None
            said = msgspec.json.decode(found.body)
            said[field] = said[field].replace("1", "2") if field == "statement" else said[field][::-1]
            assert await write(store, msgspec.json.encode(said), found.version)
            await store.close()
            for replica in both.replicas:

                async def refused(replica: Program = replica) -> bool:
                    return bool((await replica.json("/readyz"))["policies"] == "refused")

                await replica.until(refused)
                assert await both.version(replica) == 1
                problems = (await replica.json("/policies"))["pushed"]["problems"]
                assert "is not believed" in problems[0]
                metrics = (await replica.operator("/metrics")).body.decode()
                assert "guardrail_pushed_policies_refused 1.0" in metrics

    run(scenario())
