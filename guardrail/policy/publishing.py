"""What an operator does with policies in the state store: push, activate, roll back, shadow; and look at them.

Every change is one new head, signed with the operator's key, in the place of the newest that can be believed: that of
the store, or the one that this machine knows when the store has lost it or holds an older one. A head that cannot be
believed is never built upon: whoever put it there would have his words signed.
"""

from __future__ import annotations

import difflib
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from guardrail.errors import ConfigError, ConfigProblem, GuardrailError
from guardrail.governance.desk import Desk
from guardrail.policy.bundle import Bundle, pack, unpacked
from guardrail.policy.compile import load_policy
from guardrail.policy.distribution import (
    Refused,
    believed,
    fetch,
    folder_of,
    keep,
    kept_head,
    publish,
    read,
    write,
)
from guardrail.policy.following import in_words
from guardrail.policy.load import include_policy_file, load_configuration, root_file
from guardrail.policy.policy import Policy
from guardrail.policy.scenarios import FOLDER, read_scenarios
from guardrail.policy.signing import public_of, signed
from guardrail.policy.versions import PURPOSE, Head, encoded, parse, pushed
from guardrail.settings import PushedPolicies

TRIES = 5
"""How often a change is made again on a head that somebody else has just written."""

_BY_CONTENT = re.compile(r"-[0-9a-f]{16}(?=\.|\"|$)")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A policy file that may be pushed."""

    policy: Policy
    bundle: Bundle


def prepare(file: Path, config: Path | None, environ: Mapping[str, str], models: Path) -> Prepared:
    """Load a policy with what it extends, prove its rules by their examples and play its scenarios; then pack it, and
    see that the bundle comes to the same policy. Raises ConfigError with everything that fails."""
    file = file.absolute()
    policy = load_policy(file, config, environ=environ, thorough=True)
    files = load_configuration(config)
    include_policy_file(files, file)
    problems = _failing(policy, {root_file(config).parent / FOLDER, file.parent.parent / FOLDER})
    if problems:
        raise ConfigError(problems)
    bundle = pack(files, policy)
    with tempfile.TemporaryDirectory(prefix="guardrail-") as folder:
        place = unpacked(bundle, Path(folder), models)
        again = load_policy(place / "policies" / f"{policy.name}.yaml", environ=environ)
    if again.digest != policy.digest:
        message = f"a file changed while it was read: {policy.digest[:12]} became {again.digest[:12]}"
        raise ConfigError([ConfigProblem(str(file), 0, 0, message)])
    return Prepared(policy, bundle)


def _failing(policy: Policy, folders: set[Path]) -> list[ConfigProblem]:
    """Scenarios of this policy that come out otherwise."""
    from guardrail.trial import failures

    problems: list[ConfigProblem] = []
    for folder in sorted(folders):
        scripts, found = read_scenarios(folder)
        problems += found
        for script in scripts:
            if script.file.policy == policy.name:
                problems += [failure.at for failure in failures(script, policy)]
    return sorted(problems)


class Publisher:
    """An operator's hand on the policies of one state store. `private`: None for who only looks."""

    def __init__(self, desk: Desk, actor: str, private: Ed25519PrivateKey | None = None) -> None:
        """Raises ConfigError when the configuration takes no pushed policies, or not with this key."""
        pushed_policies = desk.settings.pushed_policies
        if pushed_policies is None:
            message = "found no section 'pushed_policies', expected one with the public keys of operators"
            raise ConfigError([ConfigProblem("guardrail.yaml", 0, 0, message)])
        if private is not None and public_of(private) not in pushed_policies.public_keys:
            message = f"found a signing key that is none of pushed_policies.public_keys, expected {public_of(private)}"
            raise ConfigError([ConfigProblem("guardrail.yaml", 0, 0, f"{message} among them")])
        self.settings: PushedPolicies = pushed_policies
        self.store = desk.store
        self._desk = desk
        self._actor = actor
        self._private = private

    async def head(self) -> Head:
        """The newest head that can be believed. Raises StateError, Refused."""
        return (await self._found())[0]

    async def push(self, prepared: Prepared, note: str = "") -> int:
        """Store a version that is not in effect yet; its number. Raises StateError, Refused."""
        await publish(self._desk.store, prepared.bundle)
        name, digest = prepared.policy.name, prepared.bundle.digest
        numbers: list[int] = []

        def change(head: Head) -> Head:
            head, number = pushed(head, name, digest, prepared.policy.digest, now=time.time(), note=note)
            numbers.append(number)
            return head

        await self.change("policy.pushed", change, lambda: {"policy": f"{name}@{numbers[-1]}", "bundle": digest})
        return numbers[-1]

    async def change(
        self, kind: str, make: Callable[[Head], Head], body: Callable[[], Mapping[str, Any]] = dict
    ) -> Head:
        """Make a new head, sign it and put it into the store. Raises StateError, Refused, and what `make` raises."""
        assert self._private is not None
        for _ in range(TRIES):
            head, version = await self._found()
            changed = make(head)
            envelope = signed(PURPOSE, encoded(changed), self._private)
            if await write(self._desk.store, envelope, version):
                keep(folder_of(self._desk.settings), envelope, changed)
                said = {"actor": self._actor, "serial": changed.serial, **body(), "policies": in_words(changed)}
                self._desk.audit.write(kind, said)
                return changed
        raise GuardrailError("somebody else is changing policies at the same time; try again")

    async def bundle(self, spelled: str) -> Bundle:
        """The bundle of `NAME@VERSION`. Raises Unfit, StateError, BadBundle, Refused."""
        name, number = parse(spelled)
        line = (await self.head()).policies.get(name)
        version = None if line is None else line.find(number)
        if version is None:
            raise GuardrailError(f"there is no {spelled}, as `guardrail policy list` shows")
        return await fetch(self._desk.store, version.bundle)

    async def _found(self) -> tuple[Head, int]:
        """The newest head, and the version of the document in the store."""
        document = await read(self._desk.store)
        known = kept_head(self._desk.settings, self.settings)
        if document is None:
            return known or Head(), 0
        try:
            found = believed(document.body, self.settings.public_keys)
        except Refused:
            if known is None:
                raise
            found = known
        return (known if known is not None and known.serial > found.serial else found), document.version


def differences(one: Bundle, other: Bundle) -> Iterator[str]:
    """What differs between two bundles, as a unified diff of their files in canonical form. Fingerprint sets are told
    by name alone."""
    files = [{_BY_CONTENT.sub("", name): data for name, data in bundle.files.items()} for bundle in (one, other)]
    for name in sorted(files[0].keys() | files[1].keys()):
        before, after = (each.get(name, b"") for each in files)
        if before == after:
            continue
        if name.startswith("protected/"):
            yield f"{name} differs"
            continue
        old, new = (_BY_CONTENT.sub("", data.decode()).splitlines() for data in (before, after))
        yield from difflib.unified_diff(old, new, name, name, n=1, lineterm="")
    if one.manifest.models != other.manifest.models:
        yield f"models: {one.manifest.models} became {other.manifest.models}"
