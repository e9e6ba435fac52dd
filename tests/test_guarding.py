"""Codecs driven with their classifiers, one verdict after the other."""

from __future__ import annotations

import json

import pytest

from guardrail.guarding import guarded_body, guarded_prompt, judging, new_case_id
from guardrail.policy.policy import InputSection
from guardrail.whole_texts import OFF_LOOP_BYTES
from guardrail.wire.openai_chat import ChatStream
from guardrail.wire.openai_chat_body import guard_body
from guardrail.wire.openai_chat_request import read_request
from guardrail.wire.request import ModelRequest
from tests.proxy.scored import Gated, scored_policy
from tests.wire.chat import chat, policy, read, redact, says


async def test_a_stream_is_settled_before_more_of_it_is_taken() -> None:
    rules = scored_policy(Gated())
    stream = ChatStream(rules, ModelRequest(), case_id="g-1")
    out = []
    async with judging(rules) as judge:
        for event in chat(says("A sentence that is plain.", " An evil sentence is this.", " More.")):
            out.append(stream.feed(event))
            out += [later async for later in judge.settle(stream)]
            if stream.done:
                break
    assert read(b"".join(out)).text().startswith("A sentence that is plain. \n[Stopped")


async def test_a_policy_without_a_classifier_needs_no_verdicts() -> None:
    async with judging(policy(redact("secret"))) as judge:
        assert judge.classifier is None


@pytest.mark.parametrize("padding", [0, OFF_LOOP_BYTES])
async def test_a_body_and_a_prompt(padding: int) -> None:
    text = "It is evil. " + "x " * padding
    body = json.dumps({"choices": [{"index": 0, "message": {"content": text}}]}).encode()
    model = Gated()
    guarded, record = await guarded_body(guard_body, scored_policy(model), ModelRequest(), body, "g-1")
    assert json.loads(guarded)["choices"][0]["message"]["content"] == "\n[Stopped by safety policy. Case g-1]"
    assert record.halted
    asked = json.dumps({"messages": [{"role": "user", "content": text}]}).encode()
    section = InputSection(scored_policy(model))
    assert (await guarded_prompt(section, read_request(asked), asked)).record.refused is not None


def test_case_ids() -> None:
    assert len({new_case_id() for _ in range(100)}) == 100
