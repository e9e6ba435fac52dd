"""One worker of a supervisor: `python -m guardrail.proxy.worker OPTIONS`, not meant to be run by hand.

It serves clients on the shared port and its operator's listener on a private unix socket. Its standard input is a
pipe that the supervisor holds: when that closes, the supervisor is gone, and the worker drains, ends and takes its
socket away; the last of them takes the folder.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from pathlib import Path

import msgspec

from guardrail.errors import ConfigError, GuardrailError
from guardrail.observe.log import RecordHandler, log_to_stderr
from guardrail.policy.registry import Registry
from guardrail.proxy.process import AdminOn, Stop, run, run_process
from guardrail.proxy.supervisor import WorkerOptions


def main(arguments: list[str]) -> int:
    """Serve as the JSON in `arguments[0]` and the socket path in `arguments[1]` say."""
    options = msgspec.json.decode(arguments[0], type=WorkerOptions)
    log_to_stderr()
    try:
        config = None if options.config is None else Path(options.config)
        registry = Registry.load(config, upstream=options.upstream)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 1
    try:
        with RecordHandler(sys.stdout.fileno()):
            return run(_serve(registry, options, arguments[1]))
    except GuardrailError as error:
        print(f"guardrail: {error}", file=sys.stderr)
        return 1


async def _serve(registry: Registry, options: WorkerOptions, socket: str) -> int:
    stop = Stop()
    orphaned = asyncio.create_task(_stop_with_parent(stop))
    try:
        return await run_process(registry, options.listen, AdminOn(path=socket), stop=stop, reuse_port=True)
    finally:
        if orphaned.done():
            _clear(Path(socket))
        orphaned.cancel()


def _clear(socket: Path) -> None:
    """What a supervisor that is gone can no longer remove. The folder stays while another worker's socket is there."""
    with contextlib.suppress(OSError):
        socket.unlink(missing_ok=True)
        socket.parent.rmdir()


async def _stop_with_parent(stop: Stop) -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    with contextlib.suppress(ConnectionError):
        await reader.read()
    stop.ask()


if __name__ == "__main__":
    os.umask(0o077)  # the unix socket is for this user
    sys.exit(main(sys.argv[1:]))
