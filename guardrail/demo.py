"""`guardrail demo`: real streams, stopped and rewritten on the way from a simulated model server to a client.

Both servers run as processes of their own on free ports of this machine and are asked over HTTP, once directly
and once through guardrail, so that what is shown is what was sent, what was received, and the time between.
Promises: nothing is left running or on disk, however the demo ends. Never sends anything off this machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import secrets
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import aiohttp
import yaml
from rich.console import Console

from guardrail.child import ChildError, child
from guardrail.demo_view import Outcome, show_intro, show_outcome, show_stay, show_summary
from guardrail.errors import GuardrailError

DELAY_MS: Final = 6
"""Milliseconds between two tokens: fast enough for a demo of seconds, slow enough to be aborted in mid-answer."""
TAKES: Final = 2
"""Each prompt is sent so often each way; the quicker one counts, for a first request warms what comes after it."""

TOOL: Final = {
    "type": "function",
    "function": {"name": "write_file", "parameters": {"type": "object", "properties": {}}},
}


class DemoError(GuardrailError):
    """The demo cannot go on; the message says what a person can do about it."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One prompt and what it is there to show."""

    title: str
    prompt: str
    tools: bool = False
    classifier: bool = False
    """Asked as the tenant whose policy has one too."""


SCENES: Final = (
    Scene("A clean answer passes as it came", "Why is the sky blue?"),
    Scene("An e-mail address and a card number are masked", "Write the team a note about the refund."),
    Scene("A phone number and an identity number, in Chinese", "请帮我登记联系方式。"),
    Scene("A brand name is replaced", "What do I take to a picnic?"),
    Scene("The answer is halted in mid-sentence", "How do I get into the vault?"),
    Scene("A tool call that would leak a key never arrives", "Please deploy the service.", tools=True),
    Scene("A classifier halts at an insult, and lets `kill` pass", "How do I end a hung program?", classifier=True),
)
CLASSIFIED: Final = "demo-classifier"
"""Tenant and policy of the scene with a classifier."""


@dataclass(slots=True)
class Take:
    """One answer as a client got it: text for each channel, times in seconds from the request."""

    id: str = ""
    request_id: str = ""
    channels: dict[str, str] = field(default_factory=dict)
    finish: str = ""
    first: float = 0.0
    total: float = 0.0


def run(*, stay: bool, console: Console | None = None) -> int:
    """The body of `guardrail demo`; returns its exit status."""
    console = console or Console(highlight=False)
    try:
        asyncio.run(_run(console, stay))
    except (DemoError, ChildError) as error:
        Console(stderr=True, highlight=False).print(f"guardrail demo: {error}", markup=False, soft_wrap=True)
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        console.print("\nStopped; nothing is left running.")
        return 130
    return 0


async def _run(console: Console, stay: bool) -> None:
    main = asyncio.current_task()
    assert main is not None
    # A closed terminal and a kill end the demo as Ctrl-C does: by unwinding through what stops the children.
    for ending in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(ending, main.cancel)
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="guardrail-demo-")))
        with console.status("starting a simulated model server and guardrail"):
            simulator = await stack.enter_async_context(
                child("guardrail simulate", ["simulate", "--port", "0", "--delay", str(DELAY_MS)], urls=1)
            )
            direct = simulator.urls[0].removesuffix("/v1")
            token, key = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
            proxy = await stack.enter_async_context(
                child(
                    "guardrail serve",
                    ["serve", "--config", str(_write_config(folder, direct, key))],
                    urls=2,
                    environ={"GUARDRAIL_DEMO_TOKEN": token},
                )
            )
        guarded, admin = proxy.urls
        show_intro(console, direct, guarded)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        outcomes = []
        for number, scene in enumerate(SCENES, 1):
            with console.status(scene.prompt):
                outcome = await _perform(session, scene, direct, guarded, admin, token, key)
            show_outcome(console, number, outcome)
            outcomes.append(outcome)
        show_summary(console, outcomes)
        if stay:
            show_stay(console, guarded, direct, SCENES[4].prompt, admin, token)
            await asyncio.Event().wait()


async def _perform(
    session: aiohttp.ClientSession, scene: Scene, direct: str, guarded: str, admin: str, token: str, key: str
) -> Outcome:
    plain, kept = [], []
    for _ in range(TAKES):
        plain.append(await _ask(session, direct, scene))
        kept.append(await _ask(session, guarded, scene, key if scene.classifier else None))
    sent, received = plain[-1], kept[-1]
    headers = {"authorization": f"Bearer {token}"}
    async with session.get(f"{admin}/records", headers=headers) as response:
        records = (await response.json())["records"]
    async with session.get(f"{direct}/simulate/stats") as response:
        generations = (await response.json())["generations"]
    record = next(r for r in records if r["request_id"] == received.request_id)
    generation = next(g for g in generations if g["id"] == received.id)
    return Outcome(
        title=scene.title,
        prompt=scene.prompt,
        sent=sent.channels,
        received=received.channels,
        findings=record["findings"],
        finish=received.finish,
        added_first=min(t.first for t in kept) - min(t.first for t in plain),
        added_total=min(t.total for t in kept) - min(t.total for t in plain),
        held_max=record["held_max"],
        generated=generation["generated"],
        planned=generation["planned"],
    )


async def _ask(session: aiohttp.ClientSession, base: str, scene: Scene, key: str | None = None) -> Take:
    """Send the prompt and read the stream to its end. Raises DemoError for anything but a whole stream."""
    body: dict[str, Any] = {
        "model": "sim",
        "stream": True,
        "messages": [{"role": "user", "content": scene.prompt}],
    }
    if scene.tools:
        body["tools"] = [TOOL]
    headers = {} if key is None else {"authorization": f"Bearer {key}"}
    take = Take()
    began = time.perf_counter()
    async with session.post(f"{base}/v1/chat/completions", json=body, headers=headers) as response:
        if response.status != 200:
            raise DemoError(f"{base} answered {response.status}: {(await response.text())[:500]}")
        take.request_id = response.headers.get("x-guardrail-request-id", "")
        async for line in response.content:
            if not line.startswith(b"data: {"):
                continue
            chunk = json.loads(line[6:])
            if "error" in chunk:
                raise DemoError(f"{base} broke off: {chunk['error']}")
            for choice in chunk["choices"]:
                if _collect(take, choice) and not take.first:
                    take.first = time.perf_counter() - began
            take.id = chunk["id"]
        take.total = time.perf_counter() - began
    return take


def _collect(take: Take, choice: dict[str, Any]) -> bool:
    """Add one chunk to what was received; True if it carried text."""
    delta = choice["delta"]
    texts = [("content", delta.get("content") or "")]
    for call in delta.get("tool_calls") or ():
        texts.append((f"tool_calls[{call['index']}]", call["function"].get("arguments") or ""))
    for channel, text in texts:
        take.channels[channel] = take.channels.get(channel, "") + text
    take.finish = choice["finish_reason"] or take.finish
    return any(text for _, text in texts)


def _write_config(folder: Path, upstream: str, key: str) -> Path:
    """A configuration in which whoever has no key gets the shipped policy `demo`, and whoever has this one that policy
    with a classifier."""
    policy = {
        "policy": CLASSIFIED,
        "extends": "demo",
        "classifier": {"categories": {"harassment": {"at": "balanced"}, "violence": {"at": "balanced"}}},
    }
    tenant = {
        "tenant": CLASSIFIED,
        "policy": CLASSIFIED,
        "keys": [f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"],
    }
    for name, content in (("policies", policy), ("tenants", tenant)):
        (folder / name).mkdir()
        (folder / name / f"{CLASSIFIED}.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    settings = {
        "version": 1,
        "listen": {"host": "127.0.0.1", "port": 0},
        "admin": {"host": "127.0.0.1", "port": 0, "token_env": "GUARDRAIL_DEMO_TOKEN"},
        "upstreams": {"default": {"url": upstream}},
        "anonymous": {"policy": "demo", "upstream": "default"},
    }
    path = folder / "guardrail.yaml"
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return path
