"""Lexicons that were read before, in this process or in another, so that only what changed is read again.

A lexicon is known by the digest of its text and of those that it includes, never by a file's time. Small ones are
read each time: that takes no longer than looking for them.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import msgspec

from guardrail.errors import ConfigProblem
from guardrail.policy.cache import Cache
from guardrail.policy.document import read_text
from guardrail.policy.lexicon import Lexicon, digest_of, read_lexicon
from guardrail.policy.traits import Traits

LARGE = 64 * 1024
"""Characters of a file, from which on it is worth remembering."""

_FORMAT = 1
"""Raised when the same file comes to mean something else."""


class _Stored(msgspec.Struct, frozen=True, array_like=True):
    files: list[tuple[str, str]]
    """(path relative to the first one's folder, digest) of each."""
    groups: list[tuple[Traits, list[str], list[int]]]
    allow: dict[str, int]
    notes: dict[str, str]


_DECODER = msgspec.msgpack.Decoder(_Stored)


class Lists:
    """Reads lexicons, or remembers them. Outlives the loading of one configuration."""

    def __init__(self, cache: Cache | None = None) -> None:
        self.cache = Cache(None) if cache is None else cache
        self._known: dict[Path, tuple[Lexicon, list[ConfigProblem]]] = {}

    def read(self, path: Path) -> tuple[Lexicon, list[ConfigProblem]]:
        """As `read_lexicon`."""
        text, _ = read_text(path)
        if text is None or len(text) < LARGE:
            return read_lexicon(path)
        known = self._known.get(path)
        if known is not None and _unchanged(known[0], text):
            return known
        name = f"lexicon-{hashlib.sha256(f'{_FORMAT} {path.suffix.lower()} {digest_of(text)}'.encode()).hexdigest()}"
        stored = self.cache.get(name)
        lexicon = None if stored is None else _unpacked(stored, path)
        if lexicon is not None and _unchanged(lexicon, text):
            self._known[path] = lexicon, []
        else:
            self._known[path] = read_lexicon(path)
            # What was read may be newer than what was looked for; then it is kept at the next reading.
            if not self._known[path][1] and _unchanged(self._known[path][0], text):
                self.cache.put(name, _packed(self._known[path][0], path))
        return self._known[path]

    def forget(self, used: set[Path]) -> None:
        """Drop what is not among the files that are used now."""
        self._known = {path: known for path, known in self._known.items() if path in used}


def _unchanged(lexicon: Lexicon, text: str) -> bool:
    """Whether its file, which has this text now, and those that it includes are as they were."""
    if lexicon.digests[:1] != [digest_of(text)]:
        return False
    for path, digest in zip(lexicon.files[1:], lexicon.digests[1:], strict=True):
        included, _ = read_text(path)
        if included is None or digest_of(included) != digest:
            return False
    return True


def _packed(lexicon: Lexicon, path: Path) -> bytes:
    folder = os.path.abspath(path.parent)
    stored = _Stored(
        [
            (os.path.relpath(file.absolute(), folder), digest)
            for file, digest in zip(lexicon.files, lexicon.digests, strict=True)
        ],
        [(traits, list(terms), list(terms.values())) for traits, terms in lexicon.groups.items() if terms],
        lexicon.allow,
        lexicon.notes,
    )
    return msgspec.msgpack.encode(stored)


def _unpacked(data: bytes, path: Path) -> Lexicon | None:
    try:
        stored = _DECODER.decode(data)
    except msgspec.DecodeError:
        return None
    return Lexicon(
        files=[path, *(Path(os.path.normpath(path.parent / name)) for name, _ in stored.files[1:])],
        digests=[digest for _, digest in stored.files],
        groups={traits: dict(zip(terms, places, strict=True)) for traits, terms, places in stored.groups},
        allow=stored.allow,
        notes=stored.notes,
    )
