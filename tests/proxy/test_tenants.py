"""Who is asking: keys, signed headers, nobody."""

from __future__ import annotations

import hashlib
import hmac

import msgspec
import pytest
from multidict import CIMultiDict

from guardrail.policy.keys import Key, StoredKeys, hash_of, new_key, revoked_file_key
from guardrail.policy.registry import Snapshot
from guardrail.proxy.tenants import Unauthorized, identify
from guardrail.settings import Gateway
from tests.proxy.harness import KEY, settings, snapshot

SECRET = b"between us"
NOW = 1_700_000_000.0


def sign(tenant: str, at: float, secret: bytes = SECRET) -> str:
    seconds = str(int(at))
    return f"{tenant};{seconds};{hmac.new(secret, f'{tenant};{seconds}'.encode(), hashlib.sha256).hexdigest()}"


def config(*, anonymous: bool = False, gateway: bool = False) -> Snapshot:
    configured = settings("http://127.0.0.1:1")
    if gateway:
        configured = msgspec.structs.replace(configured, gateway=Gateway(secret_env="S", max_age=60))
    return snapshot(configured, anonymous=anonymous)


def who(snap: Snapshot, secret: bytes | None = SECRET, **headers: str) -> str:
    named = CIMultiDict({name.replace("_", "-"): value for name, value in headers.items()})
    caller = identify(named, snap, secret=secret, now=NOW)
    assert caller.anonymous == (caller.tenant.name == "anonymous")
    return caller.tenant.name


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": f"Bearer {KEY}"},
        {"Authorization": f"bearer   {KEY} "},
        {"x_api_key": KEY},
        {"api_key": KEY},
        {"x_goog_api_key": KEY},
        {"authorization": "Basic abc", "x_api_key": KEY},
        {"authorization": KEY},
        {"authorization": f"Token {KEY}"},
        {"authorization": "Bearer sk-other", "x_api_key": KEY},
    ],
)
def test_a_key_names_its_tenant(headers: dict[str, str]) -> None:
    assert who(config(), **headers) == "acme"


@pytest.mark.parametrize(
    ("headers", "says"),
    [
        ({}, "No API key"),
        ({"authorization": "Bearer "}, "No API key"),
        ({"authorization": "Bearer nope"}, "Incorrect API key"),
        ({"authorization": f"Bearer {KEY}x"}, "Incorrect API key"),
        ({"authorization": f"Bearer {KEY}", "x_api_key": "nope"}, None),
        ({"authorization": "Bearer " + "x" * 5000}, "Incorrect API key"),
    ],
)
def test_without_a_good_key_there_is_no_tenant(headers: dict[str, str], says: str | None) -> None:
    if says is None:
        assert who(config(), **headers) == "acme"
        return
    with pytest.raises(Unauthorized, match=says) as refused:
        who(config(), **headers)
    assert "nope" not in str(refused.value)


def test_anonymous_access_serves_who_has_no_key_of_ours() -> None:
    snap = config(anonymous=True)
    assert who(snap) == "anonymous"
    assert who(snap, authorization="Bearer sk-for-the-upstream") == "anonymous"
    assert who(snap, authorization=f"Bearer {KEY}") == "acme"
    # Else a key of ours, beside one for the upstream, would be handed on with it.
    assert who(snap, authorization="Bearer sk-for-the-upstream", x_goog_api_key=KEY) == "acme"


def test_a_signed_header_names_the_tenant() -> None:
    assert who(config(gateway=True), x_guardrail_tenant=sign("acme", NOW - 59)) == "acme"


@pytest.mark.parametrize(
    ("signed", "says"),
    [
        (sign("acme", NOW - 61), "older"),
        (sign("acme", NOW + 61), "older"),
        (sign("acme", NOW, b"other"), "signature"),
        (sign("acme", NOW).replace("acme", "evil"), "signature"),
        (sign("nobody", NOW), "not configured"),
        ("acme", "signature"),
        ("acme;;", "signature"),
        ("acme;1700000000;é", "signature"),
        ("", "signature"),
    ],
)
def test_a_signed_header_that_does_not_verify_is_refused_even_beside_a_good_key(signed: str, says: str) -> None:
    with pytest.raises(Unauthorized, match=says):
        who(config(gateway=True, anonymous=True), x_guardrail_tenant=signed, authorization=f"Bearer {KEY}")


def test_without_its_secret_a_gateway_is_not_believed() -> None:
    with pytest.raises(Unauthorized, match="not set"):
        who(config(gateway=True), secret=None, x_guardrail_tenant=sign("acme", NOW, b""))


@pytest.mark.parametrize("headers", [{}, {"authorization": f"Bearer {KEY}"}], ids=["alone", "beside a key"])
def test_a_signed_header_is_refused_where_no_gateway_is_configured(headers: dict[str, str]) -> None:
    with pytest.raises(Unauthorized, match="no section 'gateway'"):
        who(config(anonymous=True), x_guardrail_tenant=sign("acme", NOW), **headers)


@pytest.mark.parametrize(
    ("key_header", "says"), [("Authorization", "'Authorization: Bearer KEY'"), ("x-api-key", "'x-api-key: KEY'")]
)
def test_who_shows_no_key_is_told_where_its_protocol_has_it(key_header: str, says: str) -> None:
    with pytest.raises(Unauthorized, match=says):
        identify(CIMultiDict(), config(), secret=None, now=NOW, key_header=key_header)


def test_a_key_in_the_query_counts_too() -> None:
    def named(*keys: str, **headers: str) -> str:
        return identify(CIMultiDict(headers), config(), secret=None, now=NOW, query_keys=keys).tenant.name

    assert named(KEY) == named("nope", KEY) == "acme"
    assert named("nope", authorization=f"Bearer {KEY}") == "acme"
    assert named(KEY, authorization="Bearer nope") == "acme"
    for key in ("nope", "x" * 5000):
        with pytest.raises(Unauthorized, match="Incorrect API key"):
            named(key)


STORED, STORED_KEY = new_key("acme", by="ops", now=NOW - 10)


@pytest.mark.parametrize(
    ("key", "presented", "says"),
    [
        (STORED_KEY, STORED, None),
        (msgspec.structs.replace(STORED_KEY, expires=NOW + 1), STORED, None),
        (msgspec.structs.replace(STORED_KEY, expires=NOW), STORED, "was valid until a time that has passed"),
        (msgspec.structs.replace(STORED_KEY, revoked=NOW), STORED, "was revoked"),
        (revoked_file_key(hash_of(KEY), "acme", by="ops", now=NOW), KEY, "was revoked"),
        (msgspec.structs.replace(STORED_KEY, tenant="gone"), STORED, "Incorrect API key"),
    ],
    ids=["good", "expires later", "expired", "revoked", "of a file, revoked", "of a tenant that is gone"],
)
@pytest.mark.parametrize("anonymous", [False, True])
def test_a_key_of_the_state_store(key: Key, presented: str, says: str | None, anonymous: bool) -> None:
    snap = config(anonymous=anonymous).with_keys(StoredKeys([key]))
    if says is None:
        assert who(snap, authorization=f"Bearer {presented}") == "acme"
    elif says.startswith("Incorrect") and anonymous:
        assert who(snap, authorization=f"Bearer {presented}") == "anonymous"
    else:
        with pytest.raises(Unauthorized, match=says):
            who(snap, authorization=f"Bearer {presented}")
