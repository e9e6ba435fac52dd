"""The compiled policy: what the codecs and the proxy ask of it. Immutable; streams keep the one they began with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from guardrail.errors import ConfigError, ConfigProblem
from guardrail.text.scanner import RuleSet
from guardrail.text.scores import ScoreSettings

if TYPE_CHECKING:
    from guardrail.classify.detector import DetectorEntry
    from guardrail.classify.model import Model


Role = Literal["user", "tool", "system", "assistant"]
"""Who says a message of a request."""


@dataclass(frozen=True, slots=True, eq=False)
class InputSection:
    """What is looked for in requests."""

    policy: Policy
    """The rules and the classifier of the section as a policy of their own, which has no such section."""
    turns: Literal["newest", "all"] = "newest"
    """Messages since the model last spoke, or all."""
    roles: frozenset[Role] = field(default_factory=lambda: frozenset[Role](("user",)))
    """Whose messages are scanned."""
    notice: str = "This prompt was stopped by safety policy. Case {case_id}."
    """What a client is told whose prompt is refused, in the tenant's language."""


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

    input: InputSection | None = None
    """None where nothing is looked for in requests."""
    idle_input: bool = False
    """It has a section `input` that looks for nothing: without a rule in force and without a classifier."""
    version: int = 0
    """Number of the pushed version that it is; 0: it is from files."""

    @property
    def classifier(self) -> ScoreSettings | None:
        """The settings of its classifier, which are part of the rules; None when it has none."""
        return None if self.rules.scored is None else self.rules.scored.settings

    @property
    def parts(self) -> tuple[Policy, ...]:
        """Itself, and what its section `input` comes to: each may need a classifier."""
        return (self,) if self.input is None else (self, self.input.policy)

    def of_input(self) -> Policy:
        """What its section `input` comes to. Raises ConfigError for a policy without one."""
        if self.input is None:
            why = "no rule in force and no classifier in its" if self.idle_input else "it has no"
            message = f"the policy {self.name!r} looks for nothing in requests: {why} section 'input'"
            raise ConfigError([ConfigProblem(self.name, 0, 0, message)])
        return self.input.policy

    @property
    def tag(self) -> str:
        """`name@digest`, the digest cut to 12 hex digits: the value of `x-guardrail-policy`. Of a pushed version with
        its number: `name@digest;version=3`."""
        number = f";version={self.version}" if self.version else ""
        return f"{self.name}@{self.digest[:12]}{number}"
