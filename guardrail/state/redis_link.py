"""Connections to Redis: one server, the master that Sentinels name, or a cluster.

A link sends commands and gives their replies, in one round trip; nothing is sent twice by itself, except what a server
refused before it did anything (a slot that has moved). It stays open between calls. Deadlines are the caller's: a call
that is cancelled closes the connection, so that no reply is taken for another's.
"""

from __future__ import annotations

import asyncio
import math
import ssl
from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import urlsplit

from redis.asyncio import Redis
from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.connection import AbstractConnection, ConnectionPool, SSLConnection, parse_url
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.backoff import NoBackoff
from redis.exceptions import AskError, ConnectionError, MovedError, ResponseError, TryAgainError
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

    async def exchange(self, commands: Sequence[tuple[str, Command]]) -> list[Reply]:
        """The reply to each command. Each comes with the key by which its server is chosen. Raises RedisError, OSError;
        then nothing is known of any of them."""

    async def connect(self) -> None:
        """Open a connection. Raises RedisError, OSError."""

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
        return _Cluster(options | ({"ssl": True} if secure else {}))
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

    async def connect(self) -> None:
        if self._connection is None:
            self._connection = self._pool.make_connection()  # type: ignore[no-untyped-call]
        if self._connection.is_connected and await self._connection.can_read():
            # The server has closed it, or said something that nobody asked for.
            await self._connection.disconnect(nowait=True)
        await self._connection.connect()

    async def exchange(self, commands: Sequence[tuple[str, Command]]) -> list[Reply]:
        await self.connect()
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


class _Cluster:
    """A Redis Cluster: each command goes to the server that has its key's slot."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        self._starts = [(options.pop("host"), options.pop("port", 6379))]
        self._client: RedisCluster | None = None
        self._lost = False
        """A server did not answer: who has its slots must be asked anew."""

    @property
    def connected(self) -> bool:
        return self._client is not None and not self._lost

    async def connect(self) -> None:
        if self._lost:
            await self.close()
        if self._client is None:
            starts = [ClusterNode(host, port) for host, port in self._starts]
            client = RedisCluster(startup_nodes=starts, **self._options)
            try:
                await client.initialize()
            except BaseException:
                await client.aclose()
                raise
            # So that the cluster is found again when the server that was named is the one that is gone.
            known = [(node.host, node.port) for node in client.get_nodes()]
            self._starts = [*self._starts[:1], *(each for each in known if each != self._starts[0])]
            self._client, self._lost = client, False

    async def exchange(self, commands: Sequence[tuple[str, Command]]) -> list[Reply]:
        await self.connect()
        client = self._client
        assert client is not None
        by_node: dict[str, tuple[ClusterNode, list[int]]] = {}
        for index, (key, _) in enumerate(commands):
            node = client.get_node_from_key(key)
            if node is None:
                raise ConnectionError("a slot has no server")
            by_node.setdefault(node.name, (node, []))[1].append(index)
        replies: list[Reply] = [None] * len(commands)

        async def asked(node: ClusterNode, indexes: list[int]) -> None:
            connection = node.acquire_connection()
            try:
                await connection.connect()  # type: ignore[no-untyped-call]
                answers = await _answers(connection, [commands[index][1] for index in indexes])
            finally:
                node.release(connection)
            for index, answer in zip(indexes, answers, strict=True):
                replies[index] = answer

        asking = [asked(node, indexes) for node, indexes in by_node.values()]
        outcomes = await asyncio.gather(*asking, return_exceptions=True)
        for outcome, (_, indexes) in zip(outcomes, by_node.values(), strict=True):
            if isinstance(outcome, BaseException):  # one server is away: the others have answered
                for index in indexes:
                    replies[index] = outcome
                self._lost = True
        for index, reply in enumerate(replies):
            if isinstance(reply, MovedError | AskError | TryAgainError):  # refused: it was not done
                replies[index] = await self._redirected(client, commands[index][1])
        return replies

    async def _redirected(self, client: RedisCluster, command: Command) -> Reply:
        try:
            return await client.execute_command(*command)
        except ResponseError as error:
            return error

    def listener(self) -> Redis:
        host, port = self._starts[-1]
        return Redis(host=host, port=port, **self._options)

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()
