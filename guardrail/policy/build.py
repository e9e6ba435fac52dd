"""One resolved rule into a rule of the text engine, with every problem at the place that is to blame.

Does not compile: whether an expression is bounded or a term can be matched is found when the engine compiles the
rule; `guardrail.policy.blame` then finds which of its pieces it was.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from msgspec import UNSET

from guardrail.errors import ConfigProblem
from guardrail.policy.blame import NEAR_SIDES, blamed
from guardrail.policy.exceptions import SORTS, Exceptions, Network, domain_of, network_of
from guardrail.policy.lexicon import Lexicon
from guardrail.policy.lists import Lists
from guardrail.policy.model import Examples, FoldEntry, MaskEntry, NearEntry
from guardrail.policy.problems import one_of, suggestion
from guardrail.policy.resolve import Given, ResolvedRule
from guardrail.policy.shelf import Shelf
from guardrail.policy.sublists import Manner, spoken
from guardrail.policy.traits import PLAIN, Traits
from guardrail.text.entities import ENTITIES
from guardrail.text.output import OUTPUT_RULES
from guardrail.text.output.destinations import host_pattern
from guardrail.text.protected import SYSTEM_PROMPT, ProtectRule
from guardrail.text.rules import (
    Action,
    FixedChar,
    Folds,
    KeepLast,
    KeyedHash,
    KeywordRule,
    Label,
    Mask,
    NearRule,
    PatternRule,
    Rule,
)

DEFAULT_CATEGORY = "custom"
DEFAULT_LABEL = "[REDACTED]"

MIN_KEY = 16
"""Bytes of the key of a hash mask: with fewer, a short number can be found from its hash by trying."""

_HOW = {
    "case": "keywords",
    "edges": "keywords",
    "fold": "keywords",
    "expand": "keywords",
    "languages": "a lexicon",
    "term_actions": "a lexicon",
    "edge": "a pattern",
    "hosts": "links and html",
}
"""Keys that say how to look, and for what kind of rule."""

_MASK_FIELDS = {
    "label": {"text"},
    "char": {"char"},
    "keep_last": {"char", "keep"},
    "hash": {"text", "key_env"},
}


class Builder:
    """Builds the rules of one configuration; reads each lexicon once."""

    def __init__(self, environ: Mapping[str, str], lists: Lists) -> None:
        self._environ = environ
        self._shelf = Shelf(self._complain, lists)
        self._built: dict[int, tuple[tuple[Rule, ...], bool]] = {}
        self._failed = False
        self.problems: set[ConfigProblem] = set()

    @property
    def files(self) -> set[Path]:
        """Every lexicon that was read, or would have been if it were there."""
        return self._shelf.files

    def rules(self, resolved: ResolvedRule) -> tuple[tuple[Rule, ...], bool]:
        """The rules of the engine that it comes to, none when it is switched off or wrong; and whether it is sound.

        A rule that several policies inherit is built once: `resolved` is told by identity, and must stay alive.
        """
        if id(resolved) not in self._built:
            self._failed = False
            rules = self._rules(resolved)
            self._built[id(resolved)] = ((), False) if self._failed else (rules, True)
        return self._built[id(resolved)]

    def _rules(self, resolved: ResolvedRule) -> tuple[Rule, ...]:
        given = resolved.fields.get("action")
        if given is None:
            self._complain(resolved.at.problem(f"found the rule {resolved.id!r} without an action, expected one"))
            return ()
        action = Action(given.value)
        rules: tuple[Rule, ...]
        if "entity" in resolved.fields:
            rules = self._entity_rule(resolved, action)
        elif "keywords" in resolved.fields or "lexicon" in resolved.fields:
            rules = self._keyword_rules(resolved, action)
        elif "near" in resolved.fields:
            rules = (self._near_rule(resolved, action),)
        elif "output" in resolved.fields:
            rules = (self._output_rule(resolved, action),)
        elif "protect" in resolved.fields:
            rules = (self._protect_rule(resolved, action),)
        else:
            rules = (self._pattern_rule(resolved, action),)
        return () if action is Action.ALLOW else rules

    def _complain(self, *problems: ConfigProblem) -> None:
        self.problems.update(problems)
        self._failed |= bool(problems)

    def blame(self, resolved: ResolvedRule, rule: Rule) -> list[ConfigProblem]:
        """Why the engine does not take this rule: each piece that it does not take alone either."""
        return list(blamed(resolved, rule, self._shelf))

    def _entity_rule(self, resolved: ResolvedRule, action: Action) -> tuple[Rule, ...]:
        self._unfit(resolved, "an entity", ())
        given_name = resolved.fields["entity"]
        entity = ENTITIES.get(given_name.value)
        if entity is None:
            near = suggestion(given_name.value, ENTITIES)
            more = "" if near.startswith("one of") else "; docs/entities.md lists all"
            self._complain(given_name.problem(f"found the unknown entity {given_name.value!r}, expected {near}{more}"))
            return ()
        rule = entity.rule(action)
        given = self._examples(resolved)
        return (
            self._excepted(
                resolved,
                entity.name,
                dataclasses.replace(
                    rule,
                    category=resolved.get("category", rule.category),
                    severity=resolved.get("severity", rule.severity),
                    mask=self.mask(resolved, action, entity.label),
                    hits=rule.hits + given.hit,
                    misses=rule.misses + given.miss,
                ),
            ),
        )

    def _excepted(self, resolved: ResolvedRule, entity: str, rule: PatternRule) -> PatternRule:
        """The rule with the exceptions of its policy: phrases, and what else its entity takes."""
        sort = SORTS.get(entity)
        phrases: list[str] = []
        networks: list[Network] = []
        domains: list[str] = []
        for index, phrase in enumerate(resolved.get("allow", ())):
            network = network_of(phrase)
            if isinstance(network, str):
                self._complain(resolved.fields["allow"].problem(network, index))
            elif network is not None and sort == "network":
                networks.append(network)
            elif network is not None:
                message = f"found the network {phrase!r}, expected it only for IP addresses: here it never matches"
                self._complain(resolved.fields["allow"].problem(message, index))
            elif sort in ("email", "url") and (domain := domain_of(phrase, sort)) is not None:
                domains.append(domain)
            else:
                phrases.append(phrase)
        rule = dataclasses.replace(rule, allow=tuple(phrases))
        if sort is None or not (networks or domains):
            return rule
        checks = rule.accept if isinstance(rule.accept, tuple) else (rule.accept,) * len(rule.expressions)
        accept = tuple(Exceptions(check, tuple(networks), tuple(domains), sort) for check in checks)
        return dataclasses.replace(rule, accept=accept)

    def _keyword_rules(self, resolved: ResolvedRule, action: Action) -> tuple[Rule, ...]:
        listed = ("languages", "term_actions") if "lexicon" in resolved.fields else ()
        self._unfit(resolved, "keywords", ("case", "edges", "fold", "expand", *listed))
        manner = Manner(
            category=resolved.get("category", DEFAULT_CATEGORY),
            severity=resolved.get("severity", "medium"),
            action=action,
            case=resolved.get("case", False),
            edges=resolved.get("edges", "auto"),
            folds=self._folds(resolved),
        )
        keep = resolved.get("term_actions", "keep") == "keep"
        lists: dict[Manner, dict[str, None]] = {}
        if keywords := resolved.get("keywords"):
            lists[manner] = self._shelf.forms(resolved, keywords)
        allow = dict.fromkeys(self._phrases(resolved))
        for lexicon in self._shelf.of(resolved):
            for traits, terms in lexicon.groups.items():
                if terms and spoken(traits, resolved.get("languages")):
                    self._misfit(resolved, lexicon, traits, terms, actions=keep)
                    lists.setdefault(manner.of(traits, actions=keep), {}).update(self._shelf.forms(resolved, terms))
            allow |= dict.fromkeys(lexicon.allow)
        if not lists and not self._failed:
            languages = ", ".join(resolved.get("languages", ()))
            message = f"found no term of these languages in the lexicon, expected one: {languages}"
            self._complain(resolved.fields["languages" if languages else "lexicon"].problem(message))
        examples = self._examples(resolved)
        return tuple(
            KeywordRule(
                id=resolved.id + own.tail(manner),
                category=own.category,
                severity=own.severity,
                action=own.action,
                mask=self.mask(resolved, own.action, DEFAULT_LABEL),
                allow=tuple(allow),
                hits=examples.hit if len(lists) == 1 else (),
                misses=examples.miss,
                terms=tuple(terms),
                case_sensitive=own.case,
                edges=own.edges,
                folds=own.folds,
            )
            for own, terms in sorted(lists.items(), key=lambda each: each[0].tail(manner))
        )

    def _misfit(
        self, resolved: ResolvedRule, lexicon: Lexicon, traits: Traits, terms: Mapping[str, int], *, actions: bool
    ) -> None:
        """What a list says about terms that does not go with what the rule says."""
        at = next(iter(terms.values()))
        if actions and traits.action is Action.REPLACE and "with" not in resolved.fields:
            message = f"found the action 'replace' in a list for the rule {resolved.id!r}, which has no key 'with'"
            self._complain(lexicon.at(at, 1, message))
        if traits.folds and (resolved.get("case") or self._folds(resolved).exact):
            switch = traits.folds[0][0]
            message = (
                f"found {switch!r} in a list for the rule {resolved.id!r}, expected no fold switch: the rule tells case"
            )
            self._complain(lexicon.at(at, 1, message))

    def _near_rule(self, resolved: ResolvedRule, action: Action) -> Rule:
        self._unfit(resolved, "words near each other", ("edges", "fold"))
        near: NearEntry = resolved.fields["near"].value
        examples = self._examples(resolved)
        first, second = (self._near_words(resolved, side) for side in NEAR_SIDES)
        listed = [phrase for lexicon in self._shelf.of(resolved) for phrase in lexicon.allow]
        return NearRule(
            id=resolved.id,
            category=resolved.get("category", DEFAULT_CATEGORY),
            severity=resolved.get("severity", "medium"),
            action=action,
            mask=self.mask(resolved, action, DEFAULT_LABEL),
            allow=tuple(dict.fromkeys((*self._phrases(resolved), *listed))),
            hits=examples.hit,
            misses=examples.miss,
            first=first,
            second=second,
            within=None if near.within is UNSET else near.within,
            sentence=near.sentence is True,
            edges=resolved.get("edges", "auto"),
            folds=self._folds(resolved),
        )

    def _protect_rule(self, resolved: ResolvedRule, action: Action) -> Rule:
        self._unfit(resolved, "protected text", ())
        given = resolved.fields["protect"]
        own = given.value == SYSTEM_PROMPT
        if own and "examples" in resolved.fields:
            message = "found examples in a rule for the system prompt, expected none: it is known only with a request"
            self._complain(resolved.fields["examples"].problem(message))
        examples = self._examples(resolved)
        return ProtectRule(
            id=resolved.id,
            category=resolved.get("category", "protected_text"),
            severity=resolved.get("severity", "medium"),
            action=action,
            mask=self.mask(resolved, action, DEFAULT_LABEL),
            hits=examples.hit,
            misses=examples.miss,
            allow=self._phrases(resolved),
            fingerprints=None if own else self._shelf.fingerprints(given),
        )

    def _near_words(self, resolved: ResolvedRule, side: Literal["first", "second"]) -> tuple[str, ...]:
        given = resolved.fields["near"]
        words = getattr(given.value, side)
        name = getattr(given.value, f"{side}_lexicon")
        if (words is UNSET) == (name is UNSET):
            found = f"neither {side!r} nor" if words is UNSET else f"both {side!r} and"
            message = f"found {found} '{side}_lexicon' in 'near', expected one of them"
            self._complain(given.problem(message, *(() if words is UNSET else (f"{side}_lexicon",))))
            return ()
        if words is not UNSET:
            return tuple(dict.fromkeys(words))
        lexicon = self._shelf.lexicon(given, name, f"{side}_lexicon")
        if lexicon is None:
            return ()
        for traits, terms in lexicon.groups.items():
            if traits.merged(PLAIN) != dataclasses.replace(PLAIN, languages=frozenset()) and terms:
                message = "found a term with options of its own in a list for 'near', expected plain terms"
                self._complain(lexicon.at(next(iter(terms.values())), 1, message))
        return tuple(lexicon.terms)

    def _phrases(self, resolved: ResolvedRule) -> tuple[str, ...]:
        """The allow-phrases of a rule for words, none of which can be a network."""
        phrases: tuple[str, ...] = resolved.get("allow", ())
        for index, phrase in enumerate(phrases):
            if network_of(phrase) is not None:
                message = f"found the network {phrase!r}, expected it only for IP addresses: here it never matches"
                self._complain(resolved.fields["allow"].problem(message, index))
        return phrases

    def _folds(self, resolved: ResolvedRule) -> Folds:
        given = resolved.fields.get("fold")
        if given is None:
            return Folds()
        entry: FoldEntry = given.value
        switches = {name: on for name in entry.__struct_fields__ if (on := getattr(entry, name)) is not UNSET}
        others = [name for name in switches if name != "exact"]
        if resolved.get("case") and others:
            message = f"found {others[0]!r} in a rule that tells case, expected no fold switch there"
            self._complain(given.problem(message, others[0]))
        elif switches.get("exact") and others:
            message = f"found {others[0]!r} beside 'exact', expected one of them: then nothing is folded"
            self._complain(given.problem(message, others[0]))
        return Folds(**switches)

    def _pattern_rule(self, resolved: ResolvedRule, action: Action) -> Rule:
        self._unfit(resolved, "a pattern", ("edge",))
        edge = resolved.get("edge", "none")
        examples = self._examples(resolved)
        one = resolved.get("pattern")
        return PatternRule(
            id=resolved.id,
            category=resolved.get("category", DEFAULT_CATEGORY),
            severity=resolved.get("severity", "medium"),
            action=action,
            mask=self.mask(resolved, action, DEFAULT_LABEL),
            allow=resolved.get("allow", ()),
            hits=examples.hit,
            misses=examples.miss,
            expressions=resolved.get("patterns", ()) if one is None else (one,),
            left=edge,
            right=edge,
        )

    def _output_rule(self, resolved: ResolvedRule, action: Action) -> Rule:
        output = OUTPUT_RULES[resolved.fields["output"].value]
        self._unfit(resolved, output.name, ("hosts",) if output.takes_hosts else ())
        for key in ("allow", "mask", "with"):
            if (fixed := resolved.fields.get(key)) is not None:
                self._complain(
                    fixed.problem(f"found {key!r} in a rule for output handling, expected it only in others")
                )
        if action is Action.REPLACE:
            message = "found the action 'replace' in a rule for output handling, expected redact, log, halt or allow"
            self._complain(resolved.fields["action"].problem(message))
        hosts: list[str] = []
        for index, host in enumerate(resolved.get("hosts", ())):
            try:
                host_pattern(host)
                hosts.append(host)
            except ValueError as error:
                self._complain(resolved.fields["hosts"].problem(str(error), index))
        rule = output.rule(action, tuple(hosts))
        examples = self._examples(resolved)
        return dataclasses.replace(
            rule,
            category=resolved.get("category", rule.category),
            severity=resolved.get("severity", rule.severity),
            hits=rule.hits + examples.hit,
            misses=rule.misses + examples.miss,
        )

    def _unfit(self, resolved: ResolvedRule, source: str, fits: tuple[str, ...]) -> None:
        """Complain of keys that say how to look for something else than this rule does."""
        for name, elsewhere in _HOW.items():
            if name not in fits and (given := resolved.fields.get(name)) is not None:
                message = f"found {name!r} in a rule for {source}, expected it only in one for {elsewhere}"
                self._complain(given.problem(message))

    @staticmethod
    def _examples(resolved: ResolvedRule) -> Examples:
        given: Examples = resolved.get("examples", Examples())
        return given

    def mask(self, resolved: ResolvedRule, action: Action, label: str) -> Mask:
        """What stands for a hit of a rule with this action; `label`: when nothing else is said."""
        if action is Action.REPLACE:
            text = resolved.get("with")
            if text is None and resolved.fields["action"].value == "replace":
                message = f"found the rule {resolved.id!r} with the action 'replace' but no key 'with', expected one"
                self._complain(resolved.fields["action"].problem(message))
            return Label(text or "")
        given = resolved.fields.get("mask")
        if action is not Action.REDACT or given is None:
            return Label(label)
        entry: MaskEntry = given.value
        fits = _MASK_FIELDS[entry.style]
        for name in ("text", "char", "keep", "key_env"):
            if getattr(entry, name) is not UNSET and name not in fits:
                message = f"found {name!r} in a mask of the style {entry.style!r}, expected {one_of(sorted(fits))}"
                self._complain(given.problem(message, name))
        char = "•" if entry.char is UNSET else entry.char
        match entry.style:
            case "label":
                return Label(label if entry.text is UNSET else entry.text)
            case "char":
                return FixedChar(char)
            case "keep_last":
                return KeepLast(4 if entry.keep is UNSET else entry.keep, char)
            case "hash":
                return KeyedHash(label.strip("[]") if entry.text is UNSET else entry.text, self._key(entry, given))

    def _key(self, entry: MaskEntry, given: Given) -> bytes:
        if entry.key_env is UNSET:
            self._complain(given.problem("found a mask of the style 'hash' without a key 'key_env', expected one"))
            return b""
        key = self._environ.get(entry.key_env, "").encode("utf-8", "surrogateescape")
        if len(key) < MIN_KEY:
            found = f"only {len(key)} bytes in" if key else "nothing in"
            message = (
                f"found {found} the environment variable {entry.key_env}, expected a key of {MIN_KEY} bytes or more"
            )
            self._complain(given.problem(message, "key_env"))
        return key
