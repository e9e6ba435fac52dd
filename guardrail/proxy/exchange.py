"""What is known of one request while it is answered. At its end, whichever that is, it becomes the record."""

from __future__ import annotations

import logging
import secrets
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from time import monotonic
from typing import Any

import msgspec

from guardrail.governance.duty import Entering, Standing
from guardrail.observe.audit import AuditLog
from guardrail.observe.metrics import Metrics
from guardrail.observe.records import (
    MAX_FINDINGS,
    MAX_INPUT_FINDINGS,
    ClassifierRecord,
    FindingRecord,
    InputRecord,
    Outcome,
    Record,
    Records,
    ShadowRecord,
)
from guardrail.policy.policy import Policy
from guardrail.proxy.faults import Fault
from guardrail.proxy.upstream import Attempts
from guardrail.text.rules import Finding
from guardrail.wire.prompt import PromptRecord
from guardrail.wire.record import Excerpt, StreamRecord

logger = logging.getLogger("guardrail.proxy")

_NO_TEXT = StreamRecord(
    case_id="",
    policy="",
    policy_digest="",
    model="",
    choices=0,
    received=0,
    scanned=0,
    released=0,
    held=0,
    held_max=0,
    removed=0,
    dropped=0,
    unscanned=0,
    events=0,
    events_delayed=0,
    tokens=0,
    usage=None,
    findings=(),
    halted=False,
    finish_reasons=(),
    blocked=(),
    fault=None,
)

NOBODY = "-"
"""The tenant in records and metrics when none was identified. A tenant cannot be named so."""


_random = bytearray()
"""Random bytes fetched ahead: a system call for each request costs more than all else that makes an id."""


def new_request_id() -> str:
    """64 random bits: unguessable, since a case id is what a person may ask about."""
    if not _random:
        _random.extend(secrets.token_bytes(2048))
    taken = bytes(_random[-8:])
    del _random[-8:]
    return f"g-{taken.hex()}"


@dataclass(slots=True)
class Exchange:
    """One request and its answer so far."""

    method: str
    path: str
    request_id: str = field(default_factory=new_request_id)
    came_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    started: float = field(default_factory=monotonic)
    tenant: str = NOBODY
    anonymous: bool = False
    policy: Policy | None = None
    canary: bool = False
    """Whether it is among the requests that get a version that is being tried."""
    passing: bool = False
    """Whether this is a path that the configuration lets through unscanned."""
    upstream: str = ""
    model: str = ""
    stream: bool = False
    status: int = 0
    outcome: Outcome = "refused"
    fault: Fault | None = None
    text: StreamRecord | None = None
    """The codec's account of the model's text; None when no text was seen."""
    encoder_calls: int = 0
    """Windows that the classifier's first stage could not tell."""
    prompt: PromptRecord | None = None
    """What the policy made of the request; None when it looks for nothing there."""
    prompt_encoder_calls: int = 0
    shadow: ShadowRecord | None = None
    """What a shadow policy made of it."""
    upstream_aborted: bool = False
    attempts: Attempts = field(default_factory=Attempts)
    bytes_in: int = 0
    bytes_out: int = 0
    first_byte_at: float | None = None
    entering: Entering | None = None
    """The request as the duties saw it; None before, and for paths that pass."""
    standing: Standing | None = None
    """What they made of it; None when one of them refused it."""
    refused_with: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the record, from the duty that refused it."""

    def headers(self) -> dict[str, str]:
        """The headers that guardrail adds to every response."""
        out = {"x-guardrail-request-id": self.request_id}
        if self.policy is not None:
            out["x-guardrail-policy"] = self.policy.tag
        elif self.passing:
            out["x-guardrail-policy"] = "none"
        if self.standing is not None:
            out |= self.standing.headers
        return out

    @property
    def usage(self) -> Mapping[str, object] | None:
        """The usage that upstream reported."""
        return self.text.usage if self.text is not None else None

    def found(self) -> tuple[Sequence[Finding], Sequence[Finding]]:
        """Every finding in what the person wrote for this request, and every one in the model's words."""
        return self.prompt.own if self.prompt else (), self.text.findings if self.text else ()

    def excerpts(self) -> tuple[Excerpt, ...]:
        """The text around what was found, where a duty asked for it."""
        return (*(self.prompt.excerpts if self.prompt else ()), *(self.text.excerpts if self.text else ()))

    def close(self, records: Records, metrics: Metrics, audit: AuditLog | None = None) -> Record | None:
        """Write the record, also to the audit log, and count it; the record, unless it could not be made. Called once,
        when it is settled what the client gets, so that nothing is raised: what goes wrong is logged and counted."""
        kept: list[Record] = []
        self._book(metrics, lambda: kept.append(self._record()))
        for record in kept:
            if audit is not None:
                body = {"actor": "system", **msgspec.structs.asdict(record)}
                self._book(metrics, partial(audit.note, "response", body))
            self._book(metrics, partial(Records.add, records, record))
            self._book(metrics, partial(self._count, metrics, record))
        return kept[0] if kept else None

    def _count(self, metrics: Metrics, record: Record) -> None:
        metrics.count_record(
            record,
            findings=_counted(self.text.findings if self.text else ()),
            input_findings=_counted(self.prompt.findings if self.prompt else ()),
        )

    def _book(self, metrics: Metrics, step: Callable[[], None]) -> None:
        try:
            step()
        except Exception as error:
            # Type and place only: the message of an exception may quote the model's text.
            where = "".join(traceback.format_tb(error.__traceback__))
            logger.error("%s: %s in the record\n%s", self.request_id, type(error).__name__, where)
            metrics.count_failed_record()

    def _record(self) -> Record:
        text = self.text or _NO_TEXT
        policy = self.policy
        asked = self._asked()
        most = MAX_FINDINGS - (len(asked.findings) if asked is not None else 0)
        return Record(
            time=self.came_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            request_id=self.request_id,
            tenant=self.tenant,
            policy=policy.tag if policy else "",
            policy_digest=policy.digest if policy else "",
            policy_version=policy.version if policy else 0,
            canary=self.canary and policy is not None,
            upstream=self.upstream,
            method=self.method[:16],
            path=self.path[:256],
            model=self.model[:128],
            stream=self.stream,
            status=self.status,
            outcome=self.outcome,
            fault=self.fault.kind if self.fault else "",
            halted=text.halted,
            choices=text.choices,
            finish_reasons=list(text.finish_reasons),
            received=text.received,
            scanned=text.scanned,
            released=text.released,
            removed=text.removed,
            dropped=text.dropped,
            retracted=text.retracted,
            unscanned=text.unscanned,
            held_max=text.held_max,
            tokens=text.tokens,
            events=text.events,
            events_delayed=text.events_delayed,
            unknown_blocked=list(text.blocked),
            findings=_listed(text.findings, most),
            findings_total=len(text.findings),
            upstream_aborted=self.upstream_aborted,
            attempts=self.attempts.count,
            answer_id=text.answer_id,
            before=text.before,
            behind=text.behind,
            classifier=ClassifierRecord(text.classifier, text.units, self.encoder_calls, dict(text.unit_failures))
            if text.classifier
            else None,
            input=asked,
            shadow=self.shadow,
            bytes_in=self.bytes_in,
            bytes_out=self.bytes_out,
            first_byte_s=round(self.first_byte_at - self.started, 6) if self.first_byte_at else 0.0,
            duration_s=round(monotonic() - self.started, 6),
            **(self.standing.record if self.standing is not None else self.refused_with),
        )

    def _asked(self) -> InputRecord | None:
        prompt = self.prompt
        if prompt is None:
            return None
        calls, failures = self.prompt_encoder_calls, dict(prompt.unit_failures)
        return InputRecord(
            messages=prompt.messages,
            scanned=prompt.scanned,
            removed=prompt.removed,
            unscanned=prompt.unscanned,
            findings=_listed(prompt.findings, MAX_INPUT_FINDINGS),
            findings_total=len(prompt.findings),
            classifier=ClassifierRecord(prompt.classifier, prompt.units, calls, failures)
            if prompt.classifier
            else None,
        )


def _counted(findings: Iterable[Finding]) -> Counter[tuple[str, str]]:
    return Counter((found.rule, found.action.value) for found in findings)


def _listed(findings: Sequence[Finding], most: int) -> list[FindingRecord]:
    return [
        FindingRecord(f.rule, f.category, f.severity, f.action.value, f.channel, f.start, f.end, f.document)
        for f in findings[:most]
    ]
