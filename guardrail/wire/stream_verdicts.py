"""Where a stream waits for verdicts, and how it goes on: what is asked, what may not be said before it is answered.

A stream is a row of steps: a read, the end, a fault. A step that needs verdicts that are missing puts itself back, from
where it was, and is tried again when they have come; the steps behind it wait in line. So what the client gets does not
depend on how fast verdicts come (docs/decisions/010-stalls.md). Never waits by itself: it is told each verdict.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from guardrail.errors import WireError
from guardrail.policy.policy import Policy
from guardrail.text.scores import Verdict
from guardrail.text.units import Window
from guardrail.wire.answer import Answer
from guardrail.wire.channel import Channel
from guardrail.wire.choice import Choice
from guardrail.wire.request import ModelRequest


class Ask(NamedTuple):
    """A window that the stream needs the verdict of."""

    window: Window
    choice: Choice | None = None
    channel: Channel | None = None
    """None: it is of a text that is scanned whole."""
    number: int = 0


class Stalling(Answer):
    """An answer that may have to wait."""

    __slots__ = ("_due", "_scored", "_strict", "_todo", "_whole")

    def __init__(self, policy: Policy, request: ModelRequest, case_id: str) -> None:
        super().__init__(policy, request, case_id)
        scored = policy.rules.scored
        self._scored = scored is not None
        self._strict = scored is not None and not scored.settings.lag_budget
        self._due: list[Ask] = []
        self._whole = 0
        """Windows of texts that are scanned whole, asked for and without a verdict. The step that needs them is tried
        again when it has all of them: it looks at all of its text each time."""
        self._todo: deque[Callable[[], object]] = deque()
        """When the stream is stalled: how it goes on."""

    @property
    def stalled(self) -> bool:
        """Whether nothing more of upstream is taken until verdicts come."""
        return bool(self._todo) and not self.done

    def take_due(self) -> list[Ask]:
        """What has to be scored and was not taken yet."""
        due = self._due
        if due:
            self._due = []
        return due

    def score(self, ask: Ask, verdict: Verdict) -> bytes:
        """Take the verdict of what was due, at any time. Raises WireError as `feed` does."""
        choice, channel = ask.choice, ask.channel
        if choice is None or channel is None:
            self._verdicts.known[ask.window] = verdict
            self._whole -= 1
        else:
            items: list[tuple[int, bytes]] = []
            channel.score(ask.number, verdict, items)
            self._write(items)
            if channel.scanner.halt is not None and not choice.ended:
                self._halt(choice, channel)
            elif self._request.annotate and not choice.ended:
                self._annotate(choice, channel.key)
        if self._todo and not self._whole:
            self._go_on()
        return self._written()

    def _do(self, step: Callable[[], object]) -> bytes:
        """Take a step, when its turn has come."""
        if self.done:
            return b""
        if self._todo:
            self._todo.append(step)
        else:
            step()
        return self._written()

    def _stall(self, again: Callable[[], object]) -> None:
        """Verdicts are missing: `again` is tried when one has come. Nothing may follow in the step that says so."""
        self._todo.append(again)

    def _go_on(self) -> None:
        """Take the steps that wait, until one of them has to wait again."""
        while self._todo and not self.done:
            later, self._todo = self._todo, deque()
            step = later.popleft()
            try:
                step()
            except WireError:
                self._todo.clear()
                raise
            stuck = bool(self._todo)
            self._todo += later
            if stuck:
                return

    def _ask(self) -> None:
        """Note what has become due."""
        for choice in self._choices.values():
            for channel in choice.channels.values():
                scoring = channel.scanner.scoring
                if scoring is not None and scoring.due:
                    self._due += [Ask(window, choice, channel, number) for number, window in scoring.take_due()]
        if self._verdicts.missing:
            self._whole += len(self._verdicts.missing)
            self._due += [Ask(window) for window in self._verdicts.missing]
            self._verdicts.missing.clear()

    def _written(self) -> bytes:
        if self._scored:
            self._ask()
        return super()._written()
