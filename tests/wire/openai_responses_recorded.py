"""Answers in the shapes of real servers, written anew.

Sources: OpenAI's API reference (platform.openai.com, "Streaming events" of Responses) and the types of its Python
package, 3.54; vLLM, vllm/entrypoints/openai/responses (events of the same types, reasoning in content parts);
llama.cpp, tools/server/server-task.cpp (`to_json_oaicompat_resp_stream`: no indexes, no sequence numbers, items closed
at the end); Azure OpenAI, which adds the results of its content filter to the response object.
"""

from __future__ import annotations

from typing import Any

from tests.wire.openai_responses_client import sse

_RESPONSE: dict[str, Any] = {
    "id": "resp_67c9fdcecf488190bdd9a0409de3a1ec07b8b0ad4e5eb654",
    "object": "response",
    "created_at": 1741290958,
    "status": "in_progress",
    "background": False,
    "error": None,
    "incomplete_details": None,
    "instructions": "You are a helpful assistant. Answer in one line.",
    "max_output_tokens": None,
    "max_tool_calls": None,
    "model": "gpt-5-2025-08-07",
    "output": [],
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "reasoning": {"effort": "medium", "summary": "detailed"},
    "safety_identifier": None,
    "service_tier": "auto",
    "store": True,
    "temperature": 1.0,
    "text": {"format": {"type": "text"}, "verbosity": "medium"},
    "tool_choice": "auto",
    "tools": [
        {
            "type": "function",
            "name": "get_weather",
            "description": "The weather in a city today.",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
            "strict": True,
        },
        {"type": "web_search", "user_location": {"type": "approximate", "country": "NO"}},
    ],
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "usage": None,
    "user": None,
    "metadata": {"ticket": "what the client put here"},
}
_USAGE = {
    "input_tokens": 11,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 42,
    "output_tokens_details": {"reasoning_tokens": 20},
    "total_tokens": 53,
}
_NOTE = {
    "type": "url_citation",
    "start_index": 12,
    "end_index": 28,
    "title": "Oslo - forecast",
    "url": "https://example.org/oslo?utm_source=openai",
}


def _numbered(*events: dict[str, Any]) -> list[bytes]:
    return [sse({"type": event["type"], "sequence_number": number, **event}) for number, event in enumerate(events)]


def _openai() -> list[bytes]:
    thought: dict[str, Any] = {
        "id": "rs_1",
        "type": "reasoning",
        "encrypted_content": "gAAAAABo3k8_rX-0a9bE" * 20,
        "summary": [{"type": "summary_text", "text": "**Looking up the weather**\n\nThe user wants Oslo."}],
    }
    search = {
        "id": "ws_1",
        "type": "web_search_call",
        "status": "completed",
        "action": {"type": "search", "query": "weather Oslo today", "sources": [{"type": "url", "url": _NOTE["url"]}]},
    }
    call = {
        "id": "fc_1",
        "type": "function_call",
        "status": "completed",
        "arguments": '{"city":"Oslo"}',
        "call_id": "call_unLAR8MvFNptuiZK6K6HCy5k",
        "name": "get_weather",
    }
    text = "It is sunny in Oslo [1], 12 degrees."
    part = {"type": "output_text", "annotations": [_NOTE], "logprobs": [], "text": text}
    message = {
        "id": "msg_1",
        "type": "message",
        "status": "completed",
        "content": [part],
        "phase": "final_answer",
        "role": "assistant",
    }
    in_message = {"item_id": "msg_1", "output_index": 3, "content_index": 0}
    in_thought = {"item_id": "rs_1", "output_index": 0, "summary_index": 0}
    in_search = {"item_id": "ws_1", "output_index": 1}
    in_call = {"item_id": "fc_1", "output_index": 2}
    summary = thought["summary"][0]
    blank = {**part, "annotations": [], "text": ""}
    done = {**_RESPONSE, "status": "completed", "output": [thought, search, call, message], "usage": _USAGE}
    return _numbered(
        {"type": "response.created", "response": _RESPONSE},
        {"type": "response.in_progress", "response": _RESPONSE},
        {"type": "response.output_item.added", "output_index": 0, "item": {**thought, "summary": []}},
        {"type": "response.reasoning_summary_part.added", **in_thought, "part": {"type": "summary_text", "text": ""}},
        *(
            {"type": "response.reasoning_summary_text.delta", **in_thought, "delta": said, "obfuscation": "q8Zr2"}
            for said in ("**Looking", " up the", " weather**\n\n", "The user wants Oslo.")
        ),
        {"type": "response.reasoning_summary_text.done", **in_thought, "text": summary["text"]},
        {"type": "response.reasoning_summary_part.done", **in_thought, "part": summary},
        {"type": "response.output_item.done", "output_index": 0, "item": thought},
        {
            "type": "response.output_item.added",
            "output_index": 1,
            "item": {**search, "status": "in_progress", "action": {"type": "search"}},
        },
        {"type": "response.web_search_call.in_progress", **in_search},
        {"type": "response.web_search_call.searching", **in_search},
        {"type": "response.web_search_call.completed", **in_search},
        {"type": "response.output_item.done", "output_index": 1, "item": search},
        {
            "type": "response.output_item.added",
            "output_index": 2,
            "item": {**call, "status": "in_progress", "arguments": ""},
        },
        *(
            {"type": "response.function_call_arguments.delta", **in_call, "delta": said, "obfuscation": "Zt5"}
            for said in ('{"', "city", '":"', "Oslo", '"}')
        ),
        {"type": "response.function_call_arguments.done", **in_call, "arguments": call["arguments"]},
        {"type": "response.output_item.done", "output_index": 2, "item": call},
        {
            "type": "response.output_item.added",
            "output_index": 3,
            "item": {**message, "status": "in_progress", "content": []},
        },
        {"type": "response.content_part.added", **in_message, "part": blank},
        *(
            {"type": "response.output_text.delta", **in_message, "delta": said, "logprobs": [], "obfuscation": "a1B2"}
            for said in ("It is", " sunny", " in Oslo", " [1]", ", 12", " degrees.")
        ),
        {
            "type": "response.output_text.annotation.added",
            **in_message,
            "annotation_index": 0,
            "annotation": _NOTE,
        },
        {"type": "response.output_text.done", **in_message, "text": text, "logprobs": []},
        {"type": "response.content_part.done", **in_message, "part": part},
        {"type": "response.output_item.done", "output_index": 3, "item": message},
        {"type": "response.completed", "response": done},
    )


def _vllm() -> list[bytes]:
    thought: dict[str, Any] = {
        "id": "rs_2",
        "summary": [],
        "type": "reasoning",
        "content": [{"text": "Easy.", "type": "reasoning_text"}],
        "encrypted_content": None,
        "status": "completed",
    }
    part: dict[str, Any] = {"annotations": [], "text": "4, of course.", "type": "output_text", "logprobs": None}
    message = {"id": "msg_2", "content": [part], "role": "assistant", "status": "completed", "type": "message"}
    response = {
        "id": "resp_2",
        "created_at": 1741290958,
        "incomplete_details": None,
        "instructions": None,
        "metadata": None,
        "model": "openai/gpt-oss-20b",
        "object": "response",
        "output": [],
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "background": False,
        "max_output_tokens": 130959,
        "service_tier": "auto",
        "status": "in_progress",
        "text": None,
        "truncation": "disabled",
        "usage": None,
        "user": None,
        "input_messages": None,
        "output_messages": None,
    }
    in_thought = {"content_index": 0, "item_id": "rs_2", "output_index": 0}
    in_message = {"content_index": 0, "item_id": "msg_2", "output_index": 1}
    return _numbered(
        {"type": "response.created", "response": response},
        {"type": "response.in_progress", "response": response},
        {
            "type": "response.output_item.added",
            "item": {**thought, "content": None, "status": "in_progress"},
            "output_index": 0,
        },
        {"type": "response.content_part.added", **in_thought, "part": {"text": "", "type": "reasoning_text"}},
        *({"type": "response.reasoning_text.delta", **in_thought, "delta": said} for said in ("Ea", "sy", ".")),
        {"type": "response.reasoning_text.done", **in_thought, "text": "Easy."},
        {"type": "response.content_part.done", **in_thought, "part": thought["content"][0]},
        {"type": "response.output_item.done", "item": thought, "output_index": 0},
        {
            "type": "response.output_item.added",
            "item": {**message, "content": [], "status": "in_progress"},
            "output_index": 1,
        },
        {"type": "response.content_part.added", **in_message, "part": {**part, "text": "", "logprobs": []}},
        *(
            {"type": "response.output_text.delta", **in_message, "delta": said, "logprobs": []}
            for said in ("4", ", of", " course", ".")
        ),
        {"type": "response.output_text.done", **in_message, "logprobs": [], "text": "4, of course."},
        {"type": "response.content_part.done", **in_message, "part": part},
        {"type": "response.output_item.done", "item": message, "output_index": 1},
        {
            "type": "response.completed",
            "response": {**response, "status": "completed", "output": [thought, message], "usage": _USAGE},
        },
    )


def _llama_cpp() -> list[bytes]:
    thought = {
        "id": "rs_3",
        "summary": [],
        "type": "reasoning",
        "content": [{"text": "Hm, well", "type": "reasoning_text"}],
        "encrypted_content": "",
    }
    part = {"type": "output_text", "annotations": [], "logprobs": [], "text": "Hello there"}
    message = {"type": "message", "status": "completed", "id": "msg_3", "content": [part], "role": "assistant"}
    call = {
        "type": "function_call",
        "status": "completed",
        "arguments": '{"a":1}',
        "call_id": "fc_abc",
        "name": "add",
    }
    response = {"id": "resp_3", "object": "response", "status": "in_progress"}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": response},
        {"type": "response.in_progress", "response": response},
        {"type": "response.output_item.added", "item": {**thought, "content": [], "status": "in_progress"}},
        *({"type": "response.reasoning_text.delta", "delta": said, "item_id": "rs_3"} for said in ("Hm", ", well")),
        {"type": "response.output_item.added", "item": {**message, "content": [], "status": "in_progress"}},
        {"type": "response.content_part.added", "item_id": "msg_3", "part": {"type": "output_text", "text": ""}},
        *({"type": "response.output_text.delta", "item_id": "msg_3", "delta": said} for said in ("Hello", " there")),
        {"type": "response.output_item.added", "item": {**call, "status": "in_progress", "arguments": ""}},
        *(
            {"type": "response.function_call_arguments.delta", "delta": said, "item_id": "fc_abc"}
            for said in ('{"a"', ":1}")
        ),
        {"type": "response.output_item.done", "item": thought},
        {"type": "response.output_text.done", "item_id": "msg_3", "text": "Hello there"},
        {"type": "response.content_part.done", "item_id": "msg_3", "part": part},
        {"type": "response.output_item.done", "item": message},
        {"type": "response.output_item.done", "item": call},
        {
            "type": "response.completed",
            "response": {
                **response,
                "status": "completed",
                "created_at": 1741290958,
                "completed_at": 1741290959,
                "model": "gpt-oss",
                "output": [thought, message, call],
                "usage": {"input_tokens": 9, "output_tokens": 7, "total_tokens": 16},
            },
        },
    ]
    return [sse(event) for event in events]


def _azure() -> list[bytes]:
    safe = {"hate": {"filtered": False, "severity": "safe"}, "jailbreak": {"detected": False, "filtered": False}}
    filters = [
        {
            "blocked": False,
            "source_type": "completion",
            "content_filter_results": safe,
            "content_filter_offsets": {"start_offset": 0, "end_offset": 60, "check_offset": 0},
        }
    ]
    response = {**_RESPONSE, "content_filters": None, "prompt_cache_retention": None}
    part = {"type": "output_text", "annotations": [], "logprobs": [], "text": "Good morning!"}
    message = {"id": "msg_4", "type": "message", "status": "completed", "content": [part], "role": "assistant"}
    where = {"item_id": "msg_4", "output_index": 0, "content_index": 0}
    done = {**response, "status": "completed", "output": [message], "usage": _USAGE, "content_filters": filters}
    return _numbered(
        {"type": "response.created", "response": response},
        {"type": "response.output_item.added", "output_index": 0, "item": {**message, "content": []}},
        {"type": "response.content_part.added", **where, "part": {**part, "text": ""}},
        {"type": "response.output_text.delta", **where, "delta": "Good morning", "logprobs": []},
        {"type": "response.output_text.delta", **where, "delta": "!", "logprobs": []},
        {"type": "response.output_text.done", **where, "text": "Good morning!", "logprobs": []},
        {"type": "response.content_part.done", **where, "part": part},
        {"type": "response.output_item.done", "output_index": 0, "item": message},
        {"type": "response.completed", "response": done},
    )


STREAMS = {"openai": _openai(), "vllm": _vllm(), "llama.cpp": _llama_cpp(), "azure": _azure()}
