"""Labelled rows: where they come from, what a label on them says and what it leaves open.

A row's `targets` and `known` have one number per category: what it is, and how much that is to be believed (0: this
row says nothing about it). Most public sets annotate one phenomenon, so that

- a label is believed, and makes the row `unsafe`;
- an empty row is believed for the categories that its set vouches for (`label_scope.json`), and for `unsafe` the more,
  the more of them there are;
- a category missing on a labelled row of a public set says nothing; on the rows written for this project, where every
  category was considered, it says no.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from guardrail.evaluate.fairness import read_sentences
from guardrail.text.scores import CATEGORIES

OWN = Path(__file__).parent / "data"
OWN_SET = "written"
FAIRNESS_SET = "fairness"
DEV_SHARE = 12
"""One in so many pairs of the rows written for this project is kept for choosing; the public sets say so per row."""
TUNE_SHARE = 5
"""One in so many harmless answers is kept from the training: with the few of the dev split alone, a rate of one in a
thousand could not be told."""
UNSAFE = CATEGORIES.index("unsafe")

SHARE_ALIKE = {
    "stormfront": "CC-BY-SA-3.0-ES",
    "decodingtrust_perspective": "CC-BY-SA-4.0",
    "jigsaw_binary": "CC-BY-SA-3.0",
    "benign_wiki_en": "CC-BY-SA-3.0",
    "benign_wiki_zh": "CC-BY-SA-4.0",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled text."""

    text: str
    labels: frozenset[str]
    targets: tuple[float, ...]
    known: tuple[float, ...]
    role: str
    lang: str
    name: str
    """Of its set."""
    split: str
    """`train`; `tune`: harmless answers on which thresholds are chosen; `dev`: choosing and reporting."""

    @property
    def answer(self) -> bool:
        """Whether it stands for a harmless answer of a model."""
        return not self.labels and self.role == "response" and sum(self.known) == len(self.known)


def public_rows(folder: Path, names: list[str] | None = None) -> Iterator[Row]:
    """The rows of the sets in `folder`, one folder per set; those below `noncommercial` are never among them.

    Raises FileNotFoundError when there is none."""
    scopes = json.loads((folder / "label_scope.json").read_text())
    files = sorted(folder.glob("*/*.jsonl.gz"))
    if not files:
        raise FileNotFoundError(f"no set (*/*.jsonl.gz) in {folder}")
    for file in files:
        name = file.parent.name
        if names is not None and name not in names:
            continue
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                labels = frozenset(row["labels"])
                targets, known = _meaning(labels, scopes[name])
                split = row["split"]
                if split == "train" and name.startswith("benign_") and _draw(row["text"]) % TUNE_SHARE == 0:
                    split = "tune"
                yield Row(row["text"], labels, targets, known, row["role"], row["lang"], name, split)


def foreign_answers(folder: Path, lang: str, most: int) -> list[str]:
    """Harmless answers of the sets for comparison only, which nothing was trained on or chosen with: at most so many of
    a language, drawn by their hash. Empty when there are none."""
    texts: list[str] = []
    for file in sorted(folder.glob("noncommercial/benign_*/*.jsonl.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            rows = map(json.loads, lines)
            texts += [row["text"] for row in rows if row["lang"] == lang and row["role"] == "response"]
    return sorted(set(texts), key=_draw)[:most]


def _meaning(labels: frozenset[str], scope: list[str]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    targets = tuple(float(c in labels or (c == "unsafe" and bool(labels))) for c in CATEGORIES)
    if labels:
        return targets, targets
    vouched = len(scope) / (len(CATEGORIES) - 1)
    return targets, tuple(vouched if c == "unsafe" else float(c in scope) for c in CATEGORIES)


def own_rows(folder: Path = OWN) -> Iterator[Row]:
    """The rows written for this project: a harmful one and its harmless twin, or a row alone, per line."""
    for file in sorted(folder.glob("*.tsv")):
        lang = file.stem.partition("-")[0]
        pair = 0
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            if not line or line.startswith("#"):
                continue
            fields = line.split("\t")
            if len(fields) != 3:
                raise ValueError(f"{file}:{number}: expected labels, role and text, parted by tabs")
            labels = frozenset() if fields[0] == "-" else frozenset(fields[0].split(","))
            if not labels <= set(CATEGORIES) or fields[1] not in ("response", "post", "prompt"):
                raise ValueError(f"{file}:{number}: unknown label or role in {fields[0]!r}, {fields[1]!r}")
            pair += bool(labels)
            targets = tuple(float(c in labels or (c == "unsafe" and bool(labels))) for c in CATEGORIES)
            everything = (1.0,) * len(CATEGORIES)
            text = fields[2].replace("\\n", "\n")
            split = "dev" if _draw(f"{file.stem} {pair}") % DEV_SHARE == 0 else "train"
            yield Row(text, labels, targets, everything, fields[1], lang, OWN_SET, split)


def fairness_rows(folder: Path = OWN) -> Iterator[Row]:
    """Every training sentence with every group: the label must not depend on the group."""
    for file in sorted(folder.glob("fairness-*.yaml")):
        for filled in read_sentences(file):
            labels = frozenset(filled.labels)
            targets = tuple(float(c in labels or (c == "unsafe" and bool(labels))) for c in CATEGORIES)
            known = (1.0,) * len(CATEGORIES)
            yield Row(filled.text, labels, targets, known, filled.role, filled.language, FAIRNESS_SET, "train")


def _draw(key: str) -> int:
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big")
