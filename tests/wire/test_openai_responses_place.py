"""Which item an event is about, and which texts it repeats."""

from __future__ import annotations

from typing import Any

import pytest

from guardrail.wire.openai_responses_place import Indexes, Place, event_texts, place_of


def test_items_by_index_by_id_or_by_neither() -> None:
    it = Indexes()
    assert it.of_item({"id": "a"}, 0, added=True) == 0
    assert it.of_item({"id": "b"}, None, added=True) == 1
    assert it.of_item({"call_id": "c"}, 4, added=True) == 4
    assert [it.of({"item_id": name}) for name in "abc"] == [0, 1, 4]
    assert it.of({"item_id": "another every time", "output_index": 1}) == 1
    assert it.of({}) == 4
    assert it.of_item({"id": "a", "call_id": "c"}, 9) == 0


def test_an_index_that_is_taken_is_another_item_and_so_is_an_id() -> None:
    it = Indexes()
    it.of_item({"id": "a"}, 0, added=True)
    assert it.of_item({"id": "b"}, 0, added=True) == 1
    assert it.of_item({"id": "a"}, 2, added=True) == 2
    assert it.of({"item_id": "a", "output_index": 0}) == 2
    assert it.of_item({"id": "new"}, 0) == 0


PART = {"type": "output_text", "text": "t"}
ITEM = {"id": "a", "type": "message", "content": [PART]}
WHERE = {"item_id": "a", "output_index": 3}

SAID: list[tuple[dict[str, Any], list[str], Place | None]] = [
    (
        {"type": "response.output_text.done", "content_index": 2, "text": "t"},
        ["output[3].content[2].text"],
        Place(3, "content", 2, "text", "output_text"),
    ),
    (
        {"type": "response.refusal.done", "refusal": "t"},
        ["output[3].content[0].refusal"],
        Place(3, "content", 0, "text", "refusal"),
    ),
    (
        {"type": "response.reasoning_summary_text.done", "summary_index": 1, "text": "t"},
        ["output[3].summary[1].text"],
        Place(3, "summary", 1, "text", "summary_text"),
    ),
    (
        {"type": "response.content_part.done", "part": PART},
        ["output[3].content[0].text"],
        Place(3, "content", 0, "done"),
    ),
    (
        {"type": "response.content_part.added", "part": PART},
        ["output[3].content[0].text"],
        Place(3, "content", 0, "added"),
    ),
    (
        {"type": "response.reasoning_summary_part.done", "part": PART},
        ["output[3].summary[0].text"],
        Place(3, "summary", 0, "done"),
    ),
    ({"type": "response.output_item.done", "item": ITEM}, ["output[3].content[0].text"], Place(3, "", 0, "done")),
    (
        {"type": "response.output_text.annotation.added", "annotation": {"title": "x"}},
        ["output[3].content[0].annotations[0]"],
        Place(3, "content", 0, "annotation", "output_text"),
    ),
    (
        {"type": "response.completed", "response": {"output": [ITEM], "error": {"message": "m"}}},
        ["output[3].content[0].text", "error"],
        None,
    ),
    ({"type": "response.web_search_call.searching"}, [], None),
    ({"type": ["x"]}, [], None),
]


@pytest.mark.parametrize(("value", "paths", "place"), SAID)
def test_what_an_event_repeats_and_is_about(value: dict[str, Any], paths: list[str], place: Place | None) -> None:
    it = Indexes()
    it.of_item(ITEM, 3, added=True)
    assert [text.path for text in event_texts({**value, **WHERE}, it)] == paths
    assert place_of({**value, **WHERE}, it) == place
