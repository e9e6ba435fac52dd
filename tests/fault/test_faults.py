"""Every kind of fault, provoked over real sockets: a defined result, for a client that waits and in the record.

One test for each kind, named `test_<kind>` or `test_<kind>__<case>`; the last test compares kinds, tests and docs.
"""

from __future__ import annotations

import asyncio
import gzip
import re
import socket
import zlib
from pathlib import Path

import pytest

from guardrail.governance.desk import desk_of
from guardrail.governance.duty import Duty, Entering
from guardrail.governance.terms import Terms
from guardrail.observe.audit import AuditLog
from guardrail.observe.audit_segments import segments
from guardrail.proxy import app, relay
from guardrail.proxy.admin import LocalSource
from guardrail.proxy.faults import Fault
from guardrail.settings import AuditSettings
from guardrail.state.operations import Get, Operation
from guardrail.state.settings import State
from guardrail.state.sqlite import SqliteStore
from guardrail.wire import body
from guardrail.wire.stream import Stream
from tests.observe.test_audit import full_disk
from tests.proxy.harness import BODY, KEY, Answer, Guarded, guarding, raw_client, settings
from tests.proxy.scripted import (
    Connection,
    Script,
    Seen,
    delta,
    replies,
    response,
    says,
    until,
)

DOCS = Path(__file__).parents[2] / "docs" / "faults.md"


async def check(guarded: Guarded, got: Answer, fault: Fault, *, outcome: str = "fault") -> None:
    """The client got the table's status and an error in OpenAI's shape; record and metric name the kind."""
    assert got.status == fault.status
    assert set(got.error) == {"message", "type", "param", "code"}
    assert got.error["type"] == fault.type
    assert got.error["code"] == ("invalid_api_key" if fault is Fault.UNAUTHORIZED else fault.kind)
    assert got.headers["content-type"].startswith("application/json")
    record = await guarded.record()
    assert (record.outcome, record.fault, record.status) == (outcome, fault.kind, fault.status)
    assert record.request_id == got.headers["x-guardrail-request-id"]
    assert guarded.metric("guardrail_faults_total", kind=fault.kind) >= 1
    assert guarded.proxy.admission.in_flight == 0


async def check_stream(guarded: Guarded, got: Answer, fault: Fault, *, text: str) -> None:
    """The stream had begun: the client got what was decided, then an error event, then `[DONE]`."""
    assert got.status == 200
    assert got.text == text
    assert got.events[-1] == "[DONE]"
    assert got.events[-2]["error"]["code"] == fault.kind
    record = await guarded.record()
    assert (record.outcome, record.fault) == ("fault", fault.kind)
    assert record.received == record.released + record.removed + record.dropped
    assert guarded.metric("guardrail_faults_total", kind=fault.kind) == 1


def then(*pieces: bytes, end: str) -> Script:
    """A script that streams raw pieces, and then stalls, resets, closes or ends its body."""

    async def script(request: Seen, conn: Connection) -> None:
        await conn.begin_stream()
        await conn.stream(*pieces, apart=True)
        if end == "stall":
            await conn.wait_gone()
        elif end == "reset":
            await asyncio.sleep(0.05)
            conn.reset()
        elif end == "close":
            conn.writer.close()
        else:
            await conn.end()

    return script


async def stalls(request: Seen, conn: Connection) -> None:
    await conn.wait_gone()


# The client's request


async def test_unauthorized() -> None:
    async with guarding(says("hi"), anonymous=False) as guarded:
        await check(guarded, await guarded.ask(key="wrong"), Fault.UNAUTHORIZED, outcome="refused")
        assert (await guarded.ask(key=KEY)).status == 200
        assert len(guarded.upstream.requests) == 1


@pytest.mark.parametrize("path", ["/v1/complete", "/*", "/v1/chat/completions/", "/v1//models", "/v1/models/%2e%2e/x"])
async def test_unknown_path(path: str) -> None:
    async with guarding(says("hi")) as guarded:
        got = await guarded.ask(path=path)
        await check(guarded, got, Fault.UNKNOWN_PATH, outcome="refused")
        assert "upstreams.default.pass_through" in got.error["message"]
        assert guarded.upstream.requests == []


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/chat/completions"), ("POST", "/")])
async def test_method_not_allowed(method: str, path: str) -> None:
    async with guarding(says("hi")) as guarded:
        got = await guarded.ask(method=method, path=path)
        await check(guarded, got, Fault.METHOD_NOT_ALLOWED, outcome="refused")
        assert guarded.upstream.requests == []


@pytest.mark.parametrize("path", ["/v1/realtime", "/v1/responses", "/v1/else"])
async def test_upgrade_refused(path: str) -> None:
    headers = {
        "Connection": "keep-alive, Upgrade",
        "Upgrade": "WebSocket",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
    }
    async with guarding(says("hi"), pass_through=("/v1/realtime",)) as guarded:
        got = await guarded.ask(b"", method="GET", path=path, headers=headers)
        await check(guarded, got, Fault.UPGRADE_REFUSED, outcome="refused")
        assert "not relayed" in got.error["message"]
        assert guarded.upstream.requests == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"x"',
        b"\xff\xfe",
        b'{"model":"m"}',
        b'{"messages":[],"model":"m"}',
        b'{"a":1,"a":2}',
        b"[" * 9999,
    ],
)
async def test_bad_request(body: bytes) -> None:
    async with guarding(says("hi")) as guarded:
        await check(guarded, await guarded.ask(body), Fault.BAD_REQUEST, outcome="refused")
        assert guarded.upstream.requests == []


async def test_bad_request__body_does_not_decompress() -> None:
    async with guarding(says("hi")) as guarded:
        got = await guarded.ask(b"not gzip", headers={"Content-Encoding": "gzip"})
        await check(guarded, got, Fault.BAD_REQUEST, outcome="refused")


async def test_request_stalled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "BODY_TIMEOUT", 0.1)
    async with guarding(says("hi")) as guarded:
        reader, writer = await asyncio.open_connection("127.0.0.1", guarded.port)
        writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nHost: g\r\nContent-Length: 100\r\n\r\n{")
        assert b" 408 " in await reader.readline()
        assert (await guarded.record()).fault == Fault.REQUEST_STALLED.kind
        writer.close()


async def test_request_too_large() -> None:
    async with guarding(says("hi"), request_bytes=2048) as guarded:
        await check(guarded, await guarded.ask(b" " * 2049), Fault.REQUEST_TOO_LARGE, outcome="refused")
        assert guarded.upstream.requests == []


async def test_request_too_large__after_decompression() -> None:
    bomb = gzip.compress(b" " * (50 << 20))
    async with guarding(says("hi"), request_bytes=1 << 20) as guarded:
        got = await guarded.ask(bomb, headers={"Content-Encoding": "gzip"})
        await check(guarded, got, Fault.REQUEST_TOO_LARGE, outcome="refused")


async def test_request_too_large__without_a_length() -> None:
    async with guarding(says("hi"), request_bytes=2048) as guarded:

        async def body() -> object:
            for _ in range(5):
                yield b" " * 1024

        async with guarded.session.post(guarded.url + "/v1/chat/completions", data=body()) as got:
            assert got.status == 413


async def test_unsupported_encoding() -> None:
    async with guarding(says("hi")) as guarded:
        got = await guarded.ask(headers={"Content-Encoding": "x-odd"})
        await check(guarded, got, Fault.UNSUPPORTED_ENCODING, outcome="refused")


async def test_tenant_busy() -> None:
    async with guarding(then(delta("x"), end="stall"), streams_per_tenant=1) as guarded:
        async with raw_client(guarded) as (reader, _):
            await reader.readuntil(b"\r\n\r\n")
            got = await guarded.ask()
            assert got.headers["retry-after"] == "1"
            assert (got.status, got.error["code"]) == (429, "tenant_busy")
            guarded.upstream.script = says("hi")
            assert (await guarded.ask(key=KEY)).status == 200  # another tenant
        await until(lambda: guarded.proxy.admission.in_flight == 0)


async def test_proxy_full() -> None:
    async with guarding(then(delta("x"), end="stall"), streams=1) as guarded, raw_client(guarded) as (reader, _):
        await reader.readuntil(b"\r\n\r\n")
        got = await guarded.ask(key=KEY)
        assert got.headers["retry-after"] == "1"
        assert (got.status, got.error["code"]) == (503, "proxy_full")


class Needs(Duty):
    """A duty that must know something."""

    use = "limits"

    def asks(self, entering: Entering) -> list[Operation]:
        return [Get("case", "any")]


async def test_state_unavailable() -> None:
    store = SqliteStore(None)
    await store.close()
    async with guarding(says("hi"), duties=[Needs()], store=store, on_failure={"limits": "closed"}) as guarded:
        got = await guarded.ask()
        await check(guarded, got, Fault.STATE_UNAVAILABLE, outcome="refused")
        assert got.headers["retry-after"] == "1"
        assert guarded.metric("guardrail_state_up") == 0
        assert guarded.metric("guardrail_state_failures_total", use="limits", done="closed") == 1


async def test_audit_unavailable(tmp_path: Path) -> None:
    kept = settings("http://unused", state=State(folder=str(tmp_path)), audit=AuditSettings(fail="closed"))
    async with desk_of(kept, {}, lambda _: Terms()) as desk, guarding(says("hi"), desk=desk) as guarded:
        assert isinstance(desk.audit, AuditLog)
        with full_disk(10, segments(desk.audit.path)[0]):
            assert (await guarded.ask()).status == 200  # what has begun is not known to be lost yet
            got = await guarded.ask()
            await check(guarded, got, Fault.AUDIT_UNAVAILABLE, outcome="refused")
            assert got.headers["retry-after"] == "1"
            assert guarded.metric("guardrail_audit_failing") == 1
            told = await LocalSource(guarded.proxy).readiness()
            assert not told["ready"]
            assert "audit log" in told["reasons"][0]
        await until(lambda: not desk.audit.failing)  # type: ignore[attr-defined]
        assert (await guarded.ask()).status == 200
        assert guarded.metric("guardrail_audit_lost_total") == 0
        assert guarded.metric("guardrail_audit_records_total") == 4


async def test_draining__a_new_request() -> None:
    async with guarding(says("hi")) as guarded:
        guarded.proxy.draining = True
        got = await guarded.ask()
        await check(guarded, got, Fault.DRAINING, outcome="refused")
        assert got.headers["retry-after"] == "1"
        assert got.headers["connection"] == "close"


async def test_draining__a_running_stream() -> None:
    async with guarding(then(delta("so far", role="assistant"), end="stall")) as guarded:
        running = asyncio.create_task(guarded.ask())
        await until(lambda: guarded.proxy.admission.in_flight == 1)
        await asyncio.sleep(0.1)
        await guarded.proxy.drain(0, tuple)
        await check_stream(guarded, await running, Fault.DRAINING, text="so far")
        await guarded.upstream.connections[0].wait_gone()


# The model server


async def test_connect_failed() -> None:
    async with guarding(says("hi"), url="http://127.0.0.1:1") as guarded:
        await check(guarded, await guarded.ask(), Fault.CONNECT_FAILED)


async def test_connect_failed__no_such_host() -> None:
    async with guarding(says("hi"), url="http://nowhere.invalid") as guarded:
        await check(guarded, await guarded.ask(), Fault.CONNECT_FAILED)


async def test_connect_timeout() -> None:
    # A listener whose queue is full takes no further connection.
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    sock.listen(0)
    port = sock.getsockname()[1]
    waiting = [socket.socket() for _ in range(8)]
    for one in waiting:
        one.setblocking(False)
        one.connect_ex(("127.0.0.1", port))
    async with guarding(says("hi"), url=f"http://127.0.0.1:{port}", connect=0.2) as guarded:
        await check(guarded, await guarded.ask(), Fault.CONNECT_TIMEOUT)
    for one in (*waiting, sock):
        one.close()


@pytest.mark.parametrize("how", ["reset", "close"])
async def test_upstream_closed__before_an_answer(how: str) -> None:
    async def script(request: Seen, conn: Connection) -> None:
        conn.reset() if how == "reset" else conn.writer.close()

    async with guarding(script) as guarded:
        await check(guarded, await guarded.ask(), Fault.UPSTREAM_CLOSED)


async def test_upstream_closed__after_its_headers() -> None:
    async with guarding(then(end="end")) as guarded:
        await check(guarded, await guarded.ask(), Fault.UPSTREAM_CLOSED)


@pytest.mark.parametrize("how", ["reset", "close", "end"])
async def test_upstream_closed__between_events(how: str) -> None:
    async with guarding(then(delta("one "), delta("two"), end=how)) as guarded:
        await check_stream(guarded, await guarded.ask(), Fault.UPSTREAM_CLOSED, text="one two")


@pytest.mark.parametrize("how", ["reset", "close", "end"])
async def test_upstream_closed__in_the_middle_of_an_event(how: str) -> None:
    async with guarding(then(delta("one "), delta("two")[:-20], end=how)) as guarded:
        await check_stream(guarded, await guarded.ask(), Fault.UPSTREAM_CLOSED, text="one ")


async def test_upstream_closed__while_text_is_held() -> None:
    async with guarding(then(delta("a forbidden"), end="end")) as guarded:
        await check_stream(guarded, await guarded.ask(), Fault.UPSTREAM_CLOSED, text="a forbidden")


async def test_upstream_closed__in_a_body_that_is_not_streamed() -> None:
    async def script(request: Seen, conn: Connection) -> None:
        await conn.send(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"choi')
        conn.writer.close()

    async with guarding(script) as guarded:
        await check(guarded, await guarded.ask({**BODY, "stream": False}), Fault.UPSTREAM_CLOSED)


async def test_first_byte_timeout() -> None:
    async with guarding(stalls, first_byte=0.1) as guarded:
        await check(guarded, await guarded.ask(), Fault.FIRST_BYTE_TIMEOUT)
        assert (await guarded.record()).upstream_aborted
        await guarded.upstream.connections[0].wait_gone()


async def test_first_byte_timeout__headers_are_not_enough() -> None:
    async with guarding(then(end="stall"), first_byte=0.1) as guarded:
        await check(guarded, await guarded.ask(), Fault.FIRST_BYTE_TIMEOUT)


async def test_idle_timeout() -> None:
    async with guarding(then(delta("one "), delta("forb"), end="stall"), idle=0.1, first_byte=0.5) as guarded:
        await check_stream(guarded, await guarded.ask(), Fault.IDLE_TIMEOUT, text="one forb")
        assert (await guarded.record()).upstream_aborted
        await guarded.upstream.connections[0].wait_gone()


async def test_total_timeout() -> None:
    async def drip(request: Seen, conn: Connection) -> None:
        await conn.begin_stream()
        while not conn.gone.is_set():
            await conn.stream(delta("x"))
            await asyncio.sleep(0.02)

    async with guarding(drip, total=0.4) as guarded:
        got = await guarded.ask()
        await check_stream(guarded, got, Fault.TOTAL_TIMEOUT, text=got.text)
        assert set(got.text) == {"x"}


async def test_total_timeout__of_an_answer_that_is_not_streamed() -> None:
    async with guarding(stalls, total=0.2, first_byte=0.05) as guarded:
        await check(guarded, await guarded.ask({**BODY, "stream": False}), Fault.TOTAL_TIMEOUT)


async def test_total_timeout__of_a_client_that_does_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "FINISH_GRACE", 0.1)

    async def flood(request: Seen, conn: Connection) -> None:
        await conn.begin_stream()
        while not conn.gone.is_set():
            await conn.stream(*[delta("word " * 100)] * 50)

    async with guarding(flood, total=1) as guarded, raw_client(guarded):
        record = await guarded.record()
        assert (record.outcome, record.fault) == ("fault", "total_timeout")
        # Bounded: what fits in the sockets and in two read buffers, however long the upstream goes on.
        assert record.bytes_in < 32 << 20
        await guarded.upstream.connections[0].wait_gone()


@pytest.mark.parametrize(
    "raw", [b"garbage\r\n\r\n", b"\x00" * 100 + b"\r\n\r\n", b"HTTP/1.1 abc OK\r\n\r\n", b"x" * 40000]
)
async def test_upstream_bad_http(raw: bytes) -> None:
    async with guarding(replies(raw)) as guarded:
        await check(guarded, await guarded.ask(), Fault.UPSTREAM_BAD_HTTP)


async def test_upstream_redirect() -> None:
    raw = response(b"", status="307 Temporary Redirect", headers=("Location: http://169.254.169.254/",))
    async with guarding(replies(raw)) as guarded:
        got = await guarded.ask()
        await check(guarded, got, Fault.UPSTREAM_REDIRECT)
        assert "location" not in got.headers
        assert len(guarded.upstream.requests) == 1


@pytest.mark.parametrize("streamed", [True, False])
async def test_upstream_bad_type(streamed: bool) -> None:
    raw = response(b"<html>forbidden recipe</html>", kind="text/html")
    async with guarding(replies(raw)) as guarded:
        got = await guarded.ask({**BODY, "stream": streamed})
        await check(guarded, got, Fault.UPSTREAM_BAD_TYPE)
        assert b"html" not in got.body


@pytest.mark.parametrize("encoding", ["zstd", "gzip, br", "x-odd"])
async def test_upstream_bad_encoding(encoding: str) -> None:
    raw = response(b"whatever", headers=(f"Content-Encoding: {encoding}",))
    async with guarding(replies(raw)) as guarded:
        await check(guarded, await guarded.ask(), Fault.UPSTREAM_BAD_ENCODING)


async def test_upstream_bad_encoding__bytes_that_are_not_gzip() -> None:
    raw = response(b"whatever", headers=("Content-Encoding: gzip",))
    async with guarding(replies(raw)) as guarded:
        await check(guarded, await guarded.ask({**BODY, "stream": False}), Fault.UPSTREAM_BAD_ENCODING)


BAD_EVENTS = [
    pytest.param(b"data: {nope}\n\n", id="malformed JSON"),
    pytest.param(b"data: [1,2]\n\n", id="not an object"),
    pytest.param(b"data: \xff\xfe\n\n", id="invalid UTF-8"),
    pytest.param(b"data: {\x00}\n\n", id="NUL bytes"),
    pytest.param(b"data: " + b"[" * 5000 + b"\n\n", id="deep nesting"),
    pytest.param(b"x" * 5000, id="an endless line"),
    pytest.param(b"data: x\n" * 800, id="no blank line"),
    pytest.param(delta("x" * 10_000_000), id="10 MB in one event"),
]


@pytest.mark.parametrize("bad", BAD_EVENTS)
async def test_upstream_malformed(bad: bytes) -> None:
    async with guarding(then(delta("one "), bad, end="stall"), event_bytes=4096) as guarded:
        await check_stream(guarded, await guarded.ask(), Fault.UPSTREAM_MALFORMED, text="one ")
        await guarded.upstream.connections[0].wait_gone()


@pytest.mark.parametrize("bad", BAD_EVENTS)
async def test_upstream_malformed__at_once(bad: bytes) -> None:
    async with guarding(then(bad, end="stall"), event_bytes=4096) as guarded:
        await check(guarded, await guarded.ask(), Fault.UPSTREAM_MALFORMED)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"\x00"])
async def test_upstream_malformed__a_body_that_is_not_streamed(body: bytes) -> None:
    async with guarding(replies(response(body))) as guarded:
        await check(guarded, await guarded.ask({**BODY, "stream": False}), Fault.UPSTREAM_MALFORMED)


async def test_response_too_large() -> None:
    async with guarding(then(*[delta("word ")] * 40, end="stall"), response_bytes=4096) as guarded:
        got = await guarded.ask()
        await check_stream(guarded, got, Fault.RESPONSE_TOO_LARGE, text=got.text)
        assert len(got.body) < 6000


async def test_response_too_large__a_bomb() -> None:
    squeezed = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = squeezed.compress(b" " * (200 << 20)) + squeezed.flush()
    raw = response(bomb, headers=("Content-Encoding: gzip",))
    async with guarding(replies(raw), response_bytes=1 << 20) as guarded:
        await check(guarded, await guarded.ask({**BODY, "stream": False}), Fault.RESPONSE_TOO_LARGE)
        assert (await guarded.record()).bytes_in < 4 << 20


async def test_response_too_large__an_error_body() -> None:
    raw = response(b"x" * ((1 << 20) + 1), status="400 Bad Request", kind="text/plain")
    async with guarding(replies(raw)) as guarded:
        await check(guarded, await guarded.ask(), Fault.RESPONSE_TOO_LARGE)


async def test_internal(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object) -> None:
        raise ZeroDivisionError("secret text")

    async with guarding(replies(response(b'{"choices":[]}'))) as guarded:
        monkeypatch.setattr(body, "load_object", broken)
        got = await guarded.ask({**BODY, "stream": False})
        await check(guarded, got, Fault.INTERNAL)
        assert b"secret" not in got.body


async def test_internal__in_the_middle_of_a_stream(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    original = Stream.feed

    def broken(self: Stream, data: bytes) -> bytes:
        if b"two" in data:
            raise ZeroDivisionError(data)
        return original(self, data)

    monkeypatch.setattr(Stream, "feed", broken)
    async with guarding(then(delta("one "), delta("two"), end="stall")) as guarded:
        await check_stream(guarded, await guarded.ask(), Fault.INTERNAL, text="one ")
    assert "ZeroDivisionError" in caplog.text
    assert "chatcmpl" not in caplog.text


def test_every_kind_has_a_test_and_a_row() -> None:
    kinds = {fault.kind: fault.status for fault in Fault}
    tested = {
        name.removeprefix("test_").partition("__")[0]
        for name in globals()
        if name.startswith("test_") and name != "test_"
    }
    assert tested - {"every_kind_has_a_test_and_a_row"} == set(kinds)
    rows = dict(re.findall(r"^\| `(\w+)` \| (\d{3}) \|", DOCS.read_text(), re.MULTILINE))
    assert rows == {kind: str(status) for kind, status in kinds.items()}
