"""A request before it goes to the upstream: what the policy's section `input` looks for in it.

Promises: a prompt goes on only when all that the section asks for was looked at; what was found is in the exchange
however it ends. Long prompts are scanned on a thread, so that they do not hold up the streams of others.
"""

from __future__ import annotations

from functools import partial

from guardrail.errors import GuardrailError
from guardrail.policy.policy import InputSection
from guardrail.proxy.classifiers import Opened
from guardrail.proxy.exchange import Exchange
from guardrail.proxy.scoring import score_missing
from guardrail.whole_texts import OFF_LOOP_CHARACTERS, looked_at
from guardrail.wire.prompt import GuardedPrompt, guard_prompt, size_of
from guardrail.wire.protocol import Protocol, Reply
from guardrail.wire.request import ModelRequest
from guardrail.wire.whole_text import Verdicts


class PromptRefused(GuardrailError):
    """The policy refuses the prompt; `reply` is what the client gets."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        super().__init__("The prompt was refused.")


async def guarded(
    section: InputSection,
    protocol: Protocol,
    request: ModelRequest,
    body: bytes,
    opened: Opened | None,
    exchange: Exchange,
) -> bytes:
    """The body for the upstream, the very bytes that came when nothing in it changes. `opened`: the section's
    classifier, when it has one. Raises PromptRefused."""
    outcome = await scanned(section, request, body, opened, exchange)
    record = exchange.prompt = outcome.record
    if record.refused is not None:
        message = section.notice.replace("{case_id}", exchange.request_id)
        raise PromptRefused(protocol.refused(request, exchange.request_id, message, record.refused))
    return outcome.body


async def scanned(
    section: InputSection, request: ModelRequest, body: bytes, opened: Opened | None, exchange: Exchange
) -> GuardedPrompt:
    """What comes of the prompt, refused or not."""
    verdicts = Verdicts()

    async def score() -> None:
        exchange.prompt_encoder_calls += await score_missing(section.policy, opened, verdicts)

    look = partial(guard_prompt, section, request, body, verdicts)
    return await looked_at(look, score, off_loop=size_of(section, request) >= OFF_LOOP_CHARACTERS)
