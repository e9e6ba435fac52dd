"""A rule that its own examples contradict does not load."""

from __future__ import annotations

from pathlib import Path

import pytest

from guardrail.errors import ConfigError
from guardrail.policy.load import load_configuration
from guardrail.policy.registry import load_snapshot
from guardrail.policy.resolve import Resolver
from tests.policy.tree import complaints, load, write

POLICY = """\
policy: p
rules:
  - id: word
    keywords: [grape]
    action: halt
    allow: [grapefruit]
    examples:
      hit: [A grape., "GRAPE, please", grapefruit]
      miss:
        - grapevine
        - one grape
  - {id: number, pattern: '[0-9]{3}', edge: digit, action: log, examples: {hit: ["123", "1234"]}}
"""


def test_examples_that_fail_are_named_by_their_line(tmp_path: Path) -> None:
    assert complaints(tmp_path, {"policies/p.yaml": POLICY}) == [
        "policies/p.yaml:8:40: found nothing in this example, expected the rule 'word' to hit: \"grapefruit\"",
        'policies/p.yaml:11:11: found "grape" in this example, expected nothing for \'word\': "one grape"',
        "policies/p.yaml:12:89: found nothing in this example, expected the rule 'number' to hit: \"1234\"",
    ]


def test_other_rules_and_actions_do_not_count(tmp_path: Path) -> None:
    policy = """\
        policy: p
        rules:
          - {id: a, keywords: [stop], action: halt}
          - {id: b, keywords: [word], action: log, examples: {hit: [stop this word], miss: [stop]}}
          - {id: c, keywords: [a word], action: redact, examples: {hit: [stop a word]}}
          - {id: d, keywords: [off], action: allow, examples: {hit: [on]}}
        """
    assert load(tmp_path, {"policies/p.yaml": policy}).policies.keys() == {"p"}


def test_the_examples_of_entities_count_when_asked_for(tmp_path: Path) -> None:
    entry = "{entity: email_address, action: redact, allow: [x@example.io]}"
    files = {"policies/p.yaml": f"policy: p\nrules:\n  - {entry}\n"}
    assert load_snapshot(write(tmp_path, files), thorough=True).policies.keys() == {"p"}


def test_a_failing_example_is_tried_again_by_no_child(tmp_path: Path) -> None:
    child = "policy: c\nextends: p\nrules: [{id: word, severity: low}]\n"
    with pytest.raises(ConfigError) as caught:
        load_snapshot(write(tmp_path, {"policies/p.yaml": POLICY, "policies/c.yaml": child}))
    assert len(caught.value.problems) == 3


def test_every_shipped_rule_has_examples_of_both_kinds() -> None:
    config = load_configuration(None)
    resolver = Resolver(config.policies, config.policy_names)
    bare = [
        f"{name}: {rule.id}"
        for name in config.policies
        if (resolved := resolver.policy(name)) is not None
        for rule in resolved.rules.values()
        if not {"entity", "output"} & rule.fields.keys()  # these carry their own
        and not ((given := rule.get("examples")) is not None and given.hit and given.miss)
    ]
    assert bare == []
