"""Which requests of an ASGI application are guarded, and by which protocol.

By default all paths that the proxy guards are, also behind a prefix of the application's own (`/llm/v1/messages`), and
however they are spelt that a router might take for them (doubled slashes, a slash at the end, dot segments): what is
not a model's answer fails loudly there, while an answer that was missed would pass unguarded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from guardrail.proxy.routes import GUARDED
from guardrail.wire.protocol import Protocol

_LONGEST = 12
"""Segments at the end of a path that are looked at; guarded paths have half as many."""


class Guarded(NamedTuple):
    """A request at a guarded path."""

    protocol: Protocol
    target: str
    """For the protocol's reader: the path, without what the application is mounted at, and the query."""


class PathTable:
    """The guarded paths of one application."""

    def __init__(self, paths: Mapping[str, str] | None) -> None:
        """`paths`: path -> name of a protocol; `*` in a path stands for anything within a segment. None: those that the
        proxy guards. Raises TypeError for what is no such mapping, ValueError for a name that no protocol has."""
        if paths is not None and not isinstance(paths, Mapping):
            raise TypeError(f"found {paths!r} for `paths`, expected a dict such as {{'/ask': 'openai_chat'}}, or None")
        for path, name in (paths or {}).items():
            if not isinstance(path, str) or not isinstance(name, str):
                raise TypeError(f"found {path!r}: {name!r} in `paths`, expected a path and the name of its protocol")
        known = {protocol.name: protocol for _, protocol in GUARDED}
        unknown = sorted({name for name in (paths or {}).values() if name not in known})
        if unknown:
            raise ValueError(f"found the protocol {unknown[0]!r}, expected one of {', '.join(sorted(known))}")
        self._anywhere = paths is None
        self._table = GUARDED if paths is None else [(_pattern(path), known[name]) for path, name in paths.items()]

    def find(self, scope: Mapping[str, Any]) -> Guarded | None:
        """None: the request is the application's own affair."""
        path, mount = scope["path"], scope.get("root_path", "").rstrip("/")
        segments = _segments(path[len(mount) :] if mount and path.startswith(mount + "/") else path)
        first = max(len(segments) - _LONGEST, 0) if self._anywhere else 0
        last = len(segments) if self._anywhere else 1
        for start in range(first, last):
            tail = "/" + "/".join(segments[start:])
            for pattern, protocol in self._table:
                if pattern.fullmatch(tail):
                    query = scope.get("query_string", b"").decode("latin-1")
                    return Guarded(protocol, f"{tail}?{query}" if query else tail)
        return None


def _segments(path: str) -> list[str]:
    """The path as the most lenient of routers might read it."""
    out: list[str] = []
    for segment in path.replace("\\", "/").split("/"):
        if segment == "..":
            del out[-1:]
        elif segment not in ("", "."):
            out.append(segment)
    return out


def _pattern(path: str) -> re.Pattern[str]:
    plain = "/" + "/".join(_segments(path))
    return re.compile("[^/]+".join(map(re.escape, plain.split("*"))))
