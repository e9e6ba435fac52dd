"""Lexicon files: lists of terms, as `.txt`, `.csv` or `.jsonl`, with what each list says about its terms.

A `.txt` has one term a line. Its head, before the first term, may hold lines that speak for every term of the file
(`@category slur`); `@include other.csv` stands anywhere and takes in another file of any of the three kinds, which
speaks for itself. The other two have a row for each term (see `rows`). `#` begins a comment.

Promises: every problem of every file, by line and column. A term that is listed twice is one term; where its entries
contradict each other, that is a problem which names both lines. What a term means is the engine's business.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from guardrail.errors import ConfigProblem
from guardrail.policy.document import read_text, tidy
from guardrail.policy.problems import one_of, suggestion
from guardrail.policy.rows import BadRow, Row, csv_rows, jsonl_rows
from guardrail.policy.traits import FIELDS, PLAIN, Fault, Traits, read_traits

MAX_TERM = 256
"""Characters of one term: longer ones are sentences, and a stream would have to be held back for them."""

SUFFIXES = (".txt", ".csv", ".jsonl")

_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f]")
_DIRECTIVE = re.compile(r"@([A-Za-z_-]+)[ \t]+(\S.*)")
_LINE = 2**32
"""A place is file * _LINE + line: one number, of which 100,000 weigh little."""


@dataclass(slots=True)
class Lexicon:
    """The terms of a file and of those that it includes."""

    files: list[Path] = field(default_factory=list)
    """The file itself first."""
    digests: list[str] = field(default_factory=list)
    """Of the text of each of the files that could be read; see `digest_of`."""
    groups: dict[Traits, dict[str, int]] = field(default_factory=dict)
    """The terms by what is said about them, each with its place (see `at`)."""
    allow: dict[str, int] = field(default_factory=dict)
    """Allow-phrases, of whichever term, with their place."""
    notes: dict[str, str] = field(default_factory=dict)
    """What the list's authors say to whoever reviews a hit, by term."""

    @property
    def terms(self) -> Iterator[str]:
        for group in self.groups.values():
            yield from group

    def at(self, place: int, column: int = 1, message: str = "") -> ConfigProblem:
        """A problem at the place of a term or phrase."""
        return ConfigProblem(str(self.files[place // _LINE]), place % _LINE, column, message)


def read_lexicon(path: Path) -> tuple[Lexicon, list[ConfigProblem]]:
    """The terms of a file, and what is wrong with it and with what it includes."""
    reader = _Reader()
    reader.read(path)
    if not reader.problems and not any(reader.lexicon.groups.values()):
        reader.problems.append(ConfigProblem(str(path), 1, 1, "found no term, expected one a line"))
    return reader.lexicon, reader.problems


def digest_of(text: str) -> str:
    """SHA-256 (hex) of the text of a file."""
    return hashlib.sha256(text.encode()).hexdigest()


def include_line(line: str) -> str | None:
    """The file that a line of a `.txt` takes in; None for any other line."""
    found = _DIRECTIVE.fullmatch(line.strip())
    return found[2] if found and found[1] == "include" else None


class _Reader:
    def __init__(self) -> None:
        self.lexicon = Lexicon()
        self.problems: list[ConfigProblem] = []
        self._home: dict[str, Traits] = {}
        self._known: dict[tuple[str, ...], tuple[Traits, list[Fault]]] = {("",) * len(FIELDS): (PLAIN, [])}
        self._open: list[Path] = []
        self._read: set[Path] = set()

    def read(self, path: Path) -> None:
        """Read a file and what it includes, each once."""
        path = tidy(path)
        real = path.resolve()
        self._read.add(real)
        self._open.append(real)
        number = len(self.lexicon.files)
        self.lexicon.files.append(path)
        kind = path.suffix.lower()
        if kind not in SUFFIXES:
            message = f"found a lexicon {path.name!r}, expected a name that ends in {one_of(SUFFIXES)}"
            self.problems.append(ConfigProblem(str(path), 1, 1, message))
        else:
            text, problems = read_text(path)
            self.problems += problems
            if text is not None:
                self.lexicon.digests.append(digest_of(text))
                if kind == ".txt":
                    self._lines(path, number, text)
                else:
                    self._rows(path, number, csv_rows(text) if kind == ".csv" else jsonl_rows(text))
        self._open.pop()

    def _lines(self, path: Path, number: int, text: str) -> None:
        base = number * _LINE
        said: dict[str, str] = {}
        traits = PLAIN
        headed = False
        home = self._home
        group = self.lexicon.groups.setdefault(traits, {})
        # Only LF and CR LF end a line: a term may hold any other character that Unicode counts as a line's end.
        for line_number, line in enumerate(text.split("\n"), 1):
            term = line.strip()
            if not term or term[0] == "#":
                continue
            if term[0] == "@" and (found := _DIRECTIVE.fullmatch(term)):
                place = ConfigProblem(str(path), line_number, line.index("@") + 1, "")
                self._directive(place, found[1], found[2], path, said, headed=headed)
                continue
            if not headed:
                headed = True
                traits, _ = self._traits(tuple(said.get(name, "") for name in FIELDS))
                group = self.lexicon.groups.setdefault(traits, {})
            if len(term) > MAX_TERM or _CONTROL.search(term) or home.setdefault(term, traits) is not traits:
                self._term(term, traits, base + line_number, line.index(term[0]) + 1)
            else:
                group.setdefault(term, base + line_number)

    def _directive(
        self, place: ConfigProblem, name: str, value: str, path: Path, said: dict[str, str], *, headed: bool
    ) -> None:
        def complain(message: str) -> None:
            self.problems.append(ConfigProblem(place.file, place.line, place.column, message))

        if name == "include":
            self._include(path.parent / value, value, complain)
        elif name not in FIELDS:
            known = [f"@{each}" for each in ("include", *FIELDS)]
            complain(
                f"found the unknown line '@{name}', expected {suggestion(f'@{name}', known)}; "
                "a term that looks like one needs a .csv or .jsonl"
            )
        elif headed:
            complain(f"found '@{name}' behind a term, expected it before the first one: it speaks for the whole file")
        elif name in said:
            complain(f"found '@{name}' again, expected it once")
        else:
            said[name] = value
            words = tuple(value if each == name else "" for each in FIELDS)
            for _, message in self._traits(words)[1]:
                complain(message)

    def _include(self, path: Path, name: str, complain: Callable[[str], None]) -> None:
        real = path.resolve()
        if real in self._open:
            circle = " → ".join(each.name for each in [*self._open[self._open.index(real) :], real])
            complain(f"found a circle of lexicons, expected none: {circle}")
        elif not path.is_file():
            complain(f"found no file {name!r} here, expected a lexicon")
        elif real not in self._read:
            self.read(path)

    def _rows(self, path: Path, number: int, rows: Iterator[Row | BadRow]) -> None:
        base = number * _LINE
        for row in rows:
            if isinstance(row, BadRow):
                self.problems.append(ConfigProblem(str(path), row.line, row.column, row.message))
                continue
            traits, faults = self._traits(row.traits)
            for name, message in faults:
                self.problems.append(ConfigProblem(str(path), *row.place(name), message))
            line, column = row.place("term")
            if not row.term:
                self.problems.append(ConfigProblem(str(path), line, column, "found no term in this row, expected one"))
                continue
            if not self._term(row.term, traits, base + line, column):
                continue
            line, column = row.place("allow")
            for phrase in row.allow:
                if self._sound(phrase, base + line, column, "an allow-phrase"):
                    self.lexicon.allow.setdefault(phrase, base + line)
            if row.note:
                self.lexicon.notes.setdefault(row.term, row.note)

    def _traits(self, words: tuple[str, ...]) -> tuple[Traits, list[Fault]]:
        if words not in self._known:
            self._known[words] = read_traits(words)
        return self._known[words]

    def _term(self, term: str, traits: Traits, place: int, column: int) -> bool:
        """Take a term up; whether it is sound."""
        groups = self.lexicon.groups
        if not self._sound(term, place, column, "a term"):
            return False
        before = self._home.setdefault(term, traits)
        if before is not traits and before != traits:
            first = groups[before].pop(term) if term in groups.get(before, ()) else place
            merged = before.merged(traits)
            if merged is None:
                where = self.lexicon.at(first)
                other = "" if first // _LINE == place // _LINE else f" of {where.file}"
                message = f"found {term!r} again, expected what line {where.line}{other} says about it, or nothing else"
                self.problems.append(self.lexicon.at(place, column, message))
                merged = before
            self._home[term] = merged
            groups.setdefault(merged, {})[term] = first
        else:
            groups.setdefault(traits, {}).setdefault(term, place)
        return True

    def _sound(self, phrase: str, place: int, column: int, what: str) -> bool:
        if len(phrase) > MAX_TERM:
            message = f"found {what} of {len(phrase)} characters, expected at most {MAX_TERM}"
        elif not phrase:
            message = f"found {what} with nothing in it, expected one"
        elif control := _CONTROL.search(phrase):
            message = f"found the control character U+{ord(control[0]):04X} in {what}, expected printable text"
            column += control.start()
        else:
            return True
        self.problems.append(self.lexicon.at(place, column, message))
        return False
