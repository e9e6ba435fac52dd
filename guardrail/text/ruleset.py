"""Rules, compiled: what every stream of a policy shares. Immutable after `compile_rules`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from guardrail.text.clusters import Reach
from guardrail.text.keywords import KeywordMatcher
from guardrail.text.patterns import PatternMatcher
from guardrail.text.rules import Action, KeywordRule, PatternRule, Rule


@dataclass(frozen=True, slots=True, eq=False)
class Matchers:
    """Rules that are evaluated together, and what finds them."""

    rules: tuple[Rule, ...]
    folded: KeywordMatcher | None
    """Case-insensitive terms, and the allow-phrases of pattern rules."""
    cased: KeywordMatcher | None
    patterns: PatternMatcher | None
    reach: Reach
    """Of what kinds the first characters are that a match may start with inside a grapheme cluster."""


@dataclass(frozen=True, slots=True, eq=False)
class RuleSet:
    """Compiled rules, shared by every stream that uses them."""

    removing: Matchers | None
    """Rules that redact, replace or halt; None when there are none."""
    logging: Matchers | None
    """Rules that only report. They are evaluated apart, so that they can never delay a character."""


def compile_rules(rules: Sequence[Rule]) -> RuleSet:
    """Compile rules; those with action `allow` are left out.

    Raises RuleError for one that cannot be used: an unbounded or malformed pattern, an empty or over-long term.
    """
    return RuleSet(
        _matchers(tuple(rule for rule in rules if rule.action.removes)),
        _matchers(tuple(rule for rule in rules if rule.action is Action.LOG)),
    )


def _matchers(rules: tuple[Rule, ...]) -> Matchers | None:
    if not rules:
        return None
    folded, cased = KeywordMatcher(cased=False), KeywordMatcher(cased=True)
    patterned: list[tuple[int, PatternRule]] = []
    for index, rule in enumerate(rules):
        match rule:
            case KeywordRule():
                (cased if rule.case_sensitive else folded).add(index, rule, rule.terms, rule.edges)
            case PatternRule():
                patterned.append((index, rule))
                folded.add(index, rule, (), "auto")
    found = [lane for lane in (folded, cased) if lane.compile()]
    patterns = PatternMatcher(patterned) if patterned else None
    reach = folded.reach | cased.reach
    return Matchers(
        rules,
        folded if folded in found else None,
        cased if cased in found else None,
        patterns,
        reach | patterns.reach if patterns else reach,
    )
