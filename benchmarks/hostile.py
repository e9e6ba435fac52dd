"""Texts that are made to cost: CPU per character at growing lengths, with every kind of rule on.

What counts is that a row is flat: the cost of a character does not grow with the length of the answer. `held` bounds
the memory of a stream, whatever its length.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table

from benchmarks.material import keywords
from guardrail.text.entities import ENTITIES
from guardrail.text.output import OUTPUT_RULES
from guardrail.text.rules import Action, Folds, KeywordRule, Label, NearRule, PatternRule, Rule
from guardrail.text.scanner import RuleSet, Scanner, compile_rules

LENGTHS = (10_000, 100_000, 1_000_000, 10_000_000)
PIECE = 64
"""Characters in one call: what a read of a busy stream holds."""

UNITS = {
    "one letter": "a",
    "combining marks": "\u0301",
    "letters with many marks": "a\u0301\u0323\u0316",
    "@": "@",
    "opening brackets": "[",
    "opening parentheses": "(",
    "tags never closed": "<a ",
    "entities never closed": "&#",
    "invisible characters": "\u200b",
    "emoji joined without end": "\U0001f469\u200d",
    "digits": "1",
    "digits and hyphens": "1-",
    "single letters": "b o m ",
    "a word's start, over and over": "bo",
    "a word with repeats": "b" + "o" * 40,
    "a phrase never finished": "kill yoursel",
    "the same in leet": "k1ll y0ursel",
    "words that wait for a partner": "kill ",
    "context words": "passport 12345678 ",
    "addresses never finished": "a@b.",
    "links never closed": "](http://",
    "escape sequences never ended": "\x1b[1;",
    "half characters": "\ud83d",
}


@dataclass(frozen=True, slots=True)
class Result:
    text: str
    us_per_character: tuple[float, ...]
    """One for each length."""
    held: int
    """Most characters held back at any time, at the greatest length."""


def everything() -> list[Rule]:
    """Rules of every kind, with every fold on."""
    folds = Folds(noise=True, repeats=True)
    mask = Label("#")
    terms = (*keywords(1000), "bomb", "kill yourself", "asshole", "炸弹")
    return [
        KeywordRule(id="terms", category="test", terms=terms, folds=folds, mask=mask),
        NearRule(id="near", category="test", first=("kill",), second=("him",), folds=folds, mask=mask),
        PatternRule(
            id="raw",
            category="test",
            expressions=("\x1b\\[[0-9;]{0,16}[a-zA-Z]", "\\]\\([^)]{0,200}\\)"),
            lane="raw",
            mask=mask,
        ),
        PatternRule(
            id="context",
            category="test",
            expressions=(r"\d{9}",),
            contextual=True,
            context=("passport",),
            left="digit",
            right="digit",
            mask=mask,
        ),
        *(entity.rule(Action.REDACT) for entity in ENTITIES.values()),
        *(output.rule(Action.REDACT) for output in OUTPUT_RULES.values()),
    ]


def once(rules: RuleSet, text: str) -> tuple[float, int]:
    """Seconds of CPU to scan a text in pieces, and the most that was held."""
    scanner = Scanner(rules)
    held = 0
    before = time.process_time()
    for at in range(0, len(text), PIECE):
        scanner.feed(text[at : at + PIECE])
        held = max(held, scanner.received - scanner.settled)
    scanner.finish()
    return time.process_time() - before, held


def measure_hostile(lengths: Iterable[int] = LENGTHS) -> list[Result]:
    rules = compile_rules(everything())
    results = []
    for name, unit in UNITS.items():
        costs = []
        held = 0
        for length in lengths:
            text = unit * (length // len(unit))
            seconds, held = once(rules, text)
            costs.append(seconds / len(text) * 1e6)
        results.append(Result(name, tuple(costs), held))
    return results


def show(results: Iterable[Result], lengths: Iterable[int], console: Console) -> None:
    table = Table(title="CPU of the scanner on hostile texts, µs per character by length of the text")
    table.add_column("text")
    for length in lengths:
        table.add_column(f"{length:,}", justify="right")
    table.add_column("longest / shortest", justify="right")
    table.add_column("held", justify="right")
    for r in results:
        costs = [f"{cost:.2f}" for cost in r.us_per_character]
        growth = f"{r.us_per_character[-1] / r.us_per_character[0]:.2f}"
        table.add_row(r.text, *costs, growth, str(r.held))
    console.print(table)


def as_json(results: Iterable[Result]) -> list[dict[str, object]]:
    return [asdict(r) for r in results]
