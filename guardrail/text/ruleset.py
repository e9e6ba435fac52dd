"""Rules, compiled: what every stream of a policy shares. Immutable after `compile_rules`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from guardrail.errors import RuleError
from guardrail.text.clusters import Reach
from guardrail.text.disguise import LEET_I, noise_form, repeats_form
from guardrail.text.fold import Look, fold_case, fold_cased, look, stand_in
from guardrail.text.keywords import KeywordMatcher
from guardrail.text.patterns import PatternMatcher
from guardrail.text.protected import ProtectRule
from guardrail.text.rules import MAX_NEAR, Action, Folds, KeywordRule, NearRule, PatternRule, Rule, WordEdges
from guardrail.text.scores import UNAVAILABLE, ScoreSettings
from guardrail.text.terms import Entry, Role, Way, check_term, edges_of, fold_term

_LATIN = re.compile("[a-z]")
_PLAIN, _LOOK, _LEET = 1 << Way.PLAIN, 1 << Way.LOOK, 1 << Way.LEET


@dataclass(frozen=True, slots=True, eq=False)
class Disguises:
    """The rules that share a look lane, and how they read it."""

    look: Look
    words: KeywordMatcher
    """The look forms; may be the folded lane's matcher, which holds them too."""
    leet: bool
    """Whether any of them is also looked for in the leet readings."""
    noise: KeywordMatcher | None
    repeats: KeywordMatcher | None


@dataclass(frozen=True, slots=True, eq=False)
class Matchers:
    """Rules that are evaluated together, and what finds them."""

    rules: tuple[Rule, ...]
    folded: KeywordMatcher | None
    """Case-insensitive terms, the allow-phrases and the context words of pattern rules."""
    cased: KeywordMatcher | None
    raw: KeywordMatcher | None
    """Terms of which nothing is folded."""
    disguises: tuple[Disguises, ...]
    patterns: PatternMatcher | None
    contextual: PatternMatcher | None
    """Patterns that need a context word before them."""
    raw_patterns: PatternMatcher | None
    raw_rules: frozenset[int]
    """Rules whose hits are exact to the character."""
    protecting: tuple[tuple[int, ProtectRule], ...]
    """Rules for protected text, by index."""
    reach: Reach
    """Of what kinds the first characters are that a match may start with inside a grapheme cluster."""

    @property
    def has_near(self) -> bool:
        return any(isinstance(rule, NearRule) for rule in self.rules)


NO_MATCHERS = Matchers((), None, None, None, (), None, None, None, frozenset(), (), Reach.NONE)
"""Of no rules: finds nothing and holds nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class RuleSet:
    """Compiled rules, shared by every stream that uses them."""

    removing: Matchers | None
    """Rules that redact, replace or halt; None when there are none."""
    logging: Matchers | None
    """Rules that only report. They are evaluated apart, so that they can never delay a character."""
    scored: Scored | None = None
    """The classifier's part; None when the policy has none."""

    @property
    def plain(self) -> RuleSet:
        """The same rules without a classifier."""
        return self if self.scored is None else self.scored.plain


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """What a classifier adds to compiled rules."""

    settings: ScoreSettings
    first: int
    """Index among the removing rules of the first of the levels, which stand there in order; `UNAVAILABLE` is last."""
    plain: RuleSet
    prompt: str = ""
    """The newest user message, where the classifier is to see it."""


def with_scores(rules: RuleSet, settings: ScoreSettings, prompt: str = "") -> RuleSet:
    """The same compiled rules with a classifier's levels among them. Cheap: what was compiled is shared."""
    removing = rules.plain.removing or NO_MATCHERS
    first = len(removing.rules)
    own = (*settings.rules, UNAVAILABLE)
    # A unit never parts a grapheme, and what stands before one may be delivered while it is scored: no widening.
    exact = removing.raw_rules | set(range(first, first + len(own)))
    return RuleSet(
        replace(removing, rules=(*removing.rules, *own), raw_rules=exact) if settings.holds else rules.plain.removing,
        rules.plain.logging,
        Scored(settings, first, rules.plain, prompt),
    )


def compile_rules(rules: Sequence[Rule]) -> RuleSet:
    """Compile rules; those with action `allow` are left out.

    Raises RuleError for one that cannot be used: an unbounded or malformed pattern, an empty or over-long term.
    """
    return RuleSet(
        _matchers(tuple(rule for rule in rules if rule.action.removes)),
        _matchers(tuple(rule for rule in rules if rule.action is Action.LOG)),
    )


def _matchers(rules: tuple[Rule, ...]) -> Matchers | None:
    if not rules:
        return None
    words = _Words(rules)
    patterned: dict[tuple[str, bool], list[tuple[int, PatternRule, int]]] = {}
    for index, rule in enumerate(rules):
        if isinstance(rule, PatternRule):
            for number, needs_context in enumerate(_contextual(rule)):
                patterned.setdefault((rule.lane, needs_context), []).append((index, rule, number))
    free, behind, raw = (patterned.get(kind) for kind in (("cased", False), ("cased", True), ("raw", False)))
    patterns = PatternMatcher(free) if free else None
    contextual = PatternMatcher(behind) if behind else None
    reach = words.reach
    for matcher in (patterns, contextual):
        if matcher is not None:
            reach |= matcher.reach
    return Matchers(
        rules,
        words.folded if words.folded.compile() else None,
        words.cased if words.cased.compile() else None,
        words.raw if words.raw.compile() else None,
        tuple(words.disguises()),
        patterns,
        contextual,
        PatternMatcher(raw) if raw else None,
        frozenset(index for index, rule in enumerate(rules) if _is_raw(rule)),
        tuple((index, rule) for index, rule in enumerate(rules) if isinstance(rule, ProtectRule)),
        reach,
    )


def _contextual(rule: PatternRule) -> tuple[bool, ...]:
    """Which of the rule's expressions need context. Raises RuleError for a rule that contradicts itself."""
    if not rule.expressions:
        raise RuleError(rule.id, "found no pattern; expected at least one")
    each = rule.contextual if isinstance(rule.contextual, tuple) else (rule.contextual,) * len(rule.expressions)
    if any(each) and not rule.context:
        raise RuleError(rule.id, "found a pattern that needs context, and no context words")
    if rule.lane == "raw" and (any(each) or rule.allow):
        raise RuleError(rule.id, "a rule over the raw text takes neither context words nor allow-phrases")
    return each


@dataclass(slots=True)
class _Group:
    """The rules of one look lane, before they are compiled."""

    look: Look
    words: KeywordMatcher
    noise: KeywordMatcher
    repeats: KeywordMatcher


class _Words:
    """The phrases of all rules, each put where it is looked for."""

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        looks = dict.fromkeys(
            look(rule.folds) for rule in rules if isinstance(rule, KeywordRule | NearRule) and _is_folded(rule)
        )
        segments = [_from_raw(one.segment) for one in looks if one is not None]
        # One look lane is the usual case; the folded lane's automaton then serves both.
        shared = len(segments) == 1
        self.folded = KeywordMatcher(_from_raw(fold_case), *(segments if shared else ()))
        self.cased = KeywordMatcher(fold_cased)
        self.raw = KeywordMatcher()
        self._groups: dict[Look | None, _Group] = {}
        for one in looks:
            segment = fold_case if one is None else one.segment
            raw = _from_raw(segment)
            self._groups[one] = _Group(
                one or Look(marks=False, lookalikes=False, simplified=False, numbers=False),
                self.folded if shared and one is not None else KeywordMatcher(raw),
                KeywordMatcher(raw),
                KeywordMatcher(raw),
            )
        for index, rule in enumerate(rules):
            self._add(index, rule)

    @property
    def reach(self) -> Reach:
        reach = self.folded.reach | self.cased.reach
        for group in self._groups.values():
            reach |= group.words.reach | group.noise.reach | group.repeats.reach
        return reach

    def disguises(self) -> Iterator[Disguises]:
        for group in self._groups.values():
            noise = group.noise if group.noise.compile() else None
            repeats = group.repeats if group.repeats.compile() else None
            if group.words is self.folded or group.words.compile() or noise or repeats:
                yield Disguises(group.look, group.words, group.words.finds(Way.LEET), noise, repeats)

    def _add(self, index: int, rule: Rule) -> None:
        match rule:
            case KeywordRule():
                self._add_words(index, rule, [(rule.terms, Role.TERM)], rule.edges, rule.folds, rule.case_sensitive)
            case NearRule():
                if rule.within is not None and not 0 <= rule.within <= MAX_NEAR:
                    raise RuleError(rule.id, f"found within: {rule.within}, expected 0 to {MAX_NEAR}")
                lists = [(rule.first, Role.FIRST), (rule.second, Role.SECOND)]
                self._add_words(index, rule, lists, rule.edges, rule.folds, False)
            case PatternRule() | ProtectRule():
                phrases = [(rule.allow, Role.ALLOW)]
                if isinstance(rule, PatternRule):
                    phrases.append((rule.context, Role.CONTEXT))
                entries = []
                for word, role in _unique(rule, phrases, lambda phrase: fold_term(rule.id, phrase, cased=False)):
                    entries.append((word, Entry(index, role, *edges_of(word, "auto"), _PLAIN)))
                self.folded.add(entries)

    def _add_words(
        self,
        index: int,
        rule: Rule,
        lists: list[tuple[tuple[str, ...], Role]],
        edges: WordEdges,
        folds: Folds,
        case_sensitive: bool,
    ) -> None:
        """Add the phrases of a keyword or near rule, in every form in which they are looked for."""
        phrases = [*lists, (rule.allow, Role.ALLOW)]
        if folds.exact or case_sensitive:
            fold = _raw_form(rule.id) if folds.exact else _cased_form(rule.id)
            entries = [
                (word, Entry(index, role, *edges_of(word, edges), _PLAIN))
                for word, role in _unique(rule, phrases, fold)
            ]
            (self.raw if folds.exact else self.cased).add(entries)
            return
        group = self._groups[look(folds)]
        plain: list[tuple[str, Entry]] = []
        looked: list[tuple[str, Entry]] = []
        noisy: list[tuple[str, Entry]] = []
        repeated: list[tuple[str, Entry]] = []
        made: dict[tuple[Role, tuple[bool, bool], int, bool, tuple[int, ...] | None], Entry] = {}
        for word, role in _unique(rule, phrases, lambda phrase: fold_term(rule.id, phrase, cased=False)):
            left, right = edges_of(word, edges)
            form = group.look.term(word) if look(folds) is not None else word
            leet = folds.leet and left and right and form is not None and form.translate(LEET_I) == form
            latin = _LATIN.search(word) is not None

            def entry(
                found: str,
                ways: int,
                runs: tuple[int, ...] | None = None,
                *,
                role: Role = role,
                sides: tuple[bool, bool] = (left, right),
                latin: bool = latin,
                leet: bool = leet,
            ) -> tuple[str, Entry]:
                if leet:
                    ways |= _LEET
                key = (role, sides, ways, latin, runs)
                if key not in made:
                    made[key] = Entry(index, role, *sides, ways, latin, runs)
                return found, made[key]

            same = form == word and group.words is self.folded
            plain.append(entry(word, _PLAIN | (_LOOK if same else 0), leet=leet and same))
            if form is None:
                continue
            if not same:
                if form != word:
                    plain.append(entry(form, _PLAIN, leet=False))
                looked.append(entry(form, _LOOK))
            if folds.noise and (noise := noise_form(form)) is not None:
                tight = noise.replace(" ", "")
                for found in dict.fromkeys((noise, tight) if len(tight) > 1 else (noise,)):
                    noisy.append(entry(found, _PLAIN))
                    if found != form:
                        # Where nothing is in the way it is looked for as it is, for then the view is not looked at.
                        plain.append(entry(found, _PLAIN, leet=False))
                        looked.append(entry(found, _LOOK))
            if folds.repeats:
                once, runs = repeats_form(form)
                repeated.append(entry(once, _PLAIN, runs))
        if group.words is self.folded:
            plain += looked
        else:
            group.words.add(looked)
        self.folded.add(plain)
        group.noise.add(noisy)
        group.repeats.add(repeated)


def _is_raw(rule: Rule) -> bool:
    return (
        isinstance(rule, ProtectRule)
        or (isinstance(rule, KeywordRule | NearRule) and rule.folds.exact)
        or (isinstance(rule, PatternRule) and rule.lane == "raw")
    )


def _is_folded(rule: KeywordRule | NearRule) -> bool:
    return not rule.folds.exact and not (isinstance(rule, KeywordRule) and rule.case_sensitive)


def _from_raw(fold: Callable[[str], str]) -> Callable[[str], str]:
    return lambda segment: fold(fold_cased(segment))


def _raw_form(rule: str) -> Callable[[str], str]:
    def form(phrase: str) -> str:
        check_term(rule, phrase, phrase)
        return "".join(map(stand_in, phrase))

    return form


def _cased_form(rule: str) -> Callable[[str], str]:
    return lambda phrase: fold_term(rule, phrase, cased=True)


def _unique(
    rule: Rule, phrases: Sequence[tuple[tuple[str, ...], Role]], form: Callable[[str], str]
) -> Iterator[tuple[str, Role]]:
    """Each phrase once, in its form."""
    return iter(dict.fromkeys((form(phrase), role) for part, role in phrases for phrase in part))
