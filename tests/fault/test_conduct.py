"""The conduct ladder over two replicas and a real Redis: what one has struck, the other knows at the next request."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from guardrail.governance import ladder
from guardrail.governance.cases import Case, Cases
from guardrail.governance.desk import Desk, open_desk
from guardrail.governance.identity import subject_id
from guardrail.governance.ladder import Conduct
from guardrail.state.store import StateError
from tests.proxy.harness import BODY, Answer
from tests.proxy.program import Program, program
from tests.proxy.scripted import Connection, Seen, answer, scripted
from tests.state.servers import RedisServer, running

MAIN = """\
version: 1
listen: {{port: 0}}
admin: {{port: 0}}
upstreams: {{default: {{url: "{upstream}", retries: 0}}}}
anonymous: {{policy: usual}}
state: {{store: redis, redis: {{url: "{redis}"}}}}
terms: {{conduct: {{restrict: {{policy: strict, delay: 0.01}}}}}}
"""

RULE = """\
policy: {name}
rules:
  - id: recipe
    keywords: [forbidden recipe]
    action: halt
    category: illicit
    severity: {severity}
  - id: brand
    keywords: [Acme]
    action: {brand}
    with: "[X]"
"""

SECRET = {"GUARDRAIL_SECRET": "3f9c0e5b7a1d4826c95e0f7b3a6d18c2"}
AT_ONCE = 16


@dataclass
class Service:
    """Two replicas, and their operator."""

    one: Program
    other: Program
    desk: Desk
    config: Path
    redis: RedisServer

    @property
    def cases(self) -> Cases:
        return Cases(self.desk.store, self.desk.audit)

    async def until_strikes(self, user: str, number: int) -> Conduct:
        """The conduct of a person, once it has so many strikes."""
        subject = subject_id(self.desk.secret, "anonymous", user)
        async with asyncio.timeout(20):
            while True:
                with contextlib.suppress(StateError):
                    conduct = await self.cases.conduct(subject)
                    if conduct is not None and len(conduct.strikes) == number:
                        return conduct
                await asyncio.sleep(0.01)

    async def until_cases(self, user: str, number: int) -> list[Case]:
        """The cases of a person, once there are so many."""
        subject = subject_id(self.desk.secret, "anonymous", user)
        async with asyncio.timeout(20):
            while len(found := await self.cases.find(subject=subject, newest=False)) < number:
                await asyncio.sleep(0.01)
        return found

    async def operator(self, *arguments: str) -> str:
        """What a command says."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "guardrail", "cases", *arguments, "--config", str(self.config)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, **SECRET},
        )
        out, err = await process.communicate()
        assert (process.returncode, err) == (0, b"")
        return out.decode()


@contextlib.asynccontextmanager
async def service(folder: Path, severity: str) -> AsyncIterator[Service]:
    """Whoever asks for "bad" gets an answer that is halted; "together" waits until `AT_ONCE` of them ask."""
    gate, arrived = asyncio.Event(), list[str]()

    async def model(request: Seen, conn: Connection) -> None:
        asked = msgspec.json.decode(request.body)["messages"][0]["content"]
        if asked == "together":
            arrived.append(asked)
            if len(arrived) == AT_ONCE:
                gate.set()
            await gate.wait()
        said = "Acme is here." if asked == "good" else "The forbidden recipe is this."
        await conn.begin_stream()
        await conn.stream(*answer(said))
        await conn.end()

    redis = RedisServer(folder / "redis")
    with running(redis):
        async with scripted(model) as upstream:
            (folder / "policies").mkdir()
            config = folder / "guardrail.yaml"
            config.write_text(MAIN.format(upstream=upstream.url, redis=redis.url))
            for name, brand in (("usual", "log"), ("strict", "replace")):
                text = RULE.format(name=name, severity=severity, brand=brand)
                text = text if brand == "replace" else text.replace('    with: "[X]"\n', "")
                (folder / "policies" / f"{name}.yaml").write_text(text)
            async with (
                program("--config", str(config), environ=SECRET) as one,
                program("--config", str(config), environ=SECRET) as other,
                open_desk(config, SECRET) as desk,
            ):
                yield Service(one, other, desk, config, redis)


async def ask(replica: Program, user: str, content: str) -> Answer:
    body: dict[str, Any] = {**BODY, "user": user, "messages": [{"role": "user", "content": content}]}
    return await replica.ask(body)


async def test_warned_restricted_suspended_and_served_again(tmp_path: Path) -> None:
    async with service(tmp_path, "critical") as here:
        assert (await ask(here.one, "mallory", "bad")).finish == "content_filter"
        (warned,) = await here.until_cases("mallory", 1)

        got = await ask(here.other, "mallory", "good")
        assert got.headers["x-guardrail-conduct"] == "warn"
        assert got.headers["x-guardrail-case"] == warned.id
        assert got.text.startswith("Please note: requests of yours were stopped")
        assert got.text.endswith("Acme is here.")

        await ask(here.other, "mallory", "bad")
        _, restricted = await here.until_cases("mallory", 2)
        got = await ask(here.one, "mallory", "good")
        assert got.headers["x-guardrail-conduct"] == "restrict"
        assert got.headers["x-guardrail-policy"].startswith("strict@")
        assert got.text.endswith("[X] is here.")

        await ask(here.one, "mallory", "bad")
        *_, suspended = await here.until_cases("mallory", 3)
        for replica in (here.one, here.other):
            got = await ask(replica, "mallory", "good")
            assert (got.status, got.error["code"]) == (403, "account_suspended")
            assert got.error["type"] == "permission_error"
            assert suspended.id in got.error["message"]
            assert got.headers["x-guardrail-case"] == suspended.id
            assert 0 < int(got.headers["retry-after"]) <= ladder.DAY
            (record,) = (await replica.json("/records?limit=1"))["records"]
            assert (record["outcome"], record["measure"], record["case"]) == ("refused", "suspend", suspended.id)
            assert (await ask(replica, "alice", "good")).text == "Acme is here."
        metrics = (await here.one.operator("/metrics")).body.decode()
        assert 'guardrail_conduct_steps_total{category="illicit",step="suspend"} 1.0' in metrics
        assert 'guardrail_conduct_requests_total{measure="suspend"} 1.0' in metrics

        told = await here.operator("statement", suspended.id)
        assert "rule recipe" in told
        assert suspended.policy in told
        decided = ("--actor", "ann", "--reason", "the rule was wrong")
        assert " lifted " in await here.operator("lift", suspended.id, *decided)
        got = await ask(here.other, "mallory", "good")
        assert (got.status, got.headers["x-guardrail-conduct"]) == (200, "restrict")
        # What the others rested on goes with the first of them.
        await here.operator("lift", warned.id, *decided)
        await here.operator("lift", restricted.id, *decided)
        for replica in (here.one, here.other):
            got = await ask(replica, "mallory", "good")
            assert (got.text, "x-guardrail-conduct" in got.headers) == ("Acme is here.", False)
        assert [case.status for case in await here.until_cases("mallory", 3)] == ["lifted"] * 3


async def test_answers_that_end_at_once_all_count_and_each_step_is_taken_once(tmp_path: Path) -> None:
    async with service(tmp_path, "medium") as here:
        replicas = [here.one, here.other] * (AT_ONCE // 2)
        got = await asyncio.gather(*(ask(replica, "mallory", "together") for replica in replicas))
        assert [each.finish for each in got] == ["content_filter"] * AT_ONCE
        conduct = await here.until_strikes("mallory", AT_ONCE)
        newest = max(strike.at for strike in conduct.strikes)
        assert ladder.points_of(conduct, newest) == pytest.approx(AT_ONCE, rel=1e-3)
        cases = await here.until_cases("mallory", 3)
        assert Counter(case.measure for case in cases) == {"warn": 1, "restrict": 1, "suspend": 1}
        assert {measure.case for measure in conduct.measures} == {case.id for case in cases}


async def test_without_redis_a_replica_goes_by_what_it_knew_and_strikes_are_written_later(tmp_path: Path) -> None:
    async with service(tmp_path, "critical") as here:
        for number in range(3):
            await ask(here.one, "mallory", "bad")
            await here.until_cases("mallory", number + 1)
        assert (await ask(here.one, "mallory", "good")).status == 403

        here.redis.kill()
        assert (await ask(here.one, "mallory", "good")).status == 403
        got = await ask(here.one, "eve", "bad")
        assert (got.status, got.finish) == (200, "content_filter")
        assert "conduct" in (await here.one.json("/records?limit=1"))["records"][0]["without_state"]

        here.redis.start()
        await here.until_strikes("eve", 1)
        assert (await ask(here.other, "eve", "good")).headers["x-guardrail-conduct"] == "warn"
