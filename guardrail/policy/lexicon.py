"""Lexicon files: one term a line, `#` at the start of a line for a comment, white space around a term ignored.

Promises: every problem of the file, by line. What a term means is the engine's business.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from guardrail.errors import ConfigProblem
from guardrail.policy.document import read_text

MAX_TERM = 256
"""Characters of one term: longer ones are sentences, and a stream would have to be held back for them."""


@dataclass(frozen=True, slots=True)
class Lexicon:
    path: Path
    terms: dict[str, int]
    """Each term and the line it stands on (of a repeated one, the first)."""


def read_lexicon(path: Path) -> tuple[Lexicon, list[ConfigProblem]]:
    """The terms of a file, and what is wrong with it."""
    text, problems = read_text(path)
    terms: dict[str, int] = {}
    # Only LF and CR LF end a line: a term may hold any other character that Unicode counts as a line's end.
    for number, line in enumerate((text or "").split("\n"), 1):
        term = line.strip()
        if not term or term.startswith("#"):
            continue
        column = line.index(term[0]) + 1
        if len(term) > MAX_TERM:
            message = f"found a term of {len(term)} characters, expected at most {MAX_TERM}"
            problems.append(ConfigProblem(str(path), number, column, message))
        elif (control := next((c for c in term if (c < " " and c != "\t") or c == "\x7f"), None)) is not None:
            message = f"found the control character U+{ord(control):04X} in a term, expected printable text"
            problems.append(ConfigProblem(str(path), number, line.index(control) + 1, message))
        else:
            terms.setdefault(term, number)
    if text is not None and not terms and not problems:
        problems.append(ConfigProblem(str(path), 1, 1, "found no term, expected one a line"))
    return Lexicon(path, terms), problems
