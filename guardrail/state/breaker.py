"""When a store that did not answer is asked again: after a moment, by one that nobody waits for. Pure.

Promises: after a failure that cost somebody a wait, nobody else waits until a probe has succeeded; probes come at
growing pauses, so that a server that is coming up is not stormed. Times are seconds by any steady clock.
"""

from __future__ import annotations

from guardrail.state.store import Failure

COSTLY: frozenset[Failure] = frozenset(("slow", "down", "failover"))
"""Failures for which a request waits. The others are answers: they come at once, and reading may work all the same."""

FIRST_PAUSE = 0.1
"""Until the first probe: a lost packet, or a server that was restarted, is over by then."""

LONGEST_PAUSE = 0.8
"""Between two probes, so that a server that is back is in use within a second."""


class Breaker:
    """Whether a store may be asked."""

    def __init__(self) -> None:
        self.reason: Failure | None = None
        """Why it may not be asked now; None: it may."""
        self._pause = FIRST_PAUSE

    def failed(self, kind: Failure) -> bool:
        """It failed. Whether it has to be probed from now on, and was not before."""
        if kind not in COSTLY:
            return False
        opened, self.reason = self.reason is None, kind
        return opened

    def pause(self) -> float:
        """Seconds until the next probe."""
        pause, self._pause = self._pause, min(self._pause * 2, LONGEST_PAUSE)
        return pause

    def succeeded(self) -> None:
        """It answered."""
        self.reason, self._pause = None, FIRST_PAUSE
