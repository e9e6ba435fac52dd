"""A start tag, read as a browser reads it: the HTML Standard's tokeniser, from the name to the end of the tag.

Promises the same names and values as a browser has for the same characters, malformed tags included, and says where a
tag that is cut off was. Never decodes the values.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

_SPACE = "\t\n\f\r "
_NAME = re.compile(f"[^{_SPACE}/>]*")
_BETWEEN = re.compile(f"[{_SPACE}/]*")
_ATTRIBUTE = re.compile(f"[^{_SPACE}/>][^{_SPACE}/>=]*")
_EQUALS = re.compile(f"[{_SPACE}]*=[{_SPACE}]*")
_UNQUOTED = re.compile(f"[^{_SPACE}>]*")


@dataclass(frozen=True, slots=True)
class Tag:
    """`name` and the names of attributes are in lower case. Attributes without a value are left out; of equal ones each
    is there, though only the first counts in a browser."""

    name: str
    attributes: tuple[tuple[str, str], ...]
    end: Literal["closed", "open", "quoted"]
    """Closed by `>`, or where the text stopped: inside a quoted value, or anywhere else."""


def _name(text: str) -> re.Match[str]:
    name = _NAME.match(text, 1)
    assert name is not None
    return name


def tag_name(text: str) -> str:
    """The name of the tag that begins with the text's first character, a `<`; in lower case."""
    return _name(text)[0].lower()


def read_tag(text: str) -> Tag:
    """The tag that begins with the text's first character, a `<`."""
    name = tag_name(text)
    at = _name(text).end()
    attributes: list[tuple[str, str]] = []
    while True:
        between = _BETWEEN.match(text, at)
        assert between is not None
        attribute = _ATTRIBUTE.match(text, between.end())
        if attribute is None:
            end: Literal["closed", "open"] = "closed" if text[between.end() : between.end() + 1] == ">" else "open"
            return Tag(name, tuple(attributes), end)
        at = attribute.end()
        equals = _EQUALS.match(text, at)
        if equals is None:
            continue
        at = equals.end()
        quote = text[at : at + 1]
        if quote in ('"', "'"):
            close = text.find(quote, at + 1)
            if close < 0:
                attributes.append((attribute[0].lower(), text[at + 1 :]))
                return Tag(name, tuple(attributes), "quoted")
            attributes.append((attribute[0].lower(), text[at + 1 : close]))
            at = close + 1
        else:
            value = _UNQUOTED.match(text, at)
            assert value is not None
            attributes.append((attribute[0].lower(), value[0]))
            at = value.end()
