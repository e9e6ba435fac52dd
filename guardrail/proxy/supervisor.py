"""N workers on one port, and the operator's listener over all of them.

Each worker is a whole proxy process that binds the clients' port with SO_REUSEPORT, so that the kernel spreads
connections. The supervisor carries no model traffic: it starts the workers, starts a crashed one again, passes
signals on, and answers the operator by asking every worker over its private unix socket. Metrics get a `worker`
label; caps in `limits` hold for each worker.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import monotonic

import msgspec
from aiohttp import web

from guardrail.governance.desk import Desk, desk_of
from guardrail.policy.registry import Registry
from guardrail.proxy.gather import Gathered
from guardrail.proxy.process import Addresses, AdminOn, Stop, binding, operator_runner, terms_of, url_of, watch
from guardrail.settings import Listen

logger = logging.getLogger("guardrail.supervisor")

START_TIMEOUT = 120.0
"""Seconds the first start of all workers may take: a very large lexicon compiles for tens of seconds."""

RESTART_PAUSE = (0.5, 30.0)
"""Seconds before a crashed worker is started again: the first time, doubled each time, and at most."""

STEADY = 60.0
"""A worker that ran this many seconds was not crashing at start: its next restart waits the first pause again."""


class WorkerOptions(msgspec.Struct, frozen=True):
    """What a worker is told on its command line; secrets come through the environment it inherits."""

    listen: Listen
    config: str | None = None
    upstream: str | None = None


class Worker:
    """One worker process and its socket."""

    def __init__(self, index: int, options: WorkerOptions, folder: Path) -> None:
        self.index = index
        self.socket = folder / f"worker-{index}.sock"
        self.process: asyncio.subprocess.Process | None = None
        self.restarts = 0
        self._options = options

    async def start(self) -> None:
        """Start the process; `Gathered` says when it is ready."""
        self.socket.unlink(missing_ok=True)
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "guardrail.proxy.worker",
            msgspec.json.encode(self._options).decode(),
            str(self.socket),
            stdin=asyncio.subprocess.PIPE,
        )

    def signal(self, number: signal.Signals) -> None:
        """Pass a signal on."""
        if self.process is not None and self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(number)

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.returncode is None


class Supervisor:
    """Starts, watches and stops the workers."""

    def __init__(self, options: WorkerOptions, count: int, admin: AdminOn, registry: Registry) -> None:
        """`registry`: the configuration, for what operators do here; each worker reads it again by itself."""
        self._options = options
        self._registry = registry
        self._count = count
        self._admin = admin

    async def run(self, ready: Callable[[Addresses], None]) -> int:
        """Serve until asked to stop; returns the exit status. Raises OSError when the ports are taken, GuardrailError
        when the state, the secret or the audit log can never be opened."""
        # Bound but never listening: it fixes a free port for the workers, and keeps it while they restart.
        with _reserve(self._options.listen) as reserved:
            port = reserved.getsockname()[1]
            listen = msgspec.structs.replace(self._options.listen, port=port)
            options = msgspec.structs.replace(self._options, listen=listen)
            folder = Path(tempfile.mkdtemp(prefix="guardrail-"))
            try:
                workers = [Worker(index, options, folder) for index in range(self._count)]
                settings = self._registry.current.settings
                # Before the workers: what it makes (the folder, the secret) they find.
                async with desk_of(settings, os.environ, terms_of(self._registry)) as desk:
                    return await self._supervise(workers, listen, desk, ready)
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    async def _supervise(
        self, workers: list[Worker], listen: Listen, desk: Desk, ready: Callable[[Addresses], None]
    ) -> int:
        stop = Stop()
        gathered = Gathered(workers, stopping=stop.asked.is_set)
        operators = operator_runner(gathered, self._admin, desk)
        watchers: list[asyncio.Task[int]] = []
        watching = asyncio.create_task(watch(self._registry))
        try:
            await operators.setup()
            with binding(self._admin.host, self._admin.port):
                await web.TCPSite(operators, self._admin.host, self._admin.port).start()
            stop.on_signals(lambda: _signal_all(workers, signal.SIGHUP))
            for worker in workers:
                await worker.start()
            if not await self._all_ready(gathered, workers, stop):
                return 1
            scheme = "https" if listen.tls else "http"
            host = f"[{listen.host}]" if ":" in listen.host else listen.host
            ready(Addresses(f"{scheme}://{host}:{listen.port}", url_of(operators, "http")))
            watchers = [asyncio.create_task(_keep_running(worker, stop)) for worker in workers]
            await stop.asked.wait()
            _signal_all(workers, signal.SIGTERM)
            again = asyncio.create_task(_pass_on_second(workers, stop))
            statuses = await asyncio.gather(*watchers)
            again.cancel()
            return max(statuses)
        finally:
            for watcher in (*watchers, watching):
                watcher.cancel()
            for worker in workers:
                if worker.alive:
                    worker.signal(signal.SIGKILL)
                    assert worker.process is not None
                    await worker.process.wait()
            await gathered.close()
            await operators.cleanup()

    async def _all_ready(self, gathered: Gathered, workers: list[Worker], stop: Stop) -> bool:
        """Wait for the first start of every worker; False when one failed or a stop was asked for."""
        deadline = monotonic() + START_TIMEOUT
        while monotonic() < deadline and not stop.asked.is_set():
            if not all(worker.alive for worker in workers):
                logger.error("a worker failed to start")
                return False
            if (await gathered.readiness())["ready"]:
                return True
            await asyncio.sleep(0.1)
        return False


async def _keep_running(worker: Worker, stop: Stop) -> int:
    """Start `worker` again whenever it ends, until a stop is asked for; returns its last exit status."""
    pause = RESTART_PAUSE[0]
    while True:
        started = monotonic()
        assert worker.process is not None
        status = await worker.process.wait()
        if stop.asked.is_set():
            return 0 if status == 0 else 1
        if monotonic() - started > STEADY:
            pause = RESTART_PAUSE[0]
        logger.error("worker %d ended with status %d; it starts again in %g s", worker.index, status, pause)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await stop.asked.wait()
                return 0
        pause = min(pause * 2, RESTART_PAUSE[1])
        worker.restarts += 1
        await worker.start()


async def _pass_on_second(workers: list[Worker], stop: Stop) -> None:
    await stop.at_once.wait()
    _signal_all(workers, signal.SIGTERM)


def _signal_all(workers: list[Worker], number: signal.Signals) -> None:
    for worker in workers:
        worker.signal(number)


def _reserve(listen: Listen) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        listen.host, listen.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    reserved = socket.socket(family, kind, protocol)
    try:
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        with binding(listen.host, listen.port):
            reserved.bind(address)
    except OSError:
        reserved.close()
        raise
    return reserved
