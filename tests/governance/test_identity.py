"""Who the end user is: signed claims verify or are refused, ids become keyed hashes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from multidict import CIMultiDict

from guardrail.governance.complaint_terms import ComplaintTerms
from guardrail.governance.duty import Refused, Subject
from guardrail.governance.excerpts import ExcerptTerms
from guardrail.governance.identity import ClaimTerms, Identity, SubjectTerms, subject_id, with_key
from guardrail.governance.label_terms import LabelTerms
from guardrail.governance.ladder import ConductTerms
from guardrail.governance.limits import LimitTerms, Quota
from guardrail.governance.terms import Terms
from guardrail.governance.webhooks import RemovalTerms
from guardrail.policy.load import load_configuration
from guardrail.state.secret import Secret
from guardrail.wire.request import ModelRequest

SECRET = Secret("0123456789abcdef" * 2)
SHARED = "s" * 16 + "h" * 16 + "a" * 16
NOW = 1_800_000_000.0
GOOD: dict[str, Any] = {"sub": "ann", "exp": NOW + 60, "iat": NOW - 10}
BY_SECRET = ClaimTerms(secret_env="APP_SECRET")
SOME = Terms(limits=LimitTerms(user=Quota()))
OTHER = Secret("fedcba9876543210" * 2)

ED25519 = ed25519.Ed25519PrivateKey.generate()
P256 = ec.generate_private_key(ec.SECP256R1())
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: Any) -> str:
    return str(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())


def told(section: SubjectTerms, user: str = "", **headers: str) -> Subject | None:
    identity = Identity(SECRET, {"APP_SECRET": SHARED})
    sent = CIMultiDict({f"x-guardrail-{name}": value for name, value in headers.items()})
    return identity.subject("acme", Terms(subjects=section), sent, ModelRequest(user=user), NOW)


def token(claims: dict[str, Any], key: Any = SHARED, algorithm: str = "HS256") -> str:
    return jwt.encode(claims, key, algorithm)


def test_an_id_is_a_keyed_hash_that_differs_from_tenant_to_tenant() -> None:
    ann = subject_id(SECRET, "acme", "ann")
    assert len(ann) == 32
    assert set(ann) <= set("0123456789abcdef")
    assert ann == subject_id(SECRET, "acme", "ann")
    assert (
        len({ann, subject_id(SECRET, "acme", "bob"), subject_id(SECRET, "b", "ann"), subject_id(OTHER, "acme", "ann")})
        == 4
    )


def test_an_unsigned_id_comes_from_the_request_or_a_header_and_claims_nothing() -> None:
    ann = Subject(subject_id(SECRET, "acme", "ann"))
    assert told(SubjectTerms(), "ann") == ann
    identity = Identity(SECRET, {})
    for request in (None, ModelRequest(), ModelRequest(user="bob")):
        sent = CIMultiDict({"X-Guardrail-User": " ann "})
        assert identity.subject("acme", SOME, sent, request, NOW) == ann
        assert identity.subject("acme", Terms(), sent, request, NOW) is None  # nobody needs to know
    assert identity.subject("acme", SOME, CIMultiDict(), ModelRequest(), NOW) is None
    with pytest.raises(Refused, match="no key for them"):
        identity.subject("acme", Terms(), CIMultiDict({"x-guardrail-claims": token(GOOD)}), None, NOW)


SECTIONS = {
    "nothing": (Terms(), False),
    "complaints": (Terms(complaints=ComplaintTerms()), False),
    "removal": (Terms(removal=RemovalTerms()), False),
    "labels": (Terms(labels=LabelTerms(agreements=("k-1",))), False),  # an agreement is in a claim
    "limits of the tenant": (Terms(limits=LimitTerms(tenant=Quota(requests_per_day=1))), False),
    "limits of users": (Terms(limits=LimitTerms(user=Quota(requests_per_day=1))), True),
    "conduct": (Terms(conduct=ConductTerms()), True),
    "excerpts": (Terms(excerpts=ExcerptTerms()), True),
    "subjects": (Terms(subjects=SubjectTerms()), True),
}


@pytest.mark.parametrize(("terms", "known"), SECTIONS.values(), ids=SECTIONS)
def test_people_are_told_apart_where_a_duty_is_about_them(terms: Terms, known: bool) -> None:
    identity = Identity(SECRET, {})
    found = identity.subject("acme", terms, CIMultiDict(), ModelRequest(user="ann"), NOW)
    assert (found is not None) == known
    # Who complains, or asks for their data, is known where the application says so.
    assert identity.named("acme", terms, CIMultiDict(), ModelRequest(user="ann"), NOW) is not None


def test_a_claim_goes_before_and_says_more() -> None:
    section = SubjectTerms(claims=BY_SECRET)
    claims = {**GOOD, "minor": True, "tz": "Europe/Paris"}
    found = told(section, "bob", claims=token(claims))
    assert found == Subject(subject_id(SECRET, "acme", "ann"), {"minor": True, "tz": "Europe/Paris"})


@pytest.mark.parametrize(("key", "algorithm"), [(ED25519, "EdDSA"), (P256, "ES256"), (RSA, "RS256")])
def test_claims_signed_with_a_private_key(key: Any, algorithm: str) -> None:
    section = SubjectTerms(claims=ClaimTerms(public_key=pem(key)))
    assert told(section, claims=token(GOOD, key, algorithm)) == Subject(subject_id(SECRET, "acme", "ann"))


STRICT = ClaimTerms(secret_env="APP_SECRET", issuer="app", audience="guardrail", max_age=30)
WELL = {**GOOD, "iss": "app", "aud": ["guardrail", "x"]}

BY_KEY = ClaimTerms(public_key=pem(P256))
ONLY_EDDSA = ClaimTerms(public_key=pem(P256), algorithms=("EdDSA",))

REFUSED: list[tuple[str, ClaimTerms, str, str]] = [
    ("another secret", BY_SECRET, token(GOOD, "x" * 48), "its signature is wrong"),
    ("no signature", BY_SECRET, jwt.encode(GOOD, "", "none"), "it must be signed with HS256"),
    ("another algorithm", BY_SECRET, token(GOOD, ED25519, "EdDSA"), "it must be signed with HS256"),
    ("the public key as a secret", BY_KEY, token(GOOD), "signed with EdDSA or ES256 or RS256"),
    ("an algorithm that is not taken", ONLY_EDDSA, token(GOOD, P256, "ES256"), "it must be signed with EdDSA"),
    ("the key of another kind", BY_KEY, token(GOOD, ED25519, "EdDSA"), "it cannot be read"),
    ("no token", BY_SECRET, "Ulrike", "it cannot be read"),
    ("nothing", BY_SECRET, "", "it cannot be read"),
    ("very long", BY_SECRET, "a" * 9000, "it is too long"),
    ("expired", BY_SECRET, token({**GOOD, "exp": NOW - 6}), "it has expired"),
    ("no end", BY_SECRET, token({"sub": "ann"}), "it has no `exp`"),
    ("no end that is a number", BY_SECRET, token({**GOOD, "iat": True}), "its `iat` is no number"),
    ("an end that is no number", BY_SECRET, token({**GOOD, "exp": float("nan")}), "its `exp` is no number"),
    ("an end that never comes", BY_SECRET, token({**GOOD, "exp": float("inf")}), "its `exp` is no number"),
    ("bytes that are no ASCII", BY_SECRET, token(GOOD) + "\udcff", "it cannot be read"),
    ("no text", BY_SECRET, token({**GOOD, "locale": "\ud800"}), "half a surrogate pair"),
    ("nobody", BY_SECRET, token({"exp": NOW + 9}), "it has no `sub`"),
    ("an empty name", BY_SECRET, token({**GOOD, "sub": ""}), "names nobody"),
    ("from the future", BY_SECRET, token({**GOOD, "iat": NOW + 60}), "its time is to come"),
    ("not yet", BY_SECRET, token({**GOOD, "nbf": NOW + 60}), "its time is to come"),
    ("too old", STRICT, token({**WELL, "iat": NOW - 40}), "it is older than 30 seconds"),
    ("of no age", STRICT, token({key: WELL[key] for key in ("sub", "exp", "iss", "aud")}), "it has no `iat`"),
    ("another issuer", STRICT, token({**WELL, "iss": "else"}), "it is from another issuer"),
    ("another audience", STRICT, token({**WELL, "aud": "x"}), "it is for another audience"),
    ("no audience", STRICT, token({**GOOD, "iss": "app"}), "it has no `aud`"),
    ("a secret that is not set", ClaimTerms(secret_env="NOT_SET"), token(GOOD), "the secret is not set"),
    ("no key at all", ClaimTerms(), token(GOOD), "the configuration has no key for them"),
]  # fmt: skip


@pytest.mark.parametrize(("terms", "sent", "reason"), [pytest.param(*case[1:], id=case[0]) for case in REFUSED])
def test_a_claim_that_does_not_verify_is_refused(terms: ClaimTerms, sent: str, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        told(SubjectTerms(claims=terms), "ann", claims=sent)
    assert (refused.value.status, refused.value.code) == (401, "invalid_claims")
    assert reason in refused.value.message
    assert sent not in refused.value.message or not sent


def test_the_strict_ones_pass_when_all_is_right() -> None:
    assert told(SubjectTerms(claims=STRICT), claims=token(WELL)) == Subject(subject_id(SECRET, "acme", "ann"))


def test_what_is_not_a_source_does_not_count() -> None:
    with pytest.raises(Refused, match="no claims are taken here"):
        told(SubjectTerms(sources=("user",), claims=BY_SECRET), claims=token(GOOD))
    assert told(SubjectTerms(sources=("claim",), claims=BY_SECRET), "ann") is None


def test_a_request_without_an_end_user_is_refused_where_one_is_required() -> None:
    with pytest.raises(Refused, match="x-guardrail-claims") as refused:
        told(SubjectTerms(sources=("claim",), required=True), "ann")
    assert (refused.value.status, refused.value.code) == (400, "end_user_required")
    assert told(SubjectTerms(required=True), "ann") is not None


def test_a_public_key_is_read_when_the_configuration_is(tmp_path: Path) -> None:
    (tmp_path / "app.pem").write_text(pem(ED25519))
    section, files, problems = with_key(SubjectTerms(claims=ClaimTerms(public_key="app.pem")), tmp_path)
    assert section.claims == ClaimTerms(public_key=pem(ED25519))
    assert (files, problems) == ([tmp_path / "app.pem"], [])
    inline = SubjectTerms(claims=ClaimTerms(public_key=pem(P256)))
    assert with_key(inline, tmp_path) == (inline, [], [])


CONFIG = """\
version: 1
upstreams: {default: {url: "http://127.0.0.1:1"}}
terms:
  subjects:
    from: [claim]
    claims:
      public_key: FILE
      algorithms: [HS256]
"""


@pytest.mark.parametrize(
    ("given", "line", "message"),
    [
        ("missing.pem", 7, "found no file 'missing.pem' here, expected PEM with a public key"),
        ("private.pem", 7, "found something else, expected PEM with a public key (Ed25519, P-256 or RSA)"),
        ("p384.pem", 7, "found something else, expected PEM with a public key (Ed25519, P-256 or RSA)"),
        ("good.pem", 8, "found HS256, expected some of EdDSA, ES256, RS256"),
    ],
)
def test_what_is_wrong_with_a_key_is_told_with_its_place(tmp_path: Path, given: str, line: int, message: str) -> None:
    (tmp_path / "good.pem").write_text(pem(ED25519))
    (tmp_path / "private.pem").write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    (tmp_path / "p384.pem").write_text(pem(ec.generate_private_key(ec.SECP384R1())))
    (tmp_path / "guardrail.yaml").write_text(CONFIG.replace("FILE", given))
    found = [(problem.line, problem.message) for problem in load_configuration(tmp_path).problems]
    assert (line, message) in found
