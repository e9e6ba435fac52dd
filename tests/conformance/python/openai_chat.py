"""`openai` (Python), Chat Completions: the `.stream()` helper, or `create` for one body."""

from __future__ import annotations

import json
from typing import Any

import openai

from tests.conformance.python.loop import Ask, Heard, Letter, each, entered, serve, value


async def run(ask: Ask, heard: Heard) -> None:
    fields: dict[str, Any] = {"model": ask.model, "messages": ask.messages, "n": ask.n, "extra_headers": ask.headers}
    if ask.tools:
        fields["tools"] = ask.chat_tools
    if ask.json:
        fields["response_format"] = Letter
    heard.streamed = [""] * ask.n
    twin = openai.AsyncOpenAI if ask.asynchronous else openai.OpenAI
    async with entered(twin(base_url=f"{ask.base}/v1", api_key=ask.key, max_retries=0)) as client:
        if not ask.stream:
            create = client.chat.completions.parse if ask.json else client.chat.completions.create
            completion: Any = await value(create(**fields))
            heard.note = (completion.model_extra or {}).get("guardrail")
        else:
            fields["stream_options"] = {"include_usage": True}
            async with entered(client.chat.completions.stream(**fields)) as stream:
                async for event in each(ask, stream):
                    if event.type == "chunk":
                        heard.note = heard.note or (event.chunk.model_extra or {}).get("guardrail")
                        for part in event.chunk.choices:
                            heard.streamed[part.index] += part.delta.content or ""
                            heard.reasoning += getattr(part.delta, "reasoning_content", None) or ""
                completion = stream.current_completion_snapshot
                try:
                    await value(stream.get_final_completion())
                except openai.OpenAIError as error:
                    heard.helper_error = type(error).__name__
    for choice in completion.choices:
        message = choice.message
        heard.text.append(message.content or "")
        heard.finish.append(choice.finish_reason)
        heard.refusal = message.refusal or ""
        if ask.json:
            heard.parsed = message.parsed.model_dump()
        heard.reasoning = heard.reasoning or getattr(message, "reasoning_content", None) or ""
        for call in message.tool_calls or ():
            heard.calls.append([call.function.name, json.loads(call.function.arguments)])
    heard.tokens = completion.usage.completion_tokens if completion.usage else None


if __name__ == "__main__":
    serve(run)
