"""Carries one stream from the upstream's reads through the codec to the client's writes: one write for each read.

Under a policy with a classifier verdicts come too, whenever they do: what they lead to is written at once, and while
the stream is stalled the upstream is not read.

Promises: bytes go to the client only as the codec returned them; while the client does not take them, the upstream is
not read. It begins no response and ends none: that is the relay's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic

import aiohttp
from aiohttp import HttpVersion11, web
from aiohttp.abc import AbstractStreamWriter

from guardrail.observe.metrics import AddedLatency
from guardrail.proxy.exchange import Exchange
from guardrail.proxy.faults import Failed, Fault
from guardrail.proxy.scoring import StreamScoring
from guardrail.proxy.shadow import Shadow
from guardrail.proxy.tap import ReadTap
from guardrail.proxy.timing import EventTiming
from guardrail.proxy.upstream import read_fault
from guardrail.proxy.watchdog import Watchdog
from guardrail.wire.stream import Stream


class Pump:
    """One stream. First `take` and `wrote` by hand, until the client's response has begun; then `flow`."""

    __slots__ = (
        "_abort",
        "_chunked",
        "_client",
        "_codec",
        "_content",
        "_dog",
        "_error",
        "_exchange",
        "_full",
        "_limit",
        "_scoring",
        "_shadow",
        "_tap",
        "_timing",
        "_transport",
        "_wake",
        "waits",
    )

    def __init__(
        self,
        exchange: Exchange,
        codec: Stream,
        dog: Watchdog,
        added: AddedLatency,
        limit: int,
        abort: Callable[[], None],
        scoring: StreamScoring | None = None,
        shadow: Shadow | None = None,
    ) -> None:
        """`limit`: bytes the whole answer may have; `abort` closes the upstream's connection; `shadow` is shown every
        read, when what came of it has been written."""
        self._exchange = exchange
        self._codec = codec
        self._dog = dog
        self._timing = EventTiming(added)
        self._limit = limit
        self._abort = abort
        self._scoring = scoring
        self._shadow = shadow
        self._full = False
        """The client's buffer is full: what comes from the upstream stays where it is."""
        self._error: BaseException | None = None
        self.waits = False
        """Whether `said` is being waited for."""

    def take(self, data: bytes, came: float) -> bytes:
        """One read (b"": the upstream has ended) through the codec: what to write to the client now.

        Raises WireError, Failed."""
        exchange = self._exchange
        if not self._dog.answered:
            if not data:
                raise Failed(Fault.UPSTREAM_CLOSED)
            self._dog.answered = True
            exchange.first_byte_at = self._dog.written_at = came
        exchange.bytes_in += len(data)
        if exchange.bytes_in > self._limit:
            raise Failed(Fault.RESPONSE_TOO_LARGE)
        out = self._codec.feed(data) if data else self._codec.finish()
        if self._scoring is not None:
            if self._scoring.error is not None:
                raise self._scoring.error
            out = b"".join((self._scoring.take(), out, self._scoring.settle()))
        if self._codec.abort:
            self._abort()
        return out

    async def said(self) -> bytes:
        """Wait for verdicts; what is to be written then. Raises what the codec raises when they lead it on."""
        scoring = self._scoring
        assert scoring is not None
        self._dog.waiting_since = None
        self.waits = True
        await scoring.wait()
        self.waits = False
        if scoring.error is not None:
            raise scoring.error
        if scoring.busy and not scoring.open:
            raise RuntimeError("the stream is stalled, and nothing is being scored")
        if self._codec.abort:
            self._abort()
        return scoring.take()

    def wrote(self, data: bytes, out: bytes, came: float) -> None:
        """`out`, what `take` made of `data`, has been written."""
        now = monotonic()
        self._dog.waiting_since = None if self._busy or self._full else now
        if out:
            self._exchange.bytes_out += len(out)
            self._dog.written_at = now
        self._timing.passed(came, now, data, out)
        if data and self._shadow is not None:
            self._shadow.feed(data)

    async def flow(self, answer: aiohttp.ClientResponse, request: web.Request, writer: AbstractStreamWriter) -> None:
        """Carry on until the stream is done or the upstream has ended. The client's headers must have been written.

        Raises WireError, Failed, and whatever else ends the stream."""
        assert request.transport is not None
        self._transport = request.transport
        self._client = request.protocol
        self._chunked = request.version >= HttpVersion11
        self._content = answer.content
        loop = asyncio.get_running_loop()
        self._wake = loop.create_future()
        self._tap = ReadTap(answer, self._heard)
        if self._scoring is not None:
            self._scoring.changed = self._judged
        try:
            self._heard()  # what came before the tap was there
            while True:
                await self._wake
                if self._error is not None:
                    raise self._error
                if not self._full:
                    return
                self._dog.waiting_since = None
                await writer.drain()
                if self._error is not None:  # of a verdict that came meanwhile
                    raise self._error
                self._dog.waiting_since = monotonic()
                self._wake = loop.create_future()
                self._full = False
                self._heard()
        finally:
            self._tap.remove()
            if self._scoring is not None:
                self._scoring.changed = lambda: None

    @property
    def _busy(self) -> bool:
        """Whether what upstream sends has to wait for verdicts."""
        return self._scoring is not None and self._scoring.busy

    def _judged(self) -> None:
        """Verdicts came."""
        scoring = self._scoring
        assert scoring is not None
        if scoring.error is not None:
            self._end(scoring.error)
            return
        if self._codec.abort:
            self._abort()
        if self._transport.is_closing():
            return
        out = scoring.take()
        if out:
            self._transport.write(b"%x\r\n%b\r\n" % (len(out), out) if self._chunked else out)
        now = monotonic()
        self.wrote(b"", out, now)
        if self._codec.done:
            self._end(None)
        elif self._client.writing_paused and not self._wake.done():
            self._full = True
            self._wake.set_result(None)
        else:
            self._heard()

    def _heard(self) -> None:
        """Something came, or the connection ended."""
        content, codec = self._content, self._codec
        if codec.done:
            self._end(None)
        try:
            while not (self._full or self._wake.done() or self._busy):
                data = content.read_nowait()
                if not data and not content.is_eof():
                    return
                if self._transport.is_closing():
                    return  # the client has gone: the relay's task is about to learn of it
                came = monotonic()
                out = self.take(data, came)
                if out:
                    self._transport.write(b"%x\r\n%b\r\n" % (len(out), out) if self._chunked else out)
                self.wrote(data, out, came)
                if codec.done or not (data or self._busy):
                    self._end(None)
                elif self._client.writing_paused:
                    self._full = True
                    self._wake.set_result(None)
        except aiohttp.ClientError as error:
            self._end(Failed(read_fault(error)))
        except Exception as error:
            self._end(error)

    def _end(self, error: Exception | None) -> None:
        self._error = error
        self._tap.remove()  # at once: the connection may be on its way to the next request
        if not self._wake.done():
            self._wake.set_result(None)
