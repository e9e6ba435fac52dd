"""How a text might go on so that a character in it is removed after all; the least hold-back is tested with it.

A guess proposes continuations: the rest of a term or of a pattern's match that the end of the text may have begun,
behind whatever may join or change the last character or close mark-up; and the words that near rules want. The
reference says which of them are right. Guesses may be missing for exotic texts, but never wrong.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice

from guardrail.text.rules import Action, KeywordRule, NearRule, PatternRule, Rule
from tests.expressions import NOTHING, after_all, words
from tests.lanes import LEET, NOISY_LEET, cased_lane, folded_lane, leet, look_lane, noise, repeats
from tests.occurrences import Manner, look_form, noise_forms
from tests.reference import manner_of, reference
from tests.strategies import Case, words_of

MARKS = (
    "\u0301\u0323\u0300\u0302\u0303\u0304\u0306\u0307\u0308\u030a\u030b\u030c\u0327\u0328\u0331\u0338\u0345\u3099\u309a"
)
"""Combining marks that compose with letters or that some term may hold."""
GLUES = ("", "\u200d", "\u094d", "\u0316\u0316", *MARKS, "\u1161", "\u11a8", "\u0323\u0301", "\u0302\u0301")
"""What may join or change the text's last character, or make a cluster of it and what follows."""
CLOSERS = (">", "b>", ";", "b;", "1;", "#1;")
"""What closes a tag or an entity that is open."""
BETWEEN = ("", "-", " ")
"""What may stand between two letters of a word, or two words."""
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
    for glue in (*GLUES, *CLOSERS):
        yield glue
        yield from _likely(case, text, glue)
    for glue in GLUES:
        for rule in case.rules:
            if isinstance(rule, KeywordRule):
                yield from (glue + ending for ending in _endings(rule.terms))


def _likely(case: Case, text: str, glue: str) -> Iterator[str]:
    """Endings of what the text, with the glue, ends with the beginning of; with a near word behind, if one is due."""
    for rule in case.rules:
        if isinstance(rule, PatternRule):
            tail = text + glue if rule.lane == "raw" else cased_lane(text + glue).text
            for expression in rule.expressions:
                for start in range(len(tail) + 1):
                    left = after_all(case.trees[expression], tail[start:])
                    if left != NOTHING:
                        yield from (glue + rest for rest in islice(words(left), WORDS))
        else:
            endings = list(dict.fromkeys(_rests(rule, text + glue)))
            yield from (glue + ending for ending in endings)
            if isinstance(rule, NearRule):
                for ending in endings:
                    yield from (glue + ending + between + word for between in BETWEEN for word in words_of(rule))


def _rests(rule: Rule, text: str) -> Iterator[str]:
    """What is left of words that the text ends with the beginning of, written plainly or with something between."""
    for tail, spelled in _readings(words_of(rule), manner_of(rule), text):
        for units in spelled:
            heads = "".join(unit[0] for unit in units)
            for cut in range(len(units), -1, -1):
                if tail.endswith(heads[:cut]):
                    yield from ("".join(between + unit for unit in units[cut:]) for between in BETWEEN)
                    if cut and len(units[cut - 1]) > 1:
                        yield "".join(units[cut - 1 :])


Units = tuple[str, ...]
"""A word in pieces, each of them one character or a run of one."""


def _readings(terms: tuple[str, ...], manner: Manner, text: str) -> Iterator[tuple[str, tuple[Units, ...]]]:
    """What the text says in each lane, view and reading that the words are looked for in, and how they are spelled
    there."""
    folds = manner.folds
    if folds.exact:
        yield text, tuple(map(tuple, terms))
        return
    plain = (cased_lane if manner.case_sensitive else folded_lane)(text).text
    yield plain, tuple(map(tuple, _spellings(terms)))
    if manner.case_sensitive:
        return
    looks = [look for look in (look_form(folded_lane(term).text, folds) for term in terms) if look is not None]
    where = look_lane(text, folds).text
    read = (where, *leet(where, LEET)) if folds.leet else (where,)
    noisy = (where, *leet(where, NOISY_LEET)) if folds.leet else (where,)
    for reading in read:
        yield reading, tuple(map(tuple, looks))
        if folds.repeats:
            runs = tuple(tuple(look[a:b] for a, b in repeats(look).spans) for look in looks)
            yield repeats(reading).text, runs
    if folds.noise:
        forms = tuple(tuple(form) for look in looks for form in sorted(noise_forms(look)))
        for reading in noisy:
            yield noise(reading).text, forms


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
