"""Why rules find what they find in a text, and why they do not: for people, not for streams.

Reads the whole text with the engine's own matchers and its own reasons, so that it cannot tell another story than
the stream does. Costs many times what a scan costs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from guardrail.text.disguise import LEET_SIGN, Reading, is_one_alphabet, plain
from guardrail.text.fold import BREAK, Segmenter, fold_case, stand_in
from guardrail.text.keywords import KeywordMatcher
from guardrail.text.lane import Lane
from guardrail.text.patterns import PatternMatcher
from guardrail.text.readings import readings
from guardrail.text.rules import Action, Finding, PatternRule, Rule
from guardrail.text.ruleset import Matchers, compile_rules
from guardrail.text.scanner import Scanner
from guardrail.text.terms import Role, Way


@dataclass(frozen=True, slots=True)
class Candidate:
    """An occurrence that a rule looked at."""

    rule: str
    start: int
    """Raw offsets, in code points."""
    end: int
    lane: str
    """In what the rule found it: the lane, and the reading of it."""
    text: str
    """What it says there."""
    kind: str
    """`hit`, or what else the occurrence is good for: an allow-phrase, a word of a near rule, a context word."""
    fault: str
    """Why it does not count; empty when it does."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What became of a text, and why."""

    lanes: dict[str, str]
    """The lanes that rules read, by name; those that say the same as an earlier one are left out."""
    candidates: tuple[Candidate, ...]
    """In the order of the text."""
    held: tuple[int, ...]
    """After each character, how many were held back; none after a halt."""
    findings: tuple[Finding, ...]


_KINDS = {
    Role.TERM: "hit",
    Role.ALLOW: "allow-phrase",
    Role.FIRST: "first word",
    Role.SECOND: "second word",
    Role.CONTEXT: "context word",
}


def explain(rules: Sequence[Rule], text: str) -> Explanation:
    """Explain what the rules make of a text, none of them hiding another. Raises RuleError as `compile_rules` does."""
    scanner = Scanner(compile_rules(rules))
    held = []
    for char in text:
        scanner.feed(char)
        held.append(0 if scanner.halt else scanner.received - scanner.settled)
    scanner.finish()
    active = [rule for rule in rules if rule.action is not Action.ALLOW]
    lanes: dict[str, str] = {}
    candidates: list[Candidate] = []
    matchers = compile_rules([_logged(rule) for rule in active]).logging
    if matchers is not None:
        whole = _Whole(matchers, text)
        lanes = whole.lanes()
        candidates = whole.candidates()
    return Explanation(lanes, tuple(candidates), tuple(held), tuple(scanner.findings()))


def _logged(rule: Rule) -> Rule:
    """The rule as one that only reports, so that all are looked at together."""
    return dataclasses.replace(rule, action=Action.LOG)


def _look_name(number: int) -> str:
    return f"look {number + 1}" if number else "look"


class _Whole:
    """A whole text on all its lanes."""

    def __init__(self, matchers: Matchers, text: str) -> None:
        self._matchers = matchers
        self._text = text
        pieces = Segmenter("", 0).push(text, 0)
        folds: dict[str, Callable[[str], str]] = {"cased": str, "folded": fold_case}
        for number, group in enumerate(matchers.disguises):
            folds[_look_name(number)] = group.look.segment
        self._lanes = {}
        for name, fold in folds.items():
            self._lanes[name] = lane = Lane()
            for cased, start, end in pieces:
                lane.append(fold(cased), start, end)
        self._lanes["raw"] = Lane()
        self._lanes["raw"].append("".join(map(stand_in, text)), 0)

    def lanes(self) -> dict[str, str]:
        shown: dict[str, str] = {}
        for name, lane in self._lanes.items():
            if name != "raw" and lane.text[1:] not in shown.values():
                shown[name] = lane.text[1:].replace(BREAK, "|")
        return shown

    def candidates(self) -> list[Candidate]:
        found = dict.fromkeys([*self._words(), *self._patterns()])
        excuses = [c for c in found if c.kind == "allow-phrase" and not c.fault]
        contexts = [c for c in found if c.kind == "context word" and not c.fault]
        judged = [self._judged(one, excuses, contexts) for one in found]
        # The same stretch is found in several lanes: the first that counts is enough, faults only where none does.
        kept: dict[tuple[str, int, int, str], Candidate] = {}
        for one in judged:
            place = one.rule, one.start, one.end, one.kind
            if place not in kept or (kept[place].fault and not one.fault):
                kept[place] = one
        return sorted(kept.values(), key=lambda one: (one.start, one.end, one.rule))

    def _judged(self, one: Candidate, excuses: list[Candidate], contexts: list[Candidate]) -> Candidate:
        if one.fault or one.kind != "hit":
            return one
        rule = next(rule for rule in self._matchers.rules if rule.id == one.rule)
        for excuse in excuses:
            if excuse.rule == one.rule and excuse.start <= one.start and one.end <= excuse.end:
                return dataclasses.replace(one, fault=f"inside the allow-phrase {excuse.text!r}")
        if one.lane.endswith("in context") and isinstance(rule, PatternRule):
            near = [c for c in contexts if c.rule == one.rule and 0 <= one.start - c.end <= rule.within]
            if not near:
                return dataclasses.replace(one, fault=f"no context word in the {rule.within} characters before it")
        return one

    def _words(self) -> Iterator[Candidate]:
        matchers = self._matchers
        for name, matcher in (("folded", matchers.folded), ("cased", matchers.cased), ("raw", matchers.raw)):
            if matcher is not None:
                lane = self._lanes[name]
                yield from self._occurrences(name, lane, plain(lane.text, lane.text, 0), matcher, Way.PLAIN)
        for number, group in enumerate(matchers.disguises):
            name = _look_name(number)
            lane = self._lanes[name]
            if group.words.finds(Way.LOOK):
                yield from self._occurrences(name, lane, plain(lane.text, lane.text, 0), group.words, Way.LOOK)
            for matcher, _, reading, way in readings(group, lane.text, len(lane.text), set(), final=True):
                view = {group.noise: ", without noise", group.repeats: ", without repeats"}.get(matcher, "")
                leet = ", leet" if way is Way.LEET and LEET_SIGN.search(lane.text) else ""
                yield from self._occurrences(name + view + leet, lane, reading, matcher, way)

    def _occurrences(
        self, name: str, lane: Lane, reading: Reading, matcher: KeywordMatcher, way: Way
    ) -> Iterator[Candidate]:
        received = len(self._text)

        def spare(start: int, end: int) -> bool:
            return is_one_alphabet(self._text[lane.start(start, received) : lane.end(end)])

        judged = None if name in ("folded", "cased", "raw") else spare
        for entry, start, end, fault in matcher.candidates(lane.text, reading, way, judged):
            rule = self._matchers.rules[entry.rule]
            yield Candidate(
                rule.id,
                lane.start(start, received),
                lane.end(end),
                name,
                lane.text[start:end],
                _KINDS[entry.role],
                fault,
            )

    def _patterns(self) -> Iterator[Candidate]:
        matchers = self._matchers
        yield from self._matches("cased", self._lanes["cased"], matchers.patterns)
        yield from self._matches("cased, in context", self._lanes["cased"], matchers.contextual)
        yield from self._matches("raw", self._lanes["raw"], matchers.raw_patterns)

    def _matches(self, name: str, lane: Lane, matcher: PatternMatcher | None) -> Iterator[Candidate]:
        received, window = len(self._text), lane.text
        for expression in matcher.expressions if matcher is not None else ():
            resume = 1
            while (match := expression.find(window, resume - 1)) is not None:
                start, end = match[0] + 1, match[1]
                if window[end : end + 1] in expression.right:
                    fault = f"{window[end : end + 1]!r} stands right behind it"
                elif expression.accept is not None and not expression.accept(window[start:end]):
                    fault = "its check fails (a checksum, a range, a placeholder, an allowed host)"
                else:
                    fault = ""
                rule = self._matchers.rules[expression.rule].id
                first = lane.start(start, received)
                yield Candidate(rule, first, lane.end(end), name, window[start:end], "hit", fault)
                resume = start + 1 if fault else end
