"""The compiled policy: what the codecs and the proxy ask of it. Immutable; streams keep the one they began with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from guardrail.text.scanner import RuleSet
from guardrail.text.scores import ScoreSettings

if TYPE_CHECKING:
    from guardrail.classify.detector import DetectorEntry
    from guardrail.classify.model import Model


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """A policy, ready to run. Made by `guardrail.policy.compile`."""

    name: str
    digest: str
    """SHA-256 (hex) over everything that decides an outcome: resolved rules with their terms, masks and settings."""
    rules: RuleSet
    rules_digest: str = ""
    """SHA-256 (hex) over the rules alone: policies that say the same otherwise share them, compiled."""
    halt_scope: Literal["choice", "response"] = "choice"
    """What a halt ends: the choice it happened in, or the whole response."""
    unknown_text: Literal["block", "pass"] = "block"
    """What becomes of model text in a shape that the codec does not know: the field is removed, or passes."""
    notice: str = "\n[Stopped by safety policy. Case {case_id}]"
    """What the reader sees at a halt, in the tenant's language; "" for none. `{case_id}` is filled in."""
    refusal: str = "Stopped by safety policy."
    """The same for places that carry a refusal instead of text."""
    store_text: bool = False
    """Whether records may hold model text."""

    scorer: Model | DetectorEntry | None = None
    """What scores for its classifier: a model that is loaded, or where a detector is reached."""

    @property
    def classifier(self) -> ScoreSettings | None:
        """The settings of its classifier, which are part of the rules; None when it has none."""
        return None if self.rules.scored is None else self.rules.scored.settings

    @property
    def tag(self) -> str:
        """`name@digest`, the digest cut to 12 hex digits: the value of `x-guardrail-policy`."""
        return f"{self.name}@{self.digest[:12]}"
