"""Labelled rows to measure with, and what a row says about a category.

A row is a JSON object: `text`, `labels` (a list of categories; empty: harmless), and optionally `role` (`response`:
written by a model), `lang`, `source` (`set:tag`) and `split`. Files are JSON lines, plain or gzipped.

Most public sets annotate one phenomenon, so a label that is missing on a labelled row says nothing, and an empty row
is a negative only of the categories that its set vouches for (the scope). `unsafe` stands for any harm: every label
is a positive of it, and an empty row a negative when its set vouches for every other category.

Promises: every bad line is told, with its file and number; nothing is skipped in silence.
"""

from __future__ import annotations

import gzip
import random
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from guardrail.errors import GuardrailError
from guardrail.policy.problems import faults
from guardrail.text.scores import CATEGORIES

EVERY_SPLIT = "all"

Scope = Mapping[str, frozenset[str]]
"""Per set, the categories of which its empty rows are negatives."""

_ROW_SHAPE = 'a row {"text": "...", "labels": [...]}'
_SCOPE_SHAPE = '{"set": ["category", ...], ...}'
_OTHERS = frozenset(CATEGORIES) - {"unsafe"}


class BadRows(GuardrailError):
    """Input that cannot be used; one problem per line of `problems`, each with its place."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(problems))


class Row(msgspec.Struct, frozen=True):
    text: str
    labels: list[str]
    role: str = ""
    lang: str = ""
    source: str = ""
    split: str = ""

    @property
    def set(self) -> str:
        """The set that the row is of."""
        return self.source.partition(":")[0]


@dataclass(frozen=True, slots=True)
class Rows:
    """What is measured with, and how many rows were left out of it."""

    rows: list[Row]
    other_splits: int
    """Rows of another split than the one that was asked for."""
    not_drawn: int
    """Rows beyond the limit."""


def lines_of(path: Path) -> Iterator[bytes]:
    """The lines of a file, unpacked when its name ends in `.gz`. Raises OSError, or BadRows for what is no gzip."""
    if path.suffix != ".gz":
        with path.open("rb") as plain:
            yield from plain
        return
    try:
        with gzip.open(path) as packed:
            yield from packed
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise BadRows([f"{path}: no complete gzip file: {error}"]) from error


def read_rows(paths: Iterable[Path], *, split: str = EVERY_SPLIT, limit: int | None = None, seed: int = 0) -> Rows:
    """The rows of files, in order. `split`: only rows of it, and rows that name none. `limit`: so many of them, drawn
    by the seed. Raises BadRows with every bad line, and OSError."""
    decoder = msgspec.json.Decoder(Row)
    rows: list[Row] = []
    problems: list[str] = []
    other_splits = 0
    for path in paths:
        for number, line in enumerate(lines_of(path), 1):
            if not line.strip():
                continue
            try:
                row = decoder.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError):
                problems += [f"{path}:{number}: {message}" for message in _wrong(line)]
                continue
            unknown = sorted(set(row.labels) - set(CATEGORIES))
            if unknown:
                known = ", ".join(CATEGORIES)
                problems.append(f"{path}:{number}: found the label {unknown[0]!r}, expected one of {known}")
            elif split != EVERY_SPLIT and row.split not in ("", split):
                other_splits += 1
            else:
                rows.append(row)
    if problems:
        raise BadRows(problems)
    not_drawn = 0
    if limit is not None and len(rows) > limit:
        not_drawn = len(rows) - limit
        chosen = sorted(random.Random(seed).sample(range(len(rows)), limit))  # noqa: S311 (a sample, no secret)
        rows = [rows[index] for index in chosen]
    return Rows(rows, other_splits, not_drawn)


def _wrong(line: bytes) -> Iterator[str]:
    """What is wrong with a line that is no row."""
    try:
        row = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        yield f"found no JSON ({error}), expected {_ROW_SHAPE}"
        return
    if not isinstance(row, dict):
        yield f"found no object, expected {_ROW_SHAPE}"
        return
    for place, message, _ in sorted(faults(row, Row)):
        yield f"{'.'.join(map(str, place))}: {message}" if place else message


def read_scope(path: Path) -> Scope:
    """A file `{"set": ["category", ...]}`. Raises BadRows, OSError."""
    try:
        raw = msgspec.json.decode(path.read_bytes(), type=dict[str, list[str]])
    except msgspec.ValidationError as error:
        raise BadRows([f"{path}: found another shape, expected {_SCOPE_SHAPE}"]) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRows([f"{path}: found no JSON ({error}), expected {_SCOPE_SHAPE}"]) from error
    problems = [
        f"{path}: {name}: found {category!r}, expected one of {', '.join(CATEGORIES)}"
        for name, categories in raw.items()
        for category in categories
        if category not in CATEGORIES
    ]
    if problems:
        raise BadRows(problems)
    return {name: frozenset(categories) for name, categories in raw.items()}


def check_scope(rows: Iterable[Row], scope: Scope) -> None:
    """Raises BadRows when empty rows are of sets of which the scope says nothing."""
    missing = Counter(row.set for row in rows if not row.labels and row.set not in scope)
    if missing:
        raise BadRows(
            [f"the scope says nothing of {name!r}, which has {count} empty rows" for name, count in missing.items()]
        )


def vouched(row: Row, scope: Scope | None) -> frozenset[str]:
    """The categories of which a row is a negative. Without a scope an empty row vouches for all."""
    if row.labels:
        return frozenset()
    categories = _OTHERS if scope is None else scope[row.set]
    return categories | {"unsafe"} if categories >= _OTHERS else categories - {"unsafe"}


def positives(row: Row) -> frozenset[str]:
    """The categories of which a row is a positive."""
    return frozenset(row.labels) | ({"unsafe"} if row.labels else frozenset())
