"""A tool call of Anthropic Messages, withheld from its `content_block_start` to its `content_block_stop`.

A client may act on a call as soon as it has it, and its name is text too. A clean one goes out as the events that came;
an edited one as a start, its whole input in one delta, and a stop.
"""

from __future__ import annotations

from typing import Any

from guardrail.wire.anthropic_block import NAMES
from guardrail.wire.anthropic_event import written
from guardrail.wire.strict_json import dumps_exact, loads
from guardrail.wire.withheld import Part, Text


def size_of(said: Any) -> int:
    """Code points of text in what one event says of a call: its block at the start, a piece of its input, or None at
    the stop."""
    if isinstance(said, str):
        return len(said)
    if said is None:
        return 0
    return sum(len(text) for text in (*_names(said).values(), _early_input(said)))


class ToolBlock(Part):
    """One call, and what became of it."""

    __slots__ = ("_block", "_head", "_index", "_input", "_stop")

    def __init__(self, index: int) -> None:
        super().__init__()
        self._index = index
        self._block: dict[str, Any] = {}
        self._head: dict[str, Any] = {}
        """What the start says beside the block."""
        self._input: list[str] = []
        self._stop = b""

    def take(self, raw: bytes, value: dict[str, Any], said: Any) -> None:
        if isinstance(said, str):
            self._input.append(said)
        elif said is None:
            self._stop = raw
        else:
            self._block = said
            self._head = {key: found for key, found in value.items() if key != "content_block"}
        self.keep(raw, size_of(said))

    def texts(self) -> list[Text]:
        path = f"content[{self._index}]"
        return [
            *(Text(f"{path}.{key}", name, json=False) for key, name in _names(self._block).items()),
            Text(f"{path}.input", _early_input(self._block)),
            Text(f"{path}.input", "".join(self._input)),
        ]

    def say(self, texts: list[Text]) -> list[bytes]:
        *names, early, late = texts
        block = {**self._block, **{key: text.now for key, text in zip(_names(self._block), names, strict=True)}}
        if early.changed:
            block["input"] = loads(early.now)[0]
        events = [written({**self._head, "content_block": block})]
        if late.now:
            delta = {"type": "input_json_delta", "partial_json": late.now}
            events.append(written({"type": "content_block_delta", "index": self._index, "delta": delta}))
        if self._stop:
            events.append(self._stop)
        return events


def _names(block: dict[str, Any]) -> dict[str, str]:
    return {key: block[key] for key in NAMES if isinstance(block.get(key), str)}


def _early_input(block: dict[str, Any]) -> str:
    """An input that stands in the start already; "" for none, as it should be in a stream."""
    return dumps_exact(block["input"]).decode() if block.get("input") else ""
