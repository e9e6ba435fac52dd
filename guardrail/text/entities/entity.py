"""What a kind of entity is: expressions that propose a stretch of text, and a check that accepts or rejects it.

An entity is data: it says what to find, never what to do about it. A policy chooses the action and the mask, and
`Entity.rule` joins the two into a pattern rule.

Expressions are written for a stream. A text's end is held back while it may still grow into a match, so each starts
as tightly as its format allows (a country code, a brand digit, a vendor's prefix), and each grouping of a number has
an expression of its own wherever a longer run of digits would otherwise hide a shorter valid number.

Plain digits may also be part of a decimal. Their expressions have the left edge `number`, and take along a point and
a digit behind them (never a zero: tables print whole numbers as `13812345678.0`), which the check then rejects.

A number that many other numbers look like is `contextual`: it counts only behind one of the words in `context`. One
random number in ten passes a check of one digit, so such a check alone is not enough for plain digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from guardrail.text.rules import Accept, Action, Label, Mask, PatternEdge, PatternRule, RightEdge, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """One kind of entity. The fields that it shares with `PatternRule` mean the same there."""

    name: str
    label: str
    """The default mask, such as `[EMAIL]`."""
    category: Literal["personal_data", "secret"]
    severity: Severity
    expressions: tuple[str, ...]
    opening: tuple[str, ...] = ()
    """What to look for instead when the action is `halt`: the start of a long secret that tells it already, so that
    the model is stopped there and not after the last line. Empty: the expressions."""
    left: PatternEdge | tuple[PatternEdge, ...] = "none"
    right: RightEdge | tuple[RightEdge, ...] = "none"
    accept: Accept | tuple[Accept | None, ...] | None = None
    """Total: any text gives an answer, none an exception."""
    contextual: bool | tuple[bool, ...] = False
    context: tuple[str, ...] = ()
    """In the languages where such a number is used, and in English."""
    within: int = 48
    hits: tuple[str, ...]
    """Example texts that hold exactly one entity of this kind."""
    misses: tuple[str, ...]
    """Look-alikes that hold none."""

    def rule(self, action: Action, mask: Mask | None = None, allow: tuple[str, ...] = ()) -> PatternRule:
        """The rule `entity.<name>`; without a mask the entity's label stands for a hit."""
        return PatternRule(
            id=f"entity.{self.name}",
            category=self.category,
            severity=self.severity,
            action=action,
            mask=Label(self.label) if mask is None else mask,
            allow=allow,
            hits=self.hits,
            misses=self.misses,
            expressions=self.opening if self.opening and action is Action.HALT else self.expressions,
            left=self.left,
            right=self.right,
            accept=self.accept,
            contextual=self.contextual,
            context=self.context,
            within=self.within,
        )
