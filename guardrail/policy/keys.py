"""Keys of tenants that are made, rotated and revoked while replicas run, beside those in tenant files.

A key is 32 random bytes that are shown once; what is stored is its SHA-256, as in a tenant file, with the tenant, and a
MAC under a key derived from the installation's secret: who can write to the store but does not know the secret can make
no key and change none. A key that stands in a tenant's file can be revoked here too: what the store says of a hash goes
before what a file says. Nothing here can give a key back.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from guardrail.policy.bundle import Digest
from guardrail.settings import Name

PURPOSE = "stored keys"
"""What the secret is derived for, to make the MACs."""

PREFIX = "gk-"
"""In front of every key, so that scanners for leaked secrets can tell one."""

SHORT = 12
"""Hex digits of a hash by which a key is called."""

State = Literal["good", "revoked", "expired"]


class Key(Struct, frozen=True, forbid_unknown_fields=True):
    """What is known of one key. Times are unix seconds."""

    hash: Digest
    """SHA-256 of the key."""
    tenant: Name
    created: float
    by: Annotated[str, Meta(max_length=200)]
    """Who made it, or revoked it."""
    note: Annotated[str, Meta(max_length=200)] = ""
    expires: float | None = None
    """When it stops to hold."""
    revoked: float | None = None
    """When it was revoked."""
    replaced_by: str = ""
    """The short name of the key that it was rotated to."""

    @property
    def name(self) -> str:
        """What it is called: it tells nothing of the key."""
        return self.hash[:SHORT]

    def outlasts(self, known: Key) -> bool:
        """Whether it holds at some time at which what was known of it did not."""
        if known.revoked is not None:
            return self.revoked is None
        return known.expires is not None and (self.expires is None or self.expires > known.expires)

    def state(self, now: float) -> State:
        """Whether it holds."""
        if self.revoked is not None:
            return "revoked"
        return "expired" if self.expires is not None and now >= self.expires else "good"


class _Stored(Struct, frozen=True, forbid_unknown_fields=True):
    key: Key
    mac: str


_DECODER = msgspec.json.Decoder(_Stored)


def new_key(tenant: str, *, by: str, now: float, note: str = "", expires: float | None = None) -> tuple[str, Key]:
    """A key, which is told to nobody but the caller, and what is stored of it."""
    presented = PREFIX + secrets.token_urlsafe(32)
    return presented, Key(hash_of(presented), tenant, now, by, note, expires)


def hash_of(presented: str) -> str:
    """SHA-256 (hex) of a key as a client shows it."""
    return hashlib.sha256(presented.encode("utf-8", "surrogatepass")).hexdigest()


def sealed(key: Key, mac_key: bytes) -> bytes:
    """The document that is stored."""
    return msgspec.json.encode(_Stored(key, _mac(key, mac_key)))


def unsealed(body: bytes, mac_key: bytes) -> Key | None:
    """The key in a stored document; None for one that was not made with this installation's secret."""
    try:
        stored = _DECODER.decode(body)
    except msgspec.DecodeError:
        return None
    return stored.key if hmac.compare_digest(stored.mac.encode(), _mac(stored.key, mac_key).encode()) else None


def _mac(key: Key, mac_key: bytes) -> str:
    return hmac.new(mac_key, msgspec.json.encode(key, order="deterministic"), "sha256").hexdigest()


class StoredKeys:
    """The keys of the store, to look up. Immutable."""

    __slots__ = ("_by_blind", "_by_hash", "_salt")

    def __init__(self, keys: Iterable[Key] = ()) -> None:
        # As in the snapshot: how long a look-up takes depends on bits that nobody outside can predict or steer.
        self._salt = secrets.token_bytes(32)
        self._by_hash: dict[str, Key] = {}
        self._by_blind: dict[bytes, Key] = {}
        self._add(keys)

    def _add(self, keys: Iterable[Key]) -> None:
        for key in keys:
            self._by_hash[key.hash] = key
            self._by_blind[self._blind(bytes.fromhex(key.hash))] = key

    def changed(self, keys: Iterable[Key]) -> StoredKeys:
        """With these in the place of what was known of them."""
        other = StoredKeys()
        other._salt = self._salt
        other._by_hash, other._by_blind = dict(self._by_hash), dict(self._by_blind)
        other._add(keys)
        return other

    def find(self, hashed: bytes) -> Key | None:
        """What is known of the key with this SHA-256. Takes no telling time for a near miss."""
        key = self._by_blind.get(self._blind(hashed))
        same = hmac.compare_digest(bytes.fromhex(key.hash if key is not None else "0" * 64), hashed)
        return key if same else None

    def _blind(self, hashed: bytes) -> bytes:
        return hmac.digest(self._salt, hashed, "sha256")

    def __iter__(self) -> Iterator[Key]:
        return iter(self._by_hash.values())

    def __len__(self) -> int:
        return len(self._by_hash)

    def by_name(self, name: str) -> list[Key]:
        """The keys whose hash begins so."""
        return [key for hashed, key in self._by_hash.items() if hashed.startswith(name)]


NO_KEYS = StoredKeys()


def revoked_file_key(hashed: str, tenant: str, *, by: str, now: float) -> Key:
    """What is stored to revoke a key that stands in a tenant's file."""
    return Key(hashed, tenant, now, by, note="stands in the tenant's file", revoked=now)


def to_revoke(name: str, stored: StoredKeys, files: Mapping[str, str]) -> list[tuple[str, str]]:
    """(hash, tenant) of the keys that are called so. `files`: tenant by hash, of the keys in tenant files."""
    found = {key.hash: key.tenant for key in stored.by_name(name)}
    found |= {hashed: tenant for hashed, tenant in files.items() if hashed.startswith(name)}
    return sorted(found.items())
