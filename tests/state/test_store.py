"""The two ways to ask for a single document, and what an error says."""

from __future__ import annotations

from guardrail.errors import GuardrailError
from guardrail.state.operations import Conflict, Put
from guardrail.state.sqlite import SqliteStore
from guardrail.state.store import StateError, get, put


async def test_one_document() -> None:
    store = SqliteStore(None)
    assert await get(store, "case", "a") is None
    assert await put(store, Put("case", "a", b"1", expect=0)) == 1
    assert isinstance(await put(store, Put("case", "a", b"2", expect=0)), Conflict)
    found = await get(store, "case", "a")
    assert found is not None
    assert found.body == b"1"
    await store.close()


def test_an_error_has_a_kind() -> None:
    error = StateError("the state is away", "down")
    assert isinstance(error, GuardrailError)
    assert (str(error), error.kind) == ("the state is away", "down")
    assert StateError("why").kind == "other"


def test_a_conflict_does_not_show_what_is_stored() -> None:
    from guardrail.state.operations import Document

    assert "secret" not in repr(Conflict(Document("case", "a", 1, b"secret", 0.0)))
