"""Chat Completions answers in the shapes that servers send, written anew. The sources:

- OpenAI: API reference, streaming (`obfuscation`, `logprobs`, `annotations` of web search).
- vLLM: vllm/entrypoints/openai, `ChatCompletionStreamResponse`, `ChatCompletionResponse` (`reasoning`, for some
  versions also `reasoning_content`, `stop_reason`, `token_ids`, `prompt_token_ids`, `prompt_logprobs`,
  `kv_transfer_params`).
- SGLang: python/sglang/srt/entrypoints/openai/protocol.py (`matched_stop`, `hidden_states`, `metadata`).
- llama.cpp: tools/server README and server code (`timings`, `prompt_progress`, `reasoning_content`).
- Text Generation Inference: router types `ChatCompletionChunk`, Messages API documentation (an empty `id`).
- DeepSeek: API documentation, reasoning model and context caching (keep-alive comments, usage of the cache).
- OpenRouter: API reference, streaming, and reasoning tokens (`provider`, `native_finish_reason`, `reasoning_details`).
- Azure OpenAI: content filtering and content streaming documentation (`prompt_filter_results` in a first chunk without
  choices, `content_filter_results`, asynchronous filter's chunks with `content_filter_offsets` and no delta text).
- Mistral: API specification (content as a list with `thinking`, padding in `p`).
- Groq: API reference (`x_groq`).
"""

from __future__ import annotations

import json
from typing import Any

DONE = b"data: [DONE]\n\n"
SAFE = {kind: {"filtered": False, "severity": "safe"} for kind in ("hate", "self_harm", "sexual", "violence")}


def stream(head: dict[str, Any], *parts: dict[str, Any], done: bool = True) -> bytes:
    """Events that each add their part to the head; "choice" in a part is its one choice."""
    out = []
    for part in parts:
        choices = [{"index": 0, "finish_reason": None, **part.pop("choice")}] if "choice" in part else []
        value = {**head, "choices": choices, **part}
        out.append(b"data: " + json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode() + b"\n\n")
    return b"".join(out) + (DONE if done else b"")


def head(**more: Any) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1700000000, "model": "m", **more}


def says(**delta: Any) -> dict[str, Any]:
    return {"choice": {"delta": delta}}


def ends(reason: str = "stop", **choice: Any) -> dict[str, Any]:
    return {"choice": {"delta": {}, "finish_reason": reason, **choice}}


OPENAI = stream(
    head(service_tier="default", system_fingerprint="fp_44709d6fcb"),
    {"choice": {"delta": {"role": "assistant", "content": "", "refusal": None}, "logprobs": None}, "obfuscation": "aB"},
    {
        "choice": {
            "delta": {"content": "Hi"},
            "logprobs": {
                "content": [
                    {
                        "token": "Hi",
                        "logprob": -0.5,
                        "bytes": [72, 105],
                        "top_logprobs": [{"token": "Ho", "logprob": -2.0, "bytes": [72, 111]}],
                    }
                ],
                "refusal": None,
            },
        },
        "obfuscation": "",
    },
    {
        "choice": {
            "delta": {
                "annotations": [
                    {
                        "type": "url_citation",
                        "url_citation": {
                            "start_index": 0,
                            "end_index": 2,
                            "title": "A page",
                            "url": "https://a.example",
                        },
                    }
                ]
            }
        }
    },
    ends(logprobs=None),
    {"usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}, "obfuscation": "x9Zq"},
)
VLLM = stream(
    head(),
    {"choice": {"delta": {"role": "assistant", "content": ""}, "logprobs": None}, "prompt_token_ids": [1, 2]},
    {"choice": {"delta": {"reasoning": "Hm"}, "logprobs": None, "token_ids": [3]}},
    {"choice": {"delta": {"reasoning": " so", "reasoning_content": " so"}, "logprobs": None, "token_ids": None}},
    {"choice": {"delta": {"content": "Well"}, "logprobs": None, "token_ids": [4]}},
    ends(logprobs=None, stop_reason="###", token_ids=[5]),
    {"usage": {"prompt_tokens": 2, "total_tokens": 5, "completion_tokens": 3, "prompt_tokens_details": None}},
)
SGLANG = stream(
    head(),
    says(role="assistant", content="", reasoning_content=None, tool_calls=None),
    {
        "choice": {
            "delta": {"role": None, "content": "Hi", "reasoning_content": None, "tool_calls": None},
            "logprobs": None,
            "matched_stop": None,
        },
        "usage": None,
    },
    {"choice": {"delta": {"hidden_states": [0.5, -1.5]}}},
    ends(logprobs=None, matched_stop=151645),
)
LLAMA_CPP = stream(
    head(system_fingerprint="b6710-b8595b16e"),
    {
        "choice": {"delta": {"role": "assistant", "content": None}},
        "prompt_progress": {"total": 9, "cache": 0, "processed": 4, "time_ms": 12},
    },
    says(reasoning_content="Hm"),
    {
        **says(content="Hi"),
        "timings": {"cache_n": 0, "prompt_n": 1, "prompt_ms": 53.7, "predicted_n": 1, "predicted_ms": 0.001},
    },
    {**ends(), "timings": {"prompt_n": 1, "prompt_per_token_ms": 53.7, "predicted_per_second": 24.25}},
)
TGI = stream(
    {**head(system_fingerprint="3.0.1-sha-bb9095a"), "id": ""},
    {"choice": {"delta": {"role": "assistant", "content": " I"}, "logprobs": None}, "usage": None},
    {
        "choice": {
            "delta": {"role": "assistant", "content": " am"},
            "logprobs": {
                "content": [{"token": " am", "logprob": -0.75, "top_logprobs": [{"token": " am", "logprob": -0.75}]}]
            },
        },
        "usage": None,
    },
    {
        "choice": {"delta": {"role": "assistant", "content": ""}, "logprobs": None, "finish_reason": "stop"},
        "usage": None,
    },
)
DEEPSEEK = b": keep-alive\n\n" + stream(
    head(system_fingerprint="fp_a49d71b8a1"),
    {"choice": {"delta": {"role": "assistant", "content": None, "reasoning_content": ""}, "logprobs": None}},
    {"choice": {"delta": {"content": None, "reasoning_content": "Hm"}, "logprobs": None}},
    {"choice": {"delta": {"content": "Hi", "reasoning_content": None}, "logprobs": None}},
    {
        **ends(logprobs=None),
        "usage": {
            "prompt_tokens": 9,
            "completion_tokens": 3,
            "total_tokens": 12,
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 1},
            "prompt_cache_hit_tokens": 0,
            "prompt_cache_miss_tokens": 9,
        },
    },
)


def _routed(**delta: Any) -> dict[str, Any]:
    return {"choice": {"delta": {"role": "assistant", **delta}, "native_finish_reason": None, "logprobs": None}}


OPENROUTER = b": OPENROUTER PROCESSING\n\n" + stream(
    head(provider="Deep Infra"),
    _routed(
        content="",
        reasoning="Hm",
        reasoning_details=[{"type": "reasoning.text", "text": "Hm", "format": "unknown", "index": 0}],
    ),
    _routed(
        content="",
        reasoning=None,
        reasoning_details=[
            {
                "type": "reasoning.summary",
                "summary": "A greeting",
                "id": "rs_1",
                "format": "openai-responses-v1",
                "index": 0,
            }
        ],
    ),
    _routed(
        content="",
        reasoning=None,
        reasoning_details=[{"type": "reasoning.encrypted", "data": "gAAAAABo+/_-==", "id": "rs_1", "index": 0}],
    ),
    _routed(content="Hi", reasoning=None, reasoning_details=[]),
    {
        "choice": {
            "delta": {"role": "assistant", "content": ""},
            "finish_reason": "stop",
            "native_finish_reason": "completed",
        }
    },
    {"usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3, "cost": 0.0001, "is_byok": False}},
)
_CITED = {"URL": "https://github.example/a/long/path/to/some/file/in/a/repository/file.py", "license": "MIT"}
AZURE = stream(
    {**head(), "id": "", "created": 0, "model": "", "object": ""},
    {
        "prompt_filter_results": [
            {"prompt_index": 0, "content_filter_results": {**SAFE, "jailbreak": {"filtered": False, "detected": False}}}
        ]
    },
    done=False,
) + stream(
    head(),
    {"choice": {"delta": {"role": "assistant", "content": ""}, "content_filter_results": {}, "logprobs": None}},
    {"choice": {"delta": {"content": "Hi"}, "content_filter_results": SAFE, "logprobs": None}},
    ends(content_filter_results={}, logprobs=None),
    {
        "choice": {
            "content_filter_results": {
                **SAFE,
                "protected_material_code": {"filtered": False, "detected": True, "citation": _CITED},
            },
            "content_filter_offsets": {"check_offset": 44, "start_offset": 44, "end_offset": 198},
        }
    },
)
MISTRAL = stream(
    head(),
    {**says(role="assistant", content=""), "p": "abcdefghijk"},
    {**says(content=[{"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]}]), "p": "abc"},
    {**says(content=[{"type": "thinking", "thinking": [{"type": "text", "text": " so"}], "closed": True}]), "p": ""},
    {**says(content=[{"type": "text", "text": "Hi"}]), "p": "abcdefg"},
    {**says(content=[{"type": "reference", "reference_ids": [1, 2]}]), "p": "a"},
    {**says(content=" you"), "p": "abcd"},
    {**ends(), "usage": {"prompt_tokens": 1, "total_tokens": 3, "completion_tokens": 2}, "p": "ab"},
)
GROQ = stream(
    head(system_fingerprint="fp_6a6771ae9c"),
    {"choice": {"delta": {"role": "assistant", "content": ""}, "logprobs": None}, "x_groq": {"id": "req_01jb"}},
    {"choice": {"delta": {"content": "Hi"}, "logprobs": None}},
    {**ends(logprobs=None), "x_groq": {"id": "req_01jb", "usage": {"queue_time": 0.01, "prompt_tokens": 1}}},
)
AUDIO = stream(
    head(),
    says(role="assistant", content=None, refusal=None, audio={"id": "audio_68", "transcript": "Hel"}),
    says(audio={"id": "audio_68", "transcript": "lo"}),
    says(audio={"id": "audio_68", "expires_at": 1700003600}),
    ends(),
)

STREAMS = {
    "openai": OPENAI,
    "vllm": VLLM,
    "sglang": SGLANG,
    "llama.cpp": LLAMA_CPP,
    "tgi": TGI,
    "deepseek": DEEPSEEK,
    "openrouter": OPENROUTER,
    "azure": AZURE,
    "mistral": MISTRAL,
    "groq": GROQ,
    "audio": AUDIO,
}
"""Clean: under the default policy they pass as they came."""


def body(message: dict[str, Any], choice: dict[str, Any] | None = None, **top: Any) -> bytes:
    said = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": "stop", **(choice or {})}
    value = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [said], **top}
    return json.dumps(value, indent=1, ensure_ascii=False).encode()


BODIES = {
    "openai": body(
        {
            "content": "Hi",
            "refusal": None,
            "annotations": [{"type": "url_citation", "url_citation": {"title": "A page", "url": "https://a.example"}}],
        },
        {"logprobs": None},
        usage={"prompt_tokens": 1},
        service_tier="default",
    ),
    "vllm": body(
        {"content": "Hi", "refusal": None, "annotations": None, "audio": None, "function_call": None, "tool_calls": []}
        | {"reasoning": "Hm so", "reasoning_content": "Hm so"},
        {"logprobs": None, "stop_reason": None, "token_ids": [4]},
        prompt_logprobs=[None, {"12": {"logprob": -0.5, "rank": 1, "decoded_token": " of"}}],
        prompt_token_ids=[1, 2],
        kv_transfer_params=None,
    ),
    "sglang": body(
        {"content": "Hi"}, {"matched_stop": 2, "hidden_states": None}, metadata={"weight_version": "default"}
    ),
    "llama.cpp": body({"content": "Hi", "reasoning_content": "Hm"}, timings={"prompt_n": 1, "prompt_ms": 2.5}),
    "openrouter": body(
        {
            "content": "Hi",
            "refusal": None,
            "reasoning": "Hm",
            "reasoning_details": [
                {"type": "reasoning.text", "text": "Hm", "signature": "EuYBCkQYAiJA+/==", "index": 0}
            ],
        },
        {"native_finish_reason": "completed"},
        provider="Deep Infra",
    ),
    "azure": body(
        {"content": "Hi"},
        {"content_filter_results": SAFE},
        prompt_filter_results=[{"prompt_index": 0, "content_filter_results": SAFE}],
    ),
    "mistral": body(
        {
            "content": [
                {"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}], "closed": True},
                {"type": "text", "text": "Hi"},
            ],
            "tool_calls": None,
        }
    ),
}
