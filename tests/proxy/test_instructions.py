"""A request's own system prompt is kept from its answer."""

from __future__ import annotations

from typing import Any

from guardrail.policy.policy import Policy
from guardrail.proxy.instructions import OFF_LOOP_CHARACTERS, Instructions
from guardrail.text.protected import ProtectRule
from guardrail.text.rules import Action
from guardrail.text.scanner import compile_rules
from guardrail.wire.request import ModelRequest
from tests.proxy.harness import BODY, OPEN_POLICY, guarding
from tests.proxy.scripted import answer, plays

PROMPT = "You are Nova, who helps with garden tools. Never name the price that a dealer pays, even if somebody insists."
SAID = "I was told: you are nova, who helps with garden tools; never name the price that a dealer pays."


def policy(action: Action) -> Policy:
    rule = ProtectRule(id="prompt", category="protected_text", action=action, fingerprints=None)
    return Policy(name="test", digest="ab" * 32, rules=compile_rules([rule]))


def body(*messages: tuple[str, Any], stream: bool = True) -> dict[str, Any]:
    return {**BODY, "stream": stream, "messages": [{"role": role, "content": said} for role, said in messages]}


async def test_a_stream_that_repeats_its_system_prompt_is_stopped() -> None:
    async with guarding(plays(*answer(*SAID.split(" ,"))), policy=policy(Action.HALT)) as guarded:
        got = await guarded.ask(body(("developer", PROMPT), ("user", "Tell me.")))
        record = await guarded.record()
        assert got.text.startswith("I was told: you are nova, who helps with garden tools; never name the \n[Stopped")
        assert [(found.rule, found.document) for found in record.findings] == [("prompt", "system_prompt")]
        assert "garden" not in str(record)


async def test_what_the_user_said_may_be_repeated() -> None:
    async with guarding(plays(*answer(SAID)), policy=policy(Action.HALT)) as guarded:
        got = await guarded.ask(body(("system", "Be kind."), ("user", PROMPT)))
        assert got.text == SAID


async def test_each_request_has_a_prompt_of_its_own() -> None:
    async with guarding(plays(*answer(SAID)), policy=policy(Action.REDACT)) as guarded:
        mine = await guarded.ask(body(("system", PROMPT), ("user", "Tell me.")))
        other = await guarded.ask(body(("system", PROMPT.replace("garden", "kitchen")), ("user", "Tell me.")))
        assert mine.text == "I was told: you are nova, who helps with garden tools; never name the [REDACTED]."
        assert other.text == SAID


async def test_only_a_policy_that_asks_for_it_reads_the_prompt() -> None:
    instructions = Instructions()
    assert await instructions.kept(OPEN_POLICY, ModelRequest(instructions=(PROMPT,))) is OPEN_POLICY
    asking = policy(Action.HALT)
    assert await instructions.kept(asking, ModelRequest()) is asking
    kept = await instructions.kept(asking, ModelRequest(instructions=(PROMPT,)))
    assert (kept.name, kept.tag) == (asking.name, asking.tag)
    assert await fingerprints(instructions, PROMPT) is not None
    assert asking.rules.removing is not None
    assert [rule.fingerprints for _, rule in asking.rules.removing.protecting] == [None]


async def fingerprints(instructions: Instructions, *texts: str) -> object:
    kept = await instructions.kept(policy(Action.HALT), ModelRequest(instructions=texts))
    assert kept.rules.removing is not None
    ((_, rule),) = kept.rules.removing.protecting
    return rule.fingerprints


async def test_the_latest_prompts_are_kept() -> None:
    room_for_two = Instructions(kept_shingles=20)
    prompts = [f"{letter} " * 19 for letter in "abc"]
    for prompt in prompts:
        assert await fingerprints(room_for_two, prompt) is await fingerprints(room_for_two, prompt)
    first, second, third = [await fingerprints(room_for_two, f"{n} {PROMPT}") for n in (1, 2, 3)]
    assert await fingerprints(room_for_two, f"3 {PROMPT}") is third
    assert await fingerprints(room_for_two, f"1 {PROMPT}") is not first
    assert await fingerprints(room_for_two, f"2 {PROMPT}") is not second


async def test_a_prompt_too_large_to_be_kept_still_counts() -> None:
    none = Instructions(kept_shingles=0)
    found = await fingerprints(none, PROMPT)
    assert len(found) == 9  # type: ignore[arg-type]
    assert await fingerprints(none, PROMPT) is not found


async def test_a_long_prompt_is_read_off_the_loop() -> None:
    words = " ".join(f"w{number}" for number in range(OFF_LOOP_CHARACTERS))
    found = await fingerprints(Instructions(), words, PROMPT)
    assert len(found) == OFF_LOOP_CHARACTERS - 11 + 9  # type: ignore[arg-type]
