"""An item of a Responses answer that is withheld until it is whole: a call that a client may run, or what came of one.

All of its events are kept, from `output_item.added` to `output_item.done`. They repeat its texts: every repetition is
scanned, equal ones once. Clean items go out as the events that came in; of an edited one, each text that came in pieces
is said in one, and all that repeats it says the same.
"""

from __future__ import annotations

from typing import Any

from guardrail.wire.openai_responses_item import ItemText, Kind, type_of
from guardrail.wire.sse import data_event
from guardrail.wire.strict_json import dumps
from guardrail.wire.withheld import Part, Text


class ToolItem(Part):
    """A withheld item, and what became of it."""

    __slots__ = ("_counted", "_kept", "_pieces", "_places", "index", "item", "told")

    def __init__(self, index: int) -> None:
        super().__init__()
        self.index = index
        self.item: dict[str, Any] = {}
        """As it was said last; edited, once it is released."""
        self.told: dict[tuple[str, str], str] = {}
        """Once it is released: (path, raw) of its texts, and what they are now."""
        self._kept: list[tuple[bytes, dict[str, Any]]] = []
        """(its lines before the data, what it says) of every event, pieces after the first of a text left out."""
        self._pieces: dict[str, tuple[ItemText, list[str]]] = {}
        """By path: where the first piece stands, and all of them."""
        self._places: list[ItemText] = []
        self._counted: dict[str, int] = {}

    def take(self, raw: bytes, value: dict[str, Any], said: list[ItemText]) -> None:
        """Withhold an event; `said`: its texts."""
        size = 0
        news = True
        if type_of(value).endswith(".delta"):
            news = False
            for text in said:
                piece = text.owner[text.key]
                size += len(piece)
                self._counted[text.path] = self._counted.get(text.path, 0) + len(piece)
                if text.path in self._pieces:
                    self._pieces[text.path][1].append(piece)
                else:
                    self._pieces[text.path] = (text, [piece])
                    news = True
        else:
            for text in said:
                known, length = self._counted.get(text.path, 0), len(text.raw)
                size += max(0, length - known)
                self._counted[text.path] = max(known, length)
            self._places += said
        if news:
            head = b"event: %b\n" % type_of(value).encode() if raw.startswith(b"event:") else b""
            self._kept.append((head, value))
        if isinstance(value.get("item"), dict):
            self.item = value["item"]
        self.keep(raw, size)

    def texts(self) -> list[Text]:
        found = [(place.path, "".join(pieces), Kind.WHOLE) for place, pieces in self._pieces.values()]
        found += [(place.path, place.raw, place.kind) for place in self._places]
        return [Text(path, raw, json=kind is Kind.WHOLE) for path, raw, kind in dict.fromkeys(found)]

    def release(self) -> list[bytes]:
        # Now it is known which texts are repetitions.
        self.received = sum(len(text.raw) for text in self._texts)
        events = super().release()
        if self.halted is None:
            self.told = {(text.path, text.raw): text.now for text in self._texts}
        return events

    def say(self, texts: list[Text]) -> list[bytes]:
        now = {(text.path, text.raw): text.now for text in texts}
        for place, pieces in self._pieces.values():
            place.owner[place.key] = now[place.path, "".join(pieces)]
        for place in self._places:
            place.put(now[place.path, place.raw])
        return [data_event(dumps(value), head) for head, value in self._kept]
