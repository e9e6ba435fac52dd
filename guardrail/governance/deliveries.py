"""Messages to the applications of tenants: an outbox in the state, and the courier that empties it.

A message is tried until the application says 2xx. Between two tries the time doubles, up to an hour; it is never given
up, and one that is late is counted. Each try is made by whichever process takes the lease (a `Put` of the version that
it read), so that the messages of a process that was killed are sent by another, or by the next one. An application may
get a message twice, and tells by its id.

Promises: messages go where the terms of the tenant say, and nowhere else; redirects are not followed; of an answer only
the status is read; what a message says is not logged.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import time
from typing import Any, Literal

import aiohttp
import msgspec

from guardrail.governance.complaint_terms import told
from guardrail.governance.counters import Kind, count
from guardrail.governance.terms import Terms
from guardrail.governance.webhooks import SecretUnfit, secrets_in, signed
from guardrail.observe.audit import Audit, AuditError
from guardrail.state.operations import Conflict, Document, Find, Put
from guardrail.state.store import StateError, Store, get

logger = logging.getLogger("guardrail.deliveries")

KIND = "delivery"
PENDING = "pending"

TIMEOUT = 10.0
"""Seconds for one try, all of it."""

LEASE = TIMEOUT + 5.0
"""Seconds in which nobody else tries: longer than a try can take."""

FIRST, LONGEST = 2.0, 3600.0
"""Seconds until the second try, and the most between two."""

LATE = 3600.0
"""Seconds after which a message that was not acknowledged is overdue."""

LOOK = 1.0
"""Seconds between two looks for what is due."""

AT_ONCE = 8
"""Tries at a time, in one process."""
PER_TENANT = 2
"""And to one tenant: an application that hangs holds up its own messages only."""

SCANNED = 500
"""Messages that are due which one look goes through."""

FOREVER = 100 * 365 * 86400.0
KEPT = 365 * 86400.0
"""Seconds that a message is kept which was acknowledged."""

Status = Literal["pending", "acknowledged"]


class Delivery(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One message. Times are unix seconds."""

    id: str
    """The header `webhook-id`, the same at every try."""
    tenant: str
    event: str
    """"answer.removed"."""
    about: str
    """Id of the case."""
    body: str
    """JSON, as it is signed and sent."""
    made_at: float
    next_at: float
    """Not tried before."""
    status: Status = "pending"
    tries: int = 0
    failure: str = ""
    """Of the last try: "http_5xx", "timeout", "connection", "no_target", "no_secret"."""
    acknowledged_at: float = 0.0

    def overdue(self, now: float) -> bool:
        """Whether it should have been acknowledged by now."""
        return self.status == "pending" and now > self.made_at + LATE


@dataclass(frozen=True, slots=True)
class Target:
    """Where a tenant's messages go."""

    url: str
    secrets: tuple[bytes, ...] = field(repr=False)


class NoTarget(Exception):
    """There is nowhere to send it; the argument is the kind of failure."""


def new_delivery(tenant: str, event: str, about: str, data: Mapping[str, Any], now: float) -> Delivery:
    """A message that is due at once."""
    body = msgspec.json.encode({"type": event, "timestamp": told(now), "data": data}).decode()
    id = "msg_" + secrets.token_hex(12)
    return Delivery(id=id, tenant=tenant, event=event, about=about, body=body, made_at=now, next_at=now)


def posted(delivery: Delivery, expect: int | None = 0) -> Put:
    """The operation that puts a message into the outbox, or writes what became of it."""
    pending = delivery.status == "pending"
    tags = {f"tenant:{delivery.tenant}", f"about:{delivery.about}", f"status:{delivery.status}"}
    return Put(
        KIND,
        delivery.id,
        msgspec.json.encode(delivery),
        frozenset(tags),
        keep=FOREVER if pending else KEPT,
        expect=expect,
        at=delivery.next_at if pending else delivery.acknowledged_at,
    )


async def deliveries(
    store: Store, *, tenant: str = "", status: Status | Literal[""] = "", limit: int = 100, after: str = ""
) -> list[Delivery]:
    """Messages, the one that is tried next at the head."""
    tag = f"status:{status}" if status else f"tenant:{tenant}" if tenant else ""
    out: list[Delivery] = []
    while len(out) < limit:
        (page,) = await store.run([Find(KIND, tag, limit=limit, after=after)])
        out += [each for each in map(_decoded, page) if tenant in ("", each.tenant)]
        if len(page) < limit:
            break
        after = page[-1].id
    return out[:limit]


def wait_after(tries: int, drawn: float) -> float:
    """Seconds until the next try, after so many that failed. `drawn`: 0 to 1, by which the tries of many messages are
    spread."""
    return float(min(FIRST * 2 ** min(tries - 1, 20), LONGEST) * (0.8 + 0.4 * drawn))


def target_of(terms: Terms, environ: Mapping[str, str]) -> Target:
    """Where the messages of a tenant go. Raises NoTarget."""
    removal = terms.removal
    url, variable = (removal.webhook, removal.secret_env) if isinstance(removal, msgspec.Struct) else ("", "")
    if not isinstance(url, str) or not url:
        raise NoTarget("no_target")
    try:
        found = secrets_in(environ.get(variable, "")) if isinstance(variable, str) else ()
    except SecretUnfit:
        found = ()
    if not found:
        raise NoTarget("no_secret")
    return Target(url, found)


class Courier:
    """Sends what is due, in one process. Lives on one event loop."""

    def __init__(self, store: Store, audit: Audit, terms: Callable[[str], Terms], environ: Mapping[str, str]) -> None:
        self.tries: Counter[str] = Counter()
        """Tries of this process by what came of them: "acknowledged", or the kind of failure."""
        self._store = store
        self._audit = audit
        self._terms = terms
        self._environ = environ
        self._session: aiohttp.ClientSession | None = None

    async def run(self) -> None:
        """Send what is due, until cancelled."""
        try:
            while True:
                try:
                    sent = await self.look()
                except (StateError, AuditError):
                    sent = 0  # told by whoever has to do with them; what waits, waits there
                except Exception as error:
                    # Type and place only: a message is for its application alone.
                    logger.error("%s in the courier\n%s", type(error).__name__, _where(error))
                    sent = 0
                if sent < AT_ONCE:
                    await asyncio.sleep(LOOK)
        finally:
            if self._session is not None:
                await self._session.close()
                self._session = None

    async def look(self) -> int:
        """Try some of what is due; how many were tried. Raises StateError."""
        (found,) = await self._store.run([Find(KIND, f"status:{PENDING}", until=time(), limit=SCANNED)])
        chosen: list[Document] = []
        of: Counter[str] = Counter()
        for document in found:
            tenant = _decoded(document).tenant
            if of[tenant] < PER_TENANT and len(chosen) < AT_ONCE:
                of[tenant] += 1
                chosen.append(document)
        tried = await asyncio.gather(*(self._try(document) for document in chosen))
        return sum(tried)

    async def _try(self, document: Document) -> bool:
        delivery = _decoded(document)
        leased = msgspec.structs.replace(delivery, tries=delivery.tries + 1, next_at=time() + LEASE)
        (version,) = await self._store.run([posted(leased, document.version)])
        if isinstance(version, Conflict):
            return False  # another process tries it
        failure = await self._send(leased)
        self.tries[failure or "acknowledged"] += 1
        now = time()
        if failure:
            if leased.tries == 1:
                logger.warning("message %s to %s failed (%s); it is tried again", leased.id, leased.tenant, failure)
            elif leased.overdue(now):
                logger.error("message %s to %s is overdue: try %d failed (%s)", *_told(leased), failure)
            after = msgspec.structs.replace(
                leased, failure=failure, next_at=now + wait_after(leased.tries, secrets.randbelow(1024) / 1024)
            )
            await self._store.run([posted(after, version)])
            return True
        done = msgspec.structs.replace(leased, status="acknowledged", failure="", acknowledged_at=now)
        self._audit.write("delivery.acknowledged", {"actor": "system", **named(done), "tries": done.tries})
        await self._store.run([posted(done, version), count(done.tenant, (Kind.REMOVALS, "acknowledged"))])
        return True

    async def _send(self, delivery: Delivery) -> str:
        """Send it once; the kind of failure, or ""."""
        try:
            target = target_of(self._terms(delivery.tenant), self._environ)
        except NoTarget as error:
            return str(error)
        body = delivery.body.encode()
        headers = signed(target.secrets, delivery.id, int(time()), body) | {"Content-Type": "application/json"}
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=TIMEOUT)
            self._session = aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())
        try:
            async with self._session.post(target.url, data=body, headers=headers, allow_redirects=False) as answer:
                return "" if 200 <= answer.status < 300 else f"http_{answer.status // 100}xx"
        except TimeoutError:
            return "timeout"
        except (aiohttp.ClientError, OSError, ValueError):
            return "connection"


def _told(delivery: Delivery) -> tuple[str, str, int]:
    return delivery.id, delivery.tenant, delivery.tries


def named(delivery: Delivery) -> dict[str, object]:
    """What the audit log has of a message."""
    return {"delivery": delivery.id, "tenant": delivery.tenant, "event": delivery.event, "case": delivery.about}


async def find(store: Store, id: str) -> Delivery | None:
    """The message with this id."""
    found = await get(store, KIND, id)
    return None if found is None else _decoded(found)


def _where(error: Exception) -> str:
    return "".join(traceback.format_tb(error.__traceback__))


def _decoded(document: Document) -> Delivery:
    return msgspec.json.decode(document.body, type=Delivery)
