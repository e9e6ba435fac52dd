"""How many characters are held back, token by token, for each language under small and large policies.

The engine alone: the figure after each token is `received - settled`. What a reader notices is the mean and
how many tokens had to wait for a later one; the maximum bounds the memory and the worst wait.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from benchmarks.material import LANGUAGES, keywords, text, tokens, write_config
from guardrail.policy.compile import load_policy
from guardrail.policy.policy import Policy
from guardrail.text.scanner import Scanner


@dataclass(frozen=True, slots=True)
class Result:
    policy: str
    language: str
    tokens: int
    mean: float
    """Characters held after a token, over all tokens."""
    maximum: int
    delayed: float
    """Share of tokens whose last character was not released by the token itself."""


def measure(policy: Policy, name: str, language: str, pieces: list[str]) -> Result:
    scanner = Scanner(policy.rules)
    held = []
    for piece in pieces:
        scanner.feed(piece)
        held.append(scanner.received - scanner.settled)
    return Result(
        policy=name,
        language=language,
        tokens=len(pieces),
        mean=sum(held) / len(held),
        maximum=max(held),
        delayed=sum(map(bool, held)) / len(held),
    )


def policies(sizes: Iterable[int]) -> Iterable[tuple[str, Policy]]:
    """The shipped default policy, then each number of keywords, alone and with every entity."""
    yield "default", load_policy("default")
    for size in sizes:
        for entities in (False, True):
            with TemporaryDirectory() as folder:
                path = Path(folder) / "config"
                config = write_config(path, "http://127.0.0.1:9", keywords(size), entities=entities)
                yield f"{size:,} keywords{', all entities' if entities else ''}", load_policy("bench", config=config)


def measure_holdback(sizes: Iterable[int] = (10_000, 100_000)) -> list[Result]:
    return [
        measure(policy, name, language, tokens(text(language)))
        for name, policy in policies(sizes)
        for language in LANGUAGES
    ]


def show(results: Iterable[Result], console: Console) -> None:
    table = Table(title="Characters held back after each token")
    for heading in ("policy", "text"):
        table.add_column(heading)
    for heading in ("tokens", "mean", "max", "tokens delayed"):
        table.add_column(heading, justify="right")
    for r in results:
        name = r.policy if r.language == LANGUAGES[0] else ""
        table.add_row(name, r.language, f"{r.tokens:,}", f"{r.mean:.2f}", str(r.maximum), f"{r.delayed:.1%}")
    console.print(table)


def as_json(results: Iterable[Result]) -> list[dict[str, object]]:
    return [asdict(r) for r in results]
