"""What a client has been told of a streamed response: its choices, how each of them ends, and the account of it all.

This is the client's side of a codec; `stream` reads the upstream's and tells it what to say. A choice ends by its
finish, by a halt, or because the response breaks off; the response ends when nothing is left to wait for.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

from guardrail.policy.policy import Policy
from guardrail.text.rules import Finding, Severity
from guardrail.text.scoring import Tally
from guardrail.wire.annotation import annotation, annotation_of_all, worst
from guardrail.wire.channel import Channel, Rewrite
from guardrail.wire.choice import Choice, within
from guardrail.wire.chunk import Chunk
from guardrail.wire.halt import Stop, choice_prefix, is_of
from guardrail.wire.json_text import is_document
from guardrail.wire.record import MAX_BLOCKED, Excerpt, StreamRecord, answer_id_of, classifier_part, excerpts_of
from guardrail.wire.request import ModelRequest
from guardrail.wire.sse import Event
from guardrail.wire.tool_arguments import Arguments
from guardrail.wire.whole_text import Verdicts, rules_for


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a stream cannot go on: `code` is for machines, `message` for people; neither holds model text.

    The codes are the kinds of docs/faults.md; `upstream_closed` is the one that the codec itself gives.
    """

    code: str
    message: str


class Closing(NamedTuple):
    """How an event is said that ends a part or a choice, and repeats its text."""

    raw: bytes
    outcomes: Sequence[tuple[int, Arguments]] = ()
    """Of texts that are not what its channels said: their size, and what was found."""


class Released(NamedTuple):
    """What came of the end of a part."""

    halted: Finding | None


class Answer(ABC):
    """`done`: everything was written, what ends the stream included. `abort`: a halt ended all there was to wait for;
    close upstream at once, so that it stops generating."""

    rewrite: ClassVar[Rewrite]
    keeps_text: ClassVar[bool] = False
    """Whether the protocol repeats a text when it has ended (see `Channel`)."""
    main: ClassVar[str] = "content"
    """The channel that people read."""
    halt_reason: ClassVar[str] = "content_filter"

    __slots__ = (
        "_before",
        "_behind",
        "_blocked",
        "_case_id",
        "_choices",
        "_delayed",
        "_dropped",
        "_envelope",
        "_events",
        "_fault",
        "_findings",
        "_inserts",
        "_out",
        "_policy",
        "_request",
        "_retracted",
        "_rules",
        "_tally",
        "_tokens",
        "_unscanned",
        "_usage",
        "_usage_said",
        "_verdicts",
        "_whole_received",
        "_whole_removed",
        "abort",
        "done",
    )

    def __init__(self, policy: Policy, request: ModelRequest, case_id: str) -> None:
        self.done = False
        self.abort = False
        self._policy = policy
        self._rules = rules_for(policy, request)
        self._verdicts = Verdicts()
        """For texts that are scanned whole."""
        self._tally = Tally()
        """Of texts that are not a channel's."""
        self._request = request
        self._inserts = request.inserts
        self._before = self._behind = 0
        self._case_id = case_id
        self._choices: dict[int, Choice] = {}
        self._out: list[bytes] = []
        """Events to write, in order."""
        self._envelope: dict[str, Any] = {}
        """What the protocol's own events repeat, as upstream says it; empty until it is known."""
        self._events = self._tokens = self._delayed = self._dropped = self._unscanned = 0
        self._usage: dict[str, Any] | None = None
        self._usage_said = False
        self._blocked: list[str] = []
        self._findings: list[Finding] = []
        """Those of texts that are not a channel's: whole values, errors."""
        self._whole_received = self._whole_removed = 0
        self._retracted = 0
        self._fault: str | None = None

    @property
    def record(self) -> StreamRecord:
        """The account so far; may be asked at any time."""
        choices = [self._choices[index] for index in sorted(self._choices)]
        channels = [channel for choice in choices for channel in (*choice.past, *choice.channels.values())]
        tools = [part for choice in choices for part in (*choice.over, *choice.withheld.values())]
        received = sum(c.received for c in channels) + sum(t.received for t in tools) + self._dropped
        received += self._whole_received
        withheld = sum(t.withheld for t in tools)
        held = sum(c.held for c in channels) + withheld
        removed = sum(c.removed for c in channels) + sum(t.removed for t in tools) + self._whole_removed
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
            retracted=self._retracted,
            before=self._before,
            behind=self._behind,
            excerpts=self._excerpts(channels),
            answer_id=answer_id_of(self._envelope),
            **classifier_part(self._policy, tally),
        )

    def _excerpts(self, channels: Sequence[Channel]) -> tuple[Excerpt, ...]:
        """The text around what was found in the channels. What is withheld until it is whole keeps no text."""
        around = self._request.around
        return tuple(
            excerpt
            for channel in channels
            if around and channel.kept is not None
            for excerpt in excerpts_of(channel.scanner.findings(), "".join(channel.kept), around)
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

    def _settle(self, choice: Choice, part: str = "") -> Finding | None:
        items: list[tuple[int, bytes]] = []
        halted = choice.settle(items, part)
        self._write(items)
        return halted

    def _account(self, size: int, outcome: Arguments) -> None:
        """Note what was found in a text that is not a channel's."""
        self._whole_received += size
        self._whole_removed += size if outcome.halted is not None else outcome.removed
        self._findings += outcome.findings
        self._tally.add(outcome.tally)

    def _release(self, choice: Choice, part: str, chunk: Chunk | None) -> Released | None:
        """A part of a choice ("": all of it) is settled: deliver what was withheld of it, and the event that ends it
        unless something halts. None: verdicts are missing, nothing was said, and it has to be called again."""
        if choice.waiting(part):
            return None
        closing = Closing(b"") if chunk is None else self._closing(choice, part, chunk)
        released = choice.release(self._rules, self._verdicts, part)
        if released is None:
            return None
        events, halted = released
        for size, outcome in closing.outcomes:
            self._account(size, outcome)
            halted = halted or outcome.halted
        if self._inserts.behind and halted is None:
            self._end_words(choice, part, chunk)
        self._out += events
        if halted is None:
            if self._request.annotate and (closing.raw or not part):
                self._annotate(choice, part)
            if self._request.annotate and not part:
                self._annotate_all(choice)
            if closing.raw:
                self._out.append(closing.raw)
        return Released(halted)

    def _annotate(self, choice: Choice, part: str = "") -> None:
        """Tell how far the channels of a part have been checked, where that is further than was told."""
        for key, channel in choice.channels.items():
            if within(key, part) and channel.checked > channel.annotated:
                note = annotation(channel, choice_prefix(choice.index))
                self._out.append(self._annotation(choice, channel, note))
                channel.annotated = channel.checked
                choice.told = note["categories"]

    def _annotate_all(self, choice: Choice) -> None:
        """Tell what was found in all of a choice that finishes, unless the last note has just said so."""
        found = self._found(choice)
        if choice.told != found:
            self._out.append(self._annotation(choice, None, annotation_of_all(found)))
            choice.told = found

    def _found(self, choice: Choice) -> dict[str, Severity]:
        """By category, the highest severity of what was found in a choice."""
        return worst(
            (
                *(f for channel in (*choice.past, *choice.channels.values()) for f in channel.scanner.findings()),
                *(f for part in choice.over for f in part.findings),
                *(f for f in self._findings if is_of(f.channel, choice.index)),
            )
        )

    def _stop(self, choice: Choice, finding: Finding, main: str = "") -> Stop:
        """How a choice was stopped by this finding. `main`: the channel that people read, where that depends."""
        stop = choice.stop_of(finding.channel, main or self.main)
        return replace(stop, categories=self._found(choice)) if self._request.annotate else stop

    def _finish_choice(self, choice: Choice, chunk: Chunk | None, reason: str | None) -> bool:
        """Upstream has said all of a choice (`chunk`: and that it has finished). False: verdicts are missing, nothing
        was said, and it has to be called again."""
        halted = self._settle(choice)
        if halted is None:
            released = self._release(choice, "", chunk)
            if released is None:
                return False
            halted = released.halted
        if halted is not None:
            self._close(choice, halted, chunk.usage if chunk else None)
        else:
            choice.ended = True
            choice.reason = reason
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
        choice.ended = choice.halted = True
        choice.reason = self.halt_reason
        choice.drop_withheld()
        choice.abandon()
        stop = choice.stop_of(finding.channel, self.main)
        if stop.start >= 0:
            self._retracted += stop.delivered - stop.start
        self._out += self._halt_events(choice, finding, usage)

    # --- what guardrail says itself -----------------------------------------------------------------------------------

    def _begin_words(self, choice: Choice, key: str) -> None:
        """The first words of a choice for people are about to be taken, in the channel of this name."""
        choice.spoke = True
        if self._inserts.before:
            self._out += self._insert(choice, self._inserts.before, "before")
            self._before += 1

    def _end_words(self, choice: Choice, part: str, chunk: Chunk | None) -> None:
        """A part of a choice has ended ("": all of it), and nothing in it halts. Called where something is to be said
        behind the words."""
        if not part and choice.spoke and not self._calls(choice, chunk):
            self._out += self._insert(choice, self._inserts.behind, "behind")
            self._behind += 1

    def _last_words(self, choice: Choice, notice: str) -> str:
        """What people read where a choice was halted. Asked once for each."""
        inserts = self._inserts
        said = inserts.around(notice, spoke=choice.spoke)
        if said:
            self._before += bool(inserts.before) and not choice.spoke
            self._behind += bool(inserts.behind)
        return said

    # --- what a protocol says -----------------------------------------------------------------------------------------

    def _are_words(self, key: str) -> bool:
        """Whether the channel of this name is what people read."""
        return is_document(key)

    def _calls(self, choice: Choice, chunk: Chunk | None) -> bool:
        """Whether a choice that has finished so asks the client to call tools. Then its words go on in the next answer,
        and nothing is said behind them."""
        return bool(choice.over)

    def _insert(self, choice: Choice, text: str, place: str) -> list[bytes]:
        """Events that say a text of guardrail's own in a choice. `place`: "before" or "behind"."""
        raise AssertionError("this protocol says nothing of guardrail's own")

    def _closing(self, choice: Choice, part: str, chunk: Chunk) -> Closing:
        """How the event is said that ends a part of a choice ("": all of it). It may be asked again when verdicts are
        missing."""
        return Closing(chunk.raw)

    @abstractmethod
    def _halt_events(self, choice: Choice, finding: Finding, usage: dict[str, Any] | None) -> list[bytes]:
        """A choice was halted: the notice, and what says why it ends. `usage`: upstream said it in the event that these
        stand for."""

    def _annotation(self, choice: Choice, channel: Channel | None, note: dict[str, Any]) -> bytes:
        """An event that says nothing but this note (see `annotation`), for a client that asked for it; b"" where there
        is none that its clients take. `channel`: None when it is about all of the choice."""
        return b""

    @abstractmethod
    def _fault_event(self, fault: Fault) -> bytes:
        """An event that tells why the response cannot go on, in the protocol's words."""

    @abstractmethod
    def _end_events(self, halted: bool, event: Event | None) -> list[bytes]:
        """What ends the response: the usage if a halt kept upstream from saying it, and the end itself, which upstream
        has said in `event`, if it has."""

    # --- the end ------------------------------------------------------------------------------------------------------

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

    def _end(self, event: Event | None = None) -> None:
        """Write what ends the response."""
        self._out += self._end_events(any(choice.halted for choice in self._choices.values()), event)
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
            elif not choice.waiting():
                choice.ended = True
                choice.drop_withheld()
        if any(choice.waiting() for choice in self._choices.values()):
            return False
        self._check_abort()
        return True

    def _note_blocked(self, paths: list[str]) -> None:
        for path in paths:
            if path not in self._blocked and len(self._blocked) < MAX_BLOCKED:
                self._blocked.append(path)
