"""The classifier's section of a policy into settings, with every problem at the place that is to blame.

Loads the model that the section names, for what its levels mean is in its manifest: which categories it tells apart,
and which probability each operating point stands for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from guardrail.classify.detector import DetectorEntry
from guardrail.classify.folders import SHIPPED, model_folder
from guardrail.errors import ConfigProblem, ModelError
from guardrail.policy.build import DEFAULT_LABEL, Builder
from guardrail.policy.model import LevelEntry
from guardrail.policy.models import files_of, model_in
from guardrail.policy.problems import one_of
from guardrail.policy.resolve import Given, ResolvedPolicy, ResolvedRule
from guardrail.text.rules import Action
from guardrail.text.scores import CATEGORIES, ScoreRule, ScoreSettings

if TYPE_CHECKING:
    from guardrail.classify.model import Model

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
        scorer = self._scorer(fields)
        if scorer is None:
            return None
        labels = scorer.categories if isinstance(scorer, DetectorEntry) else scorer.labels
        thresholds = {} if isinstance(scorer, DetectorEntry) else scorer.thresholds
        lag_budget = _value(fields, "lag_budget", 0)
        rules: list[ScoreRule] = []
        for category in sorted(resolved.levels, key=CATEGORIES.index):
            given = resolved.levels[category]
            if category not in labels:
                message = f"found {category!r}, which {scorer.name!r} does not know, expected {one_of(labels)}"
                self._complain(given.problem(message))
                continue
            rules += self._levels(category, given, thresholds.get(category, {}), runs_ahead=lag_budget > 0)
        if not resolved.levels and not resolved.partial:
            self._complain(fields["at"].problem("found a classifier without 'categories', expected one at least"))
        if len(self.problems) > before:
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

    def _scorer(self, fields: Mapping[str, Given]) -> Model | DetectorEntry | None:
        remote = fields.get("remote")
        if remote is not None:
            entry: DetectorEntry = remote.value
            faults = entry.faults()
            for key, message in faults:
                self._complain(remote.problem(message, key))
            return None if faults else entry
        given = fields.get("model", fields["at"])
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
        self, category: str, given: Given, points: Mapping[str, float], *, runs_ahead: bool
    ) -> Iterator[ScoreRule]:
        """The levels of a category, from the highest threshold down."""
        several = isinstance(given.value, tuple)
        entries: tuple[LevelEntry, ...] = given.value if several else (given.value,)
        found: list[ScoreRule] = []
        ids: set[str] = set()
        reached: set[float] = set()
        for index, entry in enumerate(entries):
            at = Given(entry, given.document, (*given.place, index) if several else given.place)
            action = Action(entry.action)
            if action is Action.ALLOW:
                continue
            threshold = self._threshold(category, entry, at, points)
            name = f"classifier.{category}.{entry.severity}"
            if runs_ahead and action not in _RUNS_AHEAD:
                message = (
                    f"found the action {entry.action!r}, expected halt or log: with a lag budget text is delivered"
                )
                self._complain(at.problem(f"{message} before it is scored", "action"))
            if name in ids:
                message = f"found the severity {entry.severity!r} again, expected each once in a category"
                self._complain(at.problem(message, "severity"))
            if threshold in reached:
                message = "found the same threshold again, expected each once in a category"
                self._complain(at.problem(message, "at"))
            ids.add(name)
            reached.add(threshold)
            found.append(
                ScoreRule(
                    id=name,
                    category=category,
                    severity=entry.severity,
                    action=action,
                    mask=self._builder.mask(_as_rule(name, entry, at), action, DEFAULT_LABEL),
                    label=CATEGORIES.index(category),
                    at=threshold,
                )
            )
        found.sort(key=lambda rule: -rule.at)
        acts = [rule.action is not Action.LOG for rule in found]
        if sorted(acts, reverse=True) != acts:
            message = "found a level that only logs above one that acts, expected none: the highest level counts"
            self._complain(given.problem(message))
        yield from found

    def _threshold(self, category: str, entry: LevelEntry, at: Given, points: Mapping[str, float]) -> float:
        if not isinstance(entry.at, str):
            return float(entry.at)
        if entry.at not in points:
            others = f"{one_of(points)}, or " if points else ""
            message = (
                f"found the operating point {entry.at!r}, which the model does not have for {category!r}, expected "
                f"{others}a probability"
            )
            self._complain(at.problem(message, "at"))
            return 1.0
        return points[entry.at]


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
