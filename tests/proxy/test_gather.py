"""What several workers say, put together; one that does not answer is told, not waited for."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from guardrail.proxy.admin import LocalSource, admin_application
from guardrail.proxy.gather import Gathered
from tests.proxy.harness import Guarded, guarding
from tests.proxy.scripted import says


@dataclass
class Stub:
    """A worker as a supervisor sees it."""

    index: int
    socket: Path
    restarts: int = 0
    alive: bool = True


@contextlib.asynccontextmanager
async def on_socket(guarded: Guarded, socket: Path) -> AsyncIterator[None]:
    runner = web.AppRunner(admin_application(LocalSource(guarded.proxy), None))
    await runner.setup()
    await web.UnixSite(runner, str(socket)).start()
    try:
        yield
    finally:
        await runner.cleanup()


async def test_gathered(tmp_path: Path) -> None:
    async with (
        guarding(says("hi")) as first,
        guarding(says("ho")) as second,
        on_socket(first, tmp_path / "0"),
        on_socket(second, tmp_path / "1"),
    ):
        workers = [Stub(0, tmp_path / "0"), Stub(1, tmp_path / "1", restarts=2)]
        stopping = False
        gathered = Gathered(workers, lambda: stopping)
        await first.ask()
        await second.ask()
        await second.ask()
        text = (await gathered.metrics()).decode()
        assert 'guardrail_requests_total{status="200",tenant="anonymous",worker="0"} 1.0' in text
        assert 'guardrail_requests_total{status="200",tenant="anonymous",worker="1"} 2.0' in text
        assert 'guardrail_worker_restarts_total{worker="1"} 2.0' in text
        assert text.count("# TYPE guardrail_requests_total counter") == 1
        assert 'guardrail_held_characters_bucket{le="+Inf",worker="1"} 2.0' in text
        assert await gathered.readiness() == {
            "ready": True,
            "config": "ok",
            "policies": "ok",
            "state": "ok",
            "generation": 1,
            "workers": 2,
            "reasons": [],
        }
        assert [r["worker"] for r in await gathered.records(10, None)] == [1, 1, 0]
        assert len(await gathered.records(2, None)) == 2

        workers.append(Stub(2, tmp_path / "missing", alive=False))
        second.proxy.registry.problems = ("a problem",)  # type: ignore[assignment]
        ready = await gathered.readiness()
        assert (ready["ready"], ready["reasons"]) == (False, ["worker 2 does not answer"])
        assert ready["config"] == "refused"
        assert 'guardrail_worker_up{worker="2"} 0.0' in (await gathered.metrics()).decode()
        stopping = True
        assert "draining" in (await gathered.readiness())["reasons"]
        await gathered.close()
