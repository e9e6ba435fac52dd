"""Where an event of a Responses stream belongs: which item, which part of it, and the texts that it repeats."""

from __future__ import annotations

from typing import Any, NamedTuple

from guardrail.wire.openai_responses_item import (
    ItemText,
    Kind,
    index,
    item_path,
    item_texts,
    listed,
    part_path,
    part_texts,
)

TEXTS = {
    "response.output_text": ("content", "text"),
    "response.refusal": ("content", "refusal"),
    "response.reasoning_text": ("content", "text"),
    "response.reasoning_summary_text": ("summary", "text"),
}
"""Beginnings of the events of texts that people read: the list that the text's part stands in, and its key there."""

_NAMES = {
    "response.output_text": "output_text",
    "response.refusal": "refusal",
    "response.reasoning_text": "reasoning_text",
    "response.reasoning_summary_text": "summary_text",
}

PARTS = {"response.content_part": "content", "response.reasoning_summary_part": "summary"}


class Indexes:
    """Which item has which index: some servers name their items by `item_id` only, others by `output_index` only, and
    some proxies give an item another id in every event."""

    __slots__ = ("_named", "_used")

    def __init__(self) -> None:
        self._named: dict[str, int] = {}
        self._used: set[int] = set()

    def __contains__(self, name: str) -> bool:
        return name in self._named

    def of(self, value: dict[str, Any]) -> int:
        """The index of the item that an event is about."""
        return self.find(value.get("item_id"), value.get("output_index"))

    def find(self, name: object, given: object) -> int:
        """The index of the item with this `item_id` and `output_index`, as far as an event says them."""
        known = self._named.get(name) if isinstance(name, str) else None
        if known is not None:
            return known
        return max(self._used, default=0) if given is None else index(given)

    def of_item(self, item: dict[str, Any], given: object, *, added: bool = False) -> int:
        """The index of an item that an event says. `added`: it is new, and gets its index now."""
        names = [name for name in (item.get("id"), item.get("call_id")) if isinstance(name, str) and name]
        known = next((self._named[name] for name in names if name in self._named), None)
        # An id that stood for another item before stands for this one now.
        if known is not None and (not added or type(given) is not int or given in self._used):
            return known
        following = max(self._used, default=-1) + 1
        number = following if given is None else index(given)
        if added and number in self._used:  # of another item
            number = index(following)
        if added or number not in self._used:
            self._used.add(number)
            self._named.update(dict.fromkeys(names, number))
        return number


def event_texts(value: dict[str, Any], indexes: Indexes) -> list[ItemText]:
    """The texts of an event that ends a part, an item or the response (or says an annotation, or an item at once)."""
    named = value.get("type")
    beginning, _, _ = named.rpartition(".") if isinstance(named, str) else ("", "", "")
    if beginning in TEXTS:
        kind, key = TEXTS[beginning]
        path = f"{part_path(indexes.of(value), kind, value.get(f'{kind}_index'))}.{key}"
        return [ItemText(value, key, path, Kind.TEXT)] if isinstance(value.get(key), str) else []
    if beginning in PARTS:
        kind = PARTS[beginning]
        return list(part_texts(value.get("part"), part_path(indexes.of(value), kind, value.get(f"{kind}_index"))))
    if beginning == "response.output_item" and isinstance(value.get("item"), dict):
        number = indexes.of_item(value["item"], value.get("output_index"))
        return list(item_texts(value["item"], item_path(number)))
    if named == "response.output_text.annotation.added":
        path = annotation_path(indexes.of(value), value)
        return [ItemText(value, "annotation", path, Kind.WHOLE)] if value.get("annotation") else []
    response = value.get("response")
    if not isinstance(response, dict):
        return []
    texts = [
        text
        for number, item in enumerate(listed(response.get("output")))
        if isinstance(item, dict)
        for text in item_texts(item, item_path(indexes.of_item(item, number)))
    ]
    if response.get("error"):
        texts.append(ItemText(response, "error", "error", Kind.WHOLE))
    return texts


class Place(NamedTuple):
    """What an event that begins or ends something is about."""

    item: int
    kind: str
    """"content" or "summary"; "": the item itself."""
    number: int
    """Of the part."""
    step: str
    """"added" or "done" (the part or item), "text" (all of the part's text was said), "annotation"."""
    named: str = ""
    """The type that such a part has."""


def place_of(value: dict[str, Any], indexes: Indexes) -> Place | None:
    """What a client that was told this event has to remember; None for nothing."""
    named = value.get("type")
    beginning, _, last = named.rpartition(".") if isinstance(named, str) else ("", "", "")
    if beginning == "response.output_item" and isinstance(value.get("item"), dict):
        return Place(indexes.of_item(value["item"], value.get("output_index")), "", 0, last)
    if beginning in PARTS and isinstance(value.get("part"), dict):
        kind, step, part = PARTS[beginning], last, ""
    elif beginning in TEXTS and last == "done":
        kind, step, part = TEXTS[beginning][0], "text", _NAMES[beginning]
    elif named == "response.output_text.annotation.added":
        kind, step, part = "content", "annotation", "output_text"
    else:
        return None
    number = value.get(f"{kind}_index")
    return Place(indexes.of(value), kind, 0 if number is None else index(number), step, part)


def annotation_path(item: int, value: dict[str, Any]) -> str:
    number = value.get("annotation_index")
    part = part_path(item, "content", value.get("content_index"))
    return f"{part}.annotations[{0 if number is None else index(number)}]"
