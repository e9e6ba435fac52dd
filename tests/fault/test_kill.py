"""kill -9 at random moments, under writes: the state and the audit log open clean, and nothing acknowledged is missing.

GUARDRAIL_KILLS says how often (20 by default, some seconds each ten). Each round runs a real proxy and a program that
makes keys, both on one state folder, kills both in the midst of it, and starts the proxy again.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import sqlite3
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from guardrail.governance.complaints import Complaints
from guardrail.governance.desk import open_desk
from guardrail.observe.audit_anchors import anchors
from guardrail.observe.audit_export import Wanted, find
from guardrail.observe.audit_segments import writers
from guardrail.observe.audit_verify import verify
from guardrail.policy.key_store import read_keys
from guardrail.policy.keys import PURPOSE
from tests.proxy.harness import BODY
from tests.proxy.program import Program, program, write_policy
from tests.proxy.scripted import says, scripted, until

ROUNDS = int(os.environ.get("GUARDRAIL_KILLS", "20"))

LONGEST = 0.4
"""Seconds after the first writes by which a process is killed at the latest."""

MAIN = """\
version: 1
listen: {{port: 0}}
admin: {{port: 0}}
upstreams: {{default: {{url: "{url}", retries: 0}}}}
anonymous: {{policy: default}}
limits: {{drain: 0}}
audit: {{rotate_bytes: 16384, fsync: interval, interval: 0.05}}
terms:
  complaints: {{per_hour: 1000000, per_address: 1000000}}
  conduct: {{}}
"""

KEYS = """\
import asyncio, os, pathlib, sys, time
from guardrail.governance.desk import open_desk
from guardrail.policy.key_store import write_key
from guardrail.policy.keys import PURPOSE, new_key

async def work():
    async with open_desk(pathlib.Path(sys.argv[1]), os.environ) as desk:
        while True:
            _, key = new_key("anonymous", by="test", now=time.time(), note="")
            await write_key(desk.store, key, desk.secret.derive(PURPOSE), now=time.time(), new=True)
            desk.audit.write("key.created", {"actor": "test", "key": key.hash})
            print(key.hash, flush=True)
            await asyncio.sleep(0.005)

asyncio.run(work())
"""


@dataclass
class Acknowledged:
    """What somebody was told, and may rely on."""

    complaints: dict[str, str] = field(default_factory=dict)
    """Receipt by number."""
    records: set[str] = field(default_factory=set)
    """Requests that the operator saw."""
    keys: set[str] = field(default_factory=set)


async def post(session: aiohttp.ClientSession, url: str, body: Any) -> Any:
    """The answer of a request that was acknowledged; None for one that was not."""
    with contextlib.suppress(aiohttp.ClientError, OSError, asyncio.TimeoutError):
        async with session.post(url, data=msgspec.json.encode(body)) as got:
            said = await got.read()
            if got.status in (200, 201):
                return said
            assert got.status == 503, (got.status, said)
    return None


async def chatting(running: Program, worker: int) -> None:
    async with aiohttp.ClientSession() as session:
        for n in range(10_000):
            body = BODY | {"user": f"user-{worker}-{n % 7}", "stream": n % 2 == 0}
            if await post(session, running.url + "/v1/chat/completions", body) is None:
                return


async def complaining(running: Program, known: Acknowledged) -> None:
    async with aiohttp.ClientSession() as session:
        for n in range(10_000):
            body = {"text": f"it was wrong, {n}", "kind": "other", "user": f"user-{n % 5}"}
            said = await post(session, running.url + "/v1/guardrail/complaints", body)
            if said is None:
                return
            told = msgspec.json.decode(said)
            known.complaints[told["id"]] = told["receipt"]


async def watching(running: Program, known: Acknowledged) -> None:
    while True:
        try:
            shown = await running.json("/records?limit=1000")
        except (aiohttp.ClientError, OSError):
            return
        known.records |= {record["request_id"] for record in shown["records"]}


async def key_making(process: asyncio.subprocess.Process, known: Acknowledged) -> None:
    assert process.stdout is not None
    while (line := await process.stdout.readline()).endswith(b"\n"):
        known.keys.add(line.decode().strip())


async def killed_under_load(running: Program, main: Path, known: Acknowledged, draw: random.Random) -> None:
    """Write from all sides, and kill whoever writes."""
    maker = await asyncio.create_subprocess_exec(sys.executable, "-c", KEYS, str(main), stdout=asyncio.subprocess.PIPE)
    keys, complaints = len(known.keys), len(known.complaints)
    tasks = [asyncio.create_task(key_making(maker, known))]
    await until(lambda: len(known.keys) > keys, 30)
    work = (*(chatting(running, worker) for worker in range(3)), complaining(running, known), watching(running, known))
    tasks += [asyncio.create_task(each) for each in work]
    await until(lambda: len(known.complaints) > complaints, 30)
    await asyncio.sleep(draw.uniform(0, LONGEST))  # the moment is what is tried
    running.signal(signal.SIGKILL)
    maker.kill()
    await asyncio.gather(*tasks)
    await asyncio.gather(running.process.wait(), maker.wait())


async def missing(main: Path, known: Acknowledged) -> list[str]:
    """What of it is not there."""
    async with open_desk(main, os.environ) as desk:
        folder = desk.folder / "audit"
        broken = [chain.broken for chain in verify(folder, await anchors(desk.store), desk.secret)]
        assert [each for each in broken if each is not None] == []
        noted: dict[str, set[str]] = {"response": set(), "complaint.received": set(), "key.created": set()}
        names = {"response": "request_id", "complaint.received": "complaint", "key.created": "key"}
        for found in find(folder, Wanted(kinds=tuple(noted))):
            noted[found.line.kind].add(found.line.body()[names[found.line.kind]])
        gone = [f"record {id}" for id in known.records - noted["response"]]
        gone += [f"complaint {id} in the log" for id in known.complaints.keys() - noted["complaint.received"]]
        gone += [f"key {id} in the log" for id in known.keys - noted["key.created"]]
        kept = {key.hash for key in (await read_keys(desk.store, desk.secret.derive(PURPOSE)))[0]}
        gone += [f"key {id}" for id in known.keys - kept]
        complaints = Complaints(desk.store, desk.audit, desk.secret)
        for id, receipt in known.complaints.items():
            if await complaints.by_receipt(id, receipt) is None:
                gone.append(f"complaint {id}")
    with contextlib.closing(sqlite3.connect(desk.folder / "guardrail.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    return gone


async def status(running: Program, id: str, receipt: str) -> int:
    """What somebody with a receipt is answered."""
    sent = {"x-guardrail-receipt": receipt}
    async with (
        aiohttp.ClientSession(headers=sent) as session,
        session.get(f"{running.url}/v1/guardrail/complaints/{id}") as got,
    ):
        return got.status


async def test_nothing_acknowledged_is_missing_after_kill_9(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(2**32)
    draw = random.Random(seed)
    (tmp_path / "policies").mkdir()
    write_policy(tmp_path, "Acme Cola")
    known = Acknowledged()
    told: Counter[str] = Counter()
    async with scripted(says("Drink Acme Cola", " every day")) as upstream:
        main = tmp_path / "guardrail.yaml"
        main.write_text(MAIN.format(url=upstream.url))
        for number in range(ROUNDS + 1):
            async with program("--config", str(main)) as running:
                if known.complaints:
                    id = draw.choice(sorted(known.complaints))
                    assert await status(running, id, known.complaints[id]) == 200, (seed, number, id)
                if number < ROUNDS:
                    await killed_under_load(running, main, known, draw)
            if number < ROUNDS:
                assert await missing(main, known) == [], (seed, number)
    folder = tmp_path / "state" / "audit"
    for path in writers(folder):
        told.update({"torn": len(list(path.glob("*.torn"))), "writers": 1})
    print(f"{ROUNDS} kills: {len(known.records)} records, {len(known.complaints)} complaints, {len(known.keys)} keys,",
          f"{told['writers']} writers, {told['torn']} torn lines")  # fmt: skip
    assert min(len(known.records), len(known.complaints), len(known.keys)) >= ROUNDS / 2
