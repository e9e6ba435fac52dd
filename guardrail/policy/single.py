"""One file checked by itself: a policy, a tenant or a lexicon.

A policy is checked with what it extends, found beside it or in the package; a tenant with the configuration that its
folder belongs to; a lexicon as a rule with nothing but defaults would use it. Never looks at other files' faults
unless they concern this one.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from guardrail.errors import ConfigError, RuleError
from guardrail.policy.build import Builder
from guardrail.policy.compile import load_policy
from guardrail.policy.document import Document, read_document
from guardrail.policy.lexicon import SUFFIXES, read_lexicon
from guardrail.policy.lists import Lists
from guardrail.policy.load import ROOT_NAME, load_configuration
from guardrail.policy.model import TenantFile
from guardrail.policy.policy import Policy
from guardrail.policy.problems import validated
from guardrail.policy.resolve import Given, ResolvedRule
from guardrail.text.scanner import compile_rules

Kind = Literal["policy", "tenant", "lexicon", "preset"]


def kind_of(path: Path) -> Kind | None:
    """What kind of file this is; None for a whole configuration, and for what cannot be told."""
    if path.suffix.lower() in SUFFIXES:
        return "lexicon"
    if path.name == ROOT_NAME or not path.is_file():
        return None
    data = read_document(path)[0].data
    keys = data.keys() if isinstance(data, dict) else set()
    if "version" in keys or "upstreams" in keys:
        return None
    kinds: tuple[Kind, ...] = ("tenant", "preset", "policy")
    return next((kind for kind in kinds if kind in keys), None)


def check_policy(path: Path, environ: Mapping[str, str] | None) -> Policy:
    """The policy of a file. Raises ConfigError."""
    # A bare name would be that of a policy.
    return load_policy(path.absolute() if path.parent == Path() else path, environ=environ, thorough=True)


def check_tenant(path: Path) -> TenantFile:
    """The tenant of a file, and that what it names is there. Raises ConfigError."""
    document, problems = read_document(path)
    file, faults = validated(document, TenantFile)
    root = path.absolute().parent.parent / ROOT_NAME
    if file is not None and root.is_file():
        config = load_configuration(root)
        faults += [each for each in config.problems if Path(each.file).absolute() == path.absolute()]
    if file is None or problems or faults:
        raise ConfigError(problems or faults)
    return file


def check_lexicon(path: Path) -> dict[str, int]:
    """How many terms a lexicon has, by what it says about them. Raises ConfigError."""
    lexicon, problems = read_lexicon(path)
    if problems:
        raise ConfigError(problems)
    document = Document(path.parent / "-")
    fields: dict[str, Any] = {"lexicon": path.name, "action": "log", "with": ""}
    given = {name: Given(value, document, (name,)) for name, value in fields.items()}
    resolved = ResolvedRule("x", Given(None, document, ()), given)
    builder = Builder({}, Lists())
    rules, _ = builder.rules(resolved)
    for rule in rules:
        try:
            compile_rules([rule])
        except RuleError:
            builder.problems.update(builder.blame(resolved, rule))
    if builder.problems:
        raise ConfigError(sorted(builder.problems))
    return {traits.spelled(): len(terms) for traits, terms in lexicon.groups.items() if terms}
