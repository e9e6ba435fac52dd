"""The Check API: texts, slices of texts and prompts are looked at for clients that guardrail does not stand before.

Promises: what is in one tenant's session is never told to another tenant; a session that has halted stays halted as
long as it is known; a slice is taken whole or not at all, also when its client leaves meanwhile; sessions are bounded
in number, size and idle time. Keeps no text but what the engine holds.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter, OrderedDict
from collections.abc import Callable
from itertools import takewhile
from time import monotonic

from guardrail.classify.judge import verdicts_of
from guardrail.errors import WireError
from guardrail.policy.policy import Policy
from guardrail.policy.registry import Tenant
from guardrail.proxy.classifiers import Classifiers, Opened
from guardrail.proxy.exchange import Exchange
from guardrail.proxy.faults import Failed, Fault
from guardrail.proxy.prompts import scanned
from guardrail.settings import Limits
from guardrail.whole_texts import OFF_LOOP_CHARACTERS
from guardrail.wire.check import CheckedText, CheckRequest, answer_prompt, answer_text, read_check
from guardrail.wire.check_session import CheckSession
from guardrail.wire.record import StreamRecord

FINDING_WEIGHT = 8
"""Characters of scanning that going through one finding again is like."""


class Held:
    """A session that is kept. One slice at a time; `waiting`: requests that use it, or wait to."""

    __slots__ = ("lock", "requests", "session", "used", "waiting")

    def __init__(self, session: CheckSession, now: float) -> None:
        self.session = session
        self.lock = asyncio.Lock()
        self.used = now
        self.waiting = 0
        self.requests: set[str] = set()
        """Ids of those that brought its slices."""


class Sessions:
    """The sessions of one process, by tenant and name. Lives on one event loop."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._held: OrderedDict[tuple[str, str], Held] = OrderedDict()
        """The one that was not used for the longest first."""
        self._of: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._held)

    def find(self, tenant: str, name: str, limits: Limits) -> Held | None:
        """A session that is known, which is used by that."""
        self.sweep(limits)
        held = self._held.get((tenant, name))
        if held is not None:
            held.used = self._clock()
            self._held.move_to_end((tenant, name))
        return held

    def open(self, tenant: str, name: str, policy: Policy, limits: Limits) -> Held:
        """A new session. Raises Failed when there are as many as there may be; none is closed for it, since what it
        has found would be forgotten."""
        if self._of[tenant] >= limits.check_sessions_per_tenant:
            most = limits.check_sessions_per_tenant
            message = f"This tenant already has {most} check sessions (limits.check_sessions_per_tenant)."
            raise Failed(Fault.TENANT_BUSY, message, retry_after=1)
        if len(self._held) >= limits.check_sessions:
            message = f"The proxy already has {limits.check_sessions} check sessions (limits.check_sessions)."
            raise Failed(Fault.PROXY_FULL, message, retry_after=1)
        held = self._held[tenant, name] = Held(CheckSession(policy), self._clock())
        self._of[tenant] += 1
        return held

    def close(self, tenant: str, name: str) -> None:
        """Forget a session."""
        if self._held.pop((tenant, name), None) is not None:
            self._of[tenant] -= 1
            if not self._of[tenant]:
                del self._of[tenant]

    def forget(self, request_id: str) -> int:
        """Forget the sessions that this request brought a slice of; how many there were."""
        found = [key for key, held in self._held.items() if request_id in held.requests]
        for tenant, name in found:
            self.close(tenant, name)
        return len(found)

    def sweep(self, limits: Limits) -> None:
        """Forget the sessions that were not used for too long."""
        before = self._clock() - limits.check_session_idle
        for (tenant, name), held in list(takewhile(lambda each: each[1].used <= before, self._held.items())):
            if not held.waiting:
                self.close(tenant, name)


class Checks:
    """Answers the requests of the Check API."""

    def __init__(self, classifiers: Classifiers, clock: Callable[[], float] = monotonic) -> None:
        self.sessions = Sessions(clock)
        self._classifiers = classifiers
        self._running: set[asyncio.Task[tuple[CheckedText, StreamRecord]]] = set()

    async def answer(self, tenant: Tenant, body: bytes, exchange: Exchange, limits: Limits) -> bytes:
        """The body of the answer. Raises Failed."""
        try:
            request = read_check(body)
            if request.messages is not None:
                return await self._prompt(tenant.policy, request, body, exchange)
            return await self._text(tenant, request, exchange, limits)
        except WireError as error:
            raise Failed(Fault.BAD_REQUEST, str(error)) from error

    async def _prompt(self, policy: Policy, request: CheckRequest, body: bytes, exchange: Exchange) -> bytes:
        assert request.messages is not None
        section = _looking(policy).input
        assert section is not None
        opened = self._classifiers.get(section.policy)
        guarded = await scanned(section, request.messages, body, opened, exchange)
        exchange.prompt = guarded.record
        exchange.outcome = "complete" if guarded.record.refused is None else "refused_input"
        return answer_prompt(policy, exchange.request_id, guarded)

    async def _text(self, tenant: Tenant, request: CheckRequest, exchange: Exchange, limits: Limits) -> bytes:
        if request.session:
            held = self._session(tenant, request, limits)
        else:
            held = Held(CheckSession(_of_prompts(tenant.policy) if request.prompt else tenant.policy), 0.0)
        # A task of its own: a client that leaves must not leave half a slice behind.
        task = asyncio.ensure_future(self._slice(tenant.name, held, request, exchange, limits))
        self._running.add(task)
        task.add_done_callback(self._over)
        exchange.policy = held.session.policy  # a session keeps the one that it began with
        checked, record = await asyncio.shield(task)
        exchange.text = record
        exchange.outcome = "halted" if record.halted else "complete"
        if request.prompt and checked.halted:
            checked = dataclasses.replace(checked, text="")  # the model is not asked
        return answer_text(held.session.policy, exchange.request_id, checked)

    def _session(self, tenant: Tenant, request: CheckRequest, limits: Limits) -> Held:
        """The session of a slice, made with its first."""
        held = self.sessions.find(tenant.name, request.session, limits)
        if held is None:
            if request.offset:
                message = "This session is not known: it has ended, was idle for too long, or is another worker's."
                raise Failed(Fault.BAD_REQUEST, message, code="session_unknown")
            held = self.sessions.open(tenant.name, request.session, tenant.policy, limits)
        return held

    async def _slice(
        self, tenant: str, held: Held, request: CheckRequest, exchange: Exchange, limits: Limits
    ) -> tuple[CheckedText, StreamRecord]:
        held.waiting += 1
        try:
            async with held.lock:
                session = held.session
                _expect(session, request)
                if session.received + len(request.text) > limits.check_session_characters and request.session:
                    most = limits.check_session_characters
                    message = f"A session has at most {most} characters (limits.check_session_characters)."
                    raise Failed(Fault.REQUEST_TOO_LARGE, message)
                held.requests.add(exchange.request_id)
                checked = await self._taken(session, request, exchange)
                if request.session and session.complete:
                    self.sessions.close(tenant, request.session)
                return checked, session.record(checked)
        finally:
            held.waiting -= 1

    async def _taken(self, session: CheckSession, request: CheckRequest, exchange: Exchange) -> CheckedText:
        taking = (request.text, request.channel, exchange.request_id)
        opened = self._classifiers.get(session.policy)
        if len(request.text) + FINDING_WEIGHT * session.weight >= OFF_LOOP_CHARACTERS:
            await asyncio.to_thread(session.take, *taking, final=request.final)
            if opened is not None:
                await _scored(session, opened, exchange)
            return await asyncio.to_thread(session.checked)
        session.take(*taking, final=request.final)
        if opened is not None:
            await _scored(session, opened, exchange)
        return session.checked()

    def _over(self, task: asyncio.Task[tuple[CheckedText, StreamRecord]]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # told to the client, if it is still there


async def _scored(session: CheckSession, opened: Opened, exchange: Exchange) -> None:
    """Have everything scored that is due."""
    settings = session.policy.classifier
    assert settings is not None
    opened.in_use += 1
    try:
        while due := session.due():
            verdicts, asked = await verdicts_of(opened.classifier, [window for _, window in due], settings.deadline)
            exchange.encoder_calls += asked
            for (number, _), verdict in zip(due, verdicts, strict=True):
                session.score(number, verdict)
    finally:
        opened.in_use -= 1


def _expect(session: CheckSession, request: CheckRequest) -> None:
    """Raises Failed when the client says that it has sent more, or less, than came."""
    came = session.expects(request.channel)
    if request.offset is not None and request.offset != came:
        message = f"The offset {request.offset} is not where the text goes on: {came} characters came in this channel."
        raise Failed(Fault.BAD_REQUEST, message, code="session_offset")


def _looking(policy: Policy) -> Policy:
    """The policy, which looks at prompts. Raises Failed."""
    if policy.input is None:
        message = f"The policy {policy.name!r} looks for nothing in prompts: it has no section 'input'."
        raise Failed(Fault.BAD_REQUEST, message)
    return policy


def _of_prompts(policy: Policy) -> Policy:
    """What it looks for in prompts, with the notice for those. Raises Failed."""
    section = _looking(policy).input
    assert section is not None
    return dataclasses.replace(section.policy, notice=section.notice)
