"""The deadlines of one response, on one timer that is re-armed only when it fires.

A deadline that moves with every read would cost a cancelled and a new timer for every read. Here the relay only
writes down when things last happened, and the timer, when it fires, looks and goes back to sleep.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic

from guardrail.proxy.faults import Fault
from guardrail.settings import Timeouts


class Watchdog:
    """Watches one response. `expire(fault)` is called at most once; `quiet()` each time nothing was written to
    the client for `keep_alive` seconds, once a stream has begun."""

    __slots__ = (
        "_expire",
        "_first_byte",
        "_handle",
        "_idle",
        "_keep_alive",
        "_loop",
        "_quiet",
        "_total_at",
        "answered",
        "waiting_since",
        "written_at",
    )

    def __init__(
        self,
        timeouts: Timeouts,
        keep_alive: float,
        expire: Callable[[Fault], None],
        quiet: Callable[[], None],
        *,
        first_byte: bool,
    ) -> None:
        """`first_byte`: whether that deadline applies; an answer that is not streamed comes when it is complete,
        so only the total bounds it. All times are of `time.monotonic`."""
        now = monotonic()
        self.waiting_since: float | None = now
        """Since when the upstream is being waited for; None while the client is."""
        self.answered = False
        """Whether the first body byte of the upstream is here."""
        self.written_at: float | None = None
        """When the client was last written to, at first when the stream's first byte came; None before."""
        self._total_at = now + timeouts.total
        self._first_byte = timeouts.first_byte if first_byte else timeouts.total
        self._idle = timeouts.idle
        self._keep_alive = keep_alive
        self._expire = expire
        self._quiet = quiet
        self._loop = asyncio.get_running_loop()
        self._handle: asyncio.TimerHandle | None = None
        self._arm(now)

    def stop(self) -> None:
        """Let go of the timer."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _check(self) -> None:
        now = monotonic()
        if now >= self._total_at:
            self._end(Fault.TOTAL_TIMEOUT)
        elif self.waiting_since is not None and now >= self.waiting_since + self._patience():
            self._end(Fault.IDLE_TIMEOUT if self.answered else Fault.FIRST_BYTE_TIMEOUT)
        else:
            if self.written_at is not None and now >= self.written_at + self._keep_alive:
                self.written_at = now
                self._quiet()
            self._arm(now)

    def _arm(self, now: float) -> None:
        # While the client is being waited for, look again after one patience: the wait for the upstream that
        # follows then ends at most that much late.
        since = now if self.waiting_since is None else self.waiting_since
        at = min(self._total_at, since + self._patience())
        at = min(at, (now if self.written_at is None else self.written_at) + self._keep_alive)
        self._handle = self._loop.call_later(max(at - now, 0.001), self._check)

    def _patience(self) -> float:
        return self._idle if self.answered else self._first_byte

    def _end(self, fault: Fault) -> None:
        self._handle = None
        self._expire(fault)
