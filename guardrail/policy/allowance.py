"""Where a phrase is written that a rule is to let pass from now on: in which file, at which line, and what.

A rule's phrases are taken whole from whoever names them last, so that what is to be written has all of them. Nothing is
written here: policies are the operator's files, under review and signed (docs/policy-distribution.md).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from guardrail.errors import GuardrailError
from guardrail.policy.load import Configuration
from guardrail.policy.resolve import ResolvedPolicy, ResolvedRule, Resolver


class NoSuchRule(GuardrailError):
    """A policy has no rule of that name, or no phrases can be allowed in it."""


@dataclass(frozen=True, slots=True)
class Addition:
    """What is to be written."""

    file: str
    line: int
    rule: str
    here: bool
    """Whether the rule stands at this line; else it is a parent's, and this is where the policy's own rules are, or
    could be."""
    section: str
    """`rules`, or `input.rules`."""
    entry: str
    """The entry of the rule, as YAML; where it stands already, only its key `allow`."""


def addition(config: Configuration, policy: str, rule: str, phrases: Iterable[str]) -> Addition:
    """How `phrases` are added to what a rule of a policy lets pass. Raises NoSuchRule."""
    resolved = Resolver(config.policies, config.known_policies).policy(policy)
    found = None if resolved is None else _found(resolved, rule)
    if resolved is None or found is None:
        raise NoSuchRule(f"the policy {policy!r} has no rule {rule!r}")
    section, known = found
    if known.get("pattern") is None and known.get("protect") is not None:
        raise NoSuchRule(f"the rule {rule!r} looks for protected text, in which no phrase can be allowed")
    allow = json.dumps(list(dict.fromkeys([*known.get("allow", ()), *phrases])), ensure_ascii=False)
    own = config.policies[policy].document
    here = known.at.document.path == own.path
    where = own.problem(known.at.place if here else section, "")
    kind, _, name = rule.partition(".")
    head = f"{kind}: {name}" if known.get(kind) is not None and kind in ("entity", "output") else f"id: {rule}"
    entry = f"allow: {allow}" if here else f"- {{{head}, allow: {allow}}}"
    return Addition(where.file, where.line, rule, here, ".".join(section), entry)


def _found(resolved: ResolvedPolicy, rule: str) -> tuple[tuple[str, ...], ResolvedRule] | None:
    """The rule, and the place of the rules that it is among; those of the section `input` come second."""
    if rule in resolved.rules:
        return ("rules",), resolved.rules[rule]
    if resolved.input is not None and rule in resolved.input.rules:
        return ("input", "rules"), resolved.input.rules[rule]
    return None
