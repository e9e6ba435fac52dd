"""`openai` (Python), Responses: the `.stream()` helper with `get_final_response()`, or `create` for one body."""

from __future__ import annotations

import json
from typing import Any

import openai

from tests.conformance.python.loop import PARAMETERS, Ask, Heard, Letter, each, entered, serve, value


async def run(ask: Ask, heard: Heard) -> None:
    fields: dict[str, Any] = {"model": ask.model, "input": ask.prompt, "extra_headers": ask.headers}
    if ask.tools:
        fields["tools"] = [
            {"type": "function", "name": name, "parameters": PARAMETERS, "strict": False} for name in ask.tools
        ]
    if ask.json:
        fields["text_format"] = Letter
    twin = openai.AsyncOpenAI if ask.asynchronous else openai.OpenAI
    async with entered(twin(base_url=f"{ask.base}/v1", api_key=ask.key, max_retries=0)) as client:
        if ask.stream:
            async with entered(client.responses.stream(**fields)) as stream:
                async for event in each(ask, stream):
                    if event.type == "response.output_text.delta":
                        heard.streamed[0] += event.delta
                    elif event.type == "response.reasoning_summary_text.delta":
                        heard.reasoning += event.delta
                    elif event.type == "response.refusal.delta":
                        heard.refusal += event.delta
                response: Any = await value(stream.get_final_response())
        else:
            response = await value(client.responses.create(**fields))
    heard.note = (response.model_extra or {}).get("guardrail")
    heard.text = [response.output_text]
    refusal = reasoning = ""
    for item in response.output:
        if item.type == "message":
            refusal += "".join(part.refusal for part in item.content if part.type == "refusal")
        elif item.type == "reasoning":
            reasoning += "".join(part.text for part in item.summary)
        elif item.type == "function_call":
            heard.calls.append([item.name, json.loads(item.arguments)])
    if ask.stream:
        assert (refusal, reasoning) == (heard.refusal, heard.reasoning), "the last event says what the deltas said"
    heard.refusal, heard.reasoning = refusal, reasoning
    if ask.json and response.output_parsed:
        heard.parsed = response.output_parsed.model_dump()
    detail = response.incomplete_details.reason if response.incomplete_details else None
    heard.finish = [f"{response.status}: {detail}" if detail else response.status]
    heard.tokens = response.usage.output_tokens if response.usage else None


if __name__ == "__main__":
    serve(run)
