"""Rules proved by their examples: a rule must find something in each `hit` and nothing in any `miss`.

What counts is what the rule itself finds: what other rules would do to the same text does not, and neither does
the action. The compiled policy answers that for almost every example, so that proving a rule costs no second
compilation; only where another rule ends the text first is the rule compiled alone.
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


def unproven(
    rules: Sequence[tuple[ResolvedRule, Rule]], compiled: RuleSet, *, thorough: bool
) -> Iterator[ConfigProblem]:
    """A problem for each example that fails, at the line of the example.

    `compiled`: a rule set that holds all of `rules`. `thorough`: also the examples that an entity brings along,
    unless the policy has made exceptions to it; they fail at the line of the rule.
    """
    for resolved, rule in rules:
        given = resolved.fields.get("examples")
        examples: Examples = given.value if given is not None else Examples()
        proof = _Proof(rule, compiled)
        for kind, carried, own in (("hit", rule.hits, examples.hit), ("miss", rule.misses, examples.miss)):
            brought = len(carried) - len(own)
            for index, text in enumerate(carried):
                if index < brought and (not thorough or rule.allow):
                    continue
                if proof.finds(text) == (kind == "hit"):
                    continue
                fault = "finds nothing in" if kind == "hit" else "finds something in"
                message = f"found that the rule {rule.id!r} {fault} its example {show(text)}, expected the opposite"
                if given is not None and index >= brought:
                    yield given.problem(message, kind, index - brought)
                else:
                    yield resolved.at.problem(message)


class _Proof:
    """Whether one rule finds something in a text."""

    def __init__(self, rule: Rule, compiled: RuleSet) -> None:
        self._rule = rule
        self._compiled = compiled
        self._alone: RuleSet | None = None

    def finds(self, text: str) -> bool:
        found, ended = self._scan(self._compiled, text)
        if found or not ended:
            return found
        # Another rule halts in this text, and what stands after a halt is not reported.
        if self._alone is None:
            self._alone = compile_rules([dataclasses.replace(self._rule, action=Action.LOG)])
        return self._scan(self._alone, text)[0]

    def _scan(self, rules: RuleSet, text: str) -> tuple[bool, bool]:
        scanner = Scanner(rules)
        scanner.feed(text)
        scanner.finish()
        return any(finding.rule == self._rule.id for finding in scanner.findings()), scanner.halt is not None
