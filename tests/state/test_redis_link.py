"""Ways to Redis: a socket, TLS, a password; and what is said of where it is."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from guardrail.state.operations import Put
from guardrail.state.redis import RedisStore
from guardrail.state.redis_link import place_of
from guardrail.state.settings import RedisSettings, RedisTls, Sentinel
from guardrail.state.store import CHANGES, StateError, put
from tests.state.servers import RedisServer, running

PASSWORD = "open sesame"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path / "redis", "--unixsocket", str(tmp_path / "socket"))
    with running(server):
        yield server


async def version(settings: RedisSettings, environ: dict[str, str] | None = None) -> object:
    store = RedisStore(settings, environ or {})
    try:
        return await put(store, Put("case", "a", b""))
    finally:
        await store.close()


async def test_a_socket_and_a_database(server: RedisServer, tmp_path: Path) -> None:
    assert await version(RedisSettings(url=f"unix://{tmp_path}/socket?db=2", timeout=5.0)) == 1
    assert await version(RedisSettings(url=f"redis://127.0.0.1:{server.port}/2", timeout=5.0)) == 2
    assert await version(RedisSettings(url=server.url, timeout=5.0)) == 1


async def test_a_user_and_a_password(server: RedisServer) -> None:
    allowed = (
        "~guardrail:*",
        "resetchannels",
        "&guardrail:*",
        "+@all",
        "-@dangerous",
        "-@admin",
    )  # as docs/state.md has it
    server.client.execute_command("ACL", "SETUSER", "guard", "on", f">{PASSWORD}", *allowed)
    given = RedisSettings(url=server.url, username="guard", password_env="P", timeout=5.0)
    assert await version(given, {"P": PASSWORD}) == 1
    store = RedisStore(given, {"P": PASSWORD})
    heard = []
    async for kind in store.changes():
        heard.append(kind)
        if len(heard) == len(CHANGES):
            await store.run([Put("key", "a", b"")])
        if len(heard) > len(CHANGES):
            break
    assert heard[-1] == "key"
    await store.close()
    address = f"redis://guard:open%20sesame@127.0.0.1:{server.port}/0"
    assert await version(RedisSettings(url_env="A", timeout=5.0), {"A": address}) == 2
    with pytest.raises(StateError, match="it does not take our user or password") as caught:
        await version(given, {"P": "another password"})
    assert "another" not in str(caught.value)
    server.client.execute_command("ACL", "SETUSER", "guard", "-evalsha", "-eval")
    with pytest.raises(StateError, match="our user may not do what is needed"):
        await version(given, {"P": PASSWORD})


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "cert.pem", folder / "key.pem"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return paths


@contextlib.asynccontextmanager
async def behind_tls(server: RedisServer, cert: Path, key: Path, ca: Path | None = None) -> AsyncIterator[int]:
    """A port at which the server speaks TLS: not every build of Redis can do that by itself."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=ca)
    context.load_cert_chain(cert, key)
    if ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
        writer.close()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", server.port)
        await asyncio.gather(pump(reader, inner_writer), pump(inner_reader, writer))

    listening = await asyncio.start_server(relay, "127.0.0.1", 0, ssl=context)
    async with listening:
        yield listening.sockets[0].getsockname()[1]


async def test_tls_is_verified(server: RedisServer, tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    async with behind_tls(server, cert, key) as port:
        url = f"rediss://127.0.0.1:{port}/0"
        with pytest.raises(StateError, match="its certificate does not verify"):
            await version(RedisSettings(url=url, timeout=5.0))
        assert await version(RedisSettings(url=url, tls=RedisTls(ca=str(cert)), timeout=5.0)) == 1
        assert await version(RedisSettings(url=url, tls=RedisTls(verify=False), timeout=5.0)) == 2


async def test_a_certificate_of_our_own(server: RedisServer, tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    async with behind_tls(server, cert, key, ca=cert) as port:
        url = f"rediss://127.0.0.1:{port}/0"
        tls = RedisTls(ca=str(cert), cert=str(cert), key=str(key))
        assert await version(RedisSettings(url=url, tls=tls, timeout=5.0)) == 1
        with pytest.raises(StateError):
            await version(RedisSettings(url=url, tls=RedisTls(ca=str(cert)), timeout=1.0))


def test_where_it_is_is_told_without_a_password() -> None:
    assert place_of(RedisSettings(url="redis://host:6379/0")) == "host:6379"
    assert place_of(RedisSettings(url="unix:///run/socket")) == "unix:///run/socket"
    assert place_of(RedisSettings(url_env="ADDRESS")) == "at $ADDRESS"
    assert place_of(RedisSettings(sentinel=Sentinel(("a:1", "b:2"), "main"))) == "main of the Sentinels a:1, b:2"
