"""The duties that a process has, in the order in which they judge a request."""

from __future__ import annotations

from guardrail.governance.conduct import ConductLadder
from guardrail.governance.desk import Desk
from guardrail.governance.duty import Duty
from guardrail.governance.excerpts import Excerpts
from guardrail.governance.keyring import Keyring
from guardrail.governance.labels import Labels
from guardrail.governance.limits import Limits
from guardrail.governance.records import Records
from guardrail.governance.restrictions import Restrictions
from guardrail.governance.tally import Tally


def duties_of(desk: Desk) -> tuple[Duty, ...]:
    """One of each. The first that refuses a request decides; what changes the policy stands before what reads it."""
    keyring = Keyring(desk.secret)
    return (
        Records(keyring),
        ConductLadder(desk.audit),
        Limits(),
        Labels(desk.audit),
        Excerpts(keyring),
        Restrictions(),
        Tally(),
    )
