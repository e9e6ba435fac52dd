"""When a store that failed is asked again."""

from __future__ import annotations

import pytest

from guardrail.state.breaker import COSTLY, FIRST_PAUSE, LONGEST_PAUSE, Breaker
from guardrail.state.store import Failure


def test_what_costs_a_wait_opens_it_once() -> None:
    breaker = Breaker()
    assert breaker.reason is None
    assert breaker.failed("slow") is True
    assert breaker.failed("down") is False
    assert breaker.reason == "down"
    breaker.succeeded()
    assert breaker.reason is None
    assert breaker.failed("failover") is True


@pytest.mark.parametrize("kind", ["full", "read-only", "schema", "other"])
def test_an_answer_does_not_open_it(kind: Failure) -> None:
    breaker = Breaker()
    assert kind not in COSTLY
    assert breaker.failed(kind) is False
    assert breaker.reason is None


def test_pauses_grow_and_begin_anew() -> None:
    breaker = Breaker()
    breaker.failed("down")
    pauses = [breaker.pause() for _ in range(6)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (FIRST_PAUSE, LONGEST_PAUSE)
    breaker.succeeded()
    assert breaker.pause() == FIRST_PAUSE
