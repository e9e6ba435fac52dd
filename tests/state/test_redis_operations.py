"""What is sent to the script, and what comes back."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from redis.crc import key_slot

from guardrail.state.operations import (
    Count,
    Counts,
    Drop,
    Find,
    Get,
    Give,
    Mark,
    Meter,
    Put,
    Renew,
    Seats,
    Take,
    Taken,
    Visit,
)
from guardrail.state.redis_operations import Probe, Revision, arguments, base_of, channel_of, reply_of

EVERY: list[Any] = [
    Get("case", "a"),
    Put("case", "a", b"\xff", frozenset({"t"})),
    Drop("case", "a"),
    Find("case", "t", until=3.0),
    Take("acme", (Meter("r", 1, 60.0),), (Seats("s", 1),), "l"),
    Give("acme", ("s",), "l", (Meter("r", 1, 60.0, -1),)),
    Renew("acme", ("s",), ("l",)),
    Visit("acme", "u", 60.0),
    Mark("acme", "u", "m"),
    Count((("a", 1),)),
    Counts("2027-01-01", "2027-01-03"),
    Revision("policy"),
    Probe(),
]


@pytest.mark.parametrize("operation", EVERY, ids=lambda operation: type(operation).__name__)
def test_what_is_sent_is_plain_and_has_no_none(operation: Any) -> None:
    bodies: list[bytes] = []
    base = base_of(operation, "guardrail")
    sent = arguments(operation, base, "guardrail", bodies)
    assert base.startswith("guardrail:{")
    assert sent[:2] == [type(operation).__name__.lower(), base]
    assert "nil" not in str(sent)
    assert "None" not in str(sent)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(sent))[1] == base
    assert bodies == ([b"\xff"] if isinstance(operation, Put) else [])


def test_what_has_to_change_together_has_one_slot() -> None:
    together = [("case", Get("case", "a"), Put("case", "b", b""), Find("case", "t"), Revision("case"))]
    for _, *operations in together:
        assert len({base_of(operation, "p") for operation in operations}) == 1
    assert base_of(Take("acme"), "p") == base_of(Give("acme"), "p") == base_of(Renew("acme", (), ()), "p")
    assert base_of(Visit("acme", "u", 1.0), "p") == base_of(Mark("acme", "u", "m"), "p")
    sessions = {key_slot(base_of(Visit("acme", str(number), 1.0), "p").encode()) for number in range(100)}
    assert len(sessions) > 90


def test_only_changes_that_somebody_waits_for_are_told() -> None:
    for kind, told in (("policy", channel_of("p")), ("case", False)):
        assert told in arguments(Put(kind, "a", b""), "base", "p", [])
        assert told in arguments(Drop(kind, "a"), "base", "p", [])


def test_days() -> None:
    assert arguments(Counts("2028-02-28", "2028-03-01"), "base", "p", [])[2] == [
        "2028-02-28",
        "2028-02-29",
        "2028-03-01",
    ]


def test_replies() -> None:
    take = Take("acme", (Meter("r", 5, 60.0),), (Seats("s", 2),))
    taken = reply_of(take, b"1 2500000 4 61000000 2 0")
    assert isinstance(taken, Taken)
    assert (taken.refused, taken.retry_after) == (1, 2.5)
    assert [(level.key, level.limit, level.used, level.reset) for level in taken.levels] == [
        ("r", 5, 4, 61.0),
        ("s", 2, 2, 0.0),
    ]
    assert reply_of(Counts("2027-01-01", "2027-01-01"), [b"a", b"3"]) == {"a": 3}
    assert reply_of(Drop("case", "a"), 0) is False
    assert reply_of(Give("acme"), None) is None
