"""`google-genai` (Python): `generate_content_stream`, or `generate_content` for one body."""

from __future__ import annotations

from typing import Any

from google import genai
from google.genai import types

from tests.conformance.python.loop import PARAMETERS, Ask, Heard, Letter, each, serve, value


async def run(ask: Ask, heard: Heard) -> None:
    options = types.HttpOptions(base_url=ask.base, headers=ask.headers)
    client = genai.Client(api_key=ask.key, http_options=options)
    tools = [
        types.Tool(
            function_declarations=[
                types.FunctionDeclaration(name=name, description=name, parameters_json_schema=PARAMETERS)
                for name in ask.tools
            ]
        )
    ]
    config = types.GenerateContentConfig(
        candidate_count=ask.n if ask.n > 1 else None,
        tools=tools if ask.tools else None,
        response_mime_type="application/json" if ask.json else None,
        response_schema=Letter if ask.json else None,
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
    )
    fields: dict[str, Any] = {"model": ask.model, "contents": ask.prompt, "config": config}
    # Only of a whole answer does it make an object.
    models: Any = client.aio.models if ask.asynchronous else client.models
    if ask.stream and not ask.json:
        answers = await value(models.generate_content_stream(**fields))
    else:
        answers = [await value(models.generate_content(**fields))]
    texts = [""] * ask.n
    heard.finish = [None] * ask.n
    async for answer in each(ask, answers):
        if answer.prompt_feedback and answer.prompt_feedback.block_reason:
            heard.finish = [answer.prompt_feedback.block_reason.name]
            heard.refusal = answer.prompt_feedback.block_reason_message or ""
        for number, candidate in enumerate(answer.candidates or ()):
            index = candidate.index if candidate.index is not None else number
            for part in (candidate.content.parts if candidate.content else None) or ():
                if part.thought:
                    heard.reasoning += part.text or ""
                elif part.function_call:
                    heard.calls.append([part.function_call.name, dict(part.function_call.args or {})])
                else:
                    texts[index] += part.text or ""
            if candidate.finish_reason:
                heard.finish[index] = candidate.finish_reason.name
        if ask.stream:
            heard.streamed = list(texts)
        if ask.json and isinstance(answer.parsed, Letter):
            heard.parsed = answer.parsed.model_dump()
        if answer.usage_metadata:
            heard.tokens = answer.usage_metadata.candidates_token_count or heard.tokens
    heard.text = texts


if __name__ == "__main__":
    serve(run)
