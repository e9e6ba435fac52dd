"""The items of `messages.stream()` of anthropic, which are those of `messages.create(stream=True)` and more.

That helper tells, behind each delta, what it adds up to (`text` with a `snapshot`), and hangs what has come so far on
the events that end a block and the message. All of it is told anew here, from what is told of the deltas, by the SDK's
own functions for that, which are found where the class of such an item came from. An item that says the same as that
is told itself.

Which of the two a stream is turns out with its first delta: in a helper's stream what it adds up to comes next.
"""

from __future__ import annotations

import inspect
import sys
from collections import deque
from collections.abc import Callable
from typing import Any

from guardrail.sdk.items import AnthropicItems
from guardrail.sdk.models import Value, dumped

RAW = frozenset(
    {
        "content_block_delta",
        "content_block_start",
        "content_block_stop",
        "message_delta",
        "message_start",
        "message_stop",
    }
)
"""The events of the protocol."""

ADDED = {"content_block_stop": frozenset({"content_block"}), "message_stop": frozenset({"message"})}
"""What the helper hangs on them."""

ADDS_UP = frozenset({"text_delta", "thinking_delta", "input_json_delta"})
"""Deltas behind which the helper always tells what they add up to."""

MOST_HEARD = 64
"""Behind so many, what an event adds up to is told with an item of ours that says the same."""

_PARSED = {"content_block": {"parsed_output"}, "message": {"content": {"__all__": {"parsed_output"}}}}
"""What the helper reads out of a text that is JSON; with the text the same, so is this."""


class StreamItems(AnthropicItems):
    """One stream, of either kind."""

    def __init__(self, first: Any) -> None:
        super().__init__(first)
        self._helper: bool | None = None
        """None: not known yet."""
        self._told: list[Any] = []
        """While it is not known: what was told."""
        self._owed: list[Any] = []
        """What the last event that was told adds up to."""
        self._heard: deque[Any] = deque(maxlen=MOST_HEARD)
        """The last items that told what events add up to, and were not told yet."""
        self._before = ""
        """What the delta was that came before."""
        self._add: Callable[[Any], list[Any]]

    def take(self, item: Any) -> bytes:
        kind = getattr(item, "type", None)
        if kind not in RAW:
            self._be_helper(item)
            self._heard.append(item)
            return b""
        if self._helper is None:
            if kind in ADDED and ADDED[kind] & item.model_fields_set:
                self._be_helper(item)
            elif self._before in ADDS_UP:
                self._helper = False
                self._told.clear()
            self._before = item.delta.type if kind == "content_block_delta" else ""
        return super().take(item)

    def give(self, out: bytes) -> list[Any]:
        items = [] if out else self.rest()
        for event in super().give(out):
            items += self._follow(event)
        return items

    def rest(self) -> list[Any]:
        owed, self._owed = self._owed, []
        return [self._as_heard(made) for made in owed]

    def _value(self, item: Any) -> Value:
        return dumped(item, without=ADDED.get(item.type, frozenset()))

    def _follow(self, event: Any) -> list[Any]:
        """An event, behind what is owed of the one before."""
        if self._helper:
            made, *adds_up = self._add(event)
            told = [*self.rest(), _same(made, event)]
            self._owed = adds_up
            return told
        if self._helper is None:
            self._told.append(event)
        return [event]

    def _as_heard(self, made: Any) -> Any:
        """The item that came, when it says what was made."""
        for number, item in enumerate(self._heard):
            if item == made:
                for _ in range(number + 1):
                    self._heard.popleft()
                return item
        return made

    def _be_helper(self, item: Any) -> None:
        """The stream is a helper's, as this item shows."""
        if self._helper:
            return
        self._helper = True
        self._add = _adder(item)
        for event in self._told:
            self._owed += self._add(event)[1:]
        self._told.clear()


def _same(made: Any, item: Any) -> Any:
    """The item, when it says what was made."""
    if made is item or (type(made) is type(item) and _plain(made) == _plain(item)):
        return item
    return made


def _plain(item: Any) -> object:
    return item.model_dump(exclude=_PARSED, warnings=False)


def _adder(item: Any) -> Callable[[Any], list[Any]]:
    """What adds up the events of a stream: given each in its turn, it gives what the helper tells of it. Raises
    TypeError for an item of an SDK that does so otherwise."""
    types = type(item).__module__
    module = sys.modules.get(types.removesuffix("types") + "messages")
    accumulate, build = getattr(module, "accumulate_event", None), getattr(module, "build_events", None)
    if accumulate is None or build is None:
        raise TypeError(f"guard_stream does not know how {types} makes {type(item).__name__}")
    snapshot: Any = None
    known: Value = {"json_bufs": {}, "request_headers": {}}
    more = {name: value for name, value in known.items() if name in inspect.signature(accumulate).parameters}

    def add(event: Any) -> list[Any]:
        nonlocal snapshot
        if snapshot is None and event.type != "message_start":
            return [event]
        snapshot = accumulate(event=event, current_snapshot=snapshot, **more)
        return list(build(event=event, message_snapshot=snapshot)) or [event]

    return add
