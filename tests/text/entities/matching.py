"""What the engine must find, by a plain matcher over the whole text, and both of them asked about an entity.

The plain matcher folds by NFKC, takes dashes, apostrophes and digits of any script for the ASCII ones, and drops
zero-width characters; a match is reported as folded text. It measures the distance to a context word in folded text.
"""

from __future__ import annotations

import re
import string
import unicodedata
from functools import cache

import re2

from guardrail.text.entities import Entity
from guardrail.text.rules import Action, Finding
from guardrail.text.scanner import RuleSet, Scanner, compile_rules
from guardrail.text.scripts import is_word

_WORD = frozenset(string.ascii_letters + string.digits + "_")
_EDGES = {
    "none": frozenset[str](),
    "digit": frozenset(string.digits),
    "number": frozenset(string.digits + "."),
    "word": _WORD,
    "newline": frozenset("\n"),
}


_SAME = {
    0x200B: "",
    **dict.fromkeys((*range(0x2010, 0x2016), 0x2212), "-"),
    **dict.fromkeys((0x2018, 0x2019, 0x201B), "'"),
}


def fold(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).translate(_SAME)
    return "".join(str(unicodedata.decimal(char, char)) for char in text)


@cache
def _compiled(expression: str) -> re2._Regexp:
    options = re2.Options()
    options.longest_match = True
    return re2.compile(expression, options)


def context_ends(entity: Entity, text: str) -> list[int]:
    """Where the context words in a folded text end. A word edge is where no letter of a script with spaces is."""
    ends = []
    for word in entity.context:
        for match in re.finditer(re.escape(fold(word)), text, re.IGNORECASE):
            start, end = match.span()
            left, right = text[max(0, start - 1) : start + 1], text[end - 1 : end + 1]
            if not (len(left) == 2 and all(map(is_word, left))) and not (len(right) == 2 and all(map(is_word, right))):
                ends.append(end)
    return ends


def plain(entity: Entity, text: str) -> list[str]:
    """The matches of an entity: leftmost-longest for each expression, rejected ones retried a character later."""
    text = fold(text)
    ends = context_ends(entity, text)
    spans = set()
    count = len(entity.expressions)
    for expression, left, right, accept, contextual in zip(
        entity.expressions,
        (entity.left,) * count if isinstance(entity.left, str) else entity.left,
        (entity.right,) * count if isinstance(entity.right, str) else entity.right,
        entity.accept if isinstance(entity.accept, tuple) else (entity.accept,) * count,
        (entity.contextual,) * count if isinstance(entity.contextual, bool) else entity.contextual,
        strict=True,
    ):
        compiled = _compiled(expression)
        at = 0
        while (match := compiled.search(text, at)) is not None:
            start, end = match.span()
            beside = text[max(0, start - 1) : start], text[end : end + 1]
            real = (
                beside[0] not in _EDGES[left]
                and beside[1] not in _EDGES[right]
                and (accept is None or accept(text[start:end]))
                and (not contextual or any(0 <= start - word <= entity.within for word in ends))
            )
            if real:
                spans.add((start, end))
                at = end
            else:
                at = start + 1
    return [text[start:end] for start, end in sorted(spans)]


def scan(rules: RuleSet, text: str, size: int) -> list[Finding]:
    """The findings when the text comes in pieces of `size` characters."""
    scanner = Scanner(rules)
    for at in range(0, len(text), size):
        scanner.feed(text[at : at + size])
    scanner.finish()
    return scanner.findings()


def check(entity: Entity, found: tuple[str, ...]) -> None:
    """Each example hit holds just the raw text given for it in `found`, each example miss nothing: for the plain
    matcher and for the engine, whole and character by character, logging, redacting and halting."""
    assert len(entity.hits) >= 8
    assert len(entity.misses) >= 8
    rules = {action: compile_rules([entity.rule(action)]) for action in (Action.LOG, Action.REDACT, Action.HALT)}
    expected = list(zip(entity.hits, found, strict=True)) + [(text, None) for text in entity.misses]
    for text, part in expected:
        spans = [] if part is None else [(text.index(part), text.index(part) + len(part))]
        assert plain(entity, text) == ([] if part is None else [fold(part)]), text
        for action in (Action.LOG, Action.REDACT):
            for size in (len(text), 1):
                findings = scan(rules[action], text, size)
                assert [(f.start, f.end) for f in findings] == spans, (text, action, size)
        for size in (len(text), 1):
            findings = scan(rules[Action.HALT], text, size)
            assert [f.start for f in findings] == [start for start, _ in spans], (text, size)
            assert all(f.end <= end for f, (_, end) in zip(findings, spans, strict=True)), (text, size)
