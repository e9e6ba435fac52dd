"""Lines of JSON: where they end, whatever the cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrail.errors import WireError
from guardrail.wire.ndjson import LineFramer, data_line, next_line, parse_line, whole_line
from tests import strategies


def lines(block: bytes) -> list[bytes]:
    found, at = [], 0
    while at < len(block):
        end = next_line(block, at, line_feeds_only=True)
        found.append(block[at:end])
        at = end
    return found


@given(texts=st.lists(st.binary(max_size=6).filter(lambda b: b"\n" not in b), max_size=5), data=st.data())
def test_lines_are_the_same_for_every_cut(texts: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(text + b"\n" for text in texts)
    framer = LineFramer(100)
    found: list[bytes] = []
    for piece in data.draw(strategies.cuts(stream.decode("latin-1"))):
        found += lines(framer.push(piece.encode("latin-1")))
    assert found == [text + b"\n" for text in texts]
    assert not framer.pending


def test_half_a_line_waits() -> None:
    framer = LineFramer(100)
    assert framer.push(b'{"a":1}\n{"b"') == b'{"a":1}\n'
    assert framer.pending
    assert framer.rest() == b'{"b"'
    assert (framer.pending, framer.rest()) == (False, b"")
    assert whole_line(b"{}") == data_line(b"{}") == b"{}\n"


@pytest.mark.parametrize("reads", [[b"x" * 11], [b"x" * 6] * 2, [b"a\n" + b"x" * 11 + b"\n"]])
def test_a_line_past_the_cap_is_refused(reads: list[bytes]) -> None:
    framer = LineFramer(10)
    for data in reads[:-1]:
        framer.push(data)
    with pytest.raises(WireError, match=r"^The model server sent a line longer than 10 bytes\.$"):
        framer.push(reads[-1])


def test_a_line_is_an_event_whose_data_it_is() -> None:
    event = parse_line(b' {"a":1}\r\n')
    assert (event.raw, event.data, event.blocked) == (b' {"a":1}\r\n', b'{"a":1}', False)
    for odd in (b'\r{"a":\r1}\n', b'\r{"a":\r1}\r\n'):
        assert parse_line(odd).raw == b'{"a": 1}\n'
    assert parse_line(b"\x0b{}\n").data == b"\x0b{}"  # no white space to JSON
    for blank in (b"\n", b" \r\n", b"\r\r\n"):
        assert (parse_line(blank).data, parse_line(blank).raw) == (None, b"")
