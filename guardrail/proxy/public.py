"""What people ask of guardrail itself: complaints, requests of data subjects, reasons, what the service is.

Who may: whoever has a key of a tenant; everybody, where the configuration serves clients without one; and for the
status of something, whoever has its receipt. Nobody is refused for a measure against them: these are not judged by the
duties. Promises: nothing of it is ever forwarded; an answer to a stranger tells nothing but what belongs to the number
and receipt that were shown; errors have OpenAI's shape and repeat nothing of what was sent. Addresses are only ever
hashed, with a key, for an hour.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from time import time
from typing import Any

import msgspec
from aiohttp import web
from multidict import CIMultiDictProxy

from guardrail.governance import restriction_statements, restrictions
from guardrail.governance.cases import Case, Cases
from guardrail.governance.complaint_terms import ComplaintRules, rules_of, told
from guardrail.governance.complaints import Complaint, Complaints, Filer, Reused
from guardrail.governance.desk import Desk
from guardrail.governance.duty import Refused
from guardrail.governance.filing import Unfit, read_complaint, read_data_request
from guardrail.governance.identity import CLAIMS_HEADER, USER_HEADER, Identity
from guardrail.governance.restrictions import Restriction
from guardrail.governance.statements import statement, statement_text
from guardrail.governance.transparency import describe
from guardrail.observe.audit import AuditError
from guardrail.policy.load import ANONYMOUS
from guardrail.policy.registry import Snapshot
from guardrail.proxy.exchange import Exchange
from guardrail.proxy.faults import Failed, Fault
from guardrail.proxy.relay import JSON, SERVER
from guardrail.proxy.routes import Own
from guardrail.proxy.tenants import Caller
from guardrail.state.operations import Meter, Take, Taken
from guardrail.state.store import StateError
from guardrail.wire.openai_error import error_body

RECEIPT_HEADER = "x-guardrail-receipt"
IDEMPOTENCY_HEADER = "idempotency-key"

HOUR = 3600.0

LOOKS = 300
"""Questions after the status that one address without a key may ask in an hour."""

MAX_AGE = 300
"""Seconds for which what the service says of itself may be kept: it changes with the configuration only."""


class _Told(Exception):
    """An answer that is an error."""

    def __init__(
        self, status: int, code: str, message: str, *, param: str | None = None, retry_after: float | None = None
    ) -> None:
        self.status, self.code, self.message, self.param, self.retry_after = status, code, message, param, retry_after
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, as far as it is needed here."""

    where: Own
    id: str
    """Behind the last slash, for those paths that have one."""
    headers: CIMultiDictProxy[str]
    remote: str
    """The other end of the connection."""
    body: bytes
    caller: Caller | None
    """None: no key, and the configuration serves nobody without one."""


class Public:
    """Answers these requests for one process."""

    def __init__(self, desk: Desk, environ: Mapping[str, str]) -> None:
        """`environ`: where the secrets of the tenants are."""
        self._desk = desk
        self._identity = Identity(desk.secret, environ)
        self._complaints = Complaints(desk.store, desk.audit, desk.secret)
        self._cases = Cases(desk.store, desk.audit)
        self._addresses = desk.secret.derive("addresses of complaints")

    async def answer(self, asked: Asked, snapshot: Snapshot, exchange: Exchange) -> web.Response:
        """The response. Raises Failed when the state or the audit log cannot be used."""
        exchange.upstream = ""
        try:
            status, said, more = await self._said(asked, snapshot)
        except (StateError, AuditError) as error:
            raise Failed(Fault.STATE_UNAVAILABLE, retry_after=1) from error
        except Unfit as error:
            status, said, more = _error(_Told(400, "invalid_request", str(error), param=error.param))
        except Reused as error:
            status, said, more = _error(_Told(422, "idempotency_key_reused", str(error)))
        except _Told as error:
            status, said, more = _error(error)
        exchange.status, exchange.bytes_out = status, len(said)
        if status < 400:
            exchange.outcome = "complete"
        headers = {"Cache-Control": "no-store"} | exchange.headers() | {"Server": SERVER} | more
        return web.Response(status=status, body=said, content_type=JSON, headers=headers)

    async def _said(self, asked: Asked, snapshot: Snapshot) -> tuple[int, bytes, dict[str, str]]:
        """HTTP status, body, more headers."""
        match asked.where:
            case Own.SERVICE:
                described = describe(snapshot, complaints=self._offered(snapshot))
                headers = {"Cache-Control": f"public, max-age={MAX_AGE}", "Access-Control-Allow-Origin": "*"}
                return 200, _json(described), headers
            case Own.COMPLAINTS | Own.DATA_REQUESTS:
                return await self._file(asked)
            case Own.COMPLAINT | Own.DATA_REQUEST:
                found = await self._shown(asked)
                return 200, _json(_status(found, self._rules(found.tenant))), {}
            case _:
                return 200, _json(await self._case(asked)), {}

    async def _file(self, asked: Asked) -> tuple[int, bytes, dict[str, str]]:
        caller = asked.caller
        assert caller is not None  # who has no key where one is needed was refused
        tenant = caller.tenant.name
        rules = self._rules(tenant)
        if rules is None:
            raise _Told(404, "complaints_not_offered", "Complaints are not taken here.")
        filing = (read_complaint if asked.where is Own.COMPLAINTS else read_data_request)(asked.body)
        key = asked.headers.get(IDEMPOTENCY_HEADER, "")
        if len(key) > 255 or not key.isprintable():
            raise _Told(400, "invalid_request", "The Idempotency-Key has more than 255 characters, or odd ones.")
        meters = [Meter("complaints/3600", rules.per_hour, HOUR)]
        if caller.anonymous:
            meters.append(Meter(f"complaints/{self._address(asked, rules)}/3600", rules.per_address, HOUR))
        await self._take(tenant, *meters)
        filer = self._filer(asked, caller, filing.user)
        if not filer.vouched and filing.about:
            concerned = await self._concerned(filing.about)
            whose = self._rules(concerned.tenant) if concerned is not None else None
            if concerned is not None and whose is not None:
                # An id that cannot be guessed was told by this tenant, whose reviewers and dates these are.
                filer, rules = Filer(concerned.tenant), whose
        filed = await self._complaints.file(filing, filer, rules, idempotency=key)
        said = _status(filed.complaint, rules) | {"receipt": filed.receipt, "message": rules.acknowledge}
        return 201, _json(said), {"Location": said["status_url"]}

    def _filer(self, asked: Asked, caller: Caller, user: str) -> Filer:
        """Who files. Only the application, by its key or by a signed claim, can say who a person is: what a stranger
        says of it is not even noted. Raises Refused for a claim that does not verify."""
        tenant = caller.tenant.name
        claim = asked.headers.get(CLAIMS_HEADER)
        if caller.anonymous and claim is None:
            return Filer(tenant)
        said = {USER_HEADER: "" if caller.anonymous else user or asked.headers.get(USER_HEADER, "")}
        said |= {} if claim is None else {CLAIMS_HEADER: claim}
        try:
            subject = self._identity.named(tenant, self._desk.terms(tenant), said, None, time())
        except Refused as refused:
            if refused.code != "end_user_required":
                raise
            subject = None  # it is asked of requests to a model; who complains may stay unnamed
        return Filer(tenant, subject.id if subject is not None else "", vouched=True)

    async def _shown(self, asked: Asked) -> Complaint:
        """The complaint that the caller may see. Nobody learns whether one of another exists."""
        caller = asked.caller
        receipt = asked.headers.get(RECEIPT_HEADER, "")
        if caller is None or caller.anonymous:
            if not receipt:
                raise _Told(401, "receipt_needed", f"Send the receipt in the header {RECEIPT_HEADER}, or a key.")
            await self._look(asked)
        if receipt:
            found = await self._complaints.by_receipt(asked.id, receipt)
        else:
            assert caller is not None
            found = await self._complaints.find(asked.id)
            if found is not None and found.tenant != caller.tenant.name:
                found = None
        if found is None or (found.kind == "data_request") != (asked.where is Own.DATA_REQUEST):
            raise _Told(404, "not_found", "There is nothing under this number, or the receipt is not its.")
        return found

    async def _case(self, asked: Asked) -> dict[str, Any]:
        """The statement of reasons of a case, of the newest one that a request led to, or else of the request."""
        caller = asked.caller
        receipt = asked.headers.get(RECEIPT_HEADER, "")
        if caller is None and not receipt:
            raise _Told(401, "receipt_needed", f"Send a key, or the receipt of an appeal in {RECEIPT_HEADER}.")
        if caller is None or caller.anonymous:
            await self._look(asked)
        found = await self._concerned(asked.id)
        if found is not None and caller is None:
            appealed = await self._complaints.of_receipt(receipt)
            if appealed is None or appealed.about not in (found.id, asked.id):
                found = None
        elif found is not None and caller is not None and not caller.anonymous and found.tenant != caller.tenant.name:
            found = None
        elif isinstance(found, Restriction) and found.tenant != ANONYMOUS and caller is not None and caller.anonymous:
            # Of those that an application answers for, it asks, or whoever has complained about it.
            appealed = await self._complaints.of_receipt(receipt) if receipt else None
            if appealed is None or appealed.about != found.id:
                found = None
        # The ids of cases and requests cannot be guessed: where people need no key, whoever has one was told it.
        if found is None:
            raise _Told(404, "not_found", "There is no case under this id.")
        locale = asked.headers.get("accept-language", "").partition(",")[0].partition(";")[0].strip()
        if isinstance(found, Restriction):
            said = restriction_statements.statement(found, locale)
            text = restriction_statements.statement_text(found, locale)
            return {"object": "guardrail.decision", **said, "text": text}
        return {"object": "guardrail.case", **statement(found, locale), "text": statement_text(found, locale)}

    async def _concerned(self, id: str) -> Case | Restriction | None:
        """The case with this id, or the newest one that the request with this id led to, or what else was decided
        about that request."""
        found = await self._cases.get(id)
        found = found or next(iter(await self._cases.find(request=id, limit=1)), None)
        return found or await restrictions.find(self._desk.store, id)

    async def _look(self, asked: Asked) -> None:
        """Count a question of somebody without a key."""
        rules = self._rules(ANONYMOUS)
        await self._take(ANONYMOUS, Meter(f"looks/{self._address(asked, rules)}/3600", LOOKS, HOUR))

    async def _take(self, group: str, *meters: Meter) -> None:
        (reply,) = await self._desk.store.run([Take(group, meters)])
        assert isinstance(reply, Taken)
        if reply.refused >= 0:
            message = "Too many in an hour. What you want to say is not lost: send it again later."
            raise _Told(429, "rate_limit_exceeded", message, retry_after=reply.retry_after)

    def _address(self, asked: Asked, rules: ComplaintRules | None) -> str:
        """A keyed hash of the client's address."""
        header = rules.address_header if rules is not None else ""
        # What stands last is what the load balancer saw, also when it adds a line of its own.
        lines = asked.headers.getall(header, []) if header else []
        said = lines[-1].rpartition(",")[2].strip() if lines else ""
        return hmac.digest(self._addresses, network_of(said or asked.remote).encode(), "sha256").hex()[:32]

    def _rules(self, tenant: str) -> ComplaintRules | None:
        return rules_of(self._desk.terms(tenant).complaints)

    def _offered(self, snapshot: Snapshot) -> str | None:
        """The path at which anybody may complain."""
        everybody = snapshot.anonymous is not None and self._rules(ANONYMOUS) is not None
        return Own.COMPLAINTS.value if everybody else None


def network_of(address: str) -> str:
    """What is counted as one address: an IPv4 address, or the /64 that one household has of IPv6."""
    try:
        known = ipaddress.ip_address(address.partition("%")[0].strip("[]"))
    except ValueError:
        return address[:64]
    if isinstance(known, ipaddress.IPv6Address):
        if known.ipv4_mapped is not None:
            return str(known.ipv4_mapped)
        return str(ipaddress.ip_network((known, 64), strict=False))
    return str(known)


def _status(complaint: Complaint, rules: ComplaintRules | None) -> dict[str, Any]:
    """What whoever filed it is told of it."""
    data = complaint.kind == "data_request"
    where = Own.DATA_REQUESTS if data else Own.COMPLAINTS
    said: dict[str, Any] = {
        "object": "guardrail.data_request" if data else "guardrail.complaint",
        "id": complaint.id,
        "kind": complaint.right if data else complaint.kind,
        "status": complaint.status,
        "overdue": complaint.overdue(time()),
        "received_at": told(complaint.received_at),
        "due_at": told(complaint.due_at),
        "about": complaint.about or None,
        "decision": None,
        "status_url": f"{where.value}/{complaint.id}",
        "contact": (rules.contact if rules is not None else "") or None,
        "languages": list(rules.languages) if rules is not None else [],
    }
    if complaint.outcome:
        said["decision"] = {
            "outcome": complaint.outcome,
            "reasons": complaint.reasons,
            "effects": list(complaint.effects),
            "decided_at": told(complaint.decided_at),
        }
    return said


def _error(error: _Told) -> tuple[int, bytes, dict[str, str]]:
    kind = "rate_limit_error" if error.status == 429 else "invalid_request_error"
    headers = {} if error.retry_after is None else {"Retry-After": str(ceil(error.retry_after))}
    return error.status, error_body(error.message, kind, error.code, error.param), headers


def _json(said: Any) -> bytes:
    return msgspec.json.encode(said)
