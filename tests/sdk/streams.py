"""Streams of real SDKs from the simulated model server, synchronous and not, and what a reader adds up of each."""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

import anthropic
import ollama
import openai
from google import genai


def messages(prompt: str) -> list[Any]:
    return [{"role": "user", "content": prompt}]


@dataclass(frozen=True)
class Stream:
    """One method of an SDK. `text`: what one item says; `ending`: the word it ends with, from its last items."""

    name: str
    sync: Callable[[str, str], Iterable[Any]]
    asynchronous: Callable[[str, str], Awaitable[AsyncIterable[Any]]]
    text: Callable[[Any], str]
    ending: Callable[[list[Any]], Any]
    halted: Any = "content_filter"


def openai_of(url: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{url}/v1", api_key="k", max_retries=0)


def async_openai_of(url: str) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="k", max_retries=0)


_ALIVE: list[genai.Client] = []
"""A client closes its connections when it is forgotten, streams or not."""


def genai_of(url: str) -> genai.Client:
    client = genai.Client(api_key="k", http_options={"base_url": url})
    _ALIVE.append(client)
    return client


def anthropic_of(url: str) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=url, api_key="k", max_retries=0)


def async_anthropic_of(url: str) -> anthropic.AsyncAnthropic:
    return anthropic.AsyncAnthropic(base_url=url, api_key="k", max_retries=0)


TOOLS: list[Any] = [{"name": "write_file", "input_schema": {"type": "object"}}]


def claude(prompt: str) -> dict[str, Any]:
    return {"model": "m", "max_tokens": 500, "messages": messages(prompt), "tools": TOOLS}


def said_by_event(event: Any) -> str:
    """Of events that have a `delta`."""
    delta = getattr(event, "delta", "")
    if isinstance(delta, str):
        return delta if event.type in ("response.output_text.delta", "response.refusal.delta") else ""
    return getattr(delta, "text", "") or ""


STREAMS = [
    Stream(
        "openai, chat",
        lambda url, ask: openai_of(url).chat.completions.create(model="m", messages=messages(ask), stream=True),
        lambda url, ask: async_openai_of(url).chat.completions.create(model="m", messages=messages(ask), stream=True),
        lambda chunk: chunk.choices[0].delta.content or "",
        lambda chunks: chunks[-1].choices[0].finish_reason,
    ),
    Stream(
        "openai, completions",
        lambda url, ask: openai_of(url).completions.create(model="m", prompt=ask, stream=True),
        lambda url, ask: async_openai_of(url).completions.create(model="m", prompt=ask, stream=True),
        lambda chunk: chunk.choices[0].text,
        lambda chunks: chunks[-1].choices[0].finish_reason,
    ),
    Stream(
        "openai, responses",
        lambda url, ask: openai_of(url).responses.create(model="m", input=ask, stream=True),
        lambda url, ask: async_openai_of(url).responses.create(model="m", input=ask, stream=True),
        said_by_event,
        lambda events: (events[-1].type, events[-1].response.output[-1].content[-1].type),
        ("response.completed", "refusal"),
    ),
    Stream(
        "anthropic",
        lambda url, ask: anthropic_of(url).messages.create(**claude(ask), stream=True),
        lambda url, ask: async_anthropic_of(url).messages.create(**claude(ask), stream=True),
        said_by_event,
        lambda events: (events[-2].delta.stop_reason, events[-1].type),
        ("refusal", "message_stop"),
    ),
    Stream(
        "google-genai",
        lambda url, ask: genai_of(url).models.generate_content_stream(model="m", contents=ask),
        lambda url, ask: genai_of(url).aio.models.generate_content_stream(model="m", contents=ask),
        lambda response: response.text or "",
        lambda responses: responses[-1].candidates[0].finish_reason.value,
        "SAFETY",
    ),
    Stream(
        "ollama, chat",
        lambda url, ask: ollama.Client(host=url).chat("m", messages(ask), stream=True),
        lambda url, ask: ollama.AsyncClient(host=url).chat("m", messages(ask), stream=True),
        lambda answer: answer.message.content or "",
        lambda answers: answers[-1].done_reason,
    ),
    Stream(
        "ollama, generate",
        lambda url, ask: ollama.Client(host=url).generate("m", ask, stream=True),
        lambda url, ask: ollama.AsyncClient(host=url).generate("m", ask, stream=True),
        lambda answer: answer.response or "",
        lambda answers: answers[-1].done_reason,
    ),
]
