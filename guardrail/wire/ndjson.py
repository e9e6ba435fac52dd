"""Newline-delimited JSON over bytes: where lines end, and what one says.

The counterpart of `sse` for protocols that stream a JSON object per line. Framing keeps the exact bytes of every line,
costs O(new bytes), and raises WireError past the cap.
"""

from __future__ import annotations

from guardrail.errors import WireError
from guardrail.wire.sse import Event

_BLANKS = b" \t\r\n"
"""White space of JSON."""


class LineFramer:
    """Cuts a byte stream behind whole lines. Memory: the one incomplete line, at most `cap` bytes and one read."""

    __slots__ = ("_cap", "_tail")

    def __init__(self, cap: int) -> None:
        self._cap = cap
        self._tail = bytearray()

    def push(self, data: bytes) -> bytes:
        """Take a read; return the bytes of all lines that are now complete (b"": none), keep the rest.

        Raises WireError when a line, complete or not, is longer than the cap."""
        tail = self._tail
        end = data.rfind(b"\n") + 1
        block = bytes(tail) + data[:end] if end else b""
        if end:
            tail.clear()
        tail += data[end:]
        cap = self._cap
        if len(tail) > cap or (len(block) > cap and max(map(len, block.split(b"\n"))) > cap):
            raise WireError(f"The model server sent a line longer than {cap} bytes.")
        return block

    @property
    def pending(self) -> bool:
        """Whether part of a line waits for the rest of it."""
        return bool(self._tail)

    def rest(self) -> bytes:
        """The incomplete line at the end of the stream; forgotten here."""
        rest = bytes(self._tail)
        self._tail.clear()
        return rest


def next_line(block: bytes, start: int, *, line_feeds_only: bool) -> int:
    """Where the line ends that starts at `start` in a block that `LineFramer.push` returned."""
    end = block.find(b"\n", start)
    return end + 1 if end >= 0 else len(block)


def parse_line(raw: bytes) -> Event:
    """A line as an event: its data is what stands before the line end. A blank one has none, and is not passed on. A
    lone CR, which is white space to JSON and a line end to some clients, becomes a space."""
    data = raw.strip(_BLANKS)
    if raw.count(b"\r") > raw.endswith(b"\r\n"):
        data = data.replace(b"\r", b" ")
        raw = data_line(data)
    return Event(raw if data else b"", data or None, b"", b"", False)


def whole_line(rest: bytes) -> bytes:
    """The last line of a stream with the line feed that servers forget."""
    return rest + b"\n"


def data_line(data: bytes) -> bytes:
    """A line with this data, which holds no line feed."""
    return data + b"\n"
