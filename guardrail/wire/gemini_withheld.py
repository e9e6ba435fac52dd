"""What is withheld of a Gemini candidate: a function call until it is whole, the grounding until the text it quotes is.

A call mostly comes whole; Vertex can stream its arguments, as values at JSON paths. The grounding quotes the answer and
counts its bytes: where the answer was edited, that part of it (`groundingSupports`) is no longer true, and is left out.
"""

from __future__ import annotations

from typing import Any

from guardrail.text.scanner import RuleSet
from guardrail.wire.choice import Choice
from guardrail.wire.gemini_event import Framing
from guardrail.wire.gemini_parts import CALL, GROUNDING, kind_of, parts_of
from guardrail.wire.gemini_unknown import is_partial
from guardrail.wire.strict_json import dumps, loads
from guardrail.wire.whole_text import Verdicts
from guardrail.wire.withheld import Part, Text


def call_size(call: dict[str, Any]) -> int:
    """Code points of text in a piece of a call."""
    name, args = call.get("name"), call.get("args")
    size = len(name) if isinstance(name, str) else 0
    size += len(dumps(args).decode()) if args is not None else 0
    return size + sum(len(str(value)) for entry in _partials(call) for value in entry.values())


def _partials(call: dict[str, Any]) -> list[dict[str, Any]]:
    partial = call.get("partialArgs")
    return [entry for entry in partial if is_partial(entry)] if isinstance(partial, list) else []


class FunctionCall(Part):
    """One call of a function."""

    __slots__ = ("_args", "_call", "_first", "_framing", "_key", "_name", "_partial")

    def __init__(self, key: str, framing: Framing) -> None:
        """`key`: of its stretch of parts."""
        super().__init__()
        self._key = key
        self._framing = framing
        self._first: tuple[dict[str, Any], bytes] = ({}, b"")
        """(event, head) of its first piece."""
        self._call: dict[str, Any] = {}
        self._name: list[str] = []
        self._args: list[object] = []
        self._partial: dict[str, list[str] | object] = {}

    def take(self, raw: bytes, value: dict[str, Any], call: dict[str, Any]) -> None:
        """Withhold an event that carries nothing but a piece of it."""
        if not self.size:
            self._first = value, raw
        for key, found in call.items():
            if key not in ("name", "args", "partialArgs", "willContinue"):
                self._call.setdefault(key, found)
        if isinstance(call.get("name"), str):
            self._name.append(call["name"])
        if call.get("args") is not None:
            self._args.append(call["args"])
        for entry in _partials(call):
            self._add(entry)
        self.keep(raw, call_size(call))

    def _add(self, entry: dict[str, Any]) -> None:
        path = entry["jsonPath"]
        kept = self._partial.get(path)
        if "stringValue" in entry:
            if not isinstance(kept, list):
                kept = self._partial[path] = []
            kept.append(entry["stringValue"])
        else:
            value = next((entry[key] for key in ("numberValue", "boolValue") if key in entry), None)
            if kept is None or value is not None:
                self._partial[path] = value

    def texts(self) -> list[Text]:
        values = {path: "".join(value) if isinstance(value, list) else value for path, value in self._partial.items()}
        return [
            Text(f"{self._key}.name", "".join(self._name), json=False),
            *(Text(f"{self._key}.args", dumps(args).decode()) for args in self._args),
            *([Text(f"{self._key}.args", dumps(values).decode())] if values else ()),
        ]

    def say(self, texts: list[Text]) -> list[bytes]:
        value, raw = self._first
        candidate = next(c for c in value["candidates"] if isinstance(c, dict))
        part = next(part for part in parts_of(candidate) if kind_of(part) == CALL)
        call = part[CALL] = {**self._call}
        if self._name:
            call["name"] = texts[0].now
        for text in texts[1 : 1 + len(self._args)]:
            call["args"] = loads(text.now)[0]
        if self._partial:
            call["partialArgs"] = [_partial(path, now) for path, now in loads(texts[-1].now)[0].items()]
        return [self._framing.say(value, self._framing.parse(raw).head)]


def _partial(path: str, value: object) -> dict[str, Any]:
    kinds: tuple[tuple[type, str], ...] = ((str, "stringValue"), (bool, "boolValue"), (int, "numberValue"))
    key = next((key for kind, key in (*kinds, (float, "numberValue")) if isinstance(value, kind)), "nullValue")
    return {"jsonPath": path, key: "NULL_VALUE" if value is None else value}


class Grounding(Part):
    """The sources of an answer, and which of its stretches they support."""

    __slots__ = ("_choice", "_framing", "_said")

    def __init__(self, choice: Choice, framing: Framing) -> None:
        super().__init__()
        self._choice = choice
        self._framing = framing
        self._said: list[tuple[bytes, dict[str, Any]]] = []

    def take(self, raw: bytes, value: dict[str, Any], grounding: object) -> None:
        """Withhold an event that says nothing else."""
        self._said.append((raw, value))
        self.keep(raw, len(dumps(grounding).decode()))

    def texts(self) -> list[Text]:
        return [Text(GROUNDING, dumps(_grounding(value)[GROUNDING]).decode()) for _, value in self._said]

    def scan(self, rules: RuleSet, prefix: str, verdicts: Verdicts) -> None:
        if edited(self._choice):
            for _, value in self._said:
                self.dropped += leave_out_supports(_grounding(value)[GROUNDING])
                self._events = None
        super().scan(rules, prefix, verdicts)

    def say(self, texts: list[Text]) -> list[bytes]:
        events = []
        for (raw, value), text in zip(self._said, texts, strict=True):
            _grounding(value)[GROUNDING] = loads(text.now)[0]
            events.append(self._framing.say(value, self._framing.parse(raw).head))
        return events


def _grounding(value: dict[str, Any]) -> dict[str, Any]:
    """The candidate of an event that says the grounding."""
    found: dict[str, Any] = next(c for c in value["candidates"] if isinstance(c, dict))
    return found


def edited(choice: Choice) -> bool:
    """Whether the text of a choice that is settled is not what the model server said."""
    return any(channel.removed for channel in (*choice.past, *choice.channels.values()))


def leave_out_supports(grounding: object) -> int:
    """Leave out what quotes the answer, and counts in it; the code points left out."""
    if not isinstance(grounding, dict):
        return 0
    before = len(dumps(grounding).decode())
    grounding.pop("groundingSupports", None)
    return before - len(dumps(grounding).decode())
