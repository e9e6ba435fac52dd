"""The files of a configuration, read and checked as far as one file, or one name used in another, can tell.

Promises: every problem of every file in one run; a file that is wrong does not hide what is wrong in others, and
does not make others look wrong that only refer to it. The policies that come with the package can be named in any
configuration; a file of one's own with the same name stands in their place.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import UNSET, Struct

from guardrail.errors import ConfigError, ConfigProblem
from guardrail.governance.identity import with_key
from guardrail.governance.presets import PresetFile, beyond, under
from guardrail.governance.terms import Terms, policy_names
from guardrail.policy.document import Document, Place, read_document, read_text
from guardrail.policy.model import PolicyFile, TenantFile
from guardrail.policy.presets import read_presets
from guardrail.policy.problems import suggestion, validated
from guardrail.policy.salvage import salvaged
from guardrail.settings import Settings, Upstream, Url
from guardrail.state.settings import state_problems
from guardrail.state.settings import with_absolute_paths as state_with_absolute_paths

File = TypeVar("File", bound=msgspec.Struct)

ROOT_NAME = "guardrail.yaml"
ANONYMOUS = "anonymous"
"""The name, in records and metrics, of the tenant that clients without a key belong to."""

BUILT_IN = ("entity", "output")
"""Kinds of rule that have the kind and the name for an id."""

_SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Loaded(Generic[File]):
    """A file that has the right shape, or the part of one that has, with the places of its values."""

    document: Document
    file: File
    cut: frozenset[Place] = frozenset()
    """What is missing here, because it has problems of its own."""


@dataclass(slots=True)
class Configuration:
    """What was read. Complete only without `problems`."""

    settings: Loaded[Settings] | None = None
    policies: dict[str, Loaded[PolicyFile]] = field(default_factory=dict)
    tenants: dict[str, Loaded[TenantFile]] = field(default_factory=dict)
    policy_names: set[str] = field(default_factory=set)
    """Also of policy files that have problems, so that nobody is told that these do not exist."""
    shipped: dict[str, Loaded[PolicyFile]] = field(default_factory=dict)
    """The policies of the package; those that are named here are among `policies` too."""
    upstream_names: set[str] | None = None
    """The same of upstreams; None where not even their names could be read."""
    presets: dict[str, PresetFile] = field(default_factory=dict)
    """Those that `guardrail.yaml` names, in its order. Their terms are in the settings already."""
    files: set[Path] = field(default_factory=set)
    folders: set[Path] = field(default_factory=set)
    problems: list[ConfigProblem] = field(default_factory=list)

    @property
    def known_policies(self) -> set[str]:
        """Every name of a policy that may be used."""
        return self.policy_names | self.policies.keys() | self.shipped.keys()

    def use_shipped(self, *names: str) -> None:
        """Take up the package's policies that are named: by `names`, a tenant, or a policy that extends them."""
        needed = [*names, *self.policies, *(policy for _, _, policy, _ in _users(self))]
        needed += [policy for _, _, policy in _named_in_terms(self)]
        for name in needed:  # grows while it is walked
            if name not in self.policies and name not in self.policy_names and name in self.shipped:
                self.policies[name] = self.shipped[name]
                self.files.add(self.shipped[name].document.path)
            if name in self.policies:
                needed += [each for each in parents_of(self.policies[name].file) if each not in needed]


def shipped_config() -> Path:
    """The folder with the configuration that comes with the package."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "_config"
    return installed if installed.is_dir() else package.parent / "config"


def root_file(path: Path | None) -> Path:
    """The `guardrail.yaml` that `path` means: itself, the one in that folder, or (None) the shipped one."""
    path = shipped_config() if path is None else path
    return path / ROOT_NAME if path.is_dir() else path


def load_configuration(path: Path | None, *, upstream: str | None = None) -> Configuration:
    """Read a configuration. Problems are collected, not raised; see `registry.load_snapshot` for the arguments."""
    root = root_file(path)
    config = Configuration(files={root})
    document, config.problems = read_document(root)
    if document.data is None:
        return config
    loaded, problems = _sound(document, Settings)
    config.problems += problems
    if isinstance(document.data, dict) and isinstance(upstreams := document.data.get("upstreams"), dict):
        config.upstream_names = set(upstreams) | ({"default"} if upstream is not None else set())
    if loaded is not None:
        settings = loaded.file if upstream is None else _with_upstream(loaded.file, upstream)
        settings = _with_absolute_paths(settings, loaded.document, config.problems)
        terms = _with_keys(config, document, settings.terms)
        settings = _with_presets(config, msgspec.structs.replace(settings, terms=terms), document)
        config.settings = Loaded(loaded.document, settings, loaded.cut)
    for place, kind in ((("policies",), PolicyFile), (("tenants",), TenantFile)):
        folder = _folder(document, place)
        if folder is not None:
            config.folders.add(folder)
            _load_folder(config, folder, kind, required=document.values.get(place) is not None)
    for name, tenant in config.tenants.items():
        terms = _with_keys(config, tenant.document, tenant.file.terms)
        config.tenants[name] = replace(tenant, file=msgspec.structs.replace(tenant.file, terms=terms))
    for tenant in config.tenants.values():
        given = tenant.document.values
        found = beyond(tenant.file.terms, [*config.presets.values()], given.__contains__)
        config.problems += [tenant.document.problem(place, message) for place, message in found]
    _read_shipped(config)
    config.use_shipped()
    _check_references(config)
    return config


def load_policies(folder: Path) -> Configuration:
    """The policy files of one folder, without a `guardrail.yaml`. Problems are collected, not raised."""
    config = Configuration(folders={folder})
    _load_folder(config, folder, PolicyFile, required=True)
    _read_shipped(config)
    config.use_shipped()
    return config


def include_policy_file(config: Configuration, path: Path) -> str:
    """Add one policy file to a configuration, with what it may extend beside it; the name of its policy.

    Raises ConfigError where the file itself cannot be used. What is wrong with its neighbours matters only if
    it names one of them.
    """
    own = Configuration()
    _load_file(own, path, PolicyFile)
    if not own.policies:
        raise ConfigError(own.problems)
    config.problems += own.problems
    (name,) = own.policies
    beside = Configuration()
    _load_folder(beside, path.parent, PolicyFile, required=True)
    config.policies |= beside.policies | own.policies
    config.policy_names |= beside.policy_names
    needed = [name]
    for policy in needed:  # grows while it is walked
        loaded = config.policies.get(policy)
        if loaded is not None:
            needed += [each for each in parents_of(loaded.file) if each not in needed]
        if policy != name and policy in beside.policy_names and (loaded is None or loaded.cut):
            config.problems += [problem for problem in beside.problems if problem not in config.problems]
            break
    config.use_shipped(name)
    return name


def _read_shipped(config: Configuration) -> None:
    folder = shipped_config() / "policies"
    if not any(own.resolve() == folder for own in config.folders):
        shipped = Configuration()
        _load_folder(shipped, folder, PolicyFile, required=True)
        config.shipped = shipped.policies


def parents_of(file: PolicyFile) -> tuple[str, ...]:
    """The names of the policies that this one extends, in order."""
    if isinstance(file.extends, str):
        return (file.extends,)
    return file.extends or ()


def _folder(document: Document, place: Place) -> Path | None:
    """The folder of policies or tenants: as given, or the default; None where what is given is no path."""
    name = place[0]
    given = document.data.get(name, name) if isinstance(document.data, dict) else name
    return document.path.parent / given if isinstance(given, str) and given else None


def _load_folder(
    config: Configuration, folder: Path, kind: type[PolicyFile] | type[TenantFile], *, required: bool
) -> None:
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        if required or not isinstance(error, FileNotFoundError):
            message = f"this folder cannot be read: {error.strerror}"
            config.problems.append(ConfigProblem(str(folder), 1, 1, message))
        return
    for path in entries:
        if path.suffix.lower() in _SUFFIXES and not path.name.startswith("."):
            config.files.add(path)
            _load_file(config, path, kind)


def _load_file(config: Configuration, path: Path, kind: type[PolicyFile] | type[TenantFile]) -> None:
    document, problems = read_document(path)
    config.problems += problems
    if kind is PolicyFile:
        config.policy_names.update(_names_in(document))
    if document.data is None:
        return
    if kind is PolicyFile:
        policy, problems = _sound(document, PolicyFile)
        problems += _repeated(document)
        if policy is not None:
            _add(config, config.policies, "policy", policy.file.policy, policy)
    else:
        tenant, problems = _sound(document, TenantFile)
        if tenant is not None:
            _add(config, config.tenants, "tenant", tenant.file.tenant, tenant)
    config.problems += problems


def _sound(document: Document, kind: type[File]) -> tuple[Loaded[File] | None, list[ConfigProblem]]:
    """What can be used of a document, and every problem with its shape."""
    file, problems = validated(document, kind)
    if file is not None:
        return Loaded(document, file), problems
    part = salvaged(document, kind)
    return (None if part is None else Loaded(part.document, part.file, part.cut)), problems


def _names_in(document: Document) -> Iterator[str]:
    """The name of the policy in a file; of a file that cannot be read, every name that it may have meant."""
    if isinstance(document.data, dict) and isinstance(name := document.data.get("policy"), str):
        yield name
        return
    yield document.path.stem
    text, _ = read_text(document.path)
    if text is not None and (found := re.search(r"^policy:[ \t]*([\w.-]+)", text, re.MULTILINE)):
        yield found[1]


def _repeated(document: Document) -> Iterator[ConfigProblem]:
    """Rules that have the id of an earlier one, also where either has problems of its own."""
    data = document.data if isinstance(document.data, dict) else {}
    for place, section in (((), data), (("input",), data.get("input"))):
        entries = section.get("rules") if isinstance(section, dict) else None
        first: dict[str, int] = {}
        for index, entry in enumerate(entries if isinstance(entries, list) else ()):
            key = next((key for key in ("id", *BUILT_IN) if isinstance(entry, dict) and key in entry), None)
            if key is None or not isinstance(entry[key], str):
                continue
            rule_id = entry[key] if key == "id" else f"{key}.{entry[key].lower()}"
            if first.setdefault(rule_id, index) != index:
                message = f"found the rule {rule_id!r} again, expected each id once (first: rule {first[rule_id] + 1})"
                yield document.problem((*place, "rules", index, key), message)


def _add(config: Configuration, known: dict[str, Loaded[Any]], kind: str, name: str, new: Loaded[Any]) -> None:
    if name in known:
        first = known[name].document.path
        message = f"found the {kind} {name!r} again, expected each name once (first in {first})"
        config.problems.append(new.document.problem((kind,), message))
    else:
        known[name] = new


def _check_references(config: Configuration) -> None:
    """Names that one file uses and another defines, and what may not stand in two files."""
    policies = sorted(config.known_policies)
    upstreams = None if config.upstream_names is None else sorted(config.upstream_names)

    def unknown(document: Document, place: Place, kind: str, name: str, known: Iterable[str]) -> None:
        message = f"found the unknown {kind} {name!r}, expected {suggestion(name, known)}"
        config.problems.append(document.problem(place, message))

    used: list[Loaded[Any]] = [*config.tenants.values(), *([] if config.settings is None else [config.settings])]
    cut = {(id(loaded.document), place) for loaded in used for place in loaded.cut}
    for document, place, policy, upstream in _users(config):
        if policy not in policies:
            unknown(document, (*place, "policy"), "policy", policy, policies)
        # Where one was given and cut out, the default is nobody's wish.
        wanted = (id(document), (*place, "upstream")) not in cut
        if upstreams is not None and upstream not in upstreams and wanted:
            unknown(document, (*place, "upstream"), "upstream", upstream, upstreams)
    for document, place, policy in _named_in_terms(config):
        if policy not in policies:
            unknown(document, place, "policy", policy, policies)
    owners: dict[str, str] = {}
    for name, tenant in config.tenants.items():
        if name == ANONYMOUS:
            message = f"found the name {ANONYMOUS!r}, expected another: it stands for clients without a key"
            config.problems.append(tenant.document.problem(("tenant",), message))
        for index, key in enumerate(tenant.file.keys):
            owner = owners.setdefault(key.lower(), name)
            if owner != name or key.lower() in map(str.lower, tenant.file.keys[:index]):
                message = f"found a key that the tenant {owner!r} has already, expected each key once"
                config.problems.append(tenant.document.problem(("keys", index), message))


def _users(config: Configuration) -> Iterator[tuple[Document, Place, str, str]]:
    """Whoever names a policy and an upstream: the anonymous section and each tenant."""
    if config.settings is not None and (anonymous := config.settings.file.anonymous) is not None:
        yield config.settings.document, ("anonymous",), anonymous.policy, anonymous.upstream
    for tenant in config.tenants.values():
        yield tenant.document, (), tenant.file.policy, tenant.file.upstream


def _named_in_terms(config: Configuration) -> Iterator[tuple[Document, Place, str]]:
    """The policies that `terms` name, in `guardrail.yaml` and in tenants' files."""
    given: list[tuple[Document, Struct]] = [(tenant.document, tenant.file.terms) for tenant in config.tenants.values()]
    if config.settings is not None:
        given.append((config.settings.document, config.settings.file.terms))
    for document, terms in given:
        for place, policy in policy_names(terms):
            yield document, ("terms", *place), policy


def _with_upstream(settings: Settings, url: str) -> Settings:
    try:
        url = msgspec.convert(url, Url)
    except msgspec.ValidationError:
        message = f"found {url!r}, expected an address such as http://host:8000"
        raise ConfigError([ConfigProblem("--upstream", 0, 0, message)]) from None
    given = settings.upstreams.get("default")
    default = Upstream(url) if given is None else msgspec.structs.replace(given, url=url)
    return msgspec.structs.replace(settings, upstreams={**settings.upstreams, "default": default})


def _with_presets(config: Configuration, settings: Settings, document: Document) -> Settings:
    """The settings with the presets beneath that they name."""
    presets, paths, problems = read_presets(settings.presets, document, shipped_config() / "presets")
    config.files |= set(paths)
    config.presets = {preset.preset: preset for preset in presets}
    settings, found = under(settings, presets, document.values.__contains__)
    config.problems += [*problems, *(document.problem(place, message) for place, message in found)]
    return settings


def _with_keys(config: Configuration, document: Document, terms: Terms) -> Terms:
    """The terms with the public keys that they name files of."""
    if terms.subjects is UNSET:
        return terms
    subjects, files, problems = with_key(terms.subjects, document.path.parent)
    config.files |= set(files)
    config.problems += [document.problem(("terms", "subjects", *place), message) for place, message in problems]
    return msgspec.structs.replace(terms, subjects=subjects)


def _with_absolute_paths(settings: Settings, document: Document, problems: list[ConfigProblem]) -> Settings:
    """The settings with their paths made absolute; those of certificates must be files."""

    def absolute(given: str, place: Place) -> str:
        path = document.path.parent / given
        if not path.is_file():
            problems.append(document.problem(place, f"found no file {given!r} here, expected a PEM file"))
        return os.path.abspath(path)

    if (tls := settings.listen.tls) is not None:
        paths = {name: absolute(getattr(tls, name), ("listen", "tls", name)) for name in ("cert", "key")}
        listen = msgspec.structs.replace(settings.listen, tls=msgspec.structs.replace(tls, **paths))
        settings = msgspec.structs.replace(settings, listen=listen)
    problems += state_problems(settings.state, document)
    shipped = document.path.resolve().parent == shipped_config().resolve()
    state, wrong = state_with_absolute_paths(settings.state, document, os.environ, shipped=shipped)
    problems += wrong
    settings = msgspec.structs.replace(settings, state=state)
    if (folder := settings.audit.folder) is not None:
        audit = msgspec.structs.replace(settings.audit, folder=os.path.abspath(document.path.parent / folder))
        settings = msgspec.structs.replace(settings, audit=audit)
    if (pushed := settings.pushed_policies) is not None:
        models = os.path.abspath(document.path.parent / pushed.models)
        settings = msgspec.structs.replace(settings, pushed_policies=msgspec.structs.replace(pushed, models=models))
    upstreams = dict(settings.upstreams)
    for name, upstream in upstreams.items():
        if upstream.tls.ca is not None:
            ca = absolute(upstream.tls.ca, ("upstreams", name, "tls", "ca"))
            trust = msgspec.structs.replace(upstream.tls, ca=ca)
            upstreams[name] = msgspec.structs.replace(upstream, tls=trust)
    return msgspec.structs.replace(settings, upstreams=upstreams)
