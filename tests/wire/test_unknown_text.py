"""What counts as text in a shape that nobody knows."""

from __future__ import annotations

from typing import Any

import pytest

from guardrail.wire.unknown_text import Unknown, is_opaque, is_prose, strings


def test_strings_at_any_depth() -> None:
    assert sorted(strings({"a": ["b", {"c": "d"}], "e": 1, "f": None})) == [
        ("a", True),
        ("b", False),
        ("c", True),
        ("d", False),
        ("e", True),
        ("f", True),
    ]


@pytest.mark.parametrize(
    ("text", "prose"), [("", False), ("req_01", False), ("a b", True), (" a", True), ("a" * 65, True), ("隐", True)]
)
def test_prose(text: str, prose: bool) -> None:
    assert is_prose(text) == prose


@pytest.mark.parametrize(
    ("value", "opaque"), [("", True), ("Ab+/-_==", True), ("a b", False), ("é", False), ("a=b", False), (1, False)]
)
def test_what_only_its_server_can_read_is_base64(value: object, opaque: bool) -> None:
    assert is_opaque(value) == opaque


@pytest.mark.parametrize("value", [None, 1, 1.5, True, "", [], {}, [None, 2], {"a": {"b": ""}}])
def test_what_is_no_text_stays(value: Any) -> None:
    unknown = Unknown(block=True)
    owner = {"x": value}
    unknown.strip("", owner, frozenset())
    assert owner == {"x": value}
    assert unknown.blocked == []


def test_labels_and_texts_have_to_look_like_it() -> None:
    unknown = Unknown(block=True)
    owner = {"id": "call_1", "kind": "two words", "text": "two words", "more": ["text"]}
    unknown.strip_labels("p", owner, ("id", "kind", "none"))
    unknown.strip_texts("p", owner, ("text", "more", "none"))
    assert owner == {"id": "call_1", "text": "two words"}
    assert unknown.blocked == ["p.kind", "p.more"]


def test_paths_do_not_repeat_text() -> None:
    unknown = Unknown(block=True)
    value = {"my secret key": "x"}
    unknown.strip("", value, frozenset())
    assert (value, unknown.blocked) == ({}, ["?"])
