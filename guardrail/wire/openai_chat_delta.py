"""Where model text stands in a delta or message of Chat Completions, in OpenAI's shapes and those of its dialects.

Beside the plain text fields: contents in parts, with thinking among them (Mistral); reasoning under two names (vLLM,
for clients of its older versions) or once more in `reasoning_details` (OpenRouter); the transcript of spoken answers.
A place is known by its channel, and can be said alone. What is said several times is one place, edited in all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from guardrail.wire.openai_chat_unknown import TEXT_KEYS

DETAILS = "reasoning_details"
DETAIL_TEXTS = ("text", "summary")
PART_TEXTS = ("text", "thinking")
CALLS = ("tool_calls", "function_call")
REASONING = ("reasoning_content", "reasoning")

SPELLING = ("logprobs", "token_ids")
"""What spells the text of its choice again, token by token; `token_ids`: vLLM's numbers of them."""


@dataclass(frozen=True, slots=True)
class Place:
    """A text that is not empty."""

    channel: str
    owner: dict[str, Any]
    key: str
    alone: dict[str, Any]
    """A delta with nothing else in it."""

    @property
    def text(self) -> str:
        text: str = self.owner[self.key]
        return text


def places(message: dict[str, Any], *, repeated: bool = True) -> list[Place]:
    """The texts of a delta or message, in the order in which they are to be taken. `repeated`: fields that say the
    same reasoning are one place."""
    return list(_places(message, repeated=repeated))


def _places(message: dict[str, Any], *, repeated: bool) -> Iterator[Place]:
    details = list(_details(message))
    copies = _copies(message, details) if repeated else frozenset()
    for key in TEXT_KEYS:
        text = message.get(key)
        if isinstance(text, str) and text:
            if key in copies:
                if key == min(copies & set(REASONING), key=REASONING.index):
                    yield Place(key, message, key, {name: message[name] for name in copies})
            else:
                yield Place(key, message, key, {key: text})
        elif key == "content" and isinstance(text, list):
            yield from _parts(text)
        if key == REASONING[-1] and DETAILS not in copies:
            for entry, name in details:
                yield Place(DETAILS, entry, name, {DETAILS: [_only(entry, name, DETAIL_TEXTS)]})
    audio = message.get("audio")
    if isinstance(audio, dict) and isinstance(audio.get("transcript"), str) and audio["transcript"]:
        yield Place("audio.transcript", audio, "transcript", {"audio": {"transcript": audio["transcript"]}})


def _copies(message: dict[str, Any], details: list[tuple[dict[str, Any], str]]) -> frozenset[str]:
    """The fields that all say the same reasoning, when there are several."""
    said = {key: message[key] for key in REASONING if isinstance(message.get(key), str) and message[key]}
    if details:
        said[DETAILS] = "".join(entry[name] for entry, name in details)
    first = next(iter(said.values()), None)
    copies = frozenset(key for key, text in said.items() if text == first)
    return copies if len(copies) > 1 else frozenset()


def _parts(content: list[Any]) -> Iterator[Place]:
    for part in content:
        if not isinstance(part, dict):
            continue
        if isinstance(part.get("text"), str) and part["text"]:
            yield Place("content", part, "text", {"content": [_only(part, "text", PART_TEXTS)]})
        thinking = part.get("thinking")
        for thought in thinking if isinstance(thinking, list) else ():
            if isinstance(thought, dict) and isinstance(thought.get("text"), str) and thought["text"]:
                alone = {**_only(part, "thinking", PART_TEXTS), "thinking": [thought]}
                yield Place("thinking", thought, "text", {"content": [alone]})


def _only(entry: dict[str, Any], name: str, texts: tuple[str, ...]) -> dict[str, Any]:
    return {key: found for key, found in entry.items() if key == name or key not in texts}


def _details(message: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    entries = message.get(DETAILS)
    for entry in entries if isinstance(entries, list) else ():
        for name in DETAIL_TEXTS:
            if isinstance(entry, dict) and isinstance(entry.get(name), str) and entry[name]:
                yield entry, name


def put(message: dict[str, Any], place: Place, text: str) -> None:
    """Another text in a place, and where it is repeated."""
    if DETAILS in place.alone and place.channel != DETAILS:
        for number, (entry, name) in enumerate(_details(message)):
            entry[name] = "" if number else text
    for key in REASONING:
        if key in place.alone:
            message[key] = text
    place.owner[place.key] = text


def without_texts(message: dict[str, Any]) -> dict[str, Any]:
    """A delta without its texts, calls and annotations: what it says besides."""
    taken = {*TEXT_KEYS, *CALLS, DETAILS, "annotations", "audio"}
    rest = {key: found for key, found in message.items() if key not in taken}
    others: dict[str, list[Any]] = {}
    for key, known in (("content", PART_TEXTS), (DETAILS, DETAIL_TEXTS)):
        entries = message.get(key)
        others[key] = [
            entry
            for entry in (entries if isinstance(entries, list) else ())
            if not (isinstance(entry, dict) and any(entry.get(name) for name in known))
        ]
    rest.update({key: found for key, found in others.items() if found})
    audio = message.get("audio")
    if isinstance(audio, dict) and (left := {key: found for key, found in audio.items() if key != "transcript"}):
        rest["audio"] = left
    return rest


def drop_spelling(choice: dict[str, Any]) -> bool:
    """Take out what spells the choice's text, which has changed; whether there was any."""
    found = [key for key in SPELLING if choice.get(key) is not None]
    for key in found:
        choice[key] = None
    return bool(found)
