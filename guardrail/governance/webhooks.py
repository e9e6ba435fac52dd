"""The section `removal` of the terms, and how a message to the application is signed. Pure.

Messages are those of Standard Webhooks (https://www.standardwebhooks.com): the headers `webhook-id`,
`webhook-timestamp` and `webhook-signature`, the last one `v1,` and the base64 of HMAC-SHA256 over
`id.timestamp.body`. Whoever verifies such messages already, verifies these.
"""

from __future__ import annotations

import binascii
import hmac
from base64 import b64decode, b64encode
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from guardrail.errors import GuardrailError

PREFIX = "whsec_"
"""What a secret begins with; the rest is base64."""

LEAST, MOST = 24, 64
"""Bytes of a secret, as Standard Webhooks has them."""

HookUrl = Annotated[
    str,
    Meta(
        pattern=r"^https?://[^\s/?#@]+(/[^\s#]*)?$(?!\n)",
        title="an address such as https://app.example.com/hooks/guardrail, without user or fragment",
    ),
]
HookVariable = Annotated[
    str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$(?!\n)", title="the name of an environment variable")
]


class RemovalTerms(Struct, frozen=True, forbid_unknown_fields=True):
    """How the tenant's application learns that an answer has to be removed."""

    webhook: Annotated[
        HookUrl | UnsetType,
        Meta(description="Where the application takes signed messages; redirects are not followed."),
    ] = UNSET
    secret_env: Annotated[
        HookVariable | UnsetType,
        Meta(
            description="Environment variable with the secret that signs them: `whsec_` and the base64 of 24 to 64 "
            "bytes. Several, with spaces between, while one is replaced by another: each signs."
        ),
    ] = UNSET


class SecretUnfit(GuardrailError):
    """A secret for signing is no such secret. The message has no part of it."""


def secrets_in(value: str) -> tuple[bytes, ...]:
    """The secrets in an environment variable. Raises SecretUnfit."""
    found = []
    for each in value.split():
        try:
            secret = b64decode(each.removeprefix(PREFIX), validate=True)
        except (binascii.Error, ValueError):
            secret = b""
        if not LEAST <= len(secret) <= MOST:
            raise SecretUnfit(f"a webhook secret is {PREFIX} and the base64 of {LEAST} to {MOST} bytes")
        found.append(secret)
    return tuple(found)


def signed(secrets: tuple[bytes, ...], id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers of a message. `timestamp`: unix seconds, of this attempt."""
    content = f"{id}.{timestamp}.".encode() + body
    signatures = [b64encode(hmac.digest(secret, content, "sha256")).decode() for secret in secrets]
    return {
        "webhook-id": id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
