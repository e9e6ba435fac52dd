"""The duty that keeps a tenant, and each of its end users, within limits: requests, tokens, answers at a time.

A request takes from every limit that holds for it or from none, at the moment it comes, over all replicas. Tokens are
taken as an estimate (the prompt's, and the most output that the request asks for) and corrected when the answer is
over: by the usage that upstream reported, or else by what was counted. Requests that tell no end user share the
allowance of one.

Promises: nothing passes above a limit but one large request in an empty window; a place among the answers in flight is
given back when the answer ends, and by itself `LEASE_SECONDS` after its replica was killed. Never names the person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from guardrail.governance.counters import Kind, count
from guardrail.governance.duty import Duty, Entering, Finished, Refused, Standing, Use
from guardrail.governance.rate_headers import Unit, rate_headers
from guardrail.state.operations import Give, Meter, Operation, Renew, Seats, Take, Taken

if TYPE_CHECKING:
    from prometheus_client.registry import Collector

    from guardrail.wire.request import ModelRequest

LEASE_SECONDS = 15.0
"""For which the answers of a killed replica still count. Leases that go on are renewed three times meanwhile."""

NOBODY = "-"
"""The end user of requests that tell none."""

MINUTE, DAY = 60.0, 86400.0

Positive = Annotated[int, Meta(ge=1, le=10**12)]


class Quota(Struct, frozen=True, forbid_unknown_fields=True):
    """What may be used. What is not given is not limited."""

    requests_per_minute: Annotated[
        Positive | UnsetType,
        Meta(description="Requests in any 60 seconds, those asked of guardrail itself among them."),
    ] = UNSET
    requests_per_day: Annotated[Positive | UnsetType, Meta(description="Requests in any 24 hours.")] = UNSET
    tokens_per_minute: Annotated[
        Positive | UnsetType, Meta(description="Tokens of prompts and answers in any 60 seconds.")
    ] = UNSET
    tokens_per_day: Annotated[
        Positive | UnsetType, Meta(description="Tokens of prompts and answers in any 24 hours.")
    ] = UNSET
    streams: Annotated[Positive | UnsetType, Meta(description="Answers at a time, streamed or not.")] = UNSET


class LimitTerms(Struct, frozen=True, forbid_unknown_fields=True):
    """Limits that hold over all replicas."""

    tenant: Annotated[Quota | UnsetType, Meta(description="Of the tenant, all its end users together.")] = UNSET
    user: Annotated[
        Quota | UnsetType, Meta(description="Of each end user; requests that tell none count as one's.")
    ] = UNSET


@dataclass(frozen=True, slots=True)
class _Limit:
    """One limit on a request."""

    name: str
    """For people, metrics and the record: "requests_per_minute", "user_streams"."""
    unit: Unit | None
    """None: answers at a time."""
    meter: Meter | None = None
    seats: Seats | None = None


class Limits(Duty):
    """See above. One for each process."""

    use: Use = "limits"

    def __init__(self) -> None:
        self._held: dict[str, tuple[str, tuple[str, ...]]] = {}
        """Leases of requests that run: (group, seats)."""
        from prometheus_client import Counter  # the command line reads the terms above, and counts nothing

        self._refused = Counter("guardrail_limited", "Requests refused by a limit.", ("tenant", "limit"), registry=None)

    def collectors(self) -> Sequence[Collector]:
        return [self._refused]

    def asks(self, entering: Entering) -> Sequence[Operation]:
        limits = list(_limits(entering))
        if not limits:
            return ()
        meters = tuple(limit.meter for limit in limits if limit.meter is not None)
        seats = tuple(limit.seats for limit in limits if limit.seats is not None)
        return [Take(entering.tenant.name, meters, seats, entering.request_id, LEASE_SECONDS)]

    def judge(self, entering: Entering, replies: Sequence[Any], standing: Standing) -> None:
        if not replies:
            return
        limits, taken = _in_order(entering), replies[0]
        told = [
            (limit.unit, level) for limit, level in zip(limits, taken.levels, strict=True) if limit.unit is not None
        ]
        protocol = entering.protocol.name if entering.protocol is not None else ""
        headers = rate_headers(told, protocol, entering.now)
        if taken.refused >= 0:
            limit, level = limits[taken.refused], taken.levels[taken.refused]
            self._refused.labels(entering.tenant.name, limit.name).inc()
            # A seat comes free whenever any answer ends.
            after = 1.0 if limit.seats is not None else max(taken.retry_after, 1.0)
            whose = "end user" if limit.name.startswith("user_") else "tenant"
            what = limit.name.removeprefix("user_").replace("_", " ")
            message = (
                f"Rate limit of this {whose} reached: {what}. Limit {level.limit}, used {level.used}. "
                f"Try again in {ceil(after)} s."
            )
            raise Refused(
                429, "rate_limit_exceeded", message, type="rate_limit_error", retry_after=after, headers=headers
            )
        standing.headers |= headers
        seats = tuple(limit.seats.key for limit in limits if limit.seats is not None)
        if seats:
            self._held[entering.request_id] = entering.tenant.name, seats

    def undo(self, entering: Entering, replies: Sequence[Any]) -> Sequence[Operation]:
        if not replies:
            return ()
        taken: Taken = replies[0]
        limits = _in_order(entering)
        if taken.refused >= 0:
            return [count(entering.tenant.name, (Kind.LIMITED, limits[taken.refused].name))]
        # The request still counts: it was made. The tokens were not used.
        return self._given(entering, lambda meter: -meter.cost)

    def after(self, finished: Finished) -> Sequence[Operation]:
        entering = finished.entering
        used = _tokens_used(finished)
        return self._given(entering, lambda meter: used - meter.cost)

    def beat(self) -> Sequence[Operation]:
        groups: dict[str, tuple[list[str], list[str]]] = {}
        for lease, (group, seats) in self._held.items():
            keys, leases = groups.setdefault(group, ([], []))
            keys += seats
            leases += [lease] * len(seats)
        return [Renew(group, tuple(keys), tuple(leases), LEASE_SECONDS) for group, (keys, leases) in groups.items()]

    def _given(self, entering: Entering, correction: Callable[[Meter], int]) -> Sequence[Operation]:
        """What gives back the request's places, and corrects its tokens."""
        lease = entering.request_id
        _, seats = self._held.pop(lease, ("", ()))
        if not seats:
            seats = tuple(limit.seats.key for limit in _limits(entering) if limit.seats is not None)
        meters = [limit.meter for limit in _limits(entering) if limit.unit == "tokens" and limit.meter is not None]
        corrections = tuple(replace(meter, cost=correction(meter)) for meter in meters if correction(meter))
        return [Give(entering.tenant.name, seats, lease, corrections)] if seats or corrections else ()


def _limits(entering: Entering) -> Iterator[_Limit]:
    """Every limit that holds for a request."""
    section = entering.terms.limits
    if section is UNSET:
        return
    request = entering.request
    person = entering.subject.id if entering.subject is not None else NOBODY
    for quota, key, name in ((section.tenant, "", ""), (section.user, f"u:{person}/", "user_")):
        if quota is UNSET:
            continue
        for limit, window, each in (
            (quota.requests_per_minute, MINUTE, "requests_per_minute"),
            (quota.requests_per_day, DAY, "requests_per_day"),
        ):
            if limit is not UNSET:
                yield _Limit(name + each, "requests", Meter(f"{key}requests/{window:.0f}", limit, window))
        if request is None:  # asked of guardrail itself: no model, no tokens
            continue
        for limit, window, each in (
            (quota.tokens_per_minute, MINUTE, "tokens_per_minute"),
            (quota.tokens_per_day, DAY, "tokens_per_day"),
        ):
            if limit is not UNSET:
                meter = Meter(f"{key}tokens/{window:.0f}", limit, window, _estimate(request), spare=True)
                yield _Limit(name + each, "tokens", meter)
        if quota.streams is not UNSET:
            yield _Limit(name + "streams", None, seats=Seats(f"{key}streams", quota.streams))


def _in_order(entering: Entering) -> list[_Limit]:
    """As their levels are told: the meters, then the seats."""
    limits = list(_limits(entering))
    return [each for each in limits if each.meter is not None] + [each for each in limits if each.seats is not None]


def _estimate(request: ModelRequest) -> int:
    """Tokens that are taken before anybody knows."""
    return request.prompt_tokens + (request.max_tokens or 0) * request.n


_INPUT = ("prompt_tokens", "input_tokens", "promptTokenCount", "prompt_eval_count")
_OUTPUT = ("completion_tokens", "output_tokens", "candidatesTokenCount", "eval_count")
_BESIDE = ("cache_creation_input_tokens", "thoughtsTokenCount", "toolUsePromptTokenCount")
"""Fields of a usage: OpenAI's (Chat Completions, Responses), Anthropic's, Gemini's, Ollama's. Those beside are counted
in none of the others; what Anthropic reads from its cache counts in its own limits neither."""


def _tokens_used(finished: Finished) -> int:
    """Tokens of prompt and answer, as upstream says, or else as far as they were counted here."""
    request, record = finished.entering.request, finished.record
    if request is None or not record.attempts:
        return 0
    usage = finished.usage or {}
    if not usage and not record.tokens and record.outcome == "upstream_error":
        return 0  # it was refused there
    read, written = _first(usage, _INPUT), _first(usage, _OUTPUT)
    beside = sum(value for name in _BESIDE if (value := _first(usage, (name,))) is not None)
    return (request.prompt_tokens if read is None else read) + (record.tokens if written is None else written) + beside


def _first(usage: Mapping[str, object], names: Sequence[str]) -> int | None:
    for name in names:
        value = usage.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
    return None
