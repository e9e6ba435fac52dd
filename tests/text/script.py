"""A stream as a script: the pieces of a text go in, and what comes out after each is written down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from guardrail.text.editor import Editor
from guardrail.text.rules import Edit, KeywordRule, Label, Mask, PatternRule, Rule
from guardrail.text.scanner import Scanner, compile_rules


def word(*terms: str, id: str = "word", mask: str | Mask = "#", **options: Any) -> KeywordRule:
    """A keyword rule; a mask that is plain text is a label."""
    shown = Label(mask) if isinstance(mask, str) else mask
    return KeywordRule(id=id, category="test", terms=terms, mask=shown, **options)


def pattern(*expressions: str, id: str = "pattern", mask: str | Mask = "#", **options: Any) -> PatternRule:
    shown = Label(mask) if isinstance(mask, str) else mask
    return PatternRule(id=id, category="test", expressions=expressions, mask=shown, **options)


@dataclass(frozen=True, slots=True)
class Played:
    """What a script led to. `released`: after each piece, and last after the text's end."""

    released: list[str]
    findings: list[tuple[str, int, int]]
    """(rule, start, end), as `Editor.findings` orders them."""
    cut: int | None
    """Where a halt ended the text."""

    @property
    def output(self) -> str:
        return "".join(self.released)


def play(rules: Sequence[Rule], *pieces: str) -> Played:
    """Feed an editor."""
    editor = Editor(compile_rules(rules))
    released = [editor.feed(piece) for piece in pieces]
    released.append(editor.finish())
    findings = [(found.rule, found.start, found.end) for found in editor.findings()]
    return Played(released, findings, editor.halt.cut if editor.halt else None)


def held(rules: Sequence[Rule], text: str) -> list[int]:
    """How many characters are held after each character of the text."""
    scanner = Scanner(compile_rules(rules))
    counts = []
    for char in text:
        scanner.feed(char)
        counts.append(scanner.received - scanner.settled)
    return counts


def edits(rules: Sequence[Rule], *pieces: str) -> list[list[tuple[int, int, str]]]:
    """The edits that a scanner decides after each piece, and last after the text's end."""
    scanner = Scanner(compile_rules(rules))
    decided = [_plain(scanner.feed(piece)) for piece in pieces]
    decided.append(_plain(scanner.finish()))
    return decided


def _plain(decided: Sequence[Edit]) -> list[tuple[int, int, str]]:
    return [(edit.start, edit.end, edit.text) for edit in decided]
