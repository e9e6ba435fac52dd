"""The endpoints for people, over a real socket: who may, what they are told, what hostile bodies come to."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web
from multidict import CIMultiDict

from guardrail.governance.cases import Case, Cases, new_case_id
from guardrail.governance.complaint_terms import ComplaintTerms
from guardrail.governance.complaints import Complaints, Words
from guardrail.governance.desk import Desk, desk_of
from guardrail.governance.identity import subject_id
from guardrail.governance.terms import Terms
from guardrail.policy.registry import Registry, Tenant
from guardrail.proxy.app import Proxy
from guardrail.proxy.process import client_runner
from guardrail.proxy.public import LOOKS, network_of
from guardrail.settings import Settings
from guardrail.state.settings import State
from tests.proxy.harness import KEY, POLICY, hashed, settings, snapshot
from tests.proxy.scripted import ScriptedUpstream, says, scripted

OTHER_KEY = "sk-other-tenant"
REQUEST = "g-0123456789abcdef"
COMPLAINTS = "/v1/guardrail/complaints"
DATA = "/v1/guardrail/data-requests"
TERMS = ComplaintTerms()
HELLO = {"text": "It said <b>I</b> did it.", "request_id": REQUEST}


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def said(self) -> Any:
        return msgspec.json.decode(self.body)

    @property
    def error(self) -> tuple[int, str, str | None]:
        found = self.said["error"]
        assert set(found) == {"message", "type", "param", "code"}
        return self.status, found["code"], found["param"]


@dataclass
class People:
    """A guardrail that people ask."""

    proxy: Proxy
    desk: Desk
    upstream: ScriptedUpstream
    url: str
    session: aiohttp.ClientSession

    async def ask(self, path: str, body: Any = None, *, method: str = "", key: str = "", **headers: str) -> Answer:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if key:
            sent["Authorization"] = f"Bearer {key}"
        data = body if isinstance(body, bytes | type(None)) else msgspec.json.encode(body)
        how = method or ("GET" if body is None else "POST")
        async with self.session.request(how, self.url + path, data=data, headers=sent) as answer:
            return Answer(answer.status, answer.headers, await answer.read())


@contextlib.asynccontextmanager
async def peopled(*, anonymous: bool = True, complaints: ComplaintTerms | None = TERMS) -> AsyncIterator[People]:
    terms = Terms() if complaints is None else Terms(complaints=complaints)
    async with scripted(says("hi")) as upstream:
        configured: Settings = settings(upstream.url, state=State(store="memory"), terms=terms)
        tenants = [
            Tenant("acme", POLICY, "default", (hashed(KEY),), terms=terms),
            Tenant("globex", POLICY, "default", (hashed(OTHER_KEY),), terms=terms),
        ]
        shot = snapshot(configured, tenants=tenants, anonymous=anonymous)
        if shot.anonymous is not None:
            shot.anonymous = dataclasses.replace(shot.anonymous, terms=terms)
        async with desk_of(configured, {}, lambda tenant: terms) as desk:
            proxy = Proxy(Registry(shot), {}, None, desk)
            runner = client_runner(proxy)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            try:
                async with aiohttp.ClientSession() as session:
                    yield People(proxy, desk, upstream, url, session)
            finally:
                await runner.cleanup()
                await proxy.close()
            assert upstream.requests == []


async def test_a_complaint_gets_a_receipt_and_a_date() -> None:
    async with peopled(complaints=ComplaintTerms(contact="help@example.com", languages=("en",))) as people:
        answer = await people.ask(COMPLAINTS, HELLO)
        said = answer.said
        assert answer.status == 201
        assert answer.headers["location"] == said["status_url"] == f"{COMPLAINTS}/{said['id']}"
        assert answer.headers["cache-control"] == "no-store"
        assert "x-guardrail-request-id" in answer.headers
        assert said["receipt"].startswith("fr-")
        assert said["due_at"] > said["received_at"]
        assert {name: said[name] for name in ("object", "kind", "status", "about", "contact", "languages")} == {
            "object": "guardrail.complaint",
            "kind": "complaint",
            "status": "received",
            "about": REQUEST,
            "contact": "help@example.com",
            "languages": ["en"],
        }
        shown = await people.ask(said["status_url"], x_guardrail_receipt=said["receipt"])
        assert shown.said == {name: value for name, value in said.items() if name not in ("receipt", "message")}
        complaints = Complaints(people.desk.store, people.desk.audit, people.desk.secret)
        complaint = await complaints.find(said["id"])
        assert complaint is not None
        assert await complaints.words(complaint, "ann") == Words(HELLO["text"])
        await complaints.decide(said["id"], "ann", "partly", "We <i>see</i>.", ["lift c-1"])
        decision = (await people.ask(said["status_url"], x_guardrail_receipt=said["receipt"])).said["decision"]
        assert (decision["outcome"], decision["reasons"], decision["effects"]) == (
            *("partly", "We <i>see</i>.", ["lift c-1"]),
        )


async def test_requests_of_data_subjects() -> None:
    async with peopled(complaints=ComplaintTerms(due_days=5, data_due_days=1)) as people:
        said = (await people.ask(DATA, {"right": "export", "user": "u-1"}, key=KEY)).said
        assert (said["object"], said["kind"]) == ("guardrail.data_request", "export")
        complaints = Complaints(people.desk.store, people.desk.audit, people.desk.secret)
        complaint = await complaints.find(said["id"])
        assert complaint is not None
        assert (complaint.subject, complaint.vouched) == (subject_id(people.desk.secret, "acme", "u-1"), True)
        assert (await people.ask(said["status_url"], key=KEY)).status == 200
        assert (await people.ask(f"{COMPLAINTS}/{said['id']}", key=KEY)).error == (404, "not_found", None)


WHO: dict[str, tuple[bool, str, bool, int]] = {
    # anonymous access, key, receipt: the status
    "a stranger": (True, "", False, 401),
    "a stranger with the receipt": (True, "", True, 200),
    "a stranger where keys are needed": (False, "", False, 401),
    "with the receipt where keys are needed": (False, "", True, 200),
    "the tenant": (True, KEY, False, 200),
    "the tenant where keys are needed": (False, KEY, False, 200),
    "another tenant": (True, OTHER_KEY, False, 404),
    "another tenant with the receipt": (True, OTHER_KEY, True, 200),
    "a key that nobody has": (False, "sk-nobody", False, 401),
}


@pytest.mark.parametrize(("anonymous", "key", "receipt", "status"), WHO.values(), ids=WHO)
async def test_who_may_see_the_status(anonymous: bool, key: str, receipt: bool, status: int) -> None:
    async with peopled(anonymous=anonymous) as people:
        said = (await people.ask(COMPLAINTS, HELLO, key=KEY)).said
        headers = {"x_guardrail_receipt": said["receipt"]} if receipt else {}
        assert (await people.ask(said["status_url"], key=key, **headers)).status == status
        wrong = await people.ask(said["status_url"], x_guardrail_receipt="fr-0")
        assert wrong.error == (404, "not_found", None)
        nothing = await people.ask(f"{COMPLAINTS}/f-none", x_guardrail_receipt=said["receipt"])
        assert nothing.said["error"] == wrong.said["error"]


async def test_only_the_application_can_say_who_a_person_is() -> None:
    async with peopled() as people:
        complaints = Complaints(people.desk.store, people.desk.audit, people.desk.secret)
        who = []
        for key, user, header in ((KEY, "u-1", ""), (KEY, "", "u-2"), ("", "u-1", "u-1"), (KEY, "", "")):
            said = (await people.ask(COMPLAINTS, {"text": "x", "user": user}, key=key, x_guardrail_user=header)).said
            found = await complaints.find(said["id"])
            assert found is not None
            who.append((found.tenant, found.subject, found.vouched))
        known = [subject_id(people.desk.secret, "acme", user) for user in ("u-1", "u-2")]
        assert who == [
            ("acme", known[0], True),
            ("acme", known[1], True),
            ("anonymous", "", False),
            ("acme", "", True),
        ]
        forged = await people.ask(COMPLAINTS, {"text": "x"}, x_guardrail_claims="a.b.c")
        assert forged.status in (400, 401, 403)


async def test_what_is_appealed_without_a_key_is_the_business_of_the_tenant_that_it_is_about() -> None:
    async with peopled() as people:
        case = await Cases(people.desk.store, people.desk.audit).open(a_case(request=REQUEST))
        for body in ({"text": "No!", "case_id": case.id}, {"text": "No!", "request_id": REQUEST}):
            said = (await people.ask(COMPLAINTS, body)).said
            assert (await people.ask(said["status_url"], key=KEY)).status == 200
            assert (await people.ask(said["status_url"], x_guardrail_receipt=said["receipt"])).status == 200
        said = (await people.ask(COMPLAINTS, {"text": "No!", "case_id": case.id}, key=OTHER_KEY)).said
        assert (await people.ask(said["status_url"], key=KEY)).status == 404


async def test_who_may_file() -> None:
    async with peopled(anonymous=False) as people:
        assert (await people.ask(COMPLAINTS, HELLO)).error == (401, "invalid_api_key", None)
        assert (await people.ask(COMPLAINTS, HELLO, key=KEY)).status == 201
    async with peopled(complaints=None) as people:
        assert (await people.ask(COMPLAINTS, HELLO)).error == (404, "complaints_not_offered", None)


HOSTILE: dict[str, tuple[bytes, tuple[int, str, str | None]]] = {
    "no JSON": (b"<html>", (400, "invalid_request", None)),
    "nothing": (b" ", (400, "invalid_request", None)),
    "wrong types": (b'{"text": ["x"]}', (400, "invalid_request", "text")),
    "a field of its own": (b'{"text": "x", "status": "decided"}', (400, "invalid_request", None)),
    "an id with a line end": (b'{"text": "x", "request_id": "g-1\\n"}', (400, "invalid_request", "request_id")),
    "only control characters": (b'{"text": "\\u0000\\u001b"}', (400, "invalid_request", "text")),
    "deep": (b'{"text":' * 5000, (400, "invalid_request", "text")),
    "too large": (b'{"text": "' + b"x" * 70_000 + b'"}', (413, "request_too_large", None)),
}


@pytest.mark.parametrize(("body", "error"), HOSTILE.values(), ids=HOSTILE)
async def test_hostile_bodies(body: bytes, error: tuple[int, str, str | None]) -> None:
    async with peopled() as people:
        assert (await people.ask(COMPLAINTS, body)).error == error


async def test_methods() -> None:
    async with peopled() as people:
        for method, path in (
            ("GET", COMPLAINTS),
            ("DELETE", f"{COMPLAINTS}/f-1"),
            ("POST", "/v1/guardrail/cases/c-1"),
            ("PUT", "/.well-known/ai-service.json"),
        ):
            assert (await people.ask(path, method=method)).error == (405, "method_not_allowed", None)


async def test_the_same_idempotency_key_files_once() -> None:
    async with peopled() as people:
        first = await people.ask(COMPLAINTS, HELLO, idempotency_key="k-1")
        again = await people.ask(COMPLAINTS, HELLO, idempotency_key="k-1")
        assert first.said == again.said
        other = await people.ask(COMPLAINTS, {"text": "else"}, idempotency_key="k-1")
        assert other.error == (422, "idempotency_key_reused", None)
        long = await people.ask(COMPLAINTS, HELLO, idempotency_key="k" * 256)
        assert long.error == (400, "invalid_request", None)


async def test_so_many_in_an_hour() -> None:
    async with peopled(complaints=ComplaintTerms(per_hour=4, per_address=2, address_header="x-client")) as people:
        statuses = [
            (await people.ask(COMPLAINTS, HELLO, x_client=address, key=key)).status
            for address, key in (
                *(("203.0.113.1", ""), ("9.9.9.9, 203.0.113.1", ""), ("203.0.113.1", "")),  # the last entry counts
                ("203.0.113.2", ""),
                *(("", KEY), ("", KEY), ("", KEY), ("", KEY), ("", KEY)),
            )
        ]
        assert statuses == [201, 201, 429, 201, *[201] * 4, 429]
        full = await people.ask(COMPLAINTS, HELLO, x_client="203.0.113.1")
        assert full.error == (429, "rate_limit_exceeded", None)
        assert 0 < int(full.headers["retry-after"]) < 3700


async def test_an_address_header_in_two_lines() -> None:
    """A load balancer may add a line of its own behind the one that a client sent."""
    async with peopled(complaints=ComplaintTerms(per_address=2, address_header="x-client")) as people:
        for n, status in enumerate((201, 201, 429)):
            lines = [("x-client", f"198.51.100.{n}"), ("x-client", "203.0.113.1")]
            async with people.session.post(
                people.url + COMPLAINTS, data=msgspec.json.encode(HELLO), headers=CIMultiDict(lines)
            ) as answer:
                assert answer.status == status


async def test_numbers_cannot_be_tried_out() -> None:
    async with peopled() as people:
        for _ in range(LOOKS):
            assert (await people.ask(f"{COMPLAINTS}/f-1", x_guardrail_receipt="fr-1")).status == 404
        assert (await people.ask(f"{COMPLAINTS}/f-1", x_guardrail_receipt="fr-1")).status == 429


def a_case(**changes: Any) -> Case:
    plain = {"id": new_case_id(), "origin": "manual", "tenant": "acme", "at": 1.0, "measure": "remove", "begun": 1.0}
    return Case(**(plain | changes))


async def test_the_reasons_of_a_case() -> None:
    for anonymous in (True, False):
        async with peopled(anonymous=anonymous) as people:
            case = await Cases(people.desk.store, people.desk.audit).open(a_case(request=REQUEST))
            path = f"/v1/guardrail/cases/{case.id}"
            told = await people.ask(path, key=KEY, accept_language="zh-CN,zh;q=0.9")
            assert (told.status, told.said["case"], told.said["language"]) == (200, case.id, "zh")
            assert (await people.ask(f"/v1/guardrail/cases/{REQUEST}", key=KEY)).said["case"] == case.id
            assert (await people.ask(path, key=OTHER_KEY)).error == (404, "not_found", None)
            assert (await people.ask("/v1/guardrail/cases/c-none", key=KEY)).error == (404, "not_found", None)
            assert (await people.ask(path)).status == (200 if anonymous else 401)
            appeal = (await people.ask(COMPLAINTS, {"text": "No!", "case_id": case.id}, key=KEY)).said
            other = (await people.ask(COMPLAINTS, {"text": "No!", "case_id": "c-other"}, key=KEY)).said
            if not anonymous:
                assert (await people.ask(path, x_guardrail_receipt=appeal["receipt"])).said["text"]
                assert (await people.ask(path, x_guardrail_receipt=other["receipt"])).status == 404


async def test_what_the_service_is() -> None:
    async with peopled(anonymous=False) as people:
        answer = await people.ask("/.well-known/ai-service.json")
        assert (answer.status, answer.said["ai"]) == (200, True)
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "max-age" in answer.headers["cache-control"]
        assert (await people.ask("/.well-known/ai-service.json", method="HEAD")).status == 200
    async with peopled() as people:
        answer = await people.ask("/.well-known/ai-service.json")
        assert answer.said["complaints"]["endpoint"] == COMPLAINTS


async def test_the_record_has_nothing_of_what_was_written() -> None:
    async with peopled() as people:
        said = (await people.ask(COMPLAINTS, HELLO)).said
        (record,) = people.proxy.records.newest(1)
        assert (record.outcome, record.status, record.path) == ("complete", 201, COMPLAINTS)
        assert "did it" not in str(record)
        assert said["receipt"] not in str(record)


async def test_without_the_state_it_is_said_that_it_must_be_tried_again() -> None:
    async with peopled() as people:
        await people.desk.store.close()
        answer = await people.ask(COMPLAINTS, HELLO)
        assert answer.error == (503, "state_unavailable", None)
        assert answer.headers["retry-after"] == "1"


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::1]", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("unknown", "unknown"),
        ("", ""),
    ],
)
def test_what_counts_as_one_address(address: str, network: str) -> None:
    assert network_of(address) == network
