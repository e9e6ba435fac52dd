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
    rules: Sequence[tuple[ResolvedRule, Sequence[Rule]]], compiled: RuleSet, *, thorough: bool
) -> Iterator[ConfigProblem]:
    """A problem for each example that fails, at the line of the example.

    `rules`: each rule of a policy with the engine's rules that it came to. `compiled`: a rule set that holds all of
    them. `thorough`: also the examples that an entity brings along, unless the policy has made exceptions to it; they
    fail at the line of the rule.
    """
    for resolved, parts in rules:
        given = resolved.fields.get("examples")
        examples: Examples = given.value if given is not None else Examples()
        proof = _Proof(parts, compiled)
        brought = parts if thorough and "entity" in resolved.fields and "allow" not in resolved.fields else ()
        for kind, own, carried in (
            ("hit", examples.hit, [text for rule in brought for text in rule.hits]),
            ("miss", examples.miss, [text for rule in brought for text in rule.misses]),
        ):
            for index, text in enumerate([*own, *(text for text in carried if text not in own)]):
                found = proof.find(text)
                if (found is not None) == (kind == "hit"):
                    continue
                if found is None:
                    message = f"found nothing in this example, expected the rule {resolved.id!r} to hit: {show(text)}"
                else:
                    message = f"found {show(found)} in this example, expected nothing for {resolved.id!r}: {show(text)}"
                if given is not None and index < len(own):
                    yield given.problem(message, kind, index)
                else:
                    yield resolved.at.problem(message)


class _Proof:
    """What the parts of one rule find in a text."""

    def __init__(self, rules: Sequence[Rule], compiled: RuleSet) -> None:
        self._rules = rules
        self._ids = {rule.id for rule in rules}
        self._compiled = compiled
        self._alone: RuleSet | None = None

    def find(self, text: str) -> str | None:
        """The first hit, None where there is none."""
        found, ended = self._scan(self._compiled, text)
        if found is not None or not ended:
            return found
        # Another rule halts in this text, and what stands after a halt is not reported.
        if self._alone is None:
            self._alone = compile_rules([dataclasses.replace(rule, action=Action.LOG) for rule in self._rules])
        return self._scan(self._alone, text)[0]

    def _scan(self, rules: RuleSet, text: str) -> tuple[str | None, bool]:
        scanner = Scanner(rules)
        scanner.feed(text)
        scanner.finish()
        hits = (text[found.start : found.end] for found in scanner.findings() if found.rule in self._ids)
        return next(hits, None), scanner.halt is not None
