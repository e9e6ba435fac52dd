"""One process: signals, drain, reload, over a real program."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import aiohttp
import pytest

from tests.proxy.program import Program, configure, program, write_policy
from tests.proxy.scripted import DONE, Connection, Seen, delta, scripted


class Held:
    """An upstream whose answers say one word, wait for `go`, and end."""

    def __init__(self) -> None:
        self.go = asyncio.Event()

    async def script(self, request: Seen, conn: Connection) -> None:
        await conn.begin_stream()
        await conn.stream(delta("Some ", role="assistant"))
        ended = asyncio.ensure_future(conn.gone.wait())
        going = asyncio.ensure_future(self.go.wait())
        await asyncio.wait({ended, going}, return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        going.cancel()
        if not conn.gone.is_set():
            await conn.stream(delta("Acme Cola"), delta(None, finish="stop"), DONE)
            await conn.end()


async def takes_none(running: Program) -> bool:
    """Whether the listener takes no more connections."""
    host, port = running.url.removeprefix("http://").split(":")
    try:
        _, writer = await asyncio.open_connection(host, int(port))
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:
        return False  # it was in the queue of a listener that was just closing
    writer.close()
    return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_drain_lets_streams_finish(tmp_path: Path, number: signal.Signals) -> None:
    held = Held()
    async with (
        scripted(held.script) as upstream,
        program("--config", str(configure(tmp_path, upstream.url))) as running,
    ):
        stream = asyncio.create_task(running.ask())
        await upstream.until_requests(1)
        running.signal(number)
        await running.until(lambda: takes_none(running))
        ready = await running.operator("/readyz")
        assert (ready.status, b"draining" in ready.body) == (503, True)
        held.go.set()
        got = await stream
        assert (got.text, got.finish) == ("Some [X]", "stop")
        assert await running.status() == 0


async def test_a_drain_that_runs_out_ends_streams_validly(tmp_path: Path) -> None:
    held = Held()
    async with scripted(held.script) as upstream:
        main = configure(tmp_path, upstream.url, drain=0.2)
        async with program("--config", str(main)) as running:
            stream = asyncio.create_task(running.ask())
            await upstream.until_requests(1)
            running.signal(signal.SIGTERM)
            got = await stream
            assert got.text == "Some "
            assert [got.events[-2]["error"]["code"], got.events[-1]] == ["draining", "[DONE]"]
            assert await running.status() == 0
            await upstream.connections[0].wait_gone()


async def test_a_second_signal_ends_at_once(tmp_path: Path) -> None:
    held = Held()
    async with (
        scripted(held.script) as upstream,
        program("--config", str(configure(tmp_path, upstream.url))) as running,
    ):
        stream = asyncio.create_task(running.ask())
        await upstream.until_requests(1)
        running.signal(signal.SIGTERM)
        await running.until(lambda: takes_none(running))
        running.signal(signal.SIGTERM)
        assert await running.status(10) == 1
        with pytest.raises(aiohttp.ClientError):
            await stream
        assert "draining; answers in flight: 1" in "".join(running.errors)
        assert await running.said("stopped at once")


async def config_is(running: Program, state: str) -> bool:
    """Whether readiness says so of the configuration."""
    return bool((await running.json("/readyz"))["config"] == state)


async def masks(running: Program) -> bool:
    """Whether new requests are answered with the word masked."""
    return "[X]" in (await running.ask()).text


async def test_an_edited_policy_takes_effect_and_a_bad_edit_does_not(tmp_path: Path) -> None:
    held = Held()
    held.go.set()
    async with scripted(held.script) as upstream:
        main = configure(tmp_path, upstream.url, word="Other Cola")
        async with program("--config", str(main)) as running:
            before = await running.ask()
            assert before.text == "Some Acme Cola"
            held.go.clear()
            old = asyncio.create_task(running.ask())
            await upstream.until_requests(2)
            held.go.set()
            write_policy(tmp_path, "Acme Cola")
            await running.until(lambda: masks(running))
            assert (await old).headers["x-guardrail-policy"] == before.headers["x-guardrail-policy"]
            after = await running.ask()
            assert after.headers["x-guardrail-policy"] != before.headers["x-guardrail-policy"]
            assert (await running.json("/readyz"))["generation"] == 2

            (tmp_path / "policies" / "default.yaml").write_text("policy: default\nrulez: []\n")
            await running.until(lambda: config_is(running, "refused"))
            assert (await running.operator("/readyz")).status == 200
            assert b"guardrail_config_last_reload_ok 0.0" in (await running.operator("/metrics")).body
            assert "default.yaml:2:" in (await running.json("/policies"))["problems"][0]
            assert (await running.ask()).text == "Some [X]"

            write_policy(tmp_path, "Acme Cola")
            running.signal(signal.SIGHUP)
            await running.until(lambda: config_is(running, "ok"))
            assert b"guardrail_config_last_reload_ok 1.0" in (await running.operator("/metrics")).body
