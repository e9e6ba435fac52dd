"""Keys: what is stored of one, when it holds, and that nobody makes one without the secret."""

from __future__ import annotations

import hashlib

import msgspec
import pytest

from guardrail.policy.keys import Key, StoredKeys, hash_of, new_key, revoked_file_key, sealed, to_revoke, unsealed

MAC_KEY = b"m" * 32
PRESENTED, KEY = new_key("acme", by="ops", now=100.0, note="ci", expires=200.0)


def test_a_key_is_told_once_and_only_its_hash_is_kept() -> None:
    assert PRESENTED.startswith("gk-")
    assert len(PRESENTED) == 46
    assert KEY.hash == hash_of(PRESENTED) == hashlib.sha256(PRESENTED.encode()).hexdigest()
    assert PRESENTED[3:].encode() not in sealed(KEY, MAC_KEY)


def test_what_was_stored_is_what_is_read() -> None:
    assert unsealed(sealed(KEY, MAC_KEY), MAC_KEY) == KEY


def test_every_changed_byte_of_a_document_makes_it_none() -> None:
    body = sealed(KEY, MAC_KEY)
    for at in range(len(body)):
        altered = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
        assert unsealed(altered, MAC_KEY) is None


@pytest.mark.parametrize(
    "changes",
    [{"tenant": "other"}, {"expires": None}, {"revoked": 1.0}, {"hash": "0" * 64}, {"created": 0.0}, {"by": "x"}],
)
def test_a_changed_field_makes_it_none(changes: dict[str, object]) -> None:
    said = msgspec.json.decode(sealed(KEY, MAC_KEY))
    said["key"] |= changes
    assert unsealed(msgspec.json.encode(said), MAC_KEY) is None


def test_another_secret_makes_it_none() -> None:
    assert unsealed(sealed(KEY, MAC_KEY), b"x" * 32) is None


@pytest.mark.parametrize(
    ("expires", "revoked", "now", "state"),
    [
        (None, None, 1e12, "good"),
        (200.0, None, 199.9, "good"),
        (200.0, None, 200.0, "expired"),
        (200.0, 150.0, 100.0, "revoked"),
        (None, 150.0, 300.0, "revoked"),
    ],
)
def test_when_a_key_holds(expires: float | None, revoked: float | None, now: float, state: str) -> None:
    assert Key("0" * 64, "t", 0.0, "ops", expires=expires, revoked=revoked).state(now) == state


@pytest.mark.parametrize(
    ("known", "new", "outlasts"),
    [
        ((None, None), (None, None), False),
        ((None, None), (100.0, None), False),
        ((100.0, None), (None, None), True),
        ((100.0, None), (101.0, None), True),
        ((100.0, None), (99.0, None), False),
        ((None, 5.0), (None, None), True),
        ((None, 5.0), (None, 6.0), False),
        ((100.0, None), (100.0, 5.0), False),
    ],
)
def test_what_was_put_back_is_told(
    known: tuple[float | None, float | None], new: tuple[float | None, float | None], outlasts: bool
) -> None:
    one, other = (Key("0" * 64, "t", 0.0, "ops", expires=each[0], revoked=each[1]) for each in (known, new))
    assert other.outlasts(one) is outlasts


def test_looking_up() -> None:
    others = [new_key(f"t{number}", by="ops", now=0.0)[1] for number in range(50)]
    keys = StoredKeys([*others, KEY])
    assert keys.find(bytes.fromhex(KEY.hash)) == KEY
    assert keys.find(bytes.fromhex(KEY.hash[:-1] + ("0" if KEY.hash[-1] != "0" else "1"))) is None
    revoked = msgspec.structs.replace(KEY, revoked=1.0)
    after = keys.changed([revoked])
    assert after.find(bytes.fromhex(KEY.hash)) == revoked
    assert keys.find(bytes.fromhex(KEY.hash)) == KEY
    assert len(after) == len(keys) == 51


def test_which_keys_a_name_means() -> None:
    in_file = hash_of("a key of a file")
    stored = StoredKeys([KEY])
    assert to_revoke(KEY.name, stored, {in_file: "beta"}) == [(KEY.hash, "acme")]
    assert to_revoke(in_file[:12], stored, {in_file: "beta"}) == [(in_file, "beta")]
    assert to_revoke("f" * 12, stored, {in_file: "beta"}) == []
    assert revoked_file_key(in_file, "beta", by="ops", now=1.0).state(0.0) == "revoked"
