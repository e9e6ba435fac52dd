"""Waiting for what has no event of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def until(condition: Callable[[], bool]) -> None:
    """Wait until the condition holds; TimeoutError when it does not come true."""
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.001)
