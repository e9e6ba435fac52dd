"""What a protocol has to say for the simulated server to speak it.

`Dialect` reads requests and builds the `Answer` that says a plan: as events, one call for each step of the stream, or
as one body. Everything is in the shape of the real service, since clients parse it strictly.
"""

from __future__ import annotations

import json
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, NamedTuple

from guardrail.simulate.plan import Ask, Plan, Step

EVENT_STREAM = "text/event-stream; charset=utf-8"
JSON = "application/json; charset=utf-8"


class Answer(ABC):
    """One answer of one protocol. Events are bytes as they go over the wire, their blank lines included."""

    media_type: str = EVENT_STREAM
    malformed: ClassVar[bytes]
    """An event that breaks off in its JSON."""

    def __init__(self, ask: Ask, plan: Plan) -> None:
        self.ask = ask
        self.plan = plan
        self.key = uuid.uuid4().hex[:24]
        self.created = int(time.time())

    @property
    def id(self) -> str:
        """The answer's id, as clients see it."""
        return self.key

    def opening(self) -> Iterable[bytes]:
        """The events before the first token."""
        return ()

    @abstractmethod
    def step(self, step: Step) -> Iterable[bytes]:
        """The events that say one token."""

    @abstractmethod
    def closing(self) -> Iterable[bytes]:
        """The events after the last token."""

    @abstractmethod
    def body(self) -> Any:
        """The whole answer, not streamed."""


class Target(NamedTuple):
    """Where a request goes: the names in its path, and its query."""

    names: Mapping[str, str]
    query: Mapping[str, str]


class Dialect(NamedTuple):
    """One protocol's endpoint.

    `read` raises ValueError (msgspec's included) for a request that the service would refuse; `error` gives the body
    of an error from its status and message.
    """

    read: Callable[[bytes, Target], Ask]
    answer: Callable[[Ask, Plan], Answer]
    error: Callable[[int, str], Any]


def compact(value: Any) -> bytes:
    """JSON as the services write it in streams: without blanks, letters as they are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def data_event(value: Any) -> bytes:
    """A server-sent event that is nothing but data."""
    return b"data: " + compact(value) + b"\n\n"


def named_event(value: dict[str, Any]) -> bytes:
    """A server-sent event with the name that stands in its data under `type`."""
    return b"event: " + str(value["type"]).encode() + b"\n" + data_event(value)
