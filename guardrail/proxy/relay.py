"""One answer: the one place where the engine, the codec and the sockets meet.

Promises: what the client gets is what the codec returned, one write for each read, and nothing else; a slow client
stops the reading of the upstream; the upstream's connection is closed at once on a halt, on the client's leaving and
on a fault; however the answer ends, the exchange says how.

Every end that is not the upstream's own comes the same way: the handler's task is cancelled. With `_fault` set it
was us (a deadline, a drain), and the answer is ended validly; without, the client has gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import traceback
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from time import monotonic
from typing import NamedTuple

import aiohttp
from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from multidict import CIMultiDict

from guardrail.errors import WireError
from guardrail.observe.metrics import Metrics
from guardrail.observe.records import Outcome, ShadowRecord
from guardrail.policy.policy import Policy
from guardrail.proxy import headers
from guardrail.proxy.classifiers import Opened
from guardrail.proxy.exchange import Exchange
from guardrail.proxy.faults import Failed, Fault
from guardrail.proxy.pump import Pump
from guardrail.proxy.routes import spoken_at
from guardrail.proxy.scoring import StreamScoring, score_missing
from guardrail.proxy.shadow import Shadow, Shadows
from guardrail.proxy.upstream import READABLE_ENCODINGS, Upstream, read_fault
from guardrail.proxy.watchdog import Watchdog
from guardrail.settings import Limits
from guardrail.state.operations import Count
from guardrail.whole_texts import OFF_LOOP_BYTES, looked_at
from guardrail.wire.annotation import annotated
from guardrail.wire.answer import Fault as InBandFault
from guardrail.wire.inserts import Inserts
from guardrail.wire.protocol import OpenStream, Protocol
from guardrail.wire.record import UPSTREAM_ERROR
from guardrail.wire.request import ModelRequest
from guardrail.wire.stream import Stream, WireLimits
from guardrail.wire.whole_text import Verdicts

logger = logging.getLogger("guardrail.proxy")

JSON = "application/json"

SERVER = "guardrail"
"""In the place of the library's name and version, which are nobody's business."""

ERROR_BYTES = 1 << 20
"""The longest error body of an upstream that is passed on; real ones have a few hundred bytes."""

FINISH_GRACE = 5.0
"""Seconds a client may take to accept the end of its answer before its connection is dropped."""


class Asked(NamedTuple):
    """A request at a guarded path."""

    protocol: Protocol
    request: ModelRequest


class Relay:
    """Relays one answer. Made and run in the handler's task."""

    def __init__(
        self,
        exchange: Exchange,
        request: web.Request,
        asked: Asked | None,
        policy: Policy,
        upstream: Upstream,
        opened: Opened | None,
        limits: Limits,
        metrics: Metrics,
        shadow: tuple[Shadows, Policy] | None = None,
    ) -> None:
        """`asked`: what was asked for; None at a path that passes unscanned. `opened`: the policy's classifier, when it
        has one. `shadow`: a policy that judges a streamed answer beside it."""
        self._exchange = exchange
        self._request = request
        standing = exchange.standing
        if asked is not None and standing is not None and (standing.before or standing.behind):
            said_with = Inserts.of(standing.before, standing.behind)
            asked = Asked(asked.protocol, replace(asked.request, said_with=said_with))
        self._asked = asked
        self._policy = policy
        self._upstream = upstream
        self._limits = limits
        self._opened = opened
        self._scoring: StreamScoring | None = None
        self._metrics = metrics
        self._shadowed = shadow
        self._shadow: Shadow | None = None
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._dog = Watchdog(
            upstream.config.timeouts,
            limits.keep_alive,
            self.interrupt,
            self._keep_alive,
            first_byte=asked is not None and asked.request.stream,
        )
        self._fault: Fault | None = None
        self._asking = False
        self._answer: aiohttp.ClientResponse | None = None
        self._codec: Stream | None = None
        self._client: web.StreamResponse | None = None
        self._writer: AbstractStreamWriter | None = None
        self._comment: asyncio.Future[None] | None = None
        self._ending = False
        self._delivered = False

    def interrupt(self, fault: Fault) -> None:
        """End the answer with `fault`, from anywhere on the event loop. The first fault wins."""
        if self._fault is None and not self._ending:
            self._fault = fault
            self._task.cancel()

    def drop(self) -> None:
        """Break the answer off, as if its client had gone."""
        self._task.cancel()
        self._drop_client()

    async def run(self, body: bytes) -> web.StreamResponse:
        """Send `body` to the upstream and relay its answer. Raises Failed while nothing was sent to the client yet;
        CancelledError or ConnectionError when the client has gone."""
        self._upstream.in_use += 1
        if self._opened is not None:
            self._opened.in_use += 1
        try:
            try:
                return await self._relay(body)
            except asyncio.CancelledError:
                if self._fault is None or self._task.uncancel() > 0:
                    raise
                raise Failed(self._fault) from None
            except (Failed, ConnectionError):
                raise
            except Exception as error:
                # Type and place only: the message of an exception may quote the model's text.
                where = "".join(traceback.format_tb(error.__traceback__))
                logger.error("%s: %s in the relay\n%s", self._exchange.request_id, type(error).__name__, where)
                raise Failed(Fault.INTERNAL) from None
        except Failed as failed:
            self._close_upstream()
            if self._client is None or self._writer is None:
                raise
            await self._end_with_fault(failed, self._client, self._writer)
            return self._client
        except (asyncio.CancelledError, ConnectionError):
            if not self._delivered:
                self._exchange.outcome = "disconnected"
            raise
        finally:
            self._ending = True
            self._dog.stop()
            self._close_upstream()
            self._upstream.in_use -= 1
            if self._opened is not None:
                self._opened.in_use -= 1
            if self._scoring is not None:
                self._scoring.stop()
                self._exchange.encoder_calls = self._scoring.encoder_calls
            if self._codec is not None and self._exchange.text is None:
                self._exchange.text = self._codec.record
            if self._shadow is not None and self._exchange.text is not None:
                self._take_shadow(self._shadow.cut(self._exchange.text))

    async def _relay(self, body: bytes) -> web.StreamResponse:
        asked = self._asked
        target = self._request.rel_url
        protocol = spoken_at(target.raw_path)
        self._asking = True
        try:
            answer = self._answer = await self._upstream.request(
                self._request.method,
                target.raw_path,
                self._query(),
                self._forwarded_headers(body),
                body,
                self._exchange.attempts,
                key_header=protocol.key_header,
            )
        except Failed:
            self._asking = False  # it ended by itself; a cancellation is what aborts it
            raise
        self._asking = False
        if headers.unreadable_encoding(answer.headers, READABLE_ENCODINGS) is not None:
            raise Failed(Fault.UPSTREAM_BAD_ENCODING)
        if answer.status >= 400:
            return await self._pass_error(answer)
        if answer.status >= 300:
            raise Failed(Fault.UPSTREAM_REDIRECT)
        if asked is None:
            return await self._pass_unscanned(answer)
        kind = headers.content_type(answer.headers)
        # What the upstream says it sends decides, and is guarded as that; only where it says nothing does what the
        # client asked for.
        if kind == asked.protocol.media_type or (not kind and asked.request.stream):
            return await self._stream(answer, asked, asked.protocol.stream)
        if kind == JSON and asked.request.stream and asked.protocol.array is not None:
            return await self._stream(answer, asked, asked.protocol.array)
        if kind == JSON or not kind:
            return await self._whole(answer, asked)
        raise Failed(Fault.UPSTREAM_BAD_TYPE)

    def _forwarded_headers(self, body: bytes) -> CIMultiDict[str]:
        forwarded = headers.to_upstream(self._request.headers)
        if body:
            forwarded.setdefault("Content-Type", JSON)
        # A client without a guardrail key brings its own for the upstream, unless guardrail holds one.
        if self._exchange.anonymous and not self._upstream.has_key:
            for name in headers.CREDENTIALS:
                if name in self._request.headers:
                    forwarded[name] = self._request.headers[name]
        return forwarded

    def _query(self) -> str:
        """The query for the upstream: without a key, unless it is the client's own for the upstream."""
        query = self._request.rel_url.raw_query_string
        if self._exchange.anonymous and not self._upstream.has_key:
            return query
        return headers.without_keys(query)[0]

    # Streams

    async def _stream(self, answer: aiohttp.ClientResponse, asked: Asked, opens: OpenStream) -> web.StreamResponse:
        limits = WireLimits(event_bytes=self._limits.event_bytes)
        case_id = self._exchange.request_id
        codec = self._codec = opens(self._policy, asked.request, case_id=case_id, limits=limits)
        if self._shadowed is not None:
            shadows, policy = self._shadowed
            beside = opens(policy, asked.request, case_id=case_id, limits=limits)
            self._shadow = shadows.begin(policy, beside, case_id)
        settings = self._policy.classifier
        if settings is not None and self._opened is not None:
            self._scoring = StreamScoring(codec, self._opened.classifier, settings.deadline, self._metrics.verdicts)
        try:
            client = await self._pump(answer, codec)
        except WireError as error:
            raise Failed(Fault.UPSTREAM_MALFORMED, str(error)) from error
        if self._fault is not None:
            await asyncio.sleep(0)  # the cancellation that comes with it is delivered here
        self._ending = True
        record = self._exchange.text = codec.record
        self._exchange.outcome = "halted" if record.halted else "complete"
        if record.fault == UPSTREAM_ERROR:
            self._exchange.outcome = "upstream_error"
        elif record.fault is not None:
            self._exchange.outcome, self._exchange.fault = "fault", Fault.UPSTREAM_CLOSED
        await self._finish(client)
        if self._answer is not None:
            self._answer = None
            self._upstream.spare(answer)
        if self._scoring is not None and settings is not None and not settings.holds:
            # Nothing waited for these verdicts; the record does.
            await self._last_verdicts(self._scoring)
            self._exchange.text = codec.record
        if self._shadow is not None:
            self._take_shadow(await self._shadow.finish(self._exchange.text))
        return client

    def _take_shadow(self, made: tuple[ShadowRecord, Count]) -> None:
        assert self._shadowed is not None
        self._shadow = None
        self._exchange.shadow, counted = made
        self._shadowed[0].over(counted)

    async def _last_verdicts(self, scoring: StreamScoring) -> None:
        """Wait for the verdicts that are out, also when the client leaves meanwhile: it has all it came for."""
        left: asyncio.CancelledError | None = None
        while scoring.open and scoring.error is None:
            try:
                await scoring.wait()
            except asyncio.CancelledError as cancelled:
                if left is not None:  # not the client: an end at once
                    raise
                left = cancelled
        if left is not None:
            assert self._codec is not None
            self._exchange.text = self._codec.record
            raise left

    async def _pump(self, answer: aiohttp.ClientResponse, codec: Stream) -> web.StreamResponse:
        """Read, guard, write, until either side has ended. The client's answer begins with the first bytes for it, so
        that until then a fault is still an HTTP status."""
        limit = self._limits.response_bytes
        scoring = self._scoring
        added, abort = self._metrics.added, self._close_upstream
        pump = Pump(self._exchange, codec, self._dog, added, limit, abort, scoring, self._shadow)
        if scoring is not None:
            scoring.changed = lambda: self._spill(answer, pump)
        data = b"-"
        while not codec.done and (data or (scoring is not None and scoring.busy)):
            if scoring is not None and scoring.busy:
                came = monotonic()
                out = await pump.said()
            else:
                try:
                    data = await answer.content.readany()
                except aiohttp.ClientError as error:
                    if codec.done:  # a verdict has ended it meanwhile, and closed the upstream
                        break
                    raise Failed(read_fault(error)) from error
                came = monotonic()
                out = pump.take(data, came)
            if out:
                writer = self._writer or await self._begin(answer, self._media_type)
                await writer.write(out)
            pump.wrote(data, out, came)
            if self._writer is not None and data and not codec.done:
                await pump.flow(answer, self._request, self._writer)
                break
        if scoring is not None:
            scoring.changed = lambda: None
            await self._write_verdicts(answer, pump)
        if self._writer is None:
            await self._begin(answer, self._media_type)
        assert self._client is not None
        return self._client

    def _spill(self, answer: aiohttp.ClientResponse, pump: Pump) -> None:
        """Verdicts came while the first bytes for the client were still being waited for. Where the relay itself waits
        for them it writes what they lead to; where it waits for the upstream it is done here."""
        if not pump.waits:
            self._comment = asyncio.ensure_future(self._write_verdicts(answer, pump))

    async def _write_verdicts(self, answer: aiohttp.ClientResponse, pump: Pump) -> None:
        scoring, codec = self._scoring, self._codec
        if self._ending or scoring is None or codec is None:
            return
        out = scoring.take()
        if out:
            with contextlib.suppress(ConnectionError):  # the handler's own task learns of it
                writer = self._writer or await self._begin(answer, self._media_type)
                await writer.write(out)
                pump.wrote(b"", out, monotonic())
        if codec.abort:
            self._close_upstream()

    def _keep_alive(self) -> None:
        """Tell a client that waits for withheld text that it is not forgotten. Called by the watchdog."""
        if not self._request.protocol.writing_paused:
            self._comment = asyncio.ensure_future(self._write_comment())

    async def _write_comment(self) -> None:
        answer, codec = self._answer, self._codec
        if self._ending or answer is None or codec is None:
            return
        with contextlib.suppress(ConnectionError):  # the handler's own task learns of it
            writer = self._writer or await self._begin(answer, self._media_type)
            comment = codec.keep_alive()
            await writer.write(comment)
            self._exchange.bytes_out += len(comment)

    async def _end_with_fault(self, failed: Failed, client: web.StreamResponse, writer: AbstractStreamWriter) -> None:
        """End an answer that has begun: what is settled, the error, what ends a stream."""
        self._ending = True
        self._exchange.outcome = "fault"
        self._exchange.fault = failed.fault
        if self._codec is None:
            self._drop_client()  # a body of unknown kind has no valid early end
            return
        try:
            out = await self._last_words(self._codec, InBandFault(failed.fault.kind, failed.detail))
        except Exception as error:
            logger.error("%s: %s while ending the stream", self._exchange.request_id, type(error).__name__)
            self._drop_client()
            return
        self._exchange.bytes_out += len(out)
        try:
            async with asyncio.timeout(FINISH_GRACE):
                await writer.write(out)
        except TimeoutError:
            self._drop_client()
        else:
            await self._finish(client)

    async def _last_words(self, codec: Stream, fault: InBandFault) -> bytes:
        """What ends a stream that cannot go on; where verdicts are missing it is waited for them, as long as a client
        is waited for. Raises TimeoutError after that, and what the codec raises."""
        scoring = self._scoring
        if scoring is None:
            return codec.fail(fault)
        scoring.changed = lambda: None
        out = [scoring.take()]
        async with asyncio.timeout(FINISH_GRACE):
            while True:
                scoring.error = None
                out.append(codec.fail(fault))
                try:
                    out.append(scoring.settle())
                    while not codec.done and scoring.open:
                        await scoring.wait()
                        if scoring.error is not None:
                            raise scoring.error
                        out.append(scoring.take())
                    break
                except WireError:  # in what had come before the fault, and was reached only now
                    out.append(scoring.take())
        return b"".join(out)

    # Answers that are not streamed

    async def _whole(self, answer: aiohttp.ClientResponse, asked: Asked) -> web.StreamResponse:
        return await self._guard(answer, await self._read_body(answer, self._limits.response_bytes), asked)

    async def _guard(self, answer: aiohttp.ClientResponse, body: bytes, asked: Asked) -> web.StreamResponse:
        verdicts = Verdicts()
        guard_body = asked.protocol.guard_body
        look = partial(guard_body, self._policy, asked.request, body, self._exchange.request_id, verdicts)
        try:
            guarded, text = await looked_at(look, partial(self._score, verdicts), off_loop=len(body) >= OFF_LOOP_BYTES)
        except WireError as error:
            raise Failed(Fault.UPSTREAM_MALFORMED, str(error)) from error
        self._exchange.text = text
        if asked.request.annotate:
            guarded = annotated(guarded, text)
        outcome: Outcome = "halted" if text.halted else "complete"
        if text.fault == UPSTREAM_ERROR or (answer.status >= 400 and not text.halted):
            outcome = "upstream_error"
        return self._respond(answer, guarded, outcome)

    async def _score(self, verdicts: Verdicts) -> None:
        """Have scored what is missing."""
        self._dog.waiting_since = None
        self._exchange.encoder_calls += await score_missing(self._policy, self._opened, verdicts)

    async def _pass_error(self, answer: aiohttp.ClientResponse) -> web.StreamResponse:
        """An upstream's own error, as it came: it tells the client what a model server tells. What holds an answer is
        guarded, whatever its status says."""
        body = await self._read_body(answer, ERROR_BYTES)
        if self._asked is not None and self._asked.protocol.answer_key in body:
            return await self._guard(answer, body, self._asked)
        return self._respond(answer, body, "upstream_error")

    def _respond(self, answer: aiohttp.ClientResponse, body: bytes, outcome: Outcome) -> web.StreamResponse:
        self._exchange.outcome = outcome
        self._exchange.status = answer.status
        self._exchange.bytes_out = len(body)
        return web.Response(status=answer.status, headers=self._client_headers(answer), body=body)

    async def _pass_unscanned(self, answer: aiohttp.ClientResponse) -> web.StreamResponse:
        """An answer of a path that the configuration lets through. Its header says that no policy saw it."""
        writer = await self._begin(answer, "application/octet-stream")
        assert self._client is not None
        async for data in self._reads(answer, self._limits.response_bytes):
            self._exchange.bytes_out += len(data)
            self._dog.waiting_since = None
            await writer.write(data)
            self._dog.waiting_since = monotonic()
        self._ending = True
        self._exchange.outcome = "passed"
        await self._finish(self._client)
        return self._client

    async def _read_body(self, answer: aiohttp.ClientResponse, limit: int) -> bytes:
        """The whole decoded body. Raises Failed past `limit` bytes and when it breaks off."""
        return b"".join([data async for data in self._reads(answer, limit)])

    async def _reads(self, answer: aiohttp.ClientResponse, limit: int) -> AsyncIterator[bytes]:
        """The reads of a body, watched and counted. Raises Failed."""
        exchange, dog = self._exchange, self._dog
        while True:
            try:
                data = await answer.content.readany()
            except aiohttp.ClientError as error:
                raise Failed(read_fault(error)) from error
            if not data:
                return
            now = dog.waiting_since = monotonic()
            if not dog.answered:
                dog.answered = True
                exchange.first_byte_at = now
            exchange.bytes_in += len(data)
            if exchange.bytes_in > limit:
                raise Failed(Fault.RESPONSE_TOO_LARGE)
            yield data

    # Both ends

    @property
    def _media_type(self) -> str:
        assert self._asked is not None
        return self._asked.protocol.media_type

    async def _begin(self, answer: aiohttp.ClientResponse, kind: str) -> AbstractStreamWriter:
        """Begin the client's answer; its headers go out with its first body bytes."""
        passed = self._client_headers(answer)
        passed.setdefault("Content-Type", kind)
        if self._codec is not None:
            passed["Cache-Control"] = "no-cache"
            passed["X-Accel-Buffering"] = "no"
        client = web.StreamResponse(status=answer.status, headers=passed)
        self._exchange.status = answer.status
        writer = await client.prepare(self._request)
        assert writer is not None
        self._client, self._writer = client, writer
        return writer

    def _client_headers(self, answer: aiohttp.ClientResponse) -> CIMultiDict[str]:
        passed, own = headers.to_client(answer.headers), self._exchange.headers()
        if any(map(headers.is_rate_limit, own)):
            for name in [*filter(headers.is_rate_limit, passed)]:
                passed.popall(name, None)
        passed.update(own)
        standing = self._exchange.standing
        if self._asked is not None and standing is not None and answer.status < 300:
            passed.update(standing.answer)
        passed.setdefault("Server", SERVER)
        return passed

    async def _finish(self, client: web.StreamResponse) -> None:
        """Write the end of the answer. A client that does not take it loses its connection."""
        try:
            async with asyncio.timeout(FINISH_GRACE):
                await client.write_eof()
        except TimeoutError:
            self._drop_client()
        self._delivered = True

    def _drop_client(self) -> None:
        if self._request.transport is not None:
            self._request.transport.abort()

    def _close_upstream(self) -> None:
        """Close the upstream's connection, now: a model server stops generating when its client has gone."""
        answer, self._answer = self._answer, None
        if answer is not None:
            self._exchange.upstream_aborted |= not answer.content.is_eof()
            answer.close()
        elif self._asking:
            self._exchange.upstream_aborted = True
        self._asking = False
