"""The classifiers of a process that has no proxy: one for each model and event loop, whoever uses it.

A classifier is opened by the first who needs it, kept for those who come within `LINGER` seconds of the last, and
closed at the latest when its event loop ends. Opening one costs a thread or a connection, not a model: that is loaded
with the policy.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from guardrail.classify.detector import DetectorEntry
from guardrail.classify.judge import key_of

if TYPE_CHECKING:
    from guardrail.classify.classifier import Classifier
    from guardrail.classify.model import Model

LINGER = 60.0
"""Seconds that a classifier is kept for the next one who needs it."""


class _Kept:
    """An open classifier and how many use it."""

    def __init__(self, classifier: Classifier) -> None:
        self.classifier = classifier
        self.users = 0
        self.life: AsyncGenerator[_Kept, None] | None = None
        self.timer: asyncio.TimerHandle | None = None


_kept: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, _Kept]] = WeakKeyDictionary()
"""By event loop and by the digest of what scores."""
_ending: set[asyncio.Task[None]] = set()


@asynccontextmanager
async def classifier_of(scorer: Model | DetectorEntry) -> AsyncIterator[Classifier]:
    """The classifier of this model or detector on the running loop, for as long as the block takes."""
    loop = asyncio.get_running_loop()
    here = _kept.setdefault(loop, {})
    kept = here.get(scorer.digest)
    if kept is None:
        life = _life(scorer, here)
        kept = await anext(life)  # which never waits, so nobody else can open it meanwhile
        kept.life = life
    if kept.timer is not None:
        kept.timer.cancel()
        kept.timer = None
    kept.users += 1
    try:
        yield kept.classifier
    finally:
        kept.users -= 1
        if not kept.users:
            kept.timer = loop.call_later(LINGER, _close, here, scorer.digest)


async def _life(scorer: Model | DetectorEntry, here: dict[str, _Kept]) -> AsyncGenerator[_Kept, None]:
    """A classifier from its opening to its end: an asynchronous generator, since a loop that ends closes those."""
    kept = here[scorer.digest] = _Kept(_opened(scorer))
    try:
        yield kept
    finally:
        if here.get(scorer.digest) is kept:
            del here[scorer.digest]
        await kept.classifier.close()


def _opened(scorer: Model | DetectorEntry) -> Classifier:
    if isinstance(scorer, DetectorEntry):
        from guardrail.classify.remote import RemoteClassifier

        return RemoteClassifier(scorer, key_of(scorer, os.environ))
    from guardrail.classify.classifier import LocalClassifier

    return LocalClassifier(scorer)


def _close(here: dict[str, _Kept], digest: str) -> None:
    """Nobody came for it."""
    life = here.pop(digest).life
    assert life is not None
    task = asyncio.ensure_future(life.aclose())
    _ending.add(task)
    task.add_done_callback(_ending.discard)
