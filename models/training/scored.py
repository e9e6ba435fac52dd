"""Rows scored as the stream scores them: every unit of every row, by each stage, kept as arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from guardrail.text.scores import CATEGORIES
from guardrail.text.units import Window, cut_text
from models.training.corpus import Row
from models.training.progress import Step

Array = NDArray[np.float32]

MAX_UNITS = 40
"""Units of a row that are scored; the sets cut their texts at 4,000 characters, which is about as many."""
THREADS = 2
_CHUNK = 64

Score = Callable[[Sequence[Window]], Any]
"""Windows to logits [n, categories]."""


@dataclass(frozen=True, slots=True)
class Units:
    """The units of some rows, end to end: `begins[i]:begins[i + 1]` are those of row i."""

    windows: list[Window]
    begins: NDArray[np.int64]
    starts: NDArray[np.int64]
    """Where each unit begins in its text, in code points."""

    def highest(self, logits: Array) -> Array:
        """Per row the maximum over its units: [rows, categories]."""
        return np.maximum.reduceat(logits, self.begins[:-1], axis=0)

    def per_row(self) -> NDArray[np.int64]:
        """The row of each unit."""
        return np.repeat(np.arange(len(self.begins) - 1), np.diff(self.begins))


def units_of(rows: Sequence[Row]) -> Units:
    """Each row's first `MAX_UNITS` units; a row of blanks alone has one empty one."""
    windows: list[Window] = []
    begins = [0]
    starts: list[int] = []
    for row in rows:
        cuts = [cut for cut in cut_text(row.text) if cut.window is not None][:MAX_UNITS]
        windows += [cut.window for cut in cuts if cut.window is not None] or [Window("", "")]
        starts += [cut.unit.start for cut in cuts] or [0]
        begins.append(len(windows))
    return Units(windows, np.array(begins), np.array(starts))


def score(units: Units, by: Score, kept: Path, progress: Step) -> Array:
    """Logits of all units [units, categories], from `kept` when they have been made before."""
    if kept.exists():
        found: Array = np.load(kept)
        if len(found) == len(units.windows):
            return found
    chunks = [units.windows[at : at + _CHUNK] for at in range(0, len(units.windows), _CHUNK)]
    made: list[Array] = []
    with ThreadPoolExecutor(THREADS) as pool:
        for number, logits in enumerate(pool.map(by, chunks), 1):
            made.append(np.asarray(logits, np.float32))
            progress(number, len(chunks), "")
    result = np.concatenate(made)
    assert result.shape == (len(units.windows), len(CATEGORIES))
    np.save(kept, result)
    return result
