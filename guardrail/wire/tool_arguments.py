"""The arguments of a tool call, whole: scanned inside the JSON values, edited in place, valid JSON again.

Every string of the document (keys too) is scanned as one text with its escapes decoded, and every number as its
digits, each as a text of its own. An edited string is written anew where it stood; an edited number becomes a string;
all else keeps its bytes. What is no valid JSON is scanned and edited as the raw text that it is.

A classifier reads the strings, each as a text of its own, and no numbers.

Offsets of findings are code points of the raw arguments.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace

from guardrail.text.edits import edited
from guardrail.text.rules import Edit, Finding
from guardrail.text.scanner import RuleSet
from guardrail.text.scoring import Tally
from guardrail.wire.strict_json import whole_surrogates
from guardrail.wire.whole_text import Verdicts, scan_whole

_VALUE = re.compile(r'"(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*')
"""A string or number token of a valid document."""
_UNIT = re.compile(r"\\u[0-9a-fA-F]{4}|\\.|[^\\]", re.DOTALL)
"""What one UTF-16 unit or character of a decoded string was written as."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """The outcome for one text that was complete when it was scanned."""

    text: str
    removed: int
    """Raw code points under edits."""
    findings: list[Finding]
    halted: Finding | None
    """The finding that ended it; then `text` must not be delivered."""
    tally: Tally = field(default_factory=Tally)


def guard_arguments(rules: RuleSet, raw: str, channel: str, verdicts: Verdicts | None = None) -> Arguments:
    """Scan and edit the arguments of one call. `verdicts`: see `scan_whole`, also for the other two."""
    if not _is_json(raw):
        return guard_whole(rules, raw, channel, verdicts)
    tally = Tally()
    out: list[str] = []
    findings: list[Finding] = []
    removed = at = 0
    for match in _VALUE.finditer(raw):
        token = match.group()
        is_string = token.startswith('"')
        text = _decoded(token) if is_string else token
        scanner, edits = scan_whole(rules, text, channel, verdicts if is_string else None)
        if scanner.scoring is not None:
            tally.add(scanner.scoring.tally)
        found = scanner.findings()
        if not found and not edits:
            continue
        offsets = _offsets(token) if is_string else range(len(token) + 1)
        base = match.start()
        findings += [replace(f, start=base + offsets[f.start], end=base + offsets[f.end]) for f in found]
        if scanner.halt is not None:
            return Arguments(
                "", len(raw), sorted(findings), findings[found.index(scanner.halt.finding) - len(found)], tally
            )
        if edits:
            removed += sum(offsets[edit.end] - offsets[edit.start] for edit in edits)
            out += (raw[at:base], json.dumps(whole_surrogates(edited(text, edits)), ensure_ascii=False))
            at = match.end()
    out.append(raw[at:])
    return Arguments("".join(out), removed, sorted(findings), None, tally)


def guard_whole(rules: RuleSet, text: str, channel: str, verdicts: Verdicts | None = None) -> Arguments:
    """Scan and edit a complete text as it is; one that halts is cut there."""
    outcome = guard_pieces(rules, [text], channel, verdicts)
    return Arguments(outcome.pieces[0], outcome.removed, outcome.findings, outcome.halted, outcome.tally)


def is_clean(rules: RuleSet, text: str) -> bool:
    """Whether no rule would remove anything from it; a classifier is not asked."""
    outcome = guard_whole(rules, text, "")
    return not outcome.removed and outcome.halted is None


@dataclass(frozen=True, slots=True)
class Pieces:
    """The outcome for one text that stands in several places."""

    pieces: list[str]
    removed: int
    findings: list[Finding]
    halted: Finding | None
    tally: Tally


def guard_pieces(
    rules: RuleSet, pieces: list[str], channel: str, verdicts: Verdicts | None = None, *, document: bool = False
) -> Pieces:
    """Scan a complete text that was cut into pieces, and edit every piece. A mask goes where its hit starts; a text
    that halts is cut there. `document`: see `scan_whole`."""
    text = "".join(pieces)
    scanner, edits = scan_whole(rules, text, channel, verdicts, document=document)
    halt = scanner.halt
    cut = len(text) if halt is None else halt.cut
    out: list[str] = []
    start = 0
    for piece in pieces:
        end = min(start + len(piece), cut)
        inside = [
            Edit(max(edit.start, start) - start, min(edit.end, end) - start, edit.text if edit.start >= start else "")
            for edit in edits
            if edit.start < end and edit.end > start
        ]
        out.append(edited(piece[: max(end - start, 0)], inside))
        start += len(piece)
    removed = len(text) - cut + sum(edit.end - edit.start for edit in edits)
    tally = Tally() if scanner.scoring is None else scanner.scoring.tally
    return Pieces(out, removed, scanner.findings(), None if halt is None else halt.finding, tally)


def _is_json(raw: str) -> bool:
    try:
        json.loads(raw, parse_int=str, parse_float=str)  # numbers of any size are valid
    except RecursionError:
        # Too deep for this parser, perhaps not for the client's; its tokens can still be told apart.
        return True
    except ValueError:
        return False
    return True


def _decoded(token: str) -> str:
    if "\\" not in token:
        return token[1:-1]
    text: str = json.loads(token, strict=False)
    return text


def _offsets(token: str) -> list[int] | range:
    """For every code point of the decoded string, and its end: where it starts in the token."""
    if "\\" not in token:
        return range(1, len(token))
    offsets: list[int] = []
    high = False
    for match in _UNIT.finditer(token, 1, len(token) - 1):
        unit = match.group()
        code = int(unit[2:], 16) if len(unit) == 6 else 0
        # The second half of an escaped surrogate pair is no code point of its own.
        if not (high and 0xDC00 <= code <= 0xDFFF):
            offsets.append(match.start())
            high = 0xD800 <= code <= 0xDBFF
        else:
            high = False
    offsets.append(len(token) - 1)
    return offsets
