"""How a client's script is driven: one JSON line in for each question, one JSON line out for what its user got.

A script gives `run(ask, heard)`, which puts a question to the real client and fills in `heard` as it goes; so when the
client raises, what its user had until then is still told.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from pydantic import BaseModel

PARAMETERS: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": True}


class Letter(BaseModel):
    """What structured output is parsed as."""

    to: str
    about: str


@dataclass(slots=True)
class Ask:
    """One question. `base`: the server's address without a path. `provider`: which of a client's protocols to use.
    `json`: whether the answer is to be a `Letter`, by way of the client's own helper for structured output.
    `asynchronous`: whether to use the client's asynchronous twin."""

    base: str
    key: str
    prompt: str
    model: str = "sim"
    stream: bool = True
    tools: list[str] = field(default_factory=list)
    n: int = 1
    provider: str = ""
    json: bool = False
    asynchronous: bool = False
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [{"role": "user", "content": self.prompt}]

    @property
    def chat_tools(self) -> list[dict[str, Any]]:
        """The tools as Chat Completions and Ollama take them."""
        return [
            {"type": "function", "function": {"name": name, "description": name, "parameters": PARAMETERS}}
            for name in self.tools
        ]


@dataclass(slots=True)
class Heard:
    """What the client's user got, choice by choice where there are several.

    `streamed`: the text as it came; `text`: the whole that the client's own helper made of it. `note`: guardrail's own
    note, where the client keeps fields that it does not know.
    """

    streamed: list[str] = field(default_factory=lambda: [""])
    text: list[str] = field(default_factory=list)
    refusal: str = ""
    reasoning: str = ""
    calls: list[list[Any]] = field(default_factory=list)
    finish: list[str | None] = field(default_factory=list)
    tokens: int | None = None
    note: Any = None
    parsed: Any = None
    helper_error: str = ""
    error: str = ""
    message: str = ""


async def value(result: Any) -> Any:
    """What a method of either twin gives."""
    return await result if inspect.isawaitable(result) else result


async def each(ask: Ask, stream: Any) -> AsyncIterator[Any]:
    """What a stream of either twin yields; some streams can be iterated in both ways, and only one of them works."""
    if ask.asynchronous and hasattr(stream, "__aiter__"):
        async for item in stream:
            yield item
    else:
        for item in stream:
            yield item


@contextlib.asynccontextmanager
async def entered(manager: Any) -> AsyncIterator[Any]:
    """A context manager of either twin."""
    if hasattr(manager, "__aenter__"):
        async with manager as inside:
            yield inside
    else:
        with manager as inside:
            yield inside


def serve(run: Callable[[Ask, Heard], Awaitable[None]]) -> None:
    """Answer questions until there are no more."""
    with asyncio.Runner() as runner:
        for line in sys.stdin:
            runner.run(_answer(run, line))


async def _answer(run: Callable[[Ask, Heard], Awaitable[None]], line: str) -> None:
    heard = Heard()
    try:
        await run(Ask(**json.loads(line)), heard)
    except Exception as error:  # whatever the client raises is its answer
        heard.error, heard.message = type(error).__name__, str(error)
    print(json.dumps(asdict(heard)), flush=True)
