"""`guardrail serve`: from options to a running process, or to a supervisor with workers.

Precedence: file < environment (`GUARDRAIL_*`) < flag; the last two come here as options that are not None.
"""

from __future__ import annotations

import os
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec

from guardrail.errors import ConfigError, GuardrailError
from guardrail.observe.log import RecordHandler, log_to_stderr
from guardrail.policy.registry import Registry
from guardrail.proxy.environment import unset_secrets
from guardrail.proxy.process import Addresses, AdminOn, run, run_process
from guardrail.proxy.supervisor import Supervisor, WorkerOptions
from guardrail.settings import Admin, Listen


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line and the environment ask for; None leaves it to the file."""

    config: Path | None = None
    upstream: str | None = None
    host: str | None = None
    port: int | None = None
    admin_port: int | None = None
    workers: int = 1

    def listen(self, configured: Listen) -> Listen:
        """The clients' listener."""
        return msgspec.structs.replace(
            configured,
            host=configured.host if self.host is None else self.host,
            port=configured.port if self.port is None else self.port,
        )

    def admin(self, configured: Admin) -> Admin:
        """The operator's listener."""
        return configured if self.admin_port is None else msgspec.structs.replace(configured, port=self.admin_port)


def serve(options: Options) -> int:
    """Run the proxy until a signal stops it; returns the exit status. Problems go to standard error."""
    log_to_stderr()
    try:
        registry = Registry.load(options.config, upstream=options.upstream)
    except ConfigError as error:
        print(f"{error}\nguardrail: this configuration cannot be used", file=sys.stderr)
        return 1
    settings = registry.current.settings
    for line in unset_secrets(registry.current, os.environ):
        print(f"guardrail: warning: {line}", file=sys.stderr, flush=True)
    listen = options.listen(settings.listen)
    admin = AdminOn.tcp(options.admin(settings.admin), _admin_token(settings.admin))
    try:
        if options.workers > 1:
            config = None if options.config is None else str(options.config)
            worker = WorkerOptions(config=config, upstream=options.upstream, listen=listen)
            return run(Supervisor(worker, options.workers, admin, registry).run(announce))
        with RecordHandler(sys.stdout.fileno()):
            return run(run_process(registry, listen, admin, ready=announce))
    except (OSError, GuardrailError) as error:
        print(f"guardrail: {error}", file=sys.stderr)
        return 1


def announce(addresses: Addresses) -> None:
    """Say on standard error where it listens; scripts wait for this line."""
    print(f"guardrail: listening on {addresses.proxy} (admin on {addresses.admin})", file=sys.stderr, flush=True)


def _admin_token(admin: Admin) -> str:
    """The admin listener's token: from the environment, else a random one that is shown once."""
    token = os.environ.get(admin.token_env)
    if not token:
        token = secrets.token_urlsafe(24)
        print(f"guardrail: admin token ({admin.token_env} is unset): {token}", file=sys.stderr, flush=True)
    return token
