"""`guardrail eval`: how good a model is on labelled rows, as tables, as a page and as JSON.

Promises: bad input is told before anything is scored, all of it at once; standard output has the tables, and nothing
else; a report is written whole or not at all.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from dataclasses import dataclass
from errno import EISDIR, ENOENT
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table as Shown

from guardrail.classify.folders import model_folder
from guardrail.classify.model import load_model
from guardrail.errors import ModelError, ModelFault
from guardrail.evaluate.compare import cautions, differences
from guardrail.evaluate.figures import FORMAT, measure, sentences
from guardrail.evaluate.progress import progress
from guardrail.evaluate.report import page
from guardrail.evaluate.rows import EVERY_SPLIT, BadRows, check_scope, read_rows, read_scope
from guardrail.evaluate.tables import Report, Table, tables

_WIDE = 400
"""Columns for what is not a terminal: tables are not to be cut by the width of a window that nobody looks at."""


@dataclass(frozen=True, slots=True)
class Options:
    data: list[Path]
    report: Path
    json: Path | None
    model: str
    scope: Path | None
    split: str
    limit: int | None
    seed: int
    compare: Path | None


def run(options: Options) -> int:
    """The command. The exit status: 0; 1 for a model or file that cannot be used; 2 for bad rows or a bad report."""
    try:
        for path in (options.report, options.json):
            if path is not None:
                check_writable(path)
        before = None if options.compare is None else read_report(options.compare)
        scope = None if options.scope is None else read_scope(options.scope)
        found = read_rows(options.data, split=options.split, limit=options.limit, seed=options.seed)
        if not found.rows:
            others = f"{found.other_splits:,} are of others, which `--split {EVERY_SPLIT}` takes too"
            raise BadRows([f"no rows of the split {options.split!r}; {others}" if found.other_splits else "no rows"])
        if scope is not None:
            check_scope(found.rows, scope)
        model = load_model(model_folder(options.model, Path()))
        texts = len(found.rows) + len(sentences([row.lang for row in found.rows], options.limit))
        with progress("scoring", texts) as done:
            threads = os.cpu_count() or 1
            figures = measure(model, found.rows, scope, limit=options.limit, threads=threads, done=done)
        data = {
            "files": [{"name": path.name, "sha256": _sha256(path)} for path in options.data],
            "scope": None if options.scope is None else _sha256(options.scope),
            "split": options.split,
            "rows": len(found.rows),
            "other_splits": found.other_splits,
            "not_drawn": found.not_drawn,
            "seed": options.seed,
        }
        report: Report = {**figures, "data": data}
        _write(options.report, page(report))
        if options.json is not None:
            _write(options.json, json_text(report))
    except BadRows as error:
        print(error, file=sys.stderr)
        return 2
    except (ModelError, ModelFault) as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"guardrail eval: {error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    show(report, before)
    return 0


def read_report(path: Path) -> Report:
    """A report that was written with `--json`. Raises BadRows for what is none, OSError."""
    try:
        found: Any = json.loads(path.read_bytes())
    except ValueError as error:
        raise BadRows([f"{path}: no JSON report: {error}"]) from error
    number = found.get("format") if isinstance(found, dict) else None
    if number != FORMAT:
        raise BadRows([f"{path}: found a report of the format {number!r}, expected {FORMAT}"])
    report: Report = found
    try:
        differences(report, report)
        cautions(report, report)
    except (KeyError, TypeError, AttributeError) as error:
        raise BadRows([f"{path}: found a report without all its figures, expected one by --json"]) from error
    return report


def check_writable(path: Path) -> None:
    """Whether a report can go there, told before an hour of scoring and not after. Raises OSError."""
    if path.is_dir():
        raise IsADirectoryError(EISDIR, os.strerror(EISDIR), str(path))
    if not path.parent.is_dir():
        raise FileNotFoundError(ENOENT, os.strerror(ENOENT), str(path.parent))


def json_text(report: Report) -> str:
    """The same text for the same figures."""
    return json.dumps(report, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def show(report: Report, before: Report | None) -> None:
    """Print the tables, or what differs from another report."""
    # Names of languages come from the rows: no brackets or colons of theirs are instructions to the console.
    console = Console(width=None if sys.stdout.isatty() else _WIDE, highlight=False, markup=False, emoji=False)
    if before is None:
        for table in tables(report):
            _print(console, table)
        return
    for caution in cautions(before, report):
        console.print(caution)
    changed = differences(before, report)
    if changed.rows:
        _print(console, changed)
    else:
        console.print("No figure differs.")


def _print(console: Console, table: Table) -> None:
    shown = Shown(title=table.title, title_justify="left", caption=table.note, caption_justify="left", box=None)
    shown.padding = (0, 1, 0, 0)
    for index, head in enumerate(table.columns):
        name = index < table.names
        # In a narrow window heads and figures are folded, never cut off.
        shown.add_column(head, justify="left" if name else "right", no_wrap=name, overflow="fold")
    for row in table.rows:
        shown.add_row(*row)
    console.print(shown)
    console.print()


def _write(path: Path, text: str) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
