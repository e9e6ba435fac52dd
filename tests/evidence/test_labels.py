"""The checks of labels hold where answers are labelled, and fail where they are not."""

from __future__ import annotations

import pytest

from guardrail.evidence.checks import Outcome, State, checks

MINE = [name for name, check in checks().items() if check.run.__module__ == "guardrail.evidence.labels"]


@pytest.mark.parametrize("name", MINE)
def test_it_holds_where_the_presets_are_served(name: str, served: dict[str, Outcome]) -> None:
    assert served[name].state is State.HOLDS, served[name].said


@pytest.mark.parametrize("name", MINE)
def test_it_fails_where_nothing_is(name: str, bare: dict[str, Outcome]) -> None:
    assert bare[name].state is State.FAILS, bare[name].said
