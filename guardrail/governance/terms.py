"""The terms under which a tenant is served: what may be said in a preset, in `guardrail.yaml` and in a tenant's file.

One section for each duty, whose fields stand in the duty's own file. What is not given is UNSET and comes from the
terms beneath: a tenant's file over `guardrail.yaml` over presets over the section's own defaults. A section that
nobody gives is a duty that is off.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct
from msgspec.inspect import CollectionType, DictType, Metadata, StructType, Type, UnionType, type_info

Section = TypeVar("Section", bound=Struct)

_NAMES_POLICY = {"names": "policy"}

PolicyName = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$(?!\n)",
        title="the name of a policy",
        extra=_NAMES_POLICY,
    ),
]
"""The type of a field that names another policy of the configuration. It is compiled in the tenant's language and found
in `Tenant.policies`; a name that no policy has is a problem of the file."""


class Terms(Struct, frozen=True, forbid_unknown_fields=True):
    """What holds for a tenant. Every section is off until it is given."""


def merged(beneath: Section, above: Section) -> Section:
    """`above`, with what it does not say taken from `beneath`, at every depth. Lists are taken whole."""
    changes: dict[str, Any] = {}
    for name in above.__struct_fields__:
        low, high = getattr(beneath, name), getattr(above, name)
        if high is UNSET:
            changes[name] = low
        elif isinstance(high, Struct) and type(low) is type(high):
            changes[name] = merged(low, high)
    return msgspec.structs.replace(above, **changes)


def policy_names(terms: Struct) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """The policies that terms name, in fields of the type `PolicyName` at any depth: (place, name)."""
    yield from _named(type_info(type(terms)), terms, ())


def _named(kind: Type, value: object, place: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if value is UNSET:
        return
    if isinstance(kind, Metadata):
        if kind.extra == _NAMES_POLICY and isinstance(value, str):
            yield place, value
        else:
            yield from _named(kind.type, value, place)
    elif isinstance(kind, UnionType):
        for each in kind.types:
            yield from _named(each, value, place)
    elif isinstance(kind, StructType) and isinstance(value, kind.cls):
        for field in kind.fields:
            yield from _named(field.type, getattr(value, field.name), (*place, field.encode_name))
    elif isinstance(kind, CollectionType) and isinstance(value, list | tuple):
        for index, each in enumerate(value):
            yield from _named(kind.item_type, each, (*place, index))
    elif isinstance(kind, DictType) and isinstance(value, dict):
        for key, each in value.items():
            yield from _named(kind.value_type, each, (*place, key))
