"""A channel whose text is one JSON document, because the client asked for JSON: what is edited in it stays valid JSON.

As in the arguments of tools, every string (keys too) is a text of its own, scanned with its escapes decoded, and every
number is one, of its digits. A mask is written as the inside of a JSON string, and a number that is edited becomes a
string; the signs between them are passed and never removed. So no hit reaches from one string into another, and a
classifier reads each string by itself. All of that while the document streams: a string goes on as it settles.

What is no JSON is text like any other from there on: an answer in prose, a fence around the document, what follows it.
A halt cuts the document where it starts.

Promises: chunk invariance, and that nothing of a removed span is settled without an edit. A lag budget does not count
here. Never checks more of the document than what a token is.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace

from guardrail.text.edits import Halt, edited
from guardrail.text.rules import Edit, Finding
from guardrail.text.ruleset import RuleSet
from guardrail.text.scanner import Scanner
from guardrail.text.scored import open_scanner
from guardrail.text.scores import Verdict
from guardrail.text.scoring import Scoring

MAX_NUMBER = 256
"""Characters of a number, which is held until it is whole; a longer one is taken for text."""
MAX_SIGNS = 64
"""Signs and blanks in a row that are held until what follows shows that they belong to a document."""

_SIGNS = " \t\r\n{}[]:,"
_TOKEN = re.compile(r"-?[0-9][0-9.eE+-]*|[a-z]+")
_WORDS = ("true", "false", "null")
_DIGITS = tuple("-0123456789")
_PLAIN = re.compile(r'[^"\\]+')
_ESCAPE = re.compile(
    r"\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|([^u]|u|\Z))", re.DOTALL
)
_OPEN_ESCAPE = re.compile(
    r"\\(?:u(?:[0-9a-fA-F]{0,3}|[dD][89abAB][0-9a-fA-F]{2}(?:\\(?:u(?:[dD](?:[c-fC-F][0-9a-fA-F]?)?)?)?)?))?\Z"
)
"""An escape that more text may make another one."""
_SPELLED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "/": "/"}


def is_document(channel: str) -> bool:
    """Whether the channel of this name is what a client gets JSON in that asked for it."""
    return channel.rpartition(".")[2] in ("content", "text", "response") and ".summary[" not in channel


class _Text:
    """A text in the document: the inside of a string, a number, or what is no JSON. Offsets are those of the document,
    but for its scanner's."""

    __slots__ = ("_end", "_escaped", "_places", "_size", "done", "edits", "scanner", "units")

    def __init__(self, scanner: Scanner, start: int, *, escaped: bool) -> None:
        self.scanner = scanner
        self.done = False
        """It is whole."""
        self.edits: list[Edit] = []
        """Decided and not handed out."""
        self.units: dict[int, int] = {}
        """The numbers of its units that lack a verdict: the document's, and its scanner's."""
        self._escaped = escaped
        self._size = 0
        self._end = start
        self._places = [(0, start)]
        """From which of the scanner's offsets on those of the document go on from which one."""

    def feed(self, pieces: Sequence[tuple[str, int]]) -> None:
        """Take text, in pieces, each with the number of characters that spell it."""
        for text, spelled in pieces:
            self._size += len(text)
            self._end += spelled
            if len(text) != spelled:
                self._places.append((self._size, self._end))
        self._take(self.scanner.feed("".join([text for text, _ in pieces])))

    def finish(self) -> None:
        self.done = True
        self._take(self.scanner.finish())

    def cut_unit(self) -> None:
        self._take(self.scanner.cut_unit())

    def score(self, number: int, verdict: Verdict) -> None:
        self._take(self.scanner.score(self.units.pop(number), verdict))

    def place(self, offset: int) -> int:
        """Where in the document a character of the scanner's is spelled."""
        at, place = self._places[bisect_right(self._places, offset, key=lambda place: place[0]) - 1]
        return place + offset - at

    def finding(self, found: Finding) -> Finding:
        return replace(found, start=self.place(found.start), end=self.place(found.end))

    def findings(self) -> list[Finding]:
        return [self.finding(found) for found in self.scanner.findings()]

    def _take(self, edits: Sequence[Edit]) -> None:
        for edit in edits:
            mask = json.dumps(edit.text, ensure_ascii=False)[1:-1] if self._escaped else edit.text
            self.edits.append(Edit(self.place(edit.start), self.place(edit.end), mask))


class JsonScanner(Scanner):
    """See `Scanner`; all offsets are those of the document as it is written."""

    __slots__ = ("_begun", "_deep", "_found", "_late", "_number", "_numbers", "_read", "_rest", "_rules", "_texts")

    def __init__(self, rules: RuleSet, channel: str = "content") -> None:
        super().__init__(RuleSet(None, None), channel)
        self._rules = rules
        self._rest = ""
        """What was received and is not made out yet."""
        self._read = 0
        """Where that begins."""
        self._deep = 0
        """Objects and lists that are open."""
        self._begun: _Text | None = None
        """The string that is being written, or what is no JSON."""
        self._texts: list[_Text] = []
        """Those that are not settled, in order."""
        self._late: list[_Text] = []
        """Those that are, and whose verdicts are only reported."""
        self._found: list[Finding] = []
        """In all others."""
        self._number = 0
        self._numbers: dict[int, _Text] = {}
        scored = rules.scored
        self.scoring = None if scored is None else Scoring(scored.settings, scored.prompt)

    def feed(self, text: str) -> Sequence[Edit]:
        if self.ended or not text:
            return ()
        self.received += len(text)
        self._rest += text
        while self._rest and self._make_out(final=False):
            pass
        return self._decided()

    def finish(self) -> Sequence[Edit]:
        if self.ended:
            return ()
        while self._rest and self._make_out(final=True):
            pass
        self._past(len(self._rest))
        self.ended = True
        if self._begun is not None:
            self._begun.finish()
        return self._decided()

    @property
    def waiting(self) -> bool:
        return any(text.scanner.waiting for text in self._texts)

    def unchecked(self, end: int) -> int:
        first = next((text for text in (*self._late, *self._texts) if text.units), None)
        return 0 if first is None else max(end - first.place(0), 0)

    def score(self, number: int, verdict: Verdict) -> Sequence[Edit]:
        text = self._numbers.pop(number, None)
        if text is None:
            return ()
        text.score(number, verdict)
        if text in self._late and not text.units:
            self._late.remove(text)
            self._put_away(text)
        return self._decided() if self._texts else ()

    def cut_unit(self) -> Sequence[Edit]:
        if self.ended or self._begun is None:
            return ()
        self._begun.cut_unit()
        return self._decided()

    def stop(self) -> None:
        super().stop()
        for text in self._texts:
            text.scanner.stop()
            self._put_away(text)
        self._let_go()

    def findings(self) -> list[Finding]:
        open_texts = (*self._late, *self._texts)
        return sorted({*self._found, *(found for text in open_texts for found in text.findings())})

    # --- what the document says ---------------------------------------------------------------------------------------

    def _make_out(self, *, final: bool) -> bool:
        """Make out what comes next; False: more of it is needed."""
        text, rest = self._begun, self._rest
        if text is None:
            return self._go_between(rest, final=final)
        pieces: list[tuple[str, int]] = []
        at = 0
        closed = False
        while at < len(rest) and not closed:
            plain = _PLAIN.match(rest, at) if self._deep else None
            if not self._deep:
                pieces.append((rest, len(rest)))
                at = len(rest)
            elif plain is not None:
                pieces.append((plain[0], len(plain[0])))
                at = plain.end()
            elif rest[at] == '"':
                closed = True
            elif not final and _OPEN_ESCAPE.match(rest, at):
                break
            else:
                escape = _ESCAPE.match(rest, at)
                assert escape is not None
                pieces.append((_spelled(escape), len(escape[0])))
                at = escape.end()
        self._past(at + closed)
        if pieces:
            text.feed(pieces)
        if closed:
            self._begun = None
            text.finish()
        return closed

    def _go_between(self, rest: str, *, final: bool) -> bool:
        """Signs, and what begins behind them."""
        at, deep = 0, self._deep
        while at < len(rest) and rest[at] in _SIGNS and (deep or rest[at] not in "}]:,"):
            deep += (rest[at] in "{[") - (rest[at] in "}]")
            at += 1
            if not deep and rest[at - 1] in "}]":
                self._past(at)
                return self._no_document()
        if at == len(rest):
            if at > MAX_SIGNS:
                self._deep = deep
                self._past(at)
            return False
        if not deep:
            return self._no_document()
        if rest[at] == '"':
            self._deep = deep
            self._past(at + 1)
            self._begun = self._open(escaped=True)
            return True
        token = _TOKEN.match(rest, at)
        said = "" if token is None else token[0]
        if len(said) <= MAX_NUMBER:
            more = not final and at + len(said or "-") == len(rest)
            if more and (
                said[:1] in _DIGITS or rest[at] == "-" or (said and any(word.startswith(said) for word in _WORDS))
            ):
                return False
            if said[:1] in _DIGITS or said in _WORDS:
                self._deep = deep
                self._past(at)
                if said not in _WORDS:
                    self._take_number(said)
                self._past(len(said))
                return True
        return self._no_document()

    def _no_document(self) -> bool:
        """What is not read yet is no JSON, and nor is all that follows it."""
        self._deep = 0
        self._begun = self._open(escaped=False)
        return True

    def _open(self, *, escaped: bool) -> _Text:
        text = _Text(open_scanner(self._rules, self.channel, whole=True), self._read, escaped=escaped)
        self._texts.append(text)
        return text

    def _take_number(self, said: str) -> None:
        text = _Text(Scanner(self._rules.plain, self.channel), self._read, escaped=False)
        self._texts.append(text)
        text.feed([(said, len(said))])
        text.finish()
        if text.edits and text.scanner.halt is None:
            inside = [replace(edit, start=edit.start - self._read, end=edit.end - self._read) for edit in text.edits]
            mask = json.dumps(edited(said, inside), ensure_ascii=False)
            text.edits = [Edit(self._read, self._read + len(said), mask)]

    def _past(self, size: int) -> None:
        self._read += size
        self._rest = self._rest[size:]

    # --- what comes of it ---------------------------------------------------------------------------------------------

    def _decided(self) -> Sequence[Edit]:
        edits: list[Edit] = []
        while self._texts:
            text = self._texts[0]
            self._ask(text)
            edits += text.edits
            text.edits.clear()
            scanner = text.scanner
            if scanner.halt is not None:
                self._end_at(text, scanner.halt)
                return edits
            self.settled = max(self.settled, text.place(scanner.settled))
            if not text.done or scanner.waiting or scanner.settled < scanner.received:
                break
            del self._texts[0]
            if text.units:
                self._late.append(text)
            else:
                self._put_away(text)
        else:
            self.settled = self._read
        for text in self._texts[1:]:
            self._ask(text)
        return edits

    def _ask(self, text: _Text) -> None:
        """Have the units of a text scored."""
        scoring = text.scanner.scoring
        if scoring is not None and scoring.due and self.scoring is not None:
            for number, window in scoring.take_due():
                text.units[self._number] = number
                self._numbers[self._number] = text
                self.scoring.due.append((self._number, window))
                self._number += 1

    def _put_away(self, text: _Text) -> None:
        self._found += text.findings()
        if text.scanner.scoring is not None and self.scoring is not None:
            self.scoring.tally.add(text.scanner.scoring.tally)

    def _end_at(self, text: _Text, halt: Halt) -> None:
        self.halt = Halt(text.place(halt.cut), text.finding(halt.finding))
        self.ended = True
        self.settled = self.halt.cut
        self._put_away(text)
        self._let_go()

    def _let_go(self) -> None:
        self._texts.clear()
        self._begun = None
        self._rest = ""
        self._numbers = {number: text for number, text in self._numbers.items() if text in self._late}
        if self.scoring is not None:
            self.scoring.due.clear()


def _spelled(escape: re.Match[str]) -> str:
    """What an escape stands for; itself, where it is none."""
    high, low, code, sign = escape.groups()
    if high:
        return chr(0x10000 + ((int(high, 16) - 0xD800) << 10) + int(low, 16) - 0xDC00)
    if code:
        char = chr(int(code, 16))
        return "\ufffd" if "\ud800" <= char <= "\udfff" else char
    return _SPELLED.get(sign, escape[0])
