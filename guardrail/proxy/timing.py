"""How long events waited in the proxy, told from the events that came and went with each read. No clock of its own."""

from __future__ import annotations

from collections import deque

from guardrail.observe.metrics import AddedLatency


class EventTiming:
    """The waiting events of one stream, oldest first; empty for a stream of which nothing is held.

    Events are counted by their closing blank lines and taken to go in the order they came: exact for the streams
    that servers send, and close enough for a histogram where an edit drops or splits one.
    """

    __slots__ = ("_added", "_waiting")

    def __init__(self, added: AddedLatency) -> None:
        self._added = added
        self._waiting: deque[tuple[float, int]] | None = None

    def passed(self, came: float, now: float, data: bytes, out: bytes) -> None:
        """`data` came at `came` and `out` was written at `now`, both in seconds of one clock."""
        ins, outs = _events(data), _events(out)
        if not self._waiting and ins == outs:
            if ins:
                self._added.observe(now - came, ins)
            return
        waiting = self._waiting
        if ins == outs == 1 and waiting is not None and len(waiting) == 1 and waiting[0][1] == 1:
            # The usual step of a stream that holds its last token: one came, the one before it went.
            self._added.observe(now - waiting[0][0], 1)
            waiting[0] = (came, 1)
            return
        if waiting is None:
            waiting = self._waiting = deque()
        if ins:
            waiting.append((came, ins))
        while outs and waiting:
            since, count = waiting.popleft()
            gone = min(outs, count)
            self._added.observe(now - since, gone)
            outs -= gone
            if gone < count:
                waiting.appendleft((since, count - gone))


def _events(data: bytes) -> int:
    """Blank lines; JSON has none inside. No server mixes line ends, and ours come with its own."""
    return data.count(b"\n\n") or data.count(b"\r\n\r\n")
