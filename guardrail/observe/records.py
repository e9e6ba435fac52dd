"""The record of one response: what was received, scanned, released, held and removed, by which policy, and why.

Promises: one record for each response, however it ends (complete, halted, client gone, fault, refused). Never
holds model text, prompts or keys: names, numbers, rule ids and offsets only.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator
from typing import Literal

import msgspec

logger = logging.getLogger("guardrail.record")
"""One JSON object a record, at INFO. `guardrail serve` writes it to standard output."""

Outcome = Literal["complete", "halted", "disconnected", "fault", "upstream_error", "refused", "refused_input", "passed"]
"""`complete`: delivered to its end. `halted`: a rule ended it. `disconnected`: the client left. `fault`: the
upstream, a timeout or a cap ended it. `upstream_error`: the upstream answered with an error of its own, or ended with
one, and the client got it. `refused`: guardrail answered instead of the upstream. `refused_input`:
it did so for what the policy found in the prompt. `passed`: an unscanned path that the configuration lets through."""

MAX_FINDINGS = 20
"""Findings kept in one record; `findings_total` counts all. A line then stays under 4 KiB, which a pipe takes whole, so
that the lines of several workers do not mix."""
MAX_INPUT_FINDINGS = 10
"""Of these, at most so many may be of the prompt."""


class FindingRecord(msgspec.Struct, frozen=True):
    """Where a rule hit; offsets are code points of the channel's raw text."""

    rule: str
    category: str
    severity: str
    action: str
    channel: str
    start: int
    end: int
    document: str = ""
    """Of a protected passage: where it is from."""


class ClassifierRecord(msgspec.Struct, frozen=True):
    """What the policy's classifier did for a response."""

    model: str
    """`name@digest`, the digest cut to 12 hex digits."""
    units: int
    """Stretches of text that had a verdict."""
    encoder_calls: int
    """Stretches that the first stage could not tell."""
    failures: dict[str, int] = {}
    """Stretches without scores, by kind: queue_full, deadline, broken."""


class InputRecord(msgspec.Struct, frozen=True):
    """What the policy's section `input` made of a request. Sizes are code points."""

    messages: int
    """Scanned."""
    scanned: int
    removed: int
    """Under a mask."""
    unscanned: int
    """Of the scanned: without the scores that the section's classifier should have given."""
    findings: list[FindingRecord]
    """At most 10."""
    findings_total: int
    classifier: ClassifierRecord | None = None
    """None: the section has none."""


class ShadowRecord(msgspec.Struct, frozen=True):
    """What a shadow policy made of the same answer. Nobody got any of it."""

    policy: str
    """`name@digest;version=n`."""
    policy_digest: str
    result: str
    """`same`, `differs` (a client would have noticed), or why it was given up: `over_budget`, `failed`,
    `unfinished`."""
    halted: bool = False
    removed: int = 0
    findings: list[FindingRecord] = []
    """At most 5."""
    findings_total: int = 0
    cpu_s: float = 0.0
    """Processor time that it took, in seconds."""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One response. Times are seconds, sizes are code points of model text unless the name says bytes."""

    time: str
    """When the request came, RFC 3339, UTC."""
    request_id: str
    """As in the response header `x-guardrail-request-id`; also the case id in a notice."""
    tenant: str
    policy: str
    """`name@digest`, as in the response header `x-guardrail-policy`; "" when no policy applied."""
    policy_digest: str
    """The policy's whole SHA-256, hex."""
    policy_version: int = 0
    """Number of the pushed version; 0: the policy is from files."""
    canary: bool = False
    """Whether that version is being tried with a share of the requests, and this is one of them."""
    upstream: str
    method: str
    path: str
    model: str
    """As the request names it, cut to 128 characters."""
    stream: bool
    status: int
    """HTTP status sent to the client; 0 when it left before one was sent."""
    outcome: Outcome
    fault: str
    """The kind of fault (docs/faults.md), or ""."""
    halted: bool
    choices: int
    finish_reasons: list[str | None]
    received: int
    scanned: int
    released: int
    removed: int
    dropped: int
    """Came after its choice had ended, or in a tool call that was not delivered."""
    retracted: int = 0
    """Code points of output that were delivered, and that the client was then told to withdraw."""
    unscanned: int
    """Let through in a shape that the codec does not know, or without the scores that the classifier should have
    given: 0 unless the policy allows it."""
    held_max: int
    """The most characters withheld at one moment."""
    tokens: int
    """Events that carried text; close to the number of tokens for most servers."""
    events: int
    events_delayed: int
    unknown_blocked: list[str]
    """Paths of fields that were removed, as the codec does not know their shape; at most 16."""
    findings: list[FindingRecord]
    findings_total: int
    upstream_aborted: bool
    attempts: int
    """Requests made to the upstream, retries among them."""
    answer_id: str = ""
    """The server's own id of the answer, as the client saw it; "" when it gave none."""
    removed_by: str = ""
    """The case by which the answer was removed later, see docs/removal.md; "" when it was not."""
    subject: str = ""
    """The person's pseudonym, which nobody can tell from them once they are erased; "" where nobody is known."""
    measure: str = ""
    """The measure that the person was under: warn, restrict, suspend, terminate; "" for none."""
    case: str = ""
    """Its case."""
    label: str = ""
    """Where people are told that the words are a model's: start, end, header, none; "" without labels in the terms."""
    label_agreement: str = ""
    """The agreement under which they are not."""
    before: int = 0
    """Choices in which guardrail said something of its own in front of the model's words: labels, notices."""
    behind: int = 0
    """And behind them."""
    without_state: list[str] = []
    """The uses of the state store for which it could not be asked, so that the request went on without or by what this
    process knew: limits, conduct, sessions, records."""
    bytes_in: int
    """Body bytes from the upstream, decoded."""
    bytes_out: int
    """Body bytes to the client."""
    classifier: ClassifierRecord | None = None
    """None: the policy has none."""
    input: InputRecord | None = None
    """None: the policy looks for nothing in requests, or the request was refused before."""
    shadow: ShadowRecord | None = None
    """None: no shadow policy judged it."""
    first_byte_s: float
    """From the request's arrival to the upstream's first body byte; 0 when none came."""
    duration_s: float


_encode = msgspec.json.Encoder().encode


class Records:
    """The last records in memory, newest last, and the log line of each."""

    def __init__(self, keep: int) -> None:
        self._kept: deque[Record] = deque(maxlen=max(keep, 0))

    def add(self, record: Record) -> None:
        """Keep and log one record. Never raises on a full log queue; the handler counts what it drops."""
        self._kept.append(record)
        if logger.isEnabledFor(logging.INFO):
            logger.info(_encode(record).decode())

    def resize(self, keep: int) -> None:
        """Keep another number of records from now on (after a reload)."""
        if keep != self._kept.maxlen:
            self._kept = deque(self._kept, maxlen=max(keep, 0))

    def newest(self, limit: int) -> list[Record]:
        """Up to `limit` records, newest first."""
        out: list[Record] = []
        for record in self._newest_first():
            if len(out) >= limit:
                break
            out.append(record)
        return out

    def find(self, request_id: str) -> Record | None:
        """The kept record of one response."""
        return next((r for r in self._newest_first() if r.request_id == request_id), None)

    def mark_removed(self, case: str, *, request_id: str = "", answer_id: str = "") -> bool:
        """Note that an answer was removed by a case; it is named by either id. False when its record is not here."""
        for index, record in enumerate(self._kept):
            if request_id == record.request_id or (not request_id and answer_id == record.answer_id):
                self._kept[index] = msgspec.structs.replace(record, removed_by=case)
                return True
        return False

    def _newest_first(self) -> Iterator[Record]:
        return reversed(self._kept)
