"""A scanner with the text it holds: strings in, edited strings out (interface; being written)."""

from __future__ import annotations

from guardrail.text.scanner import Halt, RuleSet
from guardrail.text.rules import Finding


class Editor:
    """`feed(text) -> str` and `finish() -> str` give the edited text as it becomes deliverable; their
    concatenation is P(T) for every way of cutting T."""

    def __init__(self, rules: RuleSet, channel: str = "content") -> None: ...
    def feed(self, text: str) -> str: raise NotImplementedError
    def finish(self) -> str: raise NotImplementedError
    @property
    def halt(self) -> Halt | None: raise NotImplementedError
    held: int
    held_max: int
    def findings(self) -> list[Finding]: raise NotImplementedError
