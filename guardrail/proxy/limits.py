"""Admission: how many responses may be in flight, in all and for each tenant.

Promises: a place taken is given back exactly once, however the response ends. Never waits: a client that finds
no place is told to come back, so that a burst cannot pile up as queued memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from guardrail.errors import Overloaded

RETRY_AFTER = 1
"""Seconds a refused client is asked to wait: a place comes free whenever any response ends, so not long."""


class TenantBusy(Overloaded):
    """This tenant has all the places it may have (429); others are not affected."""


class ProxyFull(Overloaded):
    """The process has all the responses it will carry (503), or is draining."""


class Admission:
    """The places of one process. Not thread-safe: it lives on the event loop."""

    def __init__(self) -> None:
        self.in_flight = 0
        self._by_tenant: Counter[str] = Counter()

    def of(self, tenant: str) -> int:
        """How many responses of `tenant` are in flight."""
        return self._by_tenant[tenant]

    @contextmanager
    def place(self, tenant: str, *, total: int, per_tenant: int) -> Iterator[None]:
        """Hold one place. Raises TenantBusy or ProxyFull when there is none.

        The caps are arguments, since a reload may change them while responses are in flight; the tenant's own
        cap is looked at first, so that a tenant who fills the process is told that it is its own doing.
        """
        if self._by_tenant[tenant] >= per_tenant:
            raise TenantBusy(
                f"This tenant already has {per_tenant} responses in flight (limits.streams_per_tenant).",
                RETRY_AFTER,
            )
        if self.in_flight >= total:
            raise ProxyFull(f"The proxy already carries {total} responses (limits.streams).", RETRY_AFTER)
        self.in_flight += 1
        self._by_tenant[tenant] += 1
        try:
            yield
        finally:
            self.in_flight -= 1
            self._by_tenant[tenant] -= 1
            if not self._by_tenant[tenant]:
                del self._by_tenant[tenant]
