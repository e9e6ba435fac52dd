"""Pushed policies in the state store, and what a machine keeps of them beside it.

In the store: the signed head (`policy`/`head`), bundles' manifests (`policy_bundle`) and their parts (`policy_part`),
both under their digests. On a machine: `<state folder>/policies/head.json`, the newest head that was believed, and a
folder for each bundle that it names.

Promises: what is read from either is believed only with the operator's signature, a serial that is not below what was
believed before, and digests that are right; whatever is wrong is one `Refused` that says what. Bundles are written
before the head that names them, so that nobody ever finds a head without them.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from guardrail.errors import GuardrailError
from guardrail.policy.bundle import BadBundle, Bundle, assembled, read_manifest, read_unpacked
from guardrail.policy.overlay import NOTHING, Overlay, lay_out
from guardrail.policy.signing import BadSignature, opened
from guardrail.policy.versions import PURPOSE, Head, read_head
from guardrail.settings import PushedPolicies, Settings
from guardrail.state.operations import Conflict, Document, Get, Put
from guardrail.state.store import Store, get, put

_Item = TypeVar("_Item")

HEAD = "policy"
HEAD_ID = "head"
BUNDLE = "policy_bundle"
PARTS = "policy_part"

KEEP = 10 * 365 * 86400.0
"""Seconds that policies are kept in the store after they were last written: longer than a version stays in use."""

TOGETHER = 4
"""Parts in one batch: a megabyte, which a store takes in well under a request's time."""

FORGET = 3600.0
"""Seconds until a bundle that no head names is taken off the disk: another process of this folder may be ahead."""

FOLDER = "policies"
HEAD_FILE = "head.json"


class Refused(GuardrailError):
    """What the store, or the folder, says of policies is not believed. The message is for the operator."""


def believed(envelope: bytes, public_keys: Iterable[str]) -> Head:
    """The head in an envelope. Raises Refused."""
    try:
        return read_head(opened(PURPOSE, envelope, public_keys))
    except BadSignature as error:
        raise Refused(f"which policies are in effect is not believed: {error}") from None


def not_older(head: Head, known: Head | None, at_least: int) -> None:
    """Raises Refused for a head that was put back, or that is another one of the same serial."""
    if head.serial < at_least:
        raise Refused(f"the serial {head.serial} is below {at_least} (pushed_policies.at_least)")
    if known is not None and head.serial < known.serial:
        raise Refused(f"the serial {head.serial} is below {known.serial}, which was in effect: an old one was put back")
    if known is not None and head.serial == known.serial and head != known:
        raise Refused(f"there are two different statements with the serial {head.serial}")


async def read(store: Store) -> Document | None:
    """The head as it is stored. Raises StateError."""
    return await get(store, HEAD, HEAD_ID)


async def write(store: Store, envelope: bytes, found: int) -> bool:
    """Store a head in the place of version `found` (0: there was none); False when somebody else was quicker.
    Raises StateError."""
    reply = await put(store, Put(HEAD, HEAD_ID, envelope, keep=KEEP, expect=found))
    return not isinstance(reply, Conflict)


async def publish(store: Store, bundle: Bundle) -> None:
    """Store a bundle. Raises StateError."""
    for batch in _batches(sorted(dict(bundle.parts()).items())):
        await store.run([Put(PARTS, digest, data, keep=KEEP) for digest, data in batch])
    await store.run([Put(BUNDLE, bundle.digest, bundle.encoded, keep=KEEP)])


async def fetch(store: Store, digest: str) -> Bundle:
    """The bundle with this digest. Raises StateError, BadBundle."""
    document = await get(store, BUNDLE, digest)
    if document is None:
        raise BadBundle(f"the bundle {digest[:12]} is not in the state store")
    manifest = read_manifest(document.body, digest)
    wanted = sorted({part for entry in manifest.files for part in entry.parts})
    parts: dict[str, bytes] = {}
    for batch in _batches(wanted):
        found = await store.run([Get(PARTS, part) for part in batch])
        parts |= {part: each.body for part, each in zip(batch, found, strict=True) if each is not None}
    return assembled(manifest, parts)


async def missing(store: Store, head: Head, folder: Path) -> dict[str, Bundle]:
    """The bundles in use that the folder does not hold whole, from the store. Raises StateError, BadBundle."""
    bundles = {}
    for digest in bundles_in_use(head):
        try:
            read_unpacked(folder, digest)
        except BadBundle:
            bundles[digest] = await fetch(store, digest)
    return bundles


def bundles_in_use(head: Head) -> set[str]:
    """Digests of the bundles that a head puts into effect."""
    versions = [line.find(number) for line in head.policies.values() for number in line.used]
    return {version.bundle for version in versions if version is not None}


# On this machine


def folder_of(settings: Settings) -> Path:
    """Where this machine keeps pushed policies."""
    return Path(settings.state.folder) / FOLDER


def kept_envelope(folder: Path) -> bytes | None:
    """The newest head that was believed on this machine."""
    try:
        return (folder / HEAD_FILE).read_bytes()
    except OSError:
        return None


def kept_head(settings: Settings, pushed: PushedPolicies) -> Head | None:
    """The same, checked; None where there is none, or none that is believed now."""
    envelope = kept_envelope(folder_of(settings))
    try:
        head = None if envelope is None else believed(envelope, pushed.public_keys)
        if head is not None:
            not_older(head, None, pushed.at_least)
    except Refused:
        return None
    return head


def kept_overlay(settings: Settings) -> Overlay:
    """What was in effect when this machine last knew; nothing where it does not know."""
    pushed = settings.pushed_policies
    head = None if pushed is None else kept_head(settings, pushed)
    if pushed is None or head is None:
        return NOTHING
    try:
        return lay_out(head, folder_of(settings), Path(pushed.models), {})
    except (BadBundle, OSError):
        return NOTHING


def keep(folder: Path, envelope: bytes, head: Head) -> None:
    """Remember a head that is in effect, and forget the bundles that it no longer names. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = folder / f".{HEAD_FILE}.{secrets.token_hex(4)}"
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as file:
        file.write(envelope)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(folder / HEAD_FILE)
    named = {version.bundle for line in head.policies.values() for version in line.versions}
    for entry in folder.iterdir():
        with contextlib.suppress(OSError):  # another process of this folder may be pruning too
            if len(entry.name) == 64 and entry.name not in named and time.time() - entry.stat().st_mtime > FORGET:
                shutil.rmtree(entry, ignore_errors=True)


def _batches(items: Sequence[_Item]) -> Iterable[Sequence[_Item]]:
    return (items[at : at + TOGETHER] for at in range(0, len(items), TOGETHER))
