"""Keys of subjects: what they seal opens in its place alone, and never again once the key is gone."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from guardrail.governance.keyring import KIND, Keyring, Sealed, SealError, SubjectKey, creation, decoded
from guardrail.state.operations import Conflict, Drop
from guardrail.state.secret import Secret
from guardrail.state.sqlite import SqliteStore
from guardrail.state.store import Store, get, put

WHO = "3f" * 16


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    store = SqliteStore(None)
    yield store
    await store.close()


@pytest.fixture
def keyring() -> Keyring:
    return Keyring(Secret("0123456789abcdef" * 2))


async def test_words_open_in_their_place_until_the_key_is_gone(store: Store, keyring: Keyring) -> None:
    sealed = await keyring.seal(store, "what was said", "complaint:c-1", subject=WHO, tenant="acme")
    assert "said" not in sealed.box
    assert await keyring.unseal(store, sealed, "complaint:c-1") == "what was said"
    key = await keyring.find(store, WHO)
    assert key is not None
    with pytest.raises(SealError):
        key.open(sealed.box, "complaint:c-2")
    await store.run([Drop(KIND, WHO)])
    assert await keyring.unseal(store, sealed, "complaint:c-1") is None
    await keyring.seal(store, "back again", "complaint:c-3", subject=WHO, tenant="acme")
    assert await keyring.unseal(store, sealed, "complaint:c-1") is None


async def test_words_of_nobody_have_a_key_of_their_own(store: Store, keyring: Keyring) -> None:
    sealed = await keyring.seal(store, "what was said", "complaint:c-1")
    other = await keyring.seal(store, "what was said", "complaint:c-1")
    assert sealed.key != other.key
    assert await keyring.unseal(store, sealed, "complaint:c-1") == "what was said"
    with pytest.raises(SealError, match="complaint:c-2"):
        await keyring.unseal(store, sealed, "complaint:c-2")
    with pytest.raises(SealError):
        await keyring.unseal(store, Sealed(sealed.box, key=other.key), "complaint:c-1")
    with pytest.raises(SealError):
        await keyring.unseal(store, Sealed("no base64", key=sealed.key), "complaint:c-1")
    with pytest.raises(SealError):
        await Keyring(Secret("fedcba9876543210" * 2)).unseal(store, sealed, "complaint:c-1")


async def test_the_first_of_two_keys_stays(store: Store, keyring: Keyring) -> None:
    first, second = (keyring.fresh(WHO, "acme", "2026-03-01") for _ in range(2))
    assert await put(store, creation(WHO, first)) == 1
    reply = await put(store, creation(WHO, second))
    assert isinstance(reply, Conflict)
    assert reply.found is not None
    assert decoded(reply.found) == first
    found = await keyring.find(store, WHO)
    assert found is not None
    assert found.pseudonym == keyring.key_of(WHO, first).pseudonym != keyring.key_of(WHO, second).pseudonym


def test_a_wrapped_key_belongs_to_one_subject(keyring: Keyring) -> None:
    document = keyring.fresh(WHO, "acme", "2026-03-01")
    with pytest.raises(SealError):
        keyring.key_of("00" * 16, document)


def test_a_key_is_never_shown() -> None:
    assert "k" * 8 not in repr(SubjectKey(b"k" * 32))


async def test_what_is_stored_holds_no_key_in_clear(store: Store, keyring: Keyring) -> None:
    await keyring.seal(store, "words", "x", subject=WHO, tenant="acme")
    found = await get(store, KIND, WHO)
    assert found is not None
    assert found.tags == {"tenant:acme"}
    assert set(decoded(found).__struct_fields__) == {"tenant", "key", "seen", "attributes"}
