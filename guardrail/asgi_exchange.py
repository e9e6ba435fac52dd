"""One guarded request of an ASGI application: what the application may read, and what becomes of what it sends.

The request's body is read whole, once, and handed to the application in one message. What the application sends is
kept until the codec has seen it. Once the answer is over (a halt, or a fault of ours) the application is told what a
server tells when the client has left: `send` raises OSError and `receive` says `http.disconnect`, which makes
Starlette, and what is built on it, stop the generator that it streams from.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass
from typing import Any, NoReturn

from guardrail.errors import WireError
from guardrail.guarding import Judge, guarded_body
from guardrail.policy.policy import Policy
from guardrail.proxy.faults import Failed, Fault
from guardrail.wire.annotation import annotated
from guardrail.wire.answer import Fault as InBandFault
from guardrail.wire.prompt import PromptRecord
from guardrail.wire.protocol import OpenStream, Protocol, Refusal
from guardrail.wire.record import StreamRecord
from guardrail.wire.request import ModelRequest
from guardrail.wire.stream import Stream, WireLimits

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]
Record = StreamRecord | PromptRecord

JSON = "application/json"

_NOT_TO_CLIENT = frozenset(
    {
        b"accept-ranges",
        b"content-digest",
        b"content-length",
        b"content-md5",
        b"content-range",
        b"digest",
        b"etag",
        b"repr-digest",
        b"trailer",
    }
)
"""What describes the application's own bytes."""

OWN_PREFIX = b"x-guardrail-"


@dataclass(frozen=True, slots=True)
class Limits:
    """Caps on what one exchange may hold, in bytes. The defaults are the proxy's."""

    request_bytes: int = 10 << 20
    response_bytes: int = 32 << 20
    event_bytes: int = 1 << 20


class Gone(Exception):
    """The client left before it had sent its request."""


class Stopped(OSError):
    """What the application gets when it sends more after its answer has ended."""


class Exchange:
    """One request and its answer. `records`: what became of the prompt and of the answer."""

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        protocol: Protocol,
        case_id: str,
        policy: Policy,
        limits: Limits,
    ) -> None:
        self.case_id = case_id
        self.records: list[Record] = []
        self.own_headers: Headers = [
            (b"x-guardrail-request-id", case_id.encode()),
            (b"x-guardrail-policy", policy.tag.encode()),
        ]
        # No compression, and no way to answer around `send`: both would hide the text.
        extensions = {
            name: value
            for name, value in (scope.get("extensions") or {}).items()
            if not name.startswith("http.response.")
        }
        headers = [(name, value) for name, value in scope["headers"] if name.lower() != b"accept-encoding"]
        self.scope: Scope = {**scope, "headers": headers, "extensions": extensions}
        self._send_raw = send
        self._receive_raw = receive
        self._protocol = protocol
        self._limits = limits
        self._policy = policy
        self._request = ModelRequest()
        self._judge = Judge(None, 0.0)
        self._body: bytes | None = None
        """The request's, until the application has it."""
        self._start: Message | None = None
        """The application's, until it went out."""
        self._begun = False
        """Something of the answer went out."""
        self._stream: Stream | None = None
        self._whole: list[bytes] = []
        self._size = 0
        self._over = asyncio.Event()
        self._stopped = False
        """The application was told to stop."""
        self._client_gone = False
        self._pending: asyncio.Future[Message] | None = None

    # The request

    def header(self, name: bytes) -> bytes:
        return next((value.strip() for key, value in self.scope["headers"] if key.lower() == name), b"")

    async def read_body(self) -> bytes:
        """The request's body, which the application gets too. Raises Failed past the cap, Gone."""
        if self.header(b"content-encoding").lower() not in (b"", b"identity"):
            raise Failed(Fault.UNSUPPORTED_ENCODING)
        most = self._limits.request_bytes
        pieces: list[bytes] = []
        more, size = True, 0
        while more:
            message = await self._receive_raw()
            if message["type"] == "http.disconnect":
                raise Gone
            piece = message.get("body", b"")
            size += len(piece)
            if size > most:
                raise Failed(Fault.REQUEST_TOO_LARGE, f"The request body has more than {most} bytes.")
            pieces.append(piece)
            more = message.get("more_body", False)
        self._body = b"".join(pieces)
        return self._body

    def replace_body(self, body: bytes) -> None:
        """The application is to read this in its place."""
        self._body = body
        headers = [(name, value) for name, value in self.scope["headers"] if name.lower() != b"content-length"]
        self.scope["headers"] = [*headers, (b"content-length", b"%d" % len(body))]

    async def receive(self) -> Message:
        """The application's."""
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        if self._over.is_set():
            return {"type": "http.disconnect"}
        if self._pending is None:
            self._pending = asyncio.ensure_future(self._receive_raw())
        if not self._pending.done():
            over = asyncio.ensure_future(self._over.wait())
            either: set[asyncio.Future[Any]] = {self._pending, over}
            try:
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            finally:
                over.cancel()
            if not self._pending.done():
                return {"type": "http.disconnect"}
        pending, self._pending = self._pending, None
        return pending.result()

    # The answer

    def guard(self, policy: Policy, request: ModelRequest, judge: Judge) -> None:
        """What the answer is guarded by, and what it is an answer to."""
        self._policy, self._request, self._judge = policy, request, judge

    async def run(self, app: App) -> None:
        """Have the application answer. Raises what it raises, unless its answer had been ended here; Failed while
        nothing of the answer went out."""
        try:
            await app(self.scope, self.receive, self.send)
        except BaseException as error:
            if self._over.is_set():
                _let_go(error)
            if not isinstance(error, Exception):
                raise
            if self._stopped:
                return  # what it raises is what became of `Stopped` on its way
            if self._stream is not None and self._begun and not self._over.is_set() and not self._client_gone:
                await self._fail(InBandFault(Fault.UPSTREAM_CLOSED.kind, Fault.UPSTREAM_CLOSED.message))
            raise error
        if self._start is not None and not self._over.is_set():
            await self._take(b"", False)

    def close(self) -> None:
        """The exchange is over, however it ended."""
        if self._pending is not None:
            self._pending.cancel()
        if self._stream is not None:
            self.records.append(self._stream.record)

    async def send(self, message: Message) -> None:
        """The application's."""
        try:
            if message["type"] == "http.response.start":
                self._start = message
                self._open(message)
            elif message["type"] == "http.response.body" and self._start is not None:
                await self._take(message.get("body", b""), message.get("more_body", False))
            else:
                raise RuntimeError(f"found the ASGI message {message['type']!r}, expected an answer's start or body")
        except _Refused as refused:
            if self._begun:
                await self._fail(InBandFault(refused.fault.kind, refused.detail))
            else:
                fault = refused.fault
                body = self._protocol.error_body(Refusal(fault.status, fault.type, refused.detail, refused.code))
                await respond(self.send_raw, fault.status, body, self.own_headers)
                self._over.set()
            self._stop()

    async def send_raw(self, message: Message) -> None:
        """The server's."""
        try:
            await self._send_raw(message)
        except OSError:
            self._client_gone = True
            raise

    def _stop(self) -> NoReturn:
        self._stopped = True
        raise Stopped("the answer has ended")

    def _open(self, start: Message) -> None:
        """Decide by what it says of itself how the answer is guarded. What is said to be anything else than a stream or
        JSON is taken for what the client asked for: an answer of another kind fails there."""
        protocol = self._protocol
        headers = {name.lower(): value for name, value in start.get("headers", ())}
        if headers.get(b"content-encoding", b"identity").lower() != b"identity":
            raise _Refused(Fault.UPSTREAM_BAD_ENCODING)
        kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower().decode("latin-1")
        opens: OpenStream | None = None
        if start["status"] >= 300:
            pass
        elif kind == protocol.media_type or (kind != JSON and self._request.stream):
            opens = protocol.stream
        elif kind == JSON and self._request.stream:
            opens = protocol.array
        if opens is not None:
            limits = WireLimits(event_bytes=self._limits.event_bytes)
            self._stream = opens(self._policy, self._request, case_id=self.case_id, limits=limits)

    async def _take(self, data: bytes, more: bool) -> None:
        """Take a piece of the answer."""
        if self._over.is_set():
            if data:
                self._stop()
            return
        self._size += len(data)
        if self._size > self._limits.response_bytes:
            raise _Refused(Fault.RESPONSE_TOO_LARGE)
        if self._stream is not None:
            await self._feed(self._stream, data, more)
            return
        self._whole.append(data)
        if not more:
            await self._guard_whole(b"".join(self._whole))

    async def _feed(self, stream: Stream, data: bytes, more: bool) -> None:
        try:
            await self._write(stream, stream.feed(data))
            if not more:
                await self._write(stream, stream.finish())
        except WireError as error:
            raise _Refused(Fault.UPSTREAM_MALFORMED, str(error)) from error
        if stream.done:
            await self._end()
            if stream.abort and more:
                self._stop()

    async def _write(self, stream: Stream, out: bytes) -> None:
        """Deliver this, and what the verdicts lead to that it asks for."""
        await self._deliver(out)
        async for later in self._judge.settle(stream):
            await self._deliver(later)

    async def _deliver(self, out: bytes) -> None:
        if out:
            await self._begin()
            await self.send_raw({"type": "http.response.body", "body": out, "more_body": True})

    async def _begin(self) -> None:
        if not self._begun:
            assert self._start is not None
            self._begun = True
            await self.send_raw({**self._start, "headers": self._headers(self._start)})

    async def _end(self) -> None:
        await self._begin()
        await self._finish(b"")

    async def _finish(self, body: bytes) -> None:
        """Send the last of the answer. Only then is it over: whoever hears of that may cancel what sends."""
        await self.send_raw({"type": "http.response.body", "body": body, "more_body": False})
        self._over.set()

    async def _fail(self, fault: InBandFault) -> None:
        """End a stream that has begun and cannot go on."""
        assert self._stream is not None
        while not self._stream.done:
            try:
                await self._write(self._stream, self._stream.fail(fault))
            except WireError:  # in what had come before, and was reached only now
                continue
        await self._end()

    async def _guard_whole(self, body: bytes) -> None:
        """The answer is no stream, and complete: guard it. An error, or what was not asked for, is left alone when it
        holds nothing that every answer has."""
        assert self._start is not None
        answers = self._start["status"] < 300 and self.scope["method"] in self._protocol.methods
        if body and (answers or self._protocol.answer_key in body):
            try:
                body, record = await guarded_body(
                    self._protocol.guard_body, self._policy, self._request, body, self.case_id
                )
            except WireError as error:
                raise _Refused(Fault.UPSTREAM_MALFORMED, str(error)) from error
            self.records.append(record)
            if self._request.annotate:
                body = annotated(body, record)
        self._begun = True
        headers = self._headers(self._start)
        if body:
            headers.append((b"content-length", b"%d" % len(body)))
        await self.send_raw({**self._start, "headers": headers})
        await self._finish(body)

    def _headers(self, start: Message) -> Headers:
        kept = [
            (name, value)
            for name, value in start.get("headers", ())
            if name.lower() not in _NOT_TO_CLIENT and not name.lower().startswith(OWN_PREFIX)
        ]
        return [*kept, *self.own_headers]


class _Refused(Failed):
    """The application's answer cannot be delivered."""


def _let_go(error: BaseException) -> None:
    """Forget what the frames that an exception passed through hold: among it the generator that the application
    streamed from, which is closed, and with it what feeds it, when nothing refers to it any more."""
    passed, seen = [error], {id(error)}
    for each in passed:
        traceback.clear_frames(each.__traceback__)
        inside = each.exceptions if isinstance(each, BaseExceptionGroup) else ()
        for other in (each.__context__, each.__cause__, *inside):
            if other is not None and id(other) not in seen:
                seen.add(id(other))
                passed.append(other)


async def respond(
    send: Send, status: int, body: bytes, headers: Iterable[tuple[bytes, bytes]], media_type: str = JSON
) -> None:
    """A whole answer of ours."""
    own = [(b"content-type", media_type.encode()), (b"content-length", b"%d" % len(body)), *headers]
    await send({"type": "http.response.start", "status": status, "headers": own})
    await send({"type": "http.response.body", "body": body, "more_body": False})
