"""A check that is not there, or goes wrong, is never one that passed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from guardrail.evidence.checks import State, checks, tried
from guardrail.policy.load import shipped_config
from guardrail.policy.presets import check_preset, shipped_presets

NO_BENCH: Any = object()
"""Nothing that could be asked: every check goes wrong on it."""


def test_a_check_that_is_not_there_is_not_tried() -> None:
    assert asyncio.run(tried("no-such-check", NO_BENCH)).state is State.UNTRIED


@pytest.mark.parametrize("name", checks())
def test_a_check_that_goes_wrong_fails(name: str) -> None:
    outcome = asyncio.run(tried(name, NO_BENCH))
    assert outcome.state is State.FAILS
    assert outcome.said.startswith("the check went wrong: AttributeError")


def test_every_check_says_what_it_shows() -> None:
    assert all(check.shows.endswith(".") for check in checks().values())


@pytest.mark.parametrize(("name", "path"), shipped_presets(shipped_config() / "presets").items())
def test_the_checks_of_a_shipped_preset_are_there(name: str, path: Any) -> None:
    wanted = {check for duty in check_preset(path).duties for check in duty.checks}
    assert wanted - checks().keys() == set()


def test_every_check_is_used() -> None:
    presets = [check_preset(path) for path in shipped_presets(shipped_config() / "presets").values()]
    used = {check for preset in presets for duty in preset.duties for check in duty.checks}
    assert checks().keys() - used == set()
