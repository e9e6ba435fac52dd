"""A stream that is one JSON array, framed by its elements.

The counterpart of `sse` for Google's REST clients that read `[{…},{…}]` while it comes. An element goes with what
stands before it: white space and its separator. Inside, the `[` that opens the array is a `,` like the separators of
the other elements, so that any of them may be said first; `opened` says it as it was. Framing keeps all other bytes,
costs O(new bytes) however long a string grows, and raises WireError past the cap and for what is no array.

The `]` is only handed out with `rest`: it ends the array when nothing else follows.
"""

from __future__ import annotations

import re

from guardrail.errors import WireError
from guardrail.wire.sse import Event

SEPARATOR = b","
"""`Event.head` of every element."""
END = b"\n]\n"

_SPACE = b" \t\r\n"
_STEP = re.compile(rb'(?:[^"{}\[\]]|"(?:[^"\\]|\\.)*+")*+(["{}\[\]])', re.DOTALL)
"""Up to the next bracket, or to a string whose end has not come."""
_DEEP = 12
"""Levels of an element that one match can take; a chunk of Gemini has seven. A deeper one is taken step by step."""


def _nested(levels: int) -> bytes:
    inner = b"|" + _nested(levels - 1) if levels > 1 else b""
    return rb'[{\[](?:[^"{}\[\]]++|"(?:[^"\\]|\\.)*+"%b)*+[}\]]' % inner


_WHOLE = re.compile(rb'[^"{}\[\]]*+' + _nested(_DEEP), re.DOTALL)
"""A whole element, with what stands before it."""
_LEAD = 8
"""Bytes. What mostly stands between two elements is looked at again, so that the next one can be matched as a whole."""
_STRING_END = re.compile(rb'(?:[^"\\]|\\.)*+"', re.DOTALL)


class ArrayFramer:
    """Cuts a byte stream behind whole elements. Memory: one incomplete element, at most `cap` bytes, and one read."""

    __slots__ = ("_at", "_cap", "_depth", "_escaped", "_in_string", "_over", "_tail")

    def __init__(self, cap: int) -> None:
        self._cap = cap
        self._tail = bytearray()
        self._at = 0
        """How far the tail was looked at."""
        self._depth = 0
        self._in_string = self._escaped = self._over = False

    def push(self, data: bytes) -> bytes:
        """Take a read; return the bytes of all elements that are now complete (b"": none), keep the rest.

        Raises WireError when an element, complete or not, is longer than the cap, and for what is no array."""
        tail = self._tail
        tail += data
        cut = 0
        while True:
            if self._at == cut and self._depth == 1 and (found := _WHOLE.match(tail, cut)) is not None:
                self._check(found.end() - cut)
                cut = self._at = found.end()
                continue
            at = self._next_bracket()
            if at is None:
                break
            bracket = tail[at]
            if bracket in b"{[":
                self._depth += 1
                if self._depth == 1:
                    if bracket != 0x5B or self._over or tail[:at].strip(_SPACE):
                        raise WireError("The model server sent something else than a JSON array.")
                    tail[at : at + 1] = SEPARATOR
            else:
                self._depth -= 1
                if self._depth < 0:
                    raise WireError("The model server sent a JSON array that is not well formed.")
                self._over = not self._depth
                if self._depth == 1:
                    self._check(at + 1 - cut)
                    cut = at + 1
        if self._depth == 1 and len(tail) - cut <= _LEAD and not self._in_string:
            self._at = cut
        block = bytes(tail[:cut])
        del tail[:cut]
        self._at -= cut
        self._check(len(tail))
        return block

    def _next_bracket(self) -> int | None:
        """Where the next bracket outside of a string stands in what was not looked at; None: it has not come."""
        tail, size = self._tail, len(self._tail)
        while self._at < size:
            if self._in_string:
                start = self._at + self._escaped
                self._escaped = False
                ended = _STRING_END.match(tail, start)
                if ended is None:
                    fresh = tail[start:]
                    self._escaped = (len(fresh) - len(fresh.rstrip(b"\\"))) % 2 == 1
                    self._at = size
                    return None
                self._at = ended.end()
                self._in_string = False
            found = _STEP.match(tail, self._at)
            if found is None:
                self._at = size
                return None
            self._at = found.end()
            if found[1] != b'"':
                return self._at - 1
            self._in_string = True
        return None

    def _check(self, size: int) -> None:
        if size > self._cap:
            raise WireError(f"The model server sent an event longer than {self._cap} bytes.")

    @property
    def pending(self) -> bool:
        """Whether something waits for the rest of an element."""
        return bool(self._tail)

    def rest(self) -> bytes:
        """What stands behind the last element; forgotten here."""
        rest = bytes(self._tail)
        self._tail.clear()
        self._at = 0
        return rest


def next_element(block: bytes, start: int, *, line_feeds_only: bool) -> int:
    """Where the element ends that starts at `start` in a block that `ArrayFramer.push` returned."""
    if (whole := _WHOLE.match(block, start)) is not None:
        return whole.end()
    depth, at = 0, start
    while (found := _STEP.match(block, at)) is not None:
        at = found.end()
        depth += 1 if found[1] in b"{[" else -1
        if not depth:
            return at
    return len(block)


def parse_element(raw: bytes) -> Event:
    """An element as an event. What stands behind the last one is an event too: its data is the `]` of the array.
    Raises WireError for elements that are not separated."""
    data = raw.strip(_SPACE)
    if not data:
        return Event(b"", None, b"", b"", False)
    if data.startswith(SEPARATOR):
        data = data[1:].lstrip(_SPACE)
    elif not data.startswith(b"]"):
        raise WireError("The model server sent a JSON array that is not well formed.")
    return Event(raw, data, SEPARATOR, b"", False)


def whole_element(rest: bytes) -> bytes:
    """The end of the array is whole as it is."""
    return rest


def element(data: bytes, head: bytes = SEPARATOR) -> bytes:
    """An element with this data."""
    return b",\n" + data


def opened(out: bytes) -> bytes:
    """The first bytes of an answer, with the `[` that opens the array."""
    lead = len(out) - len(out.lstrip(_SPACE))
    if out[lead : lead + 1] == SEPARATOR:
        return b"".join((out[:lead], b"[", out[lead + 1 :]))
    return b"[" + out
