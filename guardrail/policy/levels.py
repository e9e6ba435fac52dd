"""The classifier's section of a policy into settings, with every problem at the place that is to blame.

Loads the model that the section names, for what its levels mean is in its manifest: which categories it tells apart,
and which probability each operating point stands for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from guardrail.classify.detector import DetectorEntry
from guardrail.classify.folders import SHIPPED, model_folder
from guardrail.classify.manifest import POINTS
from guardrail.errors import ConfigProblem, ModelError
from guardrail.policy.build import DEFAULT_LABEL, Builder
from guardrail.policy.document import Place
from guardrail.policy.model import LevelEntry
from guardrail.policy.models import files_of, model_in
from guardrail.policy.problems import one_of
from guardrail.policy.resolve import Given, ResolvedPolicy, ResolvedRule
from guardrail.text.rules import Action, Label, Mask
from guardrail.text.scores import CATEGORIES, ScoreRule, ScoreSettings

if TYPE_CHECKING:
    from guardrail.classify.model import Model

_NEED_THE_REST = ("format", "labels")
"""Keys of a detector of which more is told only when nothing of it is missing."""
_RUNS_AHEAD = (Action.HALT, Action.LOG)
"""What can still be done about text that has been delivered."""


@dataclass(frozen=True, slots=True)
class Built:
    """A classifier that is complete."""

    settings: ScoreSettings
    scorer: Model | DetectorEntry


class Classifiers:
    """Builds the classifiers of one configuration; `problems` and `files` grow with each."""

    def __init__(self, builder: Builder) -> None:
        self._builder = builder
        self.problems: set[ConfigProblem] = set()
        self.files: set[Path] = set()

    def build(self, resolved: ResolvedPolicy) -> Built | None:
        """The classifier of a policy that has one; None where it has problems."""
        before = len(self.problems)
        fields = resolved.classifier
        scorer = self._scorer(fields, resolved.unsure.get("remote", frozenset()))
        labels = scorer.categories if isinstance(scorer, DetectorEntry) else scorer.labels if scorer else ()
        thresholds = {} if scorer is None or isinstance(scorer, DetectorEntry) else scorer.thresholds
        lag_budget = _value(fields, "lag_budget", 0)
        rules: list[ScoreRule] = []
        for category in sorted(resolved.levels, key=CATEGORIES.index):
            given = resolved.levels[category]
            points: Mapping[str, float] | None = None
            if category in labels:
                points = thresholds.get(category, {})
            elif scorer is not None:
                message = f"found {category!r}, which {scorer.name!r} does not know, expected {one_of(labels)}"
                self._complain(given.problem(message))
            cut = resolved.unsure.get(category, frozenset())
            rules += self._levels(category, given, points, cut, runs_ahead=lag_budget > 0)
        if not resolved.levels and not resolved.unsure_levels:
            self._complain(fields["at"].problem("found a classifier without 'categories', expected one at least"))
        if scorer is None or len(self.problems) > before:
            return None
        settings = ScoreSettings(
            model=f"{scorer.name}@{scorer.digest[:12]}",
            labels=tuple(labels),
            rules=tuple(rules),
            lag_budget=lag_budget,
            fail=_value(fields, "fail", "closed"),
            debounce=_value(fields, "debounce", 1),
            context=_value(fields, "context", "answer"),
            deadline=_value(fields, "deadline", 2.0),
        )
        return Built(settings, scorer)

    def _complain(self, problem: ConfigProblem) -> None:
        self.problems.add(problem)

    def _scorer(self, fields: Mapping[str, Given], cut: Set[Place]) -> Model | DetectorEntry | None:
        """What scores; None where it has problems. `cut`: what is missing of `remote`, and has problems of its own."""
        remote = fields.get("remote")
        if remote is not None and remote.value is UNSET:
            return None
        if remote is not None:
            entry: DetectorEntry = remote.value
            faults = [(key, message) for key, message in entry.faults() if not cut or key not in _NEED_THE_REST]
            for key, message in faults:
                self._complain(remote.problem(message, key))
            return None if faults or cut else entry
        given = fields.get("model", fields["at"])
        if given.value is UNSET:
            return None
        name = SHIPPED if given.value is None else given.value
        folder = model_folder(name, given.document.path.parent)
        self.files.update(files_of(folder))
        if not folder.is_dir():
            message = f"found the model {name!r}, expected {SHIPPED!r} or a folder: there is none at {folder}"
            self._complain(given.problem(message))
            return None
        try:
            return model_in(folder)
        except ModelError as error:
            self.problems.update(error.problems)
            return None

    def _levels(
        self, category: str, given: Given, points: Mapping[str, float] | None, cut: Set[Place], *, runs_ahead: bool
    ) -> Iterator[ScoreRule]:
        """The levels of a category, from the highest threshold down.

        `points`: None where it is not known what they stand for. `cut`: what is missing of the levels, and has
        problems of its own: nothing is told that would follow from its absence.
        """
        several = isinstance(given.value, tuple)
        entries: tuple[LevelEntry, ...] = given.value if several else (given.value,)
        found: list[ScoreRule] = []
        ids: set[str] = set()
        reached: set[float | str] = set()
        acts: list[tuple[float | str, bool]] = []
        for index, entry in enumerate(entries):
            own: Place = (index,) if several else ()
            at = Given(entry, given.document, (*given.place, *own))
            action = None if (*own, "action") in cut else Action(entry.action)
            if action is Action.ALLOW:
                continue
            name = f"classifier.{category}.{entry.severity}"
            if runs_ahead and action is not None and action not in _RUNS_AHEAD:
                message = (
                    f"found the action {entry.action!r}, expected halt or log: with a lag budget text is delivered"
                )
                self._complain(at.problem(f"{message} before it is scored", "action"))
            if (*own, "severity") not in cut:
                if name in ids:
                    message = f"found the severity {entry.severity!r} again, expected each once in a category"
                    self._complain(at.problem(message, "severity"))
                ids.add(name)
            threshold = None if (*own, "at") in cut else self._threshold(category, entry, at, points)
            if threshold is not None:
                if threshold in reached:
                    message = "found the same threshold again, expected each once in a category"
                    self._complain(at.problem(message, "at"))
                reached.add(threshold)
                if action is not None:
                    acts.append((threshold, action is not Action.LOG))
            mask: Mask = Label("")
            if action is not None and not {(*own, "with"), (*own, "mask")} & cut:
                mask = self._builder.mask(_as_rule(name, entry, at), action, DEFAULT_LABEL)
            found.append(
                ScoreRule(
                    id=name,
                    category=category,
                    severity=entry.severity,
                    action=action or Action.LOG,
                    mask=mask,
                    label=CATEGORIES.index(category),
                    at=threshold if isinstance(threshold, float) else 1.0,
                )
            )
        if any(
            _above(one, other) and not one_acts and acting for (one, one_acts), (other, acting) in permutations(acts, 2)
        ):
            message = "found a level that only logs above one that acts, expected none: the highest level counts"
            self._complain(given.problem(message))
        yield from sorted(found, key=lambda rule: -rule.at)

    def _threshold(
        self, category: str, entry: LevelEntry, at: Given, points: Mapping[str, float] | None
    ) -> float | str | None:
        """The probability; the name of an operating point where `points` is None; None, with a problem, where the
        model lacks that."""
        if not isinstance(entry.at, str):
            return float(entry.at)
        if points is None:
            return entry.at
        if entry.at not in points:
            others = f"{one_of(points)}, or " if points else ""
            message = (
                f"found the operating point {entry.at!r}, which the model does not have for {category!r}, expected "
                f"{others}a probability"
            )
            self._complain(at.problem(message, "at"))
            return None
        return points[entry.at]


def _above(one: float | str, other: float | str) -> bool:
    """Whether it can be told that one threshold is the higher one."""
    if isinstance(one, str) and isinstance(other, str):
        return POINTS.index(one) < POINTS.index(other)
    return isinstance(one, float) and isinstance(other, float) and one > other


def _value(fields: Mapping[str, Given], name: str, default: Any) -> Any:
    given = fields.get(name)
    return default if given is None else given.value


def _as_rule(name: str, entry: LevelEntry, at: Given) -> ResolvedRule:
    """A level in the shape in which masks are built."""
    fields = {
        key: Given(value, at.document, (*at.place, key))
        for key, value in (("action", entry.action), ("mask", entry.mask), ("with", entry.with_))
        if value is not UNSET
    }
    return ResolvedRule(name, at, fields)
