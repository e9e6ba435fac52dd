"""What the sections of terms have in common: how they lie upon each other, and how they name policies. Pure."""

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
