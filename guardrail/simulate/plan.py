"""What is generated, in no protocol's words: from a request and a script to tokens in the order of generation.

A choice reasons, speaks, then calls tools; the choices take turns, token by token. Protocols say each `Step` in their
own shape (`dialect.py`); nothing here knows how.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from guardrail.simulate.script import Reply, Script

Reason = Literal["stop", "length", "tool_calls"]


@dataclass(slots=True)
class Ask:
    """What a request wants, as far as the simulator heeds it.

    `prompts`: the last user text, or one for each prompt of a request with several. `size`: characters of everything
    that the model would have read. `fields`: the request's own JSON, for what one protocol alone knows.
    """

    model: str
    prompts: list[str]
    size: int
    stream: bool = False
    n: int = 1
    tools: bool = False
    reasoning: bool = False
    limit: int | None = None
    fields: dict[str, Any] = field(default_factory=dict)

    @property
    def read_tokens(self) -> int:
        """Tokens of the prompt. Four characters a token: a rule of thumb, for nobody pays by it."""
        return self.size // 4 + 1


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call on its way: its place among the calls of its choice, and its name."""

    number: int
    name: str
    key: str
    """24 hexadecimal digits, of which each protocol makes the ids that it needs."""


@dataclass(frozen=True, slots=True)
class Step:
    """One token. A call begins with a step that has no text; the step that completes it is `last`."""

    choice: int
    kind: Literal["reasoning", "content", "call"]
    text: str
    call: Call | None = None
    last: bool = False


@dataclass(slots=True)
class Said:
    """What one choice has said; of calls, the JSON text of their arguments."""

    reason: Reason
    reasoning: str = ""
    content: str = ""
    calls: dict[Call, str] = field(default_factory=dict)
    complete: set[Call] = field(default_factory=set)


@dataclass(slots=True)
class Plan:
    """The tokens of one answer, and how each of its choices ends."""

    steps: list[Step]
    reasons: list[Reason]

    @classmethod
    def of(cls, ask: Ask, script: Script, size: int) -> Plan:
        """`size`: characters of one token."""
        replies = [reply for prompt in ask.prompts for reply in script.choose(prompt, ask.n)]
        lanes: list[list[Step]] = []
        reasons: list[Reason] = []
        for index, reply in enumerate(replies):
            lane = list(_lane(index, reply, ask, size))
            cut = ask.limit is not None and len(lane) > ask.limit
            called = ask.tools and bool(reply.tool_calls)
            lanes.append(lane[: ask.limit] if cut else lane)
            reasons.append("length" if cut else "tool_calls" if called else "stop")
        longest = max(map(len, lanes), default=0)
        return cls([lane[i] for i in range(longest) for lane in lanes if i < len(lane)], reasons)

    def said(self) -> list[Said]:
        """Each choice, whole."""
        choices = [Said(reason) for reason in self.reasons]
        for step in self.steps:
            choice = choices[step.choice]
            if step.call is not None:
                choice.calls[step.call] = choice.calls.get(step.call, "") + step.text
                if step.last:
                    choice.complete.add(step.call)
            elif step.kind == "content":
                choice.content += step.text
            else:
                choice.reasoning += step.text
        return choices

    @property
    def reasoning_tokens(self) -> int:
        """How many of the tokens were reasoning."""
        return sum(step.kind == "reasoning" for step in self.steps)


def pieces(text: str, size: int) -> Iterator[str]:
    """The text in tokens of `size` characters."""
    return (text[i : i + size] for i in range(0, len(text), size))


def text_of(content: Any) -> str:
    """The text of a message's content, be it a string or parts that hold some."""
    if isinstance(content, str):
        return content
    parts: Iterable[Any] = content if isinstance(content, list) else ()
    return "".join(part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str))


def last_user_text(messages: Iterable[Any], content: str = "content") -> str:
    """What the user said last; `content`: the key under which messages keep it. Raises ValueError."""
    listed = list(messages)
    if not all(isinstance(message, dict) for message in listed):
        raise ValueError("a message is no object")
    users = (m for m in reversed(listed) if m.get("role", "user") == "user")
    return next((text for m in users if (text := text_of(m.get(content)))), "")


def _lane(index: int, reply: Reply, ask: Ask, size: int) -> Iterator[Step]:
    if ask.reasoning:
        yield from (Step(index, "reasoning", piece) for piece in pieces(reply.reasoning, size))
    yield from (Step(index, "content", piece) for piece in pieces(reply.content, size))
    for number, made in enumerate(reply.tool_calls if ask.tools else ()):
        call = Call(number, made.name, uuid.uuid4().hex[:24])
        cut = list(pieces(made.arguments, size))
        yield Step(index, "call", "", call, last=not cut)
        yield from (Step(index, "call", piece, call, i == len(cut)) for i, piece in enumerate(cut, 1))
