"""The codec of a streamed response: bytes from upstream in, bytes for the client out. The part all protocols share.

Pure: no socket, clock or log. The shell owns those and calls, in this order:

    stream = ChatStream(policy, request, case_id=...)    or another protocol's
    each read from upstream:    write(stream.feed(data)); if stream.abort: close upstream now
    upstream's end:             write(stream.finish())
    WireError out of feed, timeout, broken connection, drain, a cap:
                                write(stream.fail(Fault(code, message))); close upstream
    silence towards the client: write(stream.keep_alive())
    under a policy with a classifier, after each of these:
                                for ask in stream.take_due(): have it scored; then write(stream.score(ask, verdict))

Each call returns what to write to the client now (b"": nothing). A WireError loses nothing: what had been decided
before it is in what `fail` returns. Once `done`, every call returns b"" and upstream may be closed.

Verdicts may come in any order and at any time. Where the answer cannot go on without them (a choice has finished, or
another of its channels speaks), the stream is `stalled`: it takes no more of what upstream sent and remembers where it
was, so that what the client gets does not depend on how fast verdicts come. The shell should not read upstream then;
what it hands in all the same waits. `finish` and `fail` may leave the stream stalled too: it is over when it is `done`.

How it works. A read holds many events. Texts of one channel that follow each other are scanned together, then every
channel says which of its events may go. Events without text go where they stood. A choice that finishes settles all
its channels, then its tool calls, then says so. Within one choice a switch from one channel to another is scanned at
once, so that a halt ends the other channels at the same event however the bytes were cut.

The common case, a run of events of one channel that differ in their text only, takes the short way (`_run`): cut at
what stands between the texts, decode them together, scan once, pass the bytes on.

What a protocol adds is a subclass: how its events are framed, read, taken apart and said again, and what ends a choice
and a response (the methods below "what a protocol says", and those of `Answer`).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from guardrail.errors import WireError
from guardrail.policy.policy import Policy
from guardrail.wire import sse
from guardrail.wire.answer import Fault
from guardrail.wire.channel import WHOLE_TEXT, Channel
from guardrail.wire.choice import Choice, within
from guardrail.wire.chunk import AnyTemplate, Chunk, SlotTemplate, Template
from guardrail.wire.halt import choice_prefix
from guardrail.wire.record import UPSTREAM_ERROR
from guardrail.wire.request import ModelRequest
from guardrail.wire.sse import Event, Framer
from guardrail.wire.stream_verdicts import Stalling
from guardrail.wire.tool_arguments import Arguments, guard_arguments, is_clean
from guardrail.wire.withheld import Withheld

TEMPLATE_TRIES = 8
"""Events that may look for a template without one being of use, before a stream gives up looking: servers that put
something new into every event (random padding, interleaved choices) gain nothing from it."""

TRIES_PER_EVENT = 0.1
"""How much of a try every event earns back that a template took."""

RUN_BYTES = 1 << 15
"""How far ahead one run of events is looked for, so that a block of many short runs costs no more than its length."""


@dataclass(frozen=True, slots=True)
class WireLimits:
    """Caps on what upstream can make one stream hold, in bytes."""

    event_bytes: int = 1 << 20
    """One event, or one line that never ends."""
    withheld_bytes: int = 16 << 20
    """The events of the tool calls of one response, which are withheld until they are complete. Their text is kept, and
    of their events at most `withheld.KEPT_BYTES`."""


class Stream(Stalling):
    """One streamed response under one policy. `done`, `abort` and `record`: see `Answer`."""

    __slots__ = (
        "_cap",
        "_dirty",
        "_failed",
        "_framer",
        "_limits",
        "_order",
        "_run_of",
        "_slotted",
        "_template",
        "_tries",
    )

    def __init__(
        self, policy: Policy, request: ModelRequest, *, case_id: str, limits: WireLimits = WireLimits()
    ) -> None:
        super().__init__(policy, request, case_id)
        self._limits = limits
        self._cap = limits.event_bytes
        self._framer = self.framer(limits.event_bytes)
        self._dirty: list[tuple[Choice, Channel]] = []
        """Channels with text that was not scanned yet."""
        self._order = 0
        self._template: AnyTemplate | None = None
        self._run_of: tuple[Choice, Channel]
        """Whose the template's events are."""
        self._tries: float = TEMPLATE_TRIES
        self._slotted = False
        """Whether a plain template was of no use, though its events differ in numbers and the like only."""
        self._failed = False
        """Upstream has sent an error event."""

    # --- what a protocol says: its frames -----------------------------------------------------------------------------

    framer: Callable[[int], Framer] = sse.EventFramer
    next_event = staticmethod(sse.next_event)
    parse = staticmethod(sse.parse_event)
    whole_event = staticmethod(sse.whole_event)
    idle: ClassVar[bytes] = sse.KEEP_ALIVE

    # --- what a protocol says: its events -----------------------------------------------------------------------------

    @abstractmethod
    def _read(self, event: Event) -> Chunk:
        """What an event says. Raises WireError."""

    def _ends(self, event: Event) -> bool:
        """Whether it is what ends every stream, and says nothing else."""
        return False

    def _explode(self, chunk: Chunk) -> list[bytes]:
        """An event that says several things, as events that say one each; a plain client adds them up to the same."""
        raise AssertionError("no event of this protocol says several things")

    def _find_template(self, chunk: Chunk) -> AnyTemplate | None:
        return None

    def _note(self, chunk: Chunk) -> None:
        """Note what a chunk says of the response; the envelope has to be filled by the first one that has text."""

    def _new_part(self, choice: Choice, part: str) -> Withheld:
        """What takes the pieces of a part that is withheld."""
        raise AssertionError("nothing in this protocol comes in pieces that are withheld")

    def _size_of(self, said: Any) -> int:
        """Code points of text in a piece of a withheld part."""
        raise AssertionError("nothing in this protocol comes in pieces that are withheld")

    def _with_value(self, chunk: Chunk, value: str) -> bytes:
        """The event with another value (JSON text) in the place of its one whole value."""
        raise AssertionError("no event of this protocol has a value that is scanned whole")

    @abstractmethod
    def _guard_error(self, event: Event) -> tuple[bytes, Arguments]:
        """An error event from upstream as the client may see it, and what was found in it."""

    # --- what the shell calls -----------------------------------------------------------------------------------------

    def feed(self, data: bytes) -> bytes:
        """Take one read from upstream. Raises WireError for what is no event stream or passes a cap: call `fail`."""
        if self.done:
            return b""
        if self._todo:
            self._todo.append(partial(self._feed, data))
            return b""
        template = self._template
        if template is not None and (out := self._single(data, template)) is not None:
            return out
        self._feed(data)
        return self._written()

    def _feed(self, data: bytes) -> None:
        self._work(self._framer.push(data))

    def _work(self, block: bytes) -> None:
        """Take whole events."""
        at, size = 0, len(block)
        line_feeds_only: bool | None = None
        while at < size and not self.done:
            template = self._template
            if template is not None and block.startswith(template.prefix, at):
                after = self._run(block, at, template)
                if after > at:
                    at = after
                    continue
            if line_feeds_only is None:
                line_feeds_only = block.find(b"\r", at) < 0
            after = self.next_event(block, at, line_feeds_only=line_feeds_only)
            self._take(block[at:after])
            at = after
            if self._todo:
                self._todo.append(partial(self._work, block[at:]))
                return
        self._flush()

    def finish(self) -> bytes:
        """Upstream ended. A response that was not complete ends with an error event (`upstream_closed`)."""
        return self._do(self._finish)

    def _finish(self) -> None:
        rest = self._framer.rest()
        if rest.strip():
            # Servers forget the last blank line; half an event is another matter.
            try:
                self._take(self.whole_event(rest))
            except WireError:
                self._fail(Fault("upstream_closed", "The model server closed the connection in mid-event."))
                return
            if self._todo:
                self._todo.append(self._finish)
                return
        if not (self.done or self._failed or self._complete):
            self._fail(Fault("upstream_closed", "The model server closed the connection before it was done."))
            return
        self._flush()
        if not self.done and any(choice.halted for choice in self._choices.values()):
            self._end()
        self.done = True

    def fail(self, fault: Fault) -> bytes:
        """The response cannot go on: held text is scanned as the end of its text and delivered, incomplete tool calls
        are dropped, then come an error event and what ends a stream. A response that only lacked its end gets just
        that."""
        return self._do(partial(self._fail, fault))

    def _fail(self, fault: Fault) -> None:
        self._framer.rest()
        self._flush()
        self._give_up(fault, complete=self._complete)

    def _give_up(self, fault: Fault, *, complete: bool) -> None:
        if not (self.done or self._break_off()):
            self._stall(partial(self._give_up, fault, complete=complete))
        elif not self.done:
            self._fault = self._fault or fault.code
            if not (complete or self._failed):
                self._out.append(self._fault_event(fault))
            self._end()

    def keep_alive(self) -> bytes:
        """What may be written after some seconds of silence; b"" once done, and where the protocol has nothing that its
        clients skip. What is written is always whole events, so that it may go between any two calls."""
        return b"" if self.done else self.idle

    # --- one more like event, or a run of them ------------------------------------------------------------------------

    def _single(self, data: bytes, template: AnyTemplate) -> bytes | None:
        """Take a read that is one event that fits the template, when nothing else is going on: what most reads of a
        paced stream are. None when it is anything else, with nothing changed."""
        text = template.text(data)
        choice, channel = self._run_of
        if not text or choice.ended or channel.half or self._dirty or self._framer.pending or len(data) > self._cap:
            return None
        if self._scored and choice.speaking is not channel:
            return None
        self._events += 1
        self._tokens += 1
        self._tries += TRIES_PER_EVENT
        scanner = channel.scanner
        before = scanner.settled
        edits = scanner.feed(text)
        settled = scanner.settled
        queue = channel.queue
        if self._scored:
            self._ask()
        start = channel.received
        plain = not edits and not channel.edits and scanner.halt is None
        if plain and not queue and settled == start + len(text):
            channel.passed(text)
            return data
        channel.add(data, text, self._order, template)
        self._order += 1
        if plain and (len(queue) == 1 or settled == before):
            gone = b""
        elif plain and settled >= start and len(queue) == 2 and not queue[0].again:
            gone = queue.pop(0).raw
        else:
            items: list[tuple[int, bytes]] = []
            channel.deliver(edits, items)
            self._delayed += bool(queue)
            self._out += [event for _, event in items]
            if scanner.halt is not None:
                self._halt(choice, channel)
            return self._written()
        # The new event stays, as long as not all of it is settled and it is short enough to go whole.
        if settled == channel.received or (settled > start and len(text) > WHOLE_TEXT):
            items = []
            channel.deliver((), items)
            gone += b"".join([event for _, event in items])
        elif channel.held > channel.held_max:
            channel.held_max = channel.held
        self._delayed += bool(queue)
        return gone

    def _run(self, block: bytes, at: int, template: AnyTemplate) -> int:
        """Take the events from `at` on that fit the template; the offset behind them (`at`: none did)."""
        choice, channel = self._run_of
        if channel.half or (self._scored and choice.speaking is not channel):
            return at
        run = template.run(block, at, RUN_BYTES)
        if run is None:
            return at
        count, text = run.count, run.text
        self._events += count
        self._tokens += count - run.blanks
        self._tries += count * TRIES_PER_EVENT
        self._flush()
        if choice.ended:
            self._dropped += len(text)
            return run.after
        scanner = channel.scanner
        edits = scanner.feed(text)
        held = scanner.received - scanner.settled
        clean = not edits and scanner.halt is None and not channel.edits
        if clean and not held and not channel.queue:
            channel.passed(text)
            self._out.append(block[at : run.after])
            return run.after
        # How many of the events, from the first, may go as they are: those behind which enough text stays.
        going = count if clean else 0
        waiting = 0
        while going and waiting < held:
            going -= 1
            waiting += len(run.said(going))
        items: list[tuple[int, bytes]] = []
        if going:
            channel.deliver((), items)
            channel.passed(text[: len(text) - waiting])
            items.append((0, block[at : run.begin(going)]))
        for position in range(going, count):
            channel.add(run.event(position), run.said(position), self._order, template)
            self._order += 1
        channel.deliver(edits, items)
        self._delayed += min(count - going, len(channel.queue))
        self._out += [event for _, event in items]
        if scanner.halt is not None:
            self._halt(choice, channel)
        return run.after

    # --- one event ----------------------------------------------------------------------------------------------------

    def _take(self, raw: bytes) -> None:
        event = self.parse(raw)
        if event.blocked:
            self._note_blocked(["(event field)"])
        if event.data is None:
            self._flush()
            if not self.done:
                self._out.append(event.raw)
            return
        self._events += 1
        if self._ends(event):
            self._flush()
            if not self.done:
                self._upstream_done(event)
        elif event.data.strip() and not self._failed:
            chunk = self._read(event)
            if chunk.template and self._envelope and chunk.choices[0] in self._choices:
                self._tokens += 1
                self._take_one(chunk)
            else:
                self._take_chunk(event, chunk)

    def _is_clean(self, text: str) -> bool:
        return is_clean(self._rules, text)

    def _take_chunk(self, event: Event, chunk: Chunk) -> None:
        things = chunk.things
        if things != 1 or not chunk.texts or not self._choices.keys() >= set(chunk.choices):
            # Anything but a lone text of a known choice stands behind all that came before it.
            self._flush()
            if self.done:
                return
        if chunk.error:
            self._upstream_error(event, chunk)
            return
        self._note_blocked(chunk.blocked)
        self._unscanned += chunk.passed
        self._usage = chunk.usage or self._usage
        self._note(chunk)
        for index in chunk.choices:
            if index not in self._choices:
                self._choices[index] = self._new_choice(index)
        self._tokens += bool(chunk.texts)
        several = len(chunk.choices) > 1 and (things or any(c.halted for c in self._choices.values()))
        if things <= 1 and not several:
            self._take_one(chunk)
            return
        self._flush()
        parts = self._explode(chunk)
        self._take_parts(parts)
        # Said whole again if nothing came of it: then what was just written is what it was taken apart into. Not where
        # it speaks of a choice whose end was said.
        halted = any(self._choices[index].halted for index in chunk.choices)
        if not halted and self._out[-len(parts) :] == parts:
            self._out[-len(parts) :] = [chunk.raw]

    def _new_choice(self, index: int) -> Choice:
        return Choice(
            index, self.rewrite, keep=self.keeps_text or self._request.around > 0, documents=self._request.json_output
        )

    def _take_parts(self, parts: list[bytes]) -> None:
        """What an event was taken apart into."""
        for number, part in enumerate(parts, 1):
            if not self.done:
                self._take_one(self._read(self.parse(part)))
                self._flush()
            if self._todo:
                self._todo.append(partial(self._take_parts, parts[number:]))
                return

    def _take_one(self, chunk: Chunk) -> None:
        """An event with at most one text, or tool calls, or a finish."""
        if chunk.texts:
            index, key, text = chunk.texts[0]
            self._take_text(self._choices[index], key, text, chunk)
        elif chunk.tools:
            index, part, said = chunk.tools[0]
            self._withhold(self._choices[index], part, said, chunk)
            if chunk.closed:
                self._close_part(*chunk.closed[0], None)
        elif chunk.whole:
            index, path, value = chunk.whole[0]
            # A client may act on it, so the verdicts of what came before may still keep it back.
            if self._scored and not self._turn(self._choices[index], None):
                self._stall(partial(self._take_one, chunk))
            else:
                self._take_whole(self._choices[index], path, value, chunk)
        elif chunk.closed:
            self._close_part(*chunk.closed[0], chunk)
        elif chunk.finished:
            index, reason = chunk.finished[0]
            choice = self._choices[index]
            choice.upstream_ended = True
            if choice.ended:
                self._pass(chunk)
            elif not self._finish_choice(choice, chunk, reason):
                self._stall(partial(self._take_one, chunk))
        else:
            self._pass(chunk)

    def _pass(self, chunk: Chunk) -> None:
        """An event without text."""
        if chunk.choices and all(self._choices[index].halted for index in chunk.choices):
            return
        self._out.append(chunk.raw)

    def _take_text(self, choice: Choice, key: str, text: str, chunk: Chunk) -> None:
        channel = choice.channel(self._rules, key)
        one_by_one = self._policy.halt_scope == "response"
        if any(c is not channel and (owner is choice or one_by_one) for owner, c in self._dirty):
            self._flush()
        if self._scored and choice.speaking is not channel and not self._turn(choice, channel):
            self._stall(partial(self._take_one, chunk))
            return
        if choice.ended:
            self._dropped += len(text)
            return
        if self._inserts and not choice.spoke and self._are_words(key):
            self._flush()
            self._begin_words(choice, key)
        channel.take(chunk.raw, text, self._order)
        self._order += 1
        if (choice, channel) not in self._dirty:
            self._dirty.append((choice, channel))
        if chunk.template:
            self._look_for_template(chunk, choice, channel)

    def _turn(self, choice: Choice, channel: Channel | None) -> bool:
        """Another channel of a choice speaks, or what is none (None). The unit of the one that spoke ends there, and
        unless text may run ahead of its scores, so does the wait for its verdicts: they may end the choice. False: they
        are missing."""
        spoke = choice.speaking
        if spoke is not None and not choice.ended:
            self._flush()
            if not choice.ended:
                items: list[tuple[int, bytes]] = []
                spoke.pause(items)
                self._write(items)
                if spoke.scanner.halt is not None:
                    self._halt(choice, spoke)
                elif self._strict and spoke.scanner.waiting:
                    return False
        choice.speaking = channel
        return True

    def _look_for_template(self, chunk: Chunk, choice: Choice, channel: Channel) -> None:
        """An event that could have had a template came the long way: the template there is was of no use."""
        before, self._template = self._template, None
        if self._tries < 1:
            return
        self._tries = min(self._tries, TEMPLATE_TRIES) - 1
        found = self._find_template(chunk)
        if isinstance(found, SlotTemplate) and not self._slotted:
            # What may change with every event does not in most streams, and the plain template costs less.
            self._slotted = isinstance(before, Template) and self._run_of == (choice, channel)
            if not self._slotted:
                found = found.plain
        self._template = found
        self._run_of = choice, channel

    def _withhold(self, choice: Choice, part: str, said: Any, chunk: Chunk) -> None:
        """A piece of what is not delivered before it is whole."""
        if choice.ended:
            self._dropped += self._size_of(said)
            return
        withheld = choice.withheld.get(part) or choice.part(part, self._new_part(choice, part))
        withheld.take(chunk.raw, chunk.value, said)
        size = sum(withheld.size for c in self._choices.values() for withheld in c.withheld.values())
        if size > self._limits.withheld_bytes:
            raise WireError(f"The model server sent tool calls longer than {self._limits.withheld_bytes} bytes.")

    def _take_whole(self, choice: Choice, path: str, value: str, chunk: Chunk) -> None:
        """A value that is complete in its event: scanned at once, and said where it stands."""
        if choice.ended:
            self._dropped += len(value)
            return
        outcome = guard_arguments(self._rules, value, choice_prefix(choice.index) + path, self._verdicts)
        if self._verdicts.missing:
            self._stall(partial(self._take_one, chunk))
            return
        self._account(len(value), outcome)
        if outcome.halted is not None:
            self._settle(choice)
            self._close(choice, outcome.halted, None)
            self._check_abort()
        else:
            self._out.append(chunk.raw if outcome.text == value else self._with_value(chunk, outcome.text))

    def _close_part(self, index: int, part: str, chunk: Chunk | None) -> None:
        """Upstream has said all of a part. `chunk`: and says so, in an event that is not withheld with it."""
        choice = self._choices[index]
        if choice.ended:
            return
        spoke = choice.speaking
        if spoke is not None and not within(spoke.key, part):
            # What is said at once, or was withheld: the verdicts of what came before may still keep it back.
            if not self._turn(choice, None):
                self._stall(partial(self._close_part, index, part, chunk))
                return
            if choice.ended:
                return
        halted = self._settle(choice, part)
        if halted is None:
            released = self._release(choice, part, chunk)
            if released is None:
                self._stall(partial(self._close_part, index, part, chunk))
                return
            halted = released.halted
            if self._scored:
                self._ask()  # for what was cut last, before the channels are put away
            channels = choice.close(part)
            if choice.speaking in channels:
                choice.speaking = None
            if self._template is not None and self._run_of[1] in channels:
                self._template = None
        if halted is not None:
            self._settle(choice)  # the other parts end here too
            self._close(choice, halted, None)
            self._check_abort()

    def _flush(self) -> None:
        """Scan what waits to be scanned and write what may go."""
        if not self._dirty:
            return
        dirty, self._dirty = self._dirty, []
        items: list[tuple[int, bytes]] = []
        for _, channel in dirty:
            self._delayed += channel.flush(items)
        self._write(items)
        for choice, channel in dirty:
            if channel.scanner.halt is not None and not choice.ended:
                self._halt(choice, channel)

    def _upstream_done(self, event: Event) -> None:
        for choice in self._choices.values():
            choice.upstream_ended = True
        ended = [self._finish_choice(choice, None, None) for choice in list(self._choices.values()) if not choice.ended]
        if not all(ended):
            self._stall(partial(self._upstream_done, event))
        elif not self.done:
            self._end(event)

    def _upstream_error(self, event: Event, chunk: Chunk) -> None:
        """An error event from upstream ends the response. What it says is scanned like the model's text: servers quote
        what they choked on."""
        assert event.data is not None
        waiting = not self._break_off()
        if self.done:
            return
        said, outcome = self._guard_error(event)
        if waiting or self._verdicts.missing:
            self._stall(partial(self._upstream_error, event, chunk))
            return
        self._failed = True
        self._fault = UPSTREAM_ERROR
        self._findings += outcome.findings
        self._tally.add(outcome.tally)
        self._out.append(said)
