"""Context words in one channel: behind which text a weak shape counts."""

from __future__ import annotations

from collections.abc import Sequence

from guardrail.text.rules import PatternRule, Rule


class Contexts:
    """The context words found so far that may still matter. Offsets are raw."""

    __slots__ = ("_ends", "_within")

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._within = {n: rule.within for n, rule in enumerate(rules) if isinstance(rule, PatternRule)}
        self._ends: dict[int, list[int]] = {}

    def __bool__(self) -> bool:
        return bool(self._ends)

    def add(self, rule: int, end: int) -> None:
        """A context word of the rule ends here."""
        self._ends.setdefault(rule, []).append(end)

    def covers(self, rule: int, start: int) -> bool:
        """Whether a match of the rule that starts here counts."""
        within = self._within[rule]
        return any(0 <= start - end <= within for end in self._ends.get(rule, ()))

    def forget(self, before: int) -> None:
        """No match starts before this offset any more."""
        for rule, ends in list(self._ends.items()):
            kept = [end for end in ends if end + self._within[rule] >= before]
            if kept:
                self._ends[rule] = kept
            else:
                del self._ends[rule]
