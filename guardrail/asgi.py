"""ASGI middleware for a server that serves a model API itself (FastAPI, Starlette, any ASGI application).

    app.add_middleware(GuardrailMiddleware, policy=load_policy("policy.yaml"))

Promises: an answer at a guarded path goes out only as the codec of its protocol gives it, streamed or not; after a halt
the client's answer ends validly and the application is stopped; every other path, and what is no HTTP request, is left
alone. Runs on asyncio. Never changes a request but where the policy's section `input` edits it.

Which paths: see `asgi_paths`. What the application gets to see and to say of one exchange: see `asgi_exchange`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from os import PathLike

from guardrail.asgi_exchange import App, Exchange, Gone, Limits, Receive, Record, Scope, Send, respond
from guardrail.asgi_paths import Guarded, PathTable
from guardrail.errors import WireError
from guardrail.guarding import guarded_prompt, judging, new_case_id
from guardrail.policy.compile import load_policy
from guardrail.policy.policy import Policy
from guardrail.proxy.faults import Failed, Fault
from guardrail.proxy.instructions import Instructions
from guardrail.wire.annotation import wants_annotations
from guardrail.wire.protocol import Refusal
from guardrail.wire.request import ModelRequest

ANNOTATE_HEADER = b"x-guardrail-annotate"
DEFAULT_LIMITS = Limits()


class GuardrailMiddleware:
    """Guards the answers of `app`."""

    def __init__(
        self,
        app: App,
        policy: Policy | str | PathLike[str] | Callable[[Scope], Policy],
        *,
        paths: Mapping[str, str] | None = None,
        on_record: Callable[[Record], None] | None = None,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        """`policy`: for every request, itself or what `load_policy` takes (a name, a path); or a function that picks it
        by the request's ASGI scope (its headers, its user); a request for which it gives none fails with a TypeError.
        `paths`: the guarded paths and the name of the protocol that the application speaks at each, in place of those
        that the proxy guards. `on_record`: called with the account of each answer, and of each prompt where the policy
        has a section `input`; it must not block. Raises ConfigError for a policy that cannot be loaded,
        TypeError for arguments of another type, ValueError for a protocol that there is not."""
        self.app = app
        self._policy = load_policy(policy) if isinstance(policy, str | PathLike) else policy
        if not isinstance(self._policy, Policy) and not callable(self._policy):
            found = type(policy).__name__
            raise TypeError(f"found {found} for `policy`, expected a policy, its name or path, or a function")
        self._paths = PathTable(paths)
        self._on_record = on_record
        self._limits = limits
        self._instructions = Instructions()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        where = self._paths.find(scope) if scope["type"] == "http" and scope["method"] not in _BODILESS else None
        if where is None:
            await self.app(scope, receive, send)
            return
        policy = self._policy if isinstance(self._policy, Policy) else self._policy(scope)
        if not isinstance(policy, Policy):
            found = type(policy).__name__
            raise TypeError(f"found {found} from the function `policy` of GuardrailMiddleware, expected a policy")
        exchange = Exchange(scope, receive, send, where.protocol, new_case_id(), policy, self._limits)
        try:
            asked = await self._asked(exchange, where, policy)
            if asked is None:
                return
            kept = await self._instructions.kept(policy, asked)
            async with judging(kept) as judge:
                exchange.guard(kept, asked, judge)
                await exchange.run(self.app)
        except Gone:
            return
        except Failed as failed:
            refusal = Refusal(failed.fault.status, failed.fault.type, failed.detail, failed.code)
            body = where.protocol.error_body(refusal)
            await respond(exchange.send_raw, failed.fault.status, body, exchange.own_headers)
        finally:
            exchange.close()
            for record in exchange.records:
                if self._on_record is not None:
                    self._on_record(record)

    async def _asked(self, exchange: Exchange, where: Guarded, policy: Policy) -> ModelRequest | None:
        """What the client asks for, by what the application is to see; None when its prompt was refused. Raises Failed,
        Gone."""
        if exchange.scope["method"] not in where.protocol.methods:
            return ModelRequest()  # no question, but whatever it is answered with may be one's answer
        body = await exchange.read_body()
        asked = self._read(exchange, where, body)
        if policy.input is None:
            return asked
        outcome = await guarded_prompt(policy.input, asked, body)
        exchange.records.append(outcome.record)
        if outcome.record.refused is not None:
            message = policy.input.notice.replace("{case_id}", exchange.case_id)
            reply = where.protocol.refused(asked, exchange.case_id, message, outcome.record.refused)
            headers = [*exchange.own_headers, (b"x-should-retry", b"false")]
            await respond(exchange.send_raw, reply.status, reply.body, headers, reply.media_type)
            return None
        if outcome.changed:
            exchange.replace_body(outcome.body)
            return self._read(exchange, where, outcome.body)
        return asked

    def _read(self, exchange: Exchange, where: Guarded, body: bytes) -> ModelRequest:
        try:
            asked = where.protocol.read_request(body, where.target)
            annotate = wants_annotations(exchange.header(ANNOTATE_HEADER).decode("latin-1"))
        except WireError as error:
            raise Failed(Fault.BAD_REQUEST, str(error)) from error
        return dataclasses.replace(asked, annotate=True) if annotate else asked


_BODILESS = ("HEAD", "OPTIONS")
"""Methods that are answered without a model's text."""
