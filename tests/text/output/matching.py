"""What an output rule must make of a text, by a plain matcher over the whole text, and both it and the engine asked."""

from __future__ import annotations

import random
from functools import cache

import re2

from guardrail.text.editor import Editor
from guardrail.text.output import OutputRule
from guardrail.text.rules import Action, PatternRule
from guardrail.text.scanner import RuleSet, Scanner, compile_rules

ALLOWED = ("good.example", "*.good.example")


@cache
def _compiled(expression: str) -> re2._Regexp:
    options = re2.Options()
    options.longest_match = True
    return re2.compile(expression, options)


def plain(rule: PatternRule, text: str) -> str:
    """Leftmost-longest for each expression, rejected matches retried a character later; overlapping ones are one."""
    assert isinstance(rule.right, tuple)
    assert isinstance(rule.accept, tuple)
    spans = []
    for expression, right, accept in zip(rule.expressions, rule.right, rule.accept, strict=True):
        at = 0
        while (match := _compiled(expression).search(text, at)) is not None:
            start, end = match.span()
            fits = not (right == "newline" and text[end : end + 1] == "\n")
            real = fits and (accept is None or accept(text[start:end]))
            spans += [(start, -end)] if real else []
            at = end if real else start + 1
    out, at = "", 0
    for start, end in ((start, -end) for start, end in sorted(spans)):
        if start >= at:
            out += text[at:start] + rule.mask.render(text[start:end])
        at = max(at, end)
    return out + text[at:]


def edited(rules: RuleSet, *pieces: str) -> str:
    editor = Editor(rules)
    return "".join(map(editor.feed, pieces)) + editor.finish()


def cuts(text: str, seed: int) -> list[str]:
    """The text in pieces of one to twelve characters, empty ones among them."""
    chance = random.Random(seed)
    pieces, at = [], 0
    while at < len(text):
        size = chance.choice((0, 1, 1, 2, 3, 5, 12))
        pieces.append(text[at : at + size])
        at += size
    return pieces


def check(output: OutputRule) -> None:
    """Each example is edited as it says, and those of nothing stay: by the plain matcher and by the engine, whole,
    character by character and in random pieces, whichever hosts are allowed. Logged or halted on, the first hit is
    found where the text was first changed."""
    assert len(output.edits) >= 8
    assert len(output.misses) >= 8
    for hosts in ((), ALLOWED) if output.takes_hosts else ((),):
        rule = output.rule(Action.REDACT, hosts)
        rules = compile_rules([rule])
        for number, (text, expected) in enumerate((*output.edits, *((text, text) for text in output.misses))):
            assert plain(rule, text) == expected, text
            assert edited(rules, text) == expected, text
            assert edited(rules, *text) == expected, text
            assert edited(rules, *cuts(text, number)) == expected, text
    for action in (Action.LOG, Action.HALT):
        rules = compile_rules([output.rule(action)])
        for text in (*(text for text, _ in output.edits), *output.misses):
            scanner = Scanner(rules)
            for char in text:
                scanner.feed(char)
            scanner.finish()
            assert bool(scanner.findings()) == (text not in output.misses), (text, action)
