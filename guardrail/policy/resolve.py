"""Policies with `extends` worked out: for each, its own settings and rules over those of its parents.

What a policy gives overrides what its parents give, field by field; rules meet by id. A rule that is given a new
source (keywords, lexicon, pattern) leaves behind what its parent said about the old one: case, edges, examples.
Every field keeps the place it was written at, so that whatever is wrong with it later is reported there.

Never looks at what a field means beyond this file's own rules about which fields go together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec import UNSET

from guardrail.errors import ConfigProblem
from guardrail.policy.document import Document, Place
from guardrail.policy.load import BUILT_IN, Loaded, parents_of
from guardrail.policy.model import ClassifierEntry, InputEntry, PolicyFile, RuleEntry
from guardrail.policy.problems import one_of, suggestion

KINDS = (("entity",), ("keywords", "lexicon"), ("pattern", "patterns"), ("near",), ("protect",), ("output",))
"""The kinds of rule, each by the keys that say what it finds."""
SOURCES = tuple(name for names in KINDS for name in names)
_OF_SOURCE = (*SOURCES, "case", "edges", "fold", "languages", "expand", "term_actions", "edge", "hosts", "examples")
_NOT_INHERITED = ("policy", "extends", "rules", "classifier", "input")
_SCORERS = ("model", "remote")
"""Keys of a classifier of which the later one stands in the place of the other."""


@dataclass(frozen=True, slots=True)
class Given:
    """A value and where it was written."""

    value: Any
    document: Document
    place: Place

    def problem(self, message: str, *below: str | int) -> ConfigProblem:
        return self.document.problem((*self.place, *below), message)


@dataclass(slots=True)
class ResolvedRule:
    """A rule with the fields of every policy that spoke of it; `at`: where the last one did."""

    id: str
    at: Given
    fields: dict[str, Given] = field(default_factory=dict)

    def get(self, name: str, default: Any = None) -> Any:
        given = self.fields.get(name)
        return default if given is None else given.value


@dataclass(slots=True)
class ResolvedPolicy:
    """A policy, or its section `input`, with what its parents say."""

    name: str
    at: Given
    settings: dict[str, Given] = field(default_factory=dict)
    rules: dict[str, ResolvedRule] = field(default_factory=dict)
    classifier: dict[str, Given] = field(default_factory=dict)
    """The fields of the classifier's section but for `categories`."""
    levels: dict[str, Given] = field(default_factory=dict)
    """The levels of each category."""
    unsure: dict[str, frozenset[Place]] = field(default_factory=dict)
    """Of the levels of each category, and of `remote`, what has problems of its own and is missing: places in them."""
    partial: bool = False
    """Whether something is missing, here or in a parent, that has problems of its own."""
    unsure_levels: bool = False
    """Whether what is missing may have had levels of the classifier."""
    input: ResolvedPolicy | None = None
    """The section for requests, in a policy that has one."""


class Resolver:
    """Works out the policies of one configuration; `problems` grows as they are asked for."""

    def __init__(self, policies: Mapping[str, Loaded[PolicyFile]], known: set[str]) -> None:
        self._policies = policies
        self._known = known | set(policies)
        self._done: dict[str, ResolvedPolicy | None] = {}
        self._open: list[str] = []
        self.problems: set[ConfigProblem] = set()

    def policy(self, name: str) -> ResolvedPolicy | None:
        """The policy worked out, as far as it and its parents can be; None where there is none to work out."""
        if name not in self._done:
            self._open.append(name)
            self._done[name] = self._resolve(name)
            self._open.pop()
        return self._done[name]

    def _resolve(self, name: str) -> ResolvedPolicy | None:
        loaded = self._policies.get(name)
        if loaded is None:
            return None
        resolved = ResolvedPolicy(name, Given(name, loaded.document, ("policy",)), partial=bool(loaded.cut))
        unsure = unsure_levels = any(place[0] == "extends" for place in loaded.cut)
        listed = isinstance(loaded.file.extends, tuple)
        for index, parent in enumerate(parents_of(loaded.file)):
            place: Place = ("extends", index) if listed else ("extends",)
            above = self._parent(loaded, parent, place)
            if above is None or above.partial:
                unsure = resolved.partial = True
            if above is None or above.unsure_levels or (above.input is not None and above.input.unsure_levels):
                unsure_levels = True
            if above is None:
                continue
            _inherit(resolved, above)
            if above.input is not None:
                resolved.input = resolved.input or ResolvedPolicy(name, above.input.at)
                _inherit(resolved.input, above.input)
        self._section(loaded, loaded.file, resolved, (), unsure=unsure)
        if loaded.file.input is not UNSET:
            resolved.input = resolved.input or ResolvedPolicy(name, resolved.at)
            resolved.input.at = Given(None, loaded.document, ("input",))
            self._section(loaded, loaded.file.input, resolved.input, ("input",), unsure=unsure)
        resolved.unsure_levels = unsure_levels or _lost_levels(loaded.cut, ())
        if resolved.input is not None:
            resolved.input.partial = resolved.partial
            resolved.input.unsure_levels = unsure_levels or _lost_levels(loaded.cut, ("input",))
        return resolved

    def _section(
        self,
        loaded: Loaded[PolicyFile],
        entry: PolicyFile | InputEntry,
        resolved: ResolvedPolicy,
        place: Place,
        *,
        unsure: bool,
    ) -> None:
        """Lay over what the parents say what one file says, of answers or of requests."""
        document = loaded.document
        for key, value in _given(entry):
            if key not in _NOT_INHERITED:
                resolved.settings[key] = Given(value, document, (*place, key))
        if entry.classifier is not UNSET:
            self._classifier(loaded, entry.classifier, resolved, (*place, "classifier"))
        self._rules(document, entry.rules, resolved, (*place, "rules"), unsure=unsure)

    def _classifier(
        self, loaded: Loaded[PolicyFile], entry: ClassifierEntry, resolved: ResolvedPolicy, place: Place
    ) -> None:
        document = loaded.document
        own = {key: Given(value, document, (*place, key)) for key, value in _given(entry)}
        own.pop("categories", None)
        deep = len(place)
        cut = {gone[deep:] for gone in loaded.cut if gone[:deep] == place and len(gone) > deep}
        for key in {gone[0] for gone in cut} & {*_SCORERS}:
            own.setdefault(str(key), Given(UNSET, document, (*place, key)))
        if "remote" in own:
            resolved.unsure["remote"] = frozenset(gone[1:] for gone in cut if gone[0] == "remote")
        if all(key in own for key in _SCORERS):
            self.problems.add(own["remote"].problem("found 'model' and 'remote' in one classifier, expected one"))
        own.setdefault("at", Given(None, document, place))
        _over(resolved.classifier, own)
        if entry.categories is not UNSET:
            for name, levels in _given(entry.categories):
                resolved.levels[name] = Given(levels, document, (*place, "categories", name))
                resolved.unsure[name] = _as_left(gone[2:] for gone in cut if gone[:2] == ("categories", name))

    def _parent(self, loaded: Loaded[PolicyFile], parent: str, place: Place) -> ResolvedPolicy | None:
        if parent in self._open:
            circle = " → ".join([*self._open[self._open.index(parent) :], parent])
            self.problems.add(loaded.document.problem(place, f"found a circle of policies, expected none: {circle}"))
            return None
        if parent not in self._known:
            others = sorted(self._known - {loaded.file.policy})
            message = f"found the unknown policy {parent!r}, expected {suggestion(parent, others)}"
            self.problems.add(loaded.document.problem(place, message))
        return self.policy(parent)

    def _rules(
        self,
        document: Document,
        entries: tuple[RuleEntry, ...],
        resolved: ResolvedPolicy,
        place: Place,
        *,
        unsure: bool,
    ) -> None:
        """`unsure`: there may be rules of a parent that are not known here."""
        seen: set[str] = set()
        for index, entry in enumerate(entries):
            at = Given(entry, document, (*place, index))
            problems = list(_entry_problems(entry, at))
            self.problems.update(problems)
            rule_id = _id_of(entry)
            if rule_id is None:
                continue
            if rule_id in seen:
                continue  # told of when the file was read
            seen.add(rule_id)
            parent = resolved.rules.get(rule_id)
            given = dict(_given(entry))
            given.pop("id", None)
            if "entity" in given:  # other tools spell the names in capitals
                given["entity"] = given["entity"].lower()
            sourced = any(source in given for source in SOURCES)
            if parent is None and unsure and not (sourced and "action" in given):
                continue  # the parent's rule may say the rest
            if parent is None and not sourced:
                message = f"found the rule {rule_id!r} with nothing to find, expected {one_of(SOURCES)}"
                if resolved.rules:
                    message += f", or the id of a rule of a parent: {suggestion(rule_id, resolved.rules)}"
                self.problems.add(at.problem(message, "id"))
                continue
            fields = dict(parent.fields) if parent is not None else {}
            renewed = sourced and not _same_built_in(fields, given)
            if renewed:
                for key in _OF_SOURCE:
                    fields.pop(key, None)
            for key, value in given.items():
                fields[key] = Given(value, document, (*at.place, key))
            resolved.rules[rule_id] = ResolvedRule(rule_id, at, fields)


def _inherit(resolved: ResolvedPolicy, above: ResolvedPolicy) -> None:
    resolved.settings |= above.settings
    resolved.rules |= above.rules
    resolved.levels |= above.levels
    resolved.unsure |= above.unsure
    _over(resolved.classifier, above.classifier)


def _lost_levels(cut: Iterable[Place], section: Place) -> bool:
    """Whether levels of a section's classifier may be among what was cut out."""
    at = (*section, "classifier")
    return any(place in ((), section, at) or place[: len(at) + 1] == (*at, "categories") for place in cut)


def _as_left(cut: Iterable[Place]) -> frozenset[Place]:
    """Places of a category's levels that were cut out, as the levels are counted that are left."""
    places = list(cut)
    gone = [place[0] for place in places if len(place) == 1 and isinstance(place[0], int)]

    def moved(step: str | int) -> str | int:
        return step if isinstance(step, str) else step - sum(other < step for other in gone)

    return frozenset((moved(place[0]), *place[1:]) for place in places if place and place[0] not in gone)


def _over(fields: dict[str, Given], own: Mapping[str, Given]) -> None:
    """Lay a classifier's fields over those of a parent."""
    if any(key in own for key in _SCORERS):
        for key in _SCORERS:
            fields.pop(key, None)
    fields |= own


def _id_of(entry: RuleEntry) -> str | None:
    """The id of the rule that an entry speaks of."""
    if entry.id is not UNSET:
        return entry.id
    given = dict(_given(entry))
    return next((f"{kind}.{given[kind].lower()}" for kind in BUILT_IN if kind in given), None)


def _same_built_in(fields: Mapping[str, Given], given: Mapping[str, Any]) -> bool:
    """Naming an entity again is how its rule is spoken of; it is no new source."""
    return any(kind in given and kind in fields and fields[kind].value == given[kind] for kind in BUILT_IN)


def _given(struct: msgspec.Struct) -> Iterator[tuple[str, Any]]:
    """The fields that were written, by their name in the file."""
    for name, encoded in zip(struct.__struct_fields__, struct.__struct_encode_fields__, strict=True):
        value = getattr(struct, name)
        if value is not UNSET:
            yield encoded, value


def _entry_problems(entry: RuleEntry, at: Given) -> Iterator[ConfigProblem]:
    """Fields of one entry that do not go together."""
    given = dict(_given(entry))
    if _id_of(entry) is None:
        yield at.problem("found a rule without a key 'id', 'entity' or 'output', expected one")
    for kind, whose in (("entity", "an entity's"), ("output", "this")):
        if kind in given and given.get("id", own := f"{kind}.{given[kind].lower()}") != own:
            yield at.problem(f"found the id {entry.id!r}, expected none: {whose} rule is {own!r}", "id")
    kinds = [[name for name in names if name in given] for names in KINDS]
    kinds = [names for names in kinds if names]
    if len(kinds) > 1:
        yield at.problem(
            f"found {kinds[0][0]!r} and {kinds[1][0]!r} in one rule, expected one kind of source", kinds[1][0]
        )
    if "pattern" in given and "patterns" in given:
        yield at.problem("found 'pattern' and 'patterns' in one rule, expected one of them", "patterns")
    action = given.get("action")
    for key, wanted in (("mask", "redact"), ("with", "replace")):
        # The terms of a lexicon may have actions of their own.
        if key in given and action not in (None, wanted) and "lexicon" not in given:
            yield at.problem(f"found {key!r} beside the action {action!r}, expected it only with {wanted!r}", key)
