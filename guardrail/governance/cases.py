"""Cases: what was decided against somebody or something, on which grounds, and what people decided about it since.

A case is made with every step of the conduct ladder, with every removal, and by hand. It has an id that cannot be
guessed, a statement of reasons (`guardrail.governance.statements`) and a status. Whoever decides gives a name and a
reason, which the audit log has before the decision takes effect.

Promises: a decision that was cut off half way can be made again, and then takes effect; two people who decide at once
are told of each other. Never holds text of a model or of a prompt; reasons are what an operator writes.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from time import time
from typing import Literal

import msgspec
from msgspec import Struct

from guardrail.errors import GuardrailError
from guardrail.governance import ladder
from guardrail.governance.counters import Kind, count
from guardrail.governance.ladder import Conduct, Ladder, Measure, Step, Strike
from guardrail.observe.audit import Audit
from guardrail.state.operations import KEEP, Conflict, Document, Find, Put
from guardrail.state.store import Store, get, put

CASE, CONDUCT = "case", "conduct"
"""Kinds of documents."""

Origin = Literal["conduct", "removal", "manual"]
"""`conduct`: a step of the ladder. `removal`: output was found unlawful later. `manual`: a person decided on a
measure."""

Status = Literal["open", "upheld", "overridden", "lifted"]
Verdict = Literal["uphold", "override", "lift"]

TRANSITIONS: Mapping[tuple[Status, Verdict], Status] = {
    ("open", "uphold"): "upheld",
    ("open", "override"): "overridden",
    ("open", "lift"): "lifted",
    ("upheld", "uphold"): "upheld",
    ("upheld", "override"): "overridden",
    ("upheld", "lift"): "lifted",
    ("overridden", "override"): "overridden",
    ("overridden", "lift"): "lifted",
    ("lifted", "lift"): "lifted",
}
"""What may be decided in which status, and what the case is then. A second `uphold` confirms after an appeal; a second
`lift` completes one that was cut off, and is no new decision. What is lifted stays lifted: a new measure is a new
case."""


class CaseError(GuardrailError):
    """There is no such case, or what is wanted cannot be decided about it. The message is for the operator."""


class Allowed(Struct, frozen=True):
    """A phrase inside which a rule's hits do not count from now on."""

    rule: str
    phrase: str


class Decision(Struct, frozen=True, kw_only=True):
    """What a person, or a rule of this file, decided about a case."""

    at: float
    verdict: Verdict
    actor: str
    """Who; "system" for a case that another took its ground from."""
    reason: str
    was: str = ""
    """The measure before."""
    to: str = ""
    """Of `override`: the measure instead."""
    until: float | None = None
    """Its end; None: without end, or as the verdict says nothing of it."""
    about: str = ""
    """The complaint or appeal that it answers, or the other case; ""."""
    allow: tuple[Allowed, ...] = ()


class Case(Struct, frozen=True, kw_only=True):
    """One case: the document `case`. Times are unix seconds."""

    id: str
    origin: Origin
    tenant: str
    subject: str = ""
    """The person's keyed hash; "" where nobody is known."""
    locale: str = "en"
    """Of the statement, when nobody asks for another."""
    status: Status = "open"
    at: float
    """When it was opened."""
    actor: str = "system"
    measure: str
    """The step in force, or `remove`."""
    begun: float
    until: float | None = None
    """End of the measure; None: without end."""
    points: float = 0.0
    """When the step was taken."""
    threshold: float = 0.0
    strikes: tuple[Strike, ...] = ()
    """Facts: what it rests on."""
    request: str = ""
    """Id of the request that led to it."""
    policy: str = ""
    """`name@digest` of the policy that it was under, cut to 12 hex digits."""
    policy_digest: str = ""
    """The whole SHA-256, hex."""
    facts: str = ""
    """What an operator wrote, of a case by hand or a removal."""
    ground: str = ""
    """The clause or the law, as the operator's terms name it."""
    unlawful: bool = False
    """Whether the ground is a law, and not only the terms of use."""
    detected_by: Literal["automatic", "person"] = "automatic"
    decided_by: Literal["automatic", "person"] = "automatic"
    appeal_until: float = 0.0
    contact: str = ""
    decisions: tuple[Decision, ...] = ()


def new_case_id() -> str:
    """80 random bits: whoever has it may read its statement and appeal."""
    return f"c-{secrets.token_hex(10)}"


def case_by_hand(
    rules: Ladder,
    *,
    tenant: str,
    subject: str,
    step: Step,
    until: float | None,
    facts: str,
    actor: str,
    now: float,
    unlawful: bool = False,
    ground: str = "",
) -> Case:
    """The case of a measure that a person decides on. `until`: None for the duration of the step; `ground`: "" for the
    one of the terms."""
    duration = rules.duration(step)
    return Case(
        id=new_case_id(),
        origin="manual",
        tenant=tenant,
        subject=subject,
        at=now,
        actor=actor,
        measure=step,
        begun=now,
        until=until if until is not None or duration is None else now + duration,
        facts=facts,
        ground=ground or rules.ground,
        unlawful=unlawful,
        detected_by="person",
        decided_by="person",
        appeal_until=now + rules.redress_days * ladder.DAY,
        contact=rules.contact,
    )


def tags_of(case: Case) -> frozenset[str]:
    """What a case can be found by."""
    tags = {
        f"origin:{case.origin}",
        f"status:{case.status}",
        f"measure:{case.measure}",
        f"tenant:{case.tenant}",
        f"tenant:{case.tenant}/status:{case.status}",
    }
    if case.subject:
        tags.add(f"subject:{case.subject}")
    requests = {case.request, *(strike.request for strike in case.strikes)} - {""}
    tags |= {f"request:{request}" for request in requests}
    return frozenset(tags)


def case_put(case: Case, now: float, expect: int | None) -> Put:
    """The operation that writes a case. It is kept for three years, and as long after the end of its measure; with a
    measure without end, as long as that."""
    endless = case.measure in ladder.STEPS and case.until is None and case.status != "lifted"
    keep = ladder.FOREVER if endless else max(KEEP, (case.until or now) - now + KEEP)
    return Put(CASE, case.id, msgspec.json.encode(case), tags_of(case), keep, expect, case.at)


def conduct_put(subject: str, conduct: Conduct, now: float, expect: int) -> Put:
    """The operation that writes a person's conduct."""
    tags = frozenset({f"tenant:{conduct.tenant}", *(f"measure:{each.step}" for each in conduct.measures)})
    return Put(CONDUCT, subject, msgspec.json.encode(conduct), tags, ladder.keep_of(conduct, now), expect)


def conduct_in(document: Document | None) -> tuple[Conduct | None, int]:
    """The conduct in a document, and the document's version; None and 0 where there is none."""
    if document is None:
        return None, 0
    return msgspec.json.decode(document.body, type=Conduct), document.version


def _case_in(document: Document) -> Case:
    return msgspec.json.decode(document.body, type=Case)


class Cases:
    """The cases of an installation. Every method raises StateError."""

    def __init__(self, store: Store, audit: Audit, clock: Callable[[], float] = time) -> None:
        self._store = store
        self._audit = audit
        self._clock = clock

    async def get(self, id: str) -> Case | None:
        """The case, or None."""
        document = await get(self._store, CASE, id)
        return None if document is None else _case_in(document)

    async def find(
        self,
        *,
        tenant: str = "",
        subject: str = "",
        status: Status | Literal[""] = "",
        request: str = "",
        limit: int = 100,
        newest: bool = True,
        after: str = "",
    ) -> list[Case]:
        """Cases that fit all that is given, at most `limit`, behind the case `after`. Sorted by time."""
        if subject:
            tag = f"subject:{subject}"
        elif request:
            tag = f"request:{request}"
        elif tenant and status:
            tag = f"tenant:{tenant}/status:{status}"
        else:
            tag = f"tenant:{tenant}" if tenant else f"status:{status}" if status else ""
        out: list[Case] = []
        while len(out) < limit:
            (documents,) = await self._store.run([Find(CASE, tag, limit=limit, newest=newest, after=after)])
            cases = [_case_in(document) for document in documents]
            out += [
                case
                for case in cases
                if tenant in ("", case.tenant) and subject in ("", case.subject) and status in ("", case.status)
            ]
            if len(cases) < limit:
                break
            after = cases[-1].id
        return out[:limit]

    async def open(self, case: Case) -> Case:
        """Begin a case that a person opens; with a step of the ladder, the measure begins. Raises CaseError when there
        is one of that id."""
        if case.measure in ladder.STEPS and not case.subject:
            raise CaseError(f"the measure {case.measure!r} needs somebody to take it against")
        self._audit.write("case.opened", _told(case) | {"actor": case.actor, "facts": case.facts})
        now = self._clock()
        if isinstance(await put(self._store, case_put(case, now, 0)), Conflict):
            raise CaseError(f"there is a case {case.id!r} already")
        await self._store.run([count(case.tenant, (Kind.CASES, case.origin))])
        if case.measure in ladder.STEPS:
            await self._impose(case)
            await self._store.run([count(case.tenant, (Kind.MEASURES, case.measure, "operator"))])
        return case

    async def decide(
        self,
        id: str,
        verdict: Verdict,
        *,
        actor: str,
        reason: str,
        to: Step | Literal[""] = "",
        until: float | None = None,
        about: str = "",
        allow: Sequence[Allowed] = (),
    ) -> Case:
        """Decide about a case: the case as it is then. `to` and `until`: of `override`, the measure instead and its end
        (None: without end). `about`: the complaint that is answered with it. Raises CaseError."""
        if not actor.strip() or not reason.strip():
            raise CaseError("a decision needs who made it, and a reason")
        if until is not None and until <= self._clock():
            raise CaseError("the end of the measure is over already; to end it now, lift it")
        if (verdict == "override") != bool(to):
            raise CaseError("an override needs the measure to put in place; other decisions take none")
        noted = False
        while True:
            document = await get(self._store, CASE, id)
            if document is None:
                raise CaseError(f"there is no case {id!r}")
            case, now = _case_in(document), self._clock()
            status = TRANSITIONS.get((case.status, verdict))
            if status is None:
                raise CaseError(f"the case {id!r} is {case.status}: {_possible(case.status)}")
            if verdict == "override" and (case.measure not in ladder.STEPS or not case.subject):
                raise CaseError(f"the case {id!r} has no measure against a person: it can be upheld or lifted")
            if verdict == "lift" and case.status == "lifted":
                await self._lift(case, about)
                return case
            decision = Decision(
                at=now,
                verdict=verdict,
                actor=actor,
                reason=reason,
                was=case.measure,
                to=to,
                until=until,
                about=about,
                allow=tuple(allow),
            )
            if not noted:
                self._audit.write("case.decided", _told(case) | _of_decision(decision))
                noted = True
            decided = msgspec.structs.replace(case, status=status, decisions=(*case.decisions, decision))
            if verdict == "override":
                decided = msgspec.structs.replace(decided, measure=to, begun=now, until=until)
            if not isinstance(await put(self._store, case_put(decided, now, document.version)), Conflict):
                break
        if verdict == "lift":
            await self._lift(decided, about)
        elif verdict == "override":
            await self._impose(decided)
        return decided

    async def conduct(self, subject: str) -> Conduct | None:
        """What is known of a person's conduct."""
        return conduct_in(await get(self._store, CONDUCT, subject))[0]

    async def in_force(self, most: int) -> Counter[str]:
        """People under each measure, by the gravest that they are under; of each, at most `most` are looked at."""
        found = await self._store.run([Find(CONDUCT, f"measure:{step}", limit=most) for step in ladder.STEPS])
        now = self._clock()
        counts: Counter[str] = Counter()
        for step, documents in zip(ladder.STEPS, found, strict=True):
            holding = (ladder.in_force(conduct_in(document)[0] or Conduct(), now) for document in documents)
            counts[step] = sum(measure is not None and measure.step == step for measure in holding)
        return counts

    async def _impose(self, case: Case) -> None:
        """Put the measure of a case in force."""
        step: Step = msgspec.convert(case.measure, Step)
        while True:
            known, version = conduct_in(await get(self._store, CONDUCT, case.subject))
            conduct = ladder.imposed(
                known or Conduct(tenant=case.tenant), Measure(step, case.id, case.begun, case.until)
            )
            operation = conduct_put(case.subject, conduct, self._clock(), version)
            if not isinstance(await put(self._store, operation), Conflict):
                return

    async def _lift(self, case: Case, about: str) -> None:
        """Take back the strikes of a case and end its measure, and those of other cases that rested on them."""
        ended: tuple[Measure, ...] = ()
        if case.subject:
            while True:
                known, version = conduct_in(await get(self._store, CONDUCT, case.subject))
                if known is None:
                    break
                now = self._clock()
                conduct, ended = ladder.lifted(known, case.id, case.strikes, now)
                if conduct is known:
                    break
                operation = conduct_put(case.subject, conduct, now, version)
                if not isinstance(await put(self._store, operation), Conflict):
                    why = "appeal" if about else "operator"
                    counted = [(Kind.LIFTED, measure.step, why) for measure in ended]
                    if counted:
                        await self._store.run([count(case.tenant, *counted)])
                    break
        for measure in ended:
            if measure.case != case.id:
                reason = f"what it rested on was taken back in the case {case.id}"
                other = await self.get(measure.case)
                if other is not None and other.status != "lifted":
                    await self.decide(measure.case, "lift", actor="system", reason=reason, about=case.id)


def _told(case: Case) -> dict[str, object]:
    """What the audit log has of a case: not the person, whom the case itself names until they are erased."""
    return {"case": case.id, "tenant": case.tenant, "measure": case.measure}


def _of_decision(decision: Decision) -> dict[str, object]:
    return {
        "actor": decision.actor,
        "verdict": decision.verdict,
        "reason": decision.reason,
        "to": decision.to,
        "until": decision.until,
        "about": decision.about,
        "allow": [each.rule for each in decision.allow],
    }


def _possible(status: Status) -> str:
    verdicts = [verdict for known, verdict in TRANSITIONS if known == status]
    return f"what can be decided is {', '.join(verdicts)}"
