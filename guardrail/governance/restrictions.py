"""What guardrail decided about one request, kept so that it can be explained: the document `decision`.

An answer that was halted or withdrawn and a prompt that was refused leave one, where the terms of the tenant have
complaints or conduct. Its id is that of the request, which is what the notice calls the case; every replica can tell
the reasons (`guardrail.governance.restriction_statements`) once it is written, behind the client's back. What is masked
leaves none: the person is told of it by the mask itself.

Promises: rules, categories, offsets and the policy only, never text of a prompt or an answer, never whose key it was.
It is kept as long as one may object, and as long as the objection may then take. A request waits for nothing of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec import UNSET, Struct

from guardrail.governance.complaint_terms import rules_of
from guardrail.governance.complaints import Complaint
from guardrail.governance.counters import Kind, count
from guardrail.governance.duty import Duty, Finished, attributes
from guardrail.governance.ladder import DAY, ladder_of
from guardrail.governance.removal import APPEAL_DAYS
from guardrail.observe.records import FindingRecord
from guardrail.state.operations import Operation, Put
from guardrail.state.store import Store, get
from guardrail.text.rules import Action, Finding, Severity

KIND = "decision"

MOST = 5
"""Findings of one decision: the reasons are told by the first."""

DECIDING_DAYS = 30
"""For an objection, where the terms have no complaints that say it."""

What = Literal["halted", "retracted", "refused"]
"""`halted`: a rule ended the answer. `retracted`: text that was delivered was withdrawn. `refused`: the prompt was not
sent on."""


class Found(Struct, frozen=True):
    """What a rule found. Offsets are code points of the channel's raw text."""

    rule: str
    category: str
    severity: Severity
    action: str
    channel: str
    start: int
    end: int


class Restriction(Struct, frozen=True, kw_only=True):
    """The document. Times are unix seconds."""

    id: str
    """Of the request."""
    tenant: str
    subject: str = ""
    """The person's keyed hash; "": nobody is known."""
    locale: str = "en"
    """Of the statement, when nobody asks for another."""
    at: float
    what: What
    side: Literal["prompt", "answer"]
    found: tuple[Found, ...] = ()
    """What led to it; empty where it was not a rule: text could not be judged in time."""
    policy: str
    """`name@digest`, cut to 12 hex digits."""
    policy_digest: str
    """The whole SHA-256, hex."""
    policy_version: int = 0
    """Number of the pushed version; 0: from files."""
    ground: str = ""
    """The clause, as the terms name it."""
    contact: str = ""
    automated: bool = True
    appeal_until: float


class Restrictions(Duty):
    """Keeps them."""

    use = "records"

    def after(self, finished: Finished) -> Sequence[Operation]:
        terms = finished.entering.terms
        if terms.complaints is UNSET and terms.conduct is UNSET:
            return ()
        what = _what(finished)
        if what is None:
            return ()
        entering, record = finished.entering, finished.record
        complaints = rules_of(terms.complaints)
        ladder = ladder_of(terms.conduct) if terms.conduct is not UNSET else None
        redress = (ladder.redress_days if ladder is not None else APPEAL_DAYS) * DAY
        deciding = (complaints.due_days if complaints is not None else DECIDING_DAYS) * DAY
        subject = entering.subject.id if entering.subject is not None else ""
        restriction = Restriction(
            id=entering.request_id,
            tenant=entering.tenant.name,
            subject=subject,
            locale=str(attributes(entering, finished.standing).get("locale") or entering.tenant.locale)[:35],
            at=entering.now,
            what=what,
            side="prompt" if what == "refused" else "answer",
            found=_found(finished, what),
            policy=record.policy,
            policy_digest=record.policy_digest,
            policy_version=record.policy_version,
            ground=ladder.ground if ladder is not None else "",
            contact=(ladder.contact if ladder is not None else "")
            or (complaints.contact if complaints is not None else ""),
            appeal_until=entering.now + redress,
        )
        tags = {f"tenant:{restriction.tenant}"} | ({f"subject:{subject}"} if subject else set())
        body = msgspec.json.encode(restriction)
        return [
            Put(KIND, restriction.id, body, frozenset(tags), redress + deciding),
            count(restriction.tenant, (Kind.RESTRICTIONS, what)),
        ]


async def find(store: Store, id: str) -> Restriction | None:
    """What was decided about the request with this id. Raises StateError."""
    found = await get(store, KIND, id)
    return None if found is None else msgspec.json.decode(found.body, type=Restriction)


async def concerned(store: Store, complaint: Complaint) -> Restriction | None:
    """What a complaint is about. Of the same tenant, as with cases: an application vouches for nobody elsewhere. Raises
    StateError."""
    found = await find(store, complaint.about) if complaint.about else None
    return found if found is not None and (not complaint.vouched or found.tenant == complaint.tenant) else None


def _what(finished: Finished) -> What | None:
    record = finished.record
    if record.outcome == "refused_input":
        return "refused"
    if record.retracted:
        return "retracted"
    return "halted" if record.halted else None


def _found(finished: Finished, what: What) -> tuple[Found, ...]:
    """What led to it: of the findings, those that ended it; if none did, those that changed something."""
    found: Sequence[Finding | FindingRecord]
    if what == "refused":
        asked = finished.record.input
        # The record has those in the earlier messages of the conversation too.
        found = [*(asked.findings if asked is not None else ()), *finished.own]
    else:
        found = finished.answered
    ending = [each for each in found if each.action == Action.HALT]
    out: dict[Found, None] = {}
    for each in ending or [each for each in found if Action(each.action).removes]:
        severity = msgspec.convert(each.severity, Severity)
        place = (each.channel, each.start, each.end)
        out[Found(each.rule, each.category, severity, Action(each.action).value, *place)] = None
    return tuple(out)[:MOST]
