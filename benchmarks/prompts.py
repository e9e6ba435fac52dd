"""What the rules for requests of a policy find in texts that people labelled, set by set.

The texts are not part of the project: a folder of sets as for `false_alarms`. A hit in a harmless text is a false
alarm, unless it really asks a model to let go of its instructions: `heard` has each, so that somebody can tell. What is
labelled harmful is no attack on a model for that; the sets do not say how many attacks are missed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.false_alarms import rows
from guardrail.policy.compile import load_policy
from guardrail.text.editor import Editor

POLICIES = ("input-default",)
MAX_TEXT = 20_000
"""Characters of a text that are looked at."""
MAX_SHOWN = 60


@dataclass(slots=True)
class Share:
    """Texts of one set and role."""

    policy: str
    source: str
    role: str
    labelled: bool
    """Whether they are labelled as harmful in any way."""
    texts: int = 0
    halted: int = 0
    """Texts for which a prompt would be refused."""
    by_rule: dict[str, int] = field(default_factory=dict)
    """Texts with a hit."""
    heard: list[str] = field(default_factory=list)
    """What was hit in harmless texts."""


def measure(data: Path, policies: Sequence[str]) -> list[Share]:
    """Run the rules for requests of each policy over every text. Raises NoData, ConfigError."""
    rules = {name: load_policy(name).of_input().rules for name in policies}
    shares: dict[tuple[str, str, str, bool], Share] = {}
    for row in rows(data):
        for policy, compiled in rules.items():
            key = policy, row.source, row.role, bool(row.labels)
            share = shares.setdefault(key, Share(*key))
            editor = Editor(compiled.plain)
            text = row.text[:MAX_TEXT]
            editor.feed(text)
            editor.finish()
            found = editor.findings()
            share.texts += 1
            share.halted += editor.halt is not None
            for rule in {hit.rule for hit in found}:
                share.by_rule[rule] = share.by_rule.get(rule, 0) + 1
            if not row.labels:
                share.heard += [" ".join(text[hit.start : hit.end].split())[:MAX_SHOWN] for hit in found]
    return sorted(shares.values(), key=lambda each: (each.policy, each.role, each.labelled, each.source))


def show(shares: Sequence[Share], console: Console) -> None:
    table = Table(title="Texts with a hit of a rule for requests")
    for heading in ("policy", "set", "role"):
        table.add_column(heading, no_wrap=True)
    table.add_column("labelled harmful")
    for heading in ("texts", "refused"):
        table.add_column(heading, justify="right")
    table.add_column("by rule")
    for share in shares:
        rules = ", ".join(f"{rule} {count:,}" for rule, count in sorted(share.by_rule.items()))
        labelled = "yes" if share.labelled else "no"
        figures = f"{share.texts:,}", f"{share.halted:,}", rules
        table.add_row(share.policy, share.source, share.role, labelled, *figures)
    console.print(table)
    for share in shares:
        for hit in share.heard:
            console.print(f"{share.source}: {hit}", markup=False)


def as_json(shares: Sequence[Share]) -> list[dict[str, object]]:
    return [asdict(share) for share in shares]
