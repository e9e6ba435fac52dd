"""The rows of a lexicon file, whatever it is written in: `.csv` with a header row, or `.jsonl`.

Promises: every row that can be read comes out, and every one that cannot is a problem at its line and column. Knows
the names of the columns, not what may stand in them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from guardrail.policy.problems import one_of, suggestion
from guardrail.policy.traits import FIELDS

COLUMNS = ("term", *FIELDS[:4], "allow", "language", "note")
"""Names of the columns, in the order in which shipped files have them."""

_MAX_LINES = 100
"""Lines of one row: a quote that is never closed must not swallow the file."""

_LISTS = ("allow", "options", "language")
"""Keys of a JSON object that may have several texts."""

_BETWEEN_PHRASES = re.compile(r"\s+\|\s+")


@dataclass(slots=True)
class Row:
    """One term with what is said about it, as text."""

    line: int
    term: str
    traits: tuple[str, ...]
    """The text of each of `traits.FIELDS`."""
    allow: tuple[str, ...]
    note: str
    place: Callable[[str], tuple[int, int]]
    """(line, column) of a field by its name; of one that was not given, the row's."""


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
    order: list[int] = []
    empty = [""] * len(COLUMNS)
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
            order = [header.index(name) if name in header else -1 for name in ("term", "allow", "note", *FIELDS)]
            continue
        values = record.values
        if len(values) > len(header):
            message = f"found {len(values)} fields, expected at most {len(header)}; a comma in a field needs quotes"
            yield BadRow(*record.place(len(header)), message)
            continue
        values += empty  # index -1 is an empty one, and so is every field that was left out
        term, allow, note, *traits = [values[index] for index in order]
        phrases = tuple(_BETWEEN_PHRASES.split(allow)) if allow else ()
        yield Row(record.line, term, tuple(traits), phrases, note, partial(_field_place, record, header))


def _field_place(record: _Record, header: list[str], name: str) -> tuple[int, int]:
    return record.place(header.index(name)) if name in header else (record.line, 1)


@dataclass(slots=True)
class _Record:
    """The fields of one record, and where they stand, for whoever has to say so."""

    line: int
    values: list[str]
    text: str
    starts: list[int] | None = None
    """Where each field starts in `text`; None where every comma ends one."""

    def place(self, index: int) -> tuple[int, int]:
        """(line, column) of a field, or of the record where it has no such field."""
        if self.starts is None:
            fields = self.text.split(",")
            if index >= len(fields):
                return self.line, 1
            before, field = sum(map(len, fields[:index])) + index, fields[index]
            return self.line, before + (len(field) - len(field.lstrip()) if field.strip() else 0) + 1
        return _place(self.text, self.starts[index], self.line) if index < len(self.starts) else (self.line, 1)


def _header(record: _Record) -> tuple[list[str], list[BadRow]]:
    names = record.values
    problems = []
    for index, name in enumerate(names):
        if name not in COLUMNS:
            message = f"found the unknown column {name!r}, expected {suggestion(name, COLUMNS)}"
            problems.append(BadRow(*record.place(index), message))
        elif name in names[:index]:
            problems.append(BadRow(*record.place(index), f"found the column {name!r} again, expected each name once"))
    if "term" not in names:
        message = f"found a first row without the column 'term', expected the names of the columns: {one_of(COLUMNS)}"
        problems = problems if len(problems) < len(names) else []
        problems.append(BadRow(*record.place(0), message))
    return names, problems


def _records(text: str) -> Iterator[_Record | BadRow]:
    lines = text.split("\n")
    number = 0
    while number < len(lines):
        line = lines[number].removesuffix("\r")
        number += 1
        if line[:1] == "#" or not line.strip():
            continue
        if '"' not in line:
            yield _Record(number, [value.strip() for value in line.split(",")], line)
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


def _quoted(text: str, first: int) -> _Record | BadRow:
    record = _Record(first, [], text, [])
    assert record.starts is not None  # just given
    at = 0
    while True:
        found = _FIELD.match(text, at)
        if found is None:
            return _misquoted(text, at, first)
        group = 1 if found[1] is not None else 2
        record.values.append((found[1].replace('""', '"') if group == 1 else found[2]).strip())
        record.starts.append(found.start(group))
        at = found.end()
        if not found[3]:
            return record


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
        if not stripped or stripped[0] == "#":
            continue
        try:
            pairs = json.loads(line, object_pairs_hook=_Pairs)
        except json.JSONDecodeError as error:
            yield BadRow(number, error.colno, f"this is not valid JSON: {error.msg}")
            continue
        except (ValueError, RecursionError):
            yield BadRow(number, 1, "this is not JSON that can be read: a number too long, or nested too deeply")
            continue
        problems = list(_wrong(number, line, pairs))
        if problems:
            yield from problems
            continue
        given = dict(pairs)
        allow = given.get("allow", ())
        yield Row(
            number,
            given["term"].strip(),
            tuple(_words(given.get(name, "")) for name in FIELDS),
            tuple(phrase.strip() for phrase in ((allow,) if isinstance(allow, str) else allow)),
            given.get("note", "").strip(),
            partial(_key_place, number, line),
        )


class _Pairs(list[tuple[str, Any]]):
    """An object, with every key as often as it stands there."""


def _words(given: str | list[str]) -> str:
    return given if isinstance(given, str) else " ".join(given)


def _key_place(number: int, line: str, name: str) -> tuple[int, int]:
    """Where a key stands; keys are as good as never escaped."""
    return number, line.find(json.dumps(name, ensure_ascii=False)) + 1 or 1


def _wrong(number: int, line: str, pairs: Any) -> Iterator[BadRow]:
    """What is wrong with the value of a line."""
    if not isinstance(pairs, _Pairs):
        yield BadRow(number, 1, 'found no object, expected one on each line: {"term": …}')
        return
    before: set[str] = set()
    for name, value in pairs:
        message = None
        if name not in COLUMNS:
            message = f"found the unknown key {name!r}, expected {suggestion(name, COLUMNS)}"
        elif name in before:
            message = f"found the key {name!r} again, expected it once"
        elif not isinstance(value, str):
            listed = name in _LISTS and type(value) is list and all(isinstance(each, str) for each in value)
            if not listed:
                message = f"found something else, expected a text{' or a list of texts' if name in _LISTS else ''}"
        if message is not None:
            yield BadRow(*_key_place(number, line, name), message)
        before.add(name)
    if "term" not in before:
        yield BadRow(number, 1, "found no key 'term', expected one")
