"""What a lexicon may say about a single term, read from its words: category, severity, action, options, languages.

Promises: every word that means nothing is a problem with what was probably meant; the same words give the same
Traits object's value, so that terms can be grouped by it. What traits make of a rule is worked out in
`guardrail.policy.build`.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass, field
from typing import Literal, get_args

from guardrail.policy.problems import suggestion
from guardrail.text.rules import SEVERITIES, Action, Folds, Severity, WordEdges

Field = Literal["category", "severity", "action", "options", "language"]
FIELDS: tuple[Field, ...] = get_args(Field)

SWITCHES = tuple(each.name for each in dataclasses.fields(Folds) if each.name != "exact")
"""Names of the fold switches that apply to terms whose case is not told."""

_ACTIONS = tuple(action.value for action in Action if action is not Action.ALLOW)
_EDGES: tuple[WordEdges, ...] = get_args(WordEdges)
_CATEGORY = re.compile(r"[a-z][a-z0-9_]{0,63}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?")
_OPTIONS = (
    "case",
    "exact",
    *(f"edges={edges}" for edges in _EDGES),
    *SWITCHES,
    *(f"no-{name}" for name in SWITCHES),
)


@dataclass(frozen=True, slots=True)
class Traits:
    """What is said about a term; None and empty where nothing is."""

    category: str | None = None
    severity: Severity | None = None
    action: Action | None = None
    edges: WordEdges | None = None
    case: bool = False
    exact: bool = False
    folds: tuple[tuple[str, bool], ...] = ()
    """Fold switches as (name, on), by name."""
    languages: frozenset[str] = field(default=frozenset())
    """The languages that the term belongs to; empty: to every one."""

    def merged(self, other: Traits) -> Traits | None:
        """What two entries of one term say together; None when they contradict each other."""
        given = {}
        for name in ("category", "severity", "action", "edges"):
            ours, theirs = getattr(self, name), getattr(other, name)
            if None not in (ours, theirs) and ours != theirs:
                return None
            given[name] = theirs if ours is None else ours
        ours, theirs = (self.case, self.exact, self.folds), (other.case, other.exact, other.folds)
        nothing = (False, False, ())
        if nothing not in (ours, theirs) and ours != theirs:
            return None
        case, exact, folds = theirs if ours == nothing else ours
        languages = self.languages | other.languages if self.languages and other.languages else frozenset()
        return Traits(**given, case=case, exact=exact, folds=folds, languages=languages)

    def spelled(self) -> str:
        """What is said, in the words of a list; "" where nothing is."""
        folds = [name if on else f"no-{name}" for name, on in self.folds]
        edges = f"edges={self.edges}" if self.edges is not None else None
        options = [self.case and "case", self.exact and "exact", edges, *folds]
        said = [self.category, self.severity, self.action, *options, *sorted(self.languages)]
        return " ".join(str(word) for word in said if word)


PLAIN = Traits()
Fault = tuple[Field, str]
"""The field at fault, and what is wrong with it: found this, expected that."""


def read_traits(words: tuple[str, ...]) -> tuple[Traits, list[Fault]]:
    """Traits from the text of each of FIELDS, in that order; with faults, of what is right."""
    category, severity, action, options, language = words
    faults: list[Fault] = []
    if category and not _CATEGORY.fullmatch(category):
        message = f'found {category!r}, expected a category of lower-case letters, digits and "_"'
        faults.append(("category", message))
    if severity and severity not in SEVERITIES:
        faults.append(("severity", f"found {severity!r}, expected {suggestion(severity, SEVERITIES)}"))
    if action and action not in _ACTIONS:
        faults.append(("action", f"found {action!r}, expected {suggestion(action, _ACTIONS)}"))
    languages = frozenset(language.split())
    for name in sorted(languages):
        if not _LANGUAGE.fullmatch(name):
            faults.append(("language", f"found {name!r}, expected a language such as en or zh"))
    edges, chosen, folds, wrong = _read_options(options.split())
    faults += [("options", message) for message in wrong]
    if faults:
        return PLAIN, faults
    return (
        Traits(
            category or None,
            next((each for each in SEVERITIES if each == severity), None),
            Action(action) if action else None,
            edges,
            "case" in chosen,
            "exact" in chosen,
            folds,
            languages,
        ),
        [],
    )


def _read_options(
    words: list[str],
) -> tuple[WordEdges | None, set[str], tuple[tuple[str, bool], ...], list[str]]:
    edges: WordEdges | None = None
    chosen: set[str] = set()
    folds: dict[str, bool] = {}
    wrong = []
    for word in words:
        name, on = (word[3:], False) if word.startswith("no-") else (word, True)
        key, _, value = word.partition("=")
        if name in SWITCHES:
            if folds.setdefault(name, on) != on:
                wrong.append(f"found {name!r} and 'no-{name}', expected one of them")
        elif word in ("case", "exact"):
            chosen.add(word)
        elif key == "edges" and value in _EDGES:
            named = next(each for each in _EDGES if each == value)
            if edges not in (None, named):
                wrong.append(f"found 'edges={edges}' and {word!r}, expected one of them")
            edges = named
        else:
            wrong.append(f"found the unknown option {word!r}, expected {suggestion(word, _OPTIONS)}")
    for option in ("case", "exact"):
        if option in chosen and folds:
            switch = next(iter(folds))
            wrong.append(f"found {switch!r} beside {option!r}, expected one of them: {option} terms are not folded so")
    return edges, chosen, tuple(sorted(folds.items())), wrong
