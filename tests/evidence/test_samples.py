"""What the simulated model says is what the shipped policies are for, and what people write meets its reply."""

from __future__ import annotations

import pytest

from guardrail import guard_text, load_policy
from guardrail.evidence.samples import DISGUISED, HARMFUL, PADDING, PERSONAL, SCRIPT, SLUR


@pytest.mark.parametrize(("what", "prompt", "said"), HARMFUL, ids=[each[0] for each in HARMFUL])
def test_harm_is_halted_by_the_default_policy(what: str, prompt: str, said: str) -> None:
    (reply,) = SCRIPT.choose(prompt, 1)
    assert reply.content == said + PADDING
    assert guard_text(reply.content, load_policy("default")).halted


def test_the_disguise_is_one() -> None:
    (reply,) = SCRIPT.choose(DISGUISED, 1)
    assert "kill yourself" not in reply.content
    assert guard_text(reply.content, load_policy("default")).halted


@pytest.mark.parametrize(("prompt", "policy"), [(PERSONAL, "default"), (SLUR, "family")])
def test_what_is_masked(prompt: str, policy: str) -> None:
    (reply,) = SCRIPT.choose(prompt, 1)
    assert guard_text(reply.content, load_policy(policy)).output != reply.content
