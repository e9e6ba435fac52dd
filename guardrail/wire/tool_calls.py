"""The tool calls of one choice, withheld until the choice has finished.

A client may act on a call as soon as it has it, so no part of one is delivered before all of it was scanned. Clean
calls go out as the events that came in; when any of them was edited, or there was too much to keep every event, each
call is said whole in one event. When one halts, none is delivered.
"""

from __future__ import annotations

from typing import Any

from guardrail.text.rules import Finding
from guardrail.text.scanner import RuleSet
from guardrail.text.scoring import Tally
from guardrail.wire.openai_chat_chunk import call_entries
from guardrail.wire.sse import data_event
from guardrail.wire.strict_json import dumps, whole_surrogates
from guardrail.wire.tool_arguments import guard_arguments, guard_whole
from guardrail.wire.whole_text import Verdicts

KEPT_BYTES = 1 << 18
"""Of events kept as they came, per choice. An event is some fifty times its fragment of arguments: beyond this only
the text is kept, and the calls are said whole."""


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


class ToolCalls:
    """Withheld calls, and what became of them."""

    __slots__ = (
        "_calls",
        "_events",
        "_first",
        "dropped",
        "findings",
        "received",
        "removed",
        "size",
        "tally",
        "withheld",
    )

    def __init__(self) -> None:
        self._calls: dict[int | None, _Call] = {}
        self._events: list[bytes] | None = []
        self._first: dict[str, Any] = {}
        self.size = 0
        """Bytes of the events taken."""
        self.received = 0
        """Code points of names and arguments."""
        self.withheld = 0
        """Of those, the ones whose fate is open."""
        self.removed = 0
        self.dropped = 0
        """Not delivered, though no rule removed them."""
        self.findings: list[Finding] = []
        self.tally = Tally()

    def take(self, raw: bytes, value: dict[str, Any], delta: dict[str, Any]) -> None:
        """Withhold an event that carries nothing but fragments of calls."""
        if not self.size:
            self._first = {key: found for key, found in value.items() if key not in ("choices", "usage")}
            if isinstance(delta.get("role"), str):
                self._first["role"] = delta["role"]
        self.size += len(raw)
        if self._events is not None:
            self._events.append(raw)
            if self.size > KEPT_BYTES:
                self._events = None
        for key, entry in call_entries(delta):
            size = self._calls.setdefault(key, _Call()).add(entry)
            self.received += size
            self.withheld += size

    def drop(self) -> None:
        """The calls will not be delivered."""
        self.dropped += self.withheld
        self.withheld = 0
        self._calls.clear()
        self._events = None

    def release(
        self, rules: RuleSet, choice: int, prefix: str, verdicts: Verdicts
    ) -> tuple[list[bytes], Finding | None] | None:
        """The choice has finished: the events to deliver, or the finding that halts it. `prefix` begins the paths of
        this choice's channels. None, and nothing changes, when verdicts are missing."""
        scanned = []
        for key, call in self._calls.items():
            path = f"{prefix}function_call" if key is None else f"{prefix}tool_calls[{key}].function"
            name, arguments = "".join(call.name), "".join(call.arguments)
            outcomes = (
                guard_whole(rules, whole_surrogates(name), f"{path}.name"),
                guard_arguments(rules, whole_surrogates(arguments), f"{path}.arguments", verdicts),
            )
            scanned.append((key, call, name, arguments, outcomes))
        if verdicts.missing:
            return None
        self.withheld = 0
        said: list[dict[str, Any]] = []
        changed = False
        for key, call, name, arguments, outcomes in scanned:
            for outcome in outcomes:
                self.findings += outcome.findings
                self.tally.add(outcome.tally)
                if outcome.halted is not None:
                    self.removed = self.received
                    return [], outcome.halted
                self.removed += outcome.removed
            changed = changed or outcomes[0].text != name or outcomes[1].text != arguments
            function = {"name": outcomes[0].text, "arguments": outcomes[1].text}
            if key is None:
                said.append({"function_call": function})
            else:
                said.append({"tool_calls": [{"index": key, **call.entry, "function": function}]})
        if self._events is not None and not changed:
            return self._events, None
        role = self._first.pop("role", None)
        return [
            data_event(dumps({**self._first, "choices": [{"index": choice, "delta": delta, "finish_reason": None}]}))
            for delta in ({"role": role, **said[0]} if role else said[0], *said[1:])
        ], None
