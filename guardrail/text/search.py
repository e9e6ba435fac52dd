"""One compiled RE2 expression, searched with as little Python around it as there can be.

The package's own `search` spends three times as long on wrapping a match as RE2 does on finding it, and a stream asks
several times per token; so this calls the extension type beneath it. Offsets are code points of the window.
"""

from __future__ import annotations

import re2

_MAX_MEMORY = 64 << 20
"""Bytes RE2 may use for one automaton before it falls back to a slower search; an upper bound, rarely reached."""
_ANYWHERE = re2._Anchor.UNANCHORED
_WHOLE = re2._Anchor.ANCHOR_BOTH


def options() -> re2.Options:
    """Leftmost-longest, silent, within `_MAX_MEMORY`."""
    chosen = re2.Options()
    chosen.longest_match = True
    chosen.log_errors = False
    chosen.max_mem = _MAX_MEMORY
    return chosen


class Search:
    """An expression without capturing groups. Raises re2.error for one that RE2 refuses."""

    __slots__ = ("_match",)

    def __init__(self, source: str) -> None:
        self._match = re2.compile(source, options())._regexp.Match

    def __call__(self, window: str, at: int = 0) -> tuple[int, int] | None:
        """The leftmost-longest match that starts at or after `at`, as (start, end)."""
        data = window.encode()
        size = len(data)
        if size == len(window):
            ((start, end),) = self._match(_ANYWHERE, data, at, size)
            return None if start < 0 else (start, end)
        ((start, end),) = self._match(_ANYWHERE, data, len(window[:at].encode()), size)
        if start < 0:
            return None
        before = len(data[:start].decode())
        return before, before + len(data[start:end].decode())

    def whole(self, window: str, at: int) -> bool:
        """Whether the window from `at` to its end is one match."""
        data = window[at:].encode()
        ((start, _),) = self._match(_WHOLE, data, 0, len(data))
        return bool(start >= 0)
