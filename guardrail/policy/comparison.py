"""What a shadow policy would have done otherwise than the one in effect, from the counters of all replicas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from guardrail.governance.counters import Kind, read
from guardrail.state.operations import Counts
from guardrail.state.store import Store


async def compared(store: Store, name: str, version: int, first: str, last: str) -> dict[str, Any]:
    """Counts of the days `first` to `last` (ISO dates, UTC, both included). Of answers that were judged to their end:
    halts by who would have halted, characters removed, findings by rule and category. Raises StateError."""
    (counts,) = await store.run([Counts(first, last)])
    found: dict[str, dict[str, int]] = {}
    for each in read(counts):
        if each.kind is Kind.SHADOW and each.details[:2] == (name, str(version)):
            _, _, what, which = each.details
            found.setdefault(what, {})[which] = each.number
    return {
        "policy": name,
        "version": version,
        "first": first,
        "last": last,
        "answers": found.get("answers", {}),
        "halts": found.get("halts", {}),
        "removed": found.get("removed", {}),
        "rules": _beside(found, "rule"),
        "categories": _beside(found, "category"),
    }


def _beside(found: Mapping[str, Mapping[str, int]], what: str) -> dict[str, dict[str, int]]:
    live, shadow = (found.get(f"{what}_{who}", {}) for who in ("live", "shadow"))
    return {
        each: {"live": live.get(each, 0), "shadow": shadow.get(each, 0)} for each in sorted(live.keys() | shadow.keys())
    }


def rows(found: Mapping[str, Any]) -> Iterator[str]:
    """The same as lines of text."""
    answers = found["answers"]
    judged = answers.get("same", 0) + answers.get("differs", 0)
    yield f"{found['policy']}@{found['version']} beside what was in effect, {found['first']} to {found['last']}"
    yield f"  answers judged by both   {judged:,}, of which {answers.get('differs', 0):,} would have come out otherwise"
    given_up = {word: answers[word] for word in ("over_budget", "unfinished", "failed") if answers.get(word)}
    if given_up:
        yield "  given up                 " + ", ".join(f"{number:,} {word}" for word, number in given_up.items())
    halts = found["halts"]
    by = ", ".join(f"{halts.get(word, 0):,} {said}" for word, said in (("both", "by both"), ("live", "live only")))
    yield f"  halted                   {by}, {halts.get('shadow', 0):,} shadow only"
    removed = found["removed"]
    yield f"  characters removed       {removed.get('live', 0):,} live, {removed.get('shadow', 0):,} shadow"
    for title, key in (("findings by category", "categories"), ("findings by rule", "rules")):
        yield f"  {title:<40} {'live':>9} {'shadow':>9}"
        for name, both in found[key].items():
            mark = "" if both["live"] == both["shadow"] else "  *"
            yield f"    {name:<38} {both['live']:>9,} {both['shadow']:>9,}{mark}"
