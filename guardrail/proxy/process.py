"""One proxy process: its listeners, its signals, its end.

SIGTERM and SIGINT drain (readiness turns false, no new connections, streams in flight get `limits.drain` seconds and
then a valid end); a second one ends at once. SIGHUP reads the configuration again. What is still to be written to the
state after the last answer has `SETTLE` seconds more.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import logging
import os
import signal
import ssl
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from guardrail.governance.desk import Desk, desk_of
from guardrail.governance.duties import duties_of
from guardrail.governance.duty import USES
from guardrail.governance.identity import Identity
from guardrail.governance.terms import Terms
from guardrail.observe import audit_anchors
from guardrail.policy.following import Following
from guardrail.policy.keys import PURPOSE as STORED_KEYS
from guardrail.policy.load import ANONYMOUS
from guardrail.policy.registry import Registry
from guardrail.proxy.admin import LocalSource, Source, admin_application
from guardrail.proxy.app import READ_BUFFER, Proxy
from guardrail.proxy.governor import Governor
from guardrail.proxy.relay import FINISH_GRACE
from guardrail.settings import Admin, Listen
from guardrail.state.sqlite import SqliteStore

logger = logging.getLogger("guardrail.proxy")

KEEP_ALIVE = 75.0
"""Seconds an idle client connection is kept; longer than load balancers in front keep theirs (60 is common), so
that it is they who close, and no request is lost to a close that crosses it."""

LINGER = 2.0
"""Seconds the rest of a refused request body is read and thrown away, so that its client can read the refusal."""

BACKLOG = 1024

SETTLE = 5.0
"""Seconds that a process which ends waits for the state to take what is left to write."""

GC_THRESHOLD = 10_000
"""New objects until a collection: the default 700 is met every few requests, and hardly anything here is cyclic."""


@dataclass(frozen=True, slots=True)
class AdminOn:
    """Where the operator's listener is: a TCP address with a token, or a private unix socket without."""

    host: str = ""
    port: int = 0
    token: str | None = None
    path: str | None = None

    @classmethod
    def tcp(cls, config: Admin, token: str) -> AdminOn:
        return cls(host=config.host, port=config.port, token=token)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a process listens, after the system chose free ports."""

    proxy: str
    admin: str


def run(main: Coroutine[Any, Any, int]) -> int:
    """Run `main` on uvloop where it exists, else on asyncio's own loop."""
    # What is loaded by now, a large policy's rules above all, lives as long as the process: the collector need not
    # walk it again and again in the midst of streams.
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)
    try:
        import uvloop
    except ImportError:
        return asyncio.run(main)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)


def server_tls(listen: Listen) -> ssl.SSLContext | None:
    """The listener's TLS context. Raises OSError (ssl.SSLError is one) for files that cannot be used."""
    if listen.tls is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(listen.tls.cert, listen.tls.key)
    return context


class Stop:
    """What the signals ask for."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.at_once = asyncio.Event()

    def ask(self) -> None:
        """Drain; asked again, end at once."""
        if self.asked.is_set():
            self.at_once.set()
        self.asked.set()

    def on_signals(self, hangup: Callable[[], None]) -> None:
        """Listen to SIGTERM, SIGINT and SIGHUP."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.ask)
        loop.add_signal_handler(signal.SIGHUP, hangup)


def client_runner(proxy: Proxy) -> web.AppRunner:
    """The server side of the clients' listener."""
    return web.AppRunner(
        proxy.application(),
        handler_cancellation=True,  # a client that leaves cancels its handler: that is how the relay learns of it
        access_log=None,
        keepalive_timeout=KEEP_ALIVE,
        lingering_time=LINGER,
        read_bufsize=READ_BUFFER,
        shutdown_timeout=FINISH_GRACE + 1,
    )


async def run_process(
    registry: Registry,
    listen: Listen,
    admin: AdminOn,
    *,
    ready: Callable[[Addresses], None] = lambda addresses: None,
    stop: Stop | None = None,
    reuse_port: bool = False,
) -> int:
    """Serve until asked to stop; returns the exit status. Raises OSError when it cannot listen, GuardrailError when its
    state, secret or audit log can never be opened.

    `ready` is called once, when both listeners take connections. `stop` lets a caller ask as a signal would.
    """
    async with desk_of(registry.current.settings, os.environ, terms_of(registry)) as desk:
        return await _serve(registry, listen, admin, desk, ready, stop or Stop(), reuse_port)


async def _serve(
    registry: Registry,
    listen: Listen,
    admin: AdminOn,
    desk: Desk,
    ready: Callable[[Addresses], None],
    stop: Stop,
    reuse_port: bool,
) -> int:
    fallback = SqliteStore(None)
    on_failure = desk.settings.state.on_failure
    governor = Governor(
        desk.store,
        duties_of(desk),
        Identity(desk.secret, os.environ),
        on_failure={use: getattr(on_failure, use) for use in USES},
        fallback=fallback,
    )
    proxy = Proxy(registry, os.environ, governor, desk)
    following = Following(registry, desk.store, desk.audit, desk.secret.derive(STORED_KEYS))
    clients = client_runner(proxy)
    operators = operator_runner(LocalSource(proxy), admin, desk)
    background: list[asyncio.Task[None]] = []
    try:
        await operators.setup()
        if admin.path is not None:
            await web.UnixSite(operators, admin.path).start()
        else:
            with binding(admin.host, admin.port):
                await web.TCPSite(operators, admin.host, admin.port).start()
        await governor.look()
        await following.start()
        await proxy.classifiers.follow(registry.current.compiled)
        await clients.setup()
        tls = server_tls(listen)
        site = web.TCPSite(
            clients,
            listen.host,
            listen.port,
            ssl_context=tls,
            backlog=BACKLOG,
            reuse_port=reuse_port or None,
        )
        with binding(listen.host, listen.port):
            await site.start()
        works = (watch(registry), following.run(), proxy.tend(), governor.tend())
        background = [asyncio.create_task(work) for work in works]
        if proxy.audit is not None:
            background.append(asyncio.create_task(audit_anchors.tend(proxy.audit, desk.store, desk.secret)))
        if proxy.chores is not None:
            background.append(asyncio.create_task(proxy.chores.run()))
        reloads: set[asyncio.Task[bool]] = set()

        def reload() -> None:
            task = asyncio.create_task(registry.reload())
            reloads.add(task)
            task.add_done_callback(reloads.discard)

        stop.on_signals(reload)
        ready(Addresses(url_of(clients, "https" if tls else "http"), admin.path or url_of(operators, "http")))
        await stop.asked.wait()
        logger.info("draining; answers in flight: %d", proxy.admission.in_flight)
        await _drain(proxy, clients, site, stop)
        await clients.cleanup()
        await governor.settle(0 if stop.at_once.is_set() else SETTLE)
        logger.info("stopped at once" if stop.at_once.is_set() else "stopped")
    finally:
        for task in background:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*background, return_exceptions=True)
        await clients.cleanup()
        await proxy.close()
        await operators.cleanup()
        await fallback.close()
    return 1 if stop.at_once.is_set() else 0


def operator_runner(source: Source, admin: AdminOn, desk: Desk) -> web.AppRunner:
    """The server side of the operator's listener."""
    return web.AppRunner(admin_application(source, admin.token, desk), access_log=None, shutdown_timeout=1)


def terms_of(registry: Registry) -> Callable[[str], Terms]:
    """The terms of each tenant, as they are when they are asked for."""

    def terms(name: str) -> Terms:
        snapshot = registry.current
        tenant = snapshot.anonymous if name == ANONYMOUS else snapshot.by_name(name)
        return tenant.terms if tenant is not None else snapshot.settings.terms

    return terms


@contextlib.contextmanager
def binding(host: str, port: int) -> Iterator[None]:
    """Where a listener is started. A port that is taken is an OSError whose text is for people."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise OSError(f"port {port} on {host} is in use") from error
        raise


async def watch(registry: Registry) -> None:
    """Follow the files. Where the system cannot watch them, the proxy goes on without."""
    try:
        await registry.watch()
    except Exception as error:
        logger.error("configuration files cannot be watched (%s); SIGHUP still reads them again", error)


async def _drain(proxy: Proxy, clients: web.AppRunner, site: web.TCPSite, stop: Stop) -> None:
    """Stop accepting, then wait for the end of what is in flight, for the deadline, or for a second signal."""
    proxy.draining = True
    await site.stop()
    assert clients.server is not None
    server = clients.server
    seconds = proxy.registry.current.settings.limits.drain
    draining = asyncio.create_task(proxy.drain(seconds, lambda: server.connections))
    at_once = asyncio.create_task(stop.at_once.wait())
    await asyncio.wait({draining, at_once}, return_when=asyncio.FIRST_COMPLETED)
    draining.cancel()
    at_once.cancel()
    if stop.at_once.is_set():
        proxy.drop()


def url_of(runner: web.AppRunner, scheme: str) -> str:
    """Where a runner's first site listens."""
    host, port = runner.addresses[0][:2]
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
