"""Regular expressions as trees: a bounded subset of RE2's syntax, and the expression of all its prefixes.

A stream may release a character as soon as no continuation can make a match that holds it. The text since some
position can still become a match exactly if it is a *prefix* of a string of the language; so from the tree of an
expression r the expression of its non-empty prefixes is built:

    prefix(atom)     = atom
    prefix(a b)      = prefix(a) | a prefix(b)
    prefix(a | b)    = prefix(a) | prefix(b)
    prefix(a{m,n})   = a{0,n-1} prefix(a)

Accepted: literals, `.`, classes, `\\d \\w \\s \\D \\W \\S \\p{..}`, `\\x{..}`, groups (all taken as non-capturing),
`(?i:..)`, `(?i)` at the start, `|`, `?`, `{m}`, `{m,n}`. Refused with a reason: `*`, `+`, `{m,}` (no upper bound to
what must be held back), anchors and look-around (a rule's `edge` does that), back-references, lazy repeats.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import re2

from guardrail.text.fold import fold_cased, is_ignorable

MAX_WIDTH = 4096
"""Longest match in code points that a rule may have: a stream may have to hold as much."""
MAX_DEPTH = 50
"""Deepest nesting of groups: more than anybody writes, and far from what would exhaust the stack."""
FEW = 8
"""The largest count that `relaxed` keeps."""
_RE2_REPEAT = 1000  # RE2 refuses larger (products of) counts; wider repeats are written as several


class ExpressionError(ValueError):
    """An expression that cannot be used; the message says what was found, where and what is accepted."""


@dataclass(frozen=True, slots=True)
class Atom:
    """One character out of a set; `source` is RE2 syntax for the set."""

    source: str


@dataclass(frozen=True, slots=True)
class Sequence:
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    options: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    node: Node
    low: int
    high: int | None
    """None, for no bound: only in what `relaxed` makes."""


Node = Atom | Sequence | Choice | Repeat

_CLASS_ESCAPES = "dDwWsS"
_CONTROL_ESCAPES = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "v": "\v", "a": "\a"}


def parse(source: str, *, raw: bool = False) -> Node:
    """The tree of an expression; its literals read as the cased lane has them, or, for the raw lane, as they are.

    Raises ExpressionError.
    """
    if re.search("[\ud800-\udfff]", source):
        raise ExpressionError("found half a surrogate pair in the pattern; expected whole characters")
    parser = _Parser(source if raw else unicodedata.normalize("NFC", source), raw=raw)
    node = parser.choice()
    if parser.at < len(parser.source):
        raise parser.error("an unmatched ')'")
    if width(node) > MAX_WIDTH:
        raise ExpressionError(
            f"a match can be {width(node)} characters long; expected at most {MAX_WIDTH}, since as much text may"
            " have to be held back"
        )
    if not _nonempty(node):
        raise ExpressionError("the expression matches only the empty text")
    if nullable(node):
        raise ExpressionError("the expression matches the empty text; expected at least one character")
    return node


class _Parser:
    def __init__(self, source: str, *, raw: bool) -> None:
        self.source = source
        self.raw = raw
        self.at = 0
        self.depth = 0
        self.ignore_case = False
        if source.startswith("(?i)"):
            self.ignore_case = True
            self.at = 4

    def error(self, found: str) -> ExpressionError:
        return ExpressionError(f"found {found} (character {self.at + 1} of the pattern)")

    def peek(self) -> str:
        return self.source[self.at] if self.at < len(self.source) else ""

    def choice(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.error(f"groups nested more than {MAX_DEPTH} deep")
        options = [self.sequence()]
        while self.peek() == "|":
            self.at += 1
            options.append(self.sequence())
        self.depth -= 1
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def sequence(self) -> Node:
        parts: list[Node] = []
        while self.peek() not in ("", "|", ")"):
            parts.append(self.repeat())
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def repeat(self) -> Node:
        node = self.item()
        if (char := self.peek()) and char in "?*+{":
            if char in "*+":
                raise self.error(f"{char!r}, which has no upper bound; expected {{m,n}}")
            if char == "?":
                low, high = 0, 1
                self.at += 1
            else:
                bounds = self._bounds()
                if bounds is None:
                    return node  # a literal brace; read as the next item
                low, high = bounds
            if self.peek() and (self.peek() in "?*+" or (self.peek() == "{" and self._bounds() is not None)):
                raise self.error("a lazy, possessive or repeated repeat; matching is leftmost-longest")
            node = Repeat(node, low, high)
        return node

    def _bounds(self) -> tuple[int, int] | None:
        close = self.source.find("}", self.at)
        body = self.source[self.at + 1 : close] if close > 0 else ""
        low, comma, high = body.partition(",")
        if not re.fullmatch("[0-9]+|[0-9]*,[0-9]*", body) or body == ",":
            return None
        if len(body) > 12:
            raise self.error(f"a count of more digits than anybody needs; expected at most {MAX_WIDTH} repeats")
        if comma and not high:
            raise self.error(f"{{{body}}}, which has no upper bound; expected {{m,n}}")
        bounds = int(low or 0), int(high if comma else low)
        if bounds[0] > bounds[1]:
            raise self.error(f"{{{body}}}, whose bounds are the wrong way round")
        if bounds[1] > MAX_WIDTH:
            raise self.error(f"{{{body}}}; expected at most {MAX_WIDTH} repeats")
        self.at = close + 1
        return bounds

    def item(self) -> Node:
        char = self.peek()
        if char == "(":
            return self._group()
        if char == "[":
            return self._atom(self._class())
        if self.source.startswith("\\x", self.at):
            self.at += 2
            return self._character(self._hex())
        if char == "\\":
            return self._atom(self._escape())
        if char in "^$":
            raise self.error(f"the anchor {char!r}; a rule's `edge` says what may stand beside a match")
        if char and char in "*+?":
            raise self.error(f"{char!r} with nothing to repeat")
        self.at += 1
        return self._atom("[^\\n]") if char == "." else self._character(char)

    def _character(self, char: str) -> Node:
        """A literal, as the lane that patterns run on has it: dashes are hyphens, ligatures are letters."""
        if self.raw:
            return self._atom(_literal(char))
        if is_ignorable(char):
            raise self.error(f"the invisible character {char!r}, which rules never see")
        atoms = tuple(self._atom(_literal(seen)) for seen in fold_cased(char))
        return atoms[0] if len(atoms) == 1 else Sequence(atoms)

    def _atom(self, source: str) -> Atom:
        return Atom(f"(?i:{source})" if self.ignore_case else source)

    def _group(self) -> Node:
        source, at = self.source, self.at
        before = self.ignore_case
        if source.startswith("(?:", at):
            self.at += 3
        elif source.startswith("(?i:", at):
            self.at += 4
            self.ignore_case = True
        elif source.startswith(("(?P<", "(?<"), at) and source[at + 2 : at + 4] not in ("<=", "<!"):
            close = source.find(">", at)
            if close < 0:
                raise self.error("a group name that never ends")
            self.at = close + 1
        elif source.startswith("(?", at):
            raise self.error(f"{source[at : at + 4]!r}; look-around, flags and comments are not available here")
        else:
            self.at += 1
        node = self.choice()
        if self.peek() != ")":
            raise self.error("the end of the pattern inside a group")
        self.at += 1
        self.ignore_case = before
        return node

    def _escape(self) -> str:
        start = self.at
        char = self.source[start + 1 : start + 2]
        if not char:
            raise self.error("a backslash at the end")
        self.at += 2
        if char in _CLASS_ESCAPES:
            return "\\" + char
        if char in _CONTROL_ESCAPES:
            return _literal(_CONTROL_ESCAPES[char])
        if char == "x":
            return _literal(self._hex())
        if char in "pP":
            close = self.source.find("}", self.at) if self.peek() == "{" else self.at
            if close < 0 or close >= len(self.source):
                self.at = start
                raise self.error(f"the escape '\\{char}' without the name of a class")
            self.at = close + 1
            return self.source[start : self.at]
        if char.isalnum():
            self.at = start
            raise self.error(f"the escape '\\{char}', which is not available here")
        return _literal(char)

    def _hex(self) -> str:
        if self.peek() == "{":
            close = self.source.find("}", self.at)
            digits = self.source[self.at + 1 : close]
            after = close + 1
        else:
            digits = self.source[self.at : self.at + 2]
            after = self.at + 2
        if not re.fullmatch("[0-9a-fA-F]{1,6}", digits) or int(digits, 16) > 0x10FFFF or after == 0:
            raise self.error("a \\x escape that is not a code point")
        char = chr(int(digits, 16))
        self.at = after
        return char

    def _class(self) -> str:
        start = self.at
        self.at += 1
        if self.peek() == "^":
            self.at += 1
        first = True
        while first or self.peek() != "]":
            first = False
            if self.peek() == "":
                self.at = start
                raise self.error("a '[' that is never closed")
            if self.peek() == "\\":
                self._escape()
            elif self.source.startswith("[:", self.at):
                self.at = self.source.find(":]", self.at) + 2
                if self.at < 2:
                    self.at = start
                    raise self.error("a '[:' that is never closed")
            else:
                self.at += 1
        self.at += 1
        return "".join(map(self._member, self.source[start : self.at]))

    def _member(self, char: str) -> str:
        """A character of a class's source, as the lane has it."""
        if self.raw or char.isascii():
            return char
        seen = fold_cased(char)
        if len(seen) > 1 or is_ignorable(char):
            raise self.error(
                f"{char!r} in a class, which rules see as {'' if is_ignorable(char) else seen!r}; expected it outside,"
            )
        return "\\-" if seen == "-" != char else seen


def _literal(char: str) -> str:
    return char if char.isascii() and char.isalnum() else f"\\x{{{ord(char):x}}}"


def render(node: Node) -> str:
    """RE2 syntax of a tree, safe to put before or after anything."""
    match node:
        case Atom(source):
            return source
        case Sequence(parts):
            return "".join(map(render, parts))
        case Choice(options):
            return f"(?:{'|'.join(map(render, options))})"
        case Repeat(inner, low, high):
            return _repeat(inner, low, high)


def _repeat(inner: Node, low: int, high: int | None) -> str:
    if high == 0:
        return ""
    unit = f"(?:{render(inner)})"
    if high is None:
        return f"{unit}{{{low},}}"
    most = max(_RE2_REPEAT // _counted(inner), 1)
    if high <= most:
        return unit if (low, high) == (1, 1) else f"{unit}{{{low},{high}}}"
    must, may = divmod(low, most), divmod(high - low, most)
    return (
        f"{unit}{{{most}}}" * must[0]
        + f"{unit}{{{must[1]}}}"
        + f"{unit}{{0,{most}}}" * may[0]
        + f"{unit}{{0,{may[1]}}}"
    )


def _counted(node: Node) -> int:
    """The largest product of nested counts as `render` writes them."""
    match node:
        case Atom():
            return 1
        case Sequence(parts) | Choice(parts):
            return max(map(_counted, parts), default=1)
        case Repeat(inner, low, high):
            within = _counted(inner)
            most = max(_RE2_REPEAT // within, 1)
            return within * max(min(high if high is not None else low, most), 1)


def prefixes(node: Node) -> str | None:
    """RE2 syntax of the non-empty prefixes of the language; None when there are none."""
    match node:
        case Atom(source):
            return source
        case Choice(options):
            return _either([p for p in map(prefixes, options) if p is not None])
        case Repeat(inner, _, high):
            last = None if high == 0 else prefixes(inner)
            return None if last is None else _repeat(inner, 0, high and high - 1) + last
        case Sequence(parts):
            result: str | None = None
            for part in reversed(parts):
                own = prefixes(part)
                later = None if result is None else render(part) + result
                result = _either([p for p in (own, later) if p is not None])
            return result


def relaxed(node: Node) -> Node:
    """A superset of the language whose automaton stays small: counts above a few are not counted.

    Read backwards from the end of a text, a counted repeat can be at any of its counts at once, so that every state
    of the exact automaton holds them all, and nearly every text makes new states.
    """
    match node:
        case Atom():
            return node
        case Sequence(parts):
            return Sequence(tuple(map(relaxed, parts)))
        case Choice(options):
            return Choice(tuple(map(relaxed, options)))
        case Repeat(inner, low, high):
            if high is None or high > FEW:
                return Repeat(relaxed(inner), min(low, FEW), None)
            return Repeat(relaxed(inner), low, high)


def _either(sources: list[str]) -> str | None:
    return f"(?:{'|'.join(sources)})" if sources else None


def width(node: Node) -> int:
    """The most code points that a match can have."""
    match node:
        case Atom():
            return 1
        case Sequence(parts):
            return sum(map(width, parts))
        case Choice(options):
            return max(map(width, options))
        case Repeat(inner, _, high):
            assert high is not None
            return width(inner) * high


def least(node: Node) -> int:
    """The fewest code points that a match can have."""
    match node:
        case Atom():
            return 1
        case Sequence(parts):
            return sum(map(least, parts))
        case Choice(options):
            return min(map(least, options))
        case Repeat(inner, low, _):
            return least(inner) * low


def nullable(node: Node) -> bool:
    """Whether the empty text matches."""
    match node:
        case Atom():
            return False
        case Sequence(parts):
            return all(map(nullable, parts))
        case Choice(options):
            return any(map(nullable, options))
        case Repeat(inner, low, high):
            return low == 0 or high == 0 or nullable(inner)


def _nonempty(node: Node) -> bool:
    return width(node) > 0


def atoms(node: Node) -> set[str]:
    """The sources of all character sets in the tree."""
    match node:
        case Atom(source):
            return {source}
        case Sequence(parts) | Choice(parts):
            return set().union(*map(atoms, parts))
        case Repeat(inner, _, high):
            return atoms(inner) if high else set()


def firsts(node: Node) -> set[str]:
    """The sources of the character sets that a match can start with."""
    match node:
        case Atom(source):
            return {source}
        case Choice(options):
            return set().union(*map(firsts, options))
        case Repeat(inner, _, high):
            return firsts(inner) if high else set()
        case Sequence(parts):
            found: set[str] = set()
            for part in parts:
                found |= firsts(part)
                if not nullable(part):
                    break
            return found


@lru_cache(maxsize=4096)
def _set(source: str) -> re2._Regexp:
    options = re2.Options()
    options.log_errors = False
    return re2.compile(source, options)


@lru_cache(maxsize=65536)
def in_set(source: str, char: str) -> bool:
    """Whether a character set holds a character."""
    return _set(source).fullmatch(char) is not None


@lru_cache(maxsize=4096)
def ascii_members(source: str) -> frozenset[str]:
    """The ASCII characters of a set."""
    return frozenset(c for c in map(chr, range(128)) if in_set(source, c))


_REACHES_FURTHER = re.compile(r"\[\^|\[:\^|\\[DWSpP]|\\x\{(?!0*[0-7]?[0-9a-fA-F]\})|\\x[89a-fA-F]")


@lru_cache(maxsize=4096)
def is_ascii_only(source: str) -> bool:
    """Whether a set surely holds no character outside ASCII that NFKC leaves in place."""
    return source.isascii() and not _REACHES_FURTHER.search(source)
