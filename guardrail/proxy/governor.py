"""Where duties meet the state: one batch before a request, many requests' worth in one batch after it, none in between.

Promises: a request waits for one round trip to the state at most, whatever its duties, and for none when no duty asks;
what is written after it is written behind the client's back, and again until it is there. What a request may do while
the state is down is set for each use of it: go on without (`open`), be refused (`closed`), or go by what this process
knows by itself (`local`). Each is counted, told in the record, and logged once for each outage.

Leases are renewed, and given back, by one task, one after the other: a lease that was given back never lives again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import traceback
from collections import OrderedDict, deque
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any

from guardrail.governance.duty import USES, Done, Duty, Entering, Finished, Refused, Standing, Use
from guardrail.governance.identity import Identity
from guardrail.observe.state_metrics import StateCounters
from guardrail.proxy.faults import Failed, Fault
from guardrail.state.operations import Give, Operation
from guardrail.state.store import Failure, StateError, Store

logger = logging.getLogger("guardrail.proxy")

BACKLOG = 10_000
"""Finished requests that wait for the state; of more, the oldest are given up and counted."""

BATCH = 256
"""Finished requests that are written at once."""

FOLLOWING = 32
"""Subjects of whom something is read and written at the same time."""

BEAT = 5.0
"""Seconds between two renewals of leases; a third of what they last (`LEASE_SECONDS` of the limits)."""

RETRY = 0.5
"""Seconds until a state that cannot be asked is asked again."""

REMEMBERED = 10_000
"""Subjects of whom this process remembers what the state said last."""


ANSWERED: frozenset[Failure] = frozenset(("full", "read-only", "other"))
"""Failures that are answers: the store is there, and may do some of what it is asked."""

Asks = tuple[Duty, list[Operation]]
"""A duty, and what it asks."""

Told = tuple[Duty, Sequence[Any] | None]
"""A duty, and the replies; None: there are none, as the state could not be asked."""


@dataclass(slots=True)
class _Due:
    """What is still to be written after one request."""

    finished: Finished | None
    """None: it was refused, and gives back what it took."""
    operations: Sequence[Operation]
    followed: int = 0
    """Duties that have read and written what they must."""
    done: bool = False


class Governor:
    """The duties of one process. Lives on one event loop."""

    def __init__(
        self,
        store: Store,
        duties: Sequence[Duty],
        identity: Identity,
        *,
        on_failure: Mapping[Use, Done],
        fallback: Store | None = None,
    ) -> None:
        """`store`: one that is known to be away fails at once (`guardrail.state.steady`). `on_failure`: what is done
        when it cannot be asked, for each use of it. `fallback`: a store of this process alone, for limits and sessions
        that are `local` then."""
        self.store = store
        self.duties = tuple(duties)
        self.identity = identity
        self.counters = StateCounters(store=store)
        self._on_failure = on_failure
        self._fallback = fallback
        self._backlog: deque[_Due] = deque()
        self._wake = asyncio.Event()
        self._answered = asyncio.Event()
        """A request has been answered by a state that was away: what waits need wait no longer."""
        self._emptied = asyncio.Event()
        self._emptied.set()
        self._away_since: float | None = None
        self._known: OrderedDict[tuple[int, str, str], list[Any]] = OrderedDict()
        self._undoing: set[asyncio.Task[None]] = set()

    @property
    def up(self) -> bool:
        """Whether the state answered when it was asked last."""
        return self.counters.up

    def refusing(self) -> list[Use]:
        """The uses for which requests are refused now, as the state cannot be asked."""
        return [] if self.up else [use for use in USES if self._on_failure[use] == "closed"]

    # Before a request

    async def enter(self, entering: Entering) -> Standing:
        """What the duties make of the request. Raises Refused; Failed when the state cannot be asked and the request
        may not go on without."""
        if not self.up and self._on_failure["records"] == "closed":
            self.counters.without["records", "closed"] += 1
            raise Failed(Fault.STATE_UNAVAILABLE, retry_after=1)
        standing = Standing(entering.tenant.policy)
        asked = [(duty, list(duty.asks(entering))) for duty in self.duties]
        told: list[Told] = [(duty, []) for duty, _ in asked]
        if any(part for _, part in asked):
            began = monotonic()
            asking = asyncio.ensure_future(self._ask(asked))
            try:
                # What is taken is known only when it is over: a client that leaves meanwhile must not keep it.
                told = await asyncio.shield(asking)
            except asyncio.CancelledError:
                self._spawn(self._give_up(entering, asking))
                raise
            finally:
                self.counters.asked += 1
                self.counters.seconds += monotonic() - began
            self._remember(entering, told)
            if any(answer is None for _, answer in told):
                told = await self._without(entering, asked, told, standing)
        try:
            for duty, answer in told:
                if answer is not None:
                    duty.judge(entering, answer, standing)
        except Refused as refused:
            refused.record = dict(standing.record)
            self._undo(entering, told, standing)
            raise
        except Exception:  # a duty that fails must not keep what another took
            self._undo(entering, told, standing)
            raise
        return standing

    async def _ask(self, asked: Sequence[Asks]) -> list[Told]:
        """Each duty with its replies; None where they could not be had."""
        try:
            return await self._run(asked)
        except StateError as error:
            self._lost_sight(error)
            uses = {duty.use for duty, part in asked if part}
            if error.kind not in ANSWERED or len(uses) == 1:
                return [(duty, None if part else []) for duty, part in asked]
        # A state that only takes nothing in can still be read, so that one use does not fail for another.
        answers: dict[int, Sequence[Any] | None] = {}
        for use in uses:
            mine = [(number, each) for number, each in enumerate(asked) if each[0].use == use]
            try:
                told = await self._run([each for _, each in mine])
            except StateError:
                told = [(duty, None if part else []) for _, (duty, part) in mine]
            answers |= {number: answer for (number, _), (_, answer) in zip(mine, told, strict=True)}
        return [(duty, answers.get(number, [])) for number, (duty, _) in enumerate(asked)]

    async def _run(self, asked: Sequence[Asks]) -> list[Told]:
        """All of it in one batch. Raises StateError."""
        replies = iter(await self.store.run([operation for _, part in asked for operation in part]))
        if not self.up:
            self._answered.set()
        return [(duty, [next(replies) for _ in part]) for duty, part in asked]

    async def _without(
        self, entering: Entering, asked: Sequence[Asks], told: Sequence[Told], standing: Standing
    ) -> list[Told]:
        """What is known without the state by those who could not ask it; None: nothing, and the request goes on.
        Raises Failed."""
        uses = {duty.use: self._on_failure[duty.use] for duty, answer in told if answer is None}
        for use, done in uses.items():
            self.counters.without[use, done] += 1
        if "closed" in uses.values():
            self._undo(entering, told, standing)
            raise Failed(Fault.STATE_UNAVAILABLE, retry_after=1)
        standing.without = dict(uses)
        standing.record["without_state"] = sorted(uses)
        out: list[Told] = []
        for number, ((duty, part), (_, answer)) in enumerate(zip(asked, told, strict=True)):
            if answer is None and uses[duty.use] == "local":
                answer = await self._locally(number, duty, part, entering)
            out.append((duty, answer))
        return out

    async def _locally(
        self, number: int, duty: Duty, part: list[Operation], entering: Entering
    ) -> Sequence[Any] | None:
        if duty.use in ("limits", "sessions") and self._fallback is not None:
            return await self._fallback.run(part)
        if duty.use == "conduct" and entering.subject is not None:
            known = self._known.get((number, entering.tenant.name, entering.subject.id))
            return known if known is not None and len(known) == len(part) else None
        return None

    def _remember(self, entering: Entering, told: Sequence[Told]) -> None:
        """Of conduct, what the state said of a subject last: it is what holds while the state is away."""
        if entering.subject is None:
            return
        for number, (duty, answer) in enumerate(told):
            if duty.use == "conduct" and answer:
                key = (number, entering.tenant.name, entering.subject.id)
                self._known[key] = list(answer)
                self._known.move_to_end(key)
                if len(self._known) > REMEMBERED:
                    self._known.popitem(last=False)

    def _undo(self, entering: Entering, told: Sequence[Told], standing: Standing) -> None:
        """Give back what a refused request took, behind its back."""
        operations: list[Operation] = []
        for duty, answer in told:
            undone = duty.undo(entering, answer) if answer is not None else ()
            if undone and standing.without.get(duty.use) == "local" and duty.use == "limits":
                self._spawn(self._say_locally(undone))
            else:
                operations += undone
        if operations:
            self._put(_Due(None, operations))

    async def _give_up(self, entering: Entering, asking: asyncio.Future[list[Told]]) -> None:
        """Undo what was asked for a client that left."""
        self._undo(entering, await asking, Standing(entering.tenant.policy))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._undoing.add(task)
        task.add_done_callback(self._undoing.discard)

    # After it

    def finish(self, finished: Finished) -> None:
        """Have written what follows from it. Returns at once."""
        operations: list[Operation] = []
        local: list[Operation] = []
        for duty in self.duties:
            try:
                due = duty.after(finished)
            except Exception as error:
                _blame(finished, error)
                continue
            done = finished.standing.without.get(duty.use)
            if duty.use != "limits" or done is None:
                operations += due
            elif done == "local":
                # Nothing was taken there; a lease may be, by a renewal since.
                operations += _without_corrections(due)
            if duty.use == "limits" and (done == "local" or not self.up):
                local += due if done == "local" else _without_corrections(due)
        if local:
            self._spawn(self._say_locally(local))
        self._put(_Due(finished, operations))

    def _put(self, due: _Due) -> None:
        if len(self._backlog) >= BACKLOG:
            self._backlog.popleft()
            self.counters.lost += 1
        self._backlog.append(due)
        self.counters.waiting = len(self._backlog)
        self._emptied.clear()
        self._wake.set()

    async def look(self) -> None:
        """Find out whether the state can be asked. Raises StateError when it never can be by this program."""
        try:
            await self.store.ping()
        except StateError as error:
            if error.kind == "schema":
                raise
            self._lost_sight(error)

    async def tend(self) -> None:
        """Write what is due, renew leases, and look whether the state is back, until cancelled."""
        beat_at = 0.0
        failed = False
        while True:
            if failed:
                await asyncio.sleep(RETRY / 10)
                self._answered.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(RETRY):
                        await self._answered.wait()
                if not self.up and monotonic() >= beat_at:
                    await self._beat_locally()
                    beat_at = monotonic() + BEAT
            elif not self._backlog and self.up:
                self._wake.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(max(beat_at - monotonic(), 0.0)):
                        await self._wake.wait()
            try:
                if not self.up:
                    await self.store.ping()
                    self._in_sight()
                    beat_at = 0.0  # leases may have run out meanwhile
                if monotonic() >= beat_at:
                    await self._beat()
                    beat_at = monotonic() + BEAT
                await self._write()
                failed = False
            except StateError as error:
                self._lost_sight(error)
                if not failed:
                    await self._beat_locally()
                failed = True
            except Exception as error:
                logger.error("%s while the state was tended\n%s", type(error).__name__, _where(error))
                failed = True

    async def settle(self, seconds: float) -> None:
        """Wait until all is written, at most so long. What is not is lost, and said to be."""
        if not self._emptied.is_set() or self._undoing:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await asyncio.gather(*self._undoing, return_exceptions=True)
                    await self._emptied.wait()
        if self._backlog:
            self.counters.lost += len(self._backlog)
            logger.error("finished requests that were never written to the state: %d", len(self._backlog))

    async def _beat(self) -> None:
        """Renew the leases of what runs; without any, see that the state is there."""
        operations = [operation for duty in self.duties for operation in duty.beat()]
        if operations:
            await self.store.run(operations)
        else:
            await self.store.ping()

    async def _beat_locally(self) -> None:
        """What runs counts where limits are counted meanwhile."""
        operations = [operation for duty in self.duties if duty.use == "limits" for operation in duty.beat()]
        if operations and self._on_failure["limits"] == "local":
            await self._say_locally(operations)

    async def _say_locally(self, operations: Sequence[Operation]) -> None:
        if self._fallback is not None:
            try:
                await self._fallback.run(operations)
            except StateError as error:
                logger.error("the limits that this process counts by itself cannot be changed: %s", error)

    async def _write(self) -> None:
        """Write what waits, in batches. Raises StateError; then what is not written waits on."""
        while self._backlog:
            batch = [self._backlog.popleft() for _ in range(min(BATCH, len(self._backlog)))]
            try:
                await self._write_batch(batch)
                await self._follow(batch)
            finally:
                self._backlog.extendleft(due for due in reversed(batch) if not due.done)
                self.counters.waiting = len(self._backlog)
        self._emptied.set()

    async def _write_batch(self, batch: list[_Due]) -> None:
        operations = [operation for due in batch for operation in due.operations]
        try:
            if operations:
                await self.store.run(operations)
        except StateError:
            for due in batch:
                due.operations = _repeated(due.operations)
            raise
        except Exception as error:
            self.counters.lost += len(batch)
            logger.error("%s in what is written after requests\n%s", type(error).__name__, _where(error))
        for due in batch:
            due.operations = ()

    async def _follow(self, batch: list[_Due]) -> None:
        """What reads before it writes: for several subjects at once, for each of them in order."""
        duties = [duty for duty in self.duties if type(duty).follow is not Duty.follow]
        lanes: dict[tuple[str, str], list[_Due]] = {}
        for due in batch:
            if due.finished is None or not duties:
                due.done = True
                continue
            entering = due.finished.entering
            whom = entering.subject.id if entering.subject is not None else entering.request_id
            lanes.setdefault((entering.tenant.name, whom), []).append(due)
        gate = asyncio.Semaphore(FOLLOWING)

        async def one(lane: list[_Due]) -> None:
            async with gate:
                for due in lane:
                    assert due.finished is not None
                    for duty in duties[due.followed :]:
                        try:
                            await duty.follow(due.finished, self.store)
                        except StateError:
                            raise
                        except Exception as error:
                            _blame(due.finished, error)
                        due.followed += 1
                    due.done = True

        for result in await asyncio.gather(*map(one, lanes.values()), return_exceptions=True):
            if isinstance(result, BaseException):
                raise result

    # Whether it is there

    def _lost_sight(self, error: StateError) -> None:
        """The state cannot be asked. Said once for each outage."""
        if self._away_since is None:
            self._away_since = monotonic()
            self.counters.up = False
            done = ", ".join(f"{use}: {self._on_failure[use]}" for use in USES)
            logger.error("the state cannot be asked (%s); requests go on by `state.on_failure` (%s)", error, done)
        self._wake.set()

    def _in_sight(self) -> None:
        if self._away_since is not None:
            away, self._away_since = monotonic() - self._away_since, None
            self.counters.up = True
            logger.info("the state answers again; it was away for %.1f s", away)


def _repeated(operations: Sequence[Operation]) -> list[Operation]:
    """What is written again, though it may have been written already: nothing is given back twice."""
    return [
        replace(each, corrections=tuple(meter for meter in each.corrections if meter.cost > 0))
        if isinstance(each, Give)
        else each
        for each in operations
    ]


def _without_corrections(operations: Sequence[Operation]) -> list[Operation]:
    return [replace(each, corrections=()) if isinstance(each, Give) else each for each in operations]


def _blame(finished: Finished, error: Exception) -> None:
    # Type and place only: the message of an exception may quote the model's text.
    request_id, name = finished.record.request_id, type(error).__name__
    logger.error("%s: %s after a request\n%s", request_id, name, _where(error))


def _where(error: Exception) -> str:
    return "".join(traceback.format_tb(error.__traceback__))
