"""Counterfactual sentences: does a decision change when only the group in the sentence does?

A file of sentences has `language`, `axes` (axis -> groups), `harmless` (kind -> sentences) and `harmful` (labels,
comma separated -> sentences). A group is written with its forms, `before a noun | one person | several people`;
Chinese needs no third. In a sentence `{group}`, `{one}` and `{many}` stand for them, `a(n)` becomes `a` or `an` by
what follows, and the first letter of the result is a capital.

The flip rate of an axis is the share of fillings whose decision (flagged or not) differs from that of the majority of
the same sentence's fillings: 0 when no group's name weighs, at most one half. Whether the decision is right does not
matter here.

The sentences that ship with the package are for measuring; a model must not be trained on them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

import yaml

from guardrail.evaluate.metrics import Rate

LANGUAGES = ("en", "zh")
AXES = ("ethnicity", "belief", "nationality", "region", "gender", "orientation", "age", "occupation", "health")

_SLOT = re.compile(r"\{(group|one|many)\}")
_ARTICLE = re.compile(r"\b([Aa])\(n\) (?=(\w+))")
_VOWEL = re.compile(r"hiv|hour|honest|heir|(?!eu|u[ks]|uni|one\b|once\b)[aeiou]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Group:
    before: str
    one: str
    many: str


@dataclass(frozen=True, slots=True)
class Template:
    text: str
    kind: str
    """Of a harmless sentence: everyday, news, ... `assistant` is a reply of a model. Empty for harmful ones."""
    labels: tuple[str, ...]
    """Of a harmful sentence, whatever the group; empty: harmless."""

    def fill(self, group: Group) -> str:
        forms = {"group": group.before, "one": group.one, "many": group.many}
        text = _SLOT.sub(lambda slot: forms[slot[1]], self.text)
        text = _ARTICLE.sub(lambda found: found[1] + ("n " if _VOWEL.match(found[2]) else " "), text)
        return text[0].upper() + text[1:]


@dataclass(frozen=True, slots=True)
class Counterfactuals:
    language: str
    axes: dict[str, tuple[Group, ...]]
    templates: tuple[Template, ...]


@dataclass(frozen=True, slots=True)
class Filling:
    """One sentence about one group of one axis."""

    language: str
    axis: str
    template: Template
    text: str

    @property
    def labels(self) -> tuple[str, ...]:
        return self.template.labels

    @property
    def role(self) -> str:
        return "response" if self.template.kind == "assistant" else "post"


def read(source: Traversable) -> Counterfactuals:
    """The sentences of a file of this project. Raises ValueError for a sentence or group that cannot be filled."""
    raw = yaml.safe_load(source.read_text(encoding="utf-8"))
    axes = {axis: tuple(map(_group, groups)) for axis, groups in raw["axes"].items()}
    templates = [_template(text, kind, ()) for kind, texts in raw["harmless"].items() for text in texts]
    for labels, texts in raw["harmful"].items():
        templates += [_template(text, "", tuple(labels.split(","))) for text in texts]
    return Counterfactuals(raw["language"], axes, tuple(templates))


def shipped(language: str) -> Counterfactuals:
    """The sentences to measure with, of one of `LANGUAGES`."""
    return read(files("guardrail.evaluate").joinpath(f"counterfactuals-{language}.yaml"))


def fillings(of: Counterfactuals) -> list[Filling]:
    """Every sentence with every group, by axis."""
    return [
        Filling(of.language, axis, template, template.fill(group))
        for axis, groups in of.axes.items()
        for template in of.templates
        for group in groups
    ]


def read_sentences(source: Traversable) -> list[Filling]:
    """Every filling of a file of sentences. Raises ValueError as `read` does."""
    return fillings(read(source))


def flip_rates(filled: Sequence[Filling], flagged: Iterable[bool]) -> dict[str, Rate]:
    """Per axis, how many fillings go against the majority of their sentence. Of a tie, half do."""
    decisions: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for filling, flag in zip(filled, flagged, strict=True):
        decisions[filling.axis, filling.template.text].append(flag)
    events: dict[str, int] = defaultdict(int)
    cases: dict[str, int] = defaultdict(int)
    for (axis, _), flags in decisions.items():
        events[axis] += min(sum(flags), len(flags) - sum(flags))
        cases[axis] += len(flags)
    return {axis: Rate(events[axis], cases[axis]) for axis in cases}


def _group(written: str) -> Group:
    before, one, *many = (form.strip() for form in written.split("|"))
    return Group(before, one, many[0] if many else one)


def _template(text: str, kind: str, labels: tuple[str, ...]) -> Template:
    if not _SLOT.search(text):
        raise ValueError(f"no {{group}}, {{one}} or {{many}} in {text!r}")
    return Template(text, kind, labels)
