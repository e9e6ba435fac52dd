"""Which piece of a rule the engine does not take: a term, an expression, an allow-phrase, at its own place.

The engine refuses a rule as a whole. Here it is given the pieces alone, by halves, so that of a list of 100,000 terms
the few that are wrong are found without compiling each.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from msgspec import UNSET

from guardrail.errors import ConfigProblem, RuleError
from guardrail.policy.resolve import SOURCES, ResolvedRule
from guardrail.policy.shelf import Shelf
from guardrail.text.rules import KeywordRule, NearRule, PatternRule, Rule
from guardrail.text.scanner import compile_rules

Side = Literal["first", "second"]
NEAR_SIDES: tuple[Side, ...] = ("first", "second")


@dataclass(frozen=True, slots=True)
class Pieces:
    """Pieces of a rule that can be wrong on their own, all of one kind."""

    count: int
    rule: Callable[[int, int], Rule]
    """A rule made of the pieces from one index to another alone."""
    at: Callable[[int], ConfigProblem]
    """Where a piece stands; the message is not used."""


def blamed(resolved: ResolvedRule, rule: Rule, shelf: Shelf) -> Iterator[ConfigProblem]:
    """A problem for each piece of `rule`, made from `resolved`, that the engine does not take."""
    for pieces in _pieces(resolved, rule, shelf):
        for index, message in _culprits(pieces, 0, pieces.count):
            yield dataclasses.replace(pieces.at(index), message=message)


def _pieces(resolved: ResolvedRule, rule: Rule, shelf: Shelf) -> Iterator[Pieces]:
    alone = dataclasses.replace(rule, allow=())
    word = alone
    match alone:
        case PatternRule():
            given = next(resolved.fields[name] for name in SOURCES if name in resolved.fields)
            listed = isinstance(given.value, tuple)
            yield Pieces(
                len(alone.expressions),
                partial(_part_of_pattern, alone),
                lambda index: given.problem("", *((index,) if listed else ())),
            )
        case KeywordRule():
            places, terms = _places(resolved, shelf), alone.terms
            yield Pieces(
                len(terms),
                lambda first, last: dataclasses.replace(alone, terms=terms[first:last]),
                lambda index: places[terms[index]],
            )
            word = dataclasses.replace(alone, terms=("a",))
        case NearRule():
            word = dataclasses.replace(alone, first=("a",), second=("b",))
            for side in NEAR_SIDES:
                yield _near_pieces(resolved, alone, side, shelf)
    yield _allow_pieces(resolved, word, rule.allow, shelf)


def _near_pieces(resolved: ResolvedRule, rule: NearRule, side: Side, shelf: Shelf) -> Pieces:
    near = resolved.fields["near"]
    words = rule.first if side == "first" else rule.second
    name = getattr(near.value, f"{side}_lexicon")
    lexicon = None if name is UNSET else shelf.lexicon(near, name, f"{side}_lexicon")
    places = {} if lexicon is None else {t: p for terms in lexicon.groups.values() for t, p in terms.items()}

    def part(first: int, last: int) -> Rule:
        some, one = words[first:last], ("a",)
        if side == "first":
            return dataclasses.replace(rule, first=some, second=one)
        return dataclasses.replace(rule, first=one, second=some)

    def at(index: int) -> ConfigProblem:
        return near.problem("", side, index) if lexicon is None else lexicon.at(places[words[index]])

    return Pieces(len(words), part, at)


def _allow_pieces(resolved: ResolvedRule, word: Rule, phrases: tuple[str, ...], shelf: Shelf) -> Pieces:
    own = resolved.get("allow", ())
    listed = {phrase: lexicon.at(at) for lexicon in shelf.of(resolved) for phrase, at in lexicon.allow.items()}

    def at(index: int) -> ConfigProblem:
        phrase = phrases[index]
        return resolved.fields["allow"].problem("", own.index(phrase)) if phrase in own else listed[phrase]

    return Pieces(len(phrases), lambda first, last: dataclasses.replace(word, allow=phrases[first:last]), at)


def _places(resolved: ResolvedRule, shelf: Shelf) -> dict[str, ConfigProblem]:
    """Where each term of a rule stands; for a form that a list is expanded to, where its term does."""
    places: dict[str, ConfigProblem] = {}
    for index, term in enumerate(resolved.get("keywords", ())):
        for form in shelf.forms(resolved, (term,)):
            places.setdefault(form, resolved.fields["keywords"].problem("", index))
    for lexicon in shelf.of(resolved):
        for terms in lexicon.groups.values():
            for term, place in terms.items():
                for form in shelf.forms(resolved, (term,)):
                    places.setdefault(form, lexicon.at(place))
    return places


def _part_of_pattern(rule: PatternRule, first: int, last: int) -> PatternRule:
    """The rule with some of its expressions, and what is said about those."""

    def part(value: Any) -> Any:
        return value[first:last] if isinstance(value, tuple) else value

    return dataclasses.replace(
        rule,
        expressions=rule.expressions[first:last],
        left=part(rule.left),
        right=part(rule.right),
        accept=part(rule.accept),
        contextual=part(rule.contextual),
    )


def _culprits(pieces: Pieces, first: int, last: int) -> Iterator[tuple[int, str]]:
    """(index, what is wrong) for each piece that the engine does not take alone. By halves: a list may be long."""
    if first == last:
        return
    try:
        compile_rules([pieces.rule(first, last)])
    except RuleError as error:
        if last - first == 1:
            yield first, error.message
        else:
            middle = (first + last) // 2
            yield from _culprits(pieces, first, middle)
            yield from _culprits(pieces, middle, last)
