"""Who may use which policy now: the current snapshot of the configuration, and its replacement without a restart.

A request takes the current snapshot once and keeps what it took, so a reload never mixes two configurations in one
answer. Registry swaps snapshots in one assignment; an edit that cannot be
used leaves the last good one in place and is remembered as `problems`.

Loading runs in a thread. Nothing here blocks the event loop or touches a running stream.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import hashlib
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import msgspec
import watchfiles

from guardrail.errors import ConfigError, ConfigProblem
from guardrail.governance.terms import Terms, merged, policy_names
from guardrail.policy.compile import Compiler, cache_of, locale_of
from guardrail.policy.distribution import kept_overlay
from guardrail.policy.keys import StoredKeys
from guardrail.policy.lists import Lists
from guardrail.policy.load import ANONYMOUS, Configuration, load_configuration, root_file
from guardrail.policy.model import TenantFile
from guardrail.policy.overlay import NOTHING, Overlay, Pushed
from guardrail.policy.policy import Policy
from guardrail.policy.problems import one_of
from guardrail.policy.snapshot import Snapshot as Snapshot
from guardrail.policy.snapshot import Tenant as Tenant
from guardrail.settings import Anonymous, Settings

SETTLE = 0.3
"""Seconds until an edit that could not be read is read once more: an editor may have emptied the file first."""

SWITCH = 0.0005
"""Seconds that a thread which loads a configuration runs on when the event loop has something to do. Python's usual
5 ms would be paid at every system call of a stream: they let go of the interpreter."""

_QUIET_MS = 100
_BURST_MS = 1000
"""A reload starts when the files were quiet for the first, at the latest after the second."""

_LOOK_MS = 1000
"""How often the watch looks whether its folders are still there."""


class Registry:
    """Holds the current snapshot and replaces it when the files change.

    `generation` counts the snapshots that took effect, from 1. `problems` is empty while the files on disk are
    what is in effect; otherwise it says why the last edit was refused. Times are unix seconds.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        path: Path | None = None,
        *,
        upstream: str | None = None,
        environ: Mapping[str, str] | None = None,
        lists: Lists | None = None,
    ) -> None:
        self.current = snapshot
        self.problems: tuple[ConfigProblem, ...] = ()
        self.generation = 1
        self.loaded_at = time.time()
        self.failed_at: float | None = None
        self._path = path
        self._upstream = upstream
        self._environ = environ
        self._lists = Lists() if lists is None else lists
        self._reloading = asyncio.Lock()
        self.pushed_problems: tuple[ConfigProblem, ...] = ()
        """Why what the state store says of policies is not in effect; empty while it is, or says nothing."""

    @classmethod
    def load(
        cls, path: Path | None, *, upstream: str | None = None, environ: Mapping[str, str] | None = None
    ) -> Registry:
        """A registry with the configuration at `path` in effect, and over it what was pushed when this machine last
        knew; without that where it cannot be used (any more): whoever follows the store says whether that may be.
        Raises ConfigError; see `load_snapshot`."""
        lists = Lists()
        try:
            snapshot = load_snapshot(path, upstream=upstream, environ=environ, lists=lists, pushed=kept_overlay)
        except ConfigError:
            snapshot = load_snapshot(path, upstream=upstream, environ=environ, lists=lists)
        return cls(snapshot, path, upstream=upstream, environ=environ, lists=lists)

    async def reload(self) -> bool:
        """Read the files again; True when they are in effect afterwards.

        Never raises: a fault of the loader itself must not take a running proxy's watch with it.
        """
        return await self._reload(tries=1)

    async def use(self, overlay: Overlay) -> tuple[ConfigProblem, ...]:
        """Put these versions of policies into effect, all of them or none; what stands against it. Never raises."""
        async with self._reloading:
            try:
                snapshot = await self._load(overlay)
            except Exception as error:
                return _told(error, self._path)
            self._swap(snapshot)
            return ()

    def use_keys(self, keys: StoredKeys) -> None:
        """Take these keys of the state store in the place of those before."""
        self.current = self.current.with_keys(keys)

    async def watch(self) -> None:
        """Reload whenever a file of the configuration changes; runs until cancelled."""
        while True:
            watched = self._watched()
            # What changed before the watch was in place is caught by one look after it.
            unseen = True
            try:
                async for changes in watchfiles.awatch(
                    *watched,
                    recursive=False,
                    step=_QUIET_MS,
                    debounce=_BURST_MS,
                    rust_timeout=_LOOK_MS,
                    yield_on_timeout=True,
                ):
                    if changes or unseen:
                        await self._reload(tries=2)
                        unseen = False
                    if self._watched() != watched:
                        break
            except FileNotFoundError:  # a folder went away before it was watched
                await asyncio.sleep(SETTLE)

    async def _reload(self, tries: int) -> bool:
        async with self._reloading:
            for remaining in reversed(range(tries)):
                try:
                    snapshot = await self._load(self.current.overlay)
                except Exception as error:
                    if remaining:
                        await asyncio.sleep(SETTLE)
                        continue
                    self.problems = _told(error, self._path)
                    self.failed_at = time.time()
                    return False
                self._swap(snapshot)
                return True
            raise AssertionError("tries is at least 1")

    async def _load(self, overlay: Overlay) -> Snapshot:
        with _yielding():
            return await asyncio.to_thread(
                load_snapshot,
                self._path,
                upstream=self._upstream,
                environ=self._environ,
                reuse=self.current.compiled,
                lists=self._lists,
                pushed=overlay,
            )

    def _swap(self, snapshot: Snapshot) -> None:
        if snapshot.digest != self.current.digest:
            self.generation += 1
        self.current = snapshot.with_keys(self.current.keys)
        self.problems = ()
        self.loaded_at = time.time()

    def _watched(self) -> list[Path]:
        """The folders in which something may change, also those of what is wrong now."""
        folders = self.current.folders | {Path(problem.file).absolute().parent for problem in self.problems}
        return sorted(filter(Path.is_dir, folders)) or [Path.cwd()]


@contextlib.contextmanager
def _yielding() -> Iterator[None]:
    """While a configuration is loaded in a thread, the event loop gets the interpreter back within `SWITCH`.

    And the garbage collector rests: it would walk through a half-made rule set again and again, and stop everything
    for as long. What is freed by count, which is nearly all, is freed as ever.
    """
    usual, collects = sys.getswitchinterval(), gc.isenabled()
    sys.setswitchinterval(SWITCH)
    gc.disable()
    try:
        yield
    finally:
        sys.setswitchinterval(usual)
        if collects:
            gc.enable()


def _told(error: Exception, path: Path | None) -> tuple[ConfigProblem, ...]:
    if isinstance(error, ConfigError):
        return tuple(error.problems)
    message = f"this configuration cannot be loaded: {type(error).__name__}: {error}"
    return (ConfigProblem(str(root_file(path)), 1, 1, message),)


def load_snapshot(
    path: Path | None,
    *,
    upstream: str | None = None,
    environ: Mapping[str, str] | None = None,
    reuse: Iterable[Policy] = (),
    thorough: bool = False,
    lists: Lists | None = None,
    pushed: Callable[[Settings], Overlay] | Overlay = NOTHING,
) -> Snapshot:
    """Read, check and compile a configuration.

    `path`: a `guardrail.yaml` or a folder that holds one; None for the one that comes with the package.
    `upstream`: an address that stands for the url of the upstream `default`.
    `environ`: where the keys of hash masks come from; None for the process environment.
    `reuse`: policies whose compiled rules may be shared where nothing changed.
    `thorough`: prove also the built-in entities by their own examples.
    `lists`: lexicons read before; it remembers those of this configuration.
    `pushed`: versions of policies that stand in the place of those of files, or what tells them by the settings; none
    where the settings take none.
    Raises ConfigError with every problem of every file.
    """
    config = load_configuration(path, upstream=upstream)
    environ = os.environ if environ is None else environ
    lists = Lists() if lists is None else lists
    lists.cache = cache_of(config, environ)
    reuse = list(reuse)
    compiler = Compiler(config, environ, reuse=reuse, thorough=thorough, lists=lists)
    overlay = NOTHING
    if config.settings is not None and config.settings.file.pushed_policies is not None:
        overlay = pushed(config.settings.file) if callable(pushed) else pushed
    over = Pushed(overlay, environ, reuse=reuse, lists=lists)
    policies = {name: compiler.policy(name) for name in config.policies}
    problems = config.problems + _unspoken(config, compiler)
    beneath = config.settings.file.terms if config.settings is not None else Terms()
    tenants = [
        tenant
        for name, loaded in config.tenants.items()
        if (tenant := _tenant(name, loaded.file, merged(beneath, loaded.file.terms), compiler, over)) is not None
    ]
    # Also where no tenant of this replica has one: what is pushed is good everywhere or in effect nowhere.
    in_effect = {name: (over.live(name), over.canary(name), over.shadow(name)) for name in over.names()}
    policies |= {name: live for name, (live, _, _) in in_effect.items() if over.is_live(name)}
    if config.settings is None or compiler.problems or over.problems or problems:
        raise ConfigError(sorted(compiler.problems.union(over.problems, problems)))
    settings = config.settings.file
    good = {name: policy for name, policy in policies.items() if policy is not None}
    anonymous = None
    if settings.anonymous is not None:
        anonymous = _tenant(ANONYMOUS, settings.anonymous, settings.terms, compiler, over)
    lists.forget(compiler.files | over.files)
    files = {path.absolute() for path in config.files | compiler.files}
    return Snapshot(
        settings,
        good,
        tenants,
        anonymous=anonymous,
        presets=config.presets,
        digest=_digest(settings, good, tenants, overlay),
        files=files,
        folders={path.absolute() for path in config.folders}
        | {path.parent for path in files}
        | {path.resolve().parent for path in files},
        overlay=overlay,
    )


def _tenant(name: str, file: TenantFile | Anonymous, terms: Terms, compiler: Compiler, over: Pushed) -> Tenant | None:
    """The tenant that a file, or the section `anonymous`, asks for; None where its policy has problems."""
    own = file if isinstance(file, TenantFile) else None
    locale = (own.locale or None) if own is not None else None

    def found(name: str) -> Policy | None:
        return over.live(name, locale) if over.is_live(name) else compiler.policy(name, locale)

    policy = found(file.policy)
    if policy is None:
        return None
    named = {other: found(other) for _, other in policy_names(terms)}
    spoken = over.spoken if over.is_live(file.policy) else compiler.spoken
    return Tenant(
        name=name,
        policy=policy,
        upstream=file.upstream,
        key_hashes=tuple(key.removeprefix("sha256:").lower() for key in own.keys) if own is not None else (),
        locale=spoken(file.policy, locale),
        terms=terms,
        policies={other: compiled for other, compiled in named.items() if compiled is not None},
        canary=over.canary(file.policy, locale),
        shadow=over.shadow(file.policy, locale),
    )


def _unspoken(config: Configuration, compiler: Compiler) -> list[ConfigProblem]:
    """Tenants whose language their policy has no notice in."""
    problems = []
    for tenant in config.tenants.values():
        wanted, known = tenant.file.locale, compiler.locales(tenant.file.policy)
        if wanted and known and locale_of(wanted, known) is None:
            message = f"found the locale {wanted!r}, expected {one_of(known)}: the notices of {tenant.file.policy!r}"
            problems.append(tenant.document.problem(("locale",), message))
    return problems


def _digest(settings: Settings, policies: Mapping[str, Policy], tenants: Iterable[Tenant], overlay: Overlay) -> str:
    whole = {
        "pushed": {
            name: [
                (placed.number, placed.digest, share)
                for share, placed in ((None, line.live), *(each or (None, None) for each in (line.canary, line.shadow)))
                if placed is not None
            ]
            for name, line in overlay.lines.items()
        },
        "settings": settings,
        "policies": {name: policy.digest for name, policy in policies.items()},
        "tenants": {
            tenant.name: (
                tenant.policy.tag,
                tenant.policy.digest,
                tenant.upstream,
                sorted(tenant.key_hashes),
                tenant.terms,
                {name: policy.digest for name, policy in tenant.policies.items()},
            )
            for tenant in tenants
        },
    }
    return hashlib.sha256(msgspec.json.encode(whole, order="deterministic")).hexdigest()
