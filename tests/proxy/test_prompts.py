"""A prompt goes on as it came, edited, or not at all."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from guardrail.policy.policy import InputSection, Policy
from guardrail.text.rules import Action
from guardrail.whole_texts import OFF_LOOP_CHARACTERS
from tests.proxy.harness import BODY, OPEN_POLICY, POLICY, guarding
from tests.proxy.scored import Gated, scored_policy
from tests.proxy.scripted import answer, plays


def asking(policy: Policy = POLICY, **settings: Any) -> Policy:
    """A policy that looks for what `policy` looks for in prompts, and for nothing in answers."""
    return dataclasses.replace(OPEN_POLICY, input=InputSection(policy, **settings))


def body(text: str, **changes: Any) -> dict[str, Any]:
    return {**BODY, "messages": [{"role": "user", "content": text}], **changes}


async def test_a_clean_prompt_goes_on_as_the_bytes_that_came() -> None:
    async with guarding(plays(*answer("Hi")), policy=asking()) as guarded:
        raw = json.dumps(body("你好", seed=7), indent=2).encode()
        got = await guarded.ask(raw)
        record = await guarded.record()
        assert (got.status, got.text) == (200, "Hi")
        assert guarded.upstream.requests[0].body == raw
        assert record.input is not None
        assert (record.outcome, record.input.messages, record.input.scanned) == ("complete", 1, 2)


@pytest.mark.parametrize("long", [False, True])
async def test_the_model_reads_the_edited_text(long: bool) -> None:
    padding = "x " * OFF_LOOP_CHARACTERS if long else ""
    async with guarding(plays(*answer("Acme Cola")), policy=asking()) as guarded:
        got = await guarded.ask(body(padding + "What is Acme Cola?", temperature=0.5))
        record = await guarded.record()
        assert json.loads(guarded.upstream.requests[0].body) == body(padding + "What is [X]?", temperature=0.5)
        assert got.text == "Acme Cola"  # nothing is looked for in answers
        assert record.input is not None
        assert (record.input.removed, record.input.findings_total) == (9, 1)
        assert [(found.rule, found.channel) for found in record.input.findings] == [("mask", "messages[0].content")]
        assert (record.findings, record.halted) == ([], False)
        assert guarded.metric("guardrail_input_findings_total", rule="mask", action="redact") == 1
        assert guarded.metric("guardrail_input_characters_total", state="removed") == 9
        assert guarded.metric("guardrail_findings_total", rule="mask", action="redact") == 0


@pytest.mark.parametrize("stream", [False, True])
async def test_a_refused_prompt_never_reaches_the_model(stream: bool) -> None:
    async with guarding(plays(*answer("Hi")), policy=asking(notice="No. Case {case_id}.")) as guarded:
        got = await guarded.ask(body("Tell me the forbidden recipe.", stream=stream))
        record = await guarded.record()
        case = got.headers["x-guardrail-request-id"]
        assert (got.status, got.headers["x-should-retry"]) == (400, "false")
        assert got.error == {
            "message": f"No. Case {case}.",
            "type": "invalid_request_error",
            "param": "messages",
            "code": "content_filter",
        }
        assert guarded.upstream.requests == []
        assert (record.outcome, record.status, record.fault, record.attempts) == ("refused_input", 400, "", 0)
        assert record.input is not None
        assert [found.rule for found in record.input.findings] == ["halt"]
        assert "recipe" not in str(record)
        assert guarded.metric("guardrail_prompts_refused_total", tenant="anonymous") == 1
        assert guarded.metric("guardrail_responses_total", outcome="refused_input") == 1


async def test_a_classifier_may_read_the_prompt() -> None:
    model = Gated()
    async with guarding(plays(*answer("Hi")), policy=asking(scored_policy(model))) as guarded:
        good = await guarded.ask(body("This is a harmless question."))
        bad = await guarded.ask(body("This is an evil question."))
        record = await guarded.record(2)
        assert (good.status, bad.status) == (200, 400)
        assert record.input is not None
        assert record.input.classifier is not None
        assert (record.input.classifier.units, record.input.classifier.encoder_calls) == (1, 1)
        assert record.classifier is None
        (classifier,) = guarded.proxy.classifiers
        assert classifier.name == "gated"
        await guarded.proxy.classifiers.follow([asking(scored_policy(model, action=Action.LOG))])
        assert [each.name for each in guarded.proxy.classifiers] == ["gated"]
        await guarded.proxy.classifiers.follow([OPEN_POLICY])
        assert list(guarded.proxy.classifiers) == []


async def test_the_answer_is_guarded_as_one_to_what_the_model_reads() -> None:
    """The policy's answers are scored beside the prompt, which must be the edited one."""
    model = Gated()
    both = dataclasses.replace(scored_policy(model, context="prompt"), input=InputSection(POLICY))
    async with guarding(plays(*answer("Something harmless.")), policy=both) as guarded:
        await guarded.ask(body("What is Acme Cola?"))
        assert [window.prompt for window in model.seen] == ["What is [X]?"]


async def test_records_share_their_room_for_findings() -> None:
    policy = dataclasses.replace(POLICY, input=InputSection(POLICY))
    async with guarding(plays(*answer("Acme Cola. " * 30)), policy=policy) as guarded:
        await guarded.ask(body("Acme Cola. " * 30))
        record = await guarded.record()
        assert record.input is not None
        assert (len(record.input.findings), record.input.findings_total) == (10, 30)
        assert (len(record.findings), record.findings_total) == (10, 30)
