"""Text in a shape that the codec does not know: found, then removed or counted, as the policy says.

A field is unknown when its key, or the type of its value, is none that the codec scans or knows to carry no model
text. Numbers, booleans, nulls and empty strings are no text. Never a silent pass: what is removed is named by its
path, what passes is counted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

ROLES = frozenset({"assistant", "system", "user", "tool", "developer", "function", "model"})

PASSED = frozenset({"id", "object", "created", "model", "system_fingerprint", "service_tier", "provider"})
"""Top-level keys whose scalar values pass: the server's names for itself and the response. `provider` is OpenRouter's
name of the company that answered, which may hold spaces."""

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]*={0,2}")

PROSE_LENGTH = 64
"""Characters. A string that is longer, holds white space or is not ASCII may be text; labels and ids are none of it."""


def strings(value: object) -> Iterator[tuple[str, bool]]:
    """Every string in a JSON value, at any depth, with whether it is a key."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item, False
        elif isinstance(item, dict):
            for key in item:
                yield key, True
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)


def is_prose(text: str) -> bool:
    return len(text) > PROSE_LENGTH or not text.isascii() or (bool(text) and text.split() != [text])


def is_opaque(value: object) -> bool:
    """Whether a value is nothing but characters of base64 (either alphabet): what only the server that sent it can
    read, and gets back."""
    return isinstance(value, str) and _BASE64.fullmatch(value) is not None


class Unknown:
    """What one event or body held that is unknown."""

    __slots__ = ("_block", "blocked", "passed")

    def __init__(self, block: bool) -> None:
        self._block = block
        self.blocked: list[str] = []
        """Paths of the fields removed."""
        self.passed = 0
        """Code points let through."""

    def removes(self, path: str, key: str, value: object, *, prose: bool = False) -> bool:
        """Whether `value`, found under an unknown `key`, has to go: when any string in it is not empty (`prose`: when
        one may be text), or any key may be text."""
        size = sum(len(s) for s, is_key in strings(value) if (is_prose(s) if prose or is_key else s))
        if is_prose(key):
            size += len(key)
        if size and self._block:
            self.blocked.append(f"{path}.{'?' if is_prose(key) else key}".lstrip("."))
            return True
        self.passed += size
        return False

    def strip(self, path: str, value: dict[str, Any], known: frozenset[str], *, prose: bool = False) -> None:
        """Remove the unknown keys of `value` that have to go."""
        for key in [key for key in value if key not in known]:
            if self.removes(path, key, value[key], prose=prose):
                del value[key]

    def strip_unclean(
        self, path: str, value: dict[str, Any], keys: Iterable[str], clean: Callable[[str], bool]
    ) -> None:
        """Remove those of the keys in whose strings a rule would remove something (`clean` says of a text that none
        would), whatever is done with unknown text."""
        for key in [key for key in keys if value.get(key) is not None]:
            said = "\n".join(text for text, _ in strings(value[key]) if text)
            if said and not clean(said):
                del value[key]
                self.blocked.append(f"{path}.{key}".lstrip("."))

    def strip_labels(self, path: str, value: dict[str, Any], keys: Iterable[str]) -> None:
        """Ids and kinds are not scanned (a random id may look like a secret), so they must look like it."""
        for key in keys:
            if key in value and self.removes(path, key, value[key], prose=True):
                del value[key]

    def strip_texts(self, path: str, value: dict[str, Any], keys: Iterable[str]) -> None:
        """What is to be scanned must be a text."""
        for key in keys:
            text = value.get(key)
            if text is not None and not isinstance(text, str) and self.removes(path, key, text):
                del value[key]
