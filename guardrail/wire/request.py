"""What the codec of a response has to know of its request, whatever the protocol; and how a request's texts are edited.

A reader per protocol makes a `ModelRequest` of a body. It never changes the body, which goes upstream as the bytes that
came unless a policy's input rules edit one of its texts. Readers are therefore strict about what two parsers could read
differently: duplicate keys are refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from guardrail.errors import WireError
from guardrail.wire.inserts import NONE, Inserts
from guardrail.wire.strict_json import dumps, loads

MAX_CHOICES = 128
"""The largest `n` of OpenAI's API; also the cap on choices in a response."""

Path = tuple[str | int, ...]
"""Where a value stands in a body: keys and indexes from the outside in."""


@dataclass(frozen=True, slots=True)
class InputText:
    """One text of a request that the model will read."""

    path: Path
    role: str
    """Who says it: "system", "user", "assistant" or "tool" (the result of a call)."""
    turn: int
    """The number of its message; texts of one message are read on as one."""
    text: str


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """What the codec of the response needs to know of the request."""

    model: str = ""
    stream: bool = False
    array: bool = False
    """The stream that the client waits for is one JSON array (Gemini's without `alt=sse`)."""
    n: int = 1
    include_usage: bool = False
    """`stream_options.include_usage`: the client waits for a usage chunk."""
    user: str = ""
    """The end user's id as the client gave it, "" for none."""
    max_tokens: int | None = None
    """The most tokens of output that the client asks for, for each choice; None when it does not say."""
    prompt_bytes: int = 0
    """UTF-8 bytes of the messages' text."""
    instructions: tuple[str, ...] = ()
    """The texts of the system messages: what a policy may have to keep from the answer."""
    prompt: str = ""
    """The text of the newest user message: what the answer is to, for a classifier."""
    inputs: tuple[InputText, ...] = ()
    """Every text of it, in the order of the conversation."""
    annotate: bool = False
    """The client wants to be told how far its text was checked, and what was found in it."""
    json_output: bool = False
    """The client asked for JSON, so that a notice in the text would break what it parses."""
    verbatim: bool = False
    """The client takes the text as it is: the prompt is repeated in it, it is put in front of something, or it has a
    grammar."""
    around: int = 0
    """Code points of text that are to be kept on both sides of what is found; 0: no text is kept."""
    said_with: Inserts = NONE
    """What guardrail is to say around the words of the model."""

    @property
    def takes_inserts(self) -> bool:
        """Whether anything can be said there: not where a program takes the text as it is, nor where the conversation
        ends with the model's own words, which the answer goes on with."""
        return not (self.json_output or self.verbatim or (self.inputs and self.inputs[-1].role == "assistant"))

    @property
    def inserts(self) -> Inserts:
        """What it says of that."""
        return self.said_with if self.takes_inserts else NONE

    @property
    def prompt_tokens(self) -> int:
        """An estimate, for where upstream cannot say: one for every four bytes of text, a rule of thumb for English
        that is not far off for other scripts."""
        return -(-self.prompt_bytes // 4)


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object that a request is. Raises WireError with a message fit for the client (400)."""
    try:
        value, duplicate = loads(body)
    except WireError:
        raise WireError("The request body is not valid JSON.") from None
    if not isinstance(value, dict):
        raise WireError("The request body must be a JSON object.")
    if duplicate:
        raise WireError("The request body has an object with the same key twice.")
    return value


def optional(value: dict[str, Any], key: str, kind: type, named: str) -> Any:
    """The field, None when it is missing or null. Raises WireError when it is of another kind."""
    field = value.get(key)
    if field is None or (isinstance(field, kind) and not (kind is int and isinstance(field, bool))):
        return field
    raise WireError(f"{key!r} must be {named}.")


def token_cap(value: dict[str, Any], *keys: str) -> int | None:
    """The first of these fields that is a number of tokens; None without one. What is none is upstream's to refuse."""
    for key in keys:
        cap = value.get(key)
        if isinstance(cap, int | float) and not isinstance(cap, bool) and 0 <= cap < 2**53:
            return int(cap)
    return None


def told(inputs: tuple[InputText, ...]) -> dict[str, Any]:
    """What the texts of a request say of it: the fields `inputs`, `prompt_bytes`, `instructions` and `prompt`."""
    turns: dict[int, tuple[str, list[str]]] = {}
    for said in inputs:
        if said.text:
            turns.setdefault(said.turn, (said.role, []))[1].append(said.text)
    messages = [(role, "\n".join(texts)) for role, texts in turns.values()]
    return {
        "inputs": inputs,
        "prompt_bytes": sum(len(said.text.encode("utf-8", "surrogatepass")) for said in inputs),
        "instructions": tuple(text for role, text in messages if role == "system"),
        "prompt": next((text for role, text in reversed(messages) if role == "user"), ""),
    }


def with_texts(body: bytes, texts: Mapping[Path, str]) -> bytes:
    """The body with other texts at these places."""
    value, _ = loads(body)
    for path, text in texts.items():
        owner = value
        for step in path[:-1]:
            owner = owner[step]
        owner[path[-1]] = text
    return dumps(value)
