"""`extends`: what a policy gives overrides what its parents give, and what cannot be resolved is said where."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from guardrail.policy.load import load_configuration
from guardrail.policy.resolve import ResolvedPolicy, Resolver
from tests.policy.tree import complaints, write


def resolve(folder: Path, name: str, **policies: str) -> tuple[ResolvedPolicy | None, list[str]]:
    config = load_configuration(write(folder, {f"policies/{each}.yaml": text for each, text in policies.items()}))
    assert config.problems == []
    resolver = Resolver(config.policies, config.policy_names)
    resolved = resolver.policy(name)
    return resolved, [f"{Path(p.file).name}:{p.line}:{p.column}: {p.message}" for p in sorted(resolver.problems)]


def fields(resolved: ResolvedPolicy | None) -> dict[str, dict[str, Any]]:
    assert resolved is not None
    return {
        rule_id: {name: given.value for name, given in rule.fields.items()} for rule_id, rule in resolved.rules.items()
    }


BASE = """\
policy: base
locale: zh
halt: response
rules:
  - {id: words, keywords: [a], action: redact, case: true, severity: high, examples: {hit: [a]}}
  - {entity: email_address, action: redact, mask: {style: char}, allow: [a@b.example]}
"""


@pytest.mark.parametrize(
    ("child", "expected"),
    [
        ("{id: words, action: log}",
         {"keywords": ("a",), "action": "log", "case": True, "severity": "high", "examples": ("a",)}),
        ("{id: words, severity: low}",
         {"keywords": ("a",), "action": "redact", "case": True, "severity": "low", "examples": ("a",)}),
        ("{id: words, keywords: [b]}", {"keywords": ("b",), "action": "redact", "severity": "high"}),
        ("{id: words, pattern: b, edge: word}",
         {"pattern": "b", "edge": "word", "action": "redact", "severity": "high"}),
        ("{id: words, lexicon: l.txt, examples: {hit: [b]}}",
         {"lexicon": "l.txt", "action": "redact", "severity": "high", "examples": ("b",)}),
    ],
)  # fmt: skip
def test_fields_given_override_and_a_new_source_starts_anew(
    tmp_path: Path, child: str, expected: dict[str, Any]
) -> None:
    text = f"policy: child\nextends: base\nrules:\n  - {child}\n"
    resolved, problems = resolve(tmp_path, "child", base=BASE, child=text)
    found = fields(resolved)["words"]
    if "examples" in found:
        found["examples"] = found["examples"].hit
    assert (found, problems) == (expected, [])


@pytest.mark.parametrize(
    "child",
    [
        "{entity: email_address, action: halt}",
        "{entity: EMAIL_ADDRESS, action: halt}",
        "{id: entity.email_address, action: halt}",
    ],
)
def test_an_entity_of_a_parent_is_spoken_of_by_name_or_by_id(tmp_path: Path, child: str) -> None:
    text = f"policy: child\nextends: base\nrules:\n  - {child}\n"
    resolved, problems = resolve(tmp_path, "child", base=BASE, child=text)
    found = fields(resolved)["entity.email_address"]
    assert (found["entity"], found["action"], found["allow"]) == ("email_address", "halt", ("a@b.example",))
    assert problems == []


def test_settings_are_inherited_and_the_parent_is_left_as_it_is(tmp_path: Path) -> None:
    child = "policy: child\nextends: base\nlocale: en\nrules:\n  - {id: words, action: halt}\n"
    resolved, _ = resolve(tmp_path, "child", base=BASE, child=child)
    assert resolved is not None
    assert {name: given.value for name, given in resolved.settings.items()} == {"locale": "en", "halt": "response"}
    base, _ = resolve(tmp_path, "base")
    assert fields(base)["words"]["action"] == "redact"


def test_of_several_parents_the_later_wins(tmp_path: Path) -> None:
    policies = {
        "a": "policy: a\nhalt: response\nrules:\n  - {id: x, keywords: [a], action: log}\n",
        "b": "policy: b\nrules:\n  - {id: x, keywords: [b], action: log}\n  - {id: y, keywords: [y], action: log}\n",
        "c": "policy: c\nextends: [a, b]\n",
        "d": "policy: d\nextends: c\n",
    }
    resolved, problems = resolve(tmp_path, "d", **policies)
    assert {rule_id: rule["keywords"] for rule_id, rule in fields(resolved).items()} == {"x": ("b",), "y": ("y",)}
    assert resolved is not None
    assert resolved.settings["halt"].value == "response"
    assert problems == []


def test_circles_and_missing_parents(tmp_path: Path) -> None:
    policies = {
        "a": "policy: a\nextends: b\n",
        "b": "policy: b\nextends: [c]\n",
        "c": "policy: c\nextends: [d, a]\n",
        "d": "policy: d\nextends: dd\n",
        "e": "policy: e\nextends: e\n",
    }
    found = complaints(tmp_path, {f"policies/{name}.yaml": text for name, text in policies.items()})
    assert found == [
        "policies/c.yaml:2:14: found a circle of policies, expected none: a → b → c → a",
        "policies/d.yaml:2:10: found the unknown policy 'dd', expected one of "
        "a, b, c, classifier-default, default, demo, e, entities-all, family, input-default, lexicons, "
        "public-service, public-service-minors",
        "policies/e.yaml:2:10: found a circle of policies, expected none: e → e",
    ]


def test_a_child_of_a_broken_parent_is_not_blamed(tmp_path: Path) -> None:
    policies = {"a": "policy: a\nhalt: no\n", "b": "policy: b\nextends: a\n"}
    found = complaints(tmp_path, {f"policies/{name}.yaml": text for name, text in policies.items()})
    assert [line.split(": ")[0] for line in found] == ["policies/a.yaml:2:7"]


def test_entries_that_do_not_hold_together(tmp_path: Path) -> None:
    policy = """\
        policy: default
        rules:
          - {action: log}
          - {id: a, action: log}
          - {id: b, keywords: [x], pattern: y, action: log}
          - {id: c, pattern: x, patterns: [y], action: log}
          - {id: d, entity: email_address, action: log}
          - {id: e, keywords: [x], action: log, mask: {style: char}}
          - {id: f, keywords: [x], action: redact, with: y}
          - {id: e, keywords: [y], action: log}
          - {entity: email_address, action: log}
        """
    assert complaints(tmp_path, {"policies/p.yaml": policy}) == [
        "policies/p.yaml:3:5: found a rule without a key 'id', 'entity' or 'output', expected one",
        "policies/p.yaml:4:10: found the rule 'a' with nothing to find, expected one of entity, keywords, lexicon, "
        "pattern, patterns, near, protect, output",
        "policies/p.yaml:5:37: found 'keywords' and 'pattern' in one rule, expected one kind of source",
        "policies/p.yaml:6:35: found 'pattern' and 'patterns' in one rule, expected one of them",
        "policies/p.yaml:7:10: found the id 'd', expected none: an entity's rule is 'entity.email_address'",
        "policies/p.yaml:8:47: found 'mask' beside the action 'log', expected it only with 'redact'",
        "policies/p.yaml:9:50: found 'with' beside the action 'redact', expected it only with 'replace'",
        "policies/p.yaml:10:10: found the rule 'e' again, expected each id once (first: rule 6)",
    ]


def test_a_rule_that_no_parent_has_may_be_a_slip_of_the_pen(tmp_path: Path) -> None:
    child = "policy: child\nextends: base\nrules:\n  - {id: wrods, action: allow}\n"
    found = complaints(tmp_path, {"policies/a.yaml": BASE.replace("hit: [a]", ""), "policies/b.yaml": child})
    assert found == [
        "policies/b.yaml:4:10: found the rule 'wrods' with nothing to find, expected one of entity, keywords, "
        "lexicon, pattern, patterns, near, protect, output, or the id of a rule of a parent: "
        "'words' (did you mean that?)"
    ]
