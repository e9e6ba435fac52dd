"""`litellm`: `completion` with `stream_chunk_builder`, through one of its providers."""

from __future__ import annotations

import json
import os
from typing import Any

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else it fetches its price list when it is imported

import litellm

from tests.conformance.python.loop import Ask, Heard, each, serve, value

litellm.telemetry = False
litellm.suppress_debug_info = True

PATHS = {"openai": "/v1", "anthropic": "", "ollama_chat": "", "gemini": "/v1beta"}
"""What each provider puts after the server's address."""


async def run(ask: Ask, heard: Heard) -> None:
    fields: dict[str, Any] = {
        "model": f"{ask.provider}/{ask.model}",
        "messages": ask.messages,
        "api_base": ask.base + PATHS[ask.provider],
        "api_key": ask.key,
        "extra_headers": ask.headers,
        "max_retries": 0,
        "num_retries": 0,
    }
    if ask.n > 1:
        fields["n"] = ask.n
    if ask.tools:
        fields["tools"] = ask.chat_tools
    if ask.stream:
        fields |= {"stream": True, "stream_options": {"include_usage": True}}
    completion = litellm.acompletion if ask.asynchronous else litellm.completion
    answer: Any = await value(completion(**fields))
    heard.streamed = [""] * ask.n
    if ask.stream:
        chunks = []
        async for chunk in each(ask, answer):
            chunks.append(chunk)
            for part in chunk.choices:
                heard.streamed[part.index] += part.delta.content or ""
                heard.reasoning += getattr(part.delta, "reasoning_content", None) or ""
        answer = litellm.stream_chunk_builder(chunks, messages=ask.messages)
    for choice in answer.choices:
        heard.text.append(choice.message.content or "")
        heard.finish.append(choice.finish_reason)
        heard.reasoning = getattr(choice.message, "reasoning_content", None) or ""
        for call in choice.message.tool_calls or ():
            heard.calls.append([call.function.name, json.loads(call.function.arguments)])
    heard.tokens = answer.usage.completion_tokens


if __name__ == "__main__":
    serve(run)
