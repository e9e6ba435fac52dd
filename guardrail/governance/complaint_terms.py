"""The section `complaints` of the terms: by when a complaint is decided, what people are told, who may file how many.

Without the section nothing can be filed; the shipped configuration has it. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

RECEIVED = "Your message was received. You are told of the decision, and of the reasons for it, under this number."


def known_zone(name: str) -> ZoneInfo:
    """The time zone. Raises ValueError."""
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError) as error:  # unknown; a folder of the database; no name of a file in it
        raise ValueError(f"{name!r} is no time zone, or the system has no database of time zones") from error


Days = Annotated[int, Meta(ge=1, le=365, title="a number of days from 1 to 365")]
Filings = Annotated[int, Meta(ge=1, title="a whole number, 1 or more")]


class ComplaintTerms(Struct, frozen=True, forbid_unknown_fields=True):
    """Complaints, appeals and requests of data subjects."""

    due_days: Annotated[
        Days | UnsetType, Meta(description="Days within which a complaint is decided; of the last one, all of it.")
    ] = UNSET
    data_due_days: Annotated[Days | UnsetType, Meta(description="The same for the request of a data subject.")] = UNSET
    timezone: Annotated[
        str | UnsetType, Meta(description="Time zone in which days begin and end, by its IANA name.")
    ] = UNSET
    acknowledge: Annotated[
        Annotated[str, Meta(min_length=1, max_length=2000)] | UnsetType,
        Meta(description="What people are told with the receipt."),
    ] = UNSET
    contact: Annotated[
        Annotated[str, Meta(max_length=500)] | UnsetType,
        Meta(description="Where else people can turn to: an e-mail or a postal address, a page."),
    ] = UNSET
    languages: Annotated[
        tuple[str, ...] | UnsetType, Meta(description="Languages in which complaints are dealt with.")
    ] = UNSET
    keep_days: Annotated[
        Annotated[int, Meta(ge=1, le=3650, title="a number of days from 1 to 3650")] | UnsetType,
        Meta(description="Days after the decision until the complaint and its text are deleted."),
    ] = UNSET
    per_hour: Annotated[
        Filings | UnsetType, Meta(description="Complaints that one tenant's people may file in an hour.")
    ] = UNSET
    per_address: Annotated[
        Filings | UnsetType, Meta(description="The same from one address, of people without a key.")
    ] = UNSET
    address_header: Annotated[
        Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]{0,64}$(?!\n)", title="the name of a header")] | UnsetType,
        Meta(
            description="Header in which your load balancer tells a client's address; its last entry counts. Unset or "
            "empty: the connection's own address."
        ),
    ] = UNSET

    def __post_init__(self) -> None:
        if isinstance(self.timezone, str):
            known_zone(self.timezone)


DEFAULTS = ComplaintTerms(
    due_days=30,  # a month is what the GDPR (article 12) gives, and what is asked of complaints elsewhere
    data_due_days=30,
    timezone="UTC",
    acknowledge=RECEIVED,
    contact="",
    languages=(),
    keep_days=365,  # the Digital Services Act (article 20) asks for six months in which a decision can be contested
    per_hour=600,
    per_address=10,
    address_header="",
)


@dataclass(frozen=True, slots=True)
class ComplaintRules:
    """`ComplaintTerms` with every default in place."""

    due_days: int
    data_due_days: int
    timezone: str
    acknowledge: str
    contact: str
    languages: tuple[str, ...]
    keep_days: int
    per_hour: int
    per_address: int
    address_header: str


def rules_of(given: ComplaintTerms | UnsetType) -> ComplaintRules | None:
    """What holds; None: nothing can be filed."""
    if given is UNSET:
        return None
    assert isinstance(given, ComplaintTerms)
    said = {name: value for name, value in msgspec.structs.asdict(given).items() if value is not UNSET}
    return ComplaintRules(**(msgspec.structs.asdict(DEFAULTS) | said))


def due_at(received: float, days: int, timezone: str) -> float:
    """Unix seconds at which the last of `days` days is over, in that time zone; the day of receipt is not counted.

    Days are the calendar's: one on which clocks are changed is an hour shorter or longer. Raises ValueError."""
    zone = known_zone(timezone)
    day = datetime.fromtimestamp(received, zone).date() + timedelta(days=days + 1)
    return datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()


def told(seconds: float) -> str:
    """A time as people and programs are told it: RFC 3339, UTC, whole seconds."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
