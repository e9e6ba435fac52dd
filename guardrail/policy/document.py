"""A configuration file as plain values, with the line and column of every key and value.

Promises: whatever the file holds, the result is a Document or problems with a place, never an exception;
nothing in the file can make reading it run long or recurse deeply. Stricter than YAML on purpose: one
document, UTF-8, no duplicate keys, no anchors, aliases or tags; `yes`, `no`, dates and octal numbers are
plain text.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from guardrail.errors import ConfigProblem

MAX_FILE = 64 * 2**20
"""Bytes of one file: far above 100,000 terms, far below what would hurt."""

_MAX_DEPTH = 40
"""Levels of nesting. The deepest key of the format is at level 8."""

Step = str | int
Place = tuple[Step, ...]
"""The way to a value from the top of a document: keys and list indexes."""


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's parser where PyYAML was built with it: ten times as fast."""

_INT = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,18}")
_WORDS = {"true": True, "True": True, "false": False, "False": False}
_NOTHING = ("", "~", "null", "Null")


@dataclass(slots=True)
class Document:
    """One file: `data` as dicts, lists, str, int, float, bool, and where each of them stands."""

    path: Path
    data: Any = None
    values: dict[Place, tuple[int, int]] = field(default_factory=dict)
    keys: dict[Place, tuple[int, int]] = field(default_factory=dict)

    def problem(self, place: Place, message: str, *, key: bool = False) -> ConfigProblem:
        """A problem with the value at `place` (or with its key); the nearest place above it that exists."""
        where = self.keys.get(place) if key else None
        while where is None:
            where = self.values.get(place)
            if where is None and not place:
                where = (1, 1)
            place = place[:-1]
        return ConfigProblem(str(self.path), *where, message)


def read_document(path: Path) -> tuple[Document, list[ConfigProblem]]:
    """Read one YAML file. With problems, the document holds what could be read."""
    document = Document(path)
    text, problems = read_text(path)
    if text is None:
        return document, problems
    if not text.strip():
        return document, [ConfigProblem(str(path), 1, 1, "found an empty file, expected keys and values")]
    walk = _Walk(document, text)
    try:
        walk.read()
    except _TooDeep:
        problems = []
    except yaml.MarkedYAMLError as error:
        problems = [_syntax_problem(path, text, error)]
    except yaml.reader.ReaderError as error:
        line, column = _line_column(text, error.position)
        found = f"the control character U+{ord(text[error.position]):04X}" if error.position < len(text) else "bad text"
        problems = [ConfigProblem(str(path), line, column, f"found {found}, expected printable text")]
    return document, problems + walk.problems


def tidy(path: Path) -> Path:
    """The path without `..` and `.`, where that is the same file: behind a symbolic link it need not be."""
    plain = Path(os.path.normpath(path))
    try:
        return plain if plain == path or plain.resolve() == path.resolve() else path
    except (OSError, RuntimeError):  # a loop of symbolic links
        return path


def read_text(path: Path) -> tuple[str | None, list[ConfigProblem]]:
    """The text of a file, UTF-8 with or without a byte order mark; None with a problem when there is none."""

    def problem(message: str, line: int = 1, column: int = 1) -> tuple[None, list[ConfigProblem]]:
        return None, [ConfigProblem(str(path), line, column, message)]

    try:
        if path.is_dir():
            return problem("found a folder, expected a file")
        if path.exists() and not path.is_file():
            return problem("found a device, socket or pipe, expected a file")
        with path.open("rb") as file:
            data = file.read(MAX_FILE + 1)
    except FileNotFoundError:
        return problem("found no file here, expected one")
    except (OSError, RuntimeError, ValueError) as error:  # RuntimeError: a loop of symbolic links
        reason = getattr(error, "strerror", None) or str(error)
        return problem(f"this file cannot be read: {reason}")
    if len(data) > MAX_FILE:
        return problem(f"found more than {MAX_FILE} bytes, expected a smaller file")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return problem("found UTF-16, expected UTF-8")
    try:
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
        return problem(f"found the byte 0x{data[error.start]:02X}, expected UTF-8", line, column)


class _TooDeep(Exception):
    """The file is nested so deeply that it is not read to its end."""


class _Walk:
    """Turns the events of a YAML stream into values; keeps the places and collects what is not allowed."""

    def __init__(self, document: Document, text: str) -> None:
        self.document = document
        self.problems: list[ConfigProblem] = []
        self._events: Iterator[yaml.Event] = yaml.parse(text, Loader=_LOADER)

    def read(self) -> None:
        """Read the one document. Raises yaml.YAMLError where the text is not YAML."""
        next(self._events)  # the stream's start
        first = next(self._events)
        if isinstance(first, yaml.StreamEndEvent):
            self._complain(first, "found only comments, expected keys and values", at=(1, 1))
            return
        self.document.data = self._value(next(self._events), ())
        next(self._events)  # the document's end
        after = next(self._events)
        if not isinstance(after, yaml.StreamEndEvent):
            self._complain(after, "found a second document, expected one for each file")

    def _complain(self, event: yaml.Event, message: str, at: tuple[int, int] | None = None) -> None:
        self.problems.append(ConfigProblem(str(self.document.path), *(at or _position(event)), message))

    def _value(self, event: yaml.Event, place: Place) -> Any:
        """The value that starts with `event`; None, with a problem, where there is none that is allowed."""
        self.document.values[place] = _position(event)
        if isinstance(event, yaml.AliasEvent):
            self._complain(event, f"found the alias *{event.anchor}, expected the value itself")
            return None
        assert isinstance(event, (yaml.ScalarEvent, yaml.CollectionStartEvent))  # what else starts a value
        if event.anchor is not None:
            self._complain(event, f"found the anchor &{event.anchor}, expected none: policies share by `extends`")
        if event.tag is not None:
            self._complain(event, f"found the tag {event.tag!r}, expected a plain value")
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        if len(place) >= _MAX_DEPTH:
            self._complain(event, f"found more than {_MAX_DEPTH} levels of nesting, expected fewer")
            raise _TooDeep  # not skipped: to parse a deep nest takes time by the square of its depth
        if isinstance(event, yaml.SequenceStartEvent):
            return [self._value(item, (*place, index)) for index, item in enumerate(self._until_end())]
        return self._mapping(place)

    def _mapping(self, place: Place) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for key_event in self._until_end():
            if not isinstance(key_event, yaml.ScalarEvent):
                self._complain(key_event, "found a list, mapping or alias as a key, expected a word")
                if not isinstance(key_event, yaml.AliasEvent):
                    self._skip()
                self._value(next(self._events), (*place, ""))
                continue
            key: str = key_event.value
            inside = (*place, key)
            if key in out:
                line = self.document.keys[inside][0]
                self._complain(key_event, f"found the key {key!r} again, expected it once (first on line {line})")
                self._value(next(self._events), (*inside, "again"))
                continue
            self.document.keys[inside] = _position(key_event)
            out[key] = self._value(next(self._events), inside)
        return out

    def _scalar(self, event: yaml.ScalarEvent) -> Any:
        text: str = event.value
        if event.style:  # quoted or a block
            return text
        if text in _NOTHING:
            self._complain(event, "found nothing, expected a value (or leave the key out)")
            return None
        if text in _WORDS:
            return _WORDS[text]
        if _INT.fullmatch(text):
            return int(text)
        if _FLOAT.fullmatch(text):
            return float(text)
        return text

    def _until_end(self) -> Iterator[yaml.Event]:
        """The events that start the members of the collection just begun."""
        for event in self._events:
            if isinstance(event, yaml.CollectionEndEvent):
                return
            yield event

    def _skip(self) -> None:
        """Pass over the collection just begun."""
        depth = 1
        while depth:
            event = next(self._events)
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)


def _position(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)


def _line_column(text: str, position: int) -> tuple[int, int]:
    before = text[: max(position, 0)]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def _syntax_problem(path: Path, text: str, error: yaml.MarkedYAMLError) -> ConfigProblem:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    lines = text.splitlines()
    at_fault = lines[line - 1] if 0 < line <= len(lines) else ""
    if "\t" in at_fault[: len(at_fault) - len(at_fault.lstrip())]:
        return ConfigProblem(str(path), line, at_fault.index("\t") + 1, "found a tab, expected spaces to indent with")
    parts = [part for part in (error.context, error.problem) if part]
    return ConfigProblem(str(path), line, column, "this is not valid YAML: " + ", ".join(parts))
