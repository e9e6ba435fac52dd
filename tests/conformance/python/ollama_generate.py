"""`ollama` (Python): `Client.generate`, streamed or not."""

from __future__ import annotations

import ollama

from tests.conformance.python.loop import Ask, Heard, serve


def run(ask: Ask, heard: Heard) -> None:
    client = ollama.Client(host=ask.base, headers={"authorization": f"Bearer {ask.key}", **ask.headers})
    answer = client.generate(model=ask.model, prompt=ask.prompt, stream=ask.stream)
    text = ""
    for part in answer if ask.stream else [answer]:
        text += part.response or ""
        if ask.stream:
            heard.streamed[0] = text
        heard.reasoning += part.thinking or ""
        if part.done:
            heard.finish, heard.tokens = [part.done_reason], part.eval_count
    heard.text = [text]


if __name__ == "__main__":
    serve(run)
