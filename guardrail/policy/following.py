"""Keeps a process's registry with what the state store says of policies and keys.

Looks when the store tells of a change, and every few seconds for what it did not tell. Promises: what is wrong with a
head or a bundle changes nothing and is told (`Registry.pushed_problems`, the log, the audit log); while the store
cannot be asked, what was last believed stays in effect, over a restart too; a store that has lost the head, or in which
an old one was put back, is given the newest that this process believes.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from pathlib import Path
from typing import Any

from guardrail.errors import ConfigError, ConfigProblem
from guardrail.observe.audit import Audit
from guardrail.policy.bundle import BadBundle, read_unpacked
from guardrail.policy.distribution import (
    Refused,
    believed,
    bundles_in_use,
    folder_of,
    keep,
    kept_envelope,
    kept_head,
    missing,
    not_older,
    publish,
    read,
    write,
)
from guardrail.policy.key_store import KeyFollower
from guardrail.policy.overlay import NOTHING, lay_out
from guardrail.policy.registry import Registry
from guardrail.policy.versions import Head
from guardrail.settings import PushedPolicies
from guardrail.state.store import StateError, Store

logger = logging.getLogger("guardrail.policy")

LOOK = 2.0
"""Seconds until the store is asked even though it told of no change: one small document."""

PLACE = "policies in the state store"
"""Where problems are said to be that are in no file."""


class Following:
    """Follows one store. Lives on one event loop."""

    def __init__(self, registry: Registry, store: Store, audit: Audit, mac_key: bytes) -> None:
        self._registry = registry
        self._store = store
        self._audit = audit
        self._keys = KeyFollower(registry, store, mac_key)
        self._head: Head | None = None
        """The newest that was believed."""
        self._envelope: bytes | None = None
        self._tried: tuple[object, ...] = ()
        """What was refused last, and under which configuration: it is not tried again before either changes."""
        self._wake = asyncio.Event()
        self._kinds: set[str] = set()

    async def start(self) -> None:
        """Look once, before the first request. Raises ConfigError when what is pushed cannot be used and nothing is
        known that could be used in its place; StateError when the store cannot be asked and this machine never knew."""
        settings = self._registry.current.settings
        pushed = settings.pushed_policies
        if pushed is not None:
            self._head = kept_head(settings, pushed)
            self._envelope = kept_envelope(folder_of(settings)) if self._head is not None else None
        in_effect = self._head is None or self._registry.current.overlay.serial == self._head.serial
        try:
            await self._keys.start()
            await self._look()
        except StateError:
            if pushed is not None and (self._head is None or not in_effect):
                raise
            logger.warning("the state cannot be asked: policies and keys are what this machine last knew")
        if self._registry.pushed_problems and pushed is not None and self._registry.current.overlay is NOTHING:
            raise ConfigError(list(self._registry.pushed_problems))

    async def run(self) -> None:
        """Follow until cancelled."""
        told = asyncio.create_task(self._listen())
        try:
            while True:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK):
                        await self._wake.wait()
                self._wake.clear()
                kinds, self._kinds = self._kinds, set()
                try:
                    await self._keys.look(changed="key" in kinds)
                    await self._look()
                except StateError as error:
                    logger.debug("policies and keys were not looked at: %s", error)
                except Exception as error:
                    # Whatever it is, what is in effect stays, and the next look comes.
                    self._tell(f"{type(error).__name__}: {error}")
        finally:
            told.cancel()

    async def _listen(self) -> None:
        async for kind in self._store.changes():
            self._kinds.add(kind)
            self._wake.set()

    async def _look(self) -> None:
        """Bring the registry to what the store says. Raises StateError."""
        settings = self._registry.current.settings
        pushed = settings.pushed_policies
        if pushed is None:
            self._registry.pushed_problems = ()
            return
        document = await read(self._store)
        if document is None:
            if self._head is not None:
                await self._put_back(0)
            else:
                self._registry.pushed_problems = ()
            return
        if document.body == self._envelope and self._registry.current.overlay.serial == self._serial:
            self._registry.pushed_problems = ()
            return
        trial = (document.body, self._registry.loaded_at, self._registry.failed_at)
        if trial == self._tried:
            return
        try:
            head = believed(document.body, pushed.public_keys)
            with contextlib.suppress(Refused):
                not_older(head, None, pushed.at_least)
                if self._head is not None and head.serial < self._head.serial:
                    await self._put_back(document.version)
                    return
            not_older(head, self._head, pushed.at_least)
            await self._use(head, document.body, pushed)
        except (Refused, BadBundle) as error:
            self._tried = trial
            self._tell(str(error))
        except OSError as error:
            self._tell(f"{error.filename or folder_of(settings)} cannot be written: {error.strerror}")

    @property
    def _serial(self) -> int:
        return 0 if self._head is None else self._head.serial

    async def _use(self, head: Head, envelope: bytes, pushed: PushedPolicies) -> None:
        """Put a head into effect. Raises Refused, BadBundle, OSError, StateError."""
        registry = self._registry
        folder = folder_of(registry.current.settings)
        bundles = await missing(self._store, head, folder)
        overlay = await asyncio.to_thread(lay_out, head, folder, Path(pushed.models), bundles)
        problems = await registry.use(overlay)
        if problems:
            self._tell(*problems, serial=head.serial)
            self._tried = (envelope, registry.loaded_at, registry.failed_at)
            return
        await asyncio.to_thread(keep, folder, envelope, head)
        self._head, self._envelope = head, envelope
        registry.pushed_problems = ()
        logger.info("policies with the serial %d are in effect", head.serial)
        self._audit.write("policy.in_effect", {"actor": "system", "serial": head.serial, "policies": in_words(head)})

    async def _put_back(self, found: int) -> None:
        """Give the store what it has lost, with the bundles. Raises StateError."""
        assert self._head is not None
        assert self._envelope is not None
        settings = self._registry.current.settings
        for digest in sorted(bundles_in_use(self._head)):
            with contextlib.suppress(BadBundle):  # then another replica has it, or nobody
                await publish(self._store, read_unpacked(folder_of(settings), digest))
        if await write(self._store, self._envelope, found):
            why = "had an older statement of which policies are in effect" if found else "had lost which are in effect"
            logger.warning("the state store %s; the serial %d was put back", why, self._head.serial)
            self._audit.write("policy.put_back", {"actor": "system", "serial": self._head.serial, "found": bool(found)})

    def _tell(self, *found: str | ConfigProblem, serial: int | None = None) -> None:
        problems = tuple(
            each if isinstance(each, ConfigProblem) else ConfigProblem(PLACE, 0, 0, each) for each in found
        )
        if problems != self._registry.pushed_problems:
            self._registry.pushed_problems = problems
            lines = "\n".join(map(str, problems))
            logger.error("what the state store says of policies is refused; what was in effect stays:\n%s", lines)
            body: dict[str, Any] = {"actor": "system", "problems": [problem.message for problem in problems]}
            self._audit.write("policy.refused", body if serial is None else {**body, "serial": serial})


def in_words(head: Head) -> dict[str, Any]:
    """What is in effect, for the audit log: names, numbers and digests."""
    return {
        name: {
            "live": line.live,
            **{
                kind: {"version": share.version, "percent": share.percent}
                for kind, share in (("canary", line.canary), ("shadow", line.shadow))
                if share is not None
            },
            "bundles": {
                str(version.number): version.bundle for version in line.versions if version.number in line.used
            },
        }
        for name, line in sorted(head.policies.items())
    }
