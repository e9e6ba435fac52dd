"""How a text might go on so that a character in it is removed after all; the least hold-back is tested with it.

A guess proposes continuations: the rest of a term or of a pattern's match that the end of the text may have begun,
behind whatever may join or change the last character. The reference says which of them are right. Guesses may be
missing for exotic texts, but never wrong.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice

from guardrail.text.rules import Action, KeywordRule, PatternRule
from tests.expressions import NOTHING, after_all, words
from tests.lanes import cased_lane, folded_lane
from tests.reference import reference
from tests.strategies import Case

MARKS = (
    "\u0301\u0323\u0300\u0302\u0303\u0304\u0306\u0307\u0308\u030a\u030b\u030c\u0327\u0328\u0331\u0338\u0345\u3099\u309a"
)
"""Combining marks that compose with letters or that some term may hold."""
GLUES = ("", "\u200d", "\u094d", "\u0316\u0316", *MARKS, "\u1161", "\u11a8", "\u0323\u0301", "\u0302\u0301")
"""What may join or change the text's last character, or make a cluster of it and what follows."""
GUESSES = 3000
"""Continuations tried for one text."""
WORDS = 10
"""Words tried of what is left of one pattern."""


def removing_continuation(case: Case, text: str, at: int) -> str | None:
    """A continuation of `text` after which the reference removes the character at raw offset `at`; None if no
    guess is right."""
    tried: set[str] = set()
    for guess in _guesses(case, text):
        if guess not in tried and _removes(case, text + guess, at):
            return guess
        tried.add(guess)
        if len(tried) >= GUESSES:
            break
    return None


def _removes(case: Case, text: str, at: int) -> bool:
    result = reference(case.rules, text)
    if result.cut is not None and result.cut <= at:
        return True
    return any(f.action in (Action.REDACT, Action.REPLACE) and f.start <= at < f.end for f in result.findings)


def _guesses(case: Case, text: str) -> Iterator[str]:
    yield ""
    for glue in GLUES:
        yield glue
        yield from _likely(case, text, glue)
    for glue in GLUES:
        for rule in case.rules:
            if isinstance(rule, KeywordRule):
                for ending in _endings(rule.terms):
                    yield glue + ending


def _likely(case: Case, text: str, glue: str) -> Iterator[str]:
    """Endings of what the text, with the glue, ends with the beginning of."""
    for rule in case.rules:
        if isinstance(rule, KeywordRule):
            tail = (cased_lane if rule.case_sensitive else folded_lane)(text + glue).text
            for spelling in _spellings(rule.terms):
                for cut in range(len(spelling), -1, -1):
                    if tail.endswith(spelling[:cut]):
                        yield glue + spelling[cut:]
        elif isinstance(rule, PatternRule):
            tail = cased_lane(text + glue).text
            for expression in rule.expressions:
                for start in range(len(tail) + 1):
                    left = after_all(case.trees[expression], tail[start:])
                    if left != NOTHING:
                        yield from (glue + rest for rest in islice(words(left), WORDS))


@lru_cache(maxsize=64)
def _spellings(terms: tuple[str, ...]) -> tuple[str, ...]:
    """The terms as they stand in the lanes, and with their marks apart."""
    spelled: dict[str, None] = {}
    for term in terms:
        for spelling in (folded_lane(term).text, cased_lane(term).text):
            spelled[spelling] = spelled[unicodedata.normalize("NFD", spelling)] = None
    return tuple(spelled)


@lru_cache(maxsize=64)
def _endings(terms: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(s[cut:] for s in _spellings(terms) for cut in range(len(s))))
