"""One choice of a streamed response: its channels, its tool calls, and how far it has come."""

from __future__ import annotations

from guardrail.text.rules import Finding
from guardrail.text.scanner import RuleSet
from guardrail.wire.channel import Channel
from guardrail.wire.openai_chat_halt import Stop, choice_prefix
from guardrail.wire.tool_calls import ToolCalls
from guardrail.wire.whole_text import Verdicts


class Choice:
    """The state of one choice."""

    __slots__ = ("channels", "ended", "halted", "index", "reason", "speaking", "tools", "upstream_ended")

    def __init__(self, index: int) -> None:
        self.index = index
        self.channels: dict[str, Channel] = {}
        self.speaking: Channel | None = None
        """Under a policy with a classifier: the channel whose text came last."""
        self.tools: ToolCalls | None = None
        self.ended = False
        """Nothing more of it will be delivered."""
        self.halted = False
        """It ended early, by the policy."""
        self.upstream_ended = False
        """Upstream has said that it is finished."""
        self.reason: str | None = None
        """The finish reason that the client was told."""

    def channel(self, rules: RuleSet, key: str) -> Channel:
        channel = self.channels.get(key)
        if channel is None:
            channel = self.channels[key] = Channel(rules, key, choice_prefix(self.index) + key)
        return channel

    def settle(self, items: list[tuple[int, bytes]]) -> Finding | None:
        """The text of the choice has ended: settle all its channels, add what may go to `items` (see `Channel.flush`);
        the finding that halted one of them just now."""
        halted = None
        for channel in self.channels.values():
            if channel.scanner.halt is None:
                channel.finish(items)
                if channel.scanner.halt is not None:
                    halted = halted or channel.scanner.halt.finding
        return halted

    @property
    def waiting(self) -> bool:
        """Whether text that has ended lacks verdicts."""
        return any(channel.scanner.waiting for channel in self.channels.values())

    def abandon(self) -> None:
        """Deliver nothing more of the text that lacks verdicts."""
        for channel in self.channels.values():
            if channel.scanner.waiting:
                channel.abandon()

    def release_calls(self, rules: RuleSet, verdicts: Verdicts) -> tuple[list[bytes], Finding | None] | None:
        """Its tool calls are complete: see `ToolCalls.release`."""
        if self.tools is None:
            return [], None
        return self.tools.release(rules, self.index, choice_prefix(self.index), verdicts)

    def drop_calls(self) -> None:
        if self.tools is not None:
            self.tools.drop()

    def stop_of(self, path: str) -> Stop:
        """Where the channel with this path was stopped; the content when it is not text."""
        channel = self.channels.get(path.removeprefix(choice_prefix(self.index))) or self.channels.get("content")
        if channel is None:
            return Stop(0)
        halt = channel.scanner.halt
        delivered = channel.delivered
        return Stop(delivered) if halt is None else Stop(delivered, delivered - halt.behind, delivered - halt.beyond)
