"""One stream's items: each as an event of its protocol, and events as items again.

Promises: an event that comes out of the codec as it went in is told with the very item that it came from; any other
with a new item of the same class. What SDKs do not tell their users (errors that end a stream, pings, guardrail's own
events) is not told here either.
"""

from __future__ import annotations

import json
from collections import deque
from typing import Any

from guardrail.sdk.models import Value, built, classes_by_type, dumped
from guardrail.wire import anthropic, gemini, ollama, openai_chat, openai_responses, openai_text
from guardrail.wire.ndjson import data_line
from guardrail.wire.protocol import Protocol
from guardrail.wire.sse import data_event, parse_event, split_events

MOST_WAITING = 4096
"""Items that are remembered until their event comes out of the codec. Those of an event that was edited never do."""


class Items:
    """Chat Completions; what the other protocols do otherwise is in subclasses."""

    protocol: Protocol = openai_chat.PROTOCOL
    end = openai_chat.DONE
    """What ends a stream, which SDKs do not tell."""

    def __init__(self, first: Any) -> None:
        self._class = type(first)
        self._waiting: dict[bytes, deque[Any]] = {}

    def take(self, item: Any) -> bytes:
        """The event of an item; b"" for one that only repeats what others said."""
        raw = self._event(self._value(item))
        waiting = self._waiting
        waiting.setdefault(raw, deque()).append(item)
        if len(waiting) > MOST_WAITING:
            del waiting[next(iter(waiting))]
        return raw

    def give(self, out: bytes) -> list[Any]:
        """The items of what came out of the codec."""
        if out in self._waiting:
            return [self._came(out)]
        items = []
        for raw in self._split(out):
            if raw in self._waiting:
                items.append(self._came(raw))
            elif (value := self._said(raw)) is not None:
                items.append(self._item(value))
        return items

    def rest(self) -> list[Any]:
        """The stream has ended: items that were to come."""
        return []

    def _came(self, raw: bytes) -> Any:
        same = self._waiting[raw]
        item = same.popleft()
        if not same:
            del self._waiting[raw]
        return item

    # What a protocol says

    def _value(self, item: Any) -> Value:
        return dumped(item)

    def _event(self, value: Value) -> bytes:
        # ASCII, so that the halves of a surrogate pair that a server cut in two survive until they meet.
        return data_event(json.dumps(value, separators=(",", ":")).encode())

    def _split(self, out: bytes) -> list[bytes]:
        return split_events(out)

    def _said(self, raw: bytes) -> Value | None:
        data = parse_event(raw).data
        if data is None or data == b"[DONE]":
            return None
        value: Value = json.loads(data)
        return None if value.get("error") else value

    def _item(self, value: Value) -> Any:
        return built(self._class, value)


class CompletionItems(Items):
    """Legacy Completions."""

    protocol = openai_text.PROTOCOL


class GeminiItems(Items):
    """`generate_content_stream` of google-genai."""

    protocol = gemini.PROTOCOL
    end = b""
    _OWN = frozenset({"sdk_http_response", "automatic_function_calling_history", "parsed"})

    def _value(self, item: Any) -> Value:
        return dumped(item, without=self._OWN, nulls=False)

    def _item(self, value: Value) -> Any:
        return built(self._class, value, strict=True)


class OllamaItems(Items):
    """`chat` and `generate` of ollama."""

    protocol = ollama.PROTOCOL
    end = b""

    def _event(self, value: Value) -> bytes:
        return data_line(json.dumps(value, separators=(",", ":")).encode())

    def _split(self, out: bytes) -> list[bytes]:
        return out.splitlines(keepends=True)

    def _said(self, raw: bytes) -> Value | None:
        value: Value = json.loads(raw)
        return None if "error" in value else value


class EventItems(Items):
    """Protocols whose events have a `type`, which is also the name of the event, and each a class of its own."""

    unions: tuple[str, ...] = ()
    """What the name of the union of all classes ends in: of the SDK's own, of others who have classes for it."""
    end = b""

    def __init__(self, first: Any) -> None:
        super().__init__(first)
        self._classes = {} if isinstance(first, dict) else classes_by_type(first, self.unions)

    def _event(self, value: Value) -> bytes:
        raw = json.dumps(value, separators=(",", ":")).encode()
        return data_event(raw, b"event: %b\n" % str(value.get("type", "")).encode())

    def _said(self, raw: bytes) -> Value | None:
        value = super()._said(raw)
        return None if value is None or value.get("type") in ("ping", "error") else value

    def _item(self, value: Value) -> Any:
        if self._class is dict:
            return value
        cls = self._classes.get(value["type"])
        # A type that this SDK is too old for: it tells such events with some class of the union, too.
        return built(self._class if cls is None else cls, value)


class ResponsesItems(EventItems):
    """`responses.create(stream=True)` of openai."""

    protocol = openai_responses.PROTOCOL
    unions = ("ResponseStreamEvent", "ResponsesAPIStreamingResponse")

    def _value(self, item: Any) -> Value:
        value = super()._value(item)
        if "snapshot" in value:
            raise TypeError("guard_stream takes the events of responses.create(stream=True), not of responses.stream()")
        return value


class AnthropicItems(EventItems):
    """`messages.create(stream=True)` of anthropic."""

    protocol = anthropic.PROTOCOL
    unions = ("RawMessageStreamEvent",)


class Bytes(Items):
    """No items: the stream itself."""

    end = b""

    def __init__(self, protocol: Protocol) -> None:
        self.protocol = protocol

    def take(self, item: Any) -> bytes:
        return bytes(item)

    def give(self, out: bytes) -> list[Any]:
        return [out] if out else []


def items_of(first: Any, protocol: Protocol | None = None) -> Items:
    """The items of a stream that begins with this one. Raises TypeError for what is none. `protocol`: of a stream of
    bytes."""
    if isinstance(first, bytes) and protocol is not None:
        return Bytes(protocol)
    value = dumped(first)
    return _kind(value, type(first).__name__)(first)


def _kind(value: Value, name: str) -> type[Items]:
    kind = value.get("type")
    if kind == "chunk" and "snapshot" in value:
        told = "the chunks of chat.completions.create(stream=True), not the events of chat.completions.stream()"
        raise TypeError(f"guard_stream takes {told}")
    if "choices" in value:
        return CompletionItems if value.get("object") == "text_completion" else Items
    if isinstance(kind, str) and (kind.startswith("response.") or kind in ("error", "keepalive")):
        return ResponsesItems
    if isinstance(kind, str) and kind.startswith(("message_", "content_block_", "ping")):
        from guardrail.sdk.anthropic import StreamItems

        return AnthropicItems if name == "dict" else StreamItems
    if name == "GenerateContentResponse" or "candidates" in value or "usageMetadata" in value:
        return GeminiItems
    if "done" in value and ("message" in value or "response" in value):
        return OllamaItems
    raise TypeError(f"guard_stream does not know what streams {name} with the fields {', '.join(value) or 'none'}")
