"""Pattern rules over the cased lane: matches, and the live tail that must be held back.

Per expression the matches are leftmost-longest, found by RE2 in linear time; after a rejected match the search
resumes one character after its start, after an accepted one at its end. The *live tail* is the longest end of the
text that is a prefix of some match (see `expressions`), found by one search anchored at the end of the text.

All indices here are into a *window*: the end of a lane, which always begins with one character of context before
the first position at which anything may still match (the lane's start has a line feed put there).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, takewhile

import re2

from guardrail.errors import RuleError
from guardrail.text import expressions
from guardrail.text.clusters import Reach
from guardrail.text.expressions import ExpressionError, Node
from guardrail.text.fold import COMPOSITION_FIRSTS, may_grow_into
from guardrail.text.reach import reach_of
from guardrail.text.rules import Accept, PatternEdge, PatternRule, RightEdge
from guardrail.text.search import Search, options

_LEFT: dict[PatternEdge, str] = {
    "none": "(?s:.)",
    "digit": "[^0-9]",
    "number": "[^0-9.]",
    "word": "[^0-9A-Za-z_]",
}
_WORD = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_")
_RIGHT: dict[RightEdge, frozenset[str]] = {
    "none": frozenset(),
    "digit": frozenset("0123456789"),
    "number": frozenset("0123456789."),
    "word": _WORD,
    "newline": frozenset("\n"),
}
_COMMON = 10
"""How much more often a lower-case letter stands in text than a digit or a sign (a blank ten times as often again);
weighs prefilters."""
_WIDE = "\x80"
"""Among needed characters: any beyond ASCII."""
_LONG = 16
"""Characters from which on an expression's shortest match counts as long."""


@dataclass(frozen=True, slots=True)
class Expression:
    """One expression of a rule, ready to search. `find` and `live` take one character of left context along."""

    rule: int
    find: Search
    live: Live
    right: frozenset[str]
    accept: Accept | None


@dataclass(frozen=True, slots=True)
class Match:
    """An accepted match, in window indices."""

    rule: int
    expression: int
    start: int
    end: int


class Live:
    """Where the live tail starts: searched for loosely, confirmed exactly (see `expressions.relaxed`)."""

    __slots__ = ("_exact", "_loose")

    def __init__(self, loose: Sequence[str], exact: Sequence[str]) -> None:
        self._loose = Search(f"(?:{'|'.join(dict.fromkeys(loose))})\\z")
        self._exact = Search("|".join(dict.fromkeys(exact)))

    def __call__(self, window: str, at: int = 0) -> int:
        """The index of the live tail's first character; the window's length when nothing is live. The character of
        context stands at or after `at`."""
        size = len(window)
        while (found := self._loose(window, at)) is not None:
            start = found[0] + 1
            # A tail too short to reach any count that was loosened is exact as it is.
            if size - start <= expressions.FEW or self._exact.whole(window, found[0]):
                return start
            at = start
        return size


class PatternMatcher:
    """The pattern rules of a rule set, compiled."""

    def __init__(self, expressions_of: Iterable[tuple[int, PatternRule, int]]) -> None:
        """`expressions_of`: the number of a rule, the rule, and which of its expressions. All run over one lane."""
        self.expressions: list[Expression] = []
        finds, lives, loose_lives, nodes = [], [], [], []
        raw = False
        for index, rule, number in expressions_of:
            source = rule.expressions[number]
            raw = rule.lane == "raw"
            try:
                node = expressions.parse(source, raw=raw)
                left = _LEFT[rule.left if isinstance(rule.left, str) else rule.left[number]]
                right = _RIGHT[rule.right if isinstance(rule.right, str) else rule.right[number]]
                find = left + f"(?:{expressions.render(node)})"
                live = left + f"(?:{expressions.prefixes(node)})"
                loose = expressions.relaxed(node)
                loose_find = left + f"(?:{expressions.render(loose)})"
                loose_live = left + f"(?:{expressions.prefixes(loose)})"
                accept = rule.accept[number] if isinstance(rule.accept, tuple) else rule.accept
                compiled = Expression(index, Search(find), Live([loose_live], [live]), right, accept)
            except (ExpressionError, re2.error) as error:
                shown = source if len(source) <= 80 else f"{source[:80]}…"
                raise RuleError(rule.id, f"pattern {shown!r}: {_reason(error)}") from None
            self.expressions.append(compiled)
            finds.append(loose_find)
            lives.append(live)
            loose_lives.append(loose_live)
            nodes.append(node)
        try:
            self._find = Search("|".join(dict.fromkeys(finds)))
            self._which = re2.Set.SearchSet(options())
            for find in finds:
                self._which.Add(find)
            self._which.Compile()
            self._live = Live(loose_lives, lives)
        except re2.error:
            raise RuleError(
                rule.id, "the patterns of this policy are too large together; expected smaller counts"
            ) from None
        self._needed = _search_for([_need(node) for node in nodes])
        # A short window, the usual one, has no room for a match of most kinds of secrets.
        long = [node for node in nodes if expressions.least(node) >= _LONG]
        self._long = min(map(expressions.least, long), default=0)
        self._needed_short = _search_for([_need(node) for node in nodes if node not in long]) if long else self._needed
        self._only_long = len(long) == len(nodes)
        self._first = _search_for([frozenset().union(*map(_members, expressions.firsts(node))) for node in nodes])
        sets = sorted(set().union(*map(expressions.atoms, nodes)))
        self._last = frozenset().union(*map(expressions.ascii_members, sets))
        wide = tuple(s for s in sets if not expressions.is_ascii_only(s))
        self._narrow = not wide
        """No set reaches beyond ASCII: only an ASCII character can extend a match."""
        self.ascii_only = raw or not wide
        """No mark that joins the last character can change what the expressions make of it."""
        self._grown = lru_cache(maxsize=4096)(lambda parts: _grown(wide, parts))
        self._opening = None if self.ascii_only else _search_for([_opening(node) for node in nodes])
        self.reach = Reach.NONE if raw else _reach(nodes)

    def may_match(self, window: str) -> bool:
        """Whether the window can hold a complete match: a cheap no, or what a search says."""
        short = len(window) <= self._long
        if short and self._only_long:
            return False
        needed = self._needed_short if short else self._needed
        if needed is not None and needed.search(window) is None:
            return False
        return self._find(window) is not None

    def candidates(self, window: str) -> Sequence[int]:
        """The expressions that may match somewhere in the window; no other does."""
        return sorted(self._which.Match(window) or ())

    def live(self, window: str) -> int:
        """The window index where the live tail starts; `len(window)` when nothing is live."""
        last = window[-1]
        if last not in self._last and (last < "\x80" or self._narrow):
            return len(window)
        if self._first is not None and self._first.search(window, 1) is None:
            return len(window)
        return self._live(window)

    def live_of(self, expression: int, window: str, resume: int) -> int:
        """The same for one expression, whose matches start at or after the index `resume` (>= 1)."""
        return self.expressions[expression].live(window, resume - 1)

    def glance(self, window: str) -> int:
        """`live`, also in view of what the last character may become; or -1 when the window may hold a match."""
        if self.may_match(window):
            return -1
        alive = self.live(window)
        if not self.ascii_only and (self._opening is None or self._opening.search(window)):
            for char in self._grown(unicodedata.normalize("NFD", window[-1])):
                view = window[:-1] + char
                start = self.live(view)
                if start < len(view):
                    alive = min(alive, start)
        return alive

    def grown(self, parts: str) -> Sequence[str]:
        """Characters, one of each kind that the expressions tell apart, that an open segment whose NFD is `parts`
        may yet begin with and that an expression accepts."""
        return () if self.ascii_only else self._grown(parts)

    def matches(
        self,
        expression: int,
        window: str,
        resume: int,
        limit: int,
        soft: int,
        base: int,
        final: bool,
        fits: Callable[[int, int], bool] | None = None,
    ) -> tuple[list[Match], int, int]:
        """Accepted matches of one expression from the index `resume` on, where to resume, and where what is still
        undecided starts (at most `limit`, where the expression is live).

        A match is decided when it starts before `limit`, ends at or before `soft` (where the open segment begins), and
        what stands right of it is known well enough to judge the edge: `base` is the one character there that a mark
        may yet change. All this is moot when the text is final.
        """
        this = self.expressions[expression]
        found: list[Match] = []
        while True:
            match = this.find(window, resume - 1)
            if match is None or match[0] + 1 >= limit:
                return found, resume, limit
            start, end = match[0] + 1, match[1]
            if fits is not None and not fits(expression, start):
                resume = start + 1
                continue
            following = window[end : end + 1]
            # A mark may yet turn a letter there into one that the edge does not count.
            unsure = end == base and following in this.right and following in COMPOSITION_FIRSTS
            if not final and (end > soft or not following or unsure):
                return found, resume, start
            if following in this.right or (this.accept is not None and not this.accept(window[start:end])):
                resume = start + 1
            else:
                found.append(Match(this.rule, expression, start, end))
                resume = end


def _reason(error: Exception) -> str:
    text = error.args[0] if error.args else error
    return text.decode(errors="replace") if isinstance(text, bytes) else str(text)


def _weight(members: frozenset[str]) -> int:
    heavy = {" ": 10 * _COMMON, _WIDE: 5 * _COMMON}
    return sum(_COMMON if c.islower() else heavy.get(c, 1) for c in members)


@lru_cache(maxsize=4096)
def _members(source: str) -> frozenset[str]:
    members = expressions.ascii_members(source)
    return members if expressions.is_ascii_only(source) else members | {_WIDE}


def _need(node: Node) -> frozenset[str] | None:
    """Characters one of which every match holds, with _WIDE for all beyond ASCII; the rarest such set that the tree
    shows."""
    match node:
        case expressions.Atom(source):
            return _members(source)
        case expressions.Sequence(parts):
            needs = [need for need in map(_need, parts) if need is not None]
            return min(needs, key=_weight) if needs else None
        case expressions.Choice(options):
            each = [_need(option) for option in options]
            if any(need is None for need in each):
                return None
            return frozenset(chain.from_iterable(need for need in each if need is not None))
        case expressions.Repeat(inner, low, _):
            return _need(inner) if low else None


def _opening(node: Node) -> frozenset[str] | None:
    """ASCII characters one of which must stand before any wide set can matter; empty when there is no wide set."""
    if all(map(expressions.is_ascii_only, expressions.atoms(node))):
        return frozenset()
    parts = node.parts if isinstance(node, expressions.Sequence) else (node,)
    ahead = takewhile(lambda part: all(map(expressions.is_ascii_only, expressions.atoms(part))), parts)
    return _need(expressions.Sequence(tuple(ahead)))


def _search_for(needs: list[frozenset[str] | None]) -> re.Pattern[str] | None:
    """A search for any of the needed characters; None when it would hardly say no."""
    if any(need is None for need in needs):
        return None
    members = frozenset(chain.from_iterable(need for need in needs if need is not None))
    if not members or _weight(members) >= 26 * _COMMON // 2:
        return None
    wide = "\x80-\U0010ffff" if _WIDE in members else ""
    return re.compile("[" + "".join(map(re.escape, sorted(members - {_WIDE}))) + wide + "]")


def _compositions() -> dict[str, list[str]]:
    """The composed characters that each base may grow into."""
    grown: dict[str, list[str]] = {}
    for first in COMPOSITION_FIRSTS:
        grown.setdefault(unicodedata.normalize("NFD", first)[0], [])
    for block in (range(0xC0, 0x3100), range(0xAC00, 0xD7A4), range(0x11000, 0x17000)):
        for char in map(chr, block):
            parts = unicodedata.normalize("NFD", char)
            if len(parts) > 1 and unicodedata.normalize("NFC", parts) == char:
                grown.setdefault(parts[0], []).append(char)
    return grown


@lru_cache(maxsize=1)
def _composed() -> dict[str, list[str]]:
    return _compositions()


def _grown(wide: Sequence[str], parts: str) -> tuple[str, ...]:
    now = unicodedata.normalize("NFC", parts)[0]
    candidates = [c for c in _composed().get(parts[0], []) if c != now and may_grow_into(parts, c)]
    kinds: dict[tuple[bool, ...], str] = {}
    for char in candidates:
        kinds.setdefault(tuple(expressions.in_set(s, char) for s in wide), char)
    return tuple(char for kind, char in kinds.items() if any(kind))


_REACH_SAMPLES = tuple(map(chr, (0x0A, 0x231A, 0x1F600, 0x1F1E6, 0x1100, 0xAC00, 0x1161, 0x0915, 0x0300, 0x0903)))


def _reach(nodes: list[Node]) -> Reach:
    reach = Reach.NONE
    for source in set().union(*map(expressions.firsts, nodes)):
        if expressions.is_ascii_only(source):
            if "\n" in expressions.ascii_members(source):
                reach |= Reach.LINE_FEED
        else:
            reach |= _wide_reach(source)
    return reach


@lru_cache(maxsize=256)
def _wide_reach(source: str) -> Reach:
    """The reach of a set beyond ASCII, by asking about every character that has one."""
    reach = Reach.NONE
    for char in chain(_REACH_SAMPLES, _inner_characters()):
        kind = reach_of(char)
        if kind not in reach and expressions.in_set(source, char):
            reach |= kind
            if reach == Reach.ANY:
                break
    return reach


@lru_cache(maxsize=1)
def _inner_characters() -> tuple[str, ...]:
    return tuple(c for c in map(chr, range(0x20000)) if not "\ud800" <= c <= "\udfff" and reach_of(c))
