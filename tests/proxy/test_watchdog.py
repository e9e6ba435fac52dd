"""Deadlines: which one ends a response, and that a quiet client is told so."""

from __future__ import annotations

import asyncio
from time import monotonic

from guardrail.proxy.faults import Fault
from guardrail.proxy.watchdog import Watchdog
from guardrail.settings import Timeouts


class Heard:
    """What a watchdog called."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.quiet = 0
        self.ended = asyncio.Event()

    def expire(self, fault: Fault) -> None:
        self.faults.append(fault)
        self.ended.set()

    def silent(self) -> None:
        self.quiet += 1

    async def end(self) -> list[Fault]:
        async with asyncio.timeout(10):
            await self.ended.wait()
        await asyncio.sleep(0.05)  # a second call would come here
        return self.faults


def watch(heard: Heard, *, keep_alive: float = 60, streamed: bool = True, **timeouts: float) -> Watchdog:
    times = Timeouts(**{"first_byte": 60, "idle": 60, "total": 60, **timeouts})
    return Watchdog(times, keep_alive, heard.expire, heard.silent, first_byte=streamed)


async def test_no_first_byte() -> None:
    heard = Heard()
    watch(heard, first_byte=0.02)
    assert await heard.end() == [Fault.FIRST_BYTE_TIMEOUT]


async def test_an_answer_that_is_not_streamed_has_until_the_total() -> None:
    heard = Heard()
    watch(heard, streamed=False, first_byte=0.01, total=0.05)
    assert await heard.end() == [Fault.TOTAL_TIMEOUT]


async def test_silence_between_tokens() -> None:
    heard = Heard()
    dog = watch(heard, idle=0.02)
    dog.answered, dog.waiting_since = True, monotonic()
    dog.stop()
    dog = watch(heard, idle=0.02, first_byte=0.02)
    dog.answered = True
    assert await heard.end() == [Fault.IDLE_TIMEOUT]


async def test_the_total_ends_even_a_lively_stream() -> None:
    heard = Heard()
    dog = watch(heard, idle=0.05, first_byte=0.05, total=0.2)
    dog.answered = True
    while not heard.faults:
        dog.waiting_since = monotonic()
        await asyncio.sleep(0.01)
    assert await heard.end() == [Fault.TOTAL_TIMEOUT]


async def test_waiting_for_the_client_is_not_the_upstreams_silence() -> None:
    heard = Heard()
    dog = watch(heard, idle=0.02, first_byte=0.02, total=0.2)
    dog.answered, dog.waiting_since = True, None
    assert await heard.end() == [Fault.TOTAL_TIMEOUT]


async def test_a_quiet_client_is_called_for_again_and_again() -> None:
    heard = Heard()
    dog = watch(heard, keep_alive=0.01, total=0.3)
    dog.answered, dog.written_at = True, monotonic()
    await heard.end()
    assert heard.quiet >= 3


async def test_no_keep_alive_before_the_stream_begins() -> None:
    heard = Heard()
    watch(heard, keep_alive=0.01, total=0.1)
    await heard.end()
    assert heard.quiet == 0


async def test_a_stopped_watchdog_calls_nobody() -> None:
    heard = Heard()
    watch(heard, first_byte=0.01).stop()
    await asyncio.sleep(0.05)
    assert heard.faults == []
