"""Everything that can be asked of a state store, as plain data. Pure.

A store takes a batch of operations and gives one reply each (`guardrail.state.store`). Each operation is atomic by
itself; a batch is not, but its operations run in order. Documents are small (kilobytes) and are never model text. Times
are unix seconds by the store's own clock, so that replicas whose clocks differ agree.
"""

from __future__ import annotations

from dataclasses import dataclass, field

KEEP = 3 * 365 * 86400.0
"""Seconds that a document is kept when nothing else is said: three years, the longest time for which the laws behind
the presets ask for records."""

SESSION_KEEP = 2 * 86400.0
"""Seconds that a session is kept after the last visit: what is said of a day is still known on the next."""


@dataclass(frozen=True, slots=True)
class Document:
    """One document as it is stored."""

    kind: str
    """A lower-case word: "case", "subject"."""
    id: str
    version: int
    """1 for the first, one more with every `Put`."""
    body: bytes
    at: float
    """When it was made."""
    tags: frozenset[str] = frozenset()
    """What it can be found by: "status:open", "tenant:acme"."""


# Documents


@dataclass(frozen=True, slots=True)
class Get:
    """Reply: the Document, or None."""

    kind: str
    id: str


@dataclass(frozen=True, slots=True)
class Put:
    """Write a document. Reply: its new version; or Conflict, when it is not at the version that is expected."""

    kind: str
    id: str
    body: bytes
    tags: frozenset[str] = frozenset()
    """Replace those it had. A tag of which there may be very many documents costs no more than others."""
    keep: float = KEEP
    """Seconds until it is forgotten, from now."""
    expect: int | None = None
    """The version it must be at; 0: there must be none; None: whatever there is."""
    at: float | None = None
    """The time by which it is sorted; None: now, or for one that exists: as it was."""


@dataclass(frozen=True, slots=True)
class Drop:
    """Remove a document and its tags. Reply: whether there was one."""

    kind: str
    id: str


@dataclass(frozen=True, slots=True)
class Find:
    """Reply: a list of Documents, sorted by (`at`, `id`)."""

    kind: str
    tag: str = ""
    """"": every document of the kind."""
    since: float = 0.0
    """Only those at this time or later."""
    until: float | None = None
    """Only those before this time."""
    limit: int = 100
    newest: bool = False
    """The newest first."""
    after: str = ""
    """The id of the last document of the page before; the list goes on behind it. Where that one is gone, the list
    begins again."""


# Limits


@dataclass(frozen=True, slots=True)
class Meter:
    """One sliding window: at most `limit` units in any `window` seconds."""

    key: str
    """Names it in its group: "requests/60", "u:3f2a…/tokens/86400"."""
    limit: int
    window: float
    cost: int = 1
    """What is taken now."""
    spare: bool = False
    """An empty window takes even a cost above the limit, so that one large request is not refused forever."""


@dataclass(frozen=True, slots=True)
class Seats:
    """At most `limit` leases at a time under one key."""

    key: str
    limit: int


@dataclass(frozen=True, slots=True)
class Take:
    """Take from all meters and all seats of one group, or from none. Reply: Taken."""

    group: str
    """One tenant: all of a group is in one place, so that it can be taken at once."""
    meters: tuple[Meter, ...] = ()
    seats: tuple[Seats, ...] = ()
    lease: str = ""
    """Name of the lease on each of the seats; unique."""
    lease_seconds: float = 60.0
    """Until a lease that nobody renews is over: the time for which a killed replica's streams still count."""


@dataclass(frozen=True, slots=True)
class Level:
    """How full one meter, or one kind of seats, is."""

    key: str
    limit: int
    used: int
    """After this operation."""
    reset: float
    """Seconds until it is empty again, if nothing is taken; of seats: 0."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a `Take`."""

    levels: tuple[Level, ...]
    """In the order asked for: the meters, then the seats."""
    refused: int = -1
    """Index in `levels` of the first that had no room; -1: all was taken."""
    retry_after: float = 0.0
    """Seconds until that one has room, if nothing else is taken; the whole window, where it never will."""


@dataclass(frozen=True, slots=True)
class Give:
    """Give a lease back, and correct what was taken. Reply: None. A second one of the same lease changes no seats."""

    group: str
    seats: tuple[str, ...] = ()
    """Keys of the seats."""
    lease: str = ""
    corrections: tuple[Meter, ...] = ()
    """`cost` is what is added to the window now; below 0: given back, at most down to 0. Never refused."""


@dataclass(frozen=True, slots=True)
class Renew:
    """Go on with leases. Reply: None. A lease that was over lives again: its stream does."""

    group: str
    seats: tuple[str, ...]
    """Keys, one for each of `leases`."""
    leases: tuple[str, ...]
    lease_seconds: float = 60.0


# Sessions


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody is there now: goes on with the session, or begins one after `gap` seconds of absence. Reply: Session."""

    group: str
    id: str
    gap: float
    keep: float = SESSION_KEEP


@dataclass(frozen=True, slots=True)
class Session:
    """A stretch of use without a gap."""

    started: float
    last: float
    """The visit before this one; of a new session: `started`."""
    now: float
    marks: frozenset[str] = frozenset()
    """What was noted about it, see `Mark`."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Note something about a session once. Reply: True for whoever is first. Where there is no session, one begins."""

    group: str
    id: str
    mark: str


# Counts


@dataclass(frozen=True, slots=True)
class Count:
    """Add to counters of today (UTC). Reply: None."""

    counts: tuple[tuple[str, int], ...]
    """(name, how many). Names are made of rule categories, actions and the like, never of anything a peer chooses."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Reply: dict of name to sum, over the days `first` to `last` (ISO dates, UTC, both included)."""

    first: str
    last: str


Operation = Get | Put | Drop | Find | Take | Give | Renew | Visit | Mark | Count | Counts


@dataclass(frozen=True, slots=True)
class Conflict:
    """Reply to a `Put` whose document is at another version."""

    found: Document | None = field(repr=False)
    """What is there."""
