"""What a client has been told of a streamed response: its choices, how each of them ends, and the account of it all.

This is the client's side of the codec; `openai_chat` reads the upstream's and tells it what to say. A choice ends by
its finish, by a halt, or because the response breaks off; the response ends when nothing is left to wait for.
"""

from __future__ import annotations

from typing import Any

from guardrail.policy.policy import Policy
from guardrail.text.rules import Finding
from guardrail.text.scoring import Tally
from guardrail.wire.channel import Channel
from guardrail.wire.openai_chat_choice import Choice
from guardrail.wire.openai_chat_chunk import Chunk
from guardrail.wire.openai_chat_halt import halt_chunks, usage_chunk
from guardrail.wire.record import MAX_BLOCKED, StreamRecord, classifier_part
from guardrail.wire.request import ChatRequest
from guardrail.wire.sse import data_event
from guardrail.wire.strict_json import dumps
from guardrail.wire.whole_text import Verdicts, rules_for

DONE = b"data: [DONE]\n\n"


class Answer:
    """`done`: everything was written, `[DONE]` included. `abort`: a halt ended all there was to wait for; close
    upstream at once, so that it stops generating."""

    __slots__ = (
        "_blocked",
        "_case_id",
        "_choices",
        "_delayed",
        "_dropped",
        "_envelope",
        "_events",
        "_fault",
        "_findings",
        "_out",
        "_policy",
        "_request",
        "_rules",
        "_tally",
        "_tokens",
        "_unscanned",
        "_usage",
        "_usage_said",
        "_verdicts",
        "abort",
        "done",
    )

    def __init__(self, policy: Policy, request: ChatRequest, case_id: str) -> None:
        self.done = False
        self.abort = False
        self._policy = policy
        self._rules = rules_for(policy, request)
        self._verdicts = Verdicts()
        """For texts that are scanned whole."""
        self._tally = Tally()
        """Of texts that are not a channel's."""
        self._request = request
        self._case_id = case_id
        self._choices: dict[int, Choice] = {}
        self._out: list[bytes] = []
        """Events to write, in order."""
        self._envelope: dict[str, Any] = {}
        """id, object, created and model, as upstream says them."""
        self._events = self._tokens = self._delayed = self._dropped = self._unscanned = 0
        self._usage: dict[str, Any] | None = None
        self._usage_said = False
        self._blocked: list[str] = []
        self._findings: list[Finding] = []
        """Those of texts that are not a channel's: errors."""
        self._fault: str | None = None

    @property
    def record(self) -> StreamRecord:
        """The account so far; may be asked at any time."""
        choices = [self._choices[index] for index in sorted(self._choices)]
        channels = [channel for choice in choices for channel in choice.channels.values()]
        tools = [choice.tools for choice in choices if choice.tools is not None]
        received = sum(c.received for c in channels) + sum(t.received for t in tools) + self._dropped
        withheld = sum(t.withheld for t in tools)
        held = sum(c.held for c in channels) + withheld
        removed = sum(c.removed for c in channels) + sum(t.removed for t in tools)
        dropped = self._dropped + sum(c.dropped for c in channels) + sum(t.dropped for t in tools)
        tally = Tally()
        for part in (
            self._tally,
            *(t.tally for t in tools),
            *(c.scanner.scoring.tally for c in channels if c.scanner.scoring),
        ):
            tally.add(part)
        return StreamRecord(
            case_id=self._case_id,
            policy=self._policy.tag,
            policy_digest=self._policy.digest,
            model=self._request.model,
            choices=len(choices),
            received=received,
            scanned=received - dropped - withheld,
            released=received - held - removed - dropped,
            held=held,
            held_max=max((c.held_max for c in channels), default=0),
            removed=removed,
            dropped=dropped,
            unscanned=self._unscanned + tally.unscanned,
            events=self._events,
            events_delayed=self._delayed,
            tokens=self._tokens,
            usage=self._usage,
            findings=(
                *(finding for channel in channels for finding in channel.scanner.findings()),
                *(finding for calls in tools for finding in calls.findings),
                *self._findings,
            ),
            halted=any(choice.halted for choice in choices),
            finish_reasons=tuple(choice.reason for choice in choices),
            blocked=tuple(self._blocked),
            fault=self._fault,
            **classifier_part(self._policy, tally),
        )

    def _write(self, items: list[tuple[int, bytes]]) -> None:
        items.sort()
        self._out += [said for _, said in items]

    def _written(self) -> bytes:
        out = self._out
        if len(out) == 1:
            written = out[0]
        else:
            written = b"".join(out)
        out.clear()
        return written

    def _settle(self, choice: Choice) -> Finding | None:
        items: list[tuple[int, bytes]] = []
        halted = choice.settle(items)
        self._write(items)
        return halted

    def _finish_choice(self, choice: Choice, chunk: Chunk | None, reason: str | None) -> bool:
        """Upstream has said all of a choice (`chunk`: and that it has finished). False: verdicts are missing, nothing
        was said, and it has to be called again."""
        halted = self._settle(choice)
        if halted is None:
            released = None if choice.waiting else choice.release_calls(self._rules, self._verdicts)
            if released is None:
                return False
            events, halted = released
            self._out += events
        if halted is not None:
            self._close(choice, halted, chunk.usage if chunk else None)
        else:
            choice.ended = True
            choice.reason = reason
            if chunk is not None:
                self._out.append(chunk.raw)
        self._check_abort()
        return True

    def _halt(self, choice: Choice, channel: Channel) -> None:
        """A channel has halted in mid-stream: its choice ends, or all of them."""
        assert channel.scanner.halt is not None
        self._settle(choice)
        self._close(choice, channel.scanner.halt.finding, None)
        self._check_abort()

    def _close(self, choice: Choice, finding: Finding, usage: dict[str, Any] | None) -> None:
        self._say_halt(choice, finding, usage)
        if self._policy.halt_scope == "response":
            for other in self._choices.values():
                if not other.ended:
                    self._settle(other)
                    self._say_halt(other, finding, None)

    def _say_halt(self, choice: Choice, finding: Finding, usage: dict[str, Any] | None) -> None:
        """The notice, and a finish chunk that says why."""
        choice.ended = choice.halted = True
        choice.reason = "content_filter"
        choice.drop_calls()
        choice.abandon()
        chunks = halt_chunks(
            self._policy,
            self._case_id,
            finding,
            index=choice.index,
            stop=choice.stop_of(finding.channel),
            legacy="text" in choice.channels,
        )
        if usage is not None:  # upstream said it in the chunk that this one stands for
            chunks[-1]["usage"] = usage
        for chunk in chunks:
            self._say(chunk)

    def _say(self, said: dict[str, Any]) -> None:
        envelope = self._envelope or {"object": "chat.completion.chunk"}
        self._out.append(data_event(dumps({**envelope, **said})))

    def _check_abort(self) -> None:
        """End the response as soon as halts leave nothing to wait for."""
        choices = self._choices.values()
        halted = [choice for choice in choices if choice.halted]
        if self.done or not halted or not self._complete:
            return
        missing = len(choices) < self._request.n
        if missing and self._policy.halt_scope == "choice":
            return
        if missing or not all(choice.upstream_ended for choice in halted):
            self.abort = True
            self._end()

    @property
    def _complete(self) -> bool:
        return bool(self._choices) and all(choice.ended for choice in self._choices.values())

    def _end(self, done: bytes = DONE) -> None:
        """Write what ends the response: usage if a halt kept upstream from saying it, and `[DONE]`."""
        halted = any(choice.halted for choice in self._choices.values())
        if self._request.include_usage and halted and not self._usage_said:
            self._say(usage_chunk(self._request, self._case_id, self._usage, self._tokens))
        self._out.append(done)
        self.done = True

    def _break_off(self) -> bool:
        """The response ends in the middle: deliver what its text allows, drop calls that are not whole. False: verdicts
        are missing, and it has to be called again."""
        for choice in list(self._choices.values()):
            if choice.ended:
                continue
            halted = self._settle(choice)
            if halted is not None:
                self._close(choice, halted, None)
            elif not choice.waiting:
                choice.ended = True
                choice.drop_calls()
        if any(choice.waiting for choice in self._choices.values()):
            return False
        self._check_abort()
        return True

    def _note_blocked(self, paths: list[str]) -> None:
        for path in paths:
            if path not in self._blocked and len(self._blocked) < MAX_BLOCKED:
                self._blocked.append(path)
