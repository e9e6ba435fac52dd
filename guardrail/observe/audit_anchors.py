"""Anchors of the audit log: the last record of each writer, noted in the state, under the master secret's seal.

A chain shows what was changed in the middle, not that its end was cut off, nor that a whole folder is gone. So each
process notes in the state how far it has come, every few seconds and when it ends; `audit verify` compares. An anchor
carries a MAC: who can write the folder and the state, but has no secret, cannot make one for a forged chain.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
from time import monotonic

import msgspec

from guardrail.observe.audit import AuditError, AuditLog
from guardrail.observe.audit_retention import prune
from guardrail.observe.audit_segments import now
from guardrail.state.operations import Document, Find, Put
from guardrail.state.secret import Secret
from guardrail.state.store import StateError, Store

logger = logging.getLogger("guardrail.audit")

KIND = "anchor"

EVERY = 10.0
"""Seconds between two anchors of a writer that has written."""

PRUNE_EVERY = 3600.0
"""Seconds between two looks for files that are too old."""

PAGE = 500


class Anchor(msgspec.Struct, frozen=True):
    """How far a writer had come. The id of the document is the writer's name."""

    writer: str
    seq: int
    hash: str
    time: str
    mac: str = ""

    def sealed(self, secret: Secret) -> Anchor:
        """The same with its MAC."""
        return msgspec.structs.replace(self, mac=self._mac(secret))

    def genuine(self, secret: Secret) -> bool:
        """Whether whoever made it had the secret."""
        return hmac.compare_digest(self.mac.encode(), self._mac(secret).encode())

    def _mac(self, secret: Secret) -> str:
        said = f"{self.writer}\n{self.seq}\n{self.hash}\n{self.time}"
        return hmac.digest(secret.derive("audit anchors"), said.encode(), "sha256").hex()


def anchored(log: AuditLog, secret: Secret) -> Put:
    """What notes how far a log has come."""
    seq, hash = log.head
    anchor = Anchor(log.writer, seq, hash, now()).sealed(secret)
    return Put(KIND, log.writer, msgspec.json.encode(anchor), keep=(log.settings.retention_days + 30) * 86400.0)


async def anchors(store: Store) -> list[Anchor]:
    """Every anchor in the state. Raises StateError."""
    out: list[Anchor] = []
    page: list[Document] = []
    while True:
        (page,) = await store.run([Find(KIND, limit=PAGE, after=page[-1].id if page else "")])
        out += map(_read, page)
        if len(page) < PAGE:
            return out


def _read(document: Document) -> Anchor:
    """The anchor in a document; of one that holds none, an anchor that nobody sealed, so that `audit verify` tells."""
    try:
        return msgspec.json.decode(document.body, type=Anchor)
    except msgspec.DecodeError:
        return Anchor(document.id, 0, "", "")


async def note(log: AuditLog, store: Store, secret: Secret) -> bool:
    """Note how far the log has come. False: the state cannot be asked, and the next time will do."""
    try:
        await store.run([anchored(log, secret)])
    except StateError:
        return False
    return True


async def tend(log: AuditLog, store: Store, secret: Secret) -> None:
    """Anchor the log while it goes on, and remove its old files, until cancelled."""
    noted = 0
    prune_at = 0.0
    while True:
        if log.failing:  # asking tries again, so that what waits is written also when no request comes
            logger.warning("records that wait for the audit log: %d", log.waiting)
        seq, _ = log.head
        if seq != noted and await note(log, store, secret):
            noted = seq
        if monotonic() >= prune_at:
            prune_at = monotonic() + PRUNE_EVERY
            try:
                count = await asyncio.to_thread(prune, log)
            except (AuditError, OSError) as error:
                logger.error("old files of the audit log cannot be removed: %s", error)
            else:
                if count:
                    logger.info("files of the audit log removed as older than its retention: %d", count)
        await asyncio.sleep(EVERY)
