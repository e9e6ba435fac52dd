"""By when a complaint is decided, over time zones and changes of clocks; what the terms may say."""

from __future__ import annotations

from datetime import datetime

import msgspec
import pytest
from msgspec import UNSET

from guardrail.governance.complaint_terms import RECEIVED, ComplaintTerms, due_at, rules_of, told

DUE = {
    "the whole last day": ("2026-03-02T09:00:00Z", 30, "UTC", "2026-04-02T00:00:00Z"),
    "received at midnight": ("2026-03-02T00:00:00Z", 1, "UTC", "2026-03-04T00:00:00Z"),
    "received just before": ("2026-03-01T23:59:59Z", 1, "UTC", "2026-03-03T00:00:00Z"),
    "it is tomorrow in the east": ("2026-03-01T17:00:00Z", 1, "Asia/Shanghai", "2026-03-03T16:00:00Z"),
    "it is yesterday in the west": ("2026-03-02T03:00:00Z", 1, "America/Los_Angeles", "2026-03-03T08:00:00Z"),
    "a day of 23 hours": ("2026-03-28T12:00:00Z", 1, "Europe/Berlin", "2026-03-29T22:00:00Z"),
    "before it": ("2026-03-27T12:00:00Z", 1, "Europe/Berlin", "2026-03-28T23:00:00Z"),
    "a day of 25 hours": ("2026-10-24T12:00:00Z", 1, "Europe/Berlin", "2026-10-25T23:00:00Z"),
    "half an hour off": ("2026-01-01T00:00:00Z", 1, "Asia/Kolkata", "2026-01-02T18:30:00Z"),
    "midnight does not exist": ("2025-04-23T12:00:00Z", 1, "Africa/Cairo", "2025-04-24T22:00:00Z"),
    "a leap day": ("2028-02-28T12:00:00Z", 1, "UTC", "2028-03-01T00:00:00Z"),
    "over a year's end": ("2026-12-20T12:00:00Z", 30, "UTC", "2027-01-20T00:00:00Z"),
}


@pytest.mark.parametrize(("received", "days", "zone", "due"), DUE.values(), ids=DUE)
def test_due(received: str, days: int, zone: str, due: str) -> None:
    assert told(due_at(datetime.fromisoformat(received).timestamp(), days, zone)) == due


def test_what_is_not_said_has_a_default() -> None:
    assert rules_of(UNSET) is None
    rules = rules_of(ComplaintTerms(due_days=10, languages=("en", "de")))
    assert rules is not None
    assert (rules.due_days, rules.data_due_days, rules.languages) == (10, 30, ("en", "de"))
    assert (rules.timezone, rules.acknowledge) == ("UTC", RECEIVED)


@pytest.mark.parametrize("name", ["Europe/Nowhere", "", "..", "/etc/passwd", "Europe"])
def test_a_time_zone_that_nobody_knows_is_a_fault_of_the_file(name: str) -> None:
    with pytest.raises(msgspec.ValidationError, match="is no time zone"):
        msgspec.convert({"timezone": name}, ComplaintTerms)
