"""Which version of each pushed policy is in effect: one small signed statement for all of them, the head. Pure.

There is one head, not one statement for each policy: whoever can write to the store but cannot sign can then neither
take one policy's activation from today and another's from last month, nor drop one. Its serial only grows, so that a
replica that has seen a newer one notices an old one that is put back (`guardrail.policy.distribution`).

Versions count up for each name and are never used again. A version that is live is what everybody gets; a canary is
what a share of requests gets in its place; a shadow is judged beside what was chosen, and changes nothing.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from guardrail.errors import GuardrailError
from guardrail.policy.bundle import Digest
from guardrail.policy.signing import BadSignature
from guardrail.settings import Name

PURPOSE = "policy head 1"
"""What a head is signed for."""

FILE = 0
"""Stands for the policy in the configuration's own files, where no version is live."""

VERSIONS = 20
"""Versions of a name that a head remembers beside those in use; bundles of older ones can no longer be activated."""

BEFORE = 20
"""How often a policy can be rolled back in a row."""

Percent = Annotated[float, Meta(gt=0, le=100)]


class Unfit(GuardrailError):
    """What was asked for cannot be done with the versions there are. The message is for the operator."""


class Version(Struct, frozen=True, forbid_unknown_fields=True):
    """One pushed version of a policy."""

    number: Annotated[int, Meta(ge=1)]
    bundle: Digest
    policy_digest: Digest
    """Where it was pushed from."""
    at: float
    """When, unix seconds."""
    note: Annotated[str, Meta(max_length=200)] = ""


class Share(Struct, frozen=True, forbid_unknown_fields=True):
    """A version for a share of requests."""

    version: Annotated[int, Meta(ge=1)]
    percent: Percent


class Line(Struct, frozen=True, forbid_unknown_fields=True):
    """The versions of one name."""

    versions: tuple[Version, ...] = ()
    """By number."""
    newest: int = 0
    """The highest number that was ever given."""
    live: int = FILE
    canary: Share | None = None
    shadow: Share | None = None
    before: tuple[int, ...] = ()
    """What was live before, the newest last."""

    def find(self, number: int) -> Version | None:
        """The version of that number, if it is still remembered."""
        return next((version for version in self.versions if version.number == number), None)

    @property
    def used(self) -> frozenset[int]:
        """Versions that replicas need now."""
        shares = {share.version for share in (self.canary, self.shadow) if share is not None}
        return frozenset(({self.live} | shares) - {FILE})


class Head(Struct, frozen=True, forbid_unknown_fields=True):
    """What is in effect."""

    format: Literal[1] = 1
    serial: Annotated[int, Meta(ge=0)] = 0
    """Grows with every head. At least the clock's milliseconds, so that it also grows after all state was lost."""
    at: float = 0.0
    """When it was made, unix seconds."""
    policies: dict[Name, Line] = {}


_DECODER = msgspec.json.Decoder(Head)


def encoded(head: Head) -> bytes:
    """The bytes to sign."""
    return msgspec.json.encode(head, order="deterministic")


def read_head(statement: bytes) -> Head:
    """The head that was signed. Raises BadSignature for what is none, or contradicts itself."""
    try:
        head = _DECODER.decode(statement)
    except msgspec.DecodeError as error:
        raise BadSignature(f"what was signed is not which policies are in effect: {error}") from None
    for name, line in head.policies.items():
        numbers = [version.number for version in line.versions]
        if numbers != sorted(set(numbers)) or not line.used <= set(numbers) or line.newest < max(numbers, default=0):
            raise BadSignature(f"what was signed contradicts itself about the policy {name!r}")
    return head


def pushed(head: Head, name: str, bundle: str, policy_digest: str, *, now: float, note: str = "") -> tuple[Head, int]:
    """With a new version of a policy, which is not in effect yet; and its number."""
    line = head.policies.get(name, Line())
    number = line.newest + 1
    version = Version(number, bundle, policy_digest, now, note)
    line = msgspec.structs.replace(line, versions=(*line.versions, version), newest=number)
    return _next(head, name, line, now), number


def activated(head: Head, name: str, number: int, *, percent: float = 100, now: float) -> Head:
    """With a version in effect: for everybody, or below 100 percent for a share of the requests. Raises Unfit."""
    line = _line(head, name)
    _version(line, name, number)
    if percent < 100:
        if line.live == number:
            raise Unfit(f"{name}@{number} is live for everybody: there is nothing to try it against")
        return _next(head, name, msgspec.structs.replace(line, canary=Share(number, percent)), now)
    before = line.before if line.live == number else (*line.before, line.live)[-BEFORE:]
    shadow = None if line.shadow is not None and line.shadow.version == number else line.shadow
    line = msgspec.structs.replace(line, live=number, canary=None, before=before, shadow=shadow)
    return _next(head, name, line, now)


def rolled_back(head: Head, name: str, *, now: float) -> Head:
    """Without the canary; where there is none, with what was live before: at last the policy of the files.
    Raises Unfit."""
    line = _line(head, name)
    if line.canary is not None:
        return _next(head, name, msgspec.structs.replace(line, canary=None), now)
    if line.live == FILE:
        raise Unfit(f"the policy {name!r} of the configuration's files is in effect: there is nothing before it")
    before = [number for number in line.before if number == FILE or line.find(number) is not None]
    live = before.pop() if before else FILE
    return _next(head, name, msgspec.structs.replace(line, live=live, before=tuple(before)), now)


def shadowed(head: Head, name: str, number: int | None, *, percent: float = 100, now: float) -> Head:
    """With a version judged beside for a share of the requests; None: with none. Raises Unfit."""
    line = _line(head, name)
    if number is None:
        return _next(head, name, msgspec.structs.replace(line, shadow=None), now)
    _version(line, name, number)
    return _next(head, name, msgspec.structs.replace(line, shadow=Share(number, percent)), now)


def picked(name: str, share: Share, request_id: str) -> bool:
    """Whether a request is among those that get a share: the same answer in every replica, and another choice of
    requests for each version."""
    chosen = hashlib.sha256(f"{name}@{share.version}\0{request_id}".encode()).digest()[:8]
    return int.from_bytes(chosen) < share.percent / 100 * 2**64


def parse(spelled: str) -> tuple[str, int]:
    """The name and number in `NAME@VERSION`. Raises Unfit."""
    name, _, number = spelled.rpartition("@")
    if not name or not (number.isascii() and number.isdigit()) or int(number[:9]) < 1:
        raise Unfit(f"found {spelled!r}, expected NAME@VERSION, as `guardrail policy list` shows them")
    return name, int(number[:9])


def _line(head: Head, name: str) -> Line:
    line = head.policies.get(name)
    if line is None:
        known = ", ".join(sorted(head.policies)) or "none"
        raise Unfit(f"no version of the policy {name!r} was pushed; pushed: {known}")
    return line


def _version(line: Line, name: str, number: int) -> Version:
    version = line.find(number)
    if version is None:
        known = ", ".join(str(each.number) for each in line.versions)
        raise Unfit(f"there is no {name}@{number}; versions: {known}")
    return version


def _next(head: Head, name: str, line: Line, now: float) -> Head:
    numbers = [version.number for version in line.versions]
    kept = line.used | set(line.before) | set(numbers[-VERSIONS:])
    line = msgspec.structs.replace(line, versions=tuple(each for each in line.versions if each.number in kept))
    serial = max(head.serial + 1, int(now * 1000))
    return Head(serial=serial, at=now, policies={**head.policies, name: line})
