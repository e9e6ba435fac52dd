"""Validation of one document against the shape of its file: every error, with its place, as a sentence.

Promises: a document without problems comes back typed; one with problems gives all of them in one run. Never
repeats what may be a secret: what stands where a key's hash belongs is not printed.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, TypeVar

import jsonschema
import msgspec

from guardrail.errors import ConfigProblem
from guardrail.policy.document import Document, Place
from guardrail.policy.model import KeyHash, file_schema

File = TypeVar("File", bound=msgspec.Struct)

HOW_TO_HASH = 'printf %s "$KEY" | sha256sum'

_TYPES = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "keys and values",
}
_KEY_HASH: Any = KeyHash
_KEY_HASH_PATTERN: str = _KEY_HASH.__metadata__[0].pattern


def validated(document: Document, kind: type[File]) -> tuple[File | None, list[ConfigProblem]]:
    """The document as `kind`, or every problem with its shape. A value that is missing (None) was told of by whoever
    read the document, and is not told of again."""
    try:
        # The fast way for the file that is right; it stops at the first error of the one that is not.
        return msgspec.convert(document.data, kind, strict=True), []
    except msgspec.ValidationError as error:
        first = error
    raised = list(faults(document.data, kind))
    told = [fault for fault in raised if document.data is None or not _is_none(document.data, fault[0])]
    found = {document.problem(place, message, key=is_key) for place, message, is_key in told}
    return None, sorted(found) if raised else [document.problem((), str(first))]


def faults(data: Any, kind: type[msgspec.Struct]) -> Iterator[tuple[Place, str, bool]]:
    """(place, message, whether the place's key is at fault) for everything that is wrong with the shape of `data`."""
    for raised in _validator(kind).iter_errors(data):
        yield from _sentences(raised)


def _is_none(data: Any, place: Place) -> bool:
    """Whether None stands at this place."""
    for step in place:
        inside = isinstance(data, dict) and step in data
        if not inside and not (isinstance(data, list) and isinstance(step, int)):
            return False
        data = data[step]
    return data is None


@cache
def _validator(kind: type[msgspec.Struct]) -> Any:
    checker = jsonschema.Draft202012Validator.TYPE_CHECKER.redefine(
        "array", lambda _, value: isinstance(value, list)
    ).redefine(
        # 1.0 is a whole number to JSON Schema, but not to the typed reader.
        "integer",
        lambda _, value: isinstance(value, int) and not isinstance(value, bool),
    )
    strict: Any = jsonschema.validators.extend(  # type: ignore[no-untyped-call]
        jsonschema.Draft202012Validator, type_checker=checker
    )
    return strict(file_schema(kind))


def _sentences(error: Any) -> Iterator[tuple[Place, str, bool]]:
    """(place, message, whether the place's key is at fault) for one error of the schema."""
    place: Place = tuple(error.absolute_path)
    match error.validator:
        case "additionalProperties":
            known = sorted(error.schema["properties"])
            for name in error.instance:
                if name not in known:
                    yield (*place, name), f"found the unknown key {name!r}, expected {suggestion(name, known)}", True
        case "required":
            missing = next(name for name in error.validator_value if f"{name!r}" in error.message)
            yield place, f"found no key {missing!r}, expected one", False
        case "propertyNames":
            yield place, error.message, False
        case "pattern" if "propertyNames" in error.absolute_schema_path:
            yield (*place, error.instance), f"found {show(error.instance)}, expected {expected(error.schema)}", True
        case "pattern" if error.validator_value == _KEY_HASH_PATTERN:
            yield (
                place,
                f"found something else than a hash, expected {expected(error.schema)}; "
                f"never write a key itself here, hash it with: {HOW_TO_HASH}",
                False,
            )
        case "anyOf":
            yield from _branches(error, place)
        case "type" if error.validator_value == "string" and isinstance(error.instance, (bool, int, float)):
            yield place, f"found {_shown(error, place)}, expected {expected(error.schema)}; put it in quotes", False
        case "enum" if isinstance(error.instance, str):
            wanted = suggestion(error.instance, map(str, error.validator_value))
            yield place, f"found {show(error.instance)}, expected {wanted}", False
        case _:
            yield place, f"found {_shown(error, place)}, expected {expected(error.schema)}", False


def _shown(error: Any, place: Place) -> str:
    """The value at fault, but for one that stands where somebody may have put a secret itself."""
    last = place[-1] if place else ""
    if isinstance(error.instance, str) and (place[:1] == ("keys",) or str(last).endswith("_env")):
        return "something else (not shown, it may be a secret)"
    return re.sub(r"//[^@/]*@", "//…@", show(error.instance))


def _branches(error: Any, place: Place) -> Iterator[tuple[Place, str, bool]]:
    """Of a choice between shapes, speak of the one that the value already has the type of."""
    shapes = " or ".join(expected(branch) for branch in error.validator_value)
    if all("enum" in branch or branch.get("type") in ("number", "integer") for branch in error.validator_value):
        near = ""
        if isinstance(error.instance, str):
            words = (str(word) for branch in error.validator_value for word in branch.get("enum", ()))
            near = suggestion(error.instance, words)
        yield place, f"found {show(error.instance)}, expected {near if near.endswith(')') else shapes}", False
        return
    branches: dict[int, list[Any]] = {}
    for inner in error.context or ():
        branches.setdefault(int(inner.relative_schema_path[0]), []).append(inner)
    for inners in branches.values():
        if not any(inner.validator == "type" and not inner.relative_path for inner in inners):
            for inner in inners:
                yield from _sentences(inner)
            return
    yield place, f"found {show(error.instance)}, expected {shapes}", False


def expected(schema: dict[str, Any]) -> str:
    """What a value under `schema` looks like, in words."""
    if "title" in schema and "properties" not in schema:
        return str(schema["title"])
    if "enum" in schema:
        return one_of(schema["enum"])
    if "anyOf" in schema:
        return " or ".join(expected(branch) for branch in schema["anyOf"])
    words = _TYPES.get(schema.get("type", "object"), "a value")
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        words += f" from {low} to {high}"
    elif low is not None:
        words += f" of at least {low}"
    if schema.get("type") == "string":
        low, high = schema.get("minLength"), schema.get("maxLength")
        if low == high == 1:
            words = "a single character"
        elif high is not None:
            words += f" of {low or 0} to {high} characters"
        elif low:
            words += " that is not empty"
    if schema.get("minItems") or schema.get("minProperties"):
        words += " with at least one member"
    return words


def show(value: Any) -> str:
    """A value as a message may show it: its kind, and not much of it."""
    if isinstance(value, (list, dict)):
        return _TYPES["array" if isinstance(value, list) else "object"] if value else "an empty collection"
    if value is None:
        return "nothing"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + '…"'


def one_of(names: Iterable[Any]) -> str:
    listed = [str(name) for name in names]
    return listed[0] if len(listed) == 1 else f"one of {', '.join(listed)}"


def suggestion(name: str, known: Iterable[str]) -> str:
    """What was probably meant, or everything that could have been."""
    listed = list(known)
    if not listed:
        return "none: nothing of this kind is defined"
    near = difflib.get_close_matches(name.lower(), listed, n=1, cutoff=0.7)
    return f"{near[0]!r} (did you mean that?)" if near else one_of(listed)
