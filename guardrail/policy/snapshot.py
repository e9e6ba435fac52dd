"""One configuration in effect: its tenants, their policies, and who may use them.

A Snapshot is immutable and complete: a request takes the current one once and keeps what it took. Keys are looked up in
tenant files and in the state store alike, in a time that tells nothing; no key is in it, only hashes.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from guardrail.errors import GuardrailError
from guardrail.governance.presets import PresetFile
from guardrail.governance.terms import Terms
from guardrail.policy.keys import NO_KEYS, State, StoredKeys
from guardrail.policy.overlay import NOTHING, Overlay
from guardrail.policy.policy import Policy
from guardrail.policy.versions import Share, picked
from guardrail.settings import Settings


class KeyNotValid(GuardrailError):
    """A key that was a tenant's and holds no longer. `state`: whether it was revoked or has expired."""

    def __init__(self, state: State) -> None:
        self.state: State = state
        super().__init__(f"this key is {state}")


@dataclass(frozen=True, slots=True)
class Tenant:
    """One customer of the proxy."""

    name: str
    policy: Policy = field(repr=False)
    """In the tenant's own language."""
    upstream: str
    """A name in `Settings.upstreams`."""
    key_hashes: tuple[str, ...] = field(default=(), repr=False)
    """SHA-256 of each key, 64 lower-case hex digits."""
    locale: str = "en"
    """Of its notices."""
    terms: Terms = field(default=Terms(), repr=False)
    """Under which it is served: its own, those of `guardrail.yaml` and of presets beneath, as one."""
    policies: Mapping[str, Policy] = field(default_factory=dict, repr=False)
    """Those that its terms name, in its own language."""
    canary: tuple[Share, Policy] | None = field(default=None, repr=False)
    """A pushed version that a share of its requests gets in the place of `policy`."""
    shadow: tuple[Share, Policy] | None = field(default=None, repr=False)
    """A pushed version that is judged beside, for a share of its requests, and changes nothing."""

    def serving(self, request_id: str) -> Tenant:
        """The tenant as one request meets it: with the canary for its policy, where the request is among its share."""
        if self.canary is None or not picked(self.policy.name, self.canary[0], request_id):
            return self
        return replace(self, policy=self.canary[1])


class Snapshot:
    """One configuration, complete and checked. Immutable.

    `files`: every file it was read from; `folders`: those in which a change may concern it, also behind symbolic
    links, as in a mounted ConfigMap.
    `digest`: SHA-256 (hex) over the settings, the policies' digests and the tenants.
    """

    __slots__ = (
        "_by_key",
        "_salt",
        "anonymous",
        "digest",
        "files",
        "folders",
        "keys",
        "overlay",
        "policies",
        "presets",
        "settings",
        "tenants",
    )

    def __init__(
        self,
        settings: Settings,
        policies: Mapping[str, Policy],
        tenants: Iterable[Tenant],
        *,
        anonymous: Tenant | None = None,
        presets: Mapping[str, PresetFile] | None = None,
        digest: str = "",
        files: Iterable[Path] = (),
        folders: Iterable[Path] = (),
        overlay: Overlay = NOTHING,
    ) -> None:
        self.settings = settings
        self.policies: Mapping[str, Policy] = MappingProxyType(dict(policies))
        self.tenants: Mapping[str, Tenant] = MappingProxyType({tenant.name: tenant for tenant in tenants})
        self.anonymous = anonymous
        self.presets: Mapping[str, PresetFile] = MappingProxyType(dict(presets or {}))
        """In the order of `guardrail.yaml`; their terms are in those of the tenants."""
        self.digest = digest
        self.files = frozenset(files)
        self.folders = frozenset(folders)
        self.overlay = overlay
        """What is pushed, of which `policies` and `tenants` are made."""
        self.keys = NO_KEYS
        """Those of the state store, beside the ones of tenant files."""
        # Keys are looked up by a digest under a random salt: how long a look-up takes then depends on bits that
        # nobody outside can predict or steer, and it costs the same for one tenant as for 100,000.
        self._salt = secrets.token_bytes(32)
        self._by_key = {
            self._blind(bytes.fromhex(hashed)): tenant
            for tenant in self.tenants.values()
            for hashed in tenant.key_hashes
        }

    def _blind(self, hashed: bytes) -> bytes:
        return hmac.digest(self._salt, hashed, "sha256")

    def with_keys(self, keys: StoredKeys) -> Snapshot:
        """The same with other keys of the state store."""
        other = copy(self)
        other.keys = keys
        return other

    def by_key(self, presented_key: str, now: float | None = None) -> Tenant | None:
        """The tenant that `presented_key` belongs to, or None. Takes no telling time for a near miss. `now`: unix
        seconds, None for the clock's. Raises KeyNotValid for one that is known, and holds no longer."""
        hashed = hashlib.sha256(presented_key.encode("utf-8", "surrogatepass")).digest()
        tenant, stored = self._in_files(hashed), self.keys.find(hashed)
        if stored is None:
            return tenant
        state = stored.state(time.time() if now is None else now)
        if state != "good":
            raise KeyNotValid(state)
        return self.tenants.get(stored.tenant)

    def _in_files(self, hashed: bytes) -> Tenant | None:
        blind = self._blind(hashed)
        tenant = self._by_key.get(blind)
        candidates = tenant.key_hashes if tenant is not None else ("0" * 64,)
        found = False
        for candidate in candidates:
            found |= hmac.compare_digest(bytes.fromhex(candidate), hashed)
        return tenant if found else None

    @property
    def compiled(self) -> list[Policy]:
        """Every policy in it, also in the languages of the tenants."""
        tenants = [*self.tenants.values(), *([self.anonymous] if self.anonymous is not None else [])]
        out = [*self.policies.values()]
        for tenant in tenants:
            beside = (tenant.canary, tenant.shadow)
            out += [tenant.policy, *tenant.policies.values(), *(each[1] for each in beside if each is not None)]
        return out

    def by_name(self, name: str) -> Tenant | None:
        """The tenant of that name, or None."""
        return self.tenants.get(name)
