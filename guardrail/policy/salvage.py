"""The sound part of a file that has faults, so that one wrong value does not hide what else is wrong.

What is at fault is cut out, and of a rule always the whole rule: half a rule would only give rise to complaints that
nobody can act on. What is left is for checking alone: a configuration with a problem never takes effect.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from guardrail.policy.document import Document, Place
from guardrail.policy.problems import faults

File = TypeVar("File", bound=msgspec.Struct)

_ROUNDS = 8
"""Cutting a value may leave its parent without a key that it needs; the deepest key is at level 8."""


@dataclass(frozen=True, slots=True)
class Salvage(Generic[File]):
    """What is left of a file, typed; `document` has its places; `cut`: what is gone, by its place in the file."""

    document: Document
    file: File
    cut: frozenset[Place]


def salvaged(document: Document, kind: type[File]) -> Salvage[File] | None:
    """The sound part of a document; None where too little is left to make a file of this kind."""
    cut: set[Place] = set()
    for _ in range(_ROUNDS):
        left = _without(document, cut)
        try:
            return Salvage(left, msgspec.convert(left.data, kind, strict=True), frozenset(cut))
        except msgspec.ValidationError:
            pass
        before = len(cut)
        origin = _origins(document, cut)
        cut |= {_whole_rule(origin.get(place, place)) for place, _, _ in faults(left.data, kind)}
        if () in cut or len(cut) == before:
            return None
    return None


def _whole_rule(place: Place) -> Place:
    at = 1 if place[:1] == ("input",) else 0
    return place[: at + 2] if place[at : at + 1] == ("rules",) else place


def _without(document: Document, cut: set[Place]) -> Document:
    """A copy without the values at `cut`; the places of what is left are those it has in the copy.
    What is gone, but not from a list, keeps its own."""
    out = Document(document.path, _pruned(document.data, (), cut))
    for place, origin in _walk(document.data, (), (), cut):
        for into, given in ((out.values, document.values), (out.keys, document.keys)):
            if origin in given:
                into[place] = given[origin]
    for into, given in ((out.values, document.values), (out.keys, document.keys)):
        for place, at in given.items():
            if all(isinstance(step, str) for step in place):  # so no other value can have it
                into.setdefault(place, at)
    return out


def _origins(document: Document, cut: set[Place]) -> dict[Place, Place]:
    return dict(_walk(document.data, (), (), cut))


def _pruned(value: Any, origin: Place, cut: set[Place]) -> Any:
    if isinstance(value, dict):
        return {key: _pruned(inner, (*origin, key), cut) for key, inner in value.items() if (*origin, key) not in cut}
    if isinstance(value, list):
        return [
            _pruned(inner, (*origin, index), cut) for index, inner in enumerate(value) if (*origin, index) not in cut
        ]
    return value


def _walk(value: Any, place: Place, origin: Place, cut: set[Place]) -> list[tuple[Place, Place]]:
    """(place in the copy, place in the file) of everything that is left."""
    out = [(place, origin)]
    if isinstance(value, dict):
        for key, inner in value.items():
            if (*origin, key) not in cut:
                out += _walk(inner, (*place, key), (*origin, key), cut)
    elif isinstance(value, list):
        kept = [index for index in range(len(value)) if (*origin, index) not in cut]
        for index, old in enumerate(kept):
            out += _walk(value[old], (*place, index), (*origin, old), cut)
    return out
