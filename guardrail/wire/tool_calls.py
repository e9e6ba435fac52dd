"""The tool calls of one choice of Chat Completions, withheld until the choice has finished.

Clean calls go out as the events that came in; when any of them was edited, or there was too much to keep every event,
each call is said whole in one event. When one halts, none is delivered.
"""

from __future__ import annotations

from typing import Any

from guardrail.wire.openai_chat_chunk import call_entries
from guardrail.wire.sse import data_event
from guardrail.wire.strict_json import dumps
from guardrail.wire.withheld import Part, Text


class _Call:
    __slots__ = ("arguments", "entry", "name")

    def __init__(self) -> None:
        self.entry: dict[str, Any] = {}
        self.name: list[str] = []
        self.arguments: list[str] = []

    def add(self, entry: dict[str, Any]) -> int:
        function = entry.get("function")
        function = function if isinstance(function, dict) else {}
        size = 0
        for key, parts in (("name", self.name), ("arguments", self.arguments)):
            text = function.get(key)
            if isinstance(text, str) and text:
                parts.append(text)
                size += len(text)
        for key, value in entry.items():
            if key != "function" and value is not None:
                self.entry.setdefault(key, value)
        return size


def text_size(delta: dict[str, Any]) -> int:
    """Code points of the names and arguments in a delta."""
    return sum(_Call().add(entry) for _, entry in call_entries(delta))


class ToolCalls(Part):
    """Withheld calls, and what became of them."""

    __slots__ = ("_calls", "_choice", "_first")

    def __init__(self, choice: int) -> None:
        super().__init__()
        self._choice = choice
        self._calls: dict[int | None, _Call] = {}
        self._first: dict[str, Any] = {}

    def take(self, raw: bytes, value: dict[str, Any], delta: dict[str, Any]) -> None:
        """Withhold an event that carries nothing but fragments of calls."""
        if not self.size:
            self._first = {key: found for key, found in value.items() if key not in ("choices", "usage")}
            if isinstance(delta.get("role"), str):
                self._first["role"] = delta["role"]
        self.keep(raw, sum(self._calls.setdefault(key, _Call()).add(entry) for key, entry in call_entries(delta)))

    def texts(self) -> list[Text]:
        return [
            text
            for key, call in self._calls.items()
            for path in ["function_call" if key is None else f"tool_calls[{key}].function"]
            for text in (
                Text(f"{path}.name", "".join(call.name), json=False),
                Text(f"{path}.arguments", "".join(call.arguments)),
            )
        ]

    def say(self, texts: list[Text]) -> list[bytes]:
        said: list[dict[str, Any]] = []
        for (key, call), name, arguments in zip(self._calls.items(), texts[::2], texts[1::2], strict=True):
            function = {"name": name.now, "arguments": arguments.now}
            if key is None:
                said.append({"function_call": function})
            else:
                said.append({"tool_calls": [{"index": key, **call.entry, "function": function}]})
        role = self._first.pop("role", None)
        if role:
            said[0] = {"role": role, **said[0]}
        return [
            data_event(
                dumps({**self._first, "choices": [{"index": self._choice, "delta": delta, "finish_reason": None}]})
            )
            for delta in said
        ]
