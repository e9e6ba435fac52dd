"""Where a term stands in a text, in every disguise that is seen through, computed plainly over the whole text: what
docs/design.md says under Hits of the terms of keyword rules, to be checked against it by eye.

Lanes and views are those of tests/lanes.py. No matching code is shared with the engine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from guardrail.text.rules import Folds, WordEdges
from tests.lanes import (
    BREAK,
    LEET,
    NOISY_LEET,
    Lane,
    Span,
    View,
    cased_lane,
    disguised,
    folded_lane,
    itself,
    leet,
    letter,
    look_lane,
    needs_edge,
    noise,
    one_alphabet,
    raw_lane,
    repeats,
    segments,
    unmarked,
)

MAX_RUN = 32
"""The most characters of a run that may stand for one."""
MIN_KEPT = 2
"""The fewest characters of a hit in a leet reading that are read as they are."""
UNDISGUISED = Folds(marks=False, lookalikes=False, simplified=False, numbers=False, leet=False)


@dataclass(frozen=True, slots=True)
class Manner:
    """How the terms of a rule are found; as it stands, as the words are that belong to patterns."""

    case_sensitive: bool = False
    edges: WordEdges = "auto"
    folds: Folds = UNDISGUISED


@dataclass(frozen=True, slots=True)
class Ends:
    """Which ends of a term need a word edge."""

    left: bool
    right: bool

    @property
    def both(self) -> bool:
        return self.left and self.right

    def hold(self, text: str, start: int, end: int) -> bool:
        left = self.left and start > 0 and needs_edge(text[start - 1])
        right = self.right and end < len(text) and needs_edge(text[end])
        return not left and not right


def ends_of(form: str, edges: WordEdges) -> Ends:
    if edges == "auto":
        return Ends(needs_edge(form[0]), needs_edge(form[-1]))
    return Ends(edges == "always", edges == "always")


def occurrences(term: str, manner: Manner, text: str) -> set[Span]:
    """The raw spans of every occurrence of the term, in all the disguises that are seen through."""
    folds = manner.folds
    if folds.exact:
        return stands(term, raw_lane(text), ends_of(term, manner.edges))
    if manner.case_sensitive:
        form = cased_lane(term).text
        return stands(form, cased_lane(text), ends_of(form, manner.edges))
    form = folded_lane(term).text
    ends = ends_of(form, manner.edges)
    plain = stands(form, folded_lane(text), ends)
    look = look_form(form, folds)
    if look is None:
        return plain
    plain |= stands(look, folded_lane(text), ends)
    return plain | {span for span in in_disguise(look, ends, folds, text) if not innocent(form, text, span)}


def look_form(form: str, folds: Folds) -> str | None:
    """What the term is in the look lane; None if it has marks that this lane drops."""
    pieces = [piece for piece, _ in segments(form)]
    if folds.marks and any(unmarked(piece) != piece for piece in pieces):
        return None
    return "".join(disguised(piece, folds) for piece in pieces)


def innocent(form: str, text: str, span: Span) -> bool:
    """Whether what looks like the Latin term is a word of another alphabet."""
    return re.search("[a-z]", form) is not None and one_alphabet(text[slice(*span)])


def stands(form: str, where: Lane, ends: Ends) -> set[Span]:
    """The raw spans at which the form stands in a lane."""
    return {where.raw(start, end) for start, end in places(form, itself(where.text), where, ends)}


def places(form: str, view: View, where: Lane, ends: Ends) -> Iterator[Span]:
    """Where the form stands in the view, with the edges that it needs in the lane that the view was made from."""
    for start in range(len(view.text) - len(form) + 1):
        end = start + len(form)
        if view.text.startswith(form, start) and ends.hold(where.text, *view.within(start, end)):
            yield start, end


def in_disguise(look: str, ends: Ends, folds: Folds, text: str) -> set[Span]:
    """The raw spans of the occurrences in the look lane, its views and its readings."""
    where = look_lane(text, folds)
    found = set(in_views(look, ends, folds, where, [where.text], [where.text], least=0))
    if folds.leet and ends.both and not any(char == "1" or char in LEET for char in look):
        read, noisy = leet(where.text, LEET), leet(where.text, NOISY_LEET)
        found.update(in_views(look, ends, folds, where, read, noisy, least=MIN_KEPT))
    return found


def in_views(
    look: str, ends: Ends, folds: Folds, where: Lane, read: Sequence[str], noisy: Sequence[str], least: int
) -> Iterator[Span]:
    """The raw spans of the occurrences in readings of a lane, in the repeats views of these, and in the noise views of
    the readings `noisy`; `least` characters of each are as the lane has them."""
    looks: list[tuple[str, View]] = [(look, itself(reading)) for reading in read]
    if folds.noise:
        looks += [(form, noise(reading)) for reading in noisy for form in noise_forms(look)]
    for form, view in looks:
        for start, end in places(form, view, where, ends):
            if kept(view, where, start, end) >= least:
                yield where.raw(*view.within(start, end))
    if folds.repeats:
        term = repeats(look)
        for view in map(repeats, read):
            for start, end in places(term.text, view, where, ends):
                enough = kept(view, where, start, end) >= least
                if enough and long_enough(term.spans, view.spans[start:end]):
                    yield where.raw(*view.within(start, end))


def noise_forms(look: str) -> set[str]:
    """What is searched for in noise views; nothing if the term is not fit for it."""
    form = noise(look).text
    if not letter(look[0]) or not letter(look[-1]) or len(form) < 2 or BREAK in form:
        return set()
    return {form, form.replace(" ", "")}


def kept(view: View, where: Lane, start: int, end: int) -> int:
    """How many alphabetic characters of the view are read as they are, or, of runs, begin so."""
    shown = zip(view.text[start:end], view.spans[start:end], strict=True)
    return sum(char.isalpha() and char == where.text[first] for char, (first, _) in shown)


def long_enough(term: Sequence[Span], runs: Sequence[Span]) -> bool:
    pairs = zip(term, runs, strict=True)
    return all(own_end - own_start <= end - start <= MAX_RUN for (own_start, own_end), (start, end) in pairs)
