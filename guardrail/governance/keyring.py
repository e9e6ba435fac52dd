"""Keys of people: one random key for each subject, so that to destroy it is to erase what was written with it.

A subject's key makes the pseudonym by which the audit log knows the subject, and seals what is kept of them in words (a
complaint, an excerpt). It is in the state, in the document `subject`, wrapped by the master secret: whoever has the
state alone, or the secret alone, reads nothing. What has no subject is sealed under a random key of its own, which is
wrapped beside it. Never holds a key longer than it is used; never seals without binding what is sealed to its place.
"""

from __future__ import annotations

import binascii
import hmac
import secrets
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from guardrail.errors import GuardrailError
from guardrail.state.operations import Conflict, Document, Put
from guardrail.state.secret import Secret
from guardrail.state.store import Store, get, put

KIND = "subject"

NONCE = 12
"""Bytes, as AES-GCM has them. Random ones do not meet within 2^32 uses of a key; one person has far fewer."""

KEY = 32
"""Bytes of a key: AES-256."""


class SealError(GuardrailError):
    """What was sealed cannot be opened with this secret: it was altered, or the secret is another."""


class SubjectDocument(msgspec.Struct, frozen=True):
    """What is held of a subject under its own name."""

    tenant: str
    key: str
    """Wrapped, base64."""
    seen: str
    """The day of the last request, to within `SEEN` days; ISO date, UTC."""
    attributes: dict[str, Any] = {}
    """What is known of the person beside the signed claims: `minor`, `locale`, `tz`. They stand above the claims."""


class Sealed(msgspec.Struct, frozen=True):
    """Words that only a key opens. Part of other documents."""

    box: str
    """Nonce and AES-GCM ciphertext, base64."""
    subject: str = ""
    """Id of the subject whose key opens it; "": it has one of its own."""
    key: str = ""
    """The key of its own, wrapped, base64."""


class SubjectKey:
    """A subject's key, unwrapped."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    @property
    def pseudonym(self) -> str:
        """What the audit log calls the subject: 32 hex digits that nobody can tell from the id once the key is gone."""
        return hmac.digest(self._key, b"audit", "sha256").hex()[:32]

    def seal(self, words: str, place: str) -> str:
        """Base64 of what only this key opens. `place`: where it is kept, "complaint:c-1"; it opens nowhere else."""
        return _seal(hmac.digest(self._key, b"seal", "sha256"), words.encode(), place)

    def open(self, box: str, place: str) -> str:
        """The words again. Raises SealError."""
        return _open(hmac.digest(self._key, b"seal", "sha256"), box, place).decode()

    def __repr__(self) -> str:
        return "SubjectKey(…)"


class Keyring:
    """Makes, wraps and uses keys of subjects."""

    def __init__(self, secret: Secret) -> None:
        self._wrapping = secret.derive("keys of subjects")

    def fresh(self, subject: str, tenant: str, day: str) -> SubjectDocument:
        """A document with a new key for the subject with this id."""
        wrapped = _seal(self._wrapping, secrets.token_bytes(KEY), f"{KIND}:{subject}")
        return SubjectDocument(tenant, wrapped, day)

    def key_of(self, subject: str, document: SubjectDocument) -> SubjectKey:
        """The key in a subject's document. Raises SealError."""
        return SubjectKey(_open(self._wrapping, document.key, f"{KIND}:{subject}"))

    async def seal(self, store: Store, words: str, place: str, *, subject: str = "", tenant: str = "") -> Sealed:
        """Seal words under the subject's key, made if there is none yet; without a subject under one of their own.
        Raises StateError."""
        if not subject:
            return self.seal_alone(words, place)
        return Sealed((await self._made(store, subject, tenant)).seal(words, place), subject)

    def seal_alone(self, words: str, place: str) -> Sealed:
        """Seal words under a key of their own."""
        key = secrets.token_bytes(KEY)
        return Sealed(_seal(key, words.encode(), place), key=_seal(self._wrapping, key, place))

    async def unseal(self, store: Store, sealed: Sealed, place: str) -> str | None:
        """The words; None when the subject was erased. Raises SealError, StateError."""
        if not sealed.subject:
            return _open(_open(self._wrapping, sealed.key, place), sealed.box, place).decode()
        key = await self.find(store, sealed.subject)
        if key is None:
            return None
        try:
            return key.open(sealed.box, place)
        except SealError:
            # A person that was erased may have come back since, with a new key: what is from before stays closed.
            return None

    async def find(self, store: Store, subject: str) -> SubjectKey | None:
        """The key of a subject; None when there is none. Raises StateError."""
        found = await get(store, KIND, subject)
        return None if found is None else self.key_of(subject, decoded(found))

    async def _made(self, store: Store, subject: str, tenant: str) -> SubjectKey:
        document = self.fresh(subject, tenant, today())
        reply = await put(store, creation(subject, document))
        if isinstance(reply, Conflict) and reply.found is not None:
            document = decoded(reply.found)
        return self.key_of(subject, document)


def creation(subject: str, document: SubjectDocument) -> Put:
    """Put a subject's first document; answered with a Conflict where there is one."""
    return Put(KIND, subject, msgspec.json.encode(document), frozenset((f"tenant:{document.tenant}",)), expect=0)


def renewal(found: Document, document: SubjectDocument) -> Put:
    """Put what a subject's document is to say now; a Conflict when it is another by now."""
    return Put(KIND, found.id, msgspec.json.encode(document), found.tags, expect=found.version)


def decoded(document: Document) -> SubjectDocument:
    """What a stored document of this kind says."""
    return msgspec.json.decode(document.body, type=SubjectDocument)


def today() -> str:
    """ISO date, UTC."""
    return datetime.now(UTC).date().isoformat()


def _seal(key: bytes, plain: bytes, place: str) -> str:
    nonce = secrets.token_bytes(NONCE)
    return b64encode(nonce + AESGCM(key).encrypt(nonce, plain, place.encode())).decode()


def _open(key: bytes, box: str, place: str) -> bytes:
    try:
        raw = b64decode(box, validate=True)
        return AESGCM(key).decrypt(raw[:NONCE], raw[NONCE:], place.encode())
    except (binascii.Error, ValueError, InvalidTag) as error:
        raise SealError(
            f"what is sealed at {place} cannot be opened: it was altered, or the secret is another"
        ) from error
