"""One resolved rule into a rule of the text engine, with every problem at the place that is to blame.

Does not compile: whether an expression is bounded or a term can be matched is found when the engine compiles the
rule; `blame` then finds which of its parts it was.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from msgspec import UNSET

from guardrail.errors import ConfigProblem, RuleError
from guardrail.policy.lexicon import Lexicon, read_lexicon
from guardrail.policy.model import Examples, MaskEntry
from guardrail.policy.problems import one_of, suggestion
from guardrail.policy.resolve import SOURCES, Given, ResolvedRule
from guardrail.text.entities import ENTITIES
from guardrail.text.rules import (
    Action,
    FixedChar,
    KeepLast,
    KeyedHash,
    KeywordRule,
    Label,
    Mask,
    PatternRule,
    Rule,
)
from guardrail.text.scanner import compile_rules

DEFAULT_CATEGORY = "custom"
DEFAULT_LABEL = "[REDACTED]"

MIN_KEY = 16
"""Bytes of the key of a hash mask: with fewer, a short number can be found from its hash by trying."""

_MASK_FIELDS = {
    "label": {"text"},
    "char": {"char"},
    "keep_last": {"char", "keep"},
    "hash": {"text", "key_env"},
}


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a rule that can be wrong on its own: a rule made of it alone, and the place of the piece."""

    rule: Rule
    at: ConfigProblem
    """Where it stands; its message is not used."""


class Builder:
    """Builds the rules of one configuration; reads each lexicon once."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._lexicons: dict[Path, tuple[Lexicon, list[ConfigProblem]]] = {}
        self._built: dict[int, tuple[Rule | None, bool]] = {}
        self._failed = False
        self.files: set[Path] = set()
        self.problems: set[ConfigProblem] = set()

    def rule(self, resolved: ResolvedRule) -> tuple[Rule | None, bool]:
        """The rule, None when it is switched off or wrong; and whether it is sound.

        A rule that several policies inherit is built once: `resolved` is told by identity, and must stay alive.
        """
        if id(resolved) not in self._built:
            self._failed = False
            rule = self._rule(resolved)
            self._built[id(resolved)] = (None, False) if self._failed else (rule, True)
        return self._built[id(resolved)]

    def _rule(self, resolved: ResolvedRule) -> Rule | None:
        given = resolved.fields.get("action")
        if given is None:
            self._complain(resolved.at.problem(f"found the rule {resolved.id!r} without an action, expected one"))
            return None
        action = Action(given.value)
        if "entity" in resolved.fields:
            rule = self._entity_rule(resolved, action)
        elif "keywords" in resolved.fields or "lexicon" in resolved.fields:
            rule = self._keyword_rule(resolved, action)
        else:
            rule = self._pattern_rule(resolved, action)
        return None if action is Action.ALLOW else rule

    def _complain(self, *problems: ConfigProblem) -> None:
        self.problems.update(problems)
        self._failed |= bool(problems)

    def blame(self, resolved: ResolvedRule, rule: Rule) -> list[ConfigProblem]:
        """Why the engine does not take this rule: each piece that it does not take alone either."""
        found = []
        for part in self._parts(resolved, rule):
            try:
                compile_rules([part.rule])
            except RuleError as error:
                found.append(dataclasses.replace(part.at, message=error.message))
        return found

    def _entity_rule(self, resolved: ResolvedRule, action: Action) -> Rule | None:
        self._unfit(resolved, "an entity", ("case", "edges", "edge"))
        given_name = resolved.fields["entity"]
        entity = ENTITIES.get(given_name.value)
        if entity is None:
            near = suggestion(given_name.value, ENTITIES)
            known = "" if near.startswith("one of") else f"; the known ones are {', '.join(ENTITIES)}"
            self._complain(given_name.problem(f"found the unknown entity {given_name.value!r}, expected {near}{known}"))
            return None
        rule = entity.rule(action)
        given = self._examples(resolved)
        return dataclasses.replace(
            rule,
            category=resolved.get("category", rule.category),
            severity=resolved.get("severity", rule.severity),
            mask=self._mask(resolved, action, entity.label),
            allow=resolved.get("allow", ()),
            hits=rule.hits + given.hit,
            misses=rule.misses + given.miss,
        )

    def _keyword_rule(self, resolved: ResolvedRule, action: Action) -> Rule:
        self._unfit(resolved, "keywords", ("edge",))
        terms = dict.fromkeys(resolved.get("keywords", ()))
        for lexicon in self._lexicons_of(resolved):
            terms |= dict.fromkeys(lexicon.terms)
        examples = self._examples(resolved)
        return KeywordRule(
            id=resolved.id,
            category=resolved.get("category", DEFAULT_CATEGORY),
            severity=resolved.get("severity", "medium"),
            action=action,
            mask=self._mask(resolved, action, DEFAULT_LABEL),
            allow=resolved.get("allow", ()),
            hits=examples.hit,
            misses=examples.miss,
            terms=tuple(terms),
            case_sensitive=resolved.get("case", False),
            edges=resolved.get("edges", "auto"),
        )

    def _pattern_rule(self, resolved: ResolvedRule, action: Action) -> Rule:
        self._unfit(resolved, "a pattern", ("case", "edges"))
        edge = resolved.get("edge", "none")
        examples = self._examples(resolved)
        one = resolved.get("pattern")
        return PatternRule(
            id=resolved.id,
            category=resolved.get("category", DEFAULT_CATEGORY),
            severity=resolved.get("severity", "medium"),
            action=action,
            mask=self._mask(resolved, action, DEFAULT_LABEL),
            allow=resolved.get("allow", ()),
            hits=examples.hit,
            misses=examples.miss,
            expressions=resolved.get("patterns", ()) if one is None else (one,),
            left=edge,
            right=edge,
        )

    def _unfit(self, resolved: ResolvedRule, source: str, names: tuple[str, ...]) -> None:
        for name in names:
            if (given := resolved.fields.get(name)) is not None:
                self._complain(given.problem(f"found {name!r} in a rule for {source}, expected it only in others"))

    @staticmethod
    def _examples(resolved: ResolvedRule) -> Examples:
        given: Examples = resolved.get("examples", Examples())
        return given

    def _mask(self, resolved: ResolvedRule, action: Action, label: str) -> Mask:
        if action is Action.REPLACE:
            text = resolved.get("with")
            if text is None:
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
        char = "*" if entry.char is UNSET else entry.char
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

    def _lexicons_of(self, resolved: ResolvedRule) -> Iterator[Lexicon]:
        given = resolved.fields.get("lexicon")
        if given is None:
            return
        several = not isinstance(given.value, str)
        for index, name in enumerate(given.value if several else (given.value,)):
            path = given.document.path.parent / name
            self.files.add(path)
            if not path.is_file():
                below = (index,) if several else ()
                self._complain(given.problem(f"found no file {name!r} here, expected a lexicon", *below))
                continue
            if path not in self._lexicons:
                self._lexicons[path] = read_lexicon(path)
            lexicon, problems = self._lexicons[path]
            self._complain(*problems)
            yield lexicon

    def _parts(self, resolved: ResolvedRule, rule: Rule) -> Iterator[Part]:
        def at(name: str, *below: str | int) -> ConfigProblem:
            return resolved.fields[name].problem("", *below)

        alone = dataclasses.replace(rule, allow=())
        if isinstance(alone, PatternRule):
            for index, expression in enumerate(alone.expressions):
                name = next(name for name in SOURCES if name in resolved.fields)
                below = (index,) if name == "patterns" else ()
                yield Part(dataclasses.replace(alone, expressions=(expression,)), at(name, *below))
        elif isinstance(alone, KeywordRule):
            for index, term in enumerate(resolved.get("keywords", ())):
                yield Part(dataclasses.replace(alone, terms=(term,)), at("keywords", index))
            for lexicon in self._lexicons_of(resolved):
                for term, line in lexicon.terms.items():
                    yield Part(dataclasses.replace(alone, terms=(term,)), ConfigProblem(str(lexicon.path), line, 1, ""))
            alone = dataclasses.replace(alone, terms=("a",))
        for index, phrase in enumerate(rule.allow):
            yield Part(dataclasses.replace(alone, allow=(phrase,)), at("allow", index))
