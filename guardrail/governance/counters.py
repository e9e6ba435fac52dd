"""What is counted for reports, by name: requests, findings, measures, complaints, removals, requests of data subjects.

Promises: every counter that anything writes is declared here, so that a report knows all of them and says what each
means. A name is made of words of this project, categories of rules and the names of tenants; never of what a peer
chose, never of a person. Pure: `count` gives the operation, whoever knows of the event has it run.

A counter is stored as `kind/detail/detail@tenant`, for each day (UTC); sums over tenants and days are made when they
are read (`read`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from guardrail.state.operations import Count


class Kind(StrEnum):
    """What is counted; `MEANINGS` says what each means and what its details are."""

    REQUESTS = "requests"
    FINDINGS = "findings"
    HALTS = "halts"
    RETRACTIONS = "retractions"
    RESTRICTIONS = "restrictions"
    STRIKES = "strikes"
    MEASURES = "measures"
    LIFTED = "lifted"
    CASES = "cases"
    COMPLAINTS = "complaints"
    DECISIONS = "decisions"
    DECISION_SECONDS = "decision_seconds"
    LATE = "late"
    REMOVALS = "removals"
    DATA_REQUESTS = "data_requests"
    DATA_ANSWERS = "data_answers"
    LABELS = "labels"
    UNLABELLED = "unlabelled"
    DISCLOSURES = "disclosures"
    REMINDERS = "reminders"
    QUIET = "quiet"
    MINORS = "minors"
    CRISIS = "crisis"
    LIMITED = "limited"
    SHADOW = "shadow"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a kind of counter says."""

    text: str
    """As a phrase that follows a number."""
    details: tuple[str, ...] = ()
    """Names of its details, in order."""


MEANINGS: Mapping[Kind, Meaning] = {
    Kind.REQUESTS: Meaning("requests that ended so", ("outcome",)),
    Kind.FINDINGS: Meaning(
        "requests in which something of the category met the action", ("side", "category", "action")
    ),
    Kind.HALTS: Meaning("answers that a rule ended"),
    Kind.RETRACTIONS: Meaning("answers of which delivered text was withdrawn"),
    Kind.RESTRICTIONS: Meaning("answers halted or withdrawn, prompts refused, whose reasons are kept", ("what",)),
    Kind.STRIKES: Meaning("strikes given to end users", ("category",)),
    Kind.MEASURES: Meaning("measures taken against end users", ("measure", "by")),
    Kind.LIFTED: Meaning("measures taken back", ("measure", "why")),
    Kind.CASES: Meaning("cases opened", ("kind",)),
    Kind.COMPLAINTS: Meaning("complaints and appeals received", ("kind",)),
    Kind.DECISIONS: Meaning("complaints and appeals decided", ("kind", "outcome")),
    Kind.DECISION_SECONDS: Meaning("seconds from receipt to decision, summed", ("kind",)),
    Kind.LATE: Meaning("decisions and answers given after they were due", ("kind",)),
    Kind.REMOVALS: Meaning("orders to remove output", ("state",)),
    Kind.DATA_REQUESTS: Meaning("requests of data subjects received", ("kind",)),
    Kind.DATA_ANSWERS: Meaning("requests of data subjects answered", ("kind",)),
    Kind.LABELS: Meaning("answers labelled as made by AI", ("how",)),
    Kind.UNLABELLED: Meaning("answers without a label, under an agreement"),
    Kind.DISCLOSURES: Meaning("answers that began by saying that this is an AI"),
    Kind.REMINDERS: Meaning("reminders given during a session", ("what",)),
    Kind.QUIET: Meaning("requests refused in quiet hours"),
    Kind.MINORS: Meaning("requests served under the policy for minors"),
    Kind.CRISIS: Meaning("requests answered with crisis resources", ("category",)),
    Kind.LIMITED: Meaning("requests refused by a limit", ("limit",)),
    Kind.SHADOW: Meaning(
        "answers, halts, findings and characters of a shadow policy and beside it",
        ("policy", "version", "what", "which"),
    ),
}
"""`side`: input, output. `by`: system, operator. `why`: expired, appeal, operator. `how`: start, end, header.
`state`: ordered, acknowledged, failed. `what`: ai, break. `kind` of a complaint: complaint, appeal; of a data request:
export, correct, erase."""

_KINDS = {kind.value: kind for kind in Kind}
_UNFIT = re.compile(r"[^A-Za-z0-9._-]")


def count(tenant: str, *counted: tuple[Kind | str | int, ...]) -> Count:
    """The operation that counts each of `counted`: a kind, its details, and, if it is not 1, how many.

    `count("acme", (Kind.MEASURES, "suspend", "system"), (Kind.DECISION_SECONDS, "appeal", 86400))`
    """
    sums: Counter[str] = Counter()
    for each in counted:
        number = each[-1] if isinstance(each[-1], int) else 1
        kind, *details = (str(part) for part in each if not isinstance(part, int))
        meaning = MEANINGS[Kind(kind)]
        if len(details) != len(meaning.details):
            raise ValueError(f"{kind} is counted by {meaning.details}, not by {details}")
        sums["/".join([kind, *(_UNFIT.sub("_", detail) for detail in details)]) + f"@{tenant}"] += number
    return Count(tuple(sums.items()))


@dataclass(frozen=True, slots=True)
class Counted:
    """One counter, read."""

    kind: Kind
    details: tuple[str, ...]
    tenant: str
    number: int


def read(counts: Mapping[str, int]) -> list[Counted]:
    """What a store's counters say, sorted. Names that this version does not know are left out."""
    out = []
    for name, number in counts.items():
        path, _, tenant = name.partition("@")
        word, *details = path.split("/")
        kind = _KINDS.get(word)
        if kind is not None and len(details) == len(MEANINGS[kind].details):
            out.append(Counted(kind, tuple(details), tenant, number))
    return sorted(out, key=lambda each: (list(Kind).index(each.kind), each.details, each.tenant))


def total(counted: Iterable[Counted], kind: Kind, *details: str) -> int:
    """The sum of one kind, of those whose first details are these."""
    return sum(each.number for each in counted if each.kind is kind and each.details[: len(details)] == details)
