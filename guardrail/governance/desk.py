"""What an operator's function works with: settings, state, secret, audit log, and the terms of each tenant.

The proxy, the supervisor and the command line each hold one. Opening it makes the folder of the state, its secret and
its audit log where they are missing; closing it lets go of them. It asks nothing of the state by itself: a Redis that
is down is found out by whoever asks first.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from guardrail.errors import ConfigError, GuardrailError
from guardrail.governance.terms import Terms, merged
from guardrail.observe import audit_anchors
from guardrail.observe.audit import Audit, AuditLog, NoAudit, folder_of
from guardrail.policy.load import ANONYMOUS, Configuration, load_configuration
from guardrail.settings import Settings
from guardrail.state.opening import open_store
from guardrail.state.secret import Secret, open_secret
from guardrail.state.store import Store

TermsOf = Callable[[str], Terms]
"""The terms under which a tenant is served, by its name; those of `guardrail.yaml` for a name that is not known."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What is open."""

    settings: Settings
    store: Store
    secret: Secret
    audit: Audit
    terms: TermsOf = field(repr=False)

    @property
    def folder(self) -> Path:
        """Of what is kept on this machine."""
        return Path(self.settings.state.folder)


@contextlib.asynccontextmanager
async def open_desk(config: Path | None, environ: Mapping[str, str]) -> AsyncIterator[Desk]:
    """The desk of the configuration at `config` (see `root_file`), whose policies are not compiled.

    Raises ConfigError, and what `desk_of` raises."""
    loaded = load_configuration(config)
    if loaded.settings is None or loaded.problems:
        raise ConfigError(sorted(loaded.problems))
    async with desk_of(loaded.settings.file, environ, terms_in(loaded)) as desk:
        yield desk


@contextlib.asynccontextmanager
async def desk_of(settings: Settings, environ: Mapping[str, str], terms: TermsOf) -> AsyncIterator[Desk]:
    """The desk of a configuration that is loaded. Raises StateError, SecretError and GuardrailError where what it
    needs can never be opened, in words for the operator."""
    state = settings.state
    folder = Path(state.folder)
    store = open_store(state, folder, environ)
    try:
        secret = _secret(settings, environ)
        log = _audit(settings)
        try:
            yield Desk(settings, store, secret, log, terms)
        finally:
            if isinstance(log, AuditLog):
                await audit_anchors.note(log, store, secret)
                log.close()
    finally:
        await store.close()


def terms_in(config: Configuration) -> TermsOf:
    """The terms of each tenant in a configuration as it was read."""
    settings = config.settings
    beneath = settings.file.terms if settings is not None else Terms()
    known = {name: merged(beneath, tenant.file.terms) for name, tenant in config.tenants.items()}
    return lambda tenant: beneath if tenant == ANONYMOUS else known.get(tenant, beneath)


def _secret(settings: Settings, environ: Mapping[str, str]) -> Secret:
    state = settings.state
    if state.store == "memory" and not environ.get(state.secret_env):
        return Secret(secrets.token_hex(32))  # it outlives the process no more than what it is for
    return open_secret(environ, state.secret_env, None if state.store == "redis" else Path(state.folder))


def _audit(settings: Settings) -> Audit:
    folder = folder_of(settings)
    if folder is None:
        return NoAudit()
    try:
        return AuditLog(folder, settings.audit)
    except OSError as error:
        raise GuardrailError(f"the audit log in {folder} cannot be opened: {error.strerror or error}") from error


def whoever_is_there() -> str:
    """Who gives an order, when nobody says: the user's name, or its number where the system has no name for it, as in
    a container."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid-{os.getuid()}"
