"""`ollama` (Python): `Client.generate`, streamed or not."""

from __future__ import annotations

from typing import Any

import ollama

from tests.conformance.python.loop import Ask, Heard, each, serve, value


async def run(ask: Ask, heard: Heard) -> None:
    twin = ollama.AsyncClient if ask.asynchronous else ollama.Client
    client: Any = twin(host=ask.base, headers={"authorization": f"Bearer {ask.key}", **ask.headers})
    answer = await value(client.generate(model=ask.model, prompt=ask.prompt, stream=ask.stream))
    text = ""
    async for part in each(ask, answer if ask.stream else [answer]):
        text += part.response or ""
        if ask.stream:
            heard.streamed[0] = text
        heard.reasoning += part.thinking or ""
        if part.done:
            heard.finish, heard.tokens = [part.done_reason], part.eval_count
    heard.text = [text]


if __name__ == "__main__":
    serve(run)
