"""The duty that counts every finished request, for reports: how it ended, what was found, how it was labelled.

Counts requests, never people. Of one request a category and an action count once, however often they were met; what a
record does not list (findings beyond its cap) is not counted here.
"""

from __future__ import annotations

from collections.abc import Sequence

from guardrail.governance.counters import Kind, count
from guardrail.governance.duty import Duty, Finished
from guardrail.state.operations import Operation

ANSWERED = ("complete", "halted", "disconnected")
"""How a request ends that a model answered."""


class Tally(Duty):
    """Counts of each tenant's requests."""

    use = "records"

    def after(self, finished: Finished) -> Sequence[Operation]:
        record = finished.record
        found = {("output", each.category, each.action) for each in record.findings}
        if record.input is not None:
            found |= {("input", each.category, each.action) for each in record.input.findings}
        counted: list[tuple[Kind | str | int, ...]] = [(Kind.REQUESTS, record.outcome)]
        counted += [(Kind.FINDINGS, *each) for each in sorted(found)]
        if record.halted:
            counted.append((Kind.HALTS,))
        if record.retracted:
            counted.append((Kind.RETRACTIONS,))
        if record.label_agreement:
            counted.append((Kind.UNLABELLED,))
        elif record.label not in ("", "none") and record.outcome in ANSWERED:
            counted.append((Kind.LABELS, record.label))
        return [count(record.tenant, *counted)]
