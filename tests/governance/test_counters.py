"""What is counted can be read again, and only what is declared can be counted."""

from __future__ import annotations

import pytest

from guardrail.governance.counters import MEANINGS, Counted, Kind, count, read, total


def test_every_kind_says_what_it_means() -> None:
    assert set(MEANINGS) == set(Kind)
    assert all(meaning.text and meaning.text[0].islower() for meaning in MEANINGS.values())


def test_what_is_counted_is_read_again() -> None:
    operation = count(
        "acme",
        (Kind.MEASURES, "suspend", "system"),
        (Kind.MEASURES, "suspend", "system"),
        (Kind.DECISION_SECONDS, "appeal", 86400),
    )
    assert operation.counts == (("measures/suspend/system@acme", 2), ("decision_seconds/appeal@acme", 86400))
    counted = read(dict(operation.counts))
    assert counted == [
        Counted(Kind.MEASURES, ("suspend", "system"), "acme", 2),
        Counted(Kind.DECISION_SECONDS, ("appeal",), "acme", 86400),
    ]
    assert total(counted, Kind.MEASURES) == 2
    assert total(counted, Kind.MEASURES, "warn") == 0


def test_a_counter_that_nobody_declared_is_refused() -> None:
    with pytest.raises(ValueError, match="is not a valid Kind"):
        count("acme", ("visitors",))
    with pytest.raises(ValueError, match="is counted by"):
        count("acme", (Kind.MEASURES, "suspend"))


def test_a_detail_cannot_break_a_name() -> None:
    (name, _), *_ = count("acme", (Kind.CASES, "a/b@c")).counts
    assert name == "cases/a_b_c@acme"


def test_a_name_of_another_version_is_left_out() -> None:
    assert read({"visitors@acme": 3, "halts/extra@acme": 1, "halts@acme": 2}) == [Counted(Kind.HALTS, (), "acme", 2)]
