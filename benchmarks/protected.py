"""Protected text: what a set of 10 million shingles weighs on disk and in memory, and what looking for passages costs.

The documents are synthetic: words drawn from 50,000 made-up ones. A fresh process maps the set and looks up a million
hashes, half of them in the set; what it has more in memory than before is told apart into pages of its own and pages
that all who map the file share. Then ordinary text, of which nothing is protected, goes through the engine's search
for passages, a token at a time and a whole answer at once.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from benchmarks.material import Language, text, tokens
from benchmarks.processes import ROOT
from guardrail.policy.fingerprints import Draft, FingerprintFile, new_shape
from guardrail.text.protected import Fingerprints, Passages, PromptFingerprints, ProtectRule
from guardrail.text.rules import Action
from guardrail.text.shingles import CHARACTERS, WORDS

SHINGLES = 10_000_000
DOCUMENT_WORDS = 100_000
LOOKUPS = 1_000_000
TOKENS = 10_000
BATCHES = (1, 400)


@dataclass(frozen=True, slots=True)
class Size:
    """A set, and a process that has used it. Bytes, but for times."""

    shingles: int
    build_s: float
    file: int
    open_s: float
    private: int
    """Pages that the process has to itself, more than before it mapped the set."""
    shared: int
    """Pages of the file that it has touched."""
    us_per_lookup: float


@dataclass(frozen=True, slots=True)
class Cost:
    """Microseconds of CPU for each token of ordinary text."""

    documents: str
    language: str
    batch: int
    us_per_token: float


def words(count: int, dice: random.Random) -> list[str]:
    """Different made-up words."""
    syllables = [a + b for a in "bcdfghklmnprstvwz" for b in "aeiou"]
    found: dict[str, None] = {}
    while len(found) < count:
        found["".join(dice.choices(syllables, k=dice.randint(1, 4)))] = None
    return list(found)


def build(path: Path, shingles: int) -> float:
    """Make the set; the seconds that took."""
    dice = random.Random(5)
    vocabulary = words(50_000, dice)
    before = time.perf_counter()
    draft = Draft(new_shape(WORDS, CHARACTERS))
    left = shingles
    while left:
        size = min(left, DOCUMENT_WORDS)
        draft.add(f"document {left}", " ".join(dice.choices(vocabulary, k=size + WORDS - 1)).encode())
        left -= size
    draft.write(path)
    return time.perf_counter() - before


def memory() -> tuple[int, int]:
    """Bytes of this process's own pages, and of those that it shares with whoever maps the same files."""
    private = shared = 0
    for line in Path("/proc/self/smaps_rollup").read_text().splitlines():
        name, _, rest = line.partition(":")
        if name == "Private_Dirty":
            private += int(rest.split()[0]) * 1024
        elif name in ("Private_Clean", "Shared_Clean"):
            shared += int(rest.split()[0]) * 1024
    return private, shared


def use(path: Path) -> dict[str, float]:
    """Map the set and look a million hashes up: what a fresh process does."""
    before = memory()
    began = time.perf_counter()
    opened = FingerprintFile(path)
    open_s = time.perf_counter() - began
    dice = random.Random(6)
    there = [opened.shingles[dice.randrange(len(opened.shingles))] for _ in range(1000)]
    wanted = there + [dice.getrandbits(64) for _ in there]
    began = time.process_time()
    for _ in range(LOOKUPS // len(wanted)):
        for shingle in wanted:
            opened.documents(shingle)
    spent = time.process_time() - began
    after = memory()
    return {
        "open_s": open_s,
        "private": after[0] - before[0],
        "shared": after[1] - before[1],
        "us_per_lookup": spent / LOOKUPS * 1e6,
    }


def cost(name: str, fingerprints: Fingerprints, language: Language, batch: int, rounds: int) -> Cost:
    rule = ProtectRule(id="protected", category="protected_text", action=Action.HALT, fingerprints=fingerprints)
    all_tokens = tokens(text(language))
    all_tokens = (all_tokens * (TOKENS // len(all_tokens) + 1))[:TOKENS]
    pieces = ["".join(all_tokens[at : at + batch]) for at in range(0, TOKENS, batch)]
    spent = []
    for _ in range(rounds + 1):
        passages = Passages([(0, rule, fingerprints)])
        before = time.process_time()
        for piece in pieces:
            passages.feed(piece)
        passages.finish()
        spent.append((time.process_time() - before) / TOKENS * 1e6)
    return Cost(name, language, batch, min(spent))


def measure_protected(rounds: int, shingles: int = SHINGLES) -> tuple[Size, list[Cost]]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "set.fp"
        build_s = build(path, shingles)
        child = [sys.executable, "-m", "benchmarks.protected", str(path)]
        used = json.loads(subprocess.run(child, cwd=ROOT, capture_output=True, check=True).stdout)
        size = Size(shingles=shingles, build_s=build_s, file=path.stat().st_size, **used)
        prompt = PromptFingerprints([" ".join(words(5000, random.Random(7)))])
        sources: list[tuple[str, Fingerprints]] = [
            (f"{shingles:,} shingles", FingerprintFile(path)),
            ("a system prompt of 5,000 words", prompt),
        ]
        languages: tuple[Language, ...] = ("english", "chinese")
        costs = [
            cost(name, fingerprints, language, batch, rounds)
            for name, fingerprints in sources
            for language in languages
            for batch in BATCHES
        ]
    return size, costs


def show(found: tuple[Size, list[Cost]], console: Console) -> None:
    size, costs = found
    mb = 1e6
    console.print(
        f"{size.shingles:,} shingles: {size.file / mb:.1f} MB on disk, made in {size.build_s:.0f} s, opened in "
        f"{size.open_s:.2f} s;\na process that uses it has {size.private / mb:.1f} MB more of its own and "
        f"{size.shared / mb:.1f} MB of the file, and needs {size.us_per_lookup:.2f} µs for a look-up"
    )
    table = Table(title="CPU of the search for passages, beside all else that the scanner does")
    table.add_column("documents")
    table.add_column("text")
    for heading in ("tokens a call", "µs/token"):
        table.add_column(heading, justify="right")
    for c in costs:
        table.add_row(c.documents, c.language, str(c.batch), f"{c.us_per_token:.2f}")
    console.print(table)


def as_json(found: tuple[Size, Iterable[Cost]]) -> dict[str, object]:
    return {"size": asdict(found[0]), "costs": [asdict(c) for c in found[1]]}


if __name__ == "__main__":
    print(json.dumps(use(Path(sys.argv[1]))))
