"""The checks of what people may ask for hold where it is served, and fail where it is not."""

from __future__ import annotations

import pytest

from guardrail.evidence.checks import Outcome, State, checks

ALWAYS = {"subject-is-exported"}
"""Holds by itself: people can be told what is kept of them, whatever the configuration says."""
MINE = [name for name, check in checks().items() if check.run.__module__ == "guardrail.evidence.people"]


@pytest.mark.parametrize("name", MINE)
def test_it_holds_where_the_presets_are_served(name: str, served: dict[str, Outcome]) -> None:
    assert served[name].state is State.HOLDS, served[name].said


@pytest.mark.parametrize("name", sorted(set(MINE) - ALWAYS))
def test_it_fails_where_nothing_is(name: str, bare: dict[str, Outcome]) -> None:
    assert bare[name].state is State.FAILS, bare[name].said
