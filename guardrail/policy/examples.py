"""Rules proved by their examples: a rule must find something in each `hit` and nothing in any `miss`.

A rule is tried alone as far as its findings go: what other rules would do to the same text does not count, and
neither does the action.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from guardrail.errors import ConfigProblem
from guardrail.policy.model import Examples
from guardrail.policy.problems import show
from guardrail.policy.resolve import ResolvedRule
from guardrail.text.rules import Action, Rule
from guardrail.text.scanner import RuleSet, Scanner, compile_rules


def unproven(rules: Sequence[tuple[ResolvedRule, Rule]], *, thorough: bool) -> Iterator[ConfigProblem]:
    """A problem for each example that fails, at the line of the example.

    `thorough`: also the examples that an entity brings along, unless the policy has made exceptions to it; they
    fail at the line of the rule.
    """
    tried = [(each, rule) for each, rule in rules if "examples" in each.fields or (thorough and rule.hits)]
    if not tried:
        return
    compiled = compile_rules([dataclasses.replace(rule, action=Action.LOG) for _, rule in tried])
    for resolved, rule in tried:
        given = resolved.fields.get("examples")
        examples: Examples = given.value if given is not None else Examples()
        for kind, own in (("hit", examples.hit), ("miss", examples.miss)):
            carried = rule.hits if kind == "hit" else rule.misses
            brought = len(carried) - len(own)
            for index, text in enumerate(carried):
                if index < brought and (not thorough or rule.allow):
                    continue
                if _finds(compiled, rule.id, text) == (kind == "hit"):
                    continue
                fault = "finds nothing in" if kind == "hit" else "finds something in"
                message = f"found that the rule {rule.id!r} {fault} its example {show(text)}, expected the opposite"
                if given is not None and index >= brought:
                    yield given.problem(message, kind, index - brought)
                else:
                    yield resolved.at.problem(message)


def _finds(compiled: RuleSet, rule_id: str, text: str) -> bool:
    scanner = Scanner(compiled)
    scanner.feed(text)
    scanner.finish()
    return any(finding.rule == rule_id for finding in scanner.findings())
