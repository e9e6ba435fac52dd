"""What becomes of what an application sends: streamed or not, whole or broken, whoever ends it."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.responses import StreamingResponse

from guardrail.asgi import GuardrailMiddleware
from guardrail.asgi_exchange import Limits, Receive, Record, Scope, Send
from guardrail.wire.record import StreamRecord
from tests.asgi import ASK, Client, Says, asked
from tests.proxy.scored import Gated, scored_policy
from tests.wire.chat import chat, event, halt, policy, redact, says

POLICY = policy(redact("secret"), halt("forbidden phrase"))
WHOLE = {**ASK, "stream": False}


def completion(text: str) -> bytes:
    message = {"role": "assistant", "content": text}
    return json.dumps({"id": "1", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}).encode()


async def test_a_clean_stream_passes_as_the_bytes_that_came() -> None:
    stream = b"".join(chat(says("Hello", " world")))
    app = Says(stream[:50], stream[50:])
    got = await asked(app, POLICY)
    assert (got.status, got.body, got.ended) == (200, stream, True)
    assert got.headers["content-type"] == "text/event-stream"
    assert got.headers["x-guardrail-policy"] == POLICY.tag
    assert got.headers["x-guardrail-request-id"].startswith("g-")
    assert json.loads(app.asked) == ASK


async def test_the_application_cannot_compress_nor_answer_around_the_guard() -> None:
    app = Says(*chat(says("Hi")))
    await asked(app, POLICY)
    assert app.scope["extensions"] == {"tls": {}}
    assert "accept-encoding" not in {name.decode() for name, _ in app.scope["headers"]}


async def test_a_stream_is_edited() -> None:
    got = await asked(Says(*chat(says("a sec", "ret", " b")), headers={"content-length": "5", "etag": "x"}), POLICY)
    assert got.reply.text() == "a [X] b"
    assert not {"content-length", "etag"} & set(got.headers)


async def test_a_halt_stops_the_application() -> None:
    app = Says(*chat(says("a forbidden ", "phrase.", "never", "read")))
    records: list[Record] = []
    got = await asked(app, POLICY, on_record=records.append)
    assert got.ended
    assert got.reply.text().startswith("a \n[Stopped by safety policy. Case " + got.headers["x-guardrail-request-id"])
    assert (got.reply.finishes, got.reply.done) == ({0: "content_filter"}, True)
    assert isinstance(app.raised, OSError)
    assert app.sent == 2
    (record,) = records
    assert isinstance(record, StreamRecord)
    assert (record.halted, record.case_id) == (True, got.headers["x-guardrail-request-id"])


async def test_an_application_that_listens_hears_that_it_is_over() -> None:
    heard: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        listener = asyncio.ensure_future(receive())
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        with pytest.raises(OSError):
            await send({"type": "http.response.body", "body": b"".join(says("forbidden phrase.")), "more_body": True})
        heard.append((await listener)["type"])
        heard.append((await receive())["type"])
        with pytest.raises(OSError):
            await send({"type": "http.response.body", "body": b"more", "more_body": True})

    got = await asked(app, POLICY)
    assert heard == ["http.disconnect"] * 2
    assert got.reply.done


@pytest.mark.parametrize("version", ["2.3", "2.4"])
async def test_the_generator_of_a_starlette_response_is_closed_at_once(version: str) -> None:
    """2.3: Starlette listens for the client's leaving; 2.4: it waits for `send` to raise."""
    closed = asyncio.Event()

    async def events() -> AsyncIterator[bytes]:
        try:
            for piece in chat(says("a forbidden ", "phrase.", "never", "read")):
                yield piece
        finally:
            closed.set()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await StreamingResponse(events(), media_type="text/event-stream")(scope, receive, send)

    client = Client(asgi={"version": "3.0", "spec_version": version})
    gc.disable()  # it must not take a collection
    try:
        got = await client.ask(GuardrailMiddleware(app, POLICY))
        async with asyncio.timeout(20):
            await closed.wait()
    finally:
        gc.enable()
    assert (got.reply.finishes, got.ended) == ({0: "content_filter"}, True)


async def test_what_an_application_raises_because_it_was_stopped_ends_here() -> None:
    class Rude(Says):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            try:
                await super().__call__(scope, receive, send)
            except OSError as error:
                raise ExceptionGroup("two", [error, ValueError()]) from error

    got = await asked(Rude(*chat(says("forbidden phrase.", "more"))), POLICY)
    assert got.reply.finishes == {0: "content_filter"}


async def test_a_client_that_leaves_stops_the_application_and_leaves_a_record() -> None:
    records: list[Record] = []
    client = Client()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        await send({"type": "http.response.body", "body": says("Hello")[0], "more_body": True})
        client.gone.set()
        assert (await receive())["type"] == "http.disconnect"
        await send({"type": "http.response.body", "body": says("world")[0], "more_body": True})

    with pytest.raises(OSError, match="the client has left"):
        await client.ask(GuardrailMiddleware(app, POLICY, on_record=records.append))
    (record,) = records
    assert isinstance(record, StreamRecord)
    assert (record.received, record.halted) == (10, False)


async def test_an_application_that_fails_in_the_middle() -> None:
    app = Says(*says("So. ", "a sec", "ret"), error=ValueError("broken"))
    client = Client()
    with pytest.raises(ValueError, match="broken"):
        await client.ask(GuardrailMiddleware(app, POLICY))
    reply = client.got.reply
    assert (reply.text(), reply.errors[0]["code"], client.got.ended) == ("So. a [X]", "upstream_closed", True)


async def test_an_application_that_fails_before_it_said_anything() -> None:
    client = Client()
    with pytest.raises(ValueError, match="broken"):
        await client.ask(GuardrailMiddleware(Says(error=ValueError("broken")), POLICY))
    assert client.got.status == 0  # what stands around it answers


async def test_an_application_that_forgets_to_end() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        await send({"type": "http.response.body", "body": b"".join(says("Hi")), "more_body": True})

    got = await asked(app, POLICY)
    assert (got.reply.text(), got.reply.errors[0]["code"]) == ("Hi", "upstream_closed")


CASES: list[tuple[str, Says, dict[str, Any], int, str]] = [
    ("no event stream", Says(b"data: {\n\n"), ASK, 502, "upstream_malformed"),
    ("no JSON", Says(b"Hello", kind="text/plain"), WHOLE, 502, "upstream_malformed"),
    ("compressed", Says(b"x", headers={"content-encoding": "gzip"}), ASK, 502, "upstream_bad_encoding"),
    ("too long", Says(b" " * 2000, kind="application/json"), WHOLE, 502, "response_too_large"),
    ("too long a stream", Says(b":" * 2000), ASK, 502, "response_too_large"),
    ("no request", Says(), {"messages": []}, 400, "bad_request"),
    ("too long a request", Says(), {**ASK, "user": "x" * 2000}, 413, "request_too_large"),
]


@pytest.mark.parametrize(("app", "body", "status", "code"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
async def test_what_cannot_be_guarded_is_refused(app: Says, body: Any, status: int, code: str) -> None:
    got = await asked(app, POLICY, body=body, limits=Limits(request_bytes=1500, response_bytes=1500))
    assert (got.status, got.json["error"]["code"], got.ended) == (status, code, True)
    assert got.headers["x-guardrail-request-id"]


async def test_a_stream_that_is_malformed_in_the_middle_ends_with_an_error() -> None:
    app = Says(*says("a secret", " and"), b"data: {\n\n", *says("more"))
    got = await asked(app, POLICY)
    assert (got.status, got.reply.text(), got.reply.errors[0]["code"]) == (200, "a [X] and", "upstream_malformed")
    assert app.sent == 2


async def test_a_whole_answer() -> None:
    raw = completion("a secret.")
    records: list[Record] = []
    got = await asked(
        Says(raw[:9], raw[9:], kind="application/json", headers={"content-length": str(len(raw))}),
        POLICY,
        body=WHOLE,
        on_record=records.append,
    )
    assert got.json["choices"][0]["message"]["content"] == "a [X]."
    assert got.headers["content-length"] == str(len(got.body))
    assert len(records) == 1
    clean = completion("Hello.")
    got = await asked(Says(clean, kind="application/json"), POLICY, body=WHOLE)
    assert got.body == clean


async def test_an_answer_without_a_type_is_what_the_client_asked_for() -> None:
    assert (await asked(Says(*chat(says("secret")), kind=""), POLICY)).reply.text() == "[X]"
    got = await asked(Says(completion("secret"), kind=""), POLICY, body=WHOLE)
    assert got.json["choices"][0]["message"]["content"] == "[X]"
    plain = await asked(Says(*chat(says("secret")), kind="text/plain"), POLICY)
    assert plain.reply.text() == "[X]"


async def test_errors_of_the_application_pass_but_not_what_holds_an_answer() -> None:
    error = b'{"detail": "No such secret model."}'
    got = await asked(Says(error, status=404, kind="application/json", headers={"x-mine": "1"}), POLICY)
    assert (got.status, got.body, got.headers["x-mine"]) == (404, error, "1")
    got = await asked(Says(completion("secret"), status=500, kind="application/json"), POLICY)
    assert (got.status, got.json["choices"][0]["message"]["content"]) == (500, "[X]")
    got = await asked(Says(status=204, kind=""), POLICY, body=WHOLE)
    assert (got.status, got.body, "content-length" in got.headers) == (204, b"", False)


@pytest.mark.parametrize("stream", [True, False])
async def test_verdicts_are_waited_for(stream: bool) -> None:
    model = Gated()
    text = ["A sentence that is plain.", " An evil sentence is this.", " And more."]
    app = Says(*chat(says(*text))) if stream else Says(completion("".join(text)), kind="application/json")
    got = await asked(app, scored_policy(model), body={**ASK, "stream": stream})
    said = got.reply.text() if stream else got.json["choices"][0]["message"]["content"]
    assert said.startswith("A sentence that is plain. \n[Stopped by safety policy.")
    assert [window.text for window in model.seen][:1] == [" An evil sentence is this."]


async def test_a_finished_stream_takes_no_more_but_an_end() -> None:
    app = Says(*chat(says("Hi")), b"", event({"content": "after the end"}))
    got = await asked(app, POLICY)
    assert (got.reply.text(), got.reply.done) == ("Hi", True)
    assert isinstance(app.raised, OSError)
