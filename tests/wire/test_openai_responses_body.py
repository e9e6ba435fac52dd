"""Responses bodies: guarded in place, as their stream would have been."""

from __future__ import annotations

import json
from typing import Any

import pytest

from guardrail.errors import WireError
from guardrail.wire.openai_responses_body import guard_body
from guardrail.wire.record import StreamRecord
from guardrail.wire.request import ModelRequest
from tests.wire import chat
from tests.wire.openai_responses_client import USAGE, Server, text_of

POLICY = chat.policy(chat.redact("secret"), chat.halt("forbidden"))
REFUSAL = {"type": "refusal", "refusal": "Stopped by safety policy."}


def message(*texts: str, **more: Any) -> dict[str, Any]:
    parts = [{"type": "output_text", "text": text, "annotations": [], **more} for text in texts]
    return {"id": "msg_1", "type": "message", "status": "completed", "role": "assistant", "content": parts}


def call(arguments: str) -> dict[str, Any]:
    return {"id": "fc_1", "type": "function_call", "call_id": "call_1", "name": "f", "arguments": arguments}


def thought(text: str) -> dict[str, Any]:
    return {"id": "rs_1", "type": "reasoning", "summary": [{"type": "summary_text", "text": text}]}


def guard(*items: Any, request: ModelRequest | None = None, **more: Any) -> tuple[dict[str, Any], StreamRecord]:
    body = {**Server.response("completed", list(items), usage=USAGE), **more}
    out, record = guard_body(POLICY, request or ModelRequest(), json.dumps(body).encode(), "g-1")
    assert record.received == record.released + record.removed + record.dropped
    assert b"secret" not in out
    assert b"forbidden" not in out
    return json.loads(out), record


def test_a_clean_body_passes_as_it_came() -> None:
    body = json.dumps(Server.response("completed", [thought("a"), message("b"), call("{}")]), indent=1).encode()
    assert guard_body(POLICY, ModelRequest(), body, "g-1")[0] is body


def test_texts_are_edited_where_they_stand() -> None:
    logprobs = [{"token": "a secret", "logprob": -1.0, "top_logprobs": []}]
    said, record = guard(
        thought("a secret"), message("a secret", logprobs=logprobs), call('{"a": "secret"}'), output_text="a secret"
    )
    assert said["output"][0]["summary"][0]["text"] == "a [X]"
    assert said["output"][1]["content"][0] == {
        "type": "output_text",
        "text": "a [X]",
        "annotations": [],
        "logprobs": [],
    }
    assert said["output"][2]["arguments"] == '{"a": "[X]"}'
    assert said["output_text"] == "a [X]"
    assert [found.channel for found in record.findings] == [
        "output[0].summary[0].text",
        "output[1].content[0].text",
        "output[2].arguments",
    ]
    assert record.finish_reasons == ("completed",)


@pytest.mark.parametrize(
    ("items", "kept"),
    [
        ([message("it is forbidden", "more"), call("{}")], ["it is ", REFUSAL]),
        ([thought("it is forbidden"), message("hi")], ["it is ", None, REFUSAL]),
        ([message("hi"), call('"forbidden"'), message("more")], ["hi", None, REFUSAL]),
    ],
    ids=["message", "reasoning", "call"],
)
def test_a_halt_ends_the_answer(items: list[Any], kept: list[Any]) -> None:
    said, record = guard(*items)
    parts: list[Any] = []
    for number, item in enumerate(said["output"]):
        parts += [None] if number else []
        found = item.get("summary") or item.get("content")
        parts += [part if part["type"] == "refusal" else part["text"] for part in found]
    assert parts == kept
    assert (said["status"], said["usage"], said["guardrail"]["action"]) == ("completed", USAGE, "halt")
    assert record.halted
    assert record.finish_reasons == ("content_filter",)


def test_an_annotation_that_halts_is_not_there() -> None:
    said, _ = guard(message("hi", annotations=[{"type": "url_citation", "title": "forbidden"}]))
    assert said["output"][0]["content"] == [{"type": "output_text", "text": "hi", "annotations": []}, REFUSAL]


def test_half_a_document_is_not_repeated() -> None:
    said, record = guard(message('{"a": "forbidden"}'), request=ModelRequest(json_output=True))
    assert said["output"][0]["content"] == [REFUSAL]
    assert record.released == 0


def test_an_answer_that_is_still_made_shows_nothing() -> None:
    said, record = guard(message("sec"), status="in_progress")
    assert said["output"] == []
    assert record.blocked == ("response.output",)


def test_errors() -> None:
    said, record = guard(message("hi"), status="failed", error={"code": "server_error", "message": "secret"})
    assert (said["error"]["message"], text_of(said)) == ("[X]", "hi")
    assert record.fault == "upstream_error"
    out, record = guard_body(POLICY, ModelRequest(), b'{"error":{"message":"no secret"}}', "g-1")
    assert json.loads(out) == {"error": {"message": "no [X]"}}
    assert record.fault == "upstream_error"
    for body in (b"<html>", b"[]"):
        with pytest.raises(WireError):
            guard_body(POLICY, ModelRequest(), body, "g-1")


def test_a_document_that_halts_behind_a_mask_is_accounted_for() -> None:
    said, record = guard(message("a secret, then it is forbidden, and more"), request=ModelRequest(json_output=True))
    assert said["output"][0]["content"] == [REFUSAL]
    removed = len("secret") + len("forbidden, and more")
    assert (record.released, record.removed) == (0, removed)
    assert record.dropped == record.received - removed
