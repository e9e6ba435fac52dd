"""What carries no model text, through the clients that ask for it: lists of models, embeddings, counts of tokens."""

from __future__ import annotations

from typing import Any

import anthropic
import ollama
import openai
from google import genai

from tests.conformance.python.loop import Ask, Heard, serve


async def run(ask: Ask, heard: Heard) -> None:
    found = ASKED[ask.provider](ask)
    heard.text = [str(value) for value in found]


def _openai(ask: Ask) -> list[Any]:
    with openai.OpenAI(base_url=f"{ask.base}/v1", api_key=ask.key, max_retries=0) as client:
        return [
            [model.id for model in client.models.list()],
            client.embeddings.create(model="sim", input=["a", "b"]).data[1].embedding,
        ]


def _anthropic(ask: Ask) -> list[Any]:
    with anthropic.Anthropic(base_url=ask.base, api_key=ask.key, max_retries=0) as client:
        counted = client.messages.count_tokens(model="sim", messages=[{"role": "user", "content": ask.prompt}])
        return [[model.id for model in client.models.list()], counted.input_tokens]


def _ollama(ask: Ask) -> list[Any]:
    client = ollama.Client(host=ask.base, headers={"authorization": f"Bearer {ask.key}"})
    listed = [model.model for model in client.list().models]
    return [listed, list(client.embed(model="sim", input="a").embeddings[0])]


def _google(ask: Ask) -> list[Any]:
    client = genai.Client(api_key=ask.key, http_options={"base_url": ask.base})
    listed = [model.name for model in client.models.list()]
    return [listed, client.models.count_tokens(model="sim", contents=ask.prompt).total_tokens]


ASKED = {"openai": _openai, "anthropic": _anthropic, "ollama": _ollama, "google": _google}


if __name__ == "__main__":
    serve(run)
