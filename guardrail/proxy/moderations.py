"""OpenAI's moderation endpoint, answered by the tenant's policy: nothing goes to an upstream."""

from __future__ import annotations

from functools import partial

from guardrail.errors import WireError
from guardrail.policy.policy import Policy
from guardrail.proxy.classifiers import Classifiers
from guardrail.proxy.exchange import Exchange
from guardrail.proxy.faults import Failed, Fault
from guardrail.proxy.scoring import score_missing
from guardrail.whole_texts import OFF_LOOP_CHARACTERS, looked_at
from guardrail.wire.moderations import answer_moderations, moderate_all, read_moderations, record_of
from guardrail.wire.whole_text import Verdicts


async def answer(policy: Policy, body: bytes, classifiers: Classifiers, exchange: Exchange) -> bytes:
    """The body of the answer. Raises Failed."""
    try:
        request = read_moderations(body)
    except WireError as error:
        raise Failed(Fault.BAD_REQUEST, str(error)) from error
    exchange.model = request.model
    long = sum(map(len, request.inputs)) >= OFF_LOOP_CHARACTERS
    verdicts = Verdicts()
    opened = classifiers.get(policy)

    async def score() -> None:
        exchange.encoder_calls += await score_missing(policy, opened, verdicts)

    found = await looked_at(partial(moderate_all, policy, request, verdicts), score, off_loop=long)
    exchange.text = record_of(policy, request, exchange.request_id, found)
    exchange.outcome = "complete"
    return answer_moderations(policy, exchange.request_id, found)
