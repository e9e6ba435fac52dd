"""`anthropic` (Python): the `messages.stream()` helper with `get_final_message()`, or `create` for one body."""

from __future__ import annotations

from typing import Any

import anthropic

from tests.conformance.python.loop import PARAMETERS, Ask, Heard, Letter, each, entered, serve, value


async def run(ask: Ask, heard: Heard) -> None:
    fields: dict[str, Any] = {
        "model": ask.model,
        "max_tokens": 1024,
        "messages": ask.messages,
        "extra_headers": ask.headers,
    }
    if ask.tools:
        fields["tools"] = [{"name": name, "description": name, "input_schema": PARAMETERS} for name in ask.tools]
    if ask.json:
        fields["output_format"] = Letter
    twin = anthropic.AsyncAnthropic if ask.asynchronous else anthropic.Anthropic
    async with entered(twin(base_url=ask.base, api_key=ask.key, max_retries=0)) as client:
        if ask.stream:
            async with entered(client.messages.stream(**fields)) as stream:
                async for event in each(ask, stream):
                    if event.type == "text":
                        heard.streamed[0] += event.text
                    elif event.type == "thinking":
                        heard.reasoning += event.thinking
                message: Any = await value(stream.get_final_message())
        else:
            message = await value(client.messages.create(**fields))
    heard.note = (message.model_extra or {}).get("guardrail")
    heard.text = ["".join(block.text for block in message.content if block.type == "text")]
    heard.reasoning = "".join(block.thinking for block in message.content if block.type == "thinking")
    heard.calls = [[block.name, block.input] for block in message.content if block.type == "tool_use"]
    heard.finish = [message.stop_reason]
    if ask.json:
        heard.parsed = message.parsed_output.model_dump()
    heard.tokens = message.usage.output_tokens


if __name__ == "__main__":
    serve(run)
