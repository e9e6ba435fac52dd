"""Who is asking: a request's headers in, a tenant out.

In this order: the signed header of a trusted gateway; a guardrail key, wherever a client may put one (`Authorization:
Bearer KEY`, another of the `CREDENTIALS`, the query); anonymous access, when the configuration grants it: only who
shows no guardrail key at all is anonymous, since an anonymous caller's keys are for the upstream. A signed header that
does not verify is refused even beside a good key, and so is any where no gateway is configured: it says that somebody
is trying, that a clock is wrong, or that a setting is missing. A key that no tenant has is refused, unless anonymous
access is granted: then the key may be one for the upstream itself. A key that was a tenant's and was revoked, or has
expired, is refused whatever else there is.

Never logs or returns a key. Signatures are compared in constant time; keys are too (in the snapshot).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from guardrail.errors import GuardrailError
from guardrail.policy.snapshot import KeyNotValid, Snapshot, Tenant
from guardrail.proxy.headers import CREDENTIALS

GATEWAY_HEADER = "x-guardrail-tenant"
"""`<tenant>;<unix seconds>;<hex HMAC-SHA256 of "<tenant>;<unix seconds>">`."""

_MAX_KEY = 1024
"""Characters of a presented key that are looked at; longer ones are nobody's. The header size caps it too."""


_NOT_VALID = {"revoked": "revoked", "expired": "valid until a time that has passed"}


class Unauthorized(GuardrailError):
    """No tenant could be told from the request; the message is fit for the client."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The tenant a request belongs to, and whether it came without a guardrail key."""

    tenant: Tenant
    anonymous: bool


def identify(
    headers: Mapping[str, str],
    snapshot: Snapshot,
    *,
    secret: bytes | None,
    now: float,
    query_keys: Iterable[str] = (),
    key_header: str = "Authorization",
) -> Caller:
    """The caller behind `headers` (case-insensitive mapping). `query_keys`: the keys in the query. `key_header`: where
    the clients of the protocol that is spoken put a key.

    `secret`: the gateway's shared secret, None when the environment lacks it; `now`: unix seconds.
    Raises Unauthorized.
    """
    gateway = snapshot.settings.gateway
    signed = headers.get(GATEWAY_HEADER)
    if signed is not None:
        if gateway is None:
            raise Unauthorized(
                f"The {GATEWAY_HEADER} header cannot be verified: the configuration has no section 'gateway'."
            )
        tenant = snapshot.by_name(_verified_name(signed, secret, now, gateway.max_age))
        if tenant is None:
            raise Unauthorized(f"The {GATEWAY_HEADER} header names a tenant that is not configured.")
        return Caller(tenant, anonymous=False)
    keys = [key if len(key) <= _MAX_KEY else "" for key in (*presented_keys(headers), *query_keys)]
    for key in keys:
        try:
            found = snapshot.by_key(key, now)
        except KeyNotValid as error:
            raise Unauthorized(f"This API key was {_NOT_VALID[error.state]}.") from error
        if found is not None:
            return Caller(found, anonymous=False)
    if snapshot.anonymous is not None:
        return Caller(snapshot.anonymous, anonymous=True)
    if not keys:
        scheme = "Bearer " if key_header == "Authorization" else ""
        raise Unauthorized(f"No API key was given. Send it as '{key_header}: {scheme}KEY'.")
    raise Unauthorized("Incorrect API key provided.")


def presented_keys(headers: Mapping[str, str]) -> Iterator[str]:
    """The keys a client presents, behind whatever scheme, or none, that it puts before one."""
    scheme, _, value = headers.get("authorization", "").strip().partition(" ")
    if key := value.strip() if value or scheme.casefold() == "bearer" else scheme:
        yield key
    for name in CREDENTIALS[1:]:
        if key := headers.get(name, "").strip():
            yield key


def _verified_name(signed: str, secret: bytes | None, now: float, max_age: float) -> str:
    """The tenant's name in a signed header. Raises Unauthorized; the reason is for the gateway's operator."""
    if not secret:
        raise Unauthorized(f"The {GATEWAY_HEADER} header cannot be verified: the gateway secret is not set.")
    name, _, rest = signed.partition(";")
    seconds, _, signature = rest.partition(";")
    expected = hmac.new(secret, f"{name};{seconds}".encode("utf-8", "surrogateescape"), hashlib.sha256)
    if not hmac.compare_digest(
        signature.strip().lower().encode("utf-8", "surrogateescape"), expected.hexdigest().encode()
    ):
        raise Unauthorized(f"The {GATEWAY_HEADER} header's signature is wrong.")
    # Only a signed time is looked at, so that int() never sees a stranger's digits.
    if not (seconds.isascii() and seconds.isdigit()) or abs(now - int(seconds)) > max_age:
        raise Unauthorized(f"The {GATEWAY_HEADER} header is older (or newer) than {max_age:g} seconds.")
    return name
