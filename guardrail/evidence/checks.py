"""The checks by their names: what each shows, and how it came out.

A check is a coroutine that asks a running proxy (`guardrail.evidence.bench`) and says what it saw. Promises: a check
that could not be tried says so and never counts as passed; one that goes wrong is a check that does not hold, and stops
no other.
"""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from guardrail.evidence.bench import Bench

AREAS = ("output", "records", "service", "conduct", "people", "labels")
"""Modules of this package whose checks there are."""


class State(StrEnum):
    """How a check came out."""

    HOLDS = "holds"
    FAILS = "fails"
    UNTRIED = "untried"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was seen."""

    state: State
    said: str
    """A sentence; of a failure: what is missing, and which setting would serve."""


def holds(said: str) -> Outcome:
    """It was tried, and it holds."""
    return Outcome(State.HOLDS, said)


def fails(said: str) -> Outcome:
    """It was tried, and it does not hold."""
    return Outcome(State.FAILS, said)


def untried(said: str) -> Outcome:
    """It could not be tried; `said` says why."""
    return Outcome(State.UNTRIED, said)


Run = Callable[["Bench"], Awaitable[Outcome]]


@dataclass(frozen=True, slots=True)
class Check:
    """One check."""

    name: str
    shows: str
    """What it shows, as a sentence."""
    run: Run


_known: dict[str, Check] = {}


def check(name: str, shows: str) -> Callable[[Run], Run]:
    """Enter a check under its name."""

    def entered(run: Run) -> Run:
        assert name not in _known, f"{name} is entered twice"
        _known[name] = Check(name, shows, run)
        return run

    return entered


def checks() -> dict[str, Check]:
    """Every check, by name."""
    for area in AREAS:
        import_module(f"guardrail.evidence.{area}")
    return dict(_known)


async def tried(name: str, bench: Bench) -> Outcome:
    """The outcome of the check with this name."""
    found = checks().get(name)
    if found is None:
        return untried("there is no check of this name")
    try:
        return await found.run(bench)
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        return fails(f"the check went wrong: {type(error).__name__}: {error} ({where.name})")
