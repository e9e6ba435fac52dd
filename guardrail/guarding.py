"""What those do who guard without the proxy: a codec driven with its classifier, one verdict after the other.

Each step gives what may be delivered now, then waits for the verdicts that it asked for; the next one is taken after
that. So what is delivered is what the proxy delivers, and no more is read ahead than one step.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from guardrail.classify.judge import verdicts_of
from guardrail.classify.shared import classifier_of
from guardrail.policy.policy import InputSection, Policy
from guardrail.whole_texts import OFF_LOOP_BYTES, OFF_LOOP_CHARACTERS, looked_at, score_missing
from guardrail.wire.prompt import GuardedPrompt, guard_prompt, size_of
from guardrail.wire.protocol import GuardBody
from guardrail.wire.record import StreamRecord
from guardrail.wire.request import ModelRequest
from guardrail.wire.stream import Stream
from guardrail.wire.whole_text import Verdicts

if TYPE_CHECKING:
    from guardrail.classify.classifier import Classifier


def new_case_id() -> str:
    """64 random bits: unguessable, since a case id is what a person may ask about."""
    return f"g-{secrets.token_hex(8)}"


class Judge:
    """Verdicts for one policy, asynchronously. One without a classifier is never asked."""

    def __init__(self, classifier: Classifier | None, deadline: float) -> None:
        self.classifier = classifier
        self._deadline = deadline

    async def settle(self, stream: Stream) -> AsyncIterator[bytes]:
        """Have scored what a stream asks for; what may be delivered by it. Raises WireError as the stream does."""
        while self.classifier is not None and (asks := stream.take_due()):
            verdicts, _ = await verdicts_of(self.classifier, [ask.window for ask in asks], self._deadline)
            for ask, verdict in zip(asks, verdicts, strict=True):
                if out := stream.score(ask, verdict):
                    yield out

    async def score(self, verdicts: Verdicts) -> None:
        """Have scored what is missing of whole texts."""
        assert self.classifier is not None
        await score_missing(self.classifier, verdicts, self._deadline)


@asynccontextmanager
async def judging(policy: Policy) -> AsyncIterator[Judge]:
    """The judge of a policy, for as long as the block takes."""
    settings, scorer = policy.classifier, policy.scorer
    if settings is None or scorer is None:
        yield Judge(None, 0.0)
    else:
        async with classifier_of(scorer) as classifier:
            yield Judge(classifier, settings.deadline)


async def guarded_body(
    guard_body: GuardBody, policy: Policy, request: ModelRequest, body: bytes, case_id: str
) -> tuple[bytes, StreamRecord]:
    """An answer that is not streamed, as `Protocol.guard_body` gives it. Raises WireError."""
    verdicts = Verdicts()
    look = partial(guard_body, policy, request, body, case_id, verdicts)
    async with judging(policy) as judge:
        return await looked_at(look, partial(judge.score, verdicts), off_loop=len(body) >= OFF_LOOP_BYTES)


async def guarded_prompt(section: InputSection, request: ModelRequest, body: bytes) -> GuardedPrompt:
    """A request, as the section `input` of a policy has it. See `guard_prompt`."""
    verdicts = Verdicts()
    look = partial(guard_prompt, section, request, body, verdicts)
    long = size_of(section, request) >= OFF_LOOP_CHARACTERS
    async with judging(section.policy) as judge:
        return await looked_at(look, partial(judge.score, verdicts), off_loop=long)
