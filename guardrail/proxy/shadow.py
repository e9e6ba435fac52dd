"""A shadow policy: judged beside the live one on the same stream, for nobody to see.

A shadow has a codec of its own, which is fed what the upstream sent after the client was given its part, and whose
output is thrown away. Promises: nothing that goes wrong in it touches the live answer; it never delays a write to its
own client; what it may take of a processor is bounded for the process (`Budget`) and told; of what it found only
counts, rule ids and offsets leave here.

What it sees is what the live answer saw: at a live halt the upstream is closed, so that of the rest of the answer a
shadow sees at most what came in the same read. Prompts and whole answers (not streamed) are not shadowed.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections import Counter
from collections.abc import Callable
from time import monotonic, thread_time
from typing import Literal

from guardrail.governance.counters import Kind, count
from guardrail.observe.metrics import VerdictLatency
from guardrail.observe.policy_metrics import ShadowCounters
from guardrail.observe.records import FindingRecord, ShadowRecord
from guardrail.policy.policy import Policy
from guardrail.policy.registry import Tenant
from guardrail.policy.versions import picked
from guardrail.proxy.classifiers import Classifiers, Opened
from guardrail.proxy.scoring import StreamScoring
from guardrail.state.operations import Count
from guardrail.state.store import StateError, Store
from guardrail.wire.answer import Fault
from guardrail.wire.record import StreamRecord
from guardrail.wire.stream import Stream

logger = logging.getLogger("guardrail.proxy")

BURST = 2.0
"""Seconds of processor time that may be taken at once, saved up while nothing was shadowed."""

BACKLOG = 1 << 20
"""Bytes that may wait for the shadow's classifier; of more, the shadow of this answer is given up."""

MAX_FINDINGS = 5
"""Findings kept in a record's part; all are counted."""

Result = Literal["same", "differs", "over_budget", "failed", "unfinished"]


class Budget:
    """Seconds of processor time that shadows of one process may take: a share of its time."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._left = BURST
        self._at = clock()

    def refill(self, share: float) -> None:
        """The share counts from the last look on."""
        now = self._clock()
        self._left = min(BURST, self._left + share * (now - self._at))
        self._at = now

    def spend(self, seconds: float) -> None:
        self._left -= seconds

    @property
    def empty(self) -> bool:
        return self._left <= 0


class Shadows:
    """The shadows of one process, and what they have counted that is not written to the state yet."""

    def __init__(self, classifiers: Classifiers) -> None:
        self.counters = ShadowCounters()
        self._budget = Budget()
        self._classifiers = classifiers
        self._counted: Counter[str] = Counter()

    def policy_for(self, tenant: Tenant, judged_by: Policy, request_id: str, share: float) -> Policy | None:
        """The shadow policy for a request. None where there is none, where the request is not among its share, where
        the request is judged by another policy than the tenant's own, and where the budget is spent."""
        if tenant.shadow is None or judged_by is not tenant.policy:
            return None
        given, policy = tenant.shadow
        if not picked(policy.name, given, request_id):
            return None
        self._budget.refill(share)
        if self._budget.empty:
            self.counters.answers[policy.name, policy.version, "over_budget"] += 1
            self._counted.update(dict(count("", _answers(policy, "over_budget")).counts))
            return None
        return policy

    def begin(self, policy: Policy, codec: Stream, case_id: str) -> Shadow:
        """A shadow of one answer; `codec` is its own."""
        return Shadow(policy, codec, self._budget, self.counters, self._classifiers.get(policy), case_id)

    def over(self, operation: Count) -> None:
        """Take up what is to be counted."""
        self._counted.update(dict(operation.counts))

    async def write(self, store: Store) -> None:
        """Write what was counted; what cannot be written is kept."""
        counted, self._counted = self._counted, Counter()
        if counted:
            try:
                await store.run([Count(tuple(counted.items()))])
            except StateError:
                self._counted.update(counted)


class Shadow:
    """One answer under a shadow policy."""

    def __init__(
        self,
        policy: Policy,
        codec: Stream,
        budget: Budget,
        counters: ShadowCounters,
        opened: Opened | None,
        case_id: str,
    ) -> None:
        """`opened`: the shadow policy's classifier, when it has one."""
        self.policy = policy
        self.seconds = 0.0
        self._codec: Stream | None = codec
        self._budget = budget
        self._counters = counters
        self._case_id = case_id
        self._opened = opened
        self._scoring: StreamScoring | None = None
        self._waiting = 0
        self._result: Result | None = None
        """Why it was given up."""
        if policy.classifier is not None and opened is not None:
            opened.in_use += 1
            self._scoring = StreamScoring(codec, opened.classifier, policy.classifier.deadline, VerdictLatency())

    def feed(self, data: bytes) -> None:
        """What the upstream sent. Never raises."""
        if self._codec is not None:
            self._guarded(lambda codec: codec.feed(data))
            self._waiting = self._waiting + len(data) if self._codec is not None and self._stalled else 0
            if self._waiting > BACKLOG:
                self._give_up("unfinished")

    @property
    def _stalled(self) -> bool:
        return self._scoring is not None and self._scoring.busy

    def _guarded(self, step: Callable[[Stream], bytes]) -> None:
        codec = self._codec
        assert codec is not None
        began = thread_time()
        try:
            if not codec.done:
                step(codec)
            if self._scoring is not None:
                self._scoring.settle()
        except Exception as error:
            # Type and place only: the message of an exception may quote the model's text.
            where = "".join(traceback.format_tb(error.__traceback__))
            logger.error("%s: %s in the shadow policy\n%s", self._case_id, type(error).__name__, where)
            self._give_up("failed")
        took = thread_time() - began
        self.seconds += took
        self._counters.seconds += took
        self._budget.spend(took)
        if self._budget.empty:
            self._give_up("over_budget")

    def _give_up(self, result: Result) -> None:
        if self._codec is not None:
            self._result = result
            self._codec = None
            self._let_go()

    def _let_go(self) -> None:
        scoring, self._scoring = self._scoring, None
        if scoring is not None:
            scoring.stop()
        opened, self._opened = self._opened, None
        if opened is not None and self.policy.classifier is not None:
            opened.in_use -= 1

    async def finish(self, live: StreamRecord) -> tuple[ShadowRecord, Count]:
        """The upstream has said all: what the shadow made of it, and what is counted. Waits for its classifier, for as
        long as a verdict may take."""
        if self._codec is not None and live.fault is None and not live.halted:
            self._guarded(lambda codec: codec.finish())
        if self._codec is not None and self._scoring is not None:
            assert self.policy.classifier is not None
            try:
                async with asyncio.timeout(self.policy.classifier.deadline + 1):
                    while self._scoring is not None and self._scoring.open and self._scoring.error is None:
                        await self._scoring.wait()
            except TimeoutError:
                self._give_up("unfinished")
            else:
                if self._scoring is not None and self._scoring.error is not None:
                    self._give_up("failed")
        return self.cut(live)

    def cut(self, live: StreamRecord) -> tuple[ShadowRecord, Count]:
        """The same at once, for an answer that ended early: what the shadow held is settled as it stands."""
        if self._codec is not None and not self._codec.done:
            self._guarded(lambda codec: codec.fail(Fault("cut", "")))
            if self._codec is not None and not self._codec.done:
                self._give_up("unfinished")
        codec, self._codec = self._codec, None
        self._let_go()
        policy = self.policy
        if codec is None:
            assert self._result is not None
            self._counters.answers[policy.name, policy.version, self._result] += 1
            record = ShadowRecord(policy.tag, policy.digest, self._result, cpu_s=round(self.seconds, 6))
            return record, count("", _answers(policy, self._result))
        found = codec.record
        return self._compared(live, found)

    def _compared(self, live: StreamRecord, found: StreamRecord) -> tuple[ShadowRecord, Count]:
        policy = self.policy
        same = _outcome(live) == _outcome(found)
        result: Result = "same" if same else "differs"
        self._counters.answers[policy.name, policy.version, result] += 1
        self._counters.tokens += found.tokens
        findings = [
            FindingRecord(f.rule, f.category, f.severity, f.action.value, f.channel, f.start, f.end, f.document)
            for f in found.findings[:MAX_FINDINGS]
        ]
        record = ShadowRecord(
            policy.tag,
            policy.digest,
            result,
            halted=found.halted,
            removed=found.removed,
            findings=findings,
            findings_total=len(found.findings),
            cpu_s=round(self.seconds, 6),
        )
        counted: Counter[tuple[str, str]] = Counter({("answers", result): 1})
        if live.halted or found.halted:
            counted["halts", "both" if live.halted and found.halted else "live" if live.halted else "shadow"] += 1
        for who, each in (("live", live), ("shadow", found)):
            counted["removed", who] += each.removed
            for finding in each.findings:
                counted[f"rule_{who}", finding.rule] += 1
                counted[f"category_{who}", finding.category] += 1
        name = (policy.name, str(policy.version))
        operation = count("", *((Kind.SHADOW, *name, what, word, n) for (what, word), n in counted.items() if n))
        return record, operation


def _answers(policy: Policy, result: Result) -> tuple[Kind | str, ...]:
    return Kind.SHADOW, policy.name, str(policy.version), "answers", result


def _outcome(record: StreamRecord) -> object:
    """What a client would have noticed."""
    acted = [
        (finding.channel, finding.start, finding.end, finding.action)
        for finding in record.findings
        if finding.action.value != "log"
    ]
    return record.halted, record.removed, sorted(acted)
