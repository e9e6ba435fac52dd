"""Keys in the state store: written by the operator, read by every process, kept on disk for when the store is down.

A change moves its document to the newest, so that a process that follows reads what changed and not 100,000 keys; all
of them are read at the start and every ten minutes. A document that vanished leaves the key as it was known, and one
that holds longer than was known is not believed: there is no command that does that, so somebody has put it back.
"""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from time import monotonic

from guardrail.policy.keys import Key, sealed, unsealed
from guardrail.policy.registry import Registry
from guardrail.settings import Settings
from guardrail.state.operations import Conflict, Document, Find, Get, Put
from guardrail.state.store import Store, put

logger = logging.getLogger("guardrail.policy")

KIND = "key"

KEEP = 10 * 365 * 86400.0
"""Seconds that a key is kept: as long as what it may be used with."""

PAGE = 500
"""Keys in one answer of the store."""

OVERLAP = 10.0
"""Seconds by which a look goes back behind the newest change that was seen: changes of several writers may come in
another order than their times."""

WHOLE = 600.0
"""Seconds until all keys are read again."""

FILE = "keys.jsonl"
"""In the state folder, where the store is another machine's: the documents as they were stored, one a line."""


async def read_keys(store: Store, mac_key: bytes, since: float = 0.0) -> tuple[list[Key], list[bytes], float]:
    """The keys that changed since then, their documents, and the time of the newest. Raises StateError."""
    keys, bodies, newest = [], [], since
    async for document in _documents(store, since):
        newest = max(newest, document.at)
        key = unsealed(document.body, mac_key)
        if key is None or key.hash != document.id:
            logger.error("a key in the state store was not made with this installation's secret; it is left out")
            continue
        keys.append(key)
        bodies.append(document.body)
    return keys, bodies, newest


async def _documents(store: Store, since: float) -> AsyncIterator[Document]:
    after = ""
    while True:
        (page,) = await store.run([Find(KIND, since=since, limit=PAGE, after=after)])
        for document in page:
            yield document
        if len(page) < PAGE:
            return
        after = page[-1].id


async def write_key(store: Store, key: Key, mac_key: bytes, *, now: float, new: bool = False) -> bool:
    """Store a key; False when a new one is there already. Raises StateError."""
    tags = frozenset({f"tenant:{key.tenant}"})
    operation = Put(KIND, key.hash, sealed(key, mac_key), tags, keep=KEEP, at=now, expect=0 if new else None)
    return not isinstance(await put(store, operation), Conflict)


async def known_key(store: Store, hashed: str, mac_key: bytes) -> Key | None:
    """What is stored of one key. Raises StateError."""
    (document,) = await store.run([Get(KIND, hashed)])
    return None if document is None else unsealed(document.body, mac_key)


class KeyFollower:
    """Keeps a registry's keys with the store."""

    def __init__(self, registry: Registry, store: Store, mac_key: bytes) -> None:
        self._registry = registry
        self._store = store
        self._mac_key = mac_key
        self._bodies: dict[str, bytes] = {}
        self._since = 0.0
        self._whole_at = -WHOLE

    async def start(self) -> None:
        """Take what this machine knew, then what the store knows. Raises StateError."""
        if _keeps(self._registry.current.settings):
            self._take(kept_keys(_file(self._registry.current.settings), self._mac_key))
        await self.look(changed=True)

    async def look(self, *, changed: bool) -> None:
        """Read what changed. `changed`: the store told that something did. Raises StateError."""
        whole = monotonic() - self._whole_at >= WHOLE
        since = 0.0 if whole else max(0.0, self._since - OVERLAP)
        keys, bodies, self._since = await read_keys(self._store, self._mac_key, since)
        if whole:
            self._whole_at = monotonic()
        found = {key.hash: (key, body) for key, body in zip(keys, bodies, strict=True)}
        if self._take(found) and _keeps(self._registry.current.settings):
            try:
                keep_keys(_file(self._registry.current.settings), self._bodies)
            except OSError as error:
                logger.error("keys cannot be kept on this machine: %s", error.strerror)

    def _take(self, found: Mapping[str, tuple[Key, bytes]]) -> bool:
        """Whether anything is new."""
        new = {}
        for hashed, (key, body) in found.items():
            if self._bodies.get(hashed) != body:
                known = unsealed(self._bodies[hashed], self._mac_key) if hashed in self._bodies else None
                if known is not None and key.outlasts(known):
                    logger.error("the key %s in the state store is an older state of it; it is left out", key.name)
                else:
                    new[hashed] = body
        if new:
            self._bodies |= new
            self._registry.use_keys(self._registry.current.keys.changed(found[hashed][0] for hashed in new))
        return bool(new)


def _keeps(settings: Settings) -> bool:
    """Whether the store may be down while this machine is up."""
    return settings.state.store == "redis"


def _file(settings: Settings) -> Path:
    return Path(settings.state.folder) / FILE


def kept_keys(path: Path, mac_key: bytes) -> dict[str, tuple[Key, bytes]]:
    """What this machine knew of keys."""
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError:
        return {}
    keys = ((unsealed(line, mac_key), line) for line in lines if line)
    return {key.hash: (key, line) for key, line in keys if key is not None}


def keep_keys(path: Path, bodies: Mapping[str, bytes]) -> None:
    """Remember the documents of keys. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(b"\n".join(bodies.values()))
    beside.replace(path)
