"""An Anthropic message that is not streamed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from guardrail.errors import WireError
from guardrail.wire.anthropic_body import guard_body
from guardrail.wire.record import StreamRecord
from guardrail.wire.request import ModelRequest
from guardrail.wire.whole_text import Unscored, Verdicts
from tests.wire.anthropic_client import MESSAGE
from tests.wire.chat import NOTICE, halt, policy, redact
from tests.wire.scored import evil, hate

RULES = policy(redact("secret"), halt("forbidden"))
TOOL = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"q": "a secret", "n": 1}}
RESULT = {"type": "web_search_result", "title": "a secret", "url": "https://a.b", "encrypted_content": "YWJj"}


def body(*content: Any, **fields: Any) -> bytes:
    return json.dumps({**MESSAGE, "content": content, "stop_reason": "end_turn", **fields}).encode()


def guard(raw: bytes, **settings: Any) -> tuple[dict[str, Any], StreamRecord]:
    out, record = guard_body(settings.pop("rules", RULES), ModelRequest(**settings), raw, "g-1")
    assert record.received == record.released + record.removed + record.dropped
    return json.loads(out), record


def text(said: str, **fields: Any) -> dict[str, Any]:
    return {"type": "text", "text": said, **fields}


def test_a_clean_body_is_the_bytes_that_came() -> None:
    raw = b" " + body(text("ok"), {**TOOL, "input": {"q": "ok"}}, usage={"output_tokens": 3}, new={"n": 1})
    out, record = guard_body(RULES, ModelRequest(), raw, "g-1")
    assert out is raw
    assert (record.finish_reasons, record.usage, record.choices) == (("end_turn",), {"output_tokens": 3}, 1)


def test_every_text_is_edited_where_it_stands() -> None:
    cited = {"type": "char_location", "cited_text": "a secret", "encrypted_index": "YWJj"}
    out, record = guard(
        body(
            {"type": "thinking", "thinking": "a secret", "signature": "c2ln"},
            text("a secret", citations=[cited]),
            TOOL,
            {"type": "web_search_tool_result", "tool_use_id": "s", "content": [RESULT]},
            stop_reason="stop_sequence",
            stop_sequence="secret",
        )
    )
    thinking, said, tool, result = out["content"]
    assert (thinking["thinking"], said["text"], tool["input"]) == ("a [X]", "a [X]", {"q": "a [X]", "n": 1})
    assert said["citations"] == [{**cited, "cited_text": "a [X]"}]
    assert result["content"] == [{**RESULT, "title": "a [X]"}]
    assert out["stop_sequence"] == "[X]"
    assert [finding.channel for finding in record.findings] == [
        "content[0].thinking",
        "content[1].text",
        "content[1].citations",
        "content[2].input",
        "content[3].content",
        "stop",
    ]


@pytest.mark.parametrize(
    ("content", "left"),
    [
        ([text("it is forbidden"), text("more"), TOOL], [text("it is " + NOTICE)]),
        ([text("ok"), {**TOOL, "input": {"q": "forbidden"}}], [text("ok"), text(NOTICE)]),
        ([{**TOOL, "name": "forbidden"}], [text(NOTICE)]),
        ([{"type": "thinking", "thinking": "forbidden"}], [{"type": "thinking", "thinking": ""}, text(NOTICE)]),
        ([{"type": "x_tool_result", "content": "forbidden"}], [text(NOTICE)]),
        (
            [text("so", citations=[{"cited_text": "ok"}, {"cited_text": "forbidden"}, {"cited_text": "ok"}])],
            [text("so" + NOTICE, citations=[{"cited_text": "ok"}])],
        ),
    ],
)
def test_a_halt_leaves_out_what_follows_and_says_the_notice(content: list[Any], left: list[Any]) -> None:
    out, record = guard(body(*content))
    assert out["content"] == left
    assert (out["stop_reason"], out["stop_details"]["explanation"]) == ("refusal", NOTICE.strip())
    assert (out["guardrail"]["action"], out["guardrail"]["category"]) == ("halt", "violence")
    assert (record.halted, record.finish_reasons) == (True, ("refusal",))


def test_where_json_is_asked_for_the_notice_stays_out_of_the_text() -> None:
    out, _ = guard(body(text("forbidden")), json_output=True)
    assert out["content"] == [text("")]


def test_unknown_text_is_removed_and_what_is_no_block_too() -> None:
    out, record = guard(body(text("ok", more="secret"), "secret", {"type": "new", "said": "secret"}, note="a secret"))
    assert out["content"] == [text("ok"), {"type": "new"}]
    assert "note" not in out
    assert record.blocked == ("message.note", "message.content", "message.content[].more", "message.content[].said")
    out, _ = guard(body(content="secret"))
    assert out["content"] == []


def test_an_error_is_scanned_and_told_as_a_fault() -> None:
    error = b'{"type":"error","error":{"type":"overloaded_error","message":"a secret"},"request_id":"req_1"}'
    out, record = guard(error)
    assert out["error"] == {"type": "overloaded_error", "message": "a [X]"}
    assert record.fault == "upstream_error"


@pytest.mark.parametrize("raw", [b"", b"[]", b"<html>", b'"a"'])
def test_what_is_no_message_is_a_fault(raw: bytes) -> None:
    with pytest.raises(WireError):
        guard(raw)


def test_a_classifier_is_asked_first() -> None:
    verdicts = Verdicts()
    raw = body(text("This is evil, all of it."))
    with pytest.raises(Unscored):
        guard_body(hate(), ModelRequest(), raw, "g-1", verdicts)
    verdicts.known = {window: evil(window) for window in verdicts.missing}
    verdicts.missing.clear()
    out, _ = guard_body(hate(), ModelRequest(), raw, "g-1", verdicts)
    assert json.loads(out)["stop_reason"] == "refusal"


def test_nothing_of_a_tool_call_that_halts_counts_as_released() -> None:
    out, record = guard(body(text("ok"), {**TOOL, "input": {"q": "it is forbidden"}}))
    assert [block["type"] for block in out["content"]] == ["text", "text"]
    assert (record.released, record.dropped) == (len("ok"), len("f"))
