"""Hears each read of an upstream's answer the moment it comes, without waking a task for it.

aiohttp hands a body over through a future: a read costs a future, a wake-up of the loop and a step of the task, and
for each HTTP chunk a second pass through the parser to resume a reading that was never paused. On a stream of tokens,
each a read of its own, that is a third of what a proxy spends. Here aiohttp still connects, parses and pools; a tap on
the connection only calls back after each read, and asks for a resumption only after a pause.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import aiohttp


class ReadTap(asyncio.Protocol):
    """Stands between a connection's transport and its aiohttp protocol until `remove`, or the end of the answer: from
    then on the connection may serve another request, which has a tap of its own, while this answer is still read."""

    __slots__ = ("_answer", "_heard", "_inner", "_paused", "_transport")

    def __init__(self, answer: aiohttp.ClientResponse, heard: Callable[[], None]) -> None:
        """`heard` is called after every read, and when the connection ends; it must not raise. Nothing is tapped when
        the connection has ended already: all there is, is in `answer.content`."""
        self._answer = answer
        connection = answer.connection
        self._inner = connection.protocol if connection is not None else None
        self._transport = connection.transport if connection is not None else None
        self._heard = heard
        # Whether the reading is paused now is not known: the first resumption goes through in any case.
        self._paused = True
        if self._inner is not None and self._transport is not None:
            self._inner.pause_reading = self._pause_reading  # type: ignore[method-assign]
            self._inner.resume_reading = self._resume_reading  # type: ignore[method-assign]
            self._transport.set_protocol(self)

    def remove(self) -> None:
        """Give the connection back as it was. May be called again, and from `heard`."""
        inner, transport = self._inner, self._transport
        if inner is not None and transport is not None:
            self._transport = None
            del inner.pause_reading, inner.resume_reading
            transport.set_protocol(inner)

    def data_received(self, data: bytes) -> None:
        assert self._inner is not None
        self._inner.data_received(data)
        if self._answer.connection is None:  # aiohttp has put it back into its pool
            self.remove()
        self._heard()

    def eof_received(self) -> None:
        assert self._inner is not None
        self._inner.eof_received()

    def connection_lost(self, error: BaseException | None) -> None:
        assert self._inner is not None
        self._inner.connection_lost(error)
        self._heard()

    def pause_writing(self) -> None:
        assert self._inner is not None
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        assert self._inner is not None
        self._inner.resume_writing()

    def _pause_reading(self) -> None:
        self._paused = True
        assert self._inner is not None
        type(self._inner).pause_reading(self._inner)

    def _resume_reading(self, resume_parser: bool = True) -> None:
        if self._paused:
            self._paused = False
            assert self._inner is not None
            type(self._inner).resume_reading(self._inner, resume_parser)
