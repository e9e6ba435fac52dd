"""The terms of one rule, parted by what is said about them: one list for each way to look and thing to do.

A rule of a policy says how its terms are looked for and what becomes of a hit; its lexicons may say otherwise for
single terms. The engine takes one keyword rule for each distinct combination. Their ids tell what differs from the
policy's rule, always in the order category, severity, action, options: `lexicon.abuse` has the terms that nothing is
said about, `lexicon.abuse.slur.high` others. They depend on nothing else, so that a list that grows renames nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from dataclasses import dataclass

from guardrail.policy.traits import SWITCHES, Traits
from guardrail.text.rules import Action, Folds, Severity, WordEdges

EXACT = Folds(exact=True)
DEFAULT_FOLDS = Folds()


@dataclass(frozen=True, slots=True)
class Manner:
    """How terms are looked for, and what a hit of them means and does."""

    category: str
    severity: Severity
    action: Action
    case: bool
    edges: WordEdges
    folds: Folds

    def __post_init__(self) -> None:
        if self.folds.exact:
            object.__setattr__(self, "case", True)  # nothing is folded, so neither is case
        elif self.case:
            object.__setattr__(self, "folds", DEFAULT_FOLDS)  # they do not apply

    def of(self, traits: Traits, *, actions: bool) -> Manner:
        """The manner of terms with these traits in a rule with this one; `actions`: whether theirs count."""
        folds = EXACT if traits.exact else self.folds
        if traits.folds and not folds.exact:
            folds = dataclasses.replace(folds, **dict(traits.folds))
        return Manner(
            category=traits.category or self.category,
            severity=traits.severity or self.severity,
            action=traits.action if traits.action is not None and actions else self.action,
            case=self.case or traits.case,
            edges=traits.edges or self.edges,
            folds=folds,
        )

    def tail(self, rule: Manner) -> str:
        """What the id of a rule of this manner has behind that of the rule that it comes from."""
        words: list[str] = []
        if self.category != rule.category:
            words.append(self.category)
        if self.severity != rule.severity:
            words.append(self.severity)
        if self.action is not rule.action:
            words.append(self.action.value)
        if self.folds.exact != rule.folds.exact:
            words.append("exact")
        elif self.case != rule.case:
            words.append("case")
        if self.edges != rule.edges:
            words.append(f"edges-{self.edges}")
        if not self.case:
            for name in SWITCHES:
                on = getattr(self.folds, name)
                if on != getattr(rule.folds, name):
                    words.append(name if on else f"no-{name}")
        return "".join(f".{word}" for word in words)


def spoken(traits: Traits, languages: Collection[str] | None) -> bool:
    """Whether terms with these traits belong to one of the languages, or to none in particular."""
    return languages is None or not traits.languages or not traits.languages.isdisjoint(languages)
