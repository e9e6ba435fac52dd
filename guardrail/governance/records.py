"""The duty to know people by pseudonyms alone: the key of each person, made at their first request, is read before it.

Promises: records and the audit log name a person by what only the person's own key gives; replicas that meet somebody
at the same moment agree on the key; nobody's key is read twice for one request.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from guardrail.governance.duty import Duty, Entering, Finished, Standing
from guardrail.governance.keyring import KIND, Keyring, SealError, creation, decoded, renewal
from guardrail.state.operations import Document, Get, Operation
from guardrail.state.store import Store, get, put

logger = logging.getLogger("guardrail.records")

MET = 100_000
"""People of whom this process remembers that they have a key: a hundred bytes each."""

SEEN = 30
"""Days until it is noted again that somebody is still there, so that their key outlives them by the time it is kept."""


class Records(Duty):
    """Of one process."""

    use = "records"

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._met: OrderedDict[str, str] = OrderedDict()
        """People who have a key, and the day on which they were seen by their document."""
        self._told = False

    def asks(self, entering: Entering) -> Sequence[Operation]:
        subject = entering.subject
        if subject is None:
            return ()
        if subject.id in self._met:
            return (Get(KIND, subject.id),)
        fresh = self._keyring.fresh(subject.id, entering.tenant.name, _day(entering.now))
        return (creation(subject.id, fresh), Get(KIND, subject.id))

    def judge(self, entering: Entering, replies: Sequence[Any], standing: Standing) -> None:
        subject = entering.subject
        if subject is None:
            return
        found = replies[-1]
        if not isinstance(found, Document):  # erased since this process met them; the next request begins anew
            self._met.pop(subject.id, None)
            return
        document = decoded(found)
        self._meet(subject.id, document.seen)
        try:
            standing.key = self._keyring.key_of(subject.id, document)
        except SealError as error:
            if not self._told:
                self._told = True
                logger.error("people have no pseudonyms in records: %s", error)
            return
        standing.corrected = document.attributes
        standing.record["subject"] = standing.key.pseudonym

    async def follow(self, finished: Finished, store: Store) -> None:
        subject, today = finished.entering.subject, _day(finished.entering.now)
        if subject is None or self._met.get(subject.id, today) >= _day(finished.entering.now - SEEN * 86400):
            return
        found = await get(store, KIND, subject.id)
        if found is not None:
            # Whoever was quicker has noted the same.
            await put(store, renewal(found, msgspec.structs.replace(decoded(found), seen=today)))
            self._meet(subject.id, today)

    def _meet(self, subject: str, seen: str) -> None:
        self._met[subject] = seen
        self._met.move_to_end(subject)
        if len(self._met) > MET:
            self._met.popitem(last=False)


def _day(at: float) -> str:
    """ISO date, UTC."""
    return datetime.fromtimestamp(at, UTC).date().isoformat()
