"""One policy with all that it needs, as something that can be sent, stored and named by what is in it.

A bundle holds the policy file, those that it extends, and their lexicons and fingerprint sets; of a classifier's model
only the digest, since models are installed and not pushed. Files are written anew in one canonical form: names of
folders, layout and comments of policy files do not enter, so that the same policy makes the same bundle everywhere.

    policies/<name>.yaml                      policies, as YAML that is JSON too
    lexicons/<stem>-<16 hex digits>.csv       word lists, named by their content; `@include` lines point to these
    protected/<stem>-<16 hex digits>          fingerprint sets
    models/<name>                             (on disk only) a link to the folder of that model

The manifest lists every file with the SHA-256 of each of its parts, and the bundle's digest is that of the manifest.
Promises: what `unpacked` lays into a folder is loaded by the ordinary loader, and comes to the policy that was packed;
a manifest that names a file anywhere else than above is refused; nothing of a bundle is used before all of it was
checked against its digest.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from guardrail.classify.detector import DetectorEntry
from guardrail.classify.folders import SHIPPED, model_folder, shipped_models
from guardrail.errors import ConfigError, ConfigProblem, GuardrailError
from guardrail.policy.document import read_text, tidy
from guardrail.policy.lexicon import include_line
from guardrail.policy.load import Configuration, parents_of
from guardrail.policy.models import model_in
from guardrail.policy.policy import Policy
from guardrail.settings import Name
from guardrail.text.protected import SYSTEM_PROMPT

MAX_BYTES = 64 * 2**20
"""All files of a bundle together: as much as one file of a configuration may have."""

PART = 256 * 1024
"""Bytes of one part: what a store takes as one document. A list that grows leaves most of its parts as they were."""

MAX_FILES = 1000
"""Files of a bundle."""

MANIFEST = "manifest.json"
"""The manifest's name on disk, beside the folders."""

Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]
"""SHA-256, hex."""

_FILE_NAME = re.compile(r"(policies|lexicons|protected)/[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_STEM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_NAMED_BY_CONTENT = re.compile(r"-[0-9a-f]{16}$")
_UNPRINTABLE = re.compile("[^\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
"""What may not stand in YAML as it is, or would be taken for the end of a line."""


class BadBundle(GuardrailError):
    """What claims to be a bundle is none, or is not the one that its digest names."""


class FileEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """One file of a bundle."""

    name: str
    size: int
    """Bytes."""
    parts: tuple[Digest, ...]
    """SHA-256 of each `PART` bytes, in order; the last part may be shorter."""


class Manifest(Struct, frozen=True, forbid_unknown_fields=True):
    """What a bundle consists of."""

    format: Literal[1]
    policy: Name
    """The policy that it is there for."""
    policy_digest: Digest
    """`Policy.digest` where it was packed. It may differ elsewhere: a newer guardrail may know more of an entity, and
    a hash mask's key may be another."""
    files: Annotated[tuple[FileEntry, ...], Meta(min_length=1, max_length=MAX_FILES)]
    """Sorted by name."""
    models: dict[str, Digest]
    """Digests of the models of its classifiers, by the name of the model's folder."""


_DECODER = msgspec.json.Decoder(Manifest)


@dataclass(frozen=True, slots=True, eq=False)
class Bundle:
    """A manifest, and the files that it lists."""

    manifest: Manifest
    files: Mapping[str, bytes]

    @property
    def encoded(self) -> bytes:
        """The manifest in its one form."""
        return msgspec.json.encode(self.manifest, order="deterministic")

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the manifest: it names everything in the bundle."""
        return hashlib.sha256(self.encoded).hexdigest()

    def parts(self) -> Iterator[tuple[str, bytes]]:
        """Every part with its digest."""
        for entry in self.manifest.files:
            data = self.files[entry.name]
            yield from zip(entry.parts, _cut(data), strict=True)


def pack(config: Configuration, policy: Policy) -> Bundle:
    """The bundle of a policy that was compiled from `config` and has no problems. Raises ConfigError when it is too
    large, and for files that changed meanwhile so that they cannot be used."""
    packer = _Packer(config)
    packer.add(policy.name)
    models = dict(packer.models)
    for part in policy.parts:
        named = part.scorer is None or isinstance(part.scorer, DetectorEntry) or part.scorer.digest in models.values()
        if part.scorer is not None and not named:  # the package's own, where no other is named
            models[SHIPPED] = part.scorer.digest
    size = sum(map(len, packer.files.values()))
    if size > MAX_BYTES or len(packer.files) > MAX_FILES:
        message = (
            f"the policy {policy.name!r} and what it needs have {size} bytes in {len(packer.files)} files, expected at "
            f"most {MAX_BYTES} bytes and {MAX_FILES} files to push"
        )
        raise ConfigError([ConfigProblem(str(config.policies[policy.name].document.path), 0, 0, message)])
    entries = tuple(
        FileEntry(name, len(data), tuple(hashlib.sha256(part).hexdigest() for part in _cut(data)))
        for name, data in sorted(packer.files.items())
    )
    return Bundle(Manifest(1, policy.name, policy.digest, entries, dict(sorted(models.items()))), packer.files)


def read_manifest(data: bytes, digest: str) -> Manifest:
    """The manifest that has this digest. Raises BadBundle."""
    if hashlib.sha256(data).hexdigest() != digest:
        raise BadBundle(f"the manifest of the bundle {digest[:12]} has another digest")
    try:
        manifest = _DECODER.decode(data)
    except msgspec.DecodeError as error:
        raise BadBundle(f"the manifest of the bundle {digest[:12]} cannot be read: {error}") from None
    names = [entry.name for entry in manifest.files]
    if not all(_FILE_NAME.fullmatch(name) for name in names) or len(set(names)) < len(names):
        raise BadBundle(f"the bundle {digest[:12]} has a file where none may be")
    if not all(_STEM.fullmatch(name) for name in manifest.models):
        raise BadBundle(f"the bundle {digest[:12]} names a model that is none")
    if sum(entry.size for entry in manifest.files) > MAX_BYTES:
        raise BadBundle(f"the bundle {digest[:12]} has more than {MAX_BYTES} bytes")
    if any(entry.size < 0 or len(entry.parts) != -(-entry.size // PART) for entry in manifest.files):
        raise BadBundle(f"the bundle {digest[:12]} has a file whose parts do not make up its size")
    if f"policies/{manifest.policy}.yaml" not in names:
        raise BadBundle(f"the bundle {digest[:12]} lacks its policy {manifest.policy!r}")
    return manifest


def assembled(manifest: Manifest, parts: Mapping[str, bytes]) -> Bundle:
    """The bundle of these parts, by their digests. Raises BadBundle when one is missing or is not what it claims."""
    files: dict[str, bytes] = {}
    for entry in manifest.files:
        for part in entry.parts:
            if part not in parts:
                raise BadBundle(f"a part of {entry.name} is missing: {part[:12]}")
            if hashlib.sha256(parts[part]).hexdigest() != part:
                raise BadBundle(f"a part of {entry.name} is not what its digest says: {part[:12]}")
        data = b"".join(parts[part] for part in entry.parts)
        if len(data) != entry.size:
            raise BadBundle(f"{entry.name} has {len(data)} bytes, expected {entry.size}")
        files[entry.name] = data
    return Bundle(manifest, files)


def unpacked(bundle: Bundle, folder: Path, models: Path) -> Path:
    """Lay a bundle into `folder/<digest>` and return that, or the one that is there and whole. `models`: where the
    folders of models are that do not come with the package. Raises OSError."""
    place = folder / bundle.digest
    if place.is_dir():
        try:
            read_unpacked(folder, bundle.digest)
        except BadBundle:
            shutil.rmtree(place)
        else:
            _link_models(bundle.manifest, place, models)
            return place
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = folder / f".{bundle.digest}.{secrets.token_hex(4)}"
    try:
        for name, data in {**bundle.files, MANIFEST: bundle.encoded}.items():
            path = beside / name
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.write_bytes(data)
        _link_models(bundle.manifest, beside, models)
        try:
            beside.rename(place)
        except OSError:  # another process of this host was quicker
            if not place.is_dir():
                raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return place


def read_unpacked(folder: Path, digest: str) -> Bundle:
    """The bundle that lies in `folder/<digest>`, checked whole. Raises BadBundle when it is not there or not whole."""
    place = folder / digest
    try:
        manifest = read_manifest((place / MANIFEST).read_bytes(), digest)
        files = {entry.name: (place / entry.name).read_bytes() for entry in manifest.files}
    except OSError as error:
        raise BadBundle(f"the bundle {digest[:12]} is not in {folder}: {error.strerror}") from None
    on_disk = {path.relative_to(place).as_posix() for path in (place / "policies").iterdir()}
    if on_disk - files.keys():  # every policy file beside the policy is read
        raise BadBundle(f"{place} has a policy file too many")
    parts = {
        part: data for entry in manifest.files for part, data in zip(entry.parts, _cut(files[entry.name]), strict=False)
    }
    return assembled(manifest, parts)


def _link_models(manifest: Manifest, place: Path, models: Path) -> None:
    for name in manifest.models:
        if (shipped_models() / name).is_dir():
            continue
        link = place / "models" / name
        target = os.path.abspath(models / name)
        if link.is_symlink() and os.readlink(link) == target:
            continue
        link.parent.mkdir(mode=0o700, exist_ok=True)
        beside = link.with_name(f".{name}.{secrets.token_hex(4)}")
        beside.symlink_to(target)
        beside.replace(link)


def _cut(data: bytes) -> list[bytes]:
    return [data[at : at + PART] for at in range(0, len(data), PART)]


class _Packer:
    """Collects the files of one policy in their canonical form."""

    def __init__(self, config: Configuration) -> None:
        self.files: dict[str, bytes] = {}
        self.models: dict[str, str] = {}
        self._config = config
        self._from = Path()
        """The policy file whose names of files are being read."""
        self._placed: dict[Path, str] = {}
        self._model_of: dict[Path, str] = {}

    def add(self, policy: str) -> None:
        """A policy and those that it extends."""
        name = f"policies/{policy}.yaml"
        if name in self.files:
            return
        loaded = self._config.policies[policy]
        self._from = loaded.document.path
        said = _plain(msgspec.to_builtins(loaded.file))
        for section in (said, said.get("input", {})):
            for rule in section.get("rules", ()):
                self._rewrite_rule(rule)
            if "model" in section.get("classifier", {}):
                section["classifier"]["model"] = self._model(section["classifier"]["model"])
        self.files[name] = as_yaml(said).encode()
        for parent in parents_of(loaded.file):
            self.add(parent)

    def _rewrite_rule(self, rule: dict[str, Any]) -> None:
        if "lexicon" in rule:
            named = rule["lexicon"]
            rule["lexicon"] = self._list(named) if isinstance(named, str) else [self._list(each) for each in named]
        for side in ("first_lexicon", "second_lexicon"):
            if side in rule.get("near", {}):
                rule["near"][side] = self._list(rule["near"][side])
        if rule.get("protect", SYSTEM_PROMPT) != SYSTEM_PROMPT:
            path = tidy(self._from.parent / rule["protect"])
            rule["protect"] = "../" + self._place(path, "protected", self._read(path))

    def _list(self, named: str) -> str:
        return "../" + self._lexicon(tidy(self._from.parent / named))

    def _lexicon(self, path: Path) -> str:
        """The place of a word list in the bundle; with what it includes."""
        if path in self._placed:
            return self._placed[path]
        text, problems = read_text(path)
        if text is None:
            raise ConfigError(problems)
        if path.suffix.lower() == ".txt":
            lines = text.split("\n")
            for number, line in enumerate(lines):
                included = include_line(line)
                if included is not None:
                    place = self._lexicon(tidy(path.parent / included))
                    lines[number] = f"@include {place.removeprefix('lexicons/')}"
            text = "\n".join(lines)
        return self._place(path, "lexicons", text.encode(), path.suffix.lower())

    def _place(self, path: Path, folder: str, data: bytes, suffix: str = "") -> str:
        if path not in self._placed:
            stem = _NAMED_BY_CONTENT.sub("", path.stem if suffix else path.name)
            stem = stem if _STEM.fullmatch(stem) else "file"
            name = f"{folder}/{stem}-{hashlib.sha256(data).hexdigest()[:16]}{suffix}"
            self.files[name] = data
            self._placed[path] = name
        return self._placed[path]

    def _read(self, path: Path) -> bytes:
        try:
            return path.read_bytes()
        except OSError as error:
            raise ConfigError([ConfigProblem(str(path), 1, 1, f"this file cannot be read: {error.strerror}")]) from None

    def _model(self, spelled: str) -> str:
        folder = model_folder(spelled, self._from.parent)
        digest = model_in(folder).digest
        real = folder.resolve()
        if real.parent == shipped_models().resolve():
            self.models[real.name] = digest
            return real.name
        name = folder.name if _STEM.fullmatch(folder.name) else "model"
        if self._model_of.setdefault(real, name) != name or self.models.setdefault(name, digest) != digest:
            message = f"found a second model folder called {name!r}, expected each name once to push"
            raise ConfigError([ConfigProblem(str(self._from), 0, 0, message)])
        return f"../models/{name}"


def _plain(value: Any) -> Any:
    """Lists for tuples, and no key whose value is None: a file leaves such a key out."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items() if each is not None}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value


def as_yaml(value: Any, indent: int = 0) -> str:
    """A value in the one form in which policy files are bundled: JSON, with what YAML does not take written otherwise
    (an exponent, a character that cannot be printed)."""
    pad = "\n" + " " * (indent + 1)
    if isinstance(value, dict):
        rows = [f"{pad}{as_yaml(key)}: {as_yaml(each, indent + 1)}" for key, each in value.items()]
        return "{" + ",".join(rows) + ("\n" + " " * indent if rows else "") + "}"
    if isinstance(value, list):
        rows = [f"{pad}{as_yaml(each, indent + 1)}" for each in value]
        return "[" + ",".join(rows) + ("\n" + " " * indent if rows else "") + "]"
    if isinstance(value, float):
        said = format(Decimal(repr(value)), "f")
        return said if "." in said else f"{said}.0"
    encoded = msgspec.json.encode(value).decode()
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", encoded)
