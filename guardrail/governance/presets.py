"""Presets: the duties of a law, the settings that serve each, and what is left to the operator. Pure.

A preset is a file that `guardrail.yaml` names (`presets: [eu-ai-act]`). Its terms lie beneath those of `guardrail.yaml`
and of tenants; its bounds hold for whatever they say. Promises: where two presets bound one setting, the stricter bound
holds; where they disagree and no bound decides, it is a problem until `guardrail.yaml` itself says what holds; a value
beyond a bound that somebody wrote is a problem, never changed in silence.

A preset is a mapping of duties to settings, made in good faith from the public texts. It is no legal advice, and no
preset of this project serves a clause on political content.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
import msgspec.inspect
from msgspec import Meta, Struct

from guardrail.governance.terms import Terms, merged
from guardrail.settings import Name, Settings

Sentence = Annotated[str, Meta(min_length=1, max_length=2000)]
Bound = Annotated[
    str,
    Meta(
        pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$(?!\n)",
        title="the way to a setting, such as audit.retention_days",
    ),
]
Place = tuple[str | int, ...]


class Source(Struct, frozen=True, forbid_unknown_fields=True):
    """A text that a preset was made from."""

    name: Annotated[Sentence, Meta(description="The text, with its date.")]
    url: Annotated[
        str, Meta(pattern=r"^https://[^\s]+$(?!\n)", title="an https address", description="Where it can be read.")
    ]


class DutyEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """One duty of a preset."""

    id: Annotated[Name, Meta(description="Name of the duty, unique in its preset.")]
    articles: Annotated[
        Annotated[tuple[Sentence, ...], Meta(min_length=1)], Meta(description="The laws and articles that ask for it.")
    ]
    asks: Annotated[Sentence, Meta(description="What it asks, in a sentence.")]
    operator: Annotated[Sentence, Meta(description="What is left to the operator.")]
    settings: Annotated[
        tuple[Sentence, ...],
        Meta(description="What serves it: settings, policies, endpoints and commands. None: the operator alone."),
    ] = ()
    checks: Annotated[
        tuple[Name, ...], Meta(description="What `guardrail evidence` tries to show it. None: nothing can be tried.")
    ] = ()


class PresetFile(Struct, frozen=True, forbid_unknown_fields=True):
    """A file in the folder `presets`: the duties of a law, and the settings that serve them."""

    preset: Annotated[Name, Meta(description="Name of the preset.")]
    title: Annotated[Sentence, Meta(description="The laws it is about.")]
    as_of: Annotated[
        str,
        Meta(
            pattern=r"^\d{4}-\d{2}-\d{2}$(?!\n)",
            title="a date such as 2026-07-01",
            description="When the texts were read; what came after is not in it.",
        ),
    ]
    notice: Annotated[
        Sentence,
        Meta(description="What must be known before relying on it: that it is no legal advice, what is left out."),
    ]
    sources: Annotated[tuple[Source, ...], Meta(description="The texts it was made from.")]
    duties: Annotated[Annotated[tuple[DutyEntry, ...], Meta(min_length=1)], Meta(description="The duties.")]
    not_covered: Annotated[tuple[Sentence, ...], Meta(description="Duties of the same laws that it does not serve.")]
    terms: Annotated[Terms, Meta(description="Terms, beneath those of `guardrail.yaml`.")] = Terms()
    minimum: Annotated[
        dict[Bound, float],
        Meta(description="Settings that may not be lower, by their way from the top of guardrail.yaml."),
    ] = {}
    maximum: Annotated[dict[Bound, float], Meta(description="Settings that may not be higher.")] = {}


@dataclass(frozen=True, slots=True)
class Limit:
    """A bound, and the preset it comes from."""

    place: tuple[str, ...]
    value: float
    least: bool
    """Whether it is a minimum."""
    preset: str

    def allows(self, value: Any) -> bool:
        """Only numbers are bounded."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return True
        return value >= self.value if self.least else value <= self.value

    def refusal(self, value: Any) -> str:
        """What is wrong with a value beyond it, as a sentence."""
        return f"found {value}, expected at {'least' if self.least else 'most'} {self.value:g}: preset {self.preset!r}"


def limits_of(presets: Iterable[PresetFile]) -> list[Limit]:
    """The strictest bound of each setting, in the order of their places."""
    strictest: dict[tuple[str, bool], Limit] = {}
    for preset in presets:
        for bounds, least in ((preset.minimum, True), (preset.maximum, False)):
            for way, value in bounds.items():
                known = strictest.get((way, least))
                if known is None or known.allows(value):
                    strictest[way, least] = Limit(tuple(way.split(".")), value, least, preset.preset)
    return sorted(strictest.values(), key=lambda limit: (limit.place, limit.least))


def joined(
    presets: Sequence[PresetFile], settled: Callable[[Place], bool] = lambda place: False
) -> tuple[Terms, list[tuple[int, str]]]:
    """The terms of all presets as one, and (index of the later preset, message) for each disagreement.

    `settled`: whether `guardrail.yaml` itself says what stands at a place, so that a disagreement does not matter.
    """
    limits = limits_of(presets)
    whole: dict[str, Any] = {}
    origins: dict[tuple[str, ...], str] = {}
    problems: list[tuple[int, str]] = []
    for index, preset in enumerate(presets):
        for place, value in _leaves(msgspec.to_builtins(preset.terms)):
            there, known = _at(whole, place)
            bounds = [limit for limit in limits if limit.place == ("terms", *place)]
            if there and known != value and bounds:
                value = (max if bounds[0].least else min)(known, value)
            elif there and known != value and not settled(("terms", *place)):
                way = ".".join(("terms", *place))
                problems.append(
                    (
                        index,
                        f"found {known!r} for {way} in the preset {origins[place]!r} and {value!r} in "
                        f"{preset.preset!r}, expected {way} in this file to say which holds",
                    )
                )
            origins[place] = preset.preset
            _set(whole, place, value)
    return msgspec.convert(whole, Terms), problems


def under(
    settings: Settings, presets: Sequence[PresetFile], given: Callable[[Place], bool]
) -> tuple[Settings, list[tuple[Place, str]]]:
    """The settings with the presets beneath, and (place in `guardrail.yaml`, message) for what is wrong with that.

    `given`: whether `guardrail.yaml` says what stands at a place. What it does not say is raised or lowered to the
    bounds.
    """
    terms, disagreements = joined(presets, given)
    settings = msgspec.structs.replace(settings, terms=merged(terms, settings.terms))
    problems: list[tuple[Place, str]] = [(("presets", index), message) for index, message in disagreements]
    for limit in limits_of(presets):
        there, value = _at(msgspec.to_builtins(settings), limit.place)
        if not there or limit.allows(value):
            continue
        if given(limit.place):
            problems.append((limit.place, limit.refusal(value)))
        else:
            settings = _replaced(settings, limit.place, type(value)(limit.value))
    return settings, problems


def beyond(terms: Terms, presets: Sequence[PresetFile], given: Callable[[Place], bool]) -> Iterator[tuple[Place, str]]:
    """(place, message) for what a tenant's own terms say that a preset does not allow."""
    whole = {"terms": msgspec.to_builtins(terms)}
    for limit in limits_of(presets):
        there, value = _at(whole, limit.place)
        if there and given(limit.place) and not limit.allows(value):
            yield limit.place, limit.refusal(value)


def unknown_bounds(preset: PresetFile) -> Iterator[tuple[Place, str]]:
    """(place in the preset's file, message) for bounds of what is no setting."""
    for key in ("minimum", "maximum"):
        for way in getattr(preset, key):
            if not _reaches(msgspec.inspect.type_info(Settings), way.split(".")):
                yield (key, way), f"found the unknown setting {way!r}, expected the way to a number in guardrail.yaml"


def repeated_duties(preset: PresetFile) -> Iterator[tuple[Place, str]]:
    """(place in the preset's file, message) for duties that have the id of an earlier one."""
    first: dict[str, int] = {}
    for index, duty in enumerate(preset.duties):
        if first.setdefault(duty.id, index) != index:
            yield ("duties", index, "id"), f"found the duty {duty.id!r} again, expected each id once"


def _leaves(value: Mapping[str, Any], place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, each in value.items():
        if isinstance(each, dict) and each:
            yield from _leaves(each, (*place, key))
        else:
            yield (*place, key), each


def _at(value: Any, place: Iterable[str]) -> tuple[bool, Any]:
    for step in place:
        if not isinstance(value, dict) or step not in value:
            return False, None
        value = value[step]
    return True, value


def _set(whole: dict[str, Any], place: tuple[str, ...], value: Any) -> None:
    for step in place[:-1]:
        whole = whole.setdefault(step, {})
    whole[place[-1]] = value


def _replaced(struct: Any, place: tuple[str, ...], value: Any) -> Any:
    inside = value if len(place) == 1 else _replaced(getattr(struct, place[0]), place[1:], value)
    return msgspec.structs.replace(struct, **{place[0]: inside})


def _reaches(info: msgspec.inspect.Type, way: Sequence[str]) -> bool:
    """Whether a number stands at the end of this way, through structures, however they are wrapped."""
    if isinstance(info, msgspec.inspect.Metadata):
        return _reaches(info.type, way)
    if isinstance(info, msgspec.inspect.UnionType):
        return any(_reaches(each, way) for each in info.types)
    if not way:
        return isinstance(info, msgspec.inspect.IntType | msgspec.inspect.FloatType)
    if isinstance(info, msgspec.inspect.StructType):
        return any(field.encode_name == way[0] and _reaches(field.type, way[1:]) for field in info.fields)
    return False
