"""The duty of the ladder over a real store: what it says before a request, what it writes after it, and with others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from guardrail.governance import ladder
from guardrail.governance.cases import Case, Cases
from guardrail.governance.conduct import ConductLadder
from guardrail.governance.duty import Entering, Finished, Refused, Standing, Subject
from guardrail.governance.terms import Terms
from guardrail.policy.policy import Policy
from guardrail.policy.registry import Tenant, load_snapshot
from guardrail.state.redis import RedisStore
from guardrail.state.settings import RedisSettings
from guardrail.state.sqlite import SqliteStore
from guardrail.state.store import Store
from guardrail.text.rules import Action, Finding, Severity
from guardrail.text.scanner import compile_rules
from guardrail.wire.request import InputText, ModelRequest
from tests.governance.test_tally import record
from tests.state.servers import RedisServer, running

SNAPSHOT = load_snapshot(None, environ={})
POLICY = Policy(name="usual", digest="ab" * 32, rules=compile_rules(()))
STRICT = Policy(name="strict", digest="cd" * 32, rules=compile_rules(()))
CONDUCT = {"restrict": {"policy": "strict", "delay": 1.5}, "terminate": {}, "ground": "Section 4"}
TENANT = Tenant(
    "acme", POLICY, "default", terms=msgspec.convert({"conduct": CONDUCT}, Terms), policies={"strict": STRICT}
)
SUBJECT = Subject("5b" * 16)
ASKED = ModelRequest(inputs=(InputText(("messages", 0, "content"), "user", 0, "Hi"),))


class Book:
    """An audit log that can be read."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, Any]]] = []

    def write(self, kind: str, body: Mapping[str, Any]) -> None:
        self.lines.append((kind, dict(body)))


class Clock:
    """A time that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class Service:
    """One process with the duty; several may share a store and a clock."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store, self.clock, self.book = store, clock, Book()
        self.duty = ConductLadder(self.book, clock)
        self.cases = Cases(store, self.book, clock)
        self.requests = 0

    async def enter(
        self, subject: Subject | None = SUBJECT, tenant: Tenant = TENANT, request: ModelRequest = ASKED
    ) -> tuple[Entering, Standing]:
        self.requests += 1
        name = f"g-{id(self)}-{self.requests}"
        entering = Entering(name, self.clock(), tenant, SNAPSHOT, subject, None, request, {})
        standing = Standing(tenant.policy)
        asked = self.duty.asks(entering)
        self.duty.judge(entering, await self.store.run(asked) if asked else [], standing)
        return entering, standing

    async def ask(self, *found: Finding, answered: Sequence[Finding] = (), **of: Any) -> Standing:
        """One request, to its end, in which that was found."""
        finished = self.finished(*await self.enter(**of), found, answered)
        await self.duty.follow(finished, self.store)
        return finished.standing

    @staticmethod
    def finished(
        entering: Entering, standing: Standing, found: Sequence[Finding], answered: Sequence[Finding] = ()
    ) -> Finished:
        # A prompt that is refused has no answer, and what a program reads as it is begins with no notice.
        shown = bool(standing.before) and not found and entering.request is not None and entering.request.takes_inserts
        said = record(request_id=entering.request_id, status=200, before=int(shown))
        return Finished(entering, standing, said, found, answered)


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    with running(server):
        yield server


@pytest.fixture(params=["sqlite", "redis"])
async def stores(request: pytest.FixtureRequest) -> AsyncIterator[list[Store]]:
    """One state, as several processes have it."""
    if request.param == "sqlite":
        one = SqliteStore(None)  # in memory, so that there is one process
        several: list[Store] = [one, one]
    else:
        server: RedisServer = request.getfixturevalue("redis")
        server.client.flushall()
        several = [RedisStore(RedisSettings(url=server.url), {}) for _ in range(2)]
    yield several
    for each in several:
        await each.close()


@pytest.fixture
def store(stores: list[Store]) -> Store:
    return stores[0]


@pytest.fixture
def service(store: Store) -> Service:
    return Service(store, Clock())


def hit(severity: Severity = "high", category: str = "illicit", rule: str = "weapons") -> Finding:
    return Finding(0, 1, rule, category, severity, Action.HALT)


CRITICAL = hit("critical")


async def only_case(service: Service) -> Case:
    (case,) = await service.cases.find()
    return case


async def test_who_did_nothing_is_served_as_ever(service: Service) -> None:
    standing = await service.ask()
    assert standing == Standing(POLICY)
    assert await service.cases.conduct(SUBJECT.id) is None


async def test_warned_restricted_suspended_and_served_again(service: Service) -> None:
    await service.ask(CRITICAL)
    standing = await service.ask()
    (told,) = standing.before
    assert told.startswith("Please note: requests of yours were stopped")
    assert standing.headers["x-guardrail-conduct"] == standing.record["measure"] == "warn"
    assert standing.headers["x-guardrail-case"] == standing.record["case"] == (await only_case(service)).id
    assert (standing.policy, standing.delay) == (POLICY, 0.0)

    standing = await service.ask(CRITICAL)  # told once: the notice is in the answer before
    assert standing.before == []
    assert standing.headers["x-guardrail-conduct"] == "warn"

    standing = await service.ask(CRITICAL)
    assert standing.headers["x-guardrail-conduct"] == "restrict"
    assert (standing.policy, standing.delay) == (STRICT, 1.5)
    assert len(standing.before) == 1

    with pytest.raises(Refused) as refused:
        await service.ask()
    (case,) = [case for case in await service.cases.find(status="open") if case.measure == "suspend"]
    assert (refused.value.status, refused.value.code) == (403, "account_suspended")
    assert refused.value.type == "permission_error"
    assert case.id in refused.value.message
    assert refused.value.headers["x-guardrail-case"] == case.id
    assert refused.value.retry_after == ladder.DAY

    await service.cases.decide(case.id, "lift", actor="ann", reason="a quotation")
    standing = await service.ask()
    assert standing.headers["x-guardrail-conduct"] == "restrict"
    for other in await service.cases.find(status="open"):
        await service.cases.decide(other.id, "lift", actor="ann", reason="a quotation")
    assert await service.ask() == Standing(POLICY)


async def test_the_case_says_what_led_to_it(service: Service) -> None:
    await service.ask(hit("medium", "fraud", "scam"), hit("low"), answered=[hit("medium", "hate", "slur")])
    await service.ask(answered=[hit("critical", "hate", "slur")])
    case = await only_case(service)
    assert (case.origin, case.tenant, case.subject, case.measure) == ("conduct", "acme", SUBJECT.id, "restrict")
    assert [(each.side, each.category, each.rule, each.points) for each in case.strikes] == [
        ("prompt", "fraud", "scam", 1),
        ("answer", "hate", "slur", 1),
        ("answer", "hate", "slur", 4),
    ]
    assert (case.points, case.threshold, case.ground) == (6, 6, "Section 4")
    assert (case.policy, case.policy_digest) == (POLICY.tag, POLICY.digest)
    assert case.request == case.strikes[-1].request
    assert case.until == case.begun + 7 * ladder.DAY
    assert case.appeal_until == case.at + 184 * ladder.DAY
    assert [kind for kind, _ in service.book.lines] == ["measure"]
    body = service.book.lines[0][1]
    assert body.items() >= {"actor": "system", "case": case.id, "measure": "restrict", "rules": ["slur"]}.items()
    assert service.duty.counters.steps == {("restrict", "hate"): 1}


async def test_a_suspension_ends_by_itself_and_termination_does_not(service: Service) -> None:
    await service.ask(*(hit("critical", category) for category in ("a", "b", "c")))
    with pytest.raises(Refused):
        await service.enter()
    service.clock.now += ladder.DAY
    await service.enter()
    await service.ask(*(hit("critical", category) for category in ("a", "b", "c")))
    service.clock.now += 3650 * ladder.DAY
    with pytest.raises(Refused) as refused:
        await service.enter()
    assert (refused.value.code, refused.value.retry_after) == ("account_terminated", None)
    assert service.duty.counters.under == {"suspend": 1, "terminate": 1}


async def test_in_the_language_of_the_person_or_else_of_the_tenant(service: Service) -> None:
    await service.ask(CRITICAL)
    for subject, locale, begins in (
        (Subject(SUBJECT.id, {"locale": "zh-CN"}), "en", "请注意"),
        (SUBJECT, "zh", "请注意"),
        (SUBJECT, "en", "Please note"),
    ):
        _, standing = await service.enter(subject, replace(TENANT, locale=locale))
        assert standing.before[0].startswith(begins)


async def test_a_notice_that_could_not_be_shown_is_not_used_up(service: Service) -> None:
    await service.ask(CRITICAL)
    for request in (replace(ASKED, json_output=True), replace(ASKED, verbatim=True)):
        await service.ask(request=request)
    await service.ask(hit("medium"))  # a prompt that is refused has no answer to begin
    assert len((await service.ask()).before) == 1
    assert (await service.ask()).before == []


async def test_nobody_is_nobody(service: Service) -> None:
    for _ in range(9):
        assert await service.ask(CRITICAL, subject=None) == Standing(POLICY)
    assert await service.cases.find() == []


async def test_off_unless_the_terms_have_it(service: Service) -> None:
    plain = replace(TENANT, terms=Terms())
    for _ in range(9):
        assert await service.ask(CRITICAL, tenant=plain) == Standing(POLICY)
    assert await service.cases.find() == []


async def test_what_is_written_twice_counts_once(service: Service) -> None:
    finished = service.finished(*await service.enter(), [CRITICAL])
    await service.duty.follow(finished, service.store)
    await service.duty.follow(finished, service.store)
    conduct = await service.cases.conduct(SUBJECT.id)
    assert conduct is not None
    assert ladder.points_of(conduct, service.clock()) == 4
    assert len(await service.cases.find()) == 1
    assert len(service.book.lines) == 1


# Several processes


async def test_strikes_at_the_same_time_all_count_and_each_step_is_taken_once(stores: list[Store]) -> None:
    clock = Clock()
    services = [Service(store, clock) for store in stores * 2]
    entered = [(service, await service.enter()) for service in services for _ in range(4)]
    finished = [(service, service.finished(*one, [hit("medium")])) for service, one in entered]
    await asyncio.gather(*(service.duty.follow(one, service.store) for service, one in finished))

    conduct = await services[0].cases.conduct(SUBJECT.id)
    assert conduct is not None
    assert ladder.points_of(conduct, clock()) == pytest.approx(16)
    cases = await services[0].cases.find()
    assert sorted(case.measure for case in cases) == ["restrict", "suspend", "warn"]
    assert {case.id for case in cases} == {measure.case for measure in conduct.measures}
    told = [body["case"] for service in services for _, body in service.book.lines]
    assert sorted(told) == sorted(case.id for case in cases)


async def test_a_measure_holds_for_another_process_at_the_next_request(stores: list[Store]) -> None:
    clock = Clock()
    one, other = (Service(store, clock) for store in stores)
    await one.ask(*(hit("critical", category) for category in ("a", "b", "c")))
    with pytest.raises(Refused):
        await other.enter()
