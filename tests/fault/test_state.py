"""Limits over several real processes and a real state: exact to the request, and what holds while the state is away."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from time import monotonic

import msgspec
import pytest

from tests.proxy.harness import BODY, Answer
from tests.proxy.program import Program, program
from tests.proxy.scripted import Connection, ScriptedUpstream, Seen, answer, scripted, until
from tests.state.servers import RedisServer, running

MAIN = """\
version: 1
listen: {{port: 0}}
admin: {{port: 0}}
upstreams: {{default: {{url: "{upstream}", retries: 0}}}}
anonymous: {{policy: default}}
state: {state}
terms: {{limits: {limits}}}
"""

POLICY = "policy: default\nrules:\n  - id: word\n    keywords: [Acme Cola]\n    action: log\n"

SECRET = {"GUARDRAIL_SECRET": "3f9c0e5b7a1d4826c95e0f7b3a6d18c2"}

IDLE = re.compile(r"^guardrail_(?:streams_in_flight|state_backlog)(?:\{.*?\})? (\S+)$", re.MULTILINE)

KINDS = ("redis", "sqlite")
"""Two processes and a Redis; one with two workers and a file."""


@dataclass
class Service:
    """Replicas behind one model server, which answers "hold" only when the gate is open."""

    replicas: list[Program]
    upstream: ScriptedUpstream
    gate: asyncio.Event
    redis: RedisServer | None

    def __post_init__(self) -> None:
        self._turns = cycle(self.replicas)

    async def ask(self, content: str = "Hi", **more: object) -> Answer:
        """The next replica is asked."""
        return await next(self._turns).ask({**BODY, "messages": [{"role": "user", "content": content}], **more})

    async def ask_many(self, number: int, content: str = "Hi", **more: object) -> Counter[int]:
        """How often each status was the answer to so many requests at once."""
        return Counter(got.status for got in await asyncio.gather(*(self.ask(content, **more) for _ in range(number))))

    async def until_settled(self) -> None:
        """Until no answer runs, and all is written that follows from those that did."""
        for replica in self.replicas:
            async with asyncio.timeout(30):
                while set(IDLE.findall((await replica.operator("/metrics")).body.decode())) != {"0.0"}:
                    await asyncio.sleep(0.02)

    async def until_up(self) -> None:
        """Until every replica can ask the state."""
        for replica in self.replicas:
            async with asyncio.timeout(30):
                while b'"state": "ok"' not in (await replica.operator("/readyz")).body:
                    await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def service(folder: Path, kind: str, limits: str, on_failure: str = "{}") -> AsyncIterator[Service]:
    gate = asyncio.Event()

    async def model(request: Seen, conn: Connection) -> None:
        await conn.begin_stream()
        if msgspec.json.decode(request.body)["messages"][0]["content"] == "hold":
            await conn.stream(answer()[0])
            await gate.wait()
        await conn.stream(*answer("Hello"))
        await conn.end()

    async with contextlib.AsyncExitStack() as stack:
        redis = None
        state = f"{{store: sqlite, on_failure: {on_failure}}}"
        if kind == "redis":
            redis = RedisServer(folder / "redis", "--appendonly", "yes", "--appendfsync", "always")
            stack.enter_context(running(redis))
            state = f'{{store: redis, redis: {{url: "{redis.url}"}}, on_failure: {on_failure}}}'
        upstream = await stack.enter_async_context(scripted(model))
        (folder / "policies").mkdir()
        (folder / "policies" / "default.yaml").write_text(POLICY)
        config = folder / "guardrail.yaml"
        config.write_text(MAIN.format(upstream=upstream.url, state=state, limits=limits))
        arguments = ("--config", str(config), *(("--workers", "2") if kind == "sqlite" else ()))
        replicas = [
            await stack.enter_async_context(program(*arguments, environ=SECRET)) for _ in range(2 if redis else 1)
        ]
        yield Service(replicas, upstream, gate, redis)
        gate.set()


@pytest.mark.parametrize("kind", KINDS)
async def test_requests_are_limited_to_the_request(kind: str, tmp_path: Path) -> None:
    async with service(tmp_path, kind, "{tenant: {requests_per_day: 40}, user: {requests_per_day: 25}}") as serving:
        assert await serving.ask_many(60, user="ann") == {200: 25, 429: 35}
        assert await serving.ask_many(40, user="bob") == {200: 15, 429: 25}
        assert len(serving.upstream.requests) == 40


@pytest.mark.parametrize("kind", KINDS)
async def test_answers_at_a_time_are_limited_to_the_answer(kind: str, tmp_path: Path) -> None:
    async with service(tmp_path, kind, "{tenant: {streams: 6}}") as serving:
        for _ in range(3):
            serving.gate.clear()
            before = len(serving.upstream.requests)
            asked = [asyncio.create_task(serving.ask("hold")) for _ in range(20)]
            await until(lambda: sum(task.done() for task in asked) == 14, 30)  # noqa: B023
            await until(lambda: len(serving.upstream.requests) == before + 6)  # noqa: B023
            serving.gate.set()
            assert Counter(got.status for got in await asyncio.gather(*asked)) == {200: 6, 429: 14}
            await serving.until_settled()


@pytest.mark.parametrize("kind", KINDS)
async def test_tokens_are_limited_to_the_token(kind: str, tmp_path: Path) -> None:
    async with service(tmp_path, kind, "{tenant: {tokens_per_day: 100}}") as serving:
        asked = [asyncio.create_task(serving.ask("hold", max_tokens=9)) for _ in range(25)]  # ten each, with the prompt
        await until(lambda: sum(task.done() for task in asked) == 15, 30)
        serving.gate.set()
        answers = await asyncio.gather(*asked)
        assert Counter(got.status for got in answers) == {200: 10, 429: 15}

        await serving.until_settled()
        got = await serving.ask(max_tokens=1000)
        # Each was a token of prompt, and one of the answer.
        assert (got.status, got.headers["x-ratelimit-remaining-tokens"]) == (429, "80")


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.parametrize("kind", KINDS)
async def test_the_seats_of_a_killed_replica_are_free_again(kind: str, tmp_path: Path) -> None:
    async with service(tmp_path, kind, "{tenant: {streams: 3}}") as serving:
        killed = serving.replicas[0]
        held = [
            asyncio.create_task(killed.ask({**BODY, "messages": [{"role": "user", "content": "hold"}]})) for _ in "123"
        ]
        await until(lambda: len(serving.upstream.requests) == 3)
        pids = [killed.process.pid]
        if kind == "sqlite":  # its workers; it starts others
            pids = children(pids[0])
        else:
            serving.replicas.pop(0)
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        await asyncio.gather(*held, return_exceptions=True)
        statuses: list[int] = []
        async with asyncio.timeout(60):
            while statuses[-1:] != [200]:
                with contextlib.suppress(OSError):  # no worker listens for a moment
                    statuses.append((await serving.replicas[0].ask()).status)
                await asyncio.sleep(0.1)
        assert set(statuses) == {200, 429}
        serving.gate.set()
        assert await Service(serving.replicas, serving.upstream, serving.gate, None).ask_many(3) == {200: 3}


@dataclass
class Load:
    """Clients that ask all the time, and what they got: (begun, over, status)."""

    serving: Service
    got: list[tuple[float, float, int]]

    async def run(self) -> None:
        while True:
            begun = monotonic()
            answer = await self.serving.ask()
            self.got.append((begun, monotonic(), answer.status))


@contextlib.asynccontextmanager
async def load(serving: Service) -> AsyncIterator[Load]:
    clients = Load(serving, [])
    tasks = [asyncio.create_task(clients.run()) for _ in range(8)]
    try:
        await until(lambda: len(clients.got) > 40, 30)
        yield clients
        await until(lambda: not any(task.done() and task.exception() for task in tasks))
    finally:
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            assert isinstance(result, asyncio.CancelledError)


async def passed(serving: Service) -> int:
    """Requests that the state has counted; this one too."""
    got = await serving.ask()
    return int(got.headers["x-ratelimit-limit-requests"]) - int(got.headers["x-ratelimit-remaining-requests"])


@pytest.mark.parametrize("done", ["open", "local", "closed"])
async def test_redis_is_killed_and_restarted_under_load(done: str, tmp_path: Path) -> None:
    """`open`, `local`: no request is lost. `closed`: none is let through while it is down. Then the state is back."""
    limits = "{tenant: {requests_per_day: 1000000, streams: 100}}"
    async with service(tmp_path, "redis", limits, f"{{limits: {done}}}") as serving:
        assert serving.redis is not None
        async with load(serving) as clients:
            served = await passed(serving)
            for _ in range(2):
                serving.redis.kill()
                down = monotonic()
                count = len(clients.got)
                await until(lambda: len(clients.got) > count + 80, 60)  # noqa: B023
                restart = monotonic()
                during = [status for begun, over, status in clients.got if begun > down and over < restart]
                assert set(during) == ({503} if done == "closed" else {200})
                await asyncio.to_thread(serving.redis.start)
                await serving.until_up()
                count = len(clients.got)
                await until(lambda: len(clients.got) > count + 20, 30)  # noqa: B023
        statuses = Counter(status for _, _, status in clients.got)
        assert set(statuses) == ({200, 503} if done == "closed" else {200})
        assert await passed(serving) > served  # what was counted before is still there
        if done == "closed":
            assert await passed(serving) >= statuses[200]
        for replica in serving.replicas:
            said = "".join(replica.errors)
            assert said.count("the state cannot be asked") == 2, said
            assert said.count("the state answers again") == 2, said


async def test_readiness_tells_of_the_state(tmp_path: Path) -> None:
    async with service(tmp_path, "redis", "{}", "{records: closed}") as serving:
        assert serving.redis is not None
        replica = serving.replicas[0]
        assert (await replica.operator("/readyz")).status == 200
        serving.redis.kill()
        async with asyncio.timeout(30):
            while (await replica.operator("/readyz")).status == 200:
                await asyncio.sleep(0.05)
        told = msgspec.json.decode((await replica.operator("/readyz")).body)
        assert (told["ready"], told["state"]) == (False, "down")
        assert told["reasons"] == ["the state cannot be asked, and without it requests are refused (records)"]
        assert (await replica.ask()).status == 503
        await asyncio.to_thread(serving.redis.start)
        await serving.until_up()
        assert (await replica.operator("/readyz")).status == 200


async def test_a_replica_starts_without_redis_and_says_so(tmp_path: Path) -> None:
    async with service(tmp_path, "redis", "{tenant: {requests_per_day: 9}}", "{limits: closed}") as serving:
        assert serving.redis is not None
        serving.redis.kill()
        async with program("--config", str(tmp_path / "guardrail.yaml"), environ=SECRET) as third:
            await third.said("the state cannot be asked")
            assert (await third.operator("/readyz")).status == 503
            got = await third.ask()
            assert (got.status, got.error["code"], got.headers["retry-after"]) == (503, "state_unavailable", "1")
            await asyncio.to_thread(serving.redis.start)
            async with asyncio.timeout(30):
                while (await third.operator("/readyz")).status != 200:
                    await asyncio.sleep(0.02)
            assert (await third.ask()).status == 200
