"""The simulated model server: scripted replies at a chosen pace, in every protocol, with faults on demand.

For the demo, the tests, and users who want a double of a model server in their own CI. It generates a `Plan` token by
token and says it in the words of the protocol that was asked (`dialect.py` and its neighbours), stops as soon as its
client goes away, and counts what it generated at `GET /simulate/stats`. A request may set `x-simulate-token-size`
(characters), `x-simulate-delay` (milliseconds) and `x-simulate-fault` for itself. It never calls a model, keeps no
prompt, and checks no key.
"""

from __future__ import annotations

import asyncio
import errno
import signal
import sys
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
from aiohttp import web

from guardrail.simulate import anthropic, catalog, gemini, ollama, openai_chat, openai_responses, openai_text
from guardrail.simulate.dialect import Answer, Dialect, Target
from guardrail.simulate.fault import Fault, break_off
from guardrail.simulate.plan import Ask, Plan, Step
from guardrail.simulate.script import BUILT_IN, Script

REQUEST_CAP: Final = 16 * 1024 * 1024
"""Bytes of one request; above guardrail's own default cap, so that guardrail's is the one that is met."""
RECENT: Final = 256
"""Generations remembered for `/simulate/stats`."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class Generation:
    """What became of one request; `planned` and `generated` count tokens over all choices."""

    id: str
    planned: int
    generated: int = 0
    state: Literal["running", "finished", "aborted", "fault"] = "running"


@dataclass(frozen=True, slots=True)
class Pace:
    """How a response is cut and timed: characters per token, seconds between two tokens."""

    token_size: int = 4
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class _Setup:
    """What the whole server was told, and what it has generated lately."""

    script: Script
    pace: Pace
    fault: Fault | None
    recent: deque[Generation]


_SETUP: Final = web.AppKey("setup", _Setup)

ANSWERING: Final = {
    "/v1/chat/completions": openai_chat.DIALECT,
    "/v1/completions": openai_text.DIALECT,
    "/v1/responses": openai_responses.DIALECT,
    "/v1/messages": anthropic.DIALECT,
    "/api/chat": ollama.CHAT,
    "/api/generate": ollama.GENERATE,
    # where others serve the same: Azure, DeepSeek
    "/openai/v1/chat/completions": openai_chat.DIALECT,
    "/openai/v1/responses": openai_responses.DIALECT,
    "/openai/deployments/{deployment}/chat/completions": openai_chat.DIALECT,
    "/openai/deployments/{deployment}/completions": openai_text.DIALECT,
    "/anthropic/v1/messages": anthropic.DIALECT,
}
"""Paths, and what is spoken there. Gemini's hold the model's name and stand below."""
GEMINI: Final = r"/{version:v1beta|v1}/models/{model:[^/:]+}:"
VERTEX: Final = (
    r"/{version:v1beta1|v1}/projects/{project}/locations/{location}/publishers/google/models/{model:[^/:]+}:"
)


def create_app(script: Script = BUILT_IN, pace: Pace | None = None, fault: Fault | None = None) -> web.Application:
    """Build the server; `fault` befalls every request that does not name its own."""
    app = web.Application(client_max_size=REQUEST_CAP)
    app[_SETUP] = _Setup(script, pace or Pace(), fault, deque(maxlen=RECENT))
    router = app.router
    for path, dialect in ANSWERING.items():
        router.add_post(path, _answering(dialect))
    for models in (GEMINI, VERTEX):
        router.add_post(models + "{method:generateContent|streamGenerateContent}", _answering(gemini.DIALECT))
        router.add_post(models + "{method:countTokens}", _computing(gemini.DIALECT, gemini.counted))
    router.add_post(GEMINI + "embedContent", _describing(catalog.gemini_embed, gemini.DIALECT))
    router.add_post(GEMINI + "batchEmbedContents", _describing(catalog.gemini_embed_batch, gemini.DIALECT))
    for path in ("/v1/messages/count_tokens", "/anthropic/v1/messages/count_tokens"):
        router.add_post(path, _computing(anthropic.DIALECT, anthropic.counted))
    router.add_post("/v1/embeddings", _describing(catalog.openai_embeddings, openai_chat.DIALECT))
    router.add_post("/api/embed", _describing(catalog.ollama_embed, ollama.CHAT))
    router.add_post("/api/embeddings", _describing(catalog.ollama_embedding, ollama.CHAT))
    router.add_post("/api/show", _describing(catalog.ollama_show, ollama.CHAT))
    router.add_get("/v1/models", _models)
    router.add_get("/v1beta/models", _told(catalog.gemini_models))
    router.add_get("/api/tags", _told(catalog.ollama_tags))
    router.add_get("/api/ps", _told(catalog.ollama_ps))
    router.add_get("/api/version", _told(catalog.ollama_version))
    router.add_get("/simulate/stats", _stats)
    return app


async def serve(app: web.Application, host: str, port: int) -> None:
    """Listen until SIGINT or SIGTERM; print the base URL on stdout once it answers. Port 0: a free one."""
    runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        bound = runner.addresses[0]
        shown = f"[{bound[0]}]" if ":" in bound[0] else bound[0]
        print(f"simulated model server on http://{shown}:{bound[1]}/v1", flush=True)
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await stop.wait()
    finally:
        await runner.cleanup()


def run(host: str, port: int, *, token_size: int, delay_ms: float, script: Path | None, fault: str | None) -> int:
    """The body of `guardrail simulate`; returns its exit status."""
    try:
        replies = Script.load(script) if script else BUILT_IN
        app = create_app(replies, Pace(token_size, delay_ms / 1000), Fault.parse(fault) if fault else None)
        asyncio.run(serve(app, host, port))
    except (ValueError, OSError) as error:
        taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        said = f"port {port} on {host} is in use" if taken else error
        print(f"guardrail simulate: {said}", file=sys.stderr)
        return 1
    return 0


# What carries no answer


def _told(document: Callable[[], Any]) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        return web.json_response(document())

    return handle


async def _models(request: web.Request) -> web.StreamResponse:
    # Three services have a list at this path; each client's headers say which it expects.
    if "anthropic-version" in request.headers:
        return web.json_response(catalog.anthropic_models())
    if "x-goog-api-client" in request.headers:
        return web.json_response(catalog.gemini_models())
    return web.json_response(catalog.openai_models())


async def _stats(request: web.Request) -> web.StreamResponse:
    recent = request.app[_SETUP].recent
    return web.json_response({"generations": [msgspec.to_builtins(g) for g in recent]})


def _computing(dialect: Dialect, compute: Callable[[Ask], Any]) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            ask = dialect.read(await request.read(), _target(request))
        except ValueError as error:
            return web.json_response(dialect.error(400, str(error)), status=400)
        return web.json_response(compute(ask))

    return handle


def _describing(describe: Callable[[bytes], Any], dialect: Dialect) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return web.json_response(describe(await request.read()))
        except ValueError as error:
            return web.json_response(dialect.error(400, str(error)), status=400)

    return handle


# Answers


def _answering(dialect: Dialect) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        return await _answer(request, dialect)

    return handle


async def _answer(request: web.Request, dialect: Dialect) -> web.StreamResponse:
    try:
        ask = dialect.read(await request.read(), _target(request))
        pace, fault = _per_request(request)
    except ValueError as error:
        return web.json_response(dialect.error(400, str(error)), status=400)
    if fault is not None and fault.kind == "status":
        said = "The simulated server was told to fail."
        return web.json_response(dialect.error(fault.status, said), status=fault.status)
    if fault is not None and fault.kind == "html":
        return web.Response(text="<!doctype html><title>Sign in</title><p>Sign in to go on.", content_type="text/html")

    plan = Plan.of(ask, request.app[_SETUP].script, pace.token_size)
    answer = dialect.answer(ask, plan)
    run = Generation(answer.id, len(plan.steps))
    request.app[_SETUP].recent.append(run)
    try:
        if ask.stream:
            return await _stream(request, answer, run, pace, fault)
        for _ in plan.steps:
            await asyncio.sleep(pace.delay)
            run.generated += 1
        run.state = "finished"
        return web.json_response(answer.body())
    except (asyncio.CancelledError, ConnectionError):
        run.state = "aborted"
        raise


async def _stream(
    request: web.Request, answer: Answer, run: Generation, pace: Pace, fault: Fault | None
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"content-type": answer.media_type})
    await response.prepare(request)
    for event in answer.opening():
        await response.write(event)
    unsent: Step | None = None
    for step in answer.plan.steps:
        # Sleep even for 0: that is when a client that went away is noticed.
        await asyncio.sleep(pace.delay)
        if fault is not None and run.generated == fault.after:
            unsent = step
            break
        run.generated += 1
        for event in answer.step(step):
            await response.write(event)
    if fault is not None and unsent is not None:
        run.state = "fault"
        half = b"".join(answer.step(unsent))
        await break_off(fault, response, request.transport, unsent=half, malformed=answer.malformed)
        return response
    for event in answer.closing():
        await response.write(event)
    await response.write_eof()
    run.state = "finished"
    return response


def _target(request: web.Request) -> Target:
    return Target(request.match_info, request.query)


def _per_request(request: web.Request) -> tuple[Pace, Fault | None]:
    pace, headers = request.app[_SETUP].pace, request.headers
    size = int(headers.get("x-simulate-token-size", pace.token_size))
    delay = float(headers.get("x-simulate-delay", pace.delay * 1000)) / 1000
    if size < 1 or not 0 <= delay <= 60:
        raise ValueError("expected a token size of at least 1 and a delay of 0 to 60000 ms")
    if "x-simulate-fault" in headers:
        return Pace(size, delay), Fault.parse(headers["x-simulate-fault"])
    return Pace(size, delay), request.app[_SETUP].fault
