"""The terms under which a tenant is served: what may be said in a preset, in `guardrail.yaml` and in a tenant's file.

One section for each duty, whose fields stand in the duty's own file. What is not given is UNSET and comes from the
terms beneath: a tenant's file over `guardrail.yaml` over presets over the section's own defaults. A section that
nobody gives is a duty that is off.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from guardrail.governance.complaint_terms import ComplaintTerms
from guardrail.governance.excerpts import ExcerptTerms
from guardrail.governance.identity import SubjectTerms
from guardrail.governance.label_terms import LabelTerms
from guardrail.governance.ladder import ConductTerms
from guardrail.governance.limits import LimitTerms
from guardrail.governance.sections import PolicyName, merged, policy_names
from guardrail.governance.webhooks import RemovalTerms

__all__ = ["PolicyName", "Terms", "merged", "policy_names"]


class Terms(Struct, frozen=True, forbid_unknown_fields=True):
    """What holds for a tenant. Every section is off until it is given."""

    subjects: Annotated[
        SubjectTerms | UnsetType, Meta(description="Who the end users are, and whether a request must tell.")
    ] = UNSET
    limits: Annotated[LimitTerms | UnsetType, Meta(description="What a tenant and each of its end users may use.")] = (
        UNSET
    )
    complaints: Annotated[
        ComplaintTerms | UnsetType, Meta(description="Complaints, appeals and requests of data subjects.")
    ] = UNSET
    removal: Annotated[
        RemovalTerms | UnsetType, Meta(description="How the application learns that an answer has to be removed.")
    ] = UNSET
    labels: Annotated[LabelTerms | UnsetType, Meta(description="How answers are labelled as a model's.")] = UNSET
    excerpts: Annotated[ExcerptTerms | UnsetType, Meta(description="Text around findings, sealed, for reviewers.")] = (
        UNSET
    )
    conduct: Annotated[
        ConductTerms | UnsetType,
        Meta(description="Strikes of end users, and the steps that they lead to."),
    ] = UNSET
