"""What a duty is to the proxy: what it asks of the state before a request, how it judges, what it writes afterwards.

The shell (`guardrail.proxy.governor`) puts what all duties ask into one batch, so that a request waits for one round
trip to the state, and hands each its replies. A duty decides synchronously; it does no I/O of its own but in `follow`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from guardrail.errors import GuardrailError

if TYPE_CHECKING:
    # Not at run time: the settings hold the terms, whose sections stand beside the duties that are made of this.
    from prometheus_client.registry import Collector

    from guardrail.governance.keyring import SubjectKey
    from guardrail.governance.terms import Terms
    from guardrail.observe.records import Record
    from guardrail.policy.policy import Policy
    from guardrail.policy.registry import Snapshot, Tenant
    from guardrail.state.operations import Operation
    from guardrail.state.store import Store
    from guardrail.text.rules import Finding
    from guardrail.wire.protocol import Protocol
    from guardrail.wire.record import Excerpt
    from guardrail.wire.request import ModelRequest

Use = Literal["limits", "conduct", "sessions", "records"]
"""What a duty needs the state for: what happens without it is set for each use (`state.on_failure`)."""

Done = Literal["open", "closed", "local"]
"""What is done when the state cannot be asked: go on without, refuse, or go by what this process knows by itself."""

USES: tuple[Use, ...] = ("limits", "conduct", "sessions", "records")


@dataclass(frozen=True, slots=True)
class Subject:
    """The person at whose wish the request was made, as far as the tenant's application tells."""

    id: str
    """A keyed hash of the tenant and the application's own id of the person: 32 hex digits. Never the id itself."""
    claims: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """What a signed claim says of the person: `minor`, `locale`, `tz`, … Empty for an id that came without one."""


@dataclass(frozen=True, slots=True)
class Entering:
    """A request before the model is asked."""

    request_id: str
    now: float
    """Unix seconds."""
    tenant: Tenant
    snapshot: Snapshot = field(repr=False)
    subject: Subject | None
    protocol: Protocol | None
    """None: it is asked of guardrail itself (the Check API, moderations)."""
    request: ModelRequest | None = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    """Of the request, case-insensitive."""

    @property
    def terms(self) -> Terms:
        """Under which it is served."""
        return self.tenant.terms


@dataclass(slots=True)
class Standing:
    """What the duties made of a request so far. They may change all of it."""

    policy: Policy
    """By which prompt and answer are judged."""
    headers: dict[str, str] = field(default_factory=dict)
    """For the response."""
    answer: dict[str, str] = field(default_factory=dict)
    """Headers for an answer of the model's, and for nothing else."""
    before: list[str] = field(default_factory=list)
    """What people are told in front of the model's words: one paragraph each."""
    behind: list[str] = field(default_factory=list)
    """And after them."""
    delay: float = 0.0
    """Seconds to wait until the model is asked."""
    record: dict[str, Any] = field(default_factory=dict)
    """Fields of the record, by name."""
    key: SubjectKey | None = field(default=None, repr=False)
    """The person's own key; None: there is no person, or the state could not be asked."""
    around: int = 0
    """Code points of text to keep on both sides of what is found, for excerpts; 0: none."""
    corrected: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """What an operator put right of what is known of the person."""
    without: dict[Use, Done] = field(default_factory=dict)
    """The uses for which the state could not be asked, and what was done instead: open or local."""


def attributes(entering: Entering, standing: Standing) -> Mapping[str, Any]:
    """What is known of the person: `minor`, `locale`, `tz`, … What was put right stands above the signed claims."""
    claims = entering.subject.claims if entering.subject is not None else {}
    return {**claims, **standing.corrected}


class Refused(GuardrailError):
    """A duty refuses the request. What it says is for the client, and holds nothing of the request."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        type: str = "invalid_request_error",
        retry_after: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """`status`: of HTTP; `type`: OpenAI's word for it ("rate_limit_error", "permission_error")."""
        self.status, self.code, self.message, self.type = status, code, message, type
        self.retry_after = retry_after
        self.headers = headers or {}
        self.record: Mapping[str, Any] = {}
        """Fields of the record, by name: what the request's standing had until then."""
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Finished:
    """A request that is over, however it ended."""

    entering: Entering
    standing: Standing
    record: Record
    own: Sequence[Finding] = field(default=(), repr=False)
    """What was found in the words that the person wrote for this request. All of it: a record lists only some."""
    answered: Sequence[Finding] = field(default=(), repr=False)
    """What was found in the model's words."""
    usage: Mapping[str, object] | None = None
    """The usage that upstream reported, in its own words."""
    excerpts: Sequence[Excerpt] = field(default=(), repr=False)
    """The text around what was found, where `Standing.around` asked for it."""


class Duty:
    """One duty. This one does nothing; each overrides what it needs."""

    use: Use = "records"

    def asks(self, entering: Entering) -> Sequence[Operation]:
        """What has to be known before the request is judged. Part of a batch: no reply may depend on another's."""
        return ()

    def judge(self, entering: Entering, replies: Sequence[Any], standing: Standing) -> None:
        """Change `standing`; raise Refused. `replies`: one for each that was asked for. Not called when the state
        cannot be asked and the use is set to `open`."""

    def undo(self, entering: Entering, replies: Sequence[Any]) -> Sequence[Operation]:
        """What gives back what was taken, when another duty refuses the request."""
        return ()

    def after(self, finished: Finished) -> Sequence[Operation]:
        """What is written when it is over. Called once, at its end; what it returns is written again when the state was
        down, so that it may be written twice."""
        return ()

    def beat(self) -> Sequence[Operation]:
        """What is said every few seconds while requests run: leases that go on."""
        return ()

    def collectors(self) -> Sequence[Collector]:
        """What it counts, for Prometheus. Documented in docs/operations.md."""
        return ()

    async def follow(self, finished: Finished, store: Store) -> None:
        """What has to read before it writes. Raises StateError; then it is called again, later."""
