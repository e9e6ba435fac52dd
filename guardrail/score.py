"""`guardrail score`: what a model says of each row of text.

Rows `{"text": ...}`, one a line; each comes back as it was, with three fields more: `scores`, the probability of each
category, `units`, for each category the code points [start, end) of the unit that has it (null in a text of blanks
alone, which scores 0), and `levels`, the highest operating point that is reached, for each category that reaches one.
Texts are cut as a stream is, and the greatest of the units counts.

Promises: what a row held is given back byte for byte; rows stay in order. A file is looked through before anything is
scored, and every bad row is told at once; of rows that come one by one a bad one gives `{"error": ..., "line": n}` in
its place and costs no other. The exit status tells of either.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from math import inf
from pathlib import Path
from typing import Any, BinaryIO

from guardrail.classify.folders import model_folder
from guardrail.classify.manifest import POINTS
from guardrail.classify.model import load_model
from guardrail.errors import ModelError, ModelFault
from guardrail.evaluate.progress import Done, progress
from guardrail.evaluate.rows import BadRows, lines_of
from guardrail.evaluate.scoring import Scored, Scorer, Stage, score_texts, stages_of
from guardrail.text.scores import CATEGORIES

_DIGITS = 6
"""After the point; more would say nothing."""
_ADDED = ("scores", "units", "levels")
_ROW = 'expected a row {"text": "..."}'


class BadRow(Exception):
    """A line that is no row; the message says what was found and expected."""


def run(file: Path | None, model: str, stage: Stage) -> int:
    """The command. The exit status: 0; 1 for a model or file that cannot be used; 2 for bad rows or bad usage."""
    try:
        loaded = load_model(model_folder(model, Path()))
        if stage not in stages_of(loaded):
            if stage is Stage.GATE:
                print(f"guardrail score: --gate: the model {loaded.name} has no first stage", file=sys.stderr)
                return 2
            stage = Stage.ENCODER
        if file is None or str(file) == "-":
            with progress("scoring", None) as done:
                return 2 if score_each(sys.stdin.buffer, sys.stdout.buffer, loaded, stage, done) else 0
        return 2 if score_file(file, sys.stdout.buffer, loaded, stage) else 0
    except (ModelError, BadRows) as error:
        print(error, file=sys.stderr)
    except ModelFault as error:
        print(f"guardrail score: {error}", file=sys.stderr)
    except BrokenPipeError:  # whoever reads has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter complains at exit
    except OSError as error:
        print(f"guardrail score: {file or 'standard input'}: {error.strerror}", file=sys.stderr)
    return 1


def score_file(file: Path, out: BinaryIO, model: Scorer, stage: Stage) -> int:
    """Score the rows of a file. Returns how many rows are bad: if any is, they are told and nothing is scored.

    Raises OSError, BadRows for a file that is no gzip, ModelFault."""
    problems, rows = [], 0
    for number, line in _numbered(lines_of(file)):
        try:
            text_of(line)
            rows += 1
        except BadRow as error:
            problems.append(f"{file}:{number}: {error}")
    if problems:
        print("\n".join(problems), file=sys.stderr)
        print(
            f"guardrail score: {len(problems):,} of {rows + len(problems):,} rows are bad; none is scored",
            file=sys.stderr,
        )
        return len(problems)
    with progress("scoring", rows) as done:
        texts = (text_of(line) for _, line in _numbered(lines_of(file)))
        every = score_texts(model, texts, [stage], threads=os.cpu_count() or 1, done=done)
        for (_, line), scored in zip(_numbered(lines_of(file)), every, strict=True):
            out.write(extended(line, scored, model, stage))
    out.flush()
    return 0


def score_each(source: Iterable[bytes], out: BinaryIO, model: Scorer, stage: Stage, done: Done) -> int:
    """Score rows as they come, each answered before the next is read. Returns how many were bad. Raises ModelFault."""
    bad = 0
    for number, line in _numbered(source):
        try:
            (scored,) = score_texts(model, [text_of(line)], [stage])
            result = extended(line, scored, model, stage)
        except BadRow as error:
            bad += 1
            print(f"standard input:{number}: {error}", file=sys.stderr)
            result = json.dumps({"error": str(error), "line": number}).encode() + b"\n"
        out.write(result)
        out.flush()
        done(1)
    return bad


def text_of(line: bytes) -> str:
    """The text of a row. Raises BadRow."""
    try:
        row = json.loads(line.decode())
    except UnicodeDecodeError as error:
        raise BadRow(f"found the byte 0x{line[error.start]:02x} at byte offset {error.start}, expected UTF-8") from None
    except json.JSONDecodeError as error:
        raise BadRow(f"found no JSON ({error.msg} at character {error.pos}), {_ROW}") from None
    except (ValueError, RecursionError):
        raise BadRow(f"found JSON with a number too long, or nested too deeply, {_ROW}") from None
    text = row.get("text") if isinstance(row, dict) else None
    if not isinstance(text, str):
        raise BadRow(f'found no object with a string "text", {_ROW}')
    for name in _ADDED:
        if name in row:
            raise BadRow(f"found a field {name!r} already, expected none: it would be overwritten")
    return text


def extended(line: bytes, scored: Scored, model: Scorer, stage: Stage) -> bytes:
    """The row of a line, byte for byte, with the fields that are added, and a line feed."""
    scores, units = scored.greatest(stage)
    added: dict[str, Any] = {
        "scores": {name: round(float(scores[CATEGORIES.index(name)]), _DIGITS) for name in model.labels},
        "units": {
            name: None if unit is None else [unit.start, unit.end]
            for name in model.labels
            for unit in [units[CATEGORIES.index(name)]]
        },
        "levels": {
            name: point
            for name in model.labels
            if (point := highest(model.thresholds.get(name, {}), float(scores[CATEGORIES.index(name)])))
        },
    }
    return line.strip()[:-1].rstrip() + b", " + json.dumps(added).encode()[1:] + b"\n"


def highest(thresholds: Mapping[str, float], score: float) -> str | None:
    """The operating point with the fewest false alarms that a score reaches."""
    return next((point for point in POINTS if score >= thresholds.get(point, inf)), None)


def _numbered(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Lines with their numbers from 1, but for those of blanks."""
    return ((number, line) for number, line in enumerate(lines, 1) if line.strip())
