"""Labels: people are told that the words are a model's, and so are programs.

The explicit label is a paragraph in front of the answer or behind it; where a program takes the answer as it is (JSON,
a call of a tool), and where the application shows a label itself, only the headers tell. They stand at every answer of
a model. Promises: an answer goes without its label only under an agreement that the terms name, that a signed claim
tells, and that the audit log has taken down. Which law asks for what: docs/labels.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from guardrail.governance.duty import Duty, attributes
from guardrail.governance.label_terms import LabelTerms, headers, text_of
from guardrail.observe.audit import Audit, AuditError

if TYPE_CHECKING:
    from guardrail.governance.duty import Entering, Standing


class Labels(Duty):
    """The duty."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit

    def judge(self, entering: Entering, replies: Sequence[Any], standing: Standing) -> None:
        terms = entering.terms.labels
        request = entering.request
        if terms is UNSET or request is None:
            return
        known = attributes(entering, standing)
        agreement = self._agreed(terms, entering, standing)
        placed: str = "none" if agreement else terms.explicit if terms.explicit is not UNSET else "start"
        if placed in ("start", "end") and not request.takes_inserts:
            placed = "header"
        said = text_of(terms, known.get("locale"))
        if placed == "start":
            standing.before.insert(0, said)
        elif placed == "end":
            standing.behind.append(said)
        standing.record |= {"label": placed, "label_agreement": agreement}
        if terms.implicit is UNSET or terms.implicit:
            provider = terms.provider if terms.provider is not UNSET else ""
            standing.answer |= headers(provider, entering.request_id, request.model, placed)

    def _agreed(self, terms: LabelTerms, entering: Entering, standing: Standing) -> str:
        """The agreement under which the answer needs no explicit label; "" for none, or when it cannot be taken down.
        Only what was signed counts."""
        agreement = entering.subject.claims.get("agreement") if entering.subject is not None else None
        if not isinstance(agreement, str) or terms.agreements is UNSET or agreement not in terms.agreements:
            return ""
        person = standing.record.get("subject", "")
        told = {"request_id": entering.request_id, "tenant": entering.tenant.name, "subject": person}
        try:
            self._audit.write("label.omitted", {"actor": "system", **told, "agreement": agreement})
        except AuditError:
            return ""
        return agreement
