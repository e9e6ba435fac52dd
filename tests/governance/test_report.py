"""The periodic report adds up what was counted, and withholds what is too small to hide anybody in it."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from guardrail.governance.counters import Kind, count
from guardrail.governance.report import (
    NOT_COUNTED,
    Figures,
    Table,
    Waiting,
    figures,
    gather,
    month_before,
    schema,
    withheld,
)
from guardrail.state.operations import Put
from guardrail.state.sqlite import SqliteStore

DAY = date(2026, 10, 31)
NOW = datetime(2026, 11, 1, 8, tzinfo=UTC)


def counts(*operations: Any) -> dict[str, int]:
    sums: dict[str, int] = {}
    for operation in operations:
        for name, number in operation.counts:
            sums[name] = sums.get(name, 0) + number
    return sums


COUNTS = counts(
    count("acme", (Kind.REQUESTS, "complete", 90), (Kind.REQUESTS, "halted", 10), (Kind.CRISIS, "self_harm", 3)),
    count("beta", (Kind.REQUESTS, "complete", 7), (Kind.CRISIS, "self_harm", 1)),
    count("acme", (Kind.DECISIONS, "appeal", "upheld", 2), (Kind.DECISIONS, "appeal", "rejected", 6)),
    count("acme", (Kind.DECISION_SECONDS, "appeal", 8 * 86400 * 3)),
)


def made(**options: Any) -> Figures:
    return figures(COUNTS, Waiting(12, 2), DAY, DAY, NOW, **options)


def table(found: Figures, kind: Kind) -> dict[tuple[str, ...], int | None]:
    return {row.details: row.count for row in next(each for each in found.tables if each.kind == kind).rows}


def test_it_adds_up_over_tenants() -> None:
    assert table(made(), Kind.REQUESTS) == {("complete",): 97, ("halted",): 10}


def test_it_is_about_one_tenant() -> None:
    found = made(tenant="beta")
    assert found.tenant == "beta"
    assert table(found, Kind.REQUESTS) == {("complete",): 7}


def test_small_numbers_are_withheld_unless_they_are_owed() -> None:
    assert table(made(), Kind.CRISIS) == {("self_harm",): None}
    assert table(made(exact=True), Kind.CRISIS) == {("self_harm",): 4}
    assert (made().open, made().overdue) == (12, None)
    assert (made(exact=True).open, made(exact=True).overdue) == (12, 2)


CASES: list[tuple[str, dict[str, int], dict[str, int | None]]] = [
    ("nothing is small", {"a": 5, "b": 9}, {"a": 5, "b": 9}),
    ("nothing happened", {"a": 0, "b": 9}, {"a": 0, "b": 9}),
    ("one alone takes the next larger with it", {"a": 1, "b": 9, "c": 7}, {"a": None, "b": 9, "c": None}),
    ("two hide each other", {"a": 1, "b": 2, "c": 9}, {"a": None, "b": None, "c": 9}),
    ("one and no other", {"a": 4}, {"a": None}),
]


@pytest.mark.parametrize(("name", "sums", "shown"), CASES, ids=[case[0] for case in CASES])
def test_what_is_withheld(name: str, sums: dict[str, int], shown: dict[str, int | None]) -> None:
    assert withheld({(each,): number for each, number in sums.items()}, 5) == {
        (each,): number for each, number in shown.items()
    }


def test_a_sum_gives_nothing_away() -> None:
    def totals(tables: list[Table]) -> dict[str, int | None]:
        return {each.kind: each.total for each in tables}

    assert totals(made().tables)["crisis"] is None
    assert totals(made().tables)["requests"] == 107
    assert totals(made(exact=True).tables)["crisis"] == 4


def test_the_average_time_to_a_decision() -> None:
    assert [(each.kind, each.days) for each in made().decided] == [("appeal", 3.0)]


def test_numbers_by_tenant_only_when_asked_for() -> None:
    assert made().tenants == []
    (requests, *_) = made(by_tenant=True).tenants
    assert [(row.details, row.count) for row in requests.rows] == [(("acme",), 100), (("beta",), 7)]


def test_every_kind_has_its_table() -> None:
    assert [each.kind for each in made().tables] == [kind for kind in Kind if kind not in NOT_COUNTED]


def test_the_month_before() -> None:
    assert month_before(date(2026, 3, 15)) == (date(2026, 2, 1), date(2026, 2, 28))
    assert month_before(date(2026, 1, 1)) == (date(2025, 12, 1), date(2025, 12, 31))


def test_it_is_valid_under_its_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    written = json.loads(msgspec.json.encode(made(by_tenant=True)))
    jsonschema.Draft202012Validator(schema()).validate(written)


def test_the_published_schema_is_this_one() -> None:
    published = Path(__file__).parents[2] / "docs" / "schemas" / "report.json"
    assert json.loads(published.read_text(encoding="utf-8")) == json.loads(json.dumps(schema()))


def test_it_is_gathered_from_the_state() -> None:
    async def run() -> Figures:
        store = SqliteStore(None)
        try:
            complaints = [
                Put(
                    "complaint",
                    f"f-{number}",
                    json.dumps({"due_at": due, "tenant": tenant}).encode(),
                    frozenset({"open"}),
                )
                for number, (due, tenant) in enumerate([(1.0, "acme"), (1.0, "beta"), (4e9, "acme")])
            ]
            await store.run([count("acme", (Kind.HALTS, 6)), *complaints])
            today = datetime.now(UTC).date()
            return await gather(store, today, today, tenant="acme", exact=True)
        finally:
            await store.close()

    found = asyncio.run(run())
    assert table(found, Kind.HALTS) == {(): 6}
    assert (found.open, found.overdue) == (2, 1)


def test_every_key_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "presets.md").read_text(encoding="utf-8")
    for name, definition in schema()["$defs"].items():
        for key, field in definition["properties"].items():
            assert f"`{key}`" in text, f"{name}.{key}"
            assert field["description"].endswith(".")
