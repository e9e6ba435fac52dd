"""Connections to Redis: one server, the master that Sentinels name, or a cluster.

A link sends commands and gives their replies, in one round trip; nothing is sent twice by itself, except what a server
refused before it did anything (a slot that has moved). It stays open between calls. Deadlines are the caller's: a call
that is cancelled closes the connection, so that no reply is taken for another's.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import ssl
from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import urlsplit

from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection, ConnectionPool, SSLConnection, parse_url
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.backoff import NoBackoff
from redis.crc import key_slot
from redis.exceptions import AskError, ClusterDownError, ConnectionError, MovedError, RedisError, ResponseError
from redis.maint_notifications import MaintNotificationsConfig

from guardrail.state.settings import RedisSettings
from guardrail.state.store import StateError

CONNECT_SECONDS = 2.0
"""To open a connection, with its handshakes. No request waits so long: it is done in the background."""

Command = tuple[str | bytes | int, ...]
Reply = Any
"""Bytes, an integer, None, a list of them, or the exception that stands in for one."""


class Link(Protocol):
    """One way to Redis."""

    @property
    def connected(self) -> bool:
        """Whether commands can be sent without opening a connection first."""

    async def connect(self) -> bool:
        """Open a connection, unless there is one that is good. Whether it is new. Raises RedisError, OSError."""

    async def exchange(self, commands: Sequence[tuple[str, Command]]) -> list[Reply]:
        """The reply to each command, once connected. Each comes with the key by which its server is chosen. Raises
        RedisError, OSError; then nothing is known of any of them."""

    def listener(self) -> Redis:
        """A client for a subscription, to be closed by the caller."""

    async def close(self) -> None:
        """Close what is open; a later call opens it again."""


def opened(settings: RedisSettings, environ: Mapping[str, str]) -> Link:
    """A link that connects when it is first used. Raises StateError when a variable is not set."""
    password = _secret(settings.password_env, environ)
    options: dict[str, Any] = {
        "username": settings.username,
        "password": password,
        "socket_timeout": None,  # the caller has a deadline for the whole
        "socket_connect_timeout": CONNECT_SECONDS,
        "retry": Retry(NoBackoff(), 0),  # what failed may have been done: it is not sent again
        "driver_info": None,
        "maint_notifications_config": MaintNotificationsConfig(enabled=False),
        "protocol": 2,
    }
    if settings.sentinel is not None:
        return _Sentinels(settings, options, _secret(settings.sentinel.password_env, environ))
    url = settings.url if settings.url_env is None else _secret(settings.url_env, environ)
    try:
        given: dict[str, Any] = {**parse_url(url or "")}
    except ValueError:
        raise StateError(f"the environment variable {settings.url_env} holds no address of a Redis") from None
    kind: type[AbstractConnection] | None = given.pop("connection_class", None)
    secure = kind is SSLConnection
    if secure:
        options |= _tls(settings)
    elif settings.tls is not None:
        raise StateError("state.redis.tls is set, but the address does not begin with rediss://")
    options |= given
    if settings.cluster:
        if "host" not in given:
            raise StateError(f"the environment variable {settings.url_env} holds no address of a cluster")
        return _Cluster(options, kind)
    return _Server(options, kind)


def place_of(settings: RedisSettings) -> str:
    """How the server is called in messages: never with a password."""
    if settings.sentinel is not None:
        return f"{settings.sentinel.name} of the Sentinels {', '.join(settings.sentinel.addresses)}"
    if settings.url is not None:
        return urlsplit(settings.url).netloc or settings.url
    return f"at ${settings.url_env}"


def _secret(variable: str | None, environ: Mapping[str, str]) -> str | None:
    if variable is None:
        return None
    value = environ.get(variable, "")
    if not value:
        raise StateError(f"the environment variable {variable} is not set")
    return value


def _tls(settings: RedisSettings) -> dict[str, Any]:
    """The options of a connection with TLS."""
    tls = settings.tls
    if tls is None:
        return {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True}
    return {
        "ssl_ca_certs": tls.ca,
        "ssl_certfile": tls.cert,
        "ssl_keyfile": tls.key,
        "ssl_cert_reqs": ssl.CERT_REQUIRED if tls.verify else ssl.CERT_NONE,
        "ssl_check_hostname": tls.verify,
    }


async def _answers(connection: AbstractConnection, commands: Sequence[Command]) -> list[Reply]:
    """One round trip on a connection, which is closed when it does not end well."""
    replies: list[Reply] = []
    try:
        await connection.send_packed_command(connection.pack_commands(commands), check_health=False)
        for _ in commands:
            try:
                replies.append(await connection.read_response(disable_decoding=True, timeout=math.inf))
            except ResponseError as error:
                replies.append(error)
    except BaseException:
        await connection.disconnect(nowait=True)
        raise
    return replies


class _Server:
    """One server."""

    def __init__(self, options: dict[str, Any], kind: type[AbstractConnection] | None = None) -> None:
        self._pool = self._make_pool(options, kind)
        self._connection: AbstractConnection | None = None

    def _make_pool(self, options: dict[str, Any], kind: type[AbstractConnection] | None) -> ConnectionPool:
        return ConnectionPool(**options) if kind is None else ConnectionPool(connection_class=kind, **options)

    @property
    def connected(self) -> bool:
        return self._connection is not None and self._connection.is_connected

    async def connect(self) -> bool:
        if self._connection is None:
            self._connection = self._pool.make_connection()  # type: ignore[no-untyped-call]
        if self._connection.is_connected:
            with contextlib.suppress(RedisError, OSError):
                if not await self._connection.can_read():
                    return False
            # The server has closed it, or said something that nobody asked for.
            await self._connection.disconnect(nowait=True)
        await self._connection.connect()
        return True

    async def exchange(self, commands: Sequence[tuple[str, Command]]) -> list[Reply]:
        assert self._connection is not None
        return await _answers(self._connection, [command for _, command in commands])

    def listener(self) -> Redis:
        return Redis(connection_pool=self._pool)

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.disconnect(nowait=True)
        await self._pool.disconnect()


class _Sentinels(_Server):
    """The master that the Sentinels name, asked anew for each connection."""

    def __init__(self, settings: RedisSettings, options: dict[str, Any], password: str | None) -> None:
        assert settings.sentinel is not None
        secure = settings.tls is not None
        tls = {"ssl": True} | _tls(settings) if secure else {}
        addresses = [address.rsplit(":", 1) for address in settings.sentinel.addresses]
        # One that does not answer must leave time to ask the next.
        patience = CONNECT_SECONDS / (len(addresses) + 1)
        asked = options | tls | {"socket_timeout": patience, "socket_connect_timeout": patience}
        self._sentinels = Sentinel(  # type: ignore[no-untyped-call]
            [(host, int(port)) for host, port in addresses],
            sentinel_kwargs=asked | {"username": None, "password": password},
        )
        self._name = settings.sentinel.name
        super().__init__(options | tls)

    def _make_pool(self, options: dict[str, Any], kind: type[AbstractConnection] | None) -> ConnectionPool:
        return SentinelConnectionPool(self._name, self._sentinels, **options)  # type: ignore[no-untyped-call]

    async def close(self) -> None:
        await super().close()
        for sentinel in self._sentinels.sentinels:
            await sentinel.aclose()


Place = tuple[str, int]
"""Host and port of a server."""


class _Cluster:
    """A Redis Cluster: each command goes to the server that has its key's slot."""

    def __init__(self, options: dict[str, Any], kind: type[AbstractConnection] | None) -> None:
        self._options, self._kind = options, kind
        self._start: Place = (options.pop("host"), options.pop("port", 6379))
        self._servers: dict[Place, _Server] = {}
        self._slots: list[tuple[int, int, Place]] = []
        """First and last slot, and who has them."""
        self._lost = True
        """Who has which slots is not known, or may have changed."""
        self._turn = 0

    @property
    def connected(self) -> bool:
        return not self._lost

    async def connect(self) -> bool:
        if not self._lost:
            return False
        # The server that was named may be the one that is gone; one that does not answer must leave time for the next.
        places = dict.fromkeys([self._start, *self._servers])
        problem: Exception = ConnectionError("no server of the cluster answers")
        for place in places:
            server = self._server(place)
            try:
                async with asyncio.timeout(CONNECT_SECONDS / (len(places) + 1)):
                    await server.connect()
                    (found,) = await server.exchange([("", ("CLUSTER", "SLOTS"))])
                if not isinstance(found, Exception):
                    self._slots = [_slots_of(each, place) for each in found]
                    self._lost = False
                    return True
                problem = found
            except (RedisError, OSError, TimeoutError) as error:
                problem = error
        raise problem

    async def exchange(self, commands: Sequence[tuple[str, Command]]) -> list[Reply]:
        by_place: dict[Place, list[int]] = {}
        replies: list[Reply] = [None] * len(commands)
        for index, (key, _) in enumerate(commands):
            slot = key_slot(key.encode())
            place = next((place for first, last, place in self._slots if first <= slot <= last), None)
            if place is None:
                replies[index], self._lost = ClusterDownError(f"CLUSTERDOWN nobody has the slot {slot}"), True
            else:
                by_place.setdefault(place, []).append(index)
        asking = [self._asked(place, [commands[index] for index in indexes]) for place, indexes in by_place.items()]
        for answers, indexes in zip(await asyncio.gather(*asking), by_place.values(), strict=True):
            for index, answer in zip(indexes, answers, strict=True):
                replies[index] = answer
        for index, reply in enumerate(replies):
            if isinstance(reply, AskError):  # that it has moved as well: it was refused, and not done
                replies[index] = await self._redirected(commands[index], reply)
        return replies

    async def _asked(self, place: Place, commands: Sequence[tuple[str, Command]]) -> list[Reply]:
        """The replies of one server: its error for each, when it is away, since the others answer all the same."""
        try:
            server = self._server(place)
            await server.connect()
            return await server.exchange(commands)
        except (RedisError, OSError) as error:
            self._lost = True
            return [error] * len(commands)

    async def _redirected(self, command: tuple[str, Command], reply: AskError) -> Reply:
        place = (reply.host or self._start[0], reply.port)
        if isinstance(reply, MovedError):
            self._lost = True
            return (await self._asked(place, [command]))[0]
        return (await self._asked(place, [("", ("ASKING",)), command]))[1]

    def _server(self, place: Place) -> _Server:
        if place not in self._servers:
            host, port = place
            self._servers[place] = _Server(self._options | {"host": host, "port": port}, self._kind)
        return self._servers[place]

    def listener(self) -> Redis:
        self._turn += 1  # a message reaches every server: when one is away, the next will do
        servers = list(self._servers.values()) or [self._server(self._start)]
        return servers[self._turn % len(servers)].listener()

    async def close(self) -> None:
        self._lost = True
        for server in self._servers.values():
            await server.close()


def _slots_of(entry: list[Any], asked: Place) -> tuple[int, int, Place]:
    """One line of CLUSTER SLOTS: first, last, [host, port, …] of the master, and of its replicas. A host that is not
    given is the one that was asked."""
    first, last, (host, port, *_), *_ = entry
    return first, last, (host.decode() if host else asked[0], port)
