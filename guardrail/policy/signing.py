"""Signed statements: Ed25519 (RFC 8032) over exact bytes, with the purpose in front of them.

A statement travels as an envelope: the bytes that were signed as text, the signature, and which key made it. What is
checked are those very bytes, so that no two readings of one document can differ, and a statement made for one purpose
is none for another. Private keys come from a file or the environment, and are never written but by `new_key`.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Struct

from guardrail.errors import ConfigError, ConfigProblem, GuardrailError

PUBLIC = "ed25519:"
"""In front of a public key as it stands in `guardrail.yaml`; behind it the 32 bytes in base64."""
PRIVATE = "guardrail-signing-key:"
"""The same of a private key, in its file or variable."""

SIGNING_KEY = "GUARDRAIL_SIGNING_KEY"
"""Environment variable with the private key."""


class BadSignature(GuardrailError):
    """A statement that nobody who may have made it has signed."""


class Envelope(Struct, frozen=True, forbid_unknown_fields=True):
    """A statement as it is stored."""

    statement: str
    """What is said, as JSON; these very characters are signed, in UTF-8."""
    key: str
    """Which key signed it: see `name_of`."""
    signature: str
    """64 bytes in base64."""


_DECODER = msgspec.json.Decoder(Envelope)


def new_key() -> tuple[str, str]:
    """(private key, public key), each as text for a file."""
    private = Ed25519PrivateKey.generate()
    return PRIVATE + _text(private.private_bytes_raw()), public_of(private)


def public_of(private: Ed25519PrivateKey) -> str:
    """The public key, as text."""
    return PUBLIC + _text(private.public_key().public_bytes_raw())


def name_of(public: str) -> str:
    """A short name of a public key: the first 16 hex digits of its SHA-256."""
    return hashlib.sha256(_public_bytes(public)).hexdigest()[:16]


def read_private(path: Path | None, environ: Mapping[str, str]) -> Ed25519PrivateKey:
    """The private key in a file, or without one in the variable `GUARDRAIL_SIGNING_KEY`. Raises ConfigError."""
    where = SIGNING_KEY if path is None else str(path)
    try:
        said = environ.get(SIGNING_KEY, "") if path is None else path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise ConfigError([ConfigProblem(where, 1, 1, f"the signing key cannot be read: {reason}")]) from None
    found = _bytes(said.strip().removeprefix(PRIVATE)) if said.strip().startswith(PRIVATE) else None
    if found is None:
        message = "found no signing key, expected one as `guardrail policy keygen` makes it"
        raise ConfigError([ConfigProblem(where, 0, 0, message)])
    return Ed25519PrivateKey.from_private_bytes(found)


def write_private(path: Path, private: str) -> None:
    """Write a private key into a new file that only its user can read. Raises OSError, FileExistsError too."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w") as file:
        file.write(private + "\n")


def signed(purpose: str, statement: bytes, private: Ed25519PrivateKey) -> bytes:
    """The envelope of a statement, JSON."""
    signature = private.sign(_framed(purpose, statement))
    envelope = Envelope(statement.decode(), name_of(public_of(private)), _text(signature))
    return msgspec.json.encode(envelope)


def opened(purpose: str, envelope: bytes, public_keys: Iterable[str]) -> bytes:
    """The statement in an envelope that one of these keys has signed for this purpose. Raises BadSignature."""
    try:
        found = _DECODER.decode(envelope)
    except msgspec.DecodeError as error:
        raise BadSignature(f"it is no signed statement: {error}") from None
    keys = {name_of(public): public for public in public_keys}
    if found.key not in keys:
        raise BadSignature(f"it is signed with the key {found.key[:64]!r}, which is none of the configured public keys")
    statement = found.statement.encode("utf-8", "surrogatepass")
    signature = _bytes(found.signature, 64)
    try:
        if signature is None:
            raise InvalidSignature
        Ed25519PublicKey.from_public_bytes(_public_bytes(keys[found.key])).verify(
            signature, _framed(purpose, statement)
        )
    except InvalidSignature:
        raise BadSignature("its signature is wrong") from None
    return statement


def sound_public(public: str) -> bool:
    """Whether it is a public key as `new_key` makes them."""
    return public.startswith(PUBLIC) and _bytes(public.removeprefix(PUBLIC)) is not None


def _framed(purpose: str, statement: bytes) -> bytes:
    return f"guardrail {purpose}\0".encode() + statement


def _public_bytes(public: str) -> bytes:
    found = _bytes(public.removeprefix(PUBLIC))
    assert found is not None  # the settings were checked
    return found


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str, size: int = 32) -> bytes | None:
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    # One spelling only: unused bits of the last character must not differ.
    return data if len(data) == size and _text(data) == text else None
