"""The rows of a lexicon file, whatever it is written in: `.csv` with a header row, or `.jsonl`.

Promises: every row that can be read comes out, and every one that cannot is a problem at its line and column. Knows
the names of the columns, not what may stand in them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from guardrail.policy.problems import one_of, suggestion
from guardrail.policy.traits import FIELDS

COLUMNS = ("term", *FIELDS[:4], "allow", "language", "note")
"""Names of the columns, in the order in which shipped files have them."""

_MAX_LINES = 100
"""Lines of one row: a quote that is never closed must not swallow the file."""

_BETWEEN_PHRASES = re.compile(r"\s+\|\s+")


@dataclass(slots=True)
class Row:
    """One term with what is said about it, as text."""

    line: int
    term: str
    traits: tuple[str, ...]
    """The text of each of `traits.FIELDS`."""
    allow: tuple[str, ...] = ()
    note: str = ""
    columns: dict[str, tuple[int, int]] = field(default_factory=dict)
    """(line, column) of each field that was given."""

    def place(self, name: str) -> tuple[int, int]:
        return self.columns.get(name, (self.line, 1))


@dataclass(frozen=True, slots=True)
class BadRow:
    """What cannot be read as a row."""

    line: int
    column: int
    message: str


def csv_rows(text: str) -> Iterator[Row | BadRow]:
    """Rows of comma-separated values (RFC 4180). White space around a field and lines that begin with `#` do not
    count; trailing fields may be left out."""
    header: list[str] | None = None
    for record in _records(text):
        if isinstance(record, BadRow):
            yield record
            if header is None:
                return  # nothing after it could be read
            continue
        if header is None:
            header, problems = _header(record)
            yield from problems
            if "term" not in header:
                return
            continue
        if len(record) > len(header):
            line, column, _ = record[len(header)]
            message = f"found {len(record)} fields, expected at most {len(header)}; a comma in a field needs quotes"
            yield BadRow(line, column, message)
            continue
        places = {name: (line, column) for name, (line, column, _) in zip(header, record, strict=False)}
        values = {name: value for name, (_, _, value) in zip(header, record, strict=False)}
        yield Row(
            record[0][0],
            values.get("term", ""),
            tuple(values.get(name, "") for name in FIELDS),
            tuple(_BETWEEN_PHRASES.split(values["allow"])) if values.get("allow") else (),
            values.get("note", ""),
            places,
        )


def _header(record: list[tuple[int, int, str]]) -> tuple[list[str], list[BadRow]]:
    names: list[str] = []
    problems = []
    for line, column, name in record:
        if name not in COLUMNS:
            message = f"found the unknown column {name!r}, expected {suggestion(name, COLUMNS)}"
            problems.append(BadRow(line, column, message))
        elif name in names:
            problems.append(BadRow(line, column, f"found the column {name!r} again, expected each name once"))
        names.append(name)
    if "term" not in names:
        line, column, _ = record[0]
        message = f"found a first row without the column 'term', expected the names of the columns: {one_of(COLUMNS)}"
        problems = problems if len(problems) < len(names) else []
        problems.append(BadRow(line, column, message))
    return names, problems


def _records(text: str) -> Iterator[list[tuple[int, int, str]] | BadRow]:
    """Each record as the (line, column, value) of its fields."""
    lines = text.split("\n")
    number = 0
    while number < len(lines):
        line = lines[number].removesuffix("\r")
        number += 1
        if not line.strip() or line.startswith("#"):
            continue
        if '"' not in line:
            fields = []
            at = 1
            for value in line.split(","):
                trimmed = value.strip()
                fields.append((number, at + (value.index(trimmed[0]) if trimmed else 0), trimmed))
                at += len(value) + 1
            yield fields
            continue
        # Quoted fields may hold line ends: the record goes on until a line leaves none open.
        first = number
        parts = [line]
        open_quote = line.count('"') % 2 == 1
        while open_quote and number < len(lines) and len(parts) < _MAX_LINES:
            parts.append(lines[number].removesuffix("\r"))
            open_quote ^= parts[-1].count('"') % 2 == 1
            number += 1
        if open_quote:
            number = first  # a lost quote would otherwise hide every problem after it
        yield _quoted("\n".join(parts), first)


_FIELD = re.compile(r'[^\S\n]*(?:"((?:[^"]|"")*)"[^\S\n]*|([^",]*))(,|\Z)')


def _quoted(record: str, first: int) -> list[tuple[int, int, str]] | BadRow:
    fields = []
    at = 0
    while True:
        found = _FIELD.match(record, at)
        if found is None:
            return _misquoted(record, at, first)
        group = 1 if found[1] is not None else 2
        value = found[group].replace('""', '"') if group == 1 else found[group]
        fields.append((*_place(record, found.start(group), first), value.strip()))
        at = found.end()
        if not found[3]:
            return fields


def _misquoted(record: str, at: int, first: int) -> BadRow:
    start = at + len(record[at:]) - len(record[at:].lstrip(" \t"))
    if record.startswith('"', start):
        end = re.compile(r'"(?:[^"]|"")*"').match(record, start)
        if end is None:
            return BadRow(*_place(record, start, first), "found a quote that is never closed, expected another")
        return BadRow(
            *_place(record, end.end(), first),
            "found text behind a quoted field, expected a comma; a quote inside a field is written twice",
        )
    quote = record.index('"', start)
    message = 'found a quote inside a field, expected the whole field in quotes and this one written twice: "a ""b"""'
    return BadRow(*_place(record, quote, first), message)


def _place(record: str, at: int, first: int) -> tuple[int, int]:
    before = record[:at]
    return first + before.count("\n"), len(before) - (before.rfind("\n") + 1) + 1


def jsonl_rows(text: str) -> Iterator[Row | BadRow]:
    """Rows of JSON objects, one a line. `options`, `allow` and `language` may be lists."""
    for number, line in enumerate(text.split("\n"), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        problems: list[BadRow] = []
        try:
            pairs: Any = json.loads(line, object_pairs_hook=lambda pairs: _Pairs(pairs))
        except json.JSONDecodeError as error:
            yield BadRow(number, error.colno, f"this is not valid JSON: {error.msg}")
            continue
        except (ValueError, RecursionError):
            yield BadRow(number, 1, "this is not JSON that can be read: a number too long, or nested too deeply")
            continue
        if not isinstance(pairs, _Pairs):
            yield BadRow(number, 1, 'found no object, expected one on each line: {"term": …}')
            continue
        values: dict[str, tuple[str, ...]] = {}
        places = {name: (number, _column(line, name)) for name, _ in pairs.items}
        for name, value in pairs.items:
            message = _wrong(name, value, values)
            if message:
                problems.append(BadRow(*places[name], message))
            else:
                values[name] = tuple(value) if isinstance(value, list) else (value,)
        if problems:
            yield from problems
            continue
        words = {name: " ".join(given).strip() for name, given in values.items()}
        yield Row(
            number,
            words.get("term", ""),
            tuple(words.get(name, "") for name in FIELDS),
            tuple(phrase.strip() for phrase in values.get("allow", ())),
            words.get("note", ""),
            places,
        )


@dataclass(slots=True)
class _Pairs:
    items: list[tuple[str, Any]]


def _wrong(name: str, value: Any, before: dict[str, tuple[str, ...]]) -> str | None:
    if name not in COLUMNS:
        return f"found the unknown key {name!r}, expected {suggestion(name, COLUMNS)}"
    if name in before:
        return f"found the key {name!r} again, expected it once"
    if name in ("allow", "options", "language"):
        if not isinstance(value, str) and not (isinstance(value, list) and all(isinstance(v, str) for v in value)):
            return "found something else, expected a text or a list of texts"
    elif not isinstance(value, str):
        return "found something else, expected a text"
    return None


def _column(line: str, name: str) -> int:
    """Where a key stands; keys are as good as never escaped."""
    return line.find(json.dumps(name, ensure_ascii=False)) + 1 or 1
