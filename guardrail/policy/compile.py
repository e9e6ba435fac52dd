"""Resolved policies into compiled ones, and the digest that names what a policy does.

Promises: two policies with the same digest do the same to every text, whatever their files are called and however
they are laid out, and share their compiled rules; two that differ in any outcome have different digests. Secrets
enter a digest only as hashes.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from guardrail.errors import ConfigError, ConfigProblem, RuleError
from guardrail.policy.build import Builder
from guardrail.policy.cache import Cache, open_cache
from guardrail.policy.examples import unproven
from guardrail.policy.exceptions import Exceptions
from guardrail.policy.fingerprints import FingerprintFile
from guardrail.policy.levels import Classifiers
from guardrail.policy.lists import Lists
from guardrail.policy.load import Configuration, include_policy_file, load_configuration
from guardrail.policy.policy import InputSection, Policy, Role
from guardrail.policy.problems import one_of, suggestion
from guardrail.policy.resolve import ResolvedPolicy, ResolvedRule, Resolver
from guardrail.text.output.rule import Judged
from guardrail.text.protected import SYSTEM_PROMPT, ProtectRule
from guardrail.text.rules import (
    Accept,
    Action,
    FixedChar,
    KeepLast,
    KeyedHash,
    KeywordRule,
    Label,
    Mask,
    NearRule,
    PatternRule,
    Rule,
)
from guardrail.text.ruleset import with_scores
from guardrail.text.scanner import RuleSet, compile_rules
from guardrail.text.scores import ScoreSettings

if TYPE_CHECKING:
    from guardrail.classify.detector import DetectorEntry
    from guardrail.classify.model import Model

DEFAULT_LOCALE = "en"
NOTICES = {
    "en": "\n[Stopped by safety policy. Case {case_id}]",
    "zh": "\n[内容已按安全策略停止。编号 {case_id}]",
}
INPUT_NOTICES = {
    "en": "This prompt was stopped by safety policy. Case {case_id}.",
    "zh": "该输入已按安全策略拦截。编号 {case_id}。",
}
REFUSALS = {
    "en": "Stopped by safety policy.",
    "zh": "内容已按安全策略停止。",
}

_PARTS = 16
"""Its square is the number of parts that the terms of a list are digested in."""

_DIGEST_FORMAT = 2
"""Part of every digest; raised when the same rules come to mean something else."""


@dataclass(frozen=True, slots=True)
class _Compiled:
    """The rules and the classifier of a policy, or of its section `input`."""

    rules: RuleSet
    rules_digest: str
    scorer: Model | DetectorEntry | None
    decisive: list[Any]
    """What of the classifier decides an outcome."""

    @property
    def acts(self) -> bool:
        """Whether there is anything to find."""
        return self.rules.removing is not None or self.rules.logging is not None or self.rules.scored is not None


class Compiler:
    """Compiles the policies of one configuration; `problems` and `files` (lexicons read) grow as they are asked for.

    `reuse`: policies compiled before; one with the same rules lends them, so that a reload compiles only what
    changed. `thorough`: prove also the built-in entities by their own examples. `lists`: lexicons read before.
    """

    def __init__(
        self,
        config: Configuration,
        environ: Mapping[str, str],
        *,
        reuse: Iterable[Policy] = (),
        thorough: bool = False,
        lists: Lists | None = None,
    ) -> None:
        self._resolver = Resolver(config.policies, config.known_policies)
        self._builder = Builder(environ, Lists() if lists is None else lists)
        self._thorough = thorough
        self._reuse = {policy.rules_digest: policy.rules.plain for each in reuse for policy in each.parts}
        self._classifiers = Classifiers(self._builder)
        self._in_force: dict[int, list[tuple[ResolvedRule, tuple[Rule, ...]]] | None] = {}
        self._policies: dict[tuple[str, str | None], Policy | None] = {}
        self._rule_digests: dict[int, str] = {}
        self._rule_sets: dict[str, RuleSet | None] = {}
        self._proven: set[int] = set()
        self._found: set[ConfigProblem] = set()

    @property
    def problems(self) -> set[ConfigProblem]:
        return self._found | self._resolver.problems | self._builder.problems | self._classifiers.problems

    @property
    def files(self) -> set[Path]:
        return self._builder.files | self._classifiers.files

    def policy(self, name: str, locale: str | None = None) -> Policy | None:
        """The policy with notices in `locale` (by default its own); None where it has problems."""
        key = name, locale
        if key not in self._policies:
            self._policies[key] = self._compile(name, locale)
        return self._policies[key]

    def spoken(self, name: str, locale: str | None = None) -> str:
        """The language that the policy's notices are in for somebody who asks for `locale`."""
        resolved = self._resolver.policy(name)
        own = resolved.settings.get("locale") if resolved is not None else None
        wanted = locale or (own.value if own is not None else DEFAULT_LOCALE)
        return locale_of(wanted, self.locales(name)) or DEFAULT_LOCALE

    def _compile(self, name: str, locale: str | None) -> Policy | None:
        resolved = self._resolver.policy(name)
        if resolved is None:
            return None
        self._found.update(_notice_problems(resolved))
        compiled = self._part(resolved)
        of_input = None if resolved.input is None else self._part(resolved.input)
        if resolved.input is not None:
            self._found.update(_input_problems(resolved.input))
        if compiled is None or (resolved.input is not None and of_input is None):
            return None
        setting = {key: given.value for key, given in resolved.settings.items()}
        spoken = self.spoken(name, locale)
        notice = _notices(resolved)[spoken]
        refusal = REFUSALS[locale_of(spoken, REFUSALS) or DEFAULT_LOCALE]
        halt_scope = setting.get("halt", "choice")
        unknown_text = setting.get("unknown_text", "block")
        store_text = setting.get("store_text", False)
        settings = [halt_scope, unknown_text, notice, refusal, store_text]
        decisive = [_DIGEST_FORMAT, compiled.rules_digest, *settings, *compiled.decisive]
        turns, roles, input_notice = _input_settings(resolved.input, spoken)
        if of_input is not None:
            own = [of_input.rules_digest, turns, sorted(roles), input_notice, *of_input.decisive]
            decisive += [["input", *own]] if of_input.acts else []
        policy = Policy(
            name=name,
            digest=_digest(decisive),
            rules_digest=compiled.rules_digest,
            rules=compiled.rules,
            halt_scope=halt_scope,
            unknown_text=unknown_text,
            notice=notice,
            refusal=refusal,
            store_text=store_text,
            scorer=compiled.scorer,
        )
        if of_input is None:
            return policy
        if not of_input.acts:
            return dataclasses.replace(policy, idle_input=True)
        looked_for = dataclasses.replace(
            policy, rules=of_input.rules, rules_digest=of_input.rules_digest, scorer=of_input.scorer
        )
        return dataclasses.replace(policy, input=InputSection(looked_for, turns, roles, input_notice))

    def locales(self, name: str) -> tuple[str, ...]:
        """The languages that the policy has a notice in."""
        resolved = self._resolver.policy(name)
        return tuple(_notices(resolved)) if resolved is not None and not resolved.partial else ()

    def _part(self, resolved: ResolvedPolicy) -> _Compiled | None:
        """What a policy, or its section `input`, comes to; None where it has problems."""
        # Before anything else can end this: what is wrong with it is told beside what is wrong with the rules.
        built = self._classifiers.build(resolved) if resolved.classifier else None
        # A resolved policy lives as long as its resolver.
        if id(resolved) not in self._in_force:
            self._in_force[id(resolved)] = self._build(resolved)
        rules = self._in_force[id(resolved)]
        if rules is None:
            return None
        rules_digest = _digest([self._digest_of(rule) for _, parts in rules for rule in parts])
        rule_set = self._rule_set(resolved, rules, rules_digest)
        if not resolved.classifier:
            return None if rule_set is None else _Compiled(rule_set, rules_digest, None, [])
        if built is None or rule_set is None:
            return None
        scores = _canonical_scores(built.settings, built.scorer.digest)
        return _Compiled(with_scores(rule_set, built.settings), rules_digest, built.scorer, [scores])

    def _build(self, resolved: ResolvedPolicy) -> list[tuple[ResolvedRule, tuple[Rule, ...]]] | None:
        """The rules in force, by id, each with what it comes to; None where they have problems."""
        built = [(each, *self._builder.rules(each)) for _, each in sorted(resolved.rules.items())]
        rules = [(each, parts) for each, parts, _ in built if parts]
        if clashes := set(_clashes(rules)):
            self._found |= clashes
            return None
        if not all(sound for _, _, sound in built):
            # The others are tried all the same, so that what is wrong with them is known in the same run.
            self._blame(rules)
            return None
        return rules

    def _rule_set(
        self, resolved: ResolvedPolicy, rules: list[tuple[ResolvedRule, tuple[Rule, ...]]], rules_digest: str
    ) -> RuleSet | None:
        if rules_digest not in self._rule_sets:
            try:
                rule_set = self._reuse.get(rules_digest)
                if rule_set is None:
                    rule_set = compile_rules([rule for _, parts in rules for rule in parts])
            except RuleError as error:
                if not self._blame(rules):
                    message = f"these rules cannot be compiled together: {error.message}"
                    self._found.add(resolved.at.problem(message))
                self._rule_sets[rules_digest] = None
                return None
            self._rule_sets[rules_digest] = rule_set
        shared = self._rule_sets[rules_digest]
        if shared is None:
            return None
        self._prove(rules, shared)
        return shared

    def _prove(self, rules: list[tuple[ResolvedRule, tuple[Rule, ...]]], compiled: RuleSet) -> None:
        untried = [(each, parts) for each, parts in rules if id(each) not in self._proven]
        self._proven |= {id(each) for each, _ in untried}
        self._found.update(unproven(untried, compiled, thorough=self._thorough))

    def _blame(self, rules: list[tuple[ResolvedRule, tuple[Rule, ...]]]) -> bool:
        """Find what the engine does not take, rule by rule, and prove the rules that it takes; whether there is any
        that it does not."""
        sound = []
        for resolved, parts in rules:
            blamed: set[ConfigProblem] = set()
            for rule in parts:
                try:
                    compile_rules([rule])
                except RuleError as error:
                    blamed.update(self._builder.blame(resolved, rule) or [resolved.at.problem(error.message)])
            self._found |= blamed
            if not blamed:
                sound.append((resolved, parts))
        with contextlib.suppress(RuleError):  # each is taken alone; together they may be too many
            self._prove(sound, compile_rules([rule for _, parts in sound for rule in parts]))
        return len(sound) < len(rules)

    def _digest_of(self, rule: Rule) -> str:
        """The digest of a rule, made once for all the policies that inherit it."""
        if id(rule) not in self._rule_digests:
            self._rule_digests[id(rule)] = _digest(_canonical(rule))
        return self._rule_digests[id(rule)]


def _clashes(rules: list[tuple[ResolvedRule, tuple[Rule, ...]]]) -> Iterator[ConfigProblem]:
    """Ids that terms set apart by a lexicon get, and another rule has."""
    owners: dict[str, ResolvedRule] = {}
    for resolved, parts in rules:
        for rule in parts:
            owner = owners.setdefault(rule.id, resolved)
            if owner is not resolved and isinstance(rule, KeywordRule):
                first, second = sorted((owner, resolved), key=lambda each: len(each.id))
                message = f"found the id {rule.id!r}, expected another: some terms of the rule {first.id!r} have it"
                yield second.at.problem(message, "id")


def cache_of(config: Configuration, environ: Mapping[str, str]) -> Cache:
    """The cache that a configuration asks for; none where it cannot be read."""
    if config.settings is None:
        return Cache(None)
    return open_cache(config.settings.file.cache, config.settings.document.path.parent, environ)


def locale_of(wanted: str, known: Iterable[str]) -> str | None:
    """The known language that serves for `wanted`: the same, or the same without the region."""
    known = tuple(known)
    return next((name for name in (wanted, wanted.partition("-")[0]) if name in known), None)


def _notices(resolved: ResolvedPolicy) -> dict[str, str]:
    """The notice in each language that the policy has one in."""
    given = resolved.settings.get("notice")
    if given is None or given.value is True:
        return NOTICES
    if given.value is False:
        return dict.fromkeys(NOTICES, "")
    own: dict[str, str] = given.value
    return NOTICES | own


def _input_settings(
    resolved: ResolvedPolicy | None, spoken: str
) -> tuple[Literal["newest", "all"], frozenset[Role], str]:
    """The settings of a section `input`: turns, roles, and the notice in the language `spoken`."""
    setting = {} if resolved is None else {key: given.value for key, given in resolved.settings.items()}
    notices: dict[str, str] = INPUT_NOTICES | setting.get("notice", {})
    notice = notices[locale_of(spoken, notices) or DEFAULT_LOCALE]
    return setting.get("turns", "newest"), frozenset(setting.get("roles", ("user",))), notice


def _input_problems(resolved: ResolvedPolicy) -> Iterator[ConfigProblem]:
    """What a section `input` says that has no meaning for requests."""
    yield from _brace_problems(resolved)
    if (roles := resolved.settings.get("roles")) is not None:
        for index, role in enumerate(roles.value):
            if role in roles.value[:index]:
                yield roles.problem(f"found {role!r} again, expected each role once", index)
    for rule in resolved.rules.values():
        given = rule.fields.get("protect")
        if given is not None and given.value == SYSTEM_PROMPT:
            message = "found 'system_prompt' in a rule for requests, expected a fingerprint set: the request holds it"
            yield given.problem(message)
    for key in ("lag_budget", "context"):
        given = resolved.classifier.get(key)
        if given is not None:
            yield given.problem(f"found {key!r} in the classifier of 'input', expected it only in that of answers")


def _brace_problems(resolved: ResolvedPolicy) -> Iterator[ConfigProblem]:
    given = resolved.settings.get("notice")
    if given is not None and isinstance(given.value, dict):
        for locale, text in given.value.items():
            if re.search(r"[{}]", text.replace("{case_id}", "")):
                yield given.problem("found a brace in a notice, expected none but those of {case_id}", locale)


def _notice_problems(resolved: ResolvedPolicy) -> Iterator[ConfigProblem]:
    yield from _brace_problems(resolved)
    own = resolved.settings.get("locale")
    if own is not None and not resolved.partial and locale_of(own.value, known := _notices(resolved)) is None:
        yield own.problem(f"found the locale {own.value!r}, expected {one_of(known)}, or a notice in that language")


def _digest(value: Any) -> str:
    """SHA-256 (hex) over a canonical encoding."""
    encoded = json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(encoded.encode()).hexdigest()


def _canonical(rule: Rule) -> list[Any]:
    """Everything about a rule that decides an outcome. Order and repetition of terms do not."""
    common = _common(rule)
    match rule:
        case KeywordRule():
            folds = dataclasses.astuple(rule.folds)
            return ["keywords", *common, _digest_of_terms(rule.terms), rule.case_sensitive, rule.edges, folds]
        case NearRule():
            lists = _digest_of_terms(rule.first), _digest_of_terms(rule.second)
            folds = dataclasses.astuple(rule.folds)
            return ["near", *common, lists, rule.within, rule.sentence, rule.edges, folds]
        case ProtectRule():
            documents = rule.fingerprints.digest if isinstance(rule.fingerprints, FingerprintFile) else SYSTEM_PROMPT
            return ["protect", *common, documents]
        case PatternRule():
            columns = (rule.left, rule.right, rule.accept, rule.contextual)
            each = [one if isinstance(one, tuple) else (one,) * len(rule.expressions) for one in columns]
            rows = sorted(
                [expression, left, right, _canonical_check(accept), contextual]
                for expression, left, right, accept, contextual in zip(rule.expressions, *each, strict=True)
            )
            context = [sorted(set(rule.context)), rule.within] if rule.context else []
            return ["pattern", *common, rows, context, rule.lane]
    raise AssertionError(f"no such kind of rule: {rule!r}")


def _canonical_scores(settings: ScoreSettings, model: str) -> list[Any]:
    """Everything about a classifier that decides an outcome."""
    levels = [[*_common(rule), rule.at] for rule in settings.rules]
    return [model, levels, settings.lag_budget, settings.fail, settings.debounce, settings.context, settings.deadline]


def _common(rule: Rule) -> list[Any]:
    common: list[Any] = [rule.id, rule.category, rule.severity, rule.action, sorted(set(rule.allow))]
    common.append(_canonical_mask(rule.mask) if rule.action in (Action.REDACT, Action.REPLACE) else None)
    return common


def _digest_of_terms(terms: Iterable[str]) -> str:
    """SHA-256 (hex) over a set of terms; taken in small parts, since to sort 100,000 at once stops every thread."""
    parts: dict[int, list[str]] = {}
    for term in dict.fromkeys(terms):
        parts.setdefault(ord(term[0]) % _PARTS * _PARTS + ord(term[-1]) % _PARTS, []).append(term)
    whole = hashlib.sha256()
    for _, part in sorted(parts.items()):
        whole.update(json.dumps(sorted(part)).encode())
    return whole.hexdigest()


def _canonical_check(accept: Accept | None) -> list[Any]:
    """A check is code, which a digest cannot look into: the entity's name, in the id, stands for it."""
    if isinstance(accept, Exceptions):
        return ["except", sorted(map(str, accept.networks)), sorted(accept.domains), accept.check is not None]
    if isinstance(accept, Judged):
        return ["hosts", sorted(accept.hosts)]
    return ["checked", accept is not None]


def _canonical_mask(mask: Mask) -> list[Any]:
    match mask:
        case Label(text):
            return ["label", text]
        case FixedChar(char):
            return ["char", char]
        case KeepLast(keep, char):
            return ["keep_last", keep, char]
        case KeyedHash(label, key):
            return ["hash", label, hashlib.sha256(b"guardrail mask key\0" + key).hexdigest()]


def load_policy(
    name_or_path: str | os.PathLike[str],
    config: str | os.PathLike[str] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    thorough: bool = False,
) -> Policy:
    """One policy, compiled.

    `name_or_path`: the name of a policy of `config` or of the package, or the path of a policy file (something that
    holds a `/` or ends in `.yaml` or `.yml`), whose parents are looked for beside it first, then in `config`, then
    in the package.
    `config`: a `guardrail.yaml` or a folder that holds one; None for the one that comes with the package.
    `environ`: where the keys of hash masks come from; None for the process environment.
    `thorough`: prove also the built-in entities by their own examples.
    Raises ConfigError with every problem of the files that were read.
    """
    wanted = os.fspath(name_or_path)
    files = load_configuration(None if config is None else Path(config))
    if os.sep in wanted or wanted.endswith((".yaml", ".yml")):
        wanted = include_policy_file(files, Path(wanted))
    else:
        files.use_shipped(wanted)
        if wanted not in files.policies and not files.problems:
            message = (
                f"found the unknown policy {wanted!r}, expected {suggestion(wanted, sorted(files.known_policies))}"
            )
            files.problems.append(ConfigProblem(os.fspath(config or "the shipped configuration"), 0, 0, message))
    environ = os.environ if environ is None else environ
    compiler = Compiler(files, environ, thorough=thorough, lists=Lists(cache_of(files, environ)))
    policy = compiler.policy(wanted)
    problems = compiler.problems.union(files.problems)
    if problems or policy is None:
        raise ConfigError(sorted(problems))
    return policy
