"""Gemini's answers that are not streamed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrail.errors import WireError
from guardrail.policy.policy import Policy
from guardrail.wire.gemini_body import guard_body
from guardrail.wire.record import StreamRecord
from guardrail.wire.request import ModelRequest
from guardrail.wire.whole_text import Unscored, Verdicts
from tests.wire import gemini_client as gemini
from tests.wire.chat import halt, policy, redact
from tests.wire.gemini_client import NOTICE, call, text
from tests.wire.gemini_recorded import RECORDED
from tests.wire.scored import evil, hate

RULES = policy(redact("secret"), halt("bomb"))


def guard(value: Any, rules: Policy = RULES) -> tuple[dict[str, Any], StreamRecord]:
    body, record = guard_body(rules, ModelRequest(), json.dumps(value).encode(), "g-1")
    assert record.received == record.released + record.removed + record.dropped
    return json.loads(body), record


@pytest.mark.parametrize("name", RECORDED)
def test_clean_bodies_pass_byte_for_byte(name: str) -> None:
    for chunk in RECORDED[name]:
        body = json.dumps(chunk, indent=2).encode()
        assert guard_body(RULES, ModelRequest(), body, "g-1")[0] is body


def test_parts_are_edited_in_place() -> None:
    value = gemini.value(
        text("a secret", thought=True),
        text("the sec"),
        text("ret is"),
        call({"q": "secret"}),
        {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "secret"}},
        finish="STOP",
        avgLogprobs=-0.1,
        groundingMetadata={"groundingSupports": [{"segment": {"text": "the sec"}}], "webSearchQueries": ["secret"]},
    )
    said, record = guard(value)
    candidate = said["candidates"][0]
    assert candidate["content"]["parts"] == [
        text("a [X]", thought=True),
        text("the [X]"),
        text(" is"),
        call({"q": "[X]"}),
        {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "[X]"}},
    ]
    assert candidate["groundingMetadata"] == {"webSearchQueries": ["[X]"]}
    assert "avgLogprobs" not in candidate
    assert [finding.channel for finding in record.findings] == [
        "parts[0].thought",
        "parts[1].text",
        "parts[2].functionCall.args",
        "parts[3].codeExecutionResult.output",
        "groundingMetadata",
    ]


def test_a_halt_ends_its_candidate() -> None:
    parts = [text("hm"), text("a bo"), text("mb."), call({"q": 1}), text("more")]
    value = gemini.value(*parts, citationMetadata={"citations": [{}]})
    value["candidates"].append({"content": {"parts": [text("b")]}, "index": 1, "finishReason": "STOP"})
    said, record = guard(value)
    first, second = said["candidates"]
    assert first["content"]["parts"] == [text("hm"), text("a "), text(NOTICE)]
    assert first["finishReason"] == "SAFETY"
    assert "citationMetadata" not in first
    assert second == value["candidates"][1]
    assert said["guardrail"] == {"case_id": "g-1", "action": "halt"}
    assert record.finish_reasons == ("SAFETY", "STOP")
    assert record.halted


def test_a_halted_candidate_has_a_part_also_where_the_notice_is_beside_it() -> None:
    value = json.dumps(gemini.value(text('{"a": "bomb"}'))).encode()
    said, _ = guard_body(policy(halt("a")), ModelRequest(json_output=True), value, "g-1")
    (candidate,) = json.loads(said)["candidates"]
    assert "".join(part["text"] for part in candidate["content"]["parts"]) == '{"'
    said, _ = guard_body(
        policy(halt("bomb")), ModelRequest(json_output=True), value.replace(b'{\\"a\\": \\"bomb\\"}', b"bomb"), "g-1"
    )
    (candidate,) = json.loads(said)["candidates"]
    assert candidate["content"]["parts"] == [text("")]
    assert candidate["finishMessage"] == NOTICE.strip()


def test_a_halt_of_the_response_ends_all() -> None:
    value = gemini.value(text("a bomb"))
    value["candidates"].append({"content": {"parts": [text("b")]}, "index": 1})
    said, _ = guard(value, policy(halt("bomb"), halt_scope="response"))
    assert [candidate["content"]["parts"][-1] for candidate in said["candidates"]] == [text(NOTICE), text(NOTICE)]
    assert "b" not in [part["text"] for part in said["candidates"][1]["content"]["parts"]]


def test_a_call_that_halts_is_not_delivered() -> None:
    said, record = guard(gemini.value(text("so"), call({"q": "bomb", "r": "secret"}), call({"q": 1})))
    assert said["candidates"][0]["content"]["parts"] == [text("so"), text(NOTICE)]
    assert record.released == 2


def test_a_name_that_is_no_text_is_no_crash() -> None:
    value = gemini.value(call({"q": "a secret"}, name=[]), finish="STOP")  # type: ignore[arg-type]
    said, _ = guard(value)
    assert said["candidates"][0]["content"]["parts"] == [call({"q": "a [X]"}, name=[])]  # type: ignore[arg-type]


def test_errors_are_scanned() -> None:
    said, record = guard({"error": {"code": 500, "message": "no secret", "status": "INTERNAL"}})
    assert said["error"]["message"] == "no [X]"
    assert record.fault == "upstream_error"


def test_a_refused_prompt_passes() -> None:
    value = {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 3}}
    said, record = guard(value)
    assert said == value
    assert record.choices == 0


@pytest.mark.parametrize("body", [b"[]", b"x", b'{"candidates":[{"index":-1}]}', b""])
def test_what_is_no_answer(body: bytes) -> None:
    with pytest.raises(WireError):
        guard_body(RULES, ModelRequest(), body, "g-1")


PARTS = st.sampled_from(
    [
        text("a secret"),
        text("sec"),
        text("ret"),
        text(" bomb "),
        text("hm secret", thought=True),
        call({"q": "secret"}),
        call({"q": "bomb"}),
        {"executableCode": {"language": "PYTHON", "code": "print('secret')"}},
        text(""),
    ]
)


@given(parts=st.lists(PARTS, min_size=1, max_size=6))
def test_a_body_is_what_the_stream_comes_to(parts: list[dict[str, Any]]) -> None:
    streamed = gemini.guard(RULES, [gemini.chunk(part) for part in parts] + [gemini.chunk(finish="STOP")])
    said, record = guard(gemini.value(*parts, finish="STOP"))
    reply = gemini.Reply()
    gemini.add(reply, said)
    assert reply.parts.get(0, []) == streamed.reply.parts.get(0, [])
    assert reply.finishes == streamed.reply.finishes
    assert sorted(record.findings) == sorted(streamed.record.findings)


def test_a_classifier_reads_the_text() -> None:
    body = json.dumps(gemini.value(text("an evil word"), finish="STOP")).encode()
    verdicts = Verdicts()
    with pytest.raises(Unscored):
        guard_body(hate(), ModelRequest(), body, "g-1", verdicts)
    verdicts.known |= {window: evil(window) for window in verdicts.missing}
    verdicts.missing.clear()
    out, record = guard_body(hate(), ModelRequest(), body, "g-1", verdicts)
    assert json.loads(out)["candidates"][0]["finishReason"] == "SAFETY"
    assert record.units == 1
