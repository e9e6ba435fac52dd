"""A command as a child process: started, asked and stopped; one that cannot start is a clear error."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from guardrail.child import ChildError, child


def test_a_child_that_cannot_start_is_a_clear_error() -> None:
    async def start() -> None:
        async with child("the model server", ["simulate", "--fault", "explode"], urls=1):
            raise AssertionError("it started")

    with pytest.raises(ChildError, match=r"the model server ended with status 1:\n.*explode"):
        asyncio.run(start())


def test_a_child_is_up_inside_and_gone_afterwards() -> None:
    async def ask() -> tuple[int, int | None]:
        async with child("the model server", ["simulate", "--port", "0"], urls=1) as started:
            (url,) = started.urls
            async with aiohttp.ClientSession() as session, session.get(f"{url}/v1/models") as response:
                status = response.status
        return status, started.process.returncode

    status, code = asyncio.run(ask())
    assert status == 200
    assert code is not None
