"""A whole answer that guardrail gives in the place of the model's, in each protocol: streamed if that was asked for.

It ends as an answer of the model's does, not as one that was stopped: it is what the reader is to see, such as where to
find help. Where the client asked for JSON, which prose would break, it is a refusal in the protocols that have one
beside the text. Times are those of the epoch, since nothing here has a clock.
"""

from __future__ import annotations

from typing import Any

from guardrail.wire import sse
from guardrail.wire.anthropic_event import written
from guardrail.wire.anthropic_halt import notice_events
from guardrail.wire.ndjson import data_line
from guardrail.wire.protocol import Reply
from guardrail.wire.request import ModelRequest
from guardrail.wire.strict_json import dumps

EVENTS = "text/event-stream"
LINES = "application/x-ndjson"
EPOCH = "1970-01-01T00:00:00Z"


def note(case_id: str) -> dict[str, str]:
    """The field `guardrail` of such an answer."""
    return {"case_id": case_id, "action": "answer"}


_NO_TOKENS = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
"""No model has read anything, and none has written."""


def _stream(*values: dict[str, Any]) -> bytes:
    return b"".join(sse.data_event(dumps(value)) for value in values)


# --- OpenAI -----------------------------------------------------------------------------------------------------------


def chat(request: ModelRequest, text: str, case_id: str) -> Reply:
    """Chat Completions."""
    key = "refusal" if request.json_output else "content"
    head = {"id": f"chatcmpl-{case_id}", "created": 0, "model": request.model}
    usage = _NO_TOKENS
    if not request.stream:
        message = {"role": "assistant", "content": None, "refusal": None, key: text}
        choices = [
            {"index": index, "message": message, "logprobs": None, "finish_reason": "stop"}
            for index in range(request.n)
        ]
        value = {**head, "object": "chat.completion", "choices": choices, "usage": usage}
        return Reply(200, dumps({**value, "guardrail": note(case_id)}))
    head["object"] = "chat.completion.chunk"
    chunks: list[dict[str, Any]] = []
    for index in range(request.n):
        for delta, reason in (({"role": "assistant", key: text}, None), ({}, "stop")):
            chunks.append({**head, "choices": [{"index": index, "delta": delta, "finish_reason": reason}]})
    return _openai_stream(request, chunks, head, case_id)


def completion(request: ModelRequest, text: str, case_id: str) -> Reply:
    """Legacy Completions."""
    head = {"id": f"cmpl-{case_id}", "object": "text_completion", "created": 0, "model": request.model}
    choices = [{"index": index, "text": text, "logprobs": None, "finish_reason": "stop"} for index in range(request.n)]
    if not request.stream:
        value = {**head, "choices": choices, "usage": _NO_TOKENS, "guardrail": note(case_id)}
        return Reply(200, dumps(value))
    return _openai_stream(request, [{**head, "choices": [choice]} for choice in choices], head, case_id)


def _openai_stream(request: ModelRequest, chunks: list[dict[str, Any]], head: dict[str, Any], case_id: str) -> Reply:
    chunks[-1]["guardrail"] = note(case_id)
    if request.include_usage:
        chunks.append({**head, "choices": [], "usage": _NO_TOKENS})
    return Reply(200, _stream(*chunks) + b"data: [DONE]\n\n", EVENTS)


def response(request: ModelRequest, text: str, case_id: str) -> Reply:
    """Responses."""
    part: dict[str, Any] = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    if request.json_output:
        part = {"type": "refusal", "refusal": text}
    message = {"id": f"msg_{case_id}", "type": "message", "status": "completed", "role": "assistant"}
    whole = {
        "id": f"resp_{case_id}",
        "object": "response",
        "created_at": 0,
        "model": request.model,
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "parallel_tool_calls": True,
        "temperature": None,
        "tool_choice": "auto",
        "tools": [],
        "top_p": None,
        "output": [{**message, "content": [part]}],
        "usage": {
            "input_tokens": 0,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 0,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 0,
        },
        "guardrail": note(case_id),
    }
    if not request.stream:
        return Reply(200, dumps(whole))
    begun = {**whole, "status": "in_progress", "output": [], "usage": None}
    key = "refusal" if request.json_output else "text"
    named = "response.refusal" if request.json_output else "response.output_text"
    more: dict[str, Any] = {} if request.json_output else {"logprobs": []}
    at: dict[str, Any] = {"item_id": message["id"], "output_index": 0, "content_index": 0}
    opened = {**message, "status": "in_progress", "content": []}
    events: tuple[dict[str, Any], ...] = (
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
        {"type": "response.output_item.added", "output_index": 0, "item": opened},
        {"type": "response.content_part.added", **at, "part": {**part, key: ""}},
        {"type": f"{named}.delta", **at, "delta": text, **more},
        {"type": f"{named}.done", **at, key: text, **more},
        {"type": "response.content_part.done", **at, "part": part},
        {"type": "response.output_item.done", "output_index": 0, "item": {**message, "content": [part]}},
        {"type": "response.completed", "response": whole},
    )
    out = b"".join(
        sse.data_event(dumps({**event, "sequence_number": number}), b"event: %b\n" % event["type"].encode())
        for number, event in enumerate(events)
    )
    return Reply(200, out, EVENTS)


# --- the others -------------------------------------------------------------------------------------------------------


def message(request: ModelRequest, text: str, case_id: str) -> Reply:
    """Anthropic Messages."""
    ends: dict[str, Any] = {"stop_reason": "end_turn", "stop_sequence": None}
    if request.json_output:
        ends = {
            "stop_reason": "refusal",
            "stop_sequence": None,
            "stop_details": {"type": "refusal", "category": None, "explanation": text},
        }
    value = {
        "id": f"msg_{case_id}",
        "type": "message",
        "role": "assistant",
        "model": request.model,
        "content": [] if request.json_output else [{"type": "text", "text": text}],
        **ends,
        "usage": {"input_tokens": 0, "output_tokens": 0},
        "guardrail": note(case_id),
    }
    if not request.stream:
        return Reply(200, dumps(value))
    begun = {**value, "content": [], "stop_reason": None}
    begun.pop("stop_details", None)
    out = [
        written({"type": "message_start", "message": begun}),
        *([] if request.json_output else notice_events(text, 0, began=False)),
        written({"type": "message_delta", "delta": ends, "usage": {"output_tokens": 0}}),
        written({"type": "message_stop"}),
    ]
    return Reply(200, b"".join(out), EVENTS)


def content(request: ModelRequest, text: str, case_id: str) -> Reply:
    """Gemini. Its SDK drops what is said beside the text, and raises for no text that is not the JSON asked for, so the
    text stands there all the same."""
    said: dict[str, Any] = {"content": {"parts": [{"text": text}], "role": "model"}, "finishReason": "STOP"}
    value = {
        "candidates": [{**said, "index": index} for index in range(request.n)],
        "usageMetadata": {"promptTokenCount": 0, "candidatesTokenCount": 0, "totalTokenCount": 0},
        "modelVersion": request.model,
        "responseId": case_id,
        "guardrail": note(case_id),
    }
    if request.array:
        return Reply(200, b"[" + dumps(value) + b"]")
    return Reply(200, _stream(value), EVENTS) if request.stream else Reply(200, dumps(value))


def line(request: ModelRequest, text: str, case_id: str) -> Reply:
    """Ollama, both of its paths. It has no place for what is not the answer, so the text stands in it also where JSON
    was asked for."""
    generate = bool(request.inputs) and request.inputs[-1].path[0] != "messages"
    said: dict[str, Any] = {"response": text} if generate else {"message": {"role": "assistant", "content": text}}
    head = {"model": request.model, "created_at": EPOCH}
    ends = {"done": True, "done_reason": "stop", "prompt_eval_count": 0, "eval_count": 0, "guardrail": note(case_id)}
    if not request.stream:
        return Reply(200, dumps({**head, **said, **ends}))
    nothing: dict[str, Any] = {"response": ""} if generate else {"message": {"role": "assistant", "content": ""}}
    lines = ({**head, **said, "done": False}, {**head, **nothing, **ends})
    return Reply(200, b"".join(data_line(dumps(value)) for value in lines), LINES)
