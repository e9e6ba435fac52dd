"""What a rule for the handling of model output is: expressions over the raw text, and what stands for their hits.

An output rule is data, as an entity is: it says what is unsafe to show, and a policy says whether that is reported,
removed, or ends the text. What stands for a hit is not for the policy to choose: it must neither be empty, where that
would join what stands on its two sides to a new link or tag, nor repeat any of what it stands for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from guardrail.text.output.destinations import host_pattern
from guardrail.text.rules import Action, Label, PatternRule, RightEdge, Severity

Hosts = frozenset[str]
"""Hosts that a tenant allows, each as `host_pattern` has it."""


@dataclass(frozen=True, slots=True)
class Judged:
    """The check of a rule that knows the allowed hosts. Two that ask the same are equal."""

    foreign: Callable[[str, Hosts], bool]
    hosts: Hosts

    def __call__(self, matched: str) -> bool:
        return self.foreign(matched, self.hosts)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputRule:
    """One kind of unsafe output. The fields that it shares with `PatternRule` mean the same there."""

    name: str
    severity: Severity
    mask: Label
    expressions: tuple[str, ...]
    right: tuple[RightEdge, ...]
    checks: tuple[Callable[[str, Hosts], bool] | None, ...]
    """One for each expression: whether a match is real, given the allowed hosts. Total: any text gives an answer."""
    takes_hosts: bool
    """Whether the allowed hosts matter."""
    edits: tuple[tuple[str, str], ...]
    """Example texts with something to remove, whatever hosts are allowed (but `elsewhere.example`), and each edited."""
    misses: tuple[str, ...]
    """Example texts with nothing to remove, whatever hosts are allowed."""

    def rule(self, action: Action, hosts: tuple[str, ...] = ()) -> PatternRule:
        """The rule `output.<name>`. Raises ValueError for a host that cannot be one (see `host_pattern`)."""
        allowed = frozenset(map(host_pattern, hosts))
        return PatternRule(
            id=f"output.{self.name}",
            category="output_handling",
            severity=self.severity,
            action=action,
            mask=self.mask,
            hits=tuple(text for text, _ in self.edits),
            misses=self.misses,
            expressions=self.expressions,
            right=self.right,
            accept=tuple(None if check is None else Judged(check, allowed) for check in self.checks),
            lane="raw",
        )
