"""A simulated, OpenAI-compatible model server: scripted replies at a chosen pace, with faults on demand.

For the demo, the tests, and users who want a double of a model server in their own CI. It speaks
`GET /v1/models` and `POST /v1/chat/completions` (streamed or not, `n`, tools, usage, logprobs, reasoning)
in the shapes of the real service, stops generating as soon as its client goes away, and counts what it
generated at `GET /simulate/stats`. A request may set `x-simulate-token-size` (characters),
`x-simulate-delay` (milliseconds) and `x-simulate-fault` for itself. It never calls a model, keeps no prompt,
and checks no key.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import re
import signal
import socket
import struct
import sys
import time
import uuid
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, cast, get_args

import msgspec
from aiohttp import web

from guardrail.simulate_script import BUILT_IN, Reply, Script

MODELS: Final = ("sim", "sim-reasoning")
REQUEST_CAP: Final = 16 * 1024 * 1024
"""Bytes of one request; above guardrail's own default cap, so that guardrail's is the one that is met."""
RECENT: Final = 256
"""Generations remembered for `/simulate/stats`."""
FAULT_AFTER: Final = 3
"""Tokens sent before a mid-stream fault that names no position."""

FaultKind = Literal["close", "stall", "reset", "malformed", "html", "status"]


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong, after how many tokens of the response (`html` and `status`: before the first)."""

    kind: FaultKind
    after: int = FAULT_AFTER
    status: int = 500

    @classmethod
    def parse(cls, text: str) -> Fault:
        """Read `KIND[=STATUS][@TOKENS]`, such as `close@10` or `status=503`. Raises ValueError."""
        found = re.fullmatch(r"([a-z]+)(?:=([45]\d\d))?(?:@(\d{1,6}))?", text)
        if found is None or found[1] not in get_args(FaultKind) or (found[2] and found[1] != "status"):
            raise ValueError(
                f"found fault {text!r}, expected close, stall, reset, malformed, html or status, "
                "with =STATUS (400-599) or @TOKENS after it if need be"
            )
        kind, status, after = found.groups()
        return cls(cast(FaultKind, kind), FAULT_AFTER if after is None else int(after), int(status or 500))


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


class _Ask(msgspec.Struct):
    """The fields of a chat request that the simulator heeds."""

    messages: list[dict[str, Any]]
    model: str = "sim"
    stream: bool = False
    n: int | None = None
    stream_options: dict[str, Any] | None = None
    logprobs: bool | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: Any = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None


@dataclass(slots=True)
class _Step:
    """One token: the delta that carries it and its text."""

    choice: int
    delta: dict[str, Any]
    text: str


@dataclass(frozen=True, slots=True)
class _Setup:
    """What the whole server was told, and what it has generated lately."""

    script: Script
    pace: Pace
    fault: Fault | None
    recent: deque[Generation]


_SETUP: Final = web.AppKey("setup", _Setup)


def create_app(script: Script = BUILT_IN, pace: Pace | None = None, fault: Fault | None = None) -> web.Application:
    """Build the server; `fault` befalls every request that does not name its own."""
    app = web.Application(client_max_size=REQUEST_CAP)
    app[_SETUP] = _Setup(script, pace or Pace(), fault, deque(maxlen=RECENT))
    app.router.add_get("/v1/models", _models)
    app.router.add_post("/v1/chat/completions", _chat)
    app.router.add_get("/simulate/stats", _stats)
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


def _error(status: int, message: str, kind: str = "invalid_request_error") -> web.Response:
    body = {"error": {"message": message, "type": kind, "param": None, "code": None}}
    return web.json_response(body, status=status)


async def _models(request: web.Request) -> web.Response:
    data = [{"id": name, "object": "model", "created": 1700000000, "owned_by": "guardrail"} for name in MODELS]
    return web.json_response({"object": "list", "data": data})


async def _stats(request: web.Request) -> web.Response:
    recent = request.app[_SETUP].recent
    return web.json_response({"generations": [msgspec.to_builtins(g) for g in recent]})


async def _chat(request: web.Request) -> web.StreamResponse:
    try:
        ask = msgspec.json.decode(await request.read(), type=_Ask)
        pace, fault = _per_request(request)
    except ValueError as error:
        return _error(400, str(error))
    if fault is not None and fault.kind == "status":
        kind = "server_error" if fault.status >= 500 else "invalid_request_error"
        return _error(fault.status, "The simulated server was told to fail.", kind)
    if fault is not None and fault.kind == "html":
        return web.Response(text="<!doctype html><title>Sign in</title><p>Sign in to go on.", content_type="text/html")

    replies = request.app[_SETUP].script.choose(_last_user_text(ask.messages), ask.n or 1)
    steps, reasons = _plan(ask, replies, pace.token_size)
    answer = _Answer(ask, steps, reasons)
    run = Generation(answer.id, len(steps))
    request.app[_SETUP].recent.append(run)
    try:
        if ask.stream:
            return await _stream(request, answer, run, pace, fault)
        for _ in steps:
            await asyncio.sleep(pace.delay)
            run.generated += 1
        run.state = "finished"
        return web.json_response(answer.body())
    except (asyncio.CancelledError, ConnectionError):
        run.state = "aborted"
        raise


async def _stream(
    request: web.Request, answer: _Answer, run: Generation, pace: Pace, fault: Fault | None
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"content-type": "text/event-stream; charset=utf-8"})
    await response.prepare(request)
    for event in answer.opening():
        await response.write(event)
    for step in answer.steps:
        # Sleep even for 0: that is when a client that went away is noticed.
        await asyncio.sleep(pace.delay)
        if fault is not None and run.generated == fault.after:
            break
        run.generated += 1
        await response.write(answer.chunk(step))
    else:
        fault = None
    if fault is not None:
        run.state = "fault"
        await _break_off(request, response, fault, answer)
        return response
    for event in answer.closing():
        await response.write(event)
    await response.write_eof()
    run.state = "finished"
    return response


async def _break_off(request: web.Request, response: web.StreamResponse, fault: Fault, answer: _Answer) -> None:
    transport = request.transport
    if fault.kind == "stall":
        await asyncio.Event().wait()
    elif fault.kind == "malformed":
        await response.write(b'data: {"id": "chatcmpl-1", "choices": [{"index": 0,\n\n')
        await response.write_eof()
    elif transport is not None and fault.kind == "close":
        event = answer.chunk(answer.steps[0])
        await response.write(event[: len(event) // 2])
        transport.close()
    elif transport is not None:
        sock = transport.get_extra_info("socket")
        # Linger 0 makes the close a reset instead of an orderly end.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()


class _Answer:
    """One response in the shapes of the real service: chunks, or one body."""

    def __init__(self, ask: _Ask, steps: list[_Step], reasons: list[str]) -> None:
        self.id = f"chatcmpl-{uuid.uuid4().hex[:24]}"
        self.steps = steps
        self._ask = ask
        self._reasons = reasons
        self._created = int(time.time())
        self._usage_asked = bool((ask.stream_options or {}).get("include_usage"))

    def opening(self) -> Iterator[bytes]:
        for index in range(len(self._reasons)):
            yield self._event([self._choice(index, {"role": "assistant", "content": "", "refusal": None})])

    def chunk(self, step: _Step) -> bytes:
        return self._event([self._choice(step.choice, step.delta, text=step.text)])

    def closing(self) -> Iterator[bytes]:
        for index, reason in enumerate(self._reasons):
            yield self._event([self._choice(index, {}, reason=reason)])
        if self._usage_asked:
            yield self._event([], usage=self._usage())
        yield b"data: [DONE]\n\n"

    def body(self) -> dict[str, Any]:
        choices = []
        for index, reason in enumerate(self._reasons):
            steps = [step for step in self.steps if step.choice == index]
            spoken = [step.text for step in steps if "content" in step.delta]
            message: dict[str, Any] = {"role": "assistant", "content": "".join(spoken), "refusal": None}
            thought = "".join(step.text for step in steps if "reasoning_content" in step.delta)
            if thought:
                message["reasoning_content"] = thought
            calls: list[dict[str, Any]] = []
            for step in steps:
                for part in step.delta.get("tool_calls", ()):
                    if "id" in part:
                        calls.append({"id": part["id"], "type": "function", "function": dict(part["function"])})
                    else:
                        calls[part["index"]]["function"]["arguments"] += part["function"]["arguments"]
            if calls:
                message["tool_calls"] = calls
                message["content"] = message["content"] or None
            logprobs = _logprobs(spoken) if self._ask.logprobs else None
            choices.append({"index": index, "message": message, "logprobs": logprobs, "finish_reason": reason})
        return {**self._head("chat.completion"), "choices": choices, "usage": self._usage()}

    def _head(self, kind: str) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": kind,
            "created": self._created,
            "model": self._ask.model,
            "service_tier": "default",
            "system_fingerprint": "fp_simulated",
        }

    def _choice(
        self, index: int, delta: dict[str, Any], *, text: str | None = None, reason: str | None = None
    ) -> dict[str, Any]:
        logprobs = _logprobs([text]) if self._ask.logprobs and text is not None and "content" in delta else None
        return {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": reason}

    def _event(self, choices: list[dict[str, Any]], usage: dict[str, Any] | None = None) -> bytes:
        chunk = self._head("chat.completion.chunk")
        chunk["choices"] = choices
        if self._usage_asked:
            chunk["usage"] = usage
        return b"data: " + json.dumps(chunk, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"

    def _usage(self) -> dict[str, Any]:
        # Four characters a token: a rule of thumb, for nobody pays by it.
        asked = sum(len(_text_of(message)) for message in self._ask.messages) // 4 + 1
        thought = sum("reasoning_content" in step.delta for step in self.steps)
        return {
            "prompt_tokens": asked,
            "completion_tokens": len(self.steps),
            "total_tokens": asked + len(self.steps),
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": thought, "audio_tokens": 0},
        }


def _plan(ask: _Ask, replies: list[Reply], size: int) -> tuple[list[_Step], list[str]]:
    """The tokens in the order of generation, the choices taking turns, and each choice's finish reason."""
    tools_allowed = bool(ask.tools) and ask.tool_choice != "none"
    limit = ask.max_completion_tokens or ask.max_tokens
    lanes: list[list[_Step]] = []
    reasons: list[str] = []
    for index, reply in enumerate(replies):
        calls = reply.tool_calls if tools_allowed else ()
        lane: list[_Step] = []
        if ask.model.endswith("-reasoning"):
            lane += [_Step(index, {"reasoning_content": p}, p) for p in _pieces(reply.reasoning, size)]
        lane += [_Step(index, {"content": p}, p) for p in _pieces(reply.content, size)]
        for number, call in enumerate(calls):
            opened = {"name": call.name, "arguments": ""}
            head = {
                "index": number,
                "id": f"call_{uuid.uuid4().hex[:24]}",
                "type": "function",
                "function": opened,
            }
            lane.append(_Step(index, {"tool_calls": [head]}, ""))
            for piece in _pieces(call.arguments, size):
                part = {"index": number, "function": {"arguments": piece}}
                lane.append(_Step(index, {"tool_calls": [part]}, piece))
        cut = limit is not None and len(lane) > limit
        lanes.append(lane[:limit] if cut else lane)
        reasons.append("length" if cut else "tool_calls" if calls else "stop")
    longest = max(map(len, lanes))
    return [lane[i] for i in range(longest) for lane in lanes if i < len(lane)], reasons


def _pieces(text: str, size: int) -> Iterator[str]:
    return (text[i : i + size] for i in range(0, len(text), size))


def _logprobs(tokens: list[str]) -> dict[str, Any]:
    content = [
        {"token": token, "logprob": -0.25, "bytes": list(token.encode()), "top_logprobs": []} for token in tokens
    ]
    return {"content": content, "refusal": None}


def _per_request(request: web.Request) -> tuple[Pace, Fault | None]:
    pace, headers = request.app[_SETUP].pace, request.headers
    size = int(headers.get("x-simulate-token-size", pace.token_size))
    delay = float(headers.get("x-simulate-delay", pace.delay * 1000)) / 1000
    if size < 1 or not 0 <= delay <= 60:
        raise ValueError("expected a token size of at least 1 and a delay of 0 to 60000 ms")
    if "x-simulate-fault" in headers:
        return Pace(size, delay), Fault.parse(headers["x-simulate-fault"])
    return Pace(size, delay), request.app[_SETUP].fault


def _last_user_text(messages: list[dict[str, Any]]) -> str:
    return next((_text_of(m) for m in reversed(messages) if m.get("role") == "user"), "")


def _text_of(message: dict[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    with contextlib.suppress(TypeError, AttributeError):
        return "".join(str(part.get("text", "")) for part in parts)
    return ""
