"""Framing of one JSON array by its elements."""

from __future__ import annotations

import pytest

from guardrail.errors import WireError
from guardrail.wire.json_array import ArrayFramer, element, next_element, opened, parse_element, whole_element

ARRAYS = [
    ("as Google writes it", b'[{\n  "a": "x"\n}\n,\r\n{\n  "a": "y"\n}\n]\n', 2),
    ("compact", b'[{"a":1},{"a":[{}]},{"a":{"b":{}}}]', 3),
    ("brackets and quotes in strings", b'[{"a":"]}\\\\"},{"a":"\\"[{"},{"a":"\\\\\\""}]', 3),
    ("deep", b"[" + b'{"a":[' * 20 + b"]}" * 20 + b',{"b":1}]', 2),
    ("empty", b"[]", 0),
    ("UTF-8", '[{"a":"你好"},{"a":"😀"}]'.encode(), 2),
]


@pytest.mark.parametrize(("array", "count"), [case[1:] for case in ARRAYS], ids=[case[0] for case in ARRAYS])
def test_every_cut_gives_the_same_elements(array: bytes, count: int) -> None:
    cuts = [[array], [array[i : i + 1] for i in range(len(array))]]
    cuts += [[array[:i], array[i:]] for i in range(len(array))]
    for reads in cuts:
        framer = ArrayFramer(1000)
        elements = []
        for read in reads:
            block, at = framer.push(read), 0
            while at < len(block):
                end = next_element(block, at, line_feeds_only=False)
                elements.append(block[at:end])
                at = end
        rest = framer.rest()
        assert len(elements) == count
        assert opened(b"".join(elements) + rest) == array
        assert [parse_element(raw).data[:1] for raw in elements] == [b"{"] * count  # type: ignore[index]
        assert parse_element(whole_element(rest)).data == b"]"


@pytest.mark.parametrize("data", [b"{}", b"x[", b"[{}][", b'"a" [', b"]", b"{}]"])
def test_what_is_no_array(data: bytes) -> None:
    def take() -> None:
        framer = ArrayFramer(1000)
        parse_element(framer.push(data))
        parse_element(framer.rest())

    with pytest.raises(WireError):
        take()


def test_the_cap_is_one_elements() -> None:
    framer = ArrayFramer(20)
    assert framer.push(b'[{"a":1},{"a":1},{"a":1}') == b',{"a":1},{"a":1},{"a":1}'
    for data in (b',{"a":"' + b"x" * 20, b'{"a":"' + b"x" * 20 + b'"}'):
        with pytest.raises(WireError, match="longer than 20"):
            framer.push(data)


def test_a_string_that_never_ends_is_looked_at_once() -> None:
    framer = ArrayFramer(1 << 20)
    framer.push(b'[{"a":"')
    for _ in range(20_000):
        assert framer.push(b"\\\\x") == b""
    assert framer.push(b'"}') != b""


def test_elements_that_are_not_separated() -> None:
    with pytest.raises(WireError):
        parse_element(b'{"a":1}')
    assert parse_element(b" \r\n").data is None
    assert opened(element(b"{}")) == b"[\n{}"
    assert opened(b"\n]\n") == b"[\n]\n"
