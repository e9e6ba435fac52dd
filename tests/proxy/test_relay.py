"""The relay over real sockets: what passes, when it passes, and that a stop stops the upstream."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from guardrail.policy.registry import Registry
from tests.proxy.harness import (
    BODY,
    KEY,
    OPEN_POLICY,
    POLICY,
    guarding,
    raw_client,
    serving,
    settings,
    snapshot,
)
from tests.proxy.scripted import (
    DONE,
    STREAM_HEAD,
    Connection,
    Seen,
    answer,
    chunk,
    delta,
    plays,
    replies,
    response,
    says,
    scripted,
    until,
)
from tests.wire import gemini_client as gemini


def whole(text: str) -> bytes:
    """A body that is not streamed."""
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return msgspec.json.encode(
        {"id": "chatcmpl-7", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    )


async def test_a_clean_stream_passes_byte_for_byte() -> None:
    events = answer("Hello ", "wor", "ld, ", "你好 🙂")
    async with guarding(plays(*events)) as guarded:
        got = await guarded.ask()
        assert got.body == b"".join(events)
        record = await guarded.record()
        assert record.bytes_in == record.bytes_out == len(got.body)
        assert (record.received, record.released, record.outcome) == (17, 17, "complete")
        assert not record.upstream_aborted


@pytest.mark.parametrize("stream", [True, False])
async def test_a_client_that_asks_is_told_what_was_found(stream: bool) -> None:
    scene = plays(*answer("Write to a.b@example.com.")) if stream else replies(response(whole("to a.b@example.com.")))
    async with guarding(scene) as guarded:
        for headers, told in (({}, 0), ({"x-guardrail-annotate": "0"}, 0), ({"X-Guardrail-Annotate": "True"}, 1)):
            got = await guarded.ask({**BODY, "stream": stream}, headers=headers)
            assert got.body.count(b'"action":"annotate"') == told


async def test_each_read_is_delivered_before_the_next_comes() -> None:
    go = asyncio.Event()

    async def script(request: Seen, conn: Connection) -> None:
        await conn.begin_stream()
        for item in answer("one ", "two ", "three"):
            await conn.stream(item)
            await go.wait()
            go.clear()
        await conn.end()

    async with guarding(script) as guarded, raw_client(guarded) as (reader, _):
        await reader.readuntil(b"\r\n\r\n")
        for item in answer("one ", "two ", "three"):
            async with asyncio.timeout(5):
                assert await reader.readexactly(len(chunk(item))) == chunk(item)
            go.set()


async def test_a_stream_that_is_one_json_array_is_delivered_element_by_element() -> None:
    """As Gemini streams without `alt=sse`: the type of the answer is that of a body."""
    chunks = gemini.says("Hello.", " Acme", " Cola, ", "bye.")
    array = gemini.as_array([*chunks, gemini.chunk(gemini.text(""), finish="STOP")])
    first = array.index(b"\n,")
    go = asyncio.Event()

    async def script(request: Seen, conn: Connection) -> None:
        await conn.send(STREAM_HEAD.replace(b"text/event-stream", b"application/json; charset=UTF-8"))
        await conn.stream(array[:first])
        await go.wait()
        await conn.stream(array[first:])
        await conn.end()

    async with guarding(script) as guarded:
        url = guarded.url + "/v1beta/models/m:streamGenerateContent"
        body = {"contents": [{"parts": [{"text": "hi"}]}]}
        async with guarded.session.post(url, json=body) as got:
            assert await got.content.readexactly(first) == array[:first]
            go.set()
            said = gemini.read_array(array[:first] + await got.content.read())
            assert got.content_type == "application/json"
        assert said.text() == "Hello. [X], bye."
        assert said.finishes == {0: "STOP"}


async def test_headers_each_way() -> None:
    async with guarding(says("hi"), api_key_env="UP", environ={"UP": "sk-up"}) as guarded:
        got = await guarded.ask(
            key=KEY,
            path="/v1/chat/completions?api-version=1",
            headers={"X-Request-Id": "r1", "Connection": "x-hop", "X-Hop": "1", "X-Guardrail-Else": "x;1;2"},
        )
        sent = guarded.upstream.requests[0]
        assert sent.path == "/v1/chat/completions?api-version=1"
        assert sent.headers["authorization"] == "Bearer sk-up"
        assert sent.headers["x-request-id"] == "r1"
        assert sent.headers["accept-encoding"] == "identity"
        assert not {"x-hop", "x-guardrail-else"} & set(sent.headers)
        assert KEY not in repr(sent)
        assert sent.body == msgspec.json.encode(BODY)
        assert got.headers["x-request-id"] == "up-1"
        assert got.headers["x-guardrail-policy"] == POLICY.tag
        assert got.headers["x-guardrail-request-id"].startswith("g-")
        assert got.headers["content-type"] == "text/event-stream"
        assert got.headers["cache-control"] == "no-cache"
        assert got.headers["x-accel-buffering"] == "no"
        assert got.headers["server"] == "guardrail"


@pytest.mark.parametrize(
    ("key", "own", "expected"),
    [
        ("sk-client", None, "Bearer sk-client"),  # anonymous brings its own
        ("sk-client", "sk-up", "Bearer sk-up"),
        (KEY, None, None),  # a guardrail key goes nowhere
        (KEY, "sk-up", "Bearer sk-up"),
        (None, None, None),
    ],
)
async def test_which_key_the_upstream_sees(key: str | None, own: str | None, expected: str | None) -> None:
    environ = {} if own is None else {"UP": own}
    async with guarding(says("hi"), api_key_env="UP", environ=environ) as guarded:
        assert (await guarded.ask(key=key)).status == 200
        assert guarded.upstream.requests[0].headers.get("authorization") == expected


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (f"/v1/chat/completions?key={KEY}&a=1", {}),
        (f"/v1/chat/completions?a=1&key=other&k%65y={KEY}", {}),
        ("/v1/chat/completions?a=1", {"X-Api-Key": KEY}),
        ("/v1/chat/completions?a=1", {"Authorization": KEY}),
    ],
)
async def test_a_guardrail_key_goes_nowhere_wherever_a_client_puts_it(path: str, headers: dict[str, str]) -> None:
    async with guarding(says("hi")) as guarded:
        got = await guarded.ask(path=path, headers={"Authorization": "Bearer sk-client"} | headers)
        assert got.status == 200
        (sent,) = guarded.upstream.requests
        assert sent.path == "/v1/chat/completions?a=1"
        assert not {"authorization", "x-api-key"} & set(sent.headers)


async def test_a_halt_closes_the_upstream_at_once() -> None:
    async def script(request: Seen, conn: Connection) -> None:
        await conn.begin_stream()
        await conn.stream(delta("this forb", role="assistant"), delta("idden rec"), delta("ipe is:"), apart=True)
        await conn.wait_gone()

    async with guarding(script) as guarded:
        got = await guarded.ask()
        await guarded.upstream.connections[0].wait_gone()
        record = await guarded.record()
        case = got.headers["x-guardrail-request-id"]
        assert got.text == f"this \n[Stopped by safety policy. Case {case}]"
        assert got.finish == "content_filter"
        assert got.body.endswith(DONE)
        assert (record.outcome, record.halted, record.upstream_aborted) == ("halted", True, True)
        assert record.received == record.released + record.removed + record.dropped
        assert guarded.metric("guardrail_upstream_aborts_total", reason="halt") == 1
        assert guarded.metric("guardrail_findings_total", rule="halt", action="halt") == 1


@pytest.mark.parametrize("when", ["before the first byte", "in mid-stream", "while not reading"])
async def test_a_client_that_leaves_ends_the_upstreams_request(when: str) -> None:
    async def script(request: Seen, conn: Connection) -> None:
        if when == "in mid-stream":
            await conn.begin_stream()
            await conn.stream(delta("x"))
        elif when == "while not reading":
            await conn.begin_stream()
            while not conn.gone.is_set():
                await conn.stream(*[delta("word " * 100)] * 50)
        await conn.wait_gone()

    async with guarding(script) as guarded:
        async with raw_client(guarded) as (reader, _):
            await guarded.upstream.until_requests(1)
            if when == "in mid-stream":
                await reader.readuntil(b"\r\n\r\n")
            elif when == "while not reading":
                await until(lambda: len(reader._buffer) > 65536)  # type: ignore[attr-defined]
                await asyncio.sleep(0.3)
        await guarded.upstream.connections[0].wait_gone()
        record = await guarded.record()
        assert (record.outcome, record.upstream_aborted) == ("disconnected", True)
        assert record.status == (0 if when == "before the first byte" else 200)
        await until(lambda: guarded.proxy.admission.in_flight == 0)
        assert guarded.metric("guardrail_upstream_aborts_total", reason="disconnected") == 1


async def test_a_slow_client_stops_the_reading_of_the_upstream() -> None:
    sent = 0

    async def script(request: Seen, conn: Connection) -> None:
        nonlocal sent
        await conn.begin_stream()
        piece = delta("word " * 100)
        while sent < 64 << 20 and not conn.gone.is_set():
            await conn.stream(piece)
            sent += len(piece)

    async with guarding(script) as guarded, raw_client(guarded):
        before = -1
        while before != sent:  # until nothing moves any more
            before = sent
            await asyncio.sleep(0.3)
        assert sent < 32 << 20


async def test_a_withheld_tool_call_is_bridged_by_keep_alives() -> None:
    call = {"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": ""}}
    go = asyncio.Event()

    async def script(request: Seen, conn: Connection) -> None:
        await conn.begin_stream()
        await conn.stream(delta(None, role="assistant", tool_calls=[call]))
        await conn.stream(delta(None, tool_calls=[{"index": 0, "function": {"arguments": '{"a":'}}]))
        await go.wait()
        await conn.stream(delta(None, tool_calls=[{"index": 0, "function": {"arguments": '"b"}'}}]))
        await conn.stream(delta(None, finish="tool_calls"), DONE)
        await conn.end()

    async with guarding(script, keep_alive=0.05) as guarded, raw_client(guarded) as (reader, _):
        async with asyncio.timeout(10):
            await reader.readuntil(b": keep-alive\n\n")
            seen = await reader.readuntil(b": keep-alive\n\n")
            assert b"arguments" not in seen
            go.set()
            rest = await reader.readuntil(b"0\r\n\r\n")
        assert rest.index(b"arguments") < rest.index(b'"tool_calls"}') < rest.index(DONE)


async def test_the_upstreams_own_error_is_passed_on_faithfully() -> None:
    body = b'{"error":{"message":"Rate limit reached","type":"tokens","code":"rate_limit_exceeded"}}'
    raw = response(body, status="429 Too Many Requests", headers=("Retry-After: 20", "X-Request-Id: up-9"))
    async with guarding(replies(raw)) as guarded:
        got = await guarded.ask()
        assert (got.status, got.body) == (429, body)
        assert (got.headers["retry-after"], got.headers["x-request-id"]) == ("20", "up-9")
        record = await guarded.record()
        assert (record.outcome, record.fault, record.status) == ("upstream_error", "", 429)
        assert guarded.metric("guardrail_responses_total", outcome="upstream_error") == 1


ERROR = b'{"error":{"message":"CUDA out of memory","type":"server_error","code":null}}'


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        (response(ERROR, status="500 Internal Server Error"), "/v1/models"),
        (response(ERROR), "/v1/chat/completions"),
        (response(b"data: " + ERROR + b"\n\n", kind="text/event-stream"), "/v1/chat/completions"),
    ],
    ids=["unscanned", "a body that is one", "in the stream"],
)
async def test_an_upstreams_error_is_no_complete_answer(raw: bytes, path: str) -> None:
    async with guarding(replies(raw)) as guarded:
        got = await guarded.ask(path=path)
        assert b"CUDA out of memory" in got.body
        record = await guarded.record()
        assert (record.outcome, record.fault) == ("upstream_error", "")
        assert guarded.metric("guardrail_responses_total", outcome="upstream_error") == 1


async def test_a_heartbeat_passes() -> None:
    said = b"Ollama is running"

    async def script(request: Seen, conn: Connection) -> None:
        raw = response(said, kind="text/plain")
        await conn.send(raw if request.line.startswith("GET") else raw.removesuffix(said))

    async with guarding(script) as guarded:
        for method, body in (("GET", said), ("HEAD", b"")):
            got = await guarded.ask(b"", method=method, path="/")
            assert (got.status, got.body) == (200, body)
            assert got.headers["x-guardrail-policy"] == "none"
        assert [seen.line.split()[0] for seen in guarded.upstream.requests] == ["GET", "HEAD"]


async def test_an_error_that_holds_an_answer_is_guarded() -> None:
    raw = response(whole("I like Acme Cola."), status="500 Internal Server Error")
    async with guarding(replies(raw)) as guarded:
        got = await guarded.ask()
        assert got.status == 500
        assert (b"[X]" in got.body, b"Acme" in got.body) == (True, False)


async def test_a_body_that_is_not_streamed() -> None:
    body = whole("Fine.")
    async with guarding(replies(response(body))) as guarded:
        got = await guarded.ask({**BODY, "stream": False})
        assert (got.status, got.body) == (200, body)
        record = await guarded.record()
        assert (record.received, record.released, record.stream) == (5, 5, False)
    async with guarding(replies(response(whole("A forbidden recipe: x")))) as guarded:
        got = await guarded.ask({**BODY, "stream": False})
        choice = msgspec.json.decode(got.body)["choices"][0]
        assert choice["finish_reason"] == "content_filter"
        assert choice["message"]["content"].startswith("A \n[Stopped")
        assert (await guarded.record()).outcome == "halted"


async def test_a_long_body_is_scanned_off_the_loop() -> None:
    text = ("Plain words and more. " * 10 + "Acme Cola. ") * 400
    async with guarding(replies(response(whole(text)))) as guarded:
        got = await guarded.ask({**BODY, "stream": False})
        assert msgspec.json.decode(got.body)["choices"][0]["message"]["content"] == text.replace("Acme Cola", "[X]")
        record = await guarded.record()
        assert (record.findings_total, len(record.findings)) == (400, 20)


async def test_a_connection_is_used_again() -> None:
    async with guarding(says("hi")) as guarded:
        for _ in range(3):
            assert (await guarded.ask()).text == "hi"
        assert len(guarded.upstream.connections) == 1


async def test_an_http_1_0_client() -> None:
    async with guarding(says("hi")) as guarded:
        head = b"POST /v1/chat/completions HTTP/1.0\r\nContent-Type: application/json\r\n"
        async with raw_client(guarded, head=head) as (reader, _):
            raw = await reader.read()
        assert raw.endswith(b"".join(answer("hi")))
        assert b"chunked" not in raw.lower()


async def test_a_path_that_the_configuration_lets_through_passes_unscanned_and_says_so() -> None:
    body = b'{"data":[{"id":"Acme Cola"}]}'
    async with guarding(replies(response(body))) as guarded:
        got = await guarded.ask(path="/v1/models", method="GET")
        assert (got.status, got.body) == (200, body)
        assert got.headers["x-guardrail-policy"] == "none"
        record = await guarded.record()
        assert (record.outcome, record.policy, record.path) == ("passed", "", "/v1/models")


async def test_many_streams_at_once_do_not_mix() -> None:
    async def script(request: Seen, conn: Connection) -> None:
        word = msgspec.json.decode(request.body)["messages"][0]["content"]
        await conn.begin_stream()
        await conn.stream(*answer(*[f"{word} "] * 20), apart=True)
        await conn.end()

    async with guarding(script) as guarded:

        async def one(n: int) -> None:
            got = await guarded.ask({**BODY, "messages": [{"role": "user", "content": f"w{n}"}]})
            assert got.text == f"w{n} " * 20

        await asyncio.gather(*(one(n) for n in range(50)))
        assert guarded.metric("guardrail_tokens_total", tenant="anonymous") == 1000


async def test_a_reload_is_for_new_requests_only() -> None:
    go = asyncio.Event()

    async def script(request: Seen, conn: Connection) -> None:
        await conn.begin_stream()
        await conn.stream(delta("I like ", role="assistant"))
        await go.wait()
        await conn.stream(delta("Acme Cola"), delta(None, finish="stop"), DONE)
        await conn.end()

    async with scripted(script) as upstream:
        configured = settings(upstream.url)
        registry = Registry(snapshot(configured))
        async with serving(registry, upstream, {}) as guarded:
            running = asyncio.create_task(guarded.ask())
            await upstream.until_requests(1)
            registry.current = snapshot(configured, policy=OPEN_POLICY)
            later = asyncio.create_task(guarded.ask())
            await upstream.until_requests(2)
            go.set()
            old, new = await running, await later
            assert (old.text, old.headers["x-guardrail-policy"]) == ("I like [X]", POLICY.tag)
            assert (new.text, new.headers["x-guardrail-policy"]) == ("I like Acme Cola", OPEN_POLICY.tag)
