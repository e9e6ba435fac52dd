"""The proxy's web application: who is asking, what for, is there room; then the relay answers.

Promises: every request that is not refused by the HTTP parser gets a request id and a record; every refusal has
OpenAI's error shape; a path that is neither guarded nor passed through is refused.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from math import ceil
from time import monotonic, time

import aiohttp
from aiohttp import web

from guardrail.errors import WireError
from guardrail.governance.desk import Desk
from guardrail.governance.duty import Entering, Finished, Refused
from guardrail.governance.filing import MAX_BODY
from guardrail.governance.removal import Removed
from guardrail.observe.audit import AuditLog
from guardrail.observe.backlog_metrics import BacklogMetrics
from guardrail.observe.metrics import ConfigState, Metrics
from guardrail.observe.policy_metrics import PolicyMetrics, PushedState
from guardrail.observe.records import Records
from guardrail.policy.policy import Policy
from guardrail.policy.registry import Registry, Snapshot, Tenant
from guardrail.proxy import headers, moderations
from guardrail.proxy.check import Checks
from guardrail.proxy.chores import Chores
from guardrail.proxy.classifiers import Classifiers
from guardrail.proxy.environment import unset_secrets
from guardrail.proxy.exchange import Exchange
from guardrail.proxy.faults import Failed, Fault
from guardrail.proxy.governor import Governor
from guardrail.proxy.instructions import Instructions
from guardrail.proxy.limits import Admission, ProxyFull, TenantBusy
from guardrail.proxy.prompts import PromptRefused, guarded
from guardrail.proxy.public import Asked as PeopleAsked
from guardrail.proxy.public import Public
from guardrail.proxy.relay import JSON, SERVER, Asked, Relay
from guardrail.proxy.routes import HEARTBEAT, Own, Unguarded, decoded, public_path, route, spoken_at
from guardrail.proxy.shadow import Shadows
from guardrail.proxy.tenants import Caller, Unauthorized, identify
from guardrail.proxy.upstream import Upstreams
from guardrail.settings import Limits
from guardrail.wire.annotation import wants_annotations
from guardrail.wire.protocol import Protocol, Refusal, Reply
from guardrail.wire.request import ModelRequest

logger = logging.getLogger("guardrail.proxy")

READABLE_ENCODINGS = ("gzip", "deflate", "br")

ANNOTATE_HEADER = "x-guardrail-annotate"
"""Whether the client wants annotations (see `wants_annotations`)."""

BODY_TIMEOUT = 60.0
"""Seconds a client may take to send its request body; slower ones hold a connection for nothing."""

TEND_EVERY = 1.0
"""Seconds between two looks at what a reload changed."""

READ_BUFFER = 1 << 16
"""Bytes read ahead of a request body; the HTTP parser pauses the socket at twice this."""


class Proxy:
    """One process's proxy. Lives on one event loop."""

    def __init__(
        self,
        registry: Registry,
        environ: Mapping[str, str],
        governor: Governor | None = None,
        desk: Desk | None = None,
    ) -> None:
        """`governor`: None where nobody has duties, `desk`: where there is no state (tests of other things)."""
        self.registry = registry
        self.governor = governor
        self.admission = Admission()
        self.records = Records(registry.current.settings.records.keep)
        self.classifiers = Classifiers(environ)
        self.audit = desk.audit if desk is not None and isinstance(desk.audit, AuditLog) else None
        counters = governor.counters if governor is not None else None
        self.metrics = Metrics(
            self.config_state, lambda: self.admission.in_flight, self.classifiers, counters, self.audit
        )
        for duty in governor.duties if governor is not None else ():
            for collector in duty.collectors():
                self.metrics.registry.register(collector)
        self.checks = Checks(self.classifiers)
        self.shadows = Shadows(self.classifiers)
        self.metrics.registry.register(PolicyMetrics(self.pushed_state, self.shadows.counters))
        self.public = Public(desk, environ) if desk is not None else None
        self.chores = Chores(desk, environ, self.forget) if desk is not None else None
        if self.chores is not None:
            self.metrics.registry.register(BacklogMetrics(self.chores.backlog, self.chores.courier.tries))
        self.draining = False
        self._environ = environ
        self._upstreams = Upstreams(environ)
        self._instructions = Instructions()
        self._relays: set[Relay] = set()
        self._busy: set[web.RequestHandler] = set()
        """Connections with a request that is being answered."""

    def application(self) -> web.Application:
        """The application for the clients' listener. Request bodies are capped here, in decoded bytes."""
        app = web.Application(
            # The cap itself is checked against the current settings; this one only stops aiohttp's own, lower one.
            client_max_size=1 << 62,
        )
        app.router.add_route("*", "/{path:.*}", self.handle)
        return app

    def config_state(self) -> ConfigState:
        """The configuration's state for metrics and readiness."""
        registry = self.registry
        return ConfigState(
            generation=registry.generation,
            last_reload_ok=not registry.problems,
            problems=len(registry.problems),
            loaded_at=registry.loaded_at,
        )

    def pushed_state(self) -> PushedState:
        """What is pushed, for metrics and readiness."""
        snapshot = self.registry.current
        return PushedState(snapshot.overlay.serial, bool(self.registry.pushed_problems), len(snapshot.keys))

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request of a client."""
        exchange = Exchange(request.method, request.rel_url.raw_path)
        self._busy.add(request.protocol)
        try:
            return await self._answer(request, exchange)
        except PromptRefused as refused:
            return _prompt_refused(refused.reply, exchange)
        except Refused as refused:
            return _duty_refused(refused, exchange)
        except Failed as failed:
            if exchange.attempts.count:
                exchange.outcome = "fault"
            exchange.fault = failed.fault
            exchange.status = failed.fault.status
            return _refusal(failed, exchange)
        except (asyncio.CancelledError, ConnectionError):
            if exchange.outcome == "refused":  # nothing was decided yet
                exchange.outcome = "disconnected"
            raise
        except Exception as error:
            where = "".join(traceback.format_tb(error.__traceback__))
            logger.error("%s: %s in the handler\n%s", exchange.request_id, type(error).__name__, where)
            exchange.outcome, exchange.fault, exchange.status = "fault", Fault.INTERNAL, Fault.INTERNAL.status
            return _refusal(Failed(Fault.INTERNAL), exchange)
        finally:
            self._busy.discard(request.protocol)
            record = exchange.close(self.records, self.metrics, self.audit)
            if record is not None and exchange.entering is not None and exchange.standing is not None:
                assert self.governor is not None
                self.governor.finish(
                    Finished(
                        exchange.entering,
                        exchange.standing,
                        record,
                        *exchange.found(),
                        exchange.usage,
                        exchange.excerpts(),
                    )
                )

    async def _answer(self, request: web.Request, exchange: Exchange) -> web.StreamResponse:
        snapshot = self.registry.current
        settings = snapshot.settings
        if self.draining:
            raise Failed(Fault.DRAINING, retry_after=1)
        if self.audit is not None and self.audit.refuses:
            raise Failed(Fault.AUDIT_UNAVAILABLE, retry_after=1)
        if (own := public_path(request.rel_url.raw_path)) is not None:
            return await self._answer_people(own, request, snapshot, exchange)
        caller = self._identify(request, snapshot, exchange)
        if headers.asks_for_websocket(
            request.headers
        ):  # also at a path that passes: forwarded, it would be a plain GET
            raise Failed(Fault.UPGRADE_REFUSED)
        config = settings.upstreams[caller.tenant.upstream]
        where = route(request.rel_url.raw_path, config.passed)
        if where is Unguarded.REFUSED:
            raise Failed(
                Fault.UNKNOWN_PATH,
                f"{request.method} {exchange.path[:128]} is not guarded, so it is refused. To let it through "
                f"unscanned, add it to upstreams.{caller.tenant.upstream}.pass_through.",
            )
        if isinstance(where, Protocol | Own):
            exchange.policy = caller.tenant.policy
        else:
            exchange.passing = True
        allowed = where.methods if isinstance(where, Protocol) else ("GET", "HEAD", "POST")
        if isinstance(where, Own):
            allowed = where.methods
        elif where is Unguarded.UNSCANNED and exchange.path == HEARTBEAT:
            allowed = ("GET", "HEAD")
        if request.method not in allowed:
            raise Failed(Fault.METHOD_NOT_ALLOWED, f"This path takes {', '.join(allowed)}.")
        limits = settings.limits
        try:
            with self.admission.place(caller.tenant.name, total=limits.streams, per_tenant=limits.streams_per_tenant):
                body = await _read_body(request, limits.request_bytes)
                if isinstance(where, Own):
                    policy = await self._enter(request, snapshot, caller.tenant, None, exchange)
                    tenant = replace(caller.tenant, policy=policy)
                    return await self._answer_itself(where, tenant, body, exchange, limits)
                policy = caller.tenant.policy
                asked = opened = shadow = None
                if isinstance(where, Protocol):
                    asked = Asked(where, _read_request(where, request, body, exchange))
                    policy = await self._enter(request, snapshot, caller.tenant, asked, exchange)
                    asked = Asked(where, _with_excerpts(asked.request, exchange))
                    if policy.input is not None:
                        judge = self.classifiers.get(policy.input.policy)
                        sent = await guarded(policy.input, where, asked.request, body, judge, exchange)
                        if sent is not body:  # the answer is guarded as one to what the model reads
                            body, read = sent, _read_request(where, request, sent, exchange)
                            asked = Asked(where, _with_excerpts(read, exchange))
                    shadow = await self._shadow(snapshot, caller.tenant, policy, asked, exchange)
                    policy = await self._instructions.kept(policy, asked.request)
                    opened = self.classifiers.get(policy)
                upstream = self._upstreams.get(caller.tenant.upstream, config)
                relay = Relay(exchange, request, asked, policy, upstream, opened, limits, self.metrics, shadow)
                self._relays.add(relay)
                try:
                    return await relay.run(body)
                finally:
                    self._relays.discard(relay)
        except TenantBusy as busy:
            raise Failed(Fault.TENANT_BUSY, str(busy), retry_after=busy.retry_after) from busy
        except ProxyFull as full:
            raise Failed(Fault.PROXY_FULL, str(full), retry_after=full.retry_after) from full

    async def _answer_people(
        self, where: Own, request: web.Request, snapshot: Snapshot, exchange: Exchange
    ) -> web.Response:
        """What people ask of guardrail itself, with a key or without one, whatever stands against them. Raises
        Failed."""
        if request.method not in where.methods:
            raise Failed(Fault.METHOD_NOT_ALLOWED, f"This path takes {', '.join(where.methods)}.")
        if self.public is None:
            raise Failed(Fault.UNKNOWN_PATH)
        try:
            caller = self._identify(request, snapshot, exchange)
        except Failed:
            if where is Own.COMPLAINTS or where is Own.DATA_REQUESTS:
                raise
            caller = None
        limits = snapshot.settings.limits
        try:
            with self.admission.place(exchange.tenant, total=limits.streams, per_tenant=limits.streams_per_tenant):
                body = await _read_body(request, MAX_BODY, "a fixed limit")
                parts = PeopleAsked(
                    where, exchange.path.rpartition("/")[2], request.headers, request.remote or "", body, caller
                )
                return await self.public.answer(parts, snapshot, exchange)
        except TenantBusy as busy:
            raise Failed(Fault.TENANT_BUSY, str(busy), retry_after=busy.retry_after) from busy
        except ProxyFull as full:
            raise Failed(Fault.PROXY_FULL, str(full), retry_after=full.retry_after) from full

    async def _enter(
        self, request: web.Request, snapshot: Snapshot, tenant: Tenant, asked: Asked | None, exchange: Exchange
    ) -> Policy:
        """What the duties make of a request; the policy it is under. Raises Refused."""
        if self.governor is None:
            return tenant.policy
        model_request, now = asked.request if asked is not None else None, time()
        exchange.entering = Entering(
            request_id=exchange.request_id,
            now=now,
            tenant=tenant,
            snapshot=snapshot,
            subject=self.governor.identity.subject(tenant.name, tenant.terms, request.headers, model_request, now),
            protocol=asked.protocol if asked is not None else None,
            request=model_request,
            headers=request.headers,
        )
        standing = exchange.standing = await self.governor.enter(exchange.entering)
        exchange.policy = standing.policy
        if standing.delay:
            await asyncio.sleep(standing.delay)
        return standing.policy

    async def _shadow(
        self, snapshot: Snapshot, tenant: Tenant, judged_by: Policy, asked: Asked, exchange: Exchange
    ) -> tuple[Shadows, Policy] | None:
        """What judges a streamed answer beside its policy, for nobody to see."""
        pushed = snapshot.settings.pushed_policies
        if pushed is None or not asked.request.stream:
            return None
        policy = self.shadows.policy_for(tenant, judged_by, exchange.request_id, pushed.shadow_cpu)
        return None if policy is None else (self.shadows, await self._instructions.kept(policy, asked.request))

    async def _answer_itself(
        self, where: Own, tenant: Tenant, body: bytes, exchange: Exchange, limits: Limits
    ) -> web.Response:
        """What is asked of guardrail and of no model. Raises Failed."""
        exchange.upstream = ""
        if where is Own.CHECK:
            said = await self.checks.answer(tenant, body, exchange, limits)
        else:
            said = await moderations.answer(tenant.policy, body, self.classifiers, exchange)
        exchange.status, exchange.bytes_out = 200, len(said)
        return web.Response(body=said, content_type=JSON, headers=exchange.headers() | {"Server": SERVER})

    def _identify(self, request: web.Request, snapshot: Snapshot, exchange: Exchange) -> Caller:
        gateway = snapshot.settings.gateway
        secret = self._environ.get(gateway.secret_env, "") if gateway else ""
        try:
            _, keys = headers.without_keys(request.rel_url.raw_query_string)
            caller = identify(
                request.headers,
                snapshot,
                secret=secret.encode() or None,
                now=time(),
                query_keys=keys,
                key_header=spoken_at(exchange.path).key_header,
            )
        except Unauthorized as error:
            raise Failed(Fault.UNAUTHORIZED, str(error), code="invalid_api_key") from error
        served = caller.tenant.serving(exchange.request_id)
        exchange.canary = served is not caller.tenant
        caller = replace(caller, tenant=served)
        exchange.tenant, exchange.upstream = caller.tenant.name, caller.tenant.upstream
        exchange.anonymous = caller.anonymous
        return caller

    async def tend(self) -> None:
        """Housekeeping after reloads, and a word to the operator about each, until cancelled."""
        generation, failed_at = self.registry.generation, self.registry.failed_at
        refused = False
        """Whether the last word to the operator was of a refused edit."""
        told = set(unset_secrets(self.registry.current, self._environ))  # at start, by who started this process
        while True:
            await asyncio.sleep(TEND_EVERY)
            registry = self.registry
            if registry.failed_at != failed_at and registry.problems:
                failed_at = registry.failed_at
                problems = "\n".join(map(str, registry.problems))
                logger.error("the last edit of the configuration is refused; the one before stays:\n%s", problems)
                refused = True
            elif refused and not registry.problems:
                refused = False
                if registry.generation == generation:
                    logger.info("the configuration on disk is the one in effect again (%d)", generation)
            if registry.generation != generation:
                generation = registry.generation
                logger.info("configuration %d is in effect", generation)
                for line in unset_secrets(registry.current, self._environ):
                    if line not in told:
                        told.add(line)
                        logger.warning("%s", line)
            await self.classifiers.follow(registry.current.compiled)
            self.records.resize(registry.current.settings.records.keep)
            if self.governor is not None:
                await self.shadows.write(self.governor.store)
            await self._upstreams.sweep()
            self.checks.sessions.sweep(registry.current.settings.limits)

    async def drain(self, seconds: float, connections: Callable[[], Iterable[web.RequestHandler]]) -> None:
        """Take no new requests; give those in flight `seconds`, then end them with a fault that their clients
        understand. Of `connections`, those that wait for a next request are closed: their clients go elsewhere."""
        self.draining = True
        deadline = monotonic() + seconds
        while monotonic() < deadline:
            for connection in connections():
                if connection not in self._busy and connection.transport is not None:
                    connection.transport.close()
            if not self._busy:
                return
            await asyncio.sleep(0.05)
        for relay in list(self._relays):
            relay.interrupt(Fault.DRAINING)

    def forget(self, removed: Removed) -> None:
        """Mark the record of an answer that was removed, and forget the sessions of the Check API that it was in."""
        self.records.mark_removed(removed.case, request_id=removed.request, answer_id=removed.message)
        if removed.request:
            self.checks.sessions.forget(removed.request)

    def drop(self) -> None:
        """Break off every answer in flight, now."""
        for relay in list(self._relays):
            relay.drop()

    async def close(self) -> None:
        """Close every connection to an upstream, and the classifiers."""
        await self._upstreams.close()
        await self.classifiers.close()


def _with_excerpts(asked: ModelRequest, exchange: Exchange) -> ModelRequest:
    """The request, with what the duties want kept of the text around findings."""
    around = exchange.standing.around if exchange.standing is not None else 0
    return replace(asked, around=around) if around else asked


async def _read_body(request: web.Request, limit: int, setting: str = "limits.request_bytes") -> bytes:
    """The decoded request body. `setting`: where the limit is from. Raises Failed past `limit` bytes, when it stalls,
    or when it cannot be decoded."""
    encoding = headers.unreadable_encoding(request.headers, READABLE_ENCODINGS)
    if encoding is not None:
        raise Failed(Fault.UNSUPPORTED_ENCODING)
    too_large = Failed(Fault.REQUEST_TOO_LARGE, f"The request body has more than {limit} bytes ({setting}).")
    if request.content_length is not None and request.content_length > limit:
        raise too_large
    pieces: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_TIMEOUT):
            while data := await request.content.readany():
                size += len(data)
                if size > limit:
                    raise too_large
                pieces.append(data)
    except TimeoutError:
        raise Failed(Fault.REQUEST_STALLED) from None
    except (web.RequestPayloadError, aiohttp.ClientPayloadError, aiohttp.http_exceptions.HttpProcessingError) as error:
        raise Failed(Fault.BAD_REQUEST, "The request body cannot be decoded.") from error
    return b"".join(pieces)


def _read_request(protocol: Protocol, request: web.Request, body: bytes, exchange: Exchange) -> ModelRequest:
    """What the request asks for. Raises Failed."""
    url = request.rel_url
    target = decoded(url.raw_path) or ""
    if url.raw_query_string:
        target += "?" + url.raw_query_string
    try:
        asked = protocol.read_request(body, target)
        annotate = wants_annotations(request.headers.get(ANNOTATE_HEADER, ""))
    except WireError as error:
        raise Failed(Fault.BAD_REQUEST, str(error)) from error
    exchange.model, exchange.stream = asked.model, asked.stream
    return replace(asked, annotate=True) if annotate else asked


def _prompt_refused(reply: Reply, exchange: Exchange) -> web.Response:
    """The protocol's own answer to a prompt that the policy refuses. SDKs must not send it again."""
    exchange.outcome, exchange.status, exchange.bytes_out = "refused_input", reply.status, len(reply.body)
    return web.Response(
        status=reply.status,
        body=reply.body,
        content_type=reply.media_type,
        headers=exchange.headers() | {"Server": SERVER, "x-should-retry": "false"},
    )


def _duty_refused(refused: Refused, exchange: Exchange) -> web.Response:
    """A duty's refusal in the words of the protocol that is spoken at the path."""
    refusal = Refusal(refused.status, refused.type, refused.message, refused.code, retry_after=refused.retry_after)
    exchange.status, exchange.refused_with = refused.status, refused.record
    response = web.Response(
        status=refused.status,
        body=spoken_at(exchange.path).error_body(refusal),
        content_type=JSON,
        headers=exchange.headers() | {"Server": SERVER} | dict(refused.headers),
    )
    if refused.retry_after is not None:
        response.headers["Retry-After"] = str(ceil(refused.retry_after))
    exchange.bytes_out = len(response.body) if isinstance(response.body, bytes) else 0
    return response


def _refusal(failed: Failed, exchange: Exchange) -> web.Response:
    """An error of ours in the words of the protocol that is spoken at the path."""
    refusal = Refusal(failed.fault.status, failed.fault.type, failed.detail, failed.code)
    response = web.Response(
        status=failed.fault.status,
        body=spoken_at(exchange.path).error_body(refusal),
        content_type=JSON,
        headers=exchange.headers() | {"Server": SERVER},
    )
    if failed.retry_after is not None:
        response.headers["Retry-After"] = str(failed.retry_after)
    if failed.fault in (Fault.DRAINING, Fault.UPGRADE_REFUSED, Fault.REQUEST_TOO_LARGE, Fault.REQUEST_STALLED):
        response.force_close()
    exchange.bytes_out = len(response.body) if isinstance(response.body, bytes) else 0
    return response
