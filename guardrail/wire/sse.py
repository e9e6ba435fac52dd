"""Server-sent events over bytes: where events end, and what one says.

Framing keeps the exact bytes of every event, so that a clean one can go on as it came. It takes all three line ends
(LF, CRLF, CR), cut anywhere, and costs O(new bytes) however long a line grows; past the cap it raises WireError.
It never decodes text and never decides what passes: that is the codec's.

Source: the WHATWG HTML standard, "Server-sent events".
"""

from __future__ import annotations

import re
from typing import Protocol

import msgspec

from guardrail.errors import WireError

BOM = b"\xef\xbb\xbf"

# A blank line. The groups are atomic, or a lone CRLF would match as CR then LF.
_BLANK_LINE = re.compile(rb"(?>\r\n|\n|\r)(?>\r\n|\n|\r)")
_LINE_END = re.compile(rb"\r\n|\n|\r")

MAX_COMMENT = 64
"""Bytes. Servers' own comments (`: ping`, `: OPENROUTER PROCESSING`) are short and ASCII; another could carry text."""


KEEP_ALIVE = b": keep-alive\n\n"
"""A comment, which clients skip."""


class Framer(Protocol):
    """Cuts a byte stream behind whole events."""

    def push(self, data: bytes) -> bytes: ...
    @property
    def pending(self) -> bool: ...
    def rest(self) -> bytes: ...


class EventFramer:
    """Cuts a byte stream behind whole events. Memory: the one incomplete event, at most `cap` bytes and one read."""

    __slots__ = ("_cap", "_tail")

    def __init__(self, cap: int) -> None:
        self._cap = cap
        self._tail = bytearray()

    def push(self, data: bytes) -> bytes:
        """Take a read; return the bytes of all events that are now complete (b"": none), keep the rest.

        Raises WireError when an event, complete or not, is longer than the cap."""
        tail = self._tail
        if not tail:
            if data.endswith((b"\n\n", b"\r\n\r\n")):
                return self._capped(data)
            end = _last_boundary(data, 0)
            if end:
                tail += data[end:]
                data = data[:end]
            else:
                tail += data
                data = b""
        else:
            # A blank line may have begun in the last three bytes of what was here before.
            seen = max(len(tail) - 3, 0)
            tail += data
            end = _last_boundary(tail, seen)
            data = bytes(tail[:end])
            del tail[:end]
        return self._capped(data)

    def _capped(self, block: bytes) -> bytes:
        cap = self._cap
        if len(self._tail) > cap or (len(block) > cap and max(map(len, split_events(block))) > cap):
            raise WireError(f"The model server sent an event longer than {cap} bytes.")
        return block

    @property
    def pending(self) -> bool:
        """Whether part of an event waits for the rest of it."""
        return bool(self._tail)

    def rest(self) -> bytes:
        """The incomplete event at the end of the stream; forgotten here."""
        rest = bytes(self._tail)
        self._tail.clear()
        return rest


def _last_boundary(data: bytes | bytearray, start: int) -> int:
    """The offset behind the last blank line that ends at or after `start`; 0 for none."""
    if data.find(b"\r", start) < 0:
        return data.rfind(b"\n\n", start) + 2 if data.find(b"\n\n", start) >= 0 else 0
    end = 0
    for match in _BLANK_LINE.finditer(data, start):
        # The LF of a last CRLF may still be on its way; of a CR among CRs it is not.
        if match.end() < len(data) or data[-1] == 0x0A or match.group() == b"\r\r":
            end = match.end()
    return end


def next_event(block: bytes, start: int, *, line_feeds_only: bool) -> int:
    """Where the event ends that starts at `start` in a block that `EventFramer.push` returned; line ends left over
    behind the last one count as one more. `line_feeds_only`: the block holds no CR from `start` on."""
    if line_feeds_only:
        end = block.find(b"\n\n", start)
        return end + 2 if end >= 0 else len(block)
    match = _BLANK_LINE.search(block, start)
    return match.end() if match else len(block)


def whole_event(rest: bytes) -> bytes:
    """The last event of a stream with the blank line that servers forget."""
    return rest + (b"\n" if rest.endswith((b"\n", b"\r")) else b"\n\n")


def split_events(block: bytes) -> list[bytes]:
    """The events of a block that `EventFramer.push` returned."""
    events = []
    start = 0
    line_feeds_only = b"\r" not in block
    while start < len(block):
        end = next_event(block, start, line_feeds_only=line_feeds_only)
        events.append(block[start:end])
        start = end
    return events


class Event(msgspec.Struct, frozen=True, gc=False):
    """One event, taken apart."""

    raw: bytes
    """Its bytes, line ends included, without what is never passed on (unknown fields, comments that may be text)."""
    data: bytes | None
    """The data lines joined by LF; None when there are none."""
    head: bytes
    """The `event`, `id` and `retry` lines, each with LF, to stand before rewritten data."""
    name: bytes
    """The event's name, b"" for none."""
    blocked: bool
    """Something of it was taken out of `raw`."""


def parse_event(raw: bytes) -> Event:
    """Take one event apart."""
    end = len(raw) - 2
    if raw.startswith(b"data: ") and raw.find(b"\n") == end and raw.find(b"\r") < 0:
        return Event(raw, raw[6:end], b"", b"", False)
    raw = raw.removeprefix(BOM)  # where it is no line of a known field, clients miss the event
    kept: list[bytes] = []
    head: list[bytes] = []
    data: list[bytes] = []
    name = b""
    blocked = False
    for line in _LINE_END.split(raw):
        field, _, value = line.partition(b":")
        value = value[1:] if value.startswith(b" ") else value
        if field == b"data":
            data.append(value)
            kept.append(line)
        elif not line.isascii():
            blocked = True
        elif not field and len(line) <= MAX_COMMENT:
            if line:
                kept.append(line)
        elif field in (b"event", b"id", b"retry") and len(value) <= MAX_COMMENT:
            name = value if field == b"event" else name
            head.append(line + b"\n")
            kept.append(line)
        else:
            blocked = True
    if blocked:
        raw = b"".join(line + b"\n" for line in kept) + b"\n" if kept else b""
    return Event(raw, b"\n".join(data) if data else None, b"".join(head), name, blocked)


def data_event(data: bytes, head: bytes = b"") -> bytes:
    """An event with one data line; `data` holds no line end."""
    return head + b"data: " + data + b"\n\n"
