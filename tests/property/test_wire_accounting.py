"""Every character of an answer is accounted for, in every protocol, streamed or not.

For any rules and texts, in every place in which a protocol has text: what was received was released, removed or
dropped, once each; no count is negative. And a client that asks for annotations is told of every finding, in the last
note of a choice or in the note of its halt.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrail.text.rules import SEVERITIES, Severity
from guardrail.wire import anthropic, gemini, ollama, openai_chat, openai_responses, openai_text
from guardrail.wire.annotation import annotated, worst
from guardrail.wire.protocol import Protocol
from guardrail.wire.record import StreamRecord
from guardrail.wire.request import ModelRequest
from guardrail.wire.stream import WireLimits
from guardrail.wire.strict_json import whole_surrogates
from tests import strategies
from tests.wire import chat
from tests.wire.openai_responses_client import Server

Texts = Sequence[str]


def chat_body(said: Texts) -> dict[str, Any]:
    calls = [{"id": "c", "type": "function", "function": {"name": "f", "arguments": json.dumps({"q": said[2]})}}]
    first: dict[str, Any] = {
        "role": "assistant",
        "reasoning_content": said[0],
        "content": said[1],
        "tool_calls": calls * 2,
    }
    second: dict[str, Any] = {
        "role": "assistant",
        "content": said[3],
        "annotations": [{"type": "x", "text": said[0]}] * 2,
    }
    choices = [{"index": i, "message": m, "finish_reason": "stop"} for i, m in enumerate((first, second))]
    return {**chat.ENVELOPE, "object": "chat.completion", "choices": choices}


def text_body(said: Texts) -> dict[str, Any]:
    choices = [{"index": i, "text": text, "finish_reason": "stop"} for i, text in enumerate(said)]
    return {**chat.ENVELOPE, "object": "text_completion", "choices": choices}


def responses_body(said: Texts) -> dict[str, Any]:
    parts = [
        {"type": "output_text", "text": said[1], "annotations": [{"type": "url_citation", "title": said[0]}] * 2},
        {"type": "output_text", "text": said[2], "annotations": []},
        {"type": "refusal", "refusal": said[3]},
    ]
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": json.dumps({"q": said[2]})}
    search = {"type": "file_search_call", "id": "s", "queries": [said[3]], "results": [{"text": said[0]}]}
    message = {"type": "message", "role": "assistant", "status": "completed", "content": parts}
    thought = {"type": "reasoning", "summary": [{"type": "summary_text", "text": said[0]}]}
    texts = "".join(part.get("text", "") for part in parts)
    return Server.response("completed", [thought, message, call, search, message], output_text=texts)


def anthropic_body(said: Texts) -> dict[str, Any]:
    content = [
        {"type": "thinking", "thinking": said[0], "signature": "c2ln"},
        {"type": "text", "text": said[1], "citations": [{"type": "char_location", "cited_text": said[2]}] * 2},
        {"type": "tool_use", "id": "t", "name": "f", "input": {"q": said[2]}},
        {"type": "web_search_tool_result", "tool_use_id": "t", "content": [{"type": "x", "title": said[3]}]},
        {"type": "text", "text": said[3]},
    ]
    return {"id": "m", "type": "message", "role": "assistant", "content": content, "stop_reason": "end_turn"}


def gemini_body(said: Texts) -> dict[str, Any]:
    parts = [
        {"text": said[0], "thought": True},
        {"text": said[1]},
        {"functionCall": {"name": "f", "args": {"q": said[2]}}},
        {"executableCode": {"language": "PYTHON", "code": said[3]}},
    ]
    citations = {"citationSources": [{"title": said[3]}]}
    grounding = {"groundingChunks": [{"web": {"title": said[0]}}], "webSearchQueries": [said[2]]}
    ends = {"finishReason": "STOP", "citationMetadata": citations, "groundingMetadata": grounding}
    return {"candidates": [{"content": {"parts": parts}, "index": index, **ends} for index in range(2)]}


def ollama_body(said: Texts) -> dict[str, Any]:
    calls = [{"function": {"name": "f", "arguments": {"q": text}}} for text in said[2:]]
    message = {"role": "assistant", "thinking": said[0], "content": said[1], "tool_calls": calls}
    return {"model": "m", "message": message, "done": True, "done_reason": "stop"}


def chat_events(said: Texts) -> list[bytes]:
    value = chat_body(said)
    chunks: list[dict[str, Any]] = []
    for choice in value["choices"]:
        delta = choice["message"]
        for key in ("reasoning_content", "content", "annotations"):
            if key in delta:
                chunks.append({"index": choice["index"], "delta": {key: delta[key]}, "finish_reason": None})
        for at, call in enumerate(delta.get("tool_calls", ())):
            chunks.append({"index": choice["index"], "delta": {"tool_calls": [{"index": at, **call}]}})
        chunks.append({"index": choice["index"], "delta": {}, "finish_reason": "stop"})
    return [*(chat.sse({**chat.ENVELOPE, "choices": [chunk]}) for chunk in chunks), b"data: [DONE]\n\n"]


def text_events(said: Texts) -> list[bytes]:
    choices = text_body(said)["choices"]
    return [*(chat.sse({**chat.ENVELOPE, "choices": [choice]}) for choice in choices), b"data: [DONE]\n\n"]


def responses_events(said: Texts) -> list[bytes]:
    server = Server()
    server.text(said[0], named="reasoning_summary_text")
    server.text(said[1], said[2])
    server.call(json.dumps({"q": said[2]}))
    server.text(said[3], named="refusal")
    return server.complete()


def anthropic_events(said: Texts) -> list[bytes]:
    value = anthropic_body(said)
    events: list[dict[str, Any]] = [{"type": "message_start", "message": {**value, "content": [], "stop_reason": None}}]
    for index, block in enumerate(value["content"]):
        kind = block["type"]
        field = {"thinking": "thinking", "text": "text"}.get(kind)
        delta = {"type": "input_json_delta", "partial_json": json.dumps(block.get("input"))}
        if field is not None:
            delta = {"type": f"{field}_delta", field: block[field]}
            block = {"type": kind, field: ""}
        elif kind == "tool_use":
            block = {**block, "input": {}}
        events.append({"type": "content_block_start", "index": index, "content_block": block})
        if kind != "web_search_tool_result":
            events.append({"type": "content_block_delta", "index": index, "delta": delta})
        events.append({"type": "content_block_stop", "index": index})
    events.append({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}})
    events.append({"type": "message_stop"})
    return [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events]


def gemini_events(said: Texts) -> list[bytes]:
    return [chat.sse(gemini_body(said))]


def ollama_events(said: Texts) -> list[bytes]:
    whole = ollama_body(said)
    message = whole["message"]
    texts: list[dict[str, Any]] = [
        {"message": {"role": "assistant", key: message[key]}} for key in ("thinking", "content", "tool_calls")
    ]
    lines = [{"model": "m", "done": False, **line} for line in texts]
    lines.append({"model": "m", "message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop"})
    return [json.dumps(line).encode() + b"\n" for line in lines]


EVERY: list[tuple[Protocol, Callable[[Texts], dict[str, Any]], Callable[[Texts], list[bytes]]]] = [
    (openai_chat.PROTOCOL, chat_body, chat_events),
    (openai_text.PROTOCOL, text_body, text_events),
    (openai_responses.PROTOCOL, responses_body, responses_events),
    (anthropic.PROTOCOL, anthropic_body, anthropic_events),
    (gemini.PROTOCOL, gemini_body, gemini_events),
    (ollama.PROTOCOL, ollama_body, ollama_events),
]

CHOICES = {"openai_chat": 2, "openai_text": 4, "gemini": 2}
"""How many choices the answers above have, where that is not one."""


def balanced(record: StreamRecord) -> None:
    counts = (record.received, record.scanned, record.released, record.held, record.removed, record.dropped)
    assert min(counts) >= 0
    assert record.held == 0
    assert record.received == record.released + record.removed + record.dropped


def notes(out: bytes) -> list[dict[str, Any]]:
    """The notes for programs in a stream."""
    lines = [line.removeprefix(b"data: ") for line in out.splitlines()]
    values = [json.loads(line) for line in lines if line.startswith(b"{")]
    return [value["guardrail"] for value in values if "categories" in value.get("guardrail", ())]


def told_all(said: list[dict[str, Any]], protocol: Protocol, record: StreamRecord) -> None:
    found = worst(record.findings)
    if protocol.name not in CHOICES:
        assert said[-1]["categories"] == found
    levels: dict[str, Severity] = {}
    for note in said:
        for category, level in note["categories"].items():
            levels[category] = max(level, levels.get(category, level), key=SEVERITIES.index)
    assert levels == found


@pytest.mark.parametrize(("protocol", "body", "events"), EVERY, ids=[protocol.name for protocol, *_ in EVERY])
@given(
    case=strategies.cases(max_pieces=6, max_length=120),
    data=st.data(),
    json_output=st.booleans(),
    scope=st.sampled_from(("choice", "response")),
    ends=st.booleans(),
)
@settings(max_examples=60)
def test_what_was_received_was_released_removed_or_dropped(
    protocol: Protocol,
    body: Callable[[Texts], dict[str, Any]],
    events: Callable[[Texts], list[bytes]],
    case: strategies.Case,
    data: st.DataObject,
    json_output: bool,
    scope: str,
    ends: bool,
) -> None:
    text = whole_surrogates(case.text)
    said = [data.draw(st.sampled_from((text, text[at:] + text[:at], "x", json.dumps({"a": text})))) for at in range(4)]
    policy = chat.policy(*case.rules, halt_scope=scope)
    count, annotate = CHOICES.get(protocol.name, 1), data.draw(st.booleans())
    request = ModelRequest(model="m", json_output=json_output, n=count, annotate=annotate)
    out, record = protocol.guard_body(policy, request, json.dumps(body(said)).encode(), "g-1", None)
    balanced(record)
    assert json.loads(annotated(out, record))["guardrail"]["categories"] == worst(record.findings)

    stream = protocol.stream(policy, request, case_id="g-1", limits=WireLimits())
    written = [stream.feed(event) for event in events(said)[: None if ends else -2]]
    written.append(stream.finish())
    assert stream.done
    balanced(stream.record)
    if ends and annotate:
        told_all(notes(b"".join(written)), protocol, stream.record)
