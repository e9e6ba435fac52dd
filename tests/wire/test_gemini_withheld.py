"""What is withheld of a Gemini candidate."""

from __future__ import annotations

from typing import Any

from guardrail.text.scanner import compile_rules
from guardrail.wire.choice import Choice
from guardrail.wire.gemini import GeminiStream
from guardrail.wire.gemini_event import SSE
from guardrail.wire.gemini_withheld import FunctionCall, Grounding, call_size, edited, leave_out_supports
from guardrail.wire.whole_text import Verdicts
from tests.wire import gemini_client as gemini
from tests.wire.chat import halt, redact

RULES = compile_rules([redact("secret"), halt("bomb")])


def call(*pieces: dict[str, Any]) -> FunctionCall:
    part = FunctionCall("parts[0].functionCall", SSE)
    for piece in pieces:
        said = gemini.value({"functionCall": piece})
        part.take(gemini.sse(said), said, piece)
    part.scan(RULES, "", Verdicts())
    return part


def test_a_clean_call_goes_out_as_it_came() -> None:
    piece = {"name": "f", "args": {"q": 1}}
    assert call(piece).release() == [gemini.chunk({"functionCall": piece})]


def test_an_edited_call_is_said_once() -> None:
    part = call({"id": "c1", "name": "f", "args": {"secret": "a secret", "n": 1}})
    reply = gemini.read(b"".join(part.release()))
    assert reply.parts[0] == [("functionCall", '{"args": {"[X]": "a [X]", "n": 1}, "id": "c1", "name": "f"}')]
    assert part.removed == 12


def test_a_call_that_halts_is_not_delivered() -> None:
    part = call({"name": "f", "args": {"q": "bomb"}})
    assert part.halted is not None
    assert part.release() == []
    assert part.removed == part.received


def test_a_value_over_several_pieces_is_one_text() -> None:
    part = call(
        {"name": "f", "willContinue": True},
        {"partialArgs": [{"jsonPath": "$.a", "stringValue": "sec", "willContinue": True}], "willContinue": True},
        {"partialArgs": [{"jsonPath": "$.a", "stringValue": "ret"}, {"jsonPath": "$.b", "boolValue": True}]},
        {"partialArgs": [{"jsonPath": "$.c", "nullValue": "NULL_VALUE"}]},
    )
    reply = gemini.read(b"".join(part.release()))
    said = reply.chunks[0]["candidates"][0]["content"]["parts"][0]["functionCall"]
    assert said == {
        "name": "f",
        "partialArgs": [
            {"jsonPath": "$.a", "stringValue": "[X]"},
            {"jsonPath": "$.b", "boolValue": True},
            {"jsonPath": "$.c", "nullValue": "NULL_VALUE"},
        ],
    }


def test_grounding_is_true_of_the_text_as_it_came() -> None:
    grounding = {"groundingSupports": [{"segment": {"text": "a"}}], "webSearchQueries": ["q"]}
    choice = Choice(0, GeminiStream.rewrite)
    channel = choice.channel(RULES, "parts[0].text")
    for removed in (0, 6):
        channel.removed = removed
        assert edited(choice) is bool(removed)
        said = gemini.value(groundingMetadata=dict(grounding))
        part = Grounding(choice, SSE)
        part.take(gemini.sse(said), said, grounding)
        part.scan(RULES, "", Verdicts())
        reply = gemini.read(b"".join(part.release()))
        assert ("groundingSupports" in reply.metadata["groundingMetadata"]) is not bool(removed)
    assert leave_out_supports("text") == 0


def test_sizes_are_code_points_of_text() -> None:
    assert call_size({"name": "f", "args": {"q": "é"}}) == 1 + len('{"q":"é"}')
    assert call_size({"partialArgs": [{"jsonPath": "$.a", "stringValue": "xy"}]}) == 5
    assert call_size({"name": 1, "partialArgs": "x"}) == 0
