"""The edited text P(T) and its findings, computed plainly over the whole text.

The streaming engine must equal it. It reads the text again and again and is slow on purpose; what counts is
that each step can be checked by eye against the words in docs/design.md. Lanes are those of tests/lanes.py, and
tests/occurrences.py says where terms stand. The plain data types of `guardrail.text.rules` and the folding tables are
shared with the engine, and nothing else: no folding, matching, clustering or editing code.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import regex

from guardrail.text.rules import (
    MAX_NEAR,
    Accept,
    Action,
    Finding,
    KeywordRule,
    NearRule,
    PatternEdge,
    PatternRule,
    RightEdge,
    Rule,
)
from guardrail.text.scores import ScoreRule, ScoreSettings
from tests.lanes import Lane, Span, cased, cased_lane, join_surrogates, raw_lane, surrogate_pair
from tests.occurrences import Manner, occurrences
from tests.scoring import Model, score_hits

MAX_CLUSTER = 64
"""Code points of a grapheme cluster; a longer one ends there, and what follows starts another."""
CLUSTER = regex.compile(r"^\X")
PICTOGRAPH = regex.compile(r"\p{Extended_Pictographic}")
CONSONANT = regex.compile(r"\p{InCB=Consonant}")
LINKER = regex.compile(r"\p{InCB=Linker}")
CONJUNCT_EXTEND = regex.compile(r"\p{InCB=Extend}")
SENTENCE_END = re.compile(r"[!?。！？…\n]|\.(?=\s)")


@dataclass(frozen=True, slots=True)
class Result:
    """What a policy makes of one text. `cut`: the raw offset at which a halt ended it (behind the removal that
    the halt overlaps, if it does), or None."""

    output: str
    halted: bool
    cut: int | None
    findings: list[Finding]
    removed: frozenset[int]
    """The raw offsets that redactions and replacements remove."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One hit of one rule, at its final raw span."""

    rule: Rule
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Classifier:
    """The classifier of a policy, and the model that it asks."""

    settings: ScoreSettings
    model: Model
    prompt: str = ""

    @property
    def removes(self) -> bool:
        return any(rule.action.removes for rule in self.settings.rules)

    def hits(self, text: str) -> list[Hit]:
        found = score_hits(self.settings, text, self.model, self.prompt)
        return [Hit(rule, start, end) for rule, start, end in found]


def reference(rules: Sequence[Rule], text: str, classifier: Classifier | None = None) -> Result:
    """P(text) and the findings."""
    scored = [] if classifier is None else classifier.hits(text)
    removing = [hit for rule in rules if rule.action.removes for hit in hits(rule, text)]
    removing += [hit for hit in scored if hit.rule.action.removes]
    removing.sort(key=_sweep_order)
    output, cut, halt, gone = _sweep(removing, text)
    if halt is None:
        found = removing + [hit for rule in rules if rule.action is Action.LOG for hit in hits(rule, text)]
        found += [hit for hit in scored if hit.rule.action is Action.LOG]
    else:
        seen = text[: halt.end]
        found = [halt]
        found += [h for h in removing if h.rule.action is not Action.HALT and h.start < halt.start]
        found += [h for rule in rules if rule.action is Action.LOG for h in hits(rule, seen) if h.end <= halt.start]
        if classifier is not None and not classifier.removes:
            scored = classifier.hits(seen)  # nothing waits for it, so that it reads no further than the log does
        found += [h for h in scored if h.rule.action is Action.LOG and h.end <= halt.start]
    return Result(output, halt is not None, cut, _findings(found), frozenset(gone))


# Near rules


def manner_of(rule: Rule) -> Manner:
    if isinstance(rule, KeywordRule):
        return Manner(rule.case_sensitive, rule.edges, rule.folds)
    return Manner(False, rule.edges, rule.folds) if isinstance(rule, NearRule) else Manner()


def near(rule: NearRule, text: str) -> set[Span]:
    """From the earliest word that is near enough to the end of each word of the other list."""
    first = {span for word in rule.first for span in occurrences(word, manner_of(rule), text)}
    second = {span for word in rule.second for span in occurrences(word, manner_of(rule), text)}
    within = MAX_NEAR if rule.within is None else rule.within
    found = set()
    for own, others in ((first, second), (second, first)):
        for start, end in own:
            partners = [
                other_start
                for other_start, other_end in others
                if other_end <= start <= other_end + within
                and not (rule.sentence and sentence_ends(text, other_end, start))
            ]
            if partners:
                found.add((min(partners), end))
    return found


def sentence_ends(text: str, start: int, end: int) -> bool:
    found = SENTENCE_END.search(text, start)
    return found is not None and found.start() < end


# Patterns

FORBIDDEN = {"none": "(?!)", "digit": "[0-9]", "number": "[0-9.]", "word": "[0-9A-Za-z_]", "newline": r"\n"}


def beside(edge: RightEdge, neighbour: str) -> bool:
    """Whether the neighbour ("" at the text's start and end) may stand beside a match."""
    return re.fullmatch(FORBIDDEN[edge], neighbour) is None


def longest(expression: re.Pattern[str], text: str, start: int) -> int | None:
    """The end of the longest match of one character or more that begins exactly at `start`."""
    if expression.match(text, start) is None:  # spares the loop below, and cannot hide a match from it
        return None
    return next((end for end in range(len(text), start, -1) if expression.fullmatch(text, start, end)), None)


def in_cased_lane(expression: str) -> str:
    """The expression with its literals as the cased lane has them, but for those that are several characters there and
    stand in a set."""
    out, in_set, escaped = "", False, False
    for char in unicodedata.normalize("NFC", expression):
        if char in "[]" and not escaped:
            in_set = char == "["
        escaped = char == "\\" and not escaped
        literal = cased(char)
        if len(literal) > 1:
            literal = char if in_set else f"(?:{re.escape(literal)})"
        out += literal
    return out


@dataclass(frozen=True, slots=True)
class Expression:
    """One expression of a pattern rule with what goes with it."""

    source: str
    left: PatternEdge
    right: RightEdge
    accept: Accept | None
    contextual: bool


def expressions(rule: PatternRule) -> Iterator[Expression]:
    for at, source in enumerate(rule.expressions):
        yield Expression(
            source,
            rule.left[at] if isinstance(rule.left, tuple) else rule.left,
            rule.right[at] if isinstance(rule.right, tuple) else rule.right,
            rule.accept[at] if isinstance(rule.accept, tuple) else rule.accept,
            rule.contextual[at] if isinstance(rule.contextual, tuple) else rule.contextual,
        )


def matches(rule: PatternRule, text: str) -> set[Span]:
    """The raw spans of the matches of each expression."""
    where = raw_lane(text) if rule.lane == "raw" else cased_lane(text)
    words = {span for word in rule.context for span in occurrences(word, Manner(), text)}
    found = set()
    for expression in expressions(rule):
        source = expression.source if rule.lane == "raw" else in_cased_lane(expression.source)
        compiled = re.compile(source, re.ASCII)
        start = 0
        while start < len(where.text):
            end = None
            if beside(expression.left, where.text[max(start - 1, 0) : start]):
                end = longest(compiled, where.text, start)
            if end is not None and accepted(rule, expression, words, where, start, end):
                found.add(where.raw(start, end))
                start = end
            else:
                start += 1
    return found


def accepted(rule: PatternRule, expression: Expression, words: set[Span], where: Lane, start: int, end: int) -> bool:
    if not beside(expression.right, where.text[end : end + 1]):
        return False
    if expression.contextual:
        at, _ = where.raw(start, end)
        if not any(word_end <= at <= word_end + rule.within for _, word_end in words):
            return False
    return expression.accept is None or expression.accept(where.text[start:end])


# Hits


def hits(rule: Rule, text: str) -> list[Hit]:
    """Every hit of one rule, but those that an allow-phrase excuses."""
    manner = manner_of(rule)
    raw = manner.folds.exact
    if isinstance(rule, KeywordRule):
        found = {span for term in rule.terms for span in occurrences(term, manner, text)}
    elif isinstance(rule, NearRule):
        found = near(rule, text)
    else:
        assert isinstance(rule, PatternRule)
        found = matches(rule, text)
        raw = rule.lane == "raw"
    excused = {span for phrase in rule.allow for span in occurrences(phrase, manner, text)}
    kept = {(s, e) for s, e in found if not any(a <= s and e <= b for a, b in excused)}
    return [Hit(rule, start, end) for start, end in sorted(kept if raw else widened(kept, text))]


def widened(spans: set[Span], text: str) -> set[Span]:
    """The spans as whole grapheme clusters."""
    boundaries = cluster_boundaries(text) if spans else frozenset()
    return {(max(b for b in boundaries if b <= start), min(b for b in boundaries if b >= end)) for start, end in spans}


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


def _sweep_order(hit: Hit | Part) -> tuple[int, int, int, str]:
    strength = (Action.HALT, Action.REPLACE, Action.REDACT).index(hit.rule.action)
    return hit.start, strength, hit.start - hit.end, hit.rule.id


@dataclass(frozen=True, slots=True)
class Part:
    """What is removed of a hit, or one stretch of it, and what stands for it."""

    rule: Rule
    start: int
    end: int
    mask: str


def _sweep(removing: Sequence[Hit], text: str) -> tuple[str, int | None, Hit | None, set[int]]:
    """The edited text; where and by which hit it was halted, if it was; and what was removed before."""
    output = ""
    removed_to = 0
    gone: set[int] = set()
    halts: list[Hit | Part] = [hit for hit in removing if hit.rule.action is Action.HALT]
    parts = [part for hit in removing if hit.rule.action is not Action.HALT for part in parts_of(hit, text)]
    for one in sorted([*halts, *parts], key=_sweep_order):
        apart = one.start >= removed_to
        if apart:
            output += text[removed_to : one.start]
        if isinstance(one, Hit):
            return output, max(one.start, removed_to), one, gone
        if apart:
            output += one.mask
        removed_to = max(removed_to, one.end)
        gone.update(range(one.start, one.end))
    return output + text[removed_to:], None, None, gone


BEHIND = 256
"""Characters before a hit that count for what stays of it."""


def parts_of(hit: Hit, text: str) -> list[Part]:
    """A hit without the mark-up that stays."""
    rule, scored = hit.rule, isinstance(hit.rule, ScoreRule)
    wide = scored or isinstance(rule, NearRule)
    whole = rule.mask.render(text[hit.start : hit.end])
    if not scored and (in_raw_lane(rule) or (whole == "" and not wide)):
        return [Part(rule, hit.start, hit.end, whole)]
    unseen = staying(hit, text, wide)
    spans = []
    at = hit.start
    while at < hit.end:
        end = at
        while end < hit.end and (end in unseen) == (at in unseen):
            end += 1
        while at < end and text[at].isspace():
            at += 1
        last = end
        while last > at and text[last - 1].isspace():
            last -= 1
        if at < last and at not in unseen:
            spans.append((at, last))
        at = end
    if not spans:
        spans = [(hit.start, hit.end)]
    shown = [span for span in spans if not behind_a_fence(hit, span[0], text, wide)]
    place = (shown or spans)[0]
    said = rule.mask.render("".join(text[start:end] for start, end in spans))
    after = text[place[1] : place[1] + 1] if place[1] < hit.end or not scored else ""
    return [Part(rule, *span, fitted(said, text, place[0], after) if span == place else "") for span in spans]


def in_raw_lane(rule: Rule) -> bool:
    return rule.lane == "raw" if isinstance(rule, PatternRule) else manner_of(rule).folds.exact


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the text, as far as it is looked at: where its own text begins behind marks and blanks."""

    start: int
    head: int
    end: int


def lines_of(hit: Hit, text: str, wide: bool) -> list[Line]:
    """The lines in which a hit stands; of the first one only if its start can be seen."""
    lines = []
    start = text.rfind("\n", 0, hit.start) + 1
    if (start == 0 and hit.start >= BEHIND) or start <= hit.start - BEHIND:
        start = (text + "\n").find("\n", hit.start) + 1
    while start <= hit.end:
        end = text.find("\n", start, hit.end)
        end = hit.end if end < 0 else end
        lines.append(Line(start, head_of(text[start:end], wide) + start, end))
        start = end + 1
    return lines


def head_of(line: str, wide: bool) -> int:
    """Where the text of a line begins."""
    at = len(line) - len(line.lstrip(" \t"))
    mark = re.match(r">|([-+*]|#{1,6}|\d{1,3}[.)])(?=[ \t])", line[at:], re.ASCII)
    if mark is None or (mark[0][0].isdigit() and not wide):
        return at
    return at + mark.end() + head_of(line[at + mark.end() :], wide)


def fence_of(line: Line, text: str) -> str:
    said = text[line.head : line.end]
    run = said[: len(said) - len(said.lstrip(said[:1]))] if said[:1] in ("`", "~") else ""
    return "" if len(run) < 3 or (run[0] == "`" and "`" in said[len(run) :]) else run


def behind_a_fence(hit: Hit, at: int, text: str, wide: bool) -> bool:
    return any(fence_of(line, text) and line.head < at < line.end for line in lines_of(hit, text, wide))


def staying(hit: Hit, text: str, wide: bool) -> set[int]:
    """The offsets of marks, and of the line ends beside those that need a line of their own."""
    stays: set[int] = set()
    for line in lines_of(hit, text, wide):
        said = text[line.head : line.end]
        fence = fence_of(line, text)
        row = wide and said.startswith("|")
        if fence or row:
            stays |= {line.start - 1, line.end, *range(line.start, line.head + len(fence))}
        if line.start <= hit.start:
            stays |= set(range(line.start, line.head))
        if row and not said.strip(" \t|:-"):
            stays |= set(range(line.head, line.end))
        elif row and not fence:
            escaped = False
            for at, char in enumerate(said, line.head):
                if char == "|" and not escaped:
                    stays.add(at)
                escaped = char == "\\" and not escaped
    if wide:
        stays |= lone_brackets(hit, text)
    return {at for at in stays if hit.start <= at < hit.end}


def lone_brackets(hit: Hit, text: str) -> set[int]:
    stays: set[int] = set()
    opened: list[int] = []
    inside = text[hit.start : hit.end]
    closer = hit.start + inside.find(")")
    if in_an_address(text, hit.start) and ")" in inside and "(" not in text[hit.start : closer]:
        stays.add(closer)
    escaped = False
    for at in range(hit.start, hit.end):
        char = text[at]
        if char == "[" and not escaped:
            opened.append(at)
        if char == "]" and not escaped:
            if opened:
                opened.pop()
            else:
                stays.add(at)
                if text[at + 1 : min(at + 2, hit.end)] == "(":
                    stays.add(at + 1)
                    closer = text.find(")", at + 2, hit.end)
                    stays.add(closer if closer >= 0 else at)
        escaped = char == "\\" and not escaped
    for at in opened:
        stays |= {at, at - 1} if text[at - 1 : at] == "!" else {at}
    return stays


def in_an_address(text: str, at: int) -> bool:
    """Whether the address of a link has begun and not ended: `](x`, `]: x`, `<scheme:x`."""
    before = text[max(at - BEHIND, 0) : at]
    inner = r"(?:[^\s<>()]|\([^\s<>()]*\))*"
    starts = (r"\]\(", r"\]:[ \t]*", r"<[A-Za-z][A-Za-z0-9+.-]{1,31}:")
    return any(re.search(start + inner + r"\Z", before) for start in starts)


def fitted(mask: str, text: str, at: int, after: str) -> str:
    """A mask that neither ends the address in which it stands nor makes a link with what follows it, and has no
    brackets where it stands in some."""
    if text[max(at - 1, 0) : at] + after == "[]" and mask[:1] + mask[-1:] == "[]":
        return mask[1:-1]
    if in_an_address(text, at):
        mask = "".join(
            "".join(f"%{byte:02X}" for byte in char.encode()) if char.isspace() or char in "()<>\\" else char
            for char in mask
        )
    line = text[text.rfind("\n", 0, at) + 1 : at]
    if mask.endswith("]") and (
        after == "(" or (after == ":" and len(line) < BEHIND and head_of(line, True) == len(line))
    ):
        mask += " "
    return mask


def _findings(found: Sequence[Hit]) -> list[Finding]:
    distinct = {Finding(h.start, h.end, h.rule.id, h.rule.category, h.rule.severity, h.rule.action) for h in found}
    return sorted(distinct, key=lambda f: (f.start, f.end, f.rule))
