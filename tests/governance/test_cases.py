"""Cases over a real store: opened, found, decided about; what a decision does to a person's conduct."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from guardrail.governance import ladder
from guardrail.governance.cases import (
    TRANSITIONS,
    Allowed,
    Case,
    CaseError,
    Cases,
    Status,
    Verdict,
    case_put,
    conduct_put,
    new_case_id,
)
from guardrail.governance.counters import Kind, read, total
from guardrail.governance.ladder import Conduct, ConductTerms, Strike, ladder_of
from guardrail.state.operations import Counts
from guardrail.state.sqlite import SqliteStore
from guardrail.state.store import Store, put

NOW = 1_800_000_000.0
SUBJECT = "5b" * 16
LADDER = ladder_of(ConductTerms())


class Book:
    """An audit log that can be read."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, Any]]] = []

    def write(self, kind: str, body: Mapping[str, Any]) -> None:
        self.lines.append((kind, dict(body)))


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    store = SqliteStore(None)
    yield store
    await store.close()


@pytest.fixture
def book() -> Book:
    return Book()


@pytest.fixture
def cases(store: Store, book: Book) -> Cases:
    return Cases(store, book, lambda: NOW)


def a_case(**changes: Any) -> Case:
    fields: dict[str, Any] = {
        "id": new_case_id(),
        "origin": "conduct",
        "tenant": "acme",
        "measure": "suspend",
        "at": NOW,
        "begun": NOW,
    }
    return Case(**(fields | changes))


async def climbed(store: Store, *points: float) -> list[str]:
    """A person whose requests were of so many points each; the ids of their cases."""
    conduct, made = Conduct(tenant="acme"), list[str]()
    for number, each in enumerate(points):
        strike = Strike(f"g-{number}", NOW, each, "illicit", "high", "r", "halt", "prompt", "p@1")
        case = f"c-{number}"
        conduct, measure = ladder.struck(conduct, [strike], LADDER, NOW, case)
        if measure is not None:
            own = tuple(one for one in conduct.strikes if one.case == case)
            put_case = a_case(
                id=case, subject=SUBJECT, measure=measure.step, until=measure.until, strikes=own, threshold=1.0
            )
            await put(store, case_put(put_case, NOW, 0))
            made.append(case)
    await put(store, conduct_put(SUBJECT, conduct, NOW, 0))
    return made


async def holding(cases: Cases) -> str:
    conduct = await cases.conduct(SUBJECT)
    measure = ladder.in_force(conduct, NOW) if conduct else None
    return measure.step if measure else ""


async def counted(store: Store, kind: Kind, *details: str) -> int:
    today = datetime.now(UTC).date().isoformat()
    (counts,) = await store.run([Counts(today, today)])
    return total(read(counts), kind, *details)


# Statuses


VERDICTS: tuple[Verdict, ...] = ("uphold", "override", "lift")
STATUSES: tuple[Status, ...] = ("open", "upheld", "overridden", "lifted")


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("verdict", VERDICTS)
async def test_every_verdict_in_every_status(cases: Cases, store: Store, status: Status, verdict: Verdict) -> None:
    case = a_case(subject=SUBJECT, status=status)
    await put(store, case_put(case, NOW, 0))
    decide = cases.decide(case.id, verdict, actor="ann", reason="seen", to="warn" if verdict == "override" else "")
    if (status, verdict) in TRANSITIONS:
        assert (await decide).status == TRANSITIONS[status, verdict]
    else:
        with pytest.raises(CaseError, match=f"is {status}: what can be decided is"):
            await decide


@pytest.mark.parametrize(
    ("verdict", "changes", "message"),
    [
        ("lift", {"actor": " "}, "needs who made it"),
        ("lift", {"reason": ""}, "and a reason"),
        ("override", {}, "needs the measure"),
        ("uphold", {"to": "warn"}, "other decisions take none"),
        ("override", {"to": "warn", "until": NOW}, "is over already"),
    ],
)
async def test_a_decision_must_be_whole(cases: Cases, book: Book, verdict: Verdict, changes: Any, message: str) -> None:
    case = await cases.open(a_case(subject=SUBJECT, origin="manual"))
    with pytest.raises(CaseError, match=message):
        await cases.decide(case.id, verdict, **{"actor": "ann", "reason": "seen", **changes})
    assert [kind for kind, _ in book.lines] == ["case.opened"]


async def test_a_case_that_is_not_there(cases: Cases) -> None:
    assert await cases.get("c-none") is None
    with pytest.raises(CaseError, match="there is no case 'c-none'"):
        await cases.decide("c-none", "lift", actor="ann", reason="seen")


# Found


async def test_cases_are_found_by_what_they_are(cases: Cases) -> None:
    made = [
        await cases.open(a_case(origin="removal", measure="remove", tenant=tenant, request=f"g-{n}", at=NOW + n))
        for n, tenant in enumerate(["acme", "other", "acme"])
    ]
    await cases.decide(made[0].id, "uphold", actor="ann", reason="seen")

    async def ids(**by: Any) -> list[int]:
        known = [case.id for case in made]
        return [known.index(case.id) for case in await cases.find(**by)]

    assert await ids() == [2, 1, 0]
    assert await ids(newest=False) == [0, 1, 2]
    assert await ids(tenant="acme") == [2, 0]
    assert await ids(tenant="acme", status="open") == [2]
    assert await ids(status="upheld") == [0]
    assert await ids(request="g-1") == [1]
    assert await ids(limit=1, after=made[2].id) == [1]


# Decided


async def test_lifted_by_a_person(cases: Cases, store: Store, book: Book) -> None:
    _, suspended = await climbed(store, 3, 8)
    assert await holding(cases) == "suspend"
    case = await cases.decide(suspended, "lift", actor="ann", reason="a quotation", about="k-1")
    assert case.status == "lifted"
    assert [(each.verdict, each.actor, each.was) for each in case.decisions] == [("lift", "ann", "suspend")]
    assert await holding(cases) == "warn"
    (line,) = book.lines
    assert line[0] == "case.decided"
    assert line[1].items() >= {"case": suspended, "actor": "ann", "reason": "a quotation", "verdict": "lift"}.items()
    assert await counted(store, Kind.LIFTED, "suspend", "appeal") == 1
    await cases.decide(suspended, "lift", actor="ann", reason="again")
    assert len(book.lines) == 1
    assert await holding(cases) == "warn"


async def test_lifting_the_ground_lifts_what_stood_on_it(cases: Cases, store: Store) -> None:
    warned, suspended = await climbed(store, 3, 8)
    await cases.decide(warned, "lift", actor="ann", reason="a false alarm")
    assert await holding(cases) == ""
    other = await cases.get(suspended)
    assert other is not None
    assert other.status == "lifted"
    assert (other.decisions[0].actor, other.decisions[0].about) == ("system", warned)


async def test_overridden_with_something_milder_and_back(cases: Cases, store: Store) -> None:
    (suspended,) = await climbed(store, 12)
    case = await cases.decide(suspended, "override", actor="ann", reason="too hard", to="restrict", until=NOW + 60)
    assert (case.status, case.measure, case.until) == ("overridden", "restrict", NOW + 60)
    assert await holding(cases) == "restrict"
    await cases.decide(suspended, "override", actor="bob", reason="not too hard", to="terminate")
    assert await holding(cases) == "terminate"
    await cases.decide(suspended, "lift", actor="bob", reason="enough")
    assert await holding(cases) == ""


async def test_people_under_each_measure_are_counted(cases: Cases, store: Store) -> None:
    await climbed(store, 3, 8)
    for subject, measure, until in (("a" * 32, "warn", NOW + 9), ("b" * 32, "suspend", NOW), ("c" * 32, "warn", None)):
        await cases.open(a_case(origin="manual", subject=subject, measure=measure, until=until))
    assert await cases.in_force(100) == {"warn": 2, "restrict": 0, "suspend": 1, "terminate": 0}


async def test_by_hand(cases: Cases, store: Store, book: Book) -> None:
    case = await cases.open(
        a_case(origin="manual", subject=SUBJECT, actor="ann", measure="terminate", facts="a threat by letter")
    )
    assert await holding(cases) == "terminate"
    assert book.lines == [
        (
            "case.opened",
            {
                "case": case.id,
                "tenant": "acme",
                "measure": "terminate",
                "actor": "ann",
                "facts": "a threat by letter",
            },
        )
    ]
    assert await counted(store, Kind.MEASURES, "terminate", "operator") == 1
    with pytest.raises(CaseError, match="already"):
        await cases.open(case)
    with pytest.raises(CaseError, match="somebody to take it against"):
        await cases.open(a_case(origin="manual", measure="warn"))


async def test_a_removal_has_no_measure_against_a_person(cases: Cases) -> None:
    case = await cases.open(a_case(origin="removal", measure="remove", request="g-1"))
    with pytest.raises(CaseError, match="no measure against a person"):
        await cases.decide(case.id, "override", actor="ann", reason="seen", to="warn")
    assert (await cases.decide(case.id, "lift", actor="ann", reason="lawful")).status == "lifted"


async def test_a_decision_may_say_what_is_allowed_from_now_on(cases: Cases, store: Store) -> None:
    (suspended,) = await climbed(store, 12)
    allow = (Allowed("r", "bath bomb"),)
    case = await cases.decide(suspended, "lift", actor="ann", reason="soap", allow=allow)
    assert case.decisions[0].allow == allow


async def test_two_who_decide_at_once_are_told_of_each_other(cases: Cases, store: Store) -> None:
    (suspended,) = await climbed(store, 12)
    results = await asyncio.gather(
        cases.decide(suspended, "lift", actor="ann", reason="seen"),
        cases.decide(suspended, "uphold", actor="bob", reason="seen"),
        return_exceptions=True,
    )
    case = await cases.get(suspended)
    assert case is not None
    lost = [result for result in results if isinstance(result, CaseError)]
    assert case.status == "lifted"
    # Whoever upholds first is heard, and the other lifts it after that; whoever upholds later is refused.
    assert len(case.decisions) + len(lost) == 2
    assert await holding(cases) == ""
