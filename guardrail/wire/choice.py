"""One choice of a streamed response: its channels, what is withheld of it, and how far it has come.

A choice is what ends by itself: a choice of Chat Completions, a candidate of Gemini, and in the other protocols the one
answer there is.
"""

from __future__ import annotations

from collections.abc import Mapping

from guardrail.errors import WireError
from guardrail.text.rules import Finding
from guardrail.text.scanner import RuleSet
from guardrail.wire.channel import Channel, Rewrite
from guardrail.wire.halt import Stop, choice_prefix
from guardrail.wire.json_text import is_document
from guardrail.wire.whole_text import Verdicts
from guardrail.wire.withheld import Withheld


class Choice:
    """The state of one choice."""

    __slots__ = (
        "_documents",
        "_past",
        "_rewrite",
        "_said",
        "channels",
        "closed",
        "ended",
        "halted",
        "index",
        "keep",
        "over",
        "past",
        "reason",
        "speaking",
        "spoke",
        "told",
        "upstream_ended",
        "withheld",
    )

    def __init__(self, index: int, rewrite: Rewrite, *, keep: bool = False, documents: bool = False) -> None:
        """`rewrite`: how an event is said with another text. `keep`: its channels keep their text (see `Channel`).
        `documents`: what it answers is to be JSON."""
        self.index = index
        self.keep = keep
        self._documents = documents
        self._rewrite = rewrite
        self.channels: dict[str, Channel] = {}
        """Those that may still speak."""
        self.withheld: dict[str, Withheld] = {}
        """By part: what is not delivered before it is whole."""
        self.past: list[Channel] = []
        """Channels that were closed."""
        self._past: dict[str, Channel] = {}
        """The same by name: a name that was closed never comes again."""
        self.over: list[Withheld] = []
        """What was withheld, and is no more."""
        self.closed: set[str] = set()
        """The parts that were closed."""
        self.speaking: Channel | None = None
        """Under a policy with a classifier: the channel whose text came last."""
        self._said: Channel | None = None
        self.spoke = False
        """Its words for people have begun. Noted where something is to be said in front of them or behind."""
        self.ended = False
        """Nothing more of it will be delivered."""
        self.halted = False
        """It ended early, by the policy."""
        self.upstream_ended = False
        """Upstream has said that it is finished."""
        self.told: Mapping[str, str] | None = None
        """What the last annotation said was found, by category; None: there was none."""
        self.reason: str | None = None
        """The finish reason that the client was told."""

    def channel(self, rules: RuleSet, key: str) -> Channel:
        """The channel of this name. Raises WireError when it was closed."""
        channel = self.channels.get(key)
        if channel is None:
            self._check(key)
            path = choice_prefix(self.index) + key
            document = self._documents and is_document(key)
            channel = Channel(rules, key, path, self._rewrite, keep=self.keep, document=document)
            self.channels[key] = channel
        return channel

    def known(self, key: str) -> Channel | None:
        """The channel of this name, closed or not; None when nothing came in it."""
        return self.channels.get(key) or self._past.get(key)

    def part(self, key: str, opened: Withheld) -> Withheld:
        """What is withheld of this part, `opened` when it is new. Raises WireError when the part was closed."""
        part = self.withheld.get(key)
        if part is None:
            self._check(key)
            part = self.withheld[key] = opened
        return part

    def _check(self, key: str) -> None:
        parts = {key, *(key[:at] for at, sign in enumerate(key) if sign in ".[")} if self.closed else ()
        if not self.closed.isdisjoint(parts):
            raise WireError("The model server went on with a part of its answer that it had ended.")

    def settle(self, items: list[tuple[int, bytes]], part: str = "") -> Finding | None:
        """The text of the choice, or of a part of it, has ended: settle the channels, add what may go to `items` (see
        `Channel.flush`); the finding that halted one of them just now."""
        halted = None
        for key, channel in self.channels.items():
            if within(key, part) and channel.scanner.halt is None:
                channel.finish(items)
                if channel.scanner.halt is not None:
                    halted = halted or channel.scanner.halt.finding
        return halted

    def close(self, part: str) -> list[Channel]:
        """Nothing more comes of a part: its channels, which are settled."""
        self.closed.add(part)
        keys = [key for key in self.channels if within(key, part)]
        channels = [self.channels.pop(key) for key in keys]
        self.past += channels
        self._past.update(zip(keys, channels, strict=True))
        return channels

    def waiting(self, part: str = "") -> bool:
        """Whether text that has ended lacks verdicts."""
        return any(within(key, part) and channel.scanner.waiting for key, channel in self.channels.items())

    def abandon(self) -> None:
        """Deliver nothing more of the text that lacks verdicts."""
        for channel in self.channels.values():
            if channel.scanner.waiting:
                channel.abandon()

    def release(self, rules: RuleSet, verdicts: Verdicts, part: str = "") -> tuple[list[bytes], Finding | None] | None:
        """What is withheld of the choice, or of a part of it, is whole: the events to deliver, or the finding that
        halts it. None when verdicts are missing: then nothing has changed, and it has to be called again."""
        keys = [key for key in self.withheld if within(key, part)]
        for key in keys:
            self.withheld[key].scan(rules, choice_prefix(self.index), verdicts)
        if verdicts.missing:
            return None
        halted = next((key for key in keys if self.withheld[key].halted is not None), None)
        events: list[bytes] = []
        for key in keys if halted is None else [halted]:
            withheld = self.withheld.pop(key)
            self.over.append(withheld)
            events += withheld.release()
        return events, None if halted is None else self.over[-1].halted

    def drop_withheld(self) -> None:
        for withheld in self.withheld.values():
            withheld.drop()
            self.over.append(withheld)
        self.withheld.clear()

    def stop_of(self, path: str, main: str) -> Stop:
        """Where the channel with this path was stopped; the main one (`main`) when it is not text."""
        key = path.removeprefix(choice_prefix(self.index))
        channel = self.channels.get(key) or self.channels.get(main)
        if channel is None:
            return Stop(0)
        halt = channel.scanner.halt
        delivered = channel.delivered
        return Stop(delivered) if halt is None else Stop(delivered, delivered - halt.behind, delivered - halt.beyond)


def within(key: str, part: str) -> bool:
    """Whether a channel or part belongs to a part; "" is the whole choice."""
    return not part or key == part or (key.startswith(part) and key[len(part)] in ".[")
