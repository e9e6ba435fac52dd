"""Workers: one port, one operator's listener, restarts, an end together."""

from __future__ import annotations

import os
import signal
import tempfile
from pathlib import Path

from tests.proxy.program import Program, configure, program
from tests.proxy.scripted import says, scripted, until


async def samples(running: Program, name: str) -> dict[str, float]:
    """A metric's value by worker."""
    found: dict[str, float] = {}
    for line in (await running.operator("/metrics")).body.decode().splitlines():
        if line.startswith(name + "{"):
            labels, _, value = line.rpartition(" ")
            worker = labels.split('worker="')[1].split('"')[0]
            found[worker] = found.get(worker, 0) + float(value)
    return found


async def is_ready(running: Program) -> bool:
    return (await running.operator("/readyz")).status == 200


async def test_two_workers_share_the_port_and_the_operator_sees_both(tmp_path: Path) -> None:
    async with scripted(says("I like Acme", " Cola.")) as upstream:
        main = configure(tmp_path, upstream.url)
        async with program("--config", str(main), "--workers", "2") as running:
            ready = await running.operator("/readyz")
            assert (ready.status, (await running.json("/readyz"))["workers"]) == (200, 2)
            for _ in range(200):  # each on a connection of its own; the kernel spreads them
                assert (await running.ask()).text == "I like [X]."
                counts = await samples(running, "guardrail_requests_total")
                if len(counts) == 2:
                    break
            assert set(counts) == {"0", "1"}
            assert await samples(running, "guardrail_worker_up") == {"0": 1, "1": 1}
            records = (await running.json("/records?limit=500"))["records"]
            assert len(records) == sum(counts.values())
            assert {record["worker"] for record in records} == {0, 1}
            one = records[0]["request_id"]
            assert [r["request_id"] for r in (await running.json(f"/records?id={one}"))["records"]] == [one]
            assert set((await running.json("/policies"))["workers"]) == {"0", "1"}
            running.signal(signal.SIGTERM)
            assert await running.status() == 0


async def test_a_crashed_worker_is_started_again(tmp_path: Path) -> None:
    async with scripted(says("hi")) as upstream:
        main = configure(tmp_path, upstream.url)
        async with program("--config", str(main), "--workers", "2") as running:
            pids = children(running.process.pid)
            assert len(pids) == 2
            os.kill(pids[0], signal.SIGKILL)
            await running.said("it starts again")
            await running.until(lambda: is_ready(running))
            assert sum((await samples(running, "guardrail_worker_restarts_total")).values()) == 1
            assert len(children(running.process.pid)) == 2
            assert (await running.ask()).text == "hi"


async def test_workers_end_and_tidy_up_when_their_supervisor_is_gone(tmp_path: Path) -> None:
    async with scripted(says("hi")) as upstream:
        main = configure(tmp_path, upstream.url)
        # Not in `tmp_path`: the path of a socket has to be short.
        with tempfile.TemporaryDirectory() as folder:
            flags = ("--config", str(main), "--workers", "2")
            async with program(*flags, environ={"TMPDIR": folder}) as running:
                assert len(sockets(folder)) == 2
                pids = children(running.process.pid)
                running.process.kill()
                await running.process.wait()
                await until(lambda: not any(map(alive, pids)), 30)
                assert os.listdir(folder) == []


def sockets(folder: str) -> list[Path]:
    return list(Path(folder).glob("guardrail-*/worker-*.sock"))


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
