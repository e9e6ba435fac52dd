"""Lanes: the window that is kept, and the raw span of each of its characters."""

from __future__ import annotations

from guardrail.text.lane import Lane


def spans(lane: Lane) -> list[tuple[int, int]]:
    """Raw spans of the characters after the context."""
    return [(lane.start(i, -1), lane.end(i + 1)) for i in range(1, len(lane.text))]


def test_a_lane_begins_with_a_line_feed_as_context() -> None:
    lane = Lane()
    assert (lane.text, lane.at, lane.base, lane.spans) == ("\n", -1, -1, None)
    assert spans(lane) == []


def test_characters_that_stand_for_one_each_need_no_spans() -> None:
    lane = Lane()
    lane.append("ab", 0)
    lane.append("c", 2)
    assert (lane.text, lane.spans) == ("\nabc", None)
    assert spans(lane) == [(0, 1), (1, 2), (2, 3)]


def test_characters_of_one_segment_share_its_span() -> None:
    lane = Lane()
    lane.append("a", 0)
    lane.append("fi", 1, 2)
    lane.append("é", 2, 4)
    lane.append("bc", 4)
    assert lane.text == "\nafiébc"
    assert spans(lane) == [(0, 1), (1, 2), (1, 2), (2, 4), (4, 5), (5, 6)]


def test_a_gap_needs_spans() -> None:
    lane = Lane()
    lane.append("a", 0)
    lane.append("b", 3)
    assert spans(lane) == [(0, 1), (3, 4)]


def test_what_is_open_can_be_taken_back() -> None:
    lane = Lane()
    lane.append("ab", 0)
    lane.pop(0)
    lane.pop(1)
    lane.append("é", 1, 3)
    assert (lane.text, spans(lane)) == ("\naé", [(0, 1), (1, 3)])
    lane.pop(1)
    assert (lane.text, spans(lane)) == ("\na", [(0, 1)])


def test_trim_leaves_one_character_of_context() -> None:
    lane = Lane()
    lane.append("abcd", 0)
    lane.trim(2)
    assert (lane.text, lane.at, lane.base) == ("bcd", 1, 1)
    assert spans(lane) == [(2, 3), (3, 4)]
    lane.trim(0)
    lane.trim(-1)
    assert lane.text == "bcd"


def test_trim_keeps_the_spans_that_it_needs() -> None:
    lane = Lane()
    lane.append("ab", 0)
    lane.append("fi", 2, 3)
    lane.append("cd", 3)
    lane.trim(3)
    assert (lane.text, lane.base) == ("ficd", 2)
    assert spans(lane) == [(2, 3), (3, 4), (4, 5)]


def test_a_window_without_odd_characters_forgets_the_spans() -> None:
    lane = Lane()
    lane.append("fi", 0, 1)
    lane.append("cde", 1)
    assert lane.spans is not None
    lane.trim(3)
    assert (lane.text, lane.at) == ("cde", 1)
    assert lane.spans is None
    lane.append("f", 4)
    assert spans(lane) == [(2, 3), (3, 4), (4, 5)]


def test_beyond_the_last_character_stands_what_is_received() -> None:
    lane = Lane()
    lane.append("ab", 0)
    assert lane.start(3, 2) == 2
    lane.append("fi", 2, 3)
    assert lane.start(5, 3) == 3
