"""The texts of an answer that is not streamed, guarded in place, whatever the protocol.

A codec walks through a decoded body in the order in which its parts would have been streamed, and hands over each
text with the place where it stands. Each is scanned whole: what a client would have accumulated from the stream of it.
Once one has halted, those that follow say nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from guardrail.policy.policy import Policy
from guardrail.text.rules import Finding
from guardrail.text.scanner import RuleSet
from guardrail.text.scoring import Tally
from guardrail.wire.json_text import is_document
from guardrail.wire.record import (
    MAX_BLOCKED,
    UPSTREAM_ERROR,
    Excerpt,
    StreamRecord,
    answer_id_of,
    classifier_part,
    excerpts_of,
)
from guardrail.wire.request import ModelRequest
from guardrail.wire.strict_json import dumps, load_object, loads, whole_surrogates
from guardrail.wire.tool_arguments import Arguments, guard_arguments, guard_pieces, guard_whole
from guardrail.wire.unknown_text import Unknown
from guardrail.wire.whole_text import Unscored, Verdicts, rules_for

ANSWER = "The model server's answer"

Place = tuple[Any, Any]
"""(owner, key): where a string stands, in an object or a list."""


@dataclass(slots=True)
class Body:
    """What was found in one body so far. Counts are code points. When `verdicts` turn out to be missing, what came of
    this pass must not be used: call `check`."""

    rules: RuleSet
    verdicts: Verdicts
    unknown: Unknown
    documents: bool = False
    """The client asked for JSON: the texts of the answer are documents."""
    around: int = 0
    """Code points of text to keep on both sides of what is found, see `ModelRequest.around`."""
    findings: list[Finding] = field(default_factory=list)
    excerpts: list[Excerpt] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    received: int = 0
    removed: int = 0
    dropped: int = 0
    changed: bool = False
    """A text is not what it was."""
    halted: Finding | None = None
    delivered: int = 0
    """Code points of output of the text that halted, or of the last one before."""
    before: int = 0
    """Choices in which guardrail said what it had to say in front of the model's words."""
    behind: int = 0
    """And behind them."""
    answer_id: str = ""
    """What the server calls it, see `StreamRecord.answer_id`."""

    def text(self, places: Sequence[Place], channel: str) -> Arguments:
        """A text that people read, in one or several places, which are read on as one."""
        raw = [owner[key] for owner, key in places]
        pieces = raw if len(raw) > 1 else [whole_surrogates(piece) for piece in raw]
        size = sum(map(len, pieces))
        if self._silent(places, size):
            return _NOTHING
        document = self.documents and is_document(channel)
        outcome = guard_pieces(self.rules, pieces, channel, self.verdicts, document=document)
        self._keep(outcome.findings, "".join(pieces))
        self._put(places, raw, outcome.pieces)
        self.delivered = sum(map(len, outcome.pieces))
        return self._take(
            size, Arguments("".join(outcome.pieces), outcome.removed, outcome.findings, outcome.halted, outcome.tally)
        )

    def arguments(self, place: Place, channel: str) -> Arguments:
        """A string that holds a JSON document."""
        return self._whole(place, channel, prose=True)

    def name(self, place: Place, channel: str) -> Arguments:
        """A string that is no prose: a classifier does not read it."""
        return self._whole(place, channel, prose=False)

    def value(self, place: Place, channel: str) -> Arguments:
        """A JSON value of any kind: all strings and numbers in it are scanned."""
        owner, key = place
        said = dumps(owner[key]).decode()
        if self.halted is not None:
            self.received += len(said)
            self.dropped += len(said)
            return _NOTHING
        outcome = guard_arguments(self.rules, said, channel, self.verdicts)
        if outcome.halted is None and outcome.text != said:
            owner[key], _ = loads(outcome.text)
            self.changed = True
        return self._take(len(said), outcome, whole=True)

    @property
    def released(self) -> int:
        """Of those received, the ones that are delivered."""
        return self.received - self.removed - self.dropped

    def withdraw(self, before: int) -> None:
        """What was released since `before` were is not delivered after all."""
        self.dropped += self.released - before

    def add(self, part: Body) -> None:
        """Count what was found in a part of the body that was guarded by itself; the first halt counts."""
        self.received += part.received
        self.removed += part.removed
        self.dropped += part.dropped
        self.findings += part.findings
        self.excerpts += part.excerpts
        self.tally.add(part.tally)
        self.halted = self.halted or part.halted

    def check(self) -> None:
        """Raises Unscored when verdicts are missing."""
        if self.verdicts.missing:
            raise Unscored

    def record(
        self,
        policy: Policy,
        request: ModelRequest,
        case_id: str,
        *,
        reasons: Sequence[str | None],
        usage: object = None,
        fault: str | None = None,
    ) -> StreamRecord:
        """`reasons`: the finish reason of each choice, as the client is told."""
        return StreamRecord(
            case_id=case_id,
            policy=policy.tag,
            policy_digest=policy.digest,
            model=request.model,
            choices=len(reasons),
            received=self.received,
            scanned=self.received - self.dropped,
            released=self.released,
            held=0,
            held_max=0,
            removed=self.removed,
            dropped=self.dropped,
            unscanned=self.unknown.passed + self.tally.unscanned,
            events=1,
            events_delayed=0,
            tokens=0,
            usage=usage if isinstance(usage, dict) else None,
            findings=tuple(self.findings),
            halted=self.halted is not None,
            finish_reasons=tuple(reasons),
            blocked=tuple(dict.fromkeys(self.unknown.blocked))[:MAX_BLOCKED],
            fault=fault,
            before=self.before,
            behind=self.behind,
            excerpts=tuple(self.excerpts),
            answer_id=self.answer_id,
            **classifier_part(policy, self.tally),
        )

    def failed(self, policy: Policy, request: ModelRequest, case_id: str, outcome: Arguments) -> StreamRecord:
        """The record of a body that is an error, of which this was found. Raises Unscored."""
        self.check()
        self.findings += outcome.findings
        self.tally.add(outcome.tally)
        return self.record(policy, request, case_id, reasons=(), fault=UPSTREAM_ERROR)

    def _whole(self, place: Place, channel: str, *, prose: bool) -> Arguments:
        owner, key = place
        raw = owner[key]
        if self._silent([place], len(raw)):
            return _NOTHING
        whole = whole_surrogates(raw)
        if prose:
            outcome = guard_arguments(self.rules, whole, channel, self.verdicts)
        else:
            outcome = guard_whole(self.rules, whole, channel)
        self._keep(outcome.findings, whole)
        if outcome.halted is None:
            self._put([place], [raw], [outcome.text])
        return self._take(len(raw), outcome, whole=True)

    def _keep(self, findings: Sequence[Finding], text: str) -> None:
        if self.around:
            self.excerpts += excerpts_of(findings, text, self.around)

    def _silent(self, places: Sequence[Place], size: int) -> bool:
        """Whether something has halted before: then these say nothing."""
        if self.halted is None:
            return False
        self.received += size
        self.dropped += size
        for owner, key in places:
            owner[key] = ""
        return True

    def _put(self, places: Sequence[Place], raw: Sequence[str], pieces: Sequence[str]) -> None:
        if list(pieces) != list(raw):
            self.changed = True
            for (owner, key), piece in zip(places, pieces, strict=True):
                owner[key] = piece

    def _take(self, size: int, outcome: Arguments, *, whole: bool = False) -> Arguments:
        """`whole`: when it halts, nothing of it is delivered."""
        self.received += size
        self.removed += size if whole and outcome.halted is not None else outcome.removed
        self.findings += outcome.findings
        self.tally.add(outcome.tally)
        self.halted = outcome.halted
        return outcome


_NOTHING = Arguments("", 0, [], None)


def open_body(
    policy: Policy, request: ModelRequest, body: bytes, verdicts: Verdicts | None
) -> tuple[Body, dict[str, Any], bool]:
    """Nothing found yet; the body, decoded; and whether an object in it has a key twice. Raises WireError for what is
    no JSON object."""
    value, duplicate = load_object(body, ANSWER)
    verdicts = Verdicts() if verdicts is None else verdicts
    unknown = Unknown(policy.unknown_text == "block")
    opened = Body(
        rules_for(policy, request),
        verdicts,
        unknown,
        request.json_output,
        request.around,
        answer_id=answer_id_of(value),
    )
    return opened, value, duplicate
