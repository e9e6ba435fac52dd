"""Excerpts for reviewers: the text around what a rule found, sealed, for some days. Off unless two people switch it on.

The section `excerpts` of the terms and the policy's `store_text` must both allow it. Of a finding no more is kept than
the characters around it; it is sealed under the person's key, or one of its own, so that it opens with the master
secret alone and never again once the person is erased. Whoever reads one leaves a name in the audit log first.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import time
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from guardrail.governance.duty import Duty
from guardrail.governance.keyring import Keyring, Sealed
from guardrail.state.operations import Find, Put

if TYPE_CHECKING:
    from typing import Any

    from guardrail.governance.duty import Entering, Finished, Standing
    from guardrail.observe.audit import Audit
    from guardrail.state.operations import Operation
    from guardrail.state.store import Store

KIND = "excerpt"

MOST = 10
"""Excerpts of one request: whoever reviews it knows by then what it is about."""

CHARACTERS = 200
DAYS = 30


class ExcerptTerms(Struct, frozen=True, forbid_unknown_fields=True):
    """Text around findings, sealed, for reviewers."""

    enabled: Annotated[
        bool | UnsetType, Meta(description="Keep excerpts under policies with `store_text: true`. Unset: no.")
    ] = UNSET
    characters: Annotated[
        Annotated[int, Meta(ge=1, le=2000, title="a number of characters from 1 to 2000")] | UnsetType,
        Meta(description="Characters on both sides of what was found."),
    ] = UNSET
    days: Annotated[
        Annotated[int, Meta(ge=1, le=365, title="a number of days from 1 to 365")] | UnsetType,
        Meta(description="Days until an excerpt is deleted."),
    ] = UNSET
    categories: Annotated[
        tuple[str, ...] | UnsetType, Meta(description="Only of findings in these categories. Unset: of all.")
    ] = UNSET


class Excerpt(Struct, frozen=True):
    """The document."""

    id: str
    tenant: str
    subject: str
    """The person's keyed hash; "": nobody is known."""
    request: str
    rule: str
    category: str
    severity: str
    channel: str
    start: int
    """Of the finding, in code points of the channel."""
    end: int
    begins: int
    """Where the excerpt begins."""
    at: float
    until: float
    sealed: Sealed


class Excerpts(Duty):
    """Keeps them."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def judge(self, entering: Entering, replies: Sequence[Any], standing: Standing) -> None:
        terms = entering.terms.excerpts
        if terms is UNSET or terms.enabled is not True or not standing.policy.store_text:
            return
        if entering.subject is not None and standing.key is None:
            return  # what cannot be sealed so that it can be erased is not kept
        standing.around = terms.characters if terms.characters is not UNSET else CHARACTERS

    def after(self, finished: Finished) -> Sequence[Operation]:
        standing, entering = finished.standing, finished.entering
        terms = entering.terms.excerpts
        if not standing.around or terms is UNSET:
            return ()
        keep = (terms.days if terms.days is not UNSET else DAYS) * 86400.0
        subject = entering.subject.id if entering.subject is not None else ""
        wanted = [
            each for each in finished.excerpts if terms.categories is UNSET or each.finding.category in terms.categories
        ]
        out: list[Operation] = []
        for number, each in enumerate(wanted[:MOST]):
            id = f"x-{entering.request_id}-{number}"
            place = f"{KIND}:{id}"
            if standing.key is not None:
                sealed = Sealed(standing.key.seal(each.text, place), subject)
            else:
                sealed = self._keyring.seal_alone(each.text, place)
            found = each.finding
            excerpt = Excerpt(
                id=id,
                tenant=entering.tenant.name,
                subject=subject,
                request=entering.request_id,
                rule=found.rule,
                category=found.category,
                severity=found.severity,
                channel=found.channel,
                start=found.start,
                end=found.end,
                begins=each.start,
                at=entering.now,
                until=entering.now + keep,
                sealed=sealed,
            )
            tags = {f"request:{entering.request_id}"} | ({f"subject:{subject}"} if subject else set())
            out.append(Put(KIND, id, msgspec.json.encode(excerpt), frozenset(tags), keep))
        return out


class Shown(Struct, frozen=True):
    """One excerpt as a reviewer sees it."""

    id: str
    rule: str
    category: str
    channel: str
    start: int
    end: int
    text: str | None
    """None: the person was erased."""
    until: float


async def show(store: Store, audit: Audit, keyring: Keyring, request: str, *, actor: str) -> list[Shown]:
    """The excerpts of one request; the audit log has who looked before anything is shown. Raises StateError,
    AuditError, SealError."""
    (found,) = await store.run([Find(KIND, f"request:{request}", limit=MOST)])
    excerpts = [msgspec.json.decode(document.body, type=Excerpt) for document in found]
    excerpts = [each for each in excerpts if each.until > time()]
    if excerpts:
        told = {"actor": actor, "tenant": excerpts[0].tenant, "request": request}
        audit.write("excerpt.read", told | {"excerpts": [each.id for each in excerpts]})
    out = []
    for each in excerpts:
        text = await keyring.unseal(store, each.sealed, f"{KIND}:{each.id}")
        out.append(Shown(each.id, each.rule, each.category, each.channel, each.start, each.end, text, each.until))
    return out
