"""Items as plain values, and plain values as items: pydantic models of the SDKs, or dicts.

Nothing here imports an SDK or pydantic: an item brings its class, and where a stream has several classes, the module
that its class came from names them all.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, get_args

Value = dict[str, Any]


def dumped(item: object, *, without: frozenset[str] = frozenset(), nulls: bool = True) -> Value:
    """What an item says, as its protocol says it. Raises TypeError for what is no item of a stream. `without`: fields
    that the SDK adds; `nulls`: whether those that are null are told."""
    if isinstance(item, dict):
        return item
    dump = getattr(item, "model_dump", None)
    if dump is None:
        raise TypeError(f"guard_stream takes what SDKs stream, dicts or str, not {type(item).__name__}")
    value: Value = dump(
        mode="json", exclude_unset=True, by_alias=True, exclude_none=not nulls, exclude=without, warnings=False
    )
    return value


def built(cls: Any, value: Value, *, strict: bool = False) -> Any:
    """An item of this class. `strict`: the class takes no field that it does not know, so those are left out."""
    if cls is dict:
        return value
    if strict:
        known = {key for name, field in cls.model_fields.items() for key in (name, field.alias)}
        value = {key: found for key, found in value.items() if key in known}
    if any("construct" in vars(base) and _root(base) == _root(cls) for base in cls.__mro__):
        return cls.construct(**value)  # the SDK's own, which builds what is inside too and refuses nothing
    return cls.model_validate(value)


def _root(cls: Any) -> str:
    """The package that a class is part of."""
    module: str = cls.__module__
    return module.partition(".")[0]


def classes_by_type(item: object, unions: tuple[str, ...]) -> dict[str, Any]:
    """The classes of the events of a stream by their `type`, out of the union with a name that ends so, which stands
    where the class of `item` came from."""
    module = type(item).__module__
    for place in (module, module.rpartition(".")[0]):
        for name, union in vars(sys.modules.get(place, sys)).items():
            if name.endswith(unions):
                return {type_: cls for cls in _members(union) for type_ in _types(cls)}
    raise TypeError(f"found no {unions[0]} beside {type(item).__name__}: an SDK of another kind, or too old")


def _members(union: Any) -> Iterator[Any]:
    for member in get_args(union):
        if hasattr(member, "model_fields"):
            yield member
        else:
            yield from _members(member)


def _types(cls: Any) -> tuple[str, ...]:
    field = cls.model_fields.get("type")
    return tuple(getattr(type_, "value", type_) for type_ in get_args(field.annotation)) if field is not None else ()
