"""What all requests have in common: their texts, and how they are edited."""

from __future__ import annotations

import json

import pytest

from guardrail.errors import WireError
from guardrail.wire.request import InputText, ModelRequest, optional, read_object, told, with_texts


def test_the_newest_user_turn_is_the_prompt_and_system_turns_are_instructions() -> None:
    inputs = (
        InputText(("system",), "system", -1, "Be kind."),
        InputText(("m", 0), "user", 0, "first"),
        InputText(("m", 1), "user", 1, "é"),
        InputText(("m", 2), "user", 1, "b"),
        InputText(("m", 3), "assistant", 2, "c"),
    )
    request = ModelRequest(**told(inputs))
    assert (request.prompt, request.instructions, request.prompt_bytes) == ("é\nb", ("Be kind.",), 17)
    assert request.prompt_tokens == 5
    assert request.inputs == inputs
    assert ModelRequest(**told(())) == ModelRequest()


def test_texts_are_edited_in_their_place() -> None:
    body = b'{"messages": [{"role": "user", "content": [{"text": "a"}, {"n": 1.50}]}], "model": "m"}'
    edited = with_texts(body, {("messages", 0, "content", 0, "text"): "[X]", ("model",): "n"})
    assert json.loads(edited) == {
        "messages": [{"role": "user", "content": [{"text": "[X]"}, {"n": 1.5}]}],
        "model": "n",
    }


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b"[]", b'{"a":1,"a":2}', b'{"a":{"b":1,"b":1}}'])
def test_what_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(WireError):
        read_object(body)


def test_a_field_of_another_kind_is_refused() -> None:
    assert optional({"n": None}, "n", int, "an integer") is None
    for odd in (True, "1", 1.0):
        with pytest.raises(WireError, match=r"^'n' must be an integer\.$"):
            optional({"n": odd}, "n", int, "an integer")
