"""`langchain-openai`: `ChatOpenAI.stream` added up, or `invoke`, over Chat Completions or Responses."""

from __future__ import annotations

import os
from typing import Any

os.environ["LANGSMITH_TRACING"] = "false"

from langchain_openai import ChatOpenAI

from tests.conformance.python.loop import Ask, Heard, Letter, each, serve, value


async def run(ask: Ask, heard: Heard) -> None:
    model: Any = ChatOpenAI(
        base_url=f"{ask.base}/v1",
        api_key=ask.key,  # type: ignore[arg-type]
        model=ask.model,
        max_retries=0,
        default_headers=ask.headers,
        use_responses_api=ask.provider == "responses",
        stream_usage=True,
    )
    if ask.tools:
        model = model.bind_tools(ask.chat_tools)
    if ask.json:
        structured = model.with_structured_output(Letter, method="json_schema")
        letter = await value((structured.ainvoke if ask.asynchronous else structured.invoke)(ask.prompt))
        heard.parsed = letter.model_dump()
        return
    if ask.stream:
        whole: Any = None
        async for chunk in each(ask, (model.astream if ask.asynchronous else model.stream)(ask.prompt)):
            heard.streamed[0] += chunk.text
            whole = chunk if whole is None else whole + chunk
    else:
        whole = await value((model.ainvoke if ask.asynchronous else model.invoke)(ask.prompt))
    heard.text = [str(whole.text)]
    for block in whole.content_blocks:
        if block["type"] == "reasoning":
            heard.reasoning += block.get("reasoning", "")
    for part in whole.content if isinstance(whole.content, list) else ():
        if part["type"] == "refusal":
            heard.refusal += part["refusal"]
    heard.calls = [[call["name"], call["args"]] for call in whole.tool_calls]
    said = whole.response_metadata
    heard.finish = [said.get("finish_reason") or said.get("status")]
    heard.tokens = whole.usage_metadata["output_tokens"] if whole.usage_metadata else None


if __name__ == "__main__":
    serve(run)
