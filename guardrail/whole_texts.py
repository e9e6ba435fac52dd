"""Texts that are complete, looked at with their classifier: in the proxy, and wherever else there is an event loop.

A pass over a text tells which verdicts it lacks; when it has them, the same pass again gives the outcome (see
`wire/whole_text.py`). Long texts are looked at on a thread, so that they do not hold up the streams of others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from guardrail.classify.judge import verdicts_of
from guardrail.wire.whole_text import Unscored, Verdicts

if TYPE_CHECKING:
    from guardrail.classify.classifier import Classifier

OFF_LOOP_BYTES = 1 << 16
"""Bodies of answers from this size on are looked at on a thread; most of their bytes are not text."""
OFF_LOOP_CHARACTERS = 1 << 11
"""Prompts and lone texts from this length on: they take some milliseconds, which every stream would wait."""

T = TypeVar("T")


async def looked_at(look: Callable[[], T], score: Callable[[], Awaitable[object]], *, off_loop: bool) -> T:
    """What a pass gives that lacks no verdict. `look`: the pass, which raises Unscored for those it lacks; `score`: has
    them scored. Raises what either of them raises else."""
    while True:
        try:
            return await asyncio.to_thread(look) if off_loop else look()
        except Unscored:
            await score()


async def score_missing(classifier: Classifier, verdicts: Verdicts, deadline: float) -> int:
    """Have scored what a pass was missing; how many windows the first stage could not tell. `deadline`: seconds for
    each window from when its turn comes."""
    windows = list(verdicts.missing)
    verdicts.missing.clear()
    found, asked = await verdicts_of(classifier, windows, deadline)
    verdicts.known.update(zip(windows, found, strict=True))
    return asked
