"""Heads: which version is live, canary and shadow after what was asked."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrail.policy.signing import BadSignature
from guardrail.policy.versions import (
    FILE,
    VERSIONS,
    Head,
    Line,
    Share,
    Unfit,
    activated,
    encoded,
    parse,
    picked,
    pushed,
    read_head,
    rolled_back,
    shadowed,
)

BUNDLE, DIGEST = "b" * 64, "d" * 64


def after(*steps: str) -> Line:
    """The line of `p` after steps: "push", "live N", "canary N", "back", "shadow N", "shadow off"."""
    return head_after(*steps).policies["p"]


def head_after(*steps: str) -> Head:
    head = Head()
    for now, step in enumerate(steps, 1):
        what, _, number = step.partition(" ")
        before = head.serial
        match what:
            case "push":
                head, _ = pushed(head, "p", BUNDLE, DIGEST, now=now)
            case "live":
                head = activated(head, "p", int(number), now=now)
            case "canary":
                head = activated(head, "p", int(number), percent=10, now=now)
            case "back":
                head = rolled_back(head, "p", now=now)
            case "shadow":
                head = shadowed(head, "p", None if number == "off" else int(number), now=now)
        assert head.serial > before
        assert read_head(encoded(head)) == head
    return head


@pytest.mark.parametrize(
    ("steps", "live", "canary", "shadow"),
    [
        (["push"], FILE, None, None),
        (["push", "live 1"], 1, None, None),
        (["push", "push", "live 1", "canary 2"], 1, 2, None),
        (["push", "push", "live 1", "canary 2", "live 2"], 2, None, None),
        (["push", "push", "live 1", "canary 2", "back"], 1, None, None),
        (["push", "push", "live 1", "canary 2", "live 2", "back"], 1, None, None),
        (["push", "push", "live 1", "live 2", "back", "back"], FILE, None, None),
        (["push", "canary 1"], FILE, 1, None),
        (["push", "push", "live 1", "shadow 2"], 1, None, 2),
        (["push", "push", "live 1", "shadow 2", "live 2"], 2, None, None),
        (["push", "push", "live 1", "shadow 2", "shadow off"], 1, None, None),
        (["push", "live 1", "live 1", "back"], FILE, None, None),
    ],
)
def test_what_is_in_effect(steps: list[str], live: int, canary: int | None, shadow: int | None) -> None:
    line = after(*steps)
    assert line.live == live
    assert (line.canary and line.canary.version, line.shadow and line.shadow.version) == (canary, shadow)


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        (["live 1"], "no version of the policy"),
        (["push", "live 2"], "versions: 1"),
        (["push", "back"], "nothing before it"),
        (["push", "live 1", "canary 1"], "live for everybody"),
        (["push", "shadow 7"], "versions: 1"),
    ],
)
def test_what_cannot_be(steps: list[str], why: str) -> None:
    with pytest.raises(Unfit, match=why):
        after(*steps)


def test_old_versions_are_forgotten_but_not_those_in_use_and_no_number_comes_again() -> None:
    line = after("push", "live 1", *["push"] * 40)
    assert [version.number for version in line.versions] == [1, *range(42 - VERSIONS, 42)]
    assert (line.newest, line.live) == (41, 1)


def test_the_serial_grows_also_when_the_clock_goes_back() -> None:
    head, _ = pushed(Head(), "p", BUNDLE, DIGEST, now=1000)
    assert head.serial == 1_000_000
    assert pushed(head, "p", BUNDLE, DIGEST, now=1)[0].serial == 1_000_001


def broken(**changes: object) -> bytes:
    head = head_after("push", "live 1")
    line = msgspec.structs.replace(head.policies["p"], **changes)
    return encoded(msgspec.structs.replace(head, policies={"p": line}))


@pytest.mark.parametrize(
    "statement",
    [
        b"{}x",
        b'{"format": 2}',
        b'{"more": 1}',
        broken(live=2),
        broken(shadow=Share(9, 10)),
        broken(newest=0),
        broken(versions=()),
        broken(versions=after("push").versions * 2),
    ],
)
def test_what_contradicts_itself_is_refused_though_it_were_signed(statement: bytes) -> None:
    with pytest.raises(BadSignature):
        read_head(statement)


@given(st.floats(0.1, 100), st.integers(1, 9))
@settings(max_examples=30)
def test_a_share_is_about_as_large_as_was_asked(percent: float, version: int) -> None:
    chosen = sum(picked("p", Share(version, percent), f"g-{number:016x}") for number in range(2000))
    assert abs(chosen / 20 - percent) < 6  # five standard deviations of 2,000 draws


def test_another_version_gets_other_requests() -> None:
    ids = [f"g-{number:016x}" for number in range(500)]
    one, two = ({id for id in ids if picked("p", Share(version, 50), id)} for version in (1, 2))
    assert one != two
    assert one == {id for id in ids if picked("p", Share(1, 50), id)}


@pytest.mark.parametrize("spelled", ["p", "p@", "@1", "p@x", "p@0", "p@-1", "p@٣"])
def test_what_names_no_version(spelled: str) -> None:
    with pytest.raises(Unfit):
        parse(spelled)


def test_a_version_is_named() -> None:
    assert parse("a.b-c@12") == ("a.b-c", 12)
