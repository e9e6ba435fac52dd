"""The edited text P(T) and its findings, computed plainly over the whole text.

The streaming engine must equal it. It reads the text again and again and is slow on purpose; what counts is
that each step can be checked by eye against the words in docs/design.md. It shares the plain data types of
`guardrail.text.rules` with the engine (rules, masks, findings) and nothing else: no folding, matching,
clustering or editing code.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import regex

from guardrail.text.rules import Action, Finding, KeywordRule, PatternEdge, PatternRule, Rule, WordEdges

MAX_JOINERS = 30
"""Joiners after the first character of a segment; the next one starts a new segment."""
MAX_IGNORABLES = 256
"""Ignorables in a row that are dropped; the next one folds to BREAK."""
MAX_CLUSTER = 64
"""Code points of a grapheme cluster; a longer one ends there, and what follows starts another."""
BREAK = "\uffff"
CLUSTER = regex.compile(r"^\X")
PICTOGRAPH = regex.compile(r"\p{Extended_Pictographic}")
CONSONANT = regex.compile(r"\p{InCB=Consonant}")
LINKER = regex.compile(r"\p{InCB=Linker}")
CONJUNCT_EXTEND = regex.compile(r"\p{InCB=Extend}")

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Result:
    """What a policy makes of one text. `cut`: the raw offset at which a halt ended it (behind the removal that
    the halt overlaps, if it does), or None."""

    output: str
    halted: bool
    cut: int | None
    findings: list[Finding]


@dataclass(frozen=True, slots=True)
class Hit:
    """One hit of one rule, at its final raw span."""

    rule: Rule
    start: int
    end: int


def reference(rules: Sequence[Rule], text: str) -> Result:
    """P(text) and the findings."""
    removing = [hit for rule in rules if rule.action.removes for hit in hits(rule, text)]
    removing.sort(key=_sweep_order)
    output, cut, halt = _sweep(removing, text)
    if halt is None:
        found = removing + [hit for rule in rules if rule.action is Action.LOG for hit in hits(rule, text)]
    else:
        seen = text[: halt.end]
        found = [halt]
        found += [h for h in removing if h.rule.action is not Action.HALT and h.start < halt.start]
        found += [h for rule in rules if rule.action is Action.LOG for h in hits(rule, seen) if h.end <= halt.start]
    return Result(output, halt is not None, cut, _findings(found))


# Folding


@dataclass(frozen=True, slots=True)
class Lane:
    """Folded text, and for each of its characters the raw span that it stands for."""

    text: str
    spans: list[Span]

    def raw(self, start: int, end: int) -> Span:
        return self.spans[start][0], self.spans[end - 1][1]


@cache
def ignorable(char: str) -> bool:
    return regex.match(r"\p{Default_Ignorable_Code_Point}", char) is not None


@cache
def _second_characters() -> frozenset[str]:
    """Every b of a pair a+b that canonical composition turns into one character."""
    seconds = set()
    for char in map(chr, range(0x110000)):
        pair = unicodedata.decomposition(char).split()
        if len(pair) == 2 and not pair[0].startswith("<"):
            first, second = (chr(int(code, 16)) for code in pair)
            if unicodedata.normalize("NFC", first + second) == char:
                seconds.add(second)
    return frozenset(seconds)


@cache
def joiner(char: str) -> bool:
    """Whether the character may change, under NFKC, what stands before it."""
    first = unicodedata.normalize("NFKD", char)[0]
    return (
        unicodedata.combining(first) != 0
        or first in _second_characters()
        or "\u1161" <= first <= "\u1175"
        or "\u11a8" <= first <= "\u11c2"
    )


def surrogate_pair(text: str, at: int) -> bool:
    return "\ud800" <= text[at : at + 1] <= "\udbff" and "\udc00" <= text[at + 1 : at + 2] <= "\udfff"


def join_surrogates(pair: str) -> str:
    """The character that two lone halves stand for."""
    return pair.encode("utf-16", "surrogatepass").decode("utf-16")


def segments(text: str) -> list[tuple[str, Span]]:
    """What is folded piece by piece: the characters of each piece without ignorables, and its raw span."""
    out: list[tuple[str, Span]] = []
    can_join = False
    ignorables = 0
    at = 0
    while at < len(text):
        char, width = text[at], 1
        if ignorable(char):
            ignorables += 1
            if ignorables > MAX_IGNORABLES:
                out.append((BREAK, (at, at + 1)))
                can_join = False
                ignorables = 0
            at += 1
            continue
        ignorables = 0
        if surrogate_pair(text, at):
            char, width = join_surrogates(text[at : at + 2]), 2
        if width == 1 and joiner(char) and can_join and len(out[-1][0]) <= MAX_JOINERS:
            before, (start, _) = out[-1]
            out[-1] = (before + char, (start, at + 1))
        else:
            out.append((char, (at, at + width)))
        can_join = True
        at += width
    return out


def cased(segment: str) -> str:
    hyphened = re.sub("[\u2010-\u2015\u2212]", "-", unicodedata.normalize("NFKC", segment))
    return re.sub("[\u2018\u2019\u201b]", "'", hyphened)


def folded(segment: str) -> str:
    # An iota subscript is no letter here, though its case fold is one.
    bare = unicodedata.normalize("NFC", unicodedata.normalize("NFD", cased(segment)).replace("\u0345", ""))
    return re.sub("[\t\n\r]", " ", unicodedata.normalize("NFKC", bare.casefold()))


@lru_cache(maxsize=64)
def lane(text: str, keep_case: bool) -> Lane:
    pieces = [(cased(s) if keep_case else folded(s), span) for s, span in segments(text)]
    return Lane("".join(piece for piece, _ in pieces), [span for piece, span in pieces for _ in piece])


# Keywords

UNSPACED_SCRIPTS = (
    *("Han", "Hiragana", "Katakana", "Bopomofo", "Hangul"),
    *("Thai", "Lao", "Khmer", "Myanmar"),
)
"""Scripts written without spaces, or with particles attached to words: their words have no visible edges."""


@cache
def alphabetic(char: str) -> bool:
    """A letter, digit or mark of a script that sets its words apart, or what joins two consonants in any script."""
    if regex.match(r"\p{InCB=Linker}", char):
        return True
    word = char.isalnum() or unicodedata.category(char).startswith("M")
    return word and not any(regex.match(rf"\p{{Script={script}}}", char) for script in UNSPACED_SCRIPTS)


def occurrences(term: str, keep_case: bool, edges: WordEdges, text: str) -> set[Span]:
    """The raw spans at which the term stands with the word edges that it needs."""
    where = lane(text, keep_case)
    needle = lane(term, keep_case).text
    left = edges == "always" or (edges == "auto" and alphabetic(needle[0]))
    right = edges == "always" or (edges == "auto" and alphabetic(needle[-1]))
    found = set()
    for start in range(len(where.text) - len(needle) + 1):
        end = start + len(needle)
        if where.text[start:end] != needle:
            continue
        if left and start > 0 and alphabetic(where.text[start - 1]):
            continue
        if right and end < len(where.text) and alphabetic(where.text[end]):
            continue
        found.add(where.raw(start, end))
    return found


# Patterns


def beside(edge: PatternEdge, neighbour: str) -> bool:
    """Whether the neighbour ("" at the text's start and end) may stand beside a match."""
    if edge == "digit":
        return re.fullmatch(r"[0-9]", neighbour) is None
    if edge == "number":
        return re.fullmatch(r"[0-9.]", neighbour) is None
    if edge == "word":
        return re.fullmatch(r"[0-9A-Za-z_]", neighbour) is None
    return True


def longest(expression: re.Pattern[str], text: str, start: int) -> int | None:
    """The end of the longest match of one character or more that begins exactly at `start`."""
    if expression.match(text, start) is None:  # spares the loop below, and cannot hide a match from it
        return None
    return next((end for end in range(len(text), start, -1) if expression.fullmatch(text, start, end)), None)


def accepted(rule: PatternRule, text: str, start: int, end: int) -> bool:
    if not beside(rule.right, text[end : end + 1]):
        return False
    return rule.accept is None or rule.accept(text[start:end])


def matches(rule: PatternRule, expression: str, left: PatternEdge, text: str) -> Iterator[Span]:
    """The leftmost-longest matches of one expression, as raw spans. It is read composed, as the text is."""
    compiled = re.compile(unicodedata.normalize("NFC", expression), re.ASCII)
    where = lane(text, keep_case=True)
    start = 0
    while start < len(where.text):
        end = None
        if beside(left, where.text[max(start - 1, 0) : start]):
            end = longest(compiled, where.text, start)
        if end is None or not accepted(rule, where.text, start, end):
            start += 1
        else:
            yield where.raw(start, end)
            start = end


# Hits


def hits(rule: Rule, text: str) -> list[Hit]:
    """Every hit of one rule, but those that an allow-phrase excuses."""
    keep_case: bool = False
    edges: WordEdges = "auto"
    if isinstance(rule, KeywordRule):
        keep_case, edges = rule.case_sensitive, rule.edges
        found = {span for term in rule.terms for span in occurrences(term, keep_case, edges, text)}
    else:
        assert isinstance(rule, PatternRule)
        lefts = (rule.left,) * len(rule.expressions) if isinstance(rule.left, str) else rule.left
        pairs = zip(rule.expressions, lefts, strict=True)
        found = {span for expression, left in pairs for span in matches(rule, expression, left, text)}
    excused = {span for phrase in rule.allow for span in occurrences(phrase, keep_case, edges, text)}
    kept = [(s, e) for s, e in found if not any(a <= s and e <= b for a, b in excused)]
    boundaries = cluster_boundaries(text) if kept else frozenset()
    widened = {
        (max(b for b in boundaries if b <= start), min(b for b in boundaries if b >= end)) for start, end in kept
    }
    return [Hit(rule, start, end) for start, end in sorted(widened)]


@cache
def joins_clusters(char: str) -> str:
    """The character that stands for this one when clusters are told apart.

    Pictographs that NFKC turns into something else, such as ™, count as ordinary letters.
    """
    pictograph = PICTOGRAPH.match(char) is not None
    return "x" if pictograph and unicodedata.normalize("NFKC", char) != char else char


def clustered_units(text: str) -> list[tuple[str, int]]:
    """What clusters are made of: a stand-in character and its width in code points.

    Two lone surrogates that make a pair are one unit: the pictograph that they stand for, else a letter. A conjunct
    linker that no consonant precedes is a mark like any other (rule GB9c; `regex` lets it join after anything).
    """
    units = []
    after_consonant = False
    at = 0
    while at < len(text):
        linker = LINKER.match(text[at]) is not None
        if CONSONANT.match(text[at]):
            after_consonant = True
        elif not linker and not CONJUNCT_EXTEND.match(text[at]):
            after_consonant = False
        if surrogate_pair(text, at):
            joined = joins_clusters(join_surrogates(text[at : at + 2]))
            units.append((joined if PICTOGRAPH.match(joined) else "x", 2))
            at += 2
        elif linker and not after_consonant:
            units.append(("\u0301" if regex.match(r"\p{GCB=Extend}", text[at]) else "x", 1))
            at += 1
        else:
            units.append((joins_clusters(text[at]), 1))
            at += 1
    return units


@lru_cache(maxsize=64)
def cluster_boundaries(text: str) -> frozenset[int]:
    """The offsets at which a grapheme cluster starts or ends."""
    units = clustered_units(text)
    boundaries = [0]
    first = 0
    while first < len(units):
        stand_in = "".join(char for char, _ in units[first : first + MAX_CLUSTER])
        size = len(CLUSTER.findall(stand_in)[0])
        while sum(width for _, width in units[first : first + size]) > MAX_CLUSTER:
            size -= 1
        boundaries.append(boundaries[-1] + sum(width for _, width in units[first : first + size]))
        first += size
    return frozenset(boundaries)


# Editing


def _sweep_order(hit: Hit) -> tuple[int, int, int, str]:
    strength = (Action.HALT, Action.REPLACE, Action.REDACT).index(hit.rule.action)
    return hit.start, strength, hit.start - hit.end, hit.rule.id


def _sweep(removing: Sequence[Hit], text: str) -> tuple[str, int | None, Hit | None]:
    """The edited text, and where and by which hit it was halted, if it was. `removing` stands in sweep order."""
    output = ""
    removed_to = 0
    for hit in removing:
        apart = hit.start >= removed_to
        if apart:
            output += text[removed_to : hit.start]
        if hit.rule.action is Action.HALT:
            return output, max(hit.start, removed_to), hit
        if apart:
            output += hit.rule.mask.render(text[hit.start : hit.end])
        removed_to = max(removed_to, hit.end)
    return output + text[removed_to:], None, None


def _findings(found: Sequence[Hit]) -> list[Finding]:
    distinct = {Finding(h.start, h.end, h.rule.id, h.rule.category, h.rule.severity, h.rule.action) for h in found}
    return sorted(distinct, key=lambda f: (f.start, f.end, f.rule))
