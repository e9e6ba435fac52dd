"""`openai` (Python), legacy Completions: `create`, streamed or not; the client has no other helper for them."""

from __future__ import annotations

from typing import Any

import openai

from tests.conformance.python.loop import Ask, Heard, each, entered, serve, value


async def run(ask: Ask, heard: Heard) -> None:
    fields: dict[str, Any] = {"model": ask.model, "prompt": ask.prompt, "n": ask.n, "extra_headers": ask.headers}
    heard.streamed = [""] * ask.n
    twin = openai.AsyncOpenAI if ask.asynchronous else openai.OpenAI
    async with entered(twin(base_url=f"{ask.base}/v1", api_key=ask.key, max_retries=0)) as client:
        if not ask.stream:
            completion = await value(client.completions.create(**fields))
            heard.note = (completion.model_extra or {}).get("guardrail")
            heard.text = [choice.text for choice in completion.choices]
            heard.finish = [choice.finish_reason for choice in completion.choices]
            heard.tokens = completion.usage.completion_tokens if completion.usage else None
            return
        heard.finish = [None] * ask.n
        fields |= {"stream": True, "stream_options": {"include_usage": True}}
        async for chunk in each(ask, await value(client.completions.create(**fields))):
            heard.note = heard.note or (chunk.model_extra or {}).get("guardrail")
            for choice in chunk.choices:
                heard.streamed[choice.index] += choice.text
                heard.finish[choice.index] = choice.finish_reason or heard.finish[choice.index]
            heard.tokens = chunk.usage.completion_tokens if chunk.usage else heard.tokens
        heard.text = list(heard.streamed)


if __name__ == "__main__":
    serve(run)
