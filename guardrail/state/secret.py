"""The master secret of an installation, and the keys that are derived from it, one for each purpose.

It comes from an environment variable, or from a file that only its owner can read and that the first process makes;
two processes that start at once end up with the same one. Derived keys are HKDF-SHA256 (RFC 5869) of it: one of them
tells nothing of another, nor of the secret. Never logs, prints or stores a value; errors name the variable or the file.
"""

from __future__ import annotations

import contextlib
import hmac
import os
import secrets
import stat
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from guardrail.errors import GuardrailError

FILE = "secret"
"""Name of the file in the folder of the state."""

LEAST = 32
"""Characters of a value: 128 bits, if they are hexadecimal digits."""

DISTINCT = 8
"""Different characters of a value: 32 random hexadecimal digits have fewer once in half a million."""

LONGEST = 4096
"""Bytes of a file that are read: whatever is longer is something else."""

_SALT = b"guardrail state v1"


class SecretError(GuardrailError):
    """The operator's fault: a secret that is missing or cannot be used. The message has no part of its value."""


class Secret:
    """The master secret of one installation: of every replica that shares a state."""

    __slots__ = ("_derived", "_root")

    def __init__(self, value: str, source: str = "the secret") -> None:
        """`value`: 32 characters or more, without white space; `source` names it in errors. Raises SecretError."""
        problem = _problem(value)
        if problem:
            raise SecretError(f"{source} {problem}; `openssl rand -hex 32` makes a good one")
        self._root = hmac.digest(_SALT, value.encode(), "sha256")
        self._derived: dict[str, bytes] = {}

    def derive(self, purpose: str) -> bytes:
        """32 bytes for one purpose: always the same for the same secret."""
        key = self._derived.get(purpose)
        if key is None:
            # HKDF's first block of output is as long as the hash, and no key here is longer.
            key = self._derived[purpose] = hmac.digest(self._root, purpose.encode() + b"\x01", "sha256")
        return key

    @property
    def fingerprint(self) -> str:
        """16 hex digits by which replicas can tell that they have the same secret. It may be shown."""
        return sha256(self.derive("fingerprint")).hexdigest()[:16]

    def __repr__(self) -> str:
        return f"Secret({self.fingerprint})"


def open_secret(environ: Mapping[str, str], variable: str, folder: Path | None) -> Secret:
    """The secret in the environment variable; if that is unset, the one in `folder`, made if there is none.
    `folder`: None where every replica must be told it (a shared state). Raises SecretError."""
    value = environ.get(variable, "")
    if value:
        told = Secret(value, f"the environment variable {variable}")
        if folder is not None and (kept := _kept(folder / FILE)) is not None and kept.fingerprint != told.fingerprint:
            # Whoever goes on with another one meets only strangers, and opens nothing that was sealed.
            raise SecretError(
                f"{folder / FILE} holds another secret than the environment variable {variable}, and the state beside "
                "it was made with that one; set the variable to it, or move the file away to begin anew"
            )
        return told
    if folder is None:
        raise SecretError(
            f"the environment variable {variable} is not set: processes that share a state need the same secret"
        )
    path = folder / FILE
    try:
        return _kept(path) or Secret(_make(path), str(path))
    except OSError as error:
        raise SecretError(f"{path}: {error.strerror or error}") from error


def _kept(path: Path) -> Secret | None:
    """The secret in a file; None when there is no file. Raises SecretError."""
    try:
        value = _read(path)
    except OSError as error:
        raise SecretError(f"{path}: {error.strerror or error}") from error
    return Secret(value, str(path)) if value else None


def _problem(value: str) -> str:
    if value != value.strip() or any(character.isspace() for character in value):
        return "has white space in it, and must have none"
    if not value.isprintable():
        return "has a character in it that cannot be printed, and must have none"
    if len(value) < LEAST:
        return f"has {len(value)} characters, and must have {LEAST} at least"
    if len(set(value)) < DISTINCT:
        return f"has fewer than {DISTINCT} different characters: that can be guessed"
    return ""


def _read(path: Path) -> str:
    """What the file holds, less the newline at its end; "" when there is no file. Raises OSError, SecretError."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            raw = file.read(LONGEST + 1)
    except FileNotFoundError:
        return ""
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SecretError(f"{path} can be read by others than its owner: `chmod 600` it, or make a new one")
    try:
        value = raw.decode()
    except UnicodeDecodeError as error:
        raise SecretError(f"{path} is no text") from error
    if not raw or len(raw) > LONGEST:
        raise SecretError(f"{path} has {len(raw)} bytes, and should hold one secret")
    return value.removesuffix("\n")


def _make(path: Path) -> str:
    """A new secret in a new file; or what another process has put there meanwhile. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "wb") as file:
            file.write(secrets.token_hex(32).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        # A link is there whole or not at all, and unlike a rename it does not replace what another process made.
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
    return _read(path)
