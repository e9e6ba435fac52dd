"""Small regular expressions as trees: how they are spelled, what words they have, what is left after a character.

For tests only: they generate patterns, texts that nearly match them, and completions of a match that has begun.
Words and derivatives are those of the textbook (J. A. Brzozowski, "Derivatives of Regular Expressions", 1964).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice

MEMBERS = "ab1c0 B@.-_ézé炸弹中\n👩\u0316\u0301\u0600🇫क가"
"""Where the members of a character set are looked for, the likeliest first."""


@dataclass(frozen=True, slots=True)
class Set:
    """One character of a set, as both RE2 and `re` spell it."""

    source: str


@dataclass(frozen=True, slots=True)
class Chain:
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Either:
    options: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Times:
    inner: Node
    low: int
    high: int


Node = Set | Chain | Either | Times

EMPTY = Chain(())
NOTHING = Either(())


def spell(node: Node) -> str:
    match node:
        case Set(source):
            return source
        case Chain(parts):
            return "".join(map(spell, parts))
        case Either(options):
            return f"(?:{'|'.join(map(spell, options))})"
        case Times(inner, 0, 1):
            return f"(?:{spell(inner)})?"
        case Times(inner, low, high):
            return f"(?:{spell(inner)}){{{low},{high}}}"


def nullable(node: Node) -> bool:
    """Whether the empty text is a word."""
    match node:
        case Set():
            return False
        case Chain(parts):
            return all(map(nullable, parts))
        case Either(options):
            return any(map(nullable, options))
        case Times(inner, low, _):
            return low == 0 or nullable(inner)


@cache
def holds(source: str, char: str) -> bool:
    return re.fullmatch(source, char, re.ASCII) is not None


def after(node: Node, char: str) -> Node:
    """What may follow once `char` has been read; NOTHING when it cannot be read."""
    match node:
        case Set(source):
            return EMPTY if holds(source, char) else NOTHING
        case Either(options):
            left = tuple(rest for rest in (after(o, char) for o in options) if rest != NOTHING)
            return left[0] if len(left) == 1 else Either(left)
        case Times(inner, low, high):
            if high == 0:
                return NOTHING
            return _chain(after(inner, char), Times(inner, max(low - 1, 0), high - 1))
        case Chain(parts):
            if not parts:
                return NOTHING
            rest = Chain(parts[1:])
            first = _chain(after(parts[0], char), rest)
            return _either(first, after(rest, char)) if nullable(parts[0]) else first


def after_all(node: Node, text: str) -> Node:
    for char in text:
        node = after(node, char)
    return node


def words(node: Node) -> Iterator[str]:
    """Words of the expression, those with few repeats first. Sets are sampled from MEMBERS."""
    match node:
        case Set(source):
            yield from islice((char for char in MEMBERS if holds(source, char)), 2)
        case Either(options):
            for option in options:
                yield from words(option)
        case Times(inner, low, high):
            for count in range(low, high + 1):
                yield from words(Chain((inner,) * count))
        case Chain(()):
            yield ""
        case Chain((head, *tail)):
            for first in words(head):
                for rest in words(Chain(tuple(tail))):
                    yield first + rest


def _chain(first: Node, rest: Node) -> Node:
    if first == NOTHING or rest == NOTHING:
        return NOTHING
    if first == EMPTY:
        return rest
    return first if rest == EMPTY else Chain((first, rest))


def _either(one: Node, other: Node) -> Node:
    if one == NOTHING:
        return other
    return one if other == NOTHING else Either((one, other))
