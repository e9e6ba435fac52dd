"""Envelopes: what was signed, by whom and for what, or nothing."""

from __future__ import annotations

import base64
import stat
from pathlib import Path

import msgspec
import pytest

from guardrail.errors import ConfigError
from guardrail.policy.signing import (
    PUBLIC,
    SIGNING_KEY,
    BadSignature,
    Envelope,
    name_of,
    new_key,
    opened,
    public_of,
    read_private,
    signed,
    sound_public,
    write_private,
)

PRIVATE, PUBLIC_KEY = new_key()
KEY = read_private(None, {SIGNING_KEY: PRIVATE})
STATEMENT = b'{"serial":7}'


def test_what_was_signed_is_what_is_read() -> None:
    assert opened("policies", signed("policies", STATEMENT, KEY), [new_key()[1], PUBLIC_KEY]) == STATEMENT
    assert public_of(KEY) == PUBLIC_KEY
    assert sound_public(PUBLIC_KEY)


def test_every_changed_character_is_noticed() -> None:
    envelope = signed("policies", STATEMENT, KEY)
    said = msgspec.json.decode(envelope)
    for field, value in said.items():
        for at in range(len(value)):
            altered = {**said, field: value[:at] + ("A" if value[at] != "A" else "B") + value[at + 1 :]}
            with pytest.raises(BadSignature):
                opened("policies", msgspec.json.encode(altered), [PUBLIC_KEY])


def alter(**changes: str) -> bytes:
    return msgspec.json.encode(
        msgspec.structs.replace(msgspec.json.decode(signed("policies", STATEMENT, KEY), type=Envelope), **changes)
    )


STRANGER = new_key()


@pytest.mark.parametrize(
    ("envelope", "why"),
    [
        (signed("keys", STATEMENT, KEY), "signature is wrong"),  # for another purpose
        (signed("policies", STATEMENT, read_private(None, {SIGNING_KEY: STRANGER[0]})), "none of the configured"),
        (alter(key=name_of(STRANGER[1])), "none of the configured"),
        (alter(signature=""), "signature is wrong"),
        (alter(signature=base64.b64encode(bytes(64)).decode()), "signature is wrong"),
        (alter(statement='{"serial": 7}'), "signature is wrong"),  # the same JSON
        (b"{}", "no signed statement"),
        (b"\xff", "no signed statement"),
        (signed("policies", STATEMENT, KEY)[:-1] + b',"more":1}', "no signed statement"),
    ],
    ids=["purpose", "stranger", "key", "unsigned", "zeros", "spelling", "empty", "bytes", "more"],
)
def test_what_is_refused(envelope: bytes, why: str) -> None:
    with pytest.raises(BadSignature, match=why):
        opened("policies", envelope, [PUBLIC_KEY])


def test_without_public_keys_nothing_is_believed() -> None:
    with pytest.raises(BadSignature):
        opened("policies", signed("policies", STATEMENT, KEY), [])


@pytest.mark.parametrize(
    "public",
    ["", PUBLIC, PUBLIC_KEY[:-1], PUBLIC_KEY + "A", "rsa:" + PUBLIC_KEY[8:], PRIVATE],
    ids=["nothing", "hex", "cut", "longer", "rsa", "private"],
)
def test_what_is_no_public_key(public: str) -> None:
    assert not sound_public(public)


def test_a_private_key_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "signing.key"
    write_private(path, PRIVATE)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert public_of(read_private(path, {})) == PUBLIC_KEY
    with pytest.raises(FileExistsError):
        write_private(path, PRIVATE)


@pytest.mark.parametrize(
    "said", ["", "secret", "guardrail-signing-key:AAAA", PUBLIC_KEY], ids=["nothing", "word", "short", "public"]
)
def test_what_is_no_private_key_is_refused_and_not_told(said: str, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(said)
    with pytest.raises(ConfigError) as caught:
        read_private(tmp_path / "key", {})
    assert not said or said not in str(caught.value)
    with pytest.raises(ConfigError):
        read_private(None, {SIGNING_KEY: said})
