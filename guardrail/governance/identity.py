"""Who the end user is: from a claim that the tenant's application signed, or from the id that its request carries.

Promises: nothing keeps or tells the application's own id of a person, only a keyed hash of it, another for each tenant;
what a claim says counts only when its signature, its time, its issuer and its audience are right, and one that does not
verify is refused, never ignored. A request is never the cause that a file is read: keys are in the terms, where they
were put when the configuration was loaded.
"""

from __future__ import annotations

import hmac
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from guardrail.governance.duty import Refused, Subject

if TYPE_CHECKING:
    from guardrail.governance.terms import Terms
    from guardrail.state.secret import Secret
    from guardrail.wire.request import ModelRequest

CLAIMS_HEADER = "x-guardrail-claims"
"""A JWT (RFC 7519) about the end user: `sub`, `exp`, and what else is to be known: `minor`, `locale`, `tz`,
`agreement`."""

USER_HEADER = "x-guardrail-user"
"""The application's id of the end user, where the protocol has no field for one."""

LONGEST_TOKEN = 8192
"""Characters of a claim that are looked at."""

LEEWAY = 5.0
"""Seconds by which the clocks of the application and of this machine may differ."""

_REGISTERED = frozenset({"iss", "sub", "aud", "exp", "nbf", "iat", "jti"})
"""Claims about the token itself (RFC 7519, 4.1)."""

Algorithm = Literal["HS256", "EdDSA", "ES256", "RS256"]

WITH_SECRET: tuple[Algorithm, ...] = ("HS256",)
WITH_KEY: tuple[Algorithm, ...] = ("EdDSA", "ES256", "RS256")

Variable = Annotated[
    str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$(?!\n)", title="the name of an environment variable")
]


class ClaimTerms(Struct, frozen=True, forbid_unknown_fields=True):
    """How claims about end users are verified."""

    secret_env: Annotated[
        Variable | UnsetType,
        Meta(description="Environment variable with the secret with which the application signs (HS256)."),
    ] = UNSET
    public_key: Annotated[
        Annotated[str, Meta(min_length=1)] | UnsetType,
        Meta(description="The application's public key: PEM, or a file with it, relative to this one."),
    ] = UNSET
    algorithms: Annotated[
        Annotated[tuple[Algorithm, ...], Meta(min_length=1)] | UnsetType,
        Meta(description="Signatures that are taken. Unset: HS256 with a secret; EdDSA, ES256 and RS256 with a key."),
    ] = UNSET
    issuer: Annotated[str | UnsetType, Meta(description="What `iss` must be.")] = UNSET
    audience: Annotated[str | UnsetType, Meta(description="What `aud` must be, or have among others.")] = UNSET
    max_age: Annotated[
        Annotated[float, Meta(gt=0)] | UnsetType,
        Meta(description="Seconds since `iat`, which then must be there, for which a claim is taken. `exp` always is."),
    ] = UNSET


class SubjectTerms(Struct, frozen=True, forbid_unknown_fields=True, rename={"sources": "from"}):
    """Who end users are. Without this section an id in the request counts if another one is about people (not
    `complaints`, `labels`, `removal`, `limits.tenant`), and nobody needs one. Else nobody is told apart."""

    sources: Annotated[
        tuple[Literal["claim", "user"], ...] | UnsetType,
        Meta(
            description="What tells the end user: `claim`, a signed one; `user`, the id in the request or in the "
            "header `x-guardrail-user`. A claim goes before. Unset: both."
        ),
    ] = UNSET
    required: Annotated[bool | UnsetType, Meta(description="Refuse a request that tells no end user.")] = UNSET
    claims: Annotated[ClaimTerms | UnsetType, Meta(description="How claims are verified.")] = UNSET


def subject_id(secret: Secret, tenant: str, user: str) -> str:
    """The id under which a tenant's end user is known: a keyed hash of the application's own id, 32 hex digits."""
    said = f"{tenant}\0{user}".encode("utf-8", "surrogatepass")
    return hmac.digest(secret.derive("subjects"), said, "sha256").hex()[:32]


class Identity:
    """Tells end users. One for each process."""

    def __init__(self, secret: Secret, environ: Mapping[str, str]) -> None:
        """`environ`: where the secrets of the tenants are."""
        self._secret = secret
        self._environ = environ

    def subject(
        self, tenant: str, terms: Terms, headers: Mapping[str, str], request: ModelRequest | None, now: float
    ) -> Subject | None:
        """The end user of a request; None when it tells none, and when no duty under the terms is about people. A claim
        is verified in any case. `headers`: case-insensitive; `request`: None when it is asked of guardrail itself;
        `now`: unix seconds. Raises Refused."""
        if CLAIMS_HEADER not in headers and not about_people(terms):
            return None
        return self.named(tenant, terms, headers, request, now)

    def named(
        self, tenant: str, terms: Terms, headers: Mapping[str, str], request: ModelRequest | None, now: float
    ) -> Subject | None:
        """The same, whatever the duties are: for what people ask of guardrail itself. Raises Refused."""
        section = terms.subjects if terms.subjects is not UNSET else _DEFAULT
        sources = section.sources if section.sources is not UNSET else ("claim", "user")
        token = headers.get(CLAIMS_HEADER)
        if token is not None:
            if "claim" not in sources:
                raise _unverified("no claims are taken here")
            claims = self._verified(token, section.claims, now)
            return Subject(
                subject_id(self._secret, tenant, claims["sub"]),
                {name: value for name, value in claims.items() if name not in _REGISTERED},
            )
        user = headers.get(USER_HEADER, "").strip() or (request.user if request is not None else "")
        if user and "user" in sources:
            return Subject(subject_id(self._secret, tenant, user))
        if section.required is True:
            ways = {"claim": f"a signed claim ({CLAIMS_HEADER})", "user": f"its id in the request or in {USER_HEADER}"}
            wanted = " or ".join(ways[source] for source in sources) or "nothing that would be taken"
            message = f"A request must tell its end user; expected {wanted}."
            raise Refused(400, "end_user_required", message)
        return None

    def _verified(self, token: str, terms: ClaimTerms | UnsetType, now: float) -> dict[str, Any]:
        """What a claim says. Raises Refused; the reason is for the application's makers, and holds nothing of it."""
        import jwt  # where nobody signs claims, nobody waits for it to be loaded

        if terms is UNSET or (terms.secret_env is UNSET and terms.public_key is UNSET):
            raise _unverified("the configuration has no key for them (terms.subjects.claims)")
        if len(token) > LONGEST_TOKEN:
            raise _unverified("it is too long")
        if not token.isascii():  # which PyJWT does not expect
            raise _unverified("it cannot be read")
        try:
            signed_with = jwt.get_unverified_header(token).get("alg")
        except jwt.PyJWTError:
            raise _unverified("it cannot be read") from None
        # Each kind of signature has its own key: a public key is never taken for a secret.
        keys: dict[str, str] = {}
        if terms.secret_env is not UNSET:
            keys |= dict.fromkeys(WITH_SECRET, self._environ.get(terms.secret_env, ""))
        if terms.public_key is not UNSET:
            keys |= dict.fromkeys(WITH_KEY, terms.public_key)
        taken = [each for each in keys if terms.algorithms is UNSET or each in terms.algorithms]
        if signed_with not in taken:
            raise _unverified(f"it must be signed with {' or '.join(taken)}")
        key = keys[signed_with]
        if not key:
            raise _unverified("the secret is not set")
        wanted = ["sub", "exp"]
        wanted += [name for name, given in (("iss", terms.issuer), ("aud", terms.audience)) if given is not UNSET]
        wanted += ["iat"] if terms.max_age is not UNSET else []
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[signed_with],
                issuer=terms.issuer if terms.issuer is not UNSET else None,
                audience=terms.audience if terms.audience is not UNSET else None,
                # Times are looked at here, by the clock that the request came with.
                options={
                    "require": wanted,
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                    "verify_aud": terms.audience is not UNSET,
                    "verify_iss": terms.issuer is not UNSET,
                },
            )
        except jwt.InvalidSignatureError:
            raise _unverified("its signature is wrong") from None
        except jwt.MissingRequiredClaimError as error:
            raise _unverified(f"it has no `{error.claim}`") from None
        except jwt.InvalidIssuerError:
            raise _unverified("it is from another issuer") from None
        except jwt.InvalidAudienceError:
            raise _unverified("it is for another audience") from None
        except jwt.PyJWTError:
            raise _unverified("it cannot be read") from None
        if not _is_text(claims):
            raise _unverified("it holds half a surrogate pair")
        if not isinstance(claims["sub"], str) or not claims["sub"]:
            raise _unverified("its `sub` names nobody")
        expires, begins, made = (_time(claims, name) for name in ("exp", "nbf", "iat"))
        if expires is None or now > expires + LEEWAY:
            raise _unverified("it has expired")
        if (begins is not None and now < begins - LEEWAY) or (made is not None and now < made - LEEWAY):
            raise _unverified("its time is to come")
        if terms.max_age is not UNSET and (made is None or now - made > terms.max_age + LEEWAY):
            raise _unverified(f"it is older than {terms.max_age:g} seconds")
        return claims


_DEFAULT = SubjectTerms()


_NOT_ABOUT_PEOPLE = frozenset(("complaints", "labels", "removal"))
"""Sections whose duties are the same for everybody. What a claim tells of a person is known where there is a claim."""


def about_people(terms: Terms) -> bool:
    """Whether a duty treats people one by one, so that each request must be told whose it is."""
    if terms.limits is not UNSET and terms.limits.user is not UNSET:
        return True
    others = (name for name in terms.__struct_fields__ if name != "limits" and name not in _NOT_ABOUT_PEOPLE)
    return any(getattr(terms, name) is not UNSET for name in others)


def _time(claims: Mapping[str, Any], name: str) -> float | None:
    """A time of a claim, in unix seconds; None when there is none. Raises Refused."""
    value = claims.get(name)
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < math.inf):
        return value
    raise _unverified(f"its `{name}` is no number")


def _is_text(claims: Mapping[str, Any]) -> bool:
    """Whether all of it can be written down: a case has the locale, and one that cannot be written strikes nobody."""
    try:
        msgspec.json.encode(claims)
    except UnicodeEncodeError:
        return False
    return True


def _unverified(reason: str) -> Refused:
    return Refused(401, "invalid_claims", f"The {CLAIMS_HEADER} header cannot be verified: {reason}.")


def with_key(section: SubjectTerms, folder: Path) -> tuple[SubjectTerms, list[Path], list[tuple[tuple[str, ...], str]]]:
    """The section with its public key as PEM; the files that were read; and what is wrong: (place, message)."""
    claims = section.claims
    if claims is UNSET:
        return section, [], []
    problems = [(("claims", *place), message) for place, message in _wrong(claims)]
    if claims.public_key is UNSET:
        return section, [], problems
    given, files = claims.public_key, []
    if not given.lstrip().startswith("-----BEGIN"):
        path = folder / given
        files.append(path)
        try:
            given = path.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError):
            message = f"found no file {claims.public_key!r} here, expected PEM with a public key"
            return section, files, [*problems, (("claims", "public_key"), message)]
    if not _is_public_key(given):
        message = "found something else, expected PEM with a public key (Ed25519, P-256 or RSA)"
        problems.append((("claims", "public_key"), message))
    return msgspec.structs.replace(section, claims=msgspec.structs.replace(claims, public_key=given)), files, problems


def _wrong(claims: ClaimTerms) -> Iterator[tuple[tuple[str, ...], str]]:
    possible = WITH_SECRET if claims.secret_env is not UNSET else ()
    possible += WITH_KEY if claims.public_key is not UNSET else ()
    if claims.algorithms is not UNSET and possible and not set(claims.algorithms) & set(possible):
        yield ("algorithms",), f"found {', '.join(claims.algorithms)}, expected some of {', '.join(possible)}"


def _is_public_key(pem: str) -> bool:
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(pem.encode())
    except ValueError:
        return False
    if isinstance(key, EllipticCurvePublicKey):
        return isinstance(key.curve, SECP256R1)
    return isinstance(key, Ed25519PublicKey | RSAPublicKey)
