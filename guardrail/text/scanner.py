"""One channel: raw text in, decisions out (interface; being written)."""

from __future__ import annotations

from dataclasses import dataclass
from collections.abc import Sequence

from guardrail.text.rules import Edit, Finding, Rule


class RuleSet:
    """Compiled rules, immutable, shared by every stream that uses them."""


def compile_rules(rules: Sequence[Rule]) -> RuleSet:
    """Compile rules. Raises RuleError for one that cannot be used (unbounded pattern, empty term, ...)."""
    raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Halt:
    """Where the channel ends and which finding ended it."""

    cut: int
    finding: Finding


class Scanner:
    """The state of one channel.

    `received`: code points fed so far. `settled`: raw offset before which every character's fate is decided
    (it is delivered, or an Edit covers it); `received - settled` is the hold-back.
    """

    received: int
    settled: int
    halt: Halt | None

    def __init__(self, rules: RuleSet, channel: str = "content") -> None: ...

    def feed(self, text: str) -> Sequence[Edit]:
        """Take the next text; return the edits decided by it, by offset, disjoint, each ending at or before
        `settled`. After a halt: `settled == halt.cut`, nothing beyond it is ever delivered, and further calls
        return ()."""
        raise NotImplementedError

    def finish(self) -> Sequence[Edit]:
        """The channel is complete: settle everything. Idempotent."""
        raise NotImplementedError

    def findings(self) -> list[Finding]:
        """The findings so far; complete and final after `finish` or a halt, in order of (start, end, rule)."""
        raise NotImplementedError
