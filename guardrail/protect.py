"""`guardrail protect`: makes and changes sets of fingerprints of documents that must not be reproduced.

Promises: a set is changed as a whole or not at all; each document that could not be taken is named, with the reason;
what was named on the command line must all be sound, or nothing is written. Of a folder, what is no text is left out,
and said so. Never writes a text anywhere.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import track

from guardrail.policy.fingerprints import (
    MAX_UNITS,
    MIN_UNITS,
    BadFingerprints,
    Document,
    Draft,
    FingerprintFile,
    new_shape,
)
from guardrail.text.shingles import CHARACTERS, WORDS


@dataclass(frozen=True, slots=True)
class Source:
    """A file that is to become a document of the set."""

    name: str
    path: Path | None
    """None: standard input."""
    named: bool
    """Whether it was named itself; else it was found in a folder."""

    def read(self) -> bytes:
        return sys.stdin.buffer.read() if self.path is None else self.path.read_bytes()

    def __str__(self) -> str:
        return "standard input" if self.path is None else str(self.path)


def add(files: Sequence[str], to: Path, *, words: int | None, characters: int | None, name: str | None) -> int:
    """Put files, folders of files, or standard input (`-`) into the set, which is made if there is none.

    Returns the exit status: 0; 1 when nothing was written; 2 for bad usage."""
    for option, units in (("--words", words), ("--characters", characters)):
        if units is not None and not MIN_UNITS <= units <= MAX_UNITS:
            return _usage(f"{option}: found {units}, expected {MIN_UNITS} to {MAX_UNITS}")
    try:
        sources = list(_sources(files, name))
        draft = _draft(to, words, characters)
    except ValueError as error:
        return _usage(str(error))
    except (BadFingerprints, OSError) as error:
        return _failed(to, error)
    bad = left_out = 0
    for source in track(sources, "reading", console=Console(stderr=True), disable=not _watched(sources)):
        try:
            draft.add(source.name, source.read())
        except (BadFingerprints, OSError) as error:
            print(f"guardrail protect: {source}: {_reason(error)}", file=sys.stderr)
            bad += source.named
            left_out += not source.named
    if bad or left_out == len(sources):
        print(f"guardrail protect: {to} was not written", file=sys.stderr)
        return 1
    try:
        listed = draft.write(to)
    except OSError as error:
        return _failed(to, error)
    added = len(sources) - left_out
    print(f"{to}: {_count(added, 'document')} added, {_totals(listed)}")
    if left_out:
        print(f"guardrail protect: left out {_count(left_out, 'file')}, see above", file=sys.stderr)
    return 0


def remove(path: Path, names: Sequence[str]) -> int:
    """Take documents out of the set. Returns the exit status, as `add` does."""
    try:
        draft = Draft(FingerprintFile(path))
    except (BadFingerprints, OSError) as error:
        return _failed(path, error)
    unknown = [name for name in dict.fromkeys(names) if name not in draft]
    for name in unknown:
        print(f"guardrail protect: found no document {name!r} in {path}", file=sys.stderr)
    if unknown:
        return 1
    for name in dict.fromkeys(names):
        draft.remove(name)
    if not len(draft):
        print(f"guardrail protect: nothing would be left in {path}; delete the file instead", file=sys.stderr)
        return 1
    try:
        listed = draft.write(path)
    except OSError as error:
        return _failed(path, error)
    print(f"{path}: {_count(len(dict.fromkeys(names)), 'document')} removed, {_totals(listed)}")
    return 0


def show(path: Path, *, as_json: bool) -> int:
    """Print what is in the set. Returns the exit status, as `add` does."""
    try:
        opened = FingerprintFile(path)
    except (BadFingerprints, OSError) as error:
        return _failed(path, error)
    if as_json:
        documents = [{"id": one.id, "sha256": one.sha256, "shingles": one.shingles} for one in opened.listed]
        shape = {"words": opened.shape.words, "characters": opened.shape.characters}
        print(json.dumps({**shape, "digest": opened.digest, "documents": documents}, ensure_ascii=False, indent=2))
        return 0
    print(f"{opened.shape.words} words or {opened.shape.characters} characters; {_totals(opened.listed)}")
    for one in opened.listed:
        print(f"{one.shingles:>12,}  {one.sha256[:12]}  {one.id}")
    return 0


def _draft(to: Path, words: int | None, characters: int | None) -> Draft:
    """The set at `to`, to be changed, or a new one. Raises ValueError when it exists with other sizes."""
    if not to.exists():
        return Draft(new_shape(words or WORDS, characters or CHARACTERS))
    base = FingerprintFile(to)
    for option, wanted, there in (
        ("--words", words, base.shape.words),
        ("--characters", characters, base.shape.characters),
    ):
        if wanted not in (None, there):
            raise ValueError(f"{option}: found {wanted}, expected {there}, with which {to} was made")
    return Draft(base)


def _sources(files: Sequence[str], name: str | None) -> Iterator[Source]:
    """Raises ValueError for names that are missing or not unique."""
    if name is not None and (len(files) != 1 or Path(files[0]).is_dir()):
        raise ValueError("--id: found it with several files, expected one")
    first: dict[str, Source] = {}
    for source in _found(files, name):
        if source.name in first:
            other = first[source.name]
            raise ValueError(f"found {other} and {source}, both called {source.name!r}; give one of them an --id")
        first[source.name] = source
        yield source
    if not first:
        raise ValueError("found no files in the folder")


def _found(files: Sequence[str], name: str | None) -> Iterator[Source]:
    for file in files:
        path = Path(file)
        if file == "-":
            if name is None:
                raise ValueError("found standard input without a name, expected --id NAME")
            yield Source(name, None, True)
        elif path.is_dir():
            for folder, below, names in os.walk(path):
                below[:] = sorted(one for one in below if not one.startswith("."))
                for one in sorted(names):
                    if not one.startswith("."):
                        inside = Path(folder, one)
                        yield Source(inside.relative_to(path).as_posix(), inside, False)
        else:
            yield Source(name or path.name, path, True)


def _watched(sources: Sequence[Source]) -> bool:
    return len(sources) > 1 and sys.stderr.isatty()


def _totals(listed: Sequence[Document]) -> str:
    return f"{_count(len(listed), 'document')} and {_count(sum(one.shingles for one in listed), 'shingle')} in it"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _reason(error: BadFingerprints | OSError) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


def _failed(path: Path, error: BadFingerprints | OSError) -> int:
    print(f"guardrail protect: {path}: {_reason(error)}", file=sys.stderr)
    return 1


def _usage(message: str) -> int:
    print(f"guardrail protect: {message}", file=sys.stderr)
    return 2
