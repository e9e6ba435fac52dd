"""A decision about a complaint, with what follows from it: the strike is lifted, a phrase is to pass, the case stands.

Promises: what follows is done before the decision is told, so that nobody reads of a lift that did not happen; what was
cut off in between can be decided again, since all of it can be done twice.
"""

from __future__ import annotations

from collections.abc import Sequence

from guardrail.governance.cases import TRANSITIONS, Allowed, Case, Cases
from guardrail.governance.complaints import MOVES, Complaint, ComplaintError, Complaints, Outcome


class Decisions:
    """Decisions of reviewers. Raises StateError wherever the state is asked."""

    def __init__(self, complaints: Complaints, cases: Cases) -> None:
        self._complaints = complaints
        self._cases = cases

    async def decide(
        self,
        id: str,
        outcome: Outcome,
        reasons: str,
        actor: str,
        *,
        lift: bool = False,
        allow: Sequence[Allowed] = (),
    ) -> Complaint:
        """Decide it, with effect. `lift`: take back the strikes of the case, and end its measure; `allow`: phrases that
        rules are to let pass, noted with the case. Raises ComplaintError, CaseError."""
        complaint = await self._complaints.find(id)
        if complaint is None:
            raise ComplaintError(f"there is no complaint {id}")
        if (complaint.status, "decide") not in MOVES:
            raise ComplaintError(f"{id} is {complaint.status}: it cannot be decided")
        if not reasons.strip() or not actor.strip():
            raise ComplaintError("a decision needs who made it, and reasons")
        if (lift or allow) and outcome == "rejected":
            raise ComplaintError("a complaint that is rejected changes nothing: decide it as upheld or partly")
        effects: list[str] = []
        cases = await self._concerned(complaint)
        if lift:
            if not cases:
                raise ComplaintError(f"{id} is about no case that could be lifted")
            for case in cases:
                await self._cases.decide(
                    case.id, "lift", actor=actor, reason=reasons, about=id, allow=allow if case is cases[0] else ()
                )
                effects.append(f"lift {case.id}")
        elif outcome == "rejected" and complaint.kind == "appeal":
            for case in cases:
                if (case.status, "uphold") in TRANSITIONS:
                    await self._cases.decide(case.id, "uphold", actor=actor, reason=reasons, about=id)
                    effects.append(f"uphold {case.id}")
        effects += [f"allow in {each.rule}: {each.phrase}" for each in allow]
        return await self._complaints.decide(id, actor, outcome, reasons, effects)

    async def _concerned(self, complaint: Complaint) -> list[Case]:
        """The cases that a complaint is about: the one that it names, or those that the request led to. Of the same
        tenant: nobody appeals what stands against people elsewhere, but for those who need no key."""
        if not complaint.about:
            return []
        named = await self._cases.get(complaint.about)
        found = [named] if named is not None else await self._cases.find(request=complaint.about, limit=20)
        return [each for each in found if not complaint.vouched or each.tenant == complaint.tenant]
