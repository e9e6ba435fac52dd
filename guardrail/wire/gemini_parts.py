"""The parts of a Gemini candidate, and the stretches that they make.

A candidate is a choice. A stretch of parts of text, or of thoughts, is one channel, anything between two of them ends
it. Stretches are numbered in the order in which they come: `parts[0].thought`, `parts[1].text`,
`parts[2].functionCall`.

Shapes: the API reference of the Gemini API (`GenerateContentResponse`) and of Vertex AI, and the types of google-genai.
"""

from __future__ import annotations

from typing import Any, NamedTuple

ENVELOPE = ("modelVersion", "createTime", "responseId")
"""What every chunk of a response says of it; our own chunks repeat the upstream's."""

CALL = "functionCall"
GROUNDING = "groundingMetadata"
"""It quotes the answer (`groundingSupports[].segment.text`), so it is withheld until the candidate has finished."""

VALUES = {
    "executableCode": "code",
    "codeExecutionResult": "output",
    "toolCall": "args",
    "toolResponse": "response",
    "functionResponse": "response",
}
"""Parts that are whole in one event, and where their text is. What else they hold is names and ids."""

WHOLE = ("citationMetadata", "urlContextMetadata", "urlRetrievalMetadata", "groundingAttributions", "finishMessage")
"""Fields of a candidate that are whole in one event. Titles, addresses, and the call that the model got wrong."""

UNSPECIFIED = (None, "", 0, "FINISH_REASON_UNSPECIFIED")
"""Finish reasons of a candidate that has not finished."""


MAX_STRETCHES = 4096
"""Of a candidate. An answer has a few; the cap is on what a server can make a stream remember."""


class Stretch(NamedTuple):
    """Where a candidate is: its last stretch of parts."""

    number: int
    kind: str
    """The key of its parts; "thought" for text that is one."""
    open: bool
    """More of the same kind belongs to it."""

    @property
    def key(self) -> str:
        return f"parts[{self.number}].{self.kind}"


def next_stretch(now: Stretch | None, kind: str) -> Stretch:
    """The stretch that a part of this kind belongs to."""
    if now is None:
        return Stretch(0, kind, True)
    return now if now.open and now.kind == kind else Stretch(now.number + 1, kind, True)


def kind_of(part: dict[str, Any]) -> str:
    """What a part is: "" when it carries no model text."""
    if isinstance(part.get("text"), str) and part["text"]:
        return "thought" if part.get("thought") else "text"
    if isinstance(part.get(CALL), dict):
        return CALL
    return next((kind for kind, key in VALUES.items() if isinstance(part.get(kind), dict) and part[kind].get(key)), "")


def parts_of(candidate: dict[str, Any]) -> list[dict[str, Any]]:
    """The parts of a candidate that `strip_response` has seen. What is no object in their list says nothing."""
    content = candidate.get("content")
    parts = content.get("parts") if isinstance(content, dict) else None
    return [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []


def said_by(candidate: dict[str, Any]) -> str:
    """All of its text, thoughts and answer."""
    return "".join(part["text"] for part in parts_of(candidate) if isinstance(part.get("text"), str))
