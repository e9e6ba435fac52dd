"""Sections lie upon each other: what is not said above holds from beneath."""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType

from guardrail.governance.sections import PolicyName, merged, policy_names


class Inner(Struct, frozen=True):
    one: int | UnsetType = UNSET
    many: tuple[int, ...] | UnsetType = UNSET


class Outer(Struct, frozen=True):
    inner: Inner | UnsetType = UNSET
    word: str | UnsetType = UNSET


def test_what_is_not_said_above_holds_from_beneath() -> None:
    assert merged(Outer(word="low"), Outer()) == Outer(word="low")
    assert merged(Outer(word="low"), Outer(word="high")) == Outer(word="high")


def test_at_every_depth() -> None:
    low, high = Outer(inner=Inner(one=1, many=(1, 2))), Outer(inner=Inner(many=(3,)))
    assert merged(low, high) == Outer(inner=Inner(one=1, many=(3,)))


def test_a_section_that_only_one_side_has_is_taken_whole() -> None:
    inner = Inner(one=1)
    assert merged(Outer(inner=inner), Outer()).inner == inner
    assert merged(Outer(), Outer(inner=inner)).inner == inner


class Stricter(Struct, frozen=True):
    policy: PolicyName | UnsetType = UNSET
    note: str | UnsetType = UNSET
    steps: tuple[PolicyName, ...] = ()


class Sections(Struct, frozen=True):
    one: Stricter | UnsetType = UNSET
    by_name: dict[str, PolicyName] | UnsetType = UNSET


def test_the_policies_that_terms_name_are_found_wherever_they_stand() -> None:
    terms = Sections(one=Stricter(policy="strict", note="plain", steps=("a", "b")), by_name={"night": "quiet"})
    assert list(policy_names(terms)) == [
        (("one", "policy"), "strict"),
        (("one", "steps", 0), "a"),
        (("one", "steps", 1), "b"),
        (("by_name", "night"), "quiet"),
    ]
    assert list(policy_names(Sections())) == []
