"""The duty that keeps the conduct ladder: what is in force for a person before a request, what is struck after it.

Promises: a request waits for no more than the document that is read with everything else; a measure that holds is seen
by every replica at the person's next request; strikes of requests that end at once, on any replicas, all count, and a
step that they lead to is taken once and has one case. The case is written before its measure holds, so that nobody is
under a measure without a statement; a process that is killed in between leaves a case without a measure.

Only who has an id is struck: never a key, never a tenant.
"""

from __future__ import annotations

import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable, Sequence
from time import time
from typing import Any

from msgspec import UNSET
from prometheus_client.registry import Collector

from guardrail.governance import ladder
from guardrail.governance.cases import CASE, CONDUCT, Case, case_put, conduct_in, conduct_put
from guardrail.governance.counters import Kind, count
from guardrail.governance.duty import Duty, Entering, Finished, Refused, Standing, attributes
from guardrail.governance.ladder import Ladder, Measure, Strike, ladder_of
from guardrail.governance.statements import told_of
from guardrail.observe.audit import Audit
from guardrail.observe.conduct_metrics import ConductCounters, ConductMetrics
from guardrail.state.operations import Conflict, Drop, Get, Operation
from guardrail.state.store import Store, get, put

MEASURE_HEADER = "x-guardrail-conduct"
CASE_HEADER = "x-guardrail-case"

_ANNOUNCED = 1000
"""Cases of which it is remembered that the audit log has them."""


class _Notice(str):
    """The paragraph of an answer that tells of a measure."""

    __slots__ = ()


class ConductLadder(Duty):
    """The ladder of one process."""

    use = "conduct"

    def __init__(self, audit: Audit, clock: Callable[[], float] = time) -> None:
        self.counters = ConductCounters()
        self._audit = audit
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._announced: OrderedDict[str, None] = OrderedDict()

    def asks(self, entering: Entering) -> Sequence[Operation]:
        if entering.subject is None or entering.terms.conduct is UNSET:
            return ()
        return (Get(CONDUCT, entering.subject.id),)

    def judge(self, entering: Entering, replies: Sequence[Any], standing: Standing) -> None:
        terms = entering.terms.conduct
        if not replies or terms is UNSET:
            return
        conduct, _ = conduct_in(replies[0])
        measure = ladder.in_force(conduct, entering.now) if conduct is not None else None
        if measure is None:
            return
        self.counters.under[measure.step] += 1
        told = {MEASURE_HEADER: measure.step, CASE_HEADER: measure.case}
        standing.record |= {"measure": measure.step, "case": measure.case}
        if measure.step in ("suspend", "terminate"):
            raise Refused(
                403,
                "account_suspended" if measure.step == "suspend" else "account_terminated",
                told_of(measure.step, measure.case, measure.until, _locale(entering, standing)),
                type="permission_error",
                retry_after=None if measure.until is None else measure.until - entering.now,
                headers=told | {"x-should-retry": "false"},
            )
        standing.headers |= told
        if not measure.told:
            notice = told_of(measure.step, measure.case, measure.until, _locale(entering, standing))
            standing.before.append(_Notice(notice))
        if measure.step == "restrict":
            rules = ladder_of(terms)
            standing.policy = entering.tenant.policies.get(rules.policy, standing.policy)
            standing.delay = max(standing.delay, rules.delay)

    def collectors(self) -> Sequence[Collector]:
        return (ConductMetrics(self.counters),)

    async def follow(self, finished: Finished, store: Store) -> None:
        entering, standing = finished.entering, finished.standing
        if entering.subject is None or entering.terms.conduct is UNSET:
            return
        read = finished.record.before > 0 and any(isinstance(paragraph, _Notice) for paragraph in standing.before)
        if not (read or finished.own or finished.answered):
            return
        rules = ladder_of(entering.terms.conduct)
        strikes = ladder.strikes_of(
            [*(("prompt", found) for found in finished.own), *(("answer", found) for found in finished.answered)],
            rules,
            entering.request_id,
            entering.now,
            standing.policy.tag,
        )
        if strikes or read:
            case = standing.record["case"] if read else ""
            await self._write(finished, store, entering.subject.id, rules, strikes, case)

    async def _write(
        self, finished: Finished, store: Store, subject: str, rules: Ladder, strikes: Sequence[Strike], read: str
    ) -> None:
        """Add strikes, and note that the notice of the case `read` was; until nobody else wrote at the same time."""
        case_id = self._case_of(finished.entering.request_id)
        drafted = False
        while True:
            known, version = conduct_in(await get(store, CONDUCT, subject))
            before = known or ladder.Conduct(tenant=finished.entering.tenant.name)
            now = self._clock()
            after, measure = ladder.struck(before, strikes, rules, now, case_id)
            after = ladder.told(after, read) if read else after
            if after == before:
                # All of it was written, though whoever wrote it may not have been told so.
                measure = next((each for each in before.measures if each.case == case_id), None)
                break
            if measure is not None:
                case = _case(finished, subject, rules, after, measure, now)
                await put(store, case_put(case, now, None))
                drafted = True
            if not isinstance(await put(store, conduct_put(subject, after, now, version)), Conflict):
                break
        if measure is None:
            if drafted:
                await store.run([Drop(CASE, case_id)])
        else:
            self._announce(finished, measure, strikes)
        counted: list[tuple[Kind | str | int, ...]] = [(Kind.STRIKES, strike.category) for strike in strikes]
        if measure is not None:
            counted += [(Kind.MEASURES, measure.step, "system"), (Kind.CASES, "conduct")]
        if counted:
            await store.run([count(finished.entering.tenant.name, *counted)])

    def _announce(self, finished: Finished, measure: Measure, strikes: Sequence[Strike]) -> None:
        """Tell the audit log and the metrics of a step, once."""
        if measure.case in self._announced:
            return
        self._audit.write(
            "measure",
            {
                "actor": "system",
                "case": measure.case,
                "tenant": finished.entering.tenant.name,
                "subject": finished.record.subject,
                "measure": measure.step,
                "until": measure.until,
                "request": finished.entering.request_id,
                "rules": sorted({strike.rule for strike in strikes}),
                "categories": sorted({strike.category for strike in strikes}),
                "policy": finished.standing.policy.tag,
            },
        )
        gravest = max(strikes, key=lambda strike: strike.points)
        self.counters.steps[measure.step, gravest.category] += 1
        self._announced[measure.case] = None
        if len(self._announced) > _ANNOUNCED:
            self._announced.popitem(last=False)

    def _case_of(self, request: str) -> str:
        """The id of the case that a request may lead to: the same when it is written again, and not to be guessed."""
        return f"c-{hmac.digest(self._key, request.encode(), 'sha256').hex()[:20]}"


def _locale(entering: Entering, standing: Standing) -> str:
    return str(attributes(entering, standing).get("locale") or entering.tenant.locale)


def _case(
    finished: Finished, subject: str, rules: Ladder, conduct: ladder.Conduct, measure: Measure, now: float
) -> Case:
    entering, policy = finished.entering, finished.standing.policy
    return Case(
        id=measure.case,
        origin="conduct",
        tenant=entering.tenant.name,
        subject=subject,
        locale=_locale(entering, finished.standing)[:35],
        at=now,
        measure=measure.step,
        begun=measure.begun,
        until=measure.until,
        points=ladder.points_of(conduct, now),
        threshold=measure.threshold,
        strikes=tuple(strike for strike in conduct.strikes if strike.case == measure.case),
        request=entering.request_id,
        policy=policy.tag,
        policy_digest=policy.digest,
        ground=rules.ground,
        appeal_until=now + rules.redress_days * ladder.DAY,
        contact=rules.contact,
    )
