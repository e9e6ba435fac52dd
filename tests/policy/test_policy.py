"""The compiled policy as codecs and proxy see it."""

from __future__ import annotations

from guardrail.policy.policy import Policy
from guardrail.text.scanner import compile_rules


def test_the_tag_names_the_policy_and_the_start_of_its_digest() -> None:
    policy = Policy(name="acme", digest="0123456789abcdef" * 4, rules=compile_rules([]))
    assert policy.tag == "acme@0123456789ab"
