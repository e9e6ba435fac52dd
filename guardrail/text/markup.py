"""What a removal leaves standing: white space at its ends, and the Markdown that holds the text around it together.

A hit may take more than its own words: the unit of a classifier begins with the marker of a list or with the fence of a
block of code, and a pattern has blanks at its ends. If all of that went, the rest of the answer would be read as
something else: prose as code, a cell of a table as a paragraph. So a hit is removed in parts, between which signs stay
that say nothing: blanks, line ends, `>`, `#`, bullets, fences; and of hits over whole sentences (`wide`) also the
numbers of lists, the pipes of tables, and brackets whose other half stands outside.

Promises: depends on the hit and the 256 code points before it alone; what stays has no letters, and no digits but those
of a list's number. Never looks at what was edited before, and knows no more of Markdown than this.
"""

from __future__ import annotations

import re
from typing import NamedTuple

BEHIND = 256
"""Code points before a hit that are looked at. What began earlier is not known: a line, the address of a link."""

_HEAD = r"[ \t]*(?:(?:>|(?:[-+*]|#{{1,6}}{number})(?=[ \t]))[ \t]*)*"
_NARROW_HEAD = re.compile(_HEAD.format(number=""))
_WIDE_HEAD = re.compile(_HEAD.format(number=r"|[0-9]{1,3}[.)]"))
"""What stands before the text of a line: indents, quotations, bullets, headings; numbers."""
_FENCE = re.compile(r"`{3,}(?!.*`)|~{3,}")
_DELIMITERS = re.compile(r"[ \t|:-]+")
_PIPE = re.compile(r"\\.|(\|)")
_BRACKET = re.compile(r"\\.|(\[|\])", re.DOTALL)
_ADDRESS = re.compile(r"(?:\]\(|\]:[ \t]*|<[A-Za-z][A-Za-z0-9+.-]{1,31}:)(?:[^\s<>()]|\([^\s<>()]*\))*\Z")
_NOT_IN_ADDRESS = re.compile(r"[\s()<>\\]")


class Part(NamedTuple):
    """Code points [start, end) of a hit that are removed. Of the parts of a hit one is `masked`."""

    start: int
    end: int
    masked: bool


def removed_parts(before: str, hit: str, *, wide: bool) -> list[Part]:
    """What of a hit is removed: all of it, where nothing else would be. `before`: the text up to it, `BEHIND` code
    points or all there is."""
    keep, silent = _lines(before, hit, wide=wide)
    if wide:
        keep += _lone_brackets(before, hit)
    parts: list[Part] = []
    masked = False
    for start, end in _between(sorted(keep), len(hit)):
        text = hit[start:end]
        if text.isspace():
            continue
        start, end = end - len(text.lstrip()), start + len(text.rstrip())
        tells = not masked and not any(first <= start and end <= last for first, last in silent)
        masked = masked or tells
        parts.append(Part(start, end, tells))
    if not parts:
        return [Part(0, len(hit), True)]
    return parts if masked else [parts[0]._replace(masked=True), *parts[1:]]


def fitted(mask: str, before: str, after: str) -> str:
    """A mask as it may stand there. `before` as above; `after`: the character that follows, "" where none does or it is
    of no account.

    In the address of a link, blanks and brackets would end it: they are spelled as addresses spell them. `[[MASK]]` is
    no name of a link, so that brackets which are there already serve for the mask. `[MASK](` would be a link, and
    `[MASK]:` at the start of a line the definition of one, which no reader shows.
    """
    if after == "]" and before.endswith("[") and mask.startswith("[") and mask.endswith("]"):
        return mask[1:-1]
    if _NOT_IN_ADDRESS.search(mask) and _ADDRESS.search(before):
        mask = _NOT_IN_ADDRESS.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), mask)
    if mask.endswith("]") and (after == "(" or (after == ":" and _begins_line(before))):
        mask += " "
    return mask


def _begins_line(before: str) -> bool:
    start = _line_start(before)
    return start is not None and _WIDE_HEAD.fullmatch(before, start) is not None


def _line_start(before: str) -> int | None:
    """Where the last line begins; None where that is not known."""
    start = before.rfind("\n") + 1
    return start if start or len(before) < BEHIND else None


def _lines(before: str, hit: str, *, wide: bool) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """What stays of a hit for the sake of its lines; and what is no place for a mask, since it is not shown: the words
    behind a fence. Offsets are those of the hit."""
    text, offset = before + hit, len(before)
    known = _line_start(before)
    at = offset if known is None else known
    first = True
    keep: list[tuple[int, int]] = []
    silent: list[tuple[int, int]] = []
    while at <= len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        if not (first and known is None):
            found = (_WIDE_HEAD if wide else _NARROW_HEAD).match(text, at, end)
            assert found is not None
            head = found.end()
            fence = _FENCE.match(text, head, end)
            row = wide and text.startswith("|", head, end)
            if first or fence or row:
                keep.append((at, head))
            if fence or row:
                keep += ((at - 1, at), (end, end + 1))
            if fence:
                keep.append((head, fence.end()))
                silent.append((fence.end(), end))
            elif row and _DELIMITERS.fullmatch(text, head, end):
                keep.append((head, end))
            elif row:
                keep += [pipe.span(1) for pipe in _PIPE.finditer(text, head, end) if pipe[1]]
        at, first = end + 1, False
    return [(start - offset, end - offset) for start, end in keep], [(s - offset, e - offset) for s, e in silent]


def _lone_brackets(before: str, hit: str) -> list[tuple[int, int]]:
    """Brackets of links that begin before the hit or end behind it."""
    lone: list[tuple[int, int]] = []
    opened: list[int] = []
    if _ADDRESS.search(before) and (end := hit.find(")")) >= 0 and "(" not in hit[:end]:
        lone.append((end, end + 1))
    for found in _BRACKET.finditer(hit):
        at = found.start()
        if found[1] == "[":
            opened.append(at)
        elif found[1] and opened:
            opened.pop()
        elif found[1]:
            link = hit.startswith("(", at + 1)
            lone.append((at, at + 1 + link))
            if link and (end := hit.find(")", at + 2)) >= 0:
                lone.append((end, end + 1))
    return lone + [(at - hit.startswith("!", max(at - 1, 0), at), at + 1) for at in opened]


def _between(keep: list[tuple[int, int]], size: int) -> list[tuple[int, int]]:
    """What of [0, size) lies between the stretches that stay."""
    out: list[tuple[int, int]] = []
    at = 0
    for start, end in keep:
        if start > at:
            out.append((at, min(start, size)))
        at = max(at, end)
    return [*out, (at, size)] if at < size else out
