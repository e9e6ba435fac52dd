"""What the shipped policies find in answers that are harmless, and what their lexicons find in texts that are not.

The texts are not part of the project: a folder of labelled sets is given, `<set>/<set>.jsonl.gz` at any depth, with
rows of `text`, `labels`, `role`, `lang` and `split`. Only the split `dev` is read, which no list was drawn from. Every
rule is made to report only, so that what stands behind a halt counts as well. Never shows more of a text than a hit
itself, and of personal data only its shape.
"""

from __future__ import annotations

import dataclasses
import gzip
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from guardrail.policy.compile import load_policy
from guardrail.text.editor import Editor
from guardrail.text.rules import Action, Finding, KeywordRule, NearRule, Rule
from guardrail.text.scanner import RuleSet, compile_rules

POLICIES = ("default", "entities-all", "lexicons", "family")

HARMLESS = "benign_"
"""Sets whose names begin so and whose role is `response` hold harmless answers."""
COUNSELLING = frozenset({"benign_counselchat_en", "benign_cpsycoun_zh", "benign_smilechat_zh"})
"""Answers to people in distress: full of alarming words by nature, so they are counted apart."""
SCOPES = "label_scope.json"
"""By set, the labels that an unlabelled row vouches against."""
LABEL_OF = {"fraud": "illicit"}
"""The label that stands for a category; else the one of the same name."""
MAX_SHOWN = 40
"""Characters shown of a hit or a shape."""


class NoData(Exception):
    """What is missing, for the user."""


@dataclass(frozen=True, slots=True)
class Text:
    source: str
    text: str
    labels: frozenset[str]
    harmless: bool
    """An answer that every rule should leave alone."""
    vouched: frozenset[str]
    """For a text without labels: what it is known not to be."""
    role: str
    """`prompt`, `response` or `post`."""
    split: str


@dataclass(slots=True)
class Count:
    """Hits of one rule (see `group_of`), or of all (`rule` is "" then), of one policy. Texts, but for `offenders`."""

    policy: str
    rule: str
    category: str
    ordinary: int = 0
    counselling: int = 0
    labelled: int = 0
    """Texts with the category's label in which the rule finds something."""
    cleared: int = 0
    """Texts that are known not to be of the category in which it finds something."""
    offenders: dict[str, int] = field(default_factory=dict)
    """Hits in harmless answers by what was hit: the folded term, or the shape of an entity."""


@dataclass(frozen=True, slots=True)
class Result:
    ordinary: int
    counselling: int
    labelled: dict[str, int]
    """How many texts have each label."""
    cleared: dict[str, int]
    """How many texts are known not to have it."""
    counts: list[Count]


def texts(data: Path) -> Iterator[Text]:
    """The dev rows of every set under `data`. Raises NoData."""
    return (row for row in rows(data) if row.split == "dev")


def rows(data: Path) -> Iterator[Text]:
    """Every row of every set under `data`. Raises NoData."""
    paths = sorted(data.rglob("*.jsonl.gz"))
    if not paths:
        raise NoData(f"found no set in {data}, expected <set>/<set>.jsonl.gz with rows of text, labels, role, split")
    scopes: dict[str, list[str]] = {}
    for path in sorted(data.rglob(SCOPES)):
        scopes |= json.loads(path.read_text(encoding="utf-8"))
    for path in paths:
        name = path.name.removesuffix(".jsonl.gz")
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    row = json.loads(line)
                    text, labels, role, split = row["text"], row["labels"], row["role"], row["split"]
                except (ValueError, KeyError, TypeError) as error:
                    message = f"{path}:{number}: expected an object with text, labels, role and split: {error!r}"
                    raise NoData(message) from None
                vouched = frozenset(() if labels else scopes.get(name, ()))
                harmless = name.startswith(HARMLESS) and role == "response"
                yield Text(name, text, frozenset(labels), harmless, vouched, role, split)


def reporting(rules: Iterable[Rule]) -> RuleSet:
    """The rules, each reporting only."""
    return compile_rules([dataclasses.replace(rule, action=Action.LOG) for rule in rules])


def rules_of(rule_set: RuleSet) -> list[Rule]:
    return [rule for part in (rule_set.removing, rule_set.logging) if part is not None for rule in part.rules]


def findings(text: str, rules: RuleSet) -> list[Finding]:
    editor = Editor(rules)
    editor.feed(text)
    editor.finish()
    return editor.findings()


def shape(text: str) -> str:
    """What a piece of personal data looks like: `ddd-dd-dddd`."""
    return re.sub(r"[^\W_]", lambda found: "d" if found[0].isdigit() else "a", text)[:MAX_SHOWN]


def told(hit: str, rule: Rule) -> str:
    """What is shown of a hit: a word of a list as it is, anything else by its shape."""
    if isinstance(rule, KeywordRule | NearRule):
        return " ".join(hit.casefold().split())[:MAX_SHOWN]
    return shape(hit)


def group_of(rule: str) -> str:
    """The first two parts of a rule's id: a list and its grades (`lexicon.slurs.critical`) are counted as one."""
    return ".".join(rule.split(".")[:2])


def measure(data: Path, policies: Sequence[str]) -> Result:
    """Run each policy over the texts. Raises NoData, ConfigError."""
    known = list(texts(data))
    ordinary = sum(row.harmless and row.source not in COUNSELLING for row in known)
    counselling = sum(row.harmless and row.source in COUNSELLING for row in known)
    if not ordinary:
        raise NoData(f"found no harmless answers in {data}, expected sets named {HARMLESS}… with the role response")
    labelled = Counter(label for row in known for label in row.labels)
    cleared = Counter(label for row in known for label in row.vouched)
    counts: list[Count] = []
    for name in policies:
        counts += _count(name, known)
    return Result(ordinary, counselling, dict(labelled), dict(cleared), counts)


def _count(policy: str, known: Iterable[Text]) -> list[Count]:
    rules = {rule.id: rule for rule in rules_of(load_policy(policy).rules)}
    compiled = reporting(rules.values())
    counts = {"": Count(policy, "", "")}
    for rule in rules.values():
        counts.setdefault(group_of(rule.id), Count(policy, group_of(rule.id), rule.category))
    for row in known:
        hits: dict[str, list[Finding]] = defaultdict(list)
        for finding in findings(row.text, compiled):
            hits[group_of(finding.rule)].append(finding)
            hits[""].append(finding)
        for group, found in hits.items():
            count = counts[group]
            if row.harmless:
                if row.source in COUNSELLING:
                    count.counselling += 1
                else:
                    count.ordinary += 1
                for finding in found if group else ():
                    hit = row.text[finding.start : finding.end]
                    name = told(hit, rules[finding.rule])
                    count.offenders[name] = count.offenders.get(name, 0) + 1
            label = LABEL_OF.get(count.category, count.category)
            count.labelled += label in row.labels
            count.cleared += label in row.vouched
    return list(counts.values())


def show(result: Result, console: Console) -> None:
    _show_alarms(result, console)
    _show_offenders(result, console)
    _show_finds(result, console)


def _show_alarms(result: Result, console: Console) -> None:
    every = f"{result.ordinary:,} ordinary ones, {result.counselling:,} in counselling"
    table = Table(title=f"Harmless answers with a hit, of {every}")
    table.add_column("policy", no_wrap=True)
    table.add_column("rule", no_wrap=True)
    for heading in ("ordinary", "per 1,000", "counselling", "per 1,000"):
        table.add_column(heading, justify="right")
    for count in result.counts:
        if count.rule and not count.ordinary and not count.counselling:
            continue
        table.add_row(
            "" if count.rule else count.policy,
            count.rule or "(any)",
            f"{count.ordinary:,}",
            f"{1000 * count.ordinary / result.ordinary:.2f}",
            f"{count.counselling:,}",
            f"{1000 * count.counselling / result.counselling:.2f}" if result.counselling else "",
        )
    console.print(table)


def _show_offenders(result: Result, console: Console) -> None:
    table = Table(title="The ten commonest hits in harmless answers, of each policy")
    for heading in ("policy", "rule", "hit"):
        table.add_column(heading, no_wrap=True)
    table.add_column("times", justify="right")
    for policy in dict.fromkeys(count.policy for count in result.counts):
        every = [(n, c.rule, hit) for c in result.counts if c.policy == policy for hit, n in c.offenders.items()]
        for place, (number, rule, hit) in enumerate(sorted(every, key=lambda each: (-each[0], each[1:]))[:10]):
            table.add_row("" if place else policy, rule, hit, f"{number:,}")
    console.print(table)


def _show_finds(result: Result, console: Console) -> None:
    table = Table(title="Texts with a hit of a rule, of those with its label and of those known to be free of it")
    table.add_column("policy", no_wrap=True)
    table.add_column("rule", no_wrap=True)
    for heading in ("labelled", "found", "free", "hit", "per 1,000"):
        table.add_column(heading, justify="right")
    shown: set[tuple[str, int, int]] = set()
    for count in result.counts:
        label = LABEL_OF.get(count.category, count.category)
        known, free = result.labelled.get(label, 0), result.cleared.get(label, 0)
        figures = (count.rule, count.labelled, count.cleared)
        if not count.rule or not known or figures in shown:
            continue
        shown.add(figures)
        table.add_row(
            count.policy,
            count.rule,
            f"{known:,}",
            f"{count.labelled:,}",
            f"{free:,}",
            f"{count.cleared:,}",
            f"{1000 * count.cleared / free:.2f}" if free else "",
        )
    console.print(table)
    console.print(
        "labelled: texts with the label of the rule's category. free: texts without labels whose set vouches for that "
        "category. A list finds wording, not intent: most labelled texts hold no word of any list. A rule that several "
        "policies have is shown once."
    )


def as_json(result: Result) -> dict[str, object]:
    return asdict(result)
