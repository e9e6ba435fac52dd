"""Searches: leftmost-longest or of a whole window, in code points, from an index on."""

from __future__ import annotations

import pytest
import re2

from guardrail.text.search import Search

CASES: list[tuple[str, str, str, int, tuple[int, int] | None]] = [
    ("found", "b", "abc", 0, (1, 2)),
    ("not found", "x", "abc", 0, None),
    ("leftmost", "b|a", "xab", 0, (1, 2)),
    ("longest, not first", "a|ab|abc", "xabcd", 0, (1, 4)),
    ("from an index on", "a", "aba", 1, (2, 3)),
    ("from the end on", "a", "aba", 3, None),
    ("an empty window", "a", "", 0, None),
    ("offsets are code points", "弹", "炸弹", 0, (1, 2)),
    ("from an index on, in code points", "é", "é中é", 1, (2, 3)),
    ("longest, in code points", "é?中{1,3}", "xé中中!", 0, (1, 4)),
    ("beyond the basic plane", "a", "😀a", 0, (1, 2)),
    ("text end", "(?:a|ab)\\z", "abxab", 0, (3, 5)),
    ("a noncharacter", "[^a]", "a\uffff", 0, (1, 2)),
    ("NUL", "b", "a\0b", 0, (2, 3)),
]


@pytest.mark.parametrize(("name", "source", "window", "at", "expected"), CASES, ids=[case[0] for case in CASES])
def test_search(name: str, source: str, window: str, at: int, expected: tuple[int, int] | None) -> None:
    assert Search(source)(window, at) == expected


@pytest.mark.parametrize(
    ("name", "source", "window", "at", "expected"),
    [
        ("all of it", "a{2,3}", "aaa", 0, True),
        ("not all of it", "a{2,3}", "aaab", 0, False),
        ("from an index on", "a{2,3}", "baa", 1, True),
        ("from an index on, in code points", "é中", "éé中", 1, True),
        ("a shorter match before the end", "a|ab", "abc", 0, False),
    ],
)
def test_whole(name: str, source: str, window: str, at: int, expected: bool) -> None:
    assert Search(source).whole(window, at) is expected


def test_what_re2_refuses_is_refused() -> None:
    with pytest.raises(re2.error):
        Search("a**(")
